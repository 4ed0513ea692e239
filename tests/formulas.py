"""What any derivative must be: the arithmetic of the public suite, for tests too."""

from anygrad.testing._formulas import (
    derivative,
    fewest_points,
    ghosts,
    half_width,
    lagrange,
    lines,
    of_valid,
    partial,
    terms,
    terms_of_valid,
)

__all__ = [
    "derivative",
    "fewest_points",
    "ghosts",
    "half_width",
    "lagrange",
    "lines",
    "of_valid",
    "partial",
    "terms",
    "terms_of_valid",
]
