from literatim.papers.dqn.model import DeepQNetwork

__all__ = ["DeepQNetwork"]
