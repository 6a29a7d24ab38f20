from literatim.papers.gan.model import GAN, Discriminator, Generator, Maxout

__all__ = ["GAN", "Discriminator", "Generator", "Maxout"]
