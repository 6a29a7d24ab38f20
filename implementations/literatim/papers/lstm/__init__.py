from literatim.papers.lstm.model import LSTM

__all__ = ["LSTM"]
