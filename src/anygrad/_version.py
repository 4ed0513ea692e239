"""The version, read by the build and by `_reports.py`."""

__version__ = "0.1.0.dev0"
