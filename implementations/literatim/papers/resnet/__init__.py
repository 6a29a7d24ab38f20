from literatim.papers.resnet.model import CifarResNet, ResNet

__all__ = ["CifarResNet", "ResNet"]
