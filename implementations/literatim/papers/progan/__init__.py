from literatim.papers.progan.model import Discriminator, Generator, ProGAN

__all__ = ["Discriminator", "Generator", "ProGAN"]
