"""Checks of what the paper states besides its network: geometry, data, losses, and the networks it compares with."""
