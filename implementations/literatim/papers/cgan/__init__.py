from literatim.papers.cgan.model import CGAN, Discriminator, Generator

__all__ = ["CGAN", "Discriminator", "Generator"]
