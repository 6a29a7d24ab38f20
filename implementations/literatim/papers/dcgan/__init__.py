from literatim.papers.dcgan.model import DCGAN, Discriminator, Generator

__all__ = ["DCGAN", "Discriminator", "Generator"]
