from literatim.papers.q_learning.model import QTable

__all__ = ["QTable"]
