"""One package a paper: its model as printed, its training, the checks of its claims."""
