"""Claims on the proof: the replay process, what is printed of it, and the worlds in which agents are tried."""
