"""Claims whose checks are too long for `checks.py`."""
