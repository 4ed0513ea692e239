"""What any derivative must be: the arithmetic of the public suite, for tests too."""

from anygrad.testing._formulas import (
    derivative,
    fewest_points,
    half_width,
    lagrange,
    lines,
    partial,
    terms,
)

__all__ = [
    "derivative",
    "fewest_points",
    "half_width",
    "lagrange",
    "lines",
    "partial",
    "terms",
]
