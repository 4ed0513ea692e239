"""What any derivative must be: the arithmetic of the public suite, for tests too."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from anygrad.testing._formulas import (
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
    "half_width",
    "lagrange",
    "lines",
    "of_valid",
    "partial",
    "terms",
    "terms_of_valid",
]


def fewest_points(
    order: int, accuracy: int, edge_order: int, boundary: Any, uneven: bool
) -> int:
    """Return the length that an axis must have."""
    inside = 2 * half_width(order, accuracy, uneven)
    ends = boundary if isinstance(boundary, tuple) else (boundary,)
    return max(inside, edge_order + order) if "one_sided" in ends else inside


def derivative(
    f: Sequence[Any],
    x: Sequence[Any],
    order: int,
    accuracy: int,
    edge_order: int,
    boundary: Any = "one_sided",
    *,
    uneven: bool = False,
) -> list[Any]:
    """Return the derivative of real numbers at every point of a line."""
    rows = terms(f, x, order, accuracy, edge_order, boundary, uneven=uneven)
    return [sum(w * Fraction(value) for w, value in row) for row in rows]
