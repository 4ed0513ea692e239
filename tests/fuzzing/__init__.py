"""Calls at random, and what they must give: the parts of `fuzz.py`."""
