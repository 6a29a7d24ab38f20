from literatim.papers.alexnet.model import AlexNet, ResponseNormalization

__all__ = ["AlexNet", "ResponseNormalization"]
