"""What `gpu.py` checks and measures; no library is imported before it is asked for."""
