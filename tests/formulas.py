"""What any derivative must be: the arithmetic of the public suite, for tests too.

Beside it stands what it must be next to missing samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from anygrad.testing._formulas import (
    derivative,
    fewest_points,
    ghosts,
    half_width,
    lagrange,
    lines,
    partial,
    terms,
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
]


def of_valid(
    f: Sequence[Any],
    x: Sequence[Any],
    valid: Sequence[bool],
    edge_order: int,
    boundary: Any = "one_sided",
    *,
    uneven: bool = False,
) -> list[Any]:
    """Return the first derivative from valid samples; None where no formula fits."""
    points = list(zip(map(Fraction, x), zip(f, valid, strict=True), strict=True))
    before, after = ghosts(points, boundary, edge_order)
    line = dict(enumerate(points))
    line |= {-1 - k: ghost for k, ghost in enumerate(before)}
    line |= {len(f) + k: ghost for k, ghost in enumerate(after)}
    return [_of_valid_at(i, line, len(f), edge_order, uneven) for i in range(len(f))]


def _of_valid_at(
    i: int, line: dict[int, Any], n: int, edge_order: int, uneven: bool
) -> Any:
    ordinary = range(i - 1, i + 2)
    if i == 0 and -1 not in line:
        ordinary = range(edge_order + 1)
    if i == n - 1 and n not in line:
        ordinary = range(n - 1 - edge_order, n)
    for nodes in (
        ordinary,
        range(i, i + edge_order + 1),
        range(i - edge_order, i + 1),
    ):
        if not all(k in line for k in nodes):
            continue
        weights = lagrange([line[k][0] - line[i][0] for k in nodes], 1)
        total = Fraction(0)
        for k, weight in zip(nodes, weights, strict=True):
            value = line[k][1]  # that of a constant stands alone
            value, ok = value if isinstance(value, tuple) else (value, True)
            if not ok and (weight or uneven):
                break
            total += weight * Fraction(value) if ok else 0
        else:
            return total
    return None
