"""What the claims of DQN are checked with, where it would make checks.py too long."""
