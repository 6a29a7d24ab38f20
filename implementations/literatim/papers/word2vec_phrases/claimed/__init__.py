"""The word pairs of the released test set, from which its questions follow."""
