from literatim.papers.vgg.model import VGG

__all__ = ["VGG"]
