from literatim.papers.word2vec_phrases.model import SkipGram

__all__ = ["SkipGram"]
