"""Checks of the equations, of the phrases and their scores, and of what others have in their place."""
