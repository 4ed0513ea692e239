"""The sessions that `noxfile.py` shows to nox, and what they share."""
