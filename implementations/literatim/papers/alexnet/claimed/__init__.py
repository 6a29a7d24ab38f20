"""Checks of what the paper states layer by layer and setting by setting: tables of small claims."""
