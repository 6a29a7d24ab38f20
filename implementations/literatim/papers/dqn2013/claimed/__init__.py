"""What the claims of DQN (2013) are checked with, where it would make checks.py too long; DQN's use it too."""
