"""What the paper prints, and proofs that reckon with it alone."""
