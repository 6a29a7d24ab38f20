from literatim.papers.word2vec.model import Word2Vec

__all__ = ["Word2Vec"]
