from literatim.papers.elman.model import SimpleRecurrentNetwork

__all__ = ["SimpleRecurrentNetwork"]
