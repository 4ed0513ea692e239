"""Derivatives of sampled data on a grid, for any array library."""

from anygrad._gradient import gradient
from anygrad._version import __version__

__all__ = ["__version__", "gradient"]
