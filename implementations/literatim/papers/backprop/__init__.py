from literatim.papers.backprop.model import FamilyNet, IterativeNet, SymmetryNet

__all__ = ["FamilyNet", "IterativeNet", "SymmetryNet"]
