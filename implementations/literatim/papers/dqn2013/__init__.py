from literatim.papers.dqn2013.model import DeepQNetwork

__all__ = ["DeepQNetwork"]
