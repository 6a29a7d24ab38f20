from literatim.papers.gru.model import EncoderDecoder

__all__ = ["EncoderDecoder"]
