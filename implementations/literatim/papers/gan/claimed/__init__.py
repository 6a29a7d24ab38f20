"""Checks of what Secs. 3, 4 and 6 say of the game, and of the pictures of Sec. 5."""
