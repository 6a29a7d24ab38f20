"""Checks of the letter's claims, by where they stand in it."""
