from literatim.papers.googlenet.model import GoogLeNet

__all__ = ["GoogLeNet"]
