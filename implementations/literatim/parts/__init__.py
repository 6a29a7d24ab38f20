"""Blocks that belong to no paper."""
