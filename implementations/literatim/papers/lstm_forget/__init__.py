from literatim.papers.lstm_forget.model import ForgetLSTM

__all__ = ["ForgetLSTM"]
