from literatim.papers.dcgan.conditional import ConditionalDCGAN
from literatim.papers.dcgan.model import DCGAN, Discriminator, Generator

__all__ = ["DCGAN", "ConditionalDCGAN", "Discriminator", "Generator"]
