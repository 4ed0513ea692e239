"""What derivatives of any order, with any boundary, must be: slowly and exactly.

On nested lists of one dimension, in fractions.  Ghost points are written out in full,
as padding with values and coordinates, and every formula is Lagrange's polynomial
through its points, differentiated as a polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any


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
    """Return the derivative at every point; `uneven` tells that `x` are coordinates."""
    left, right = boundary if _is_pair(boundary) else (boundary, boundary)
    period = None
    if left == "periodic":
        period = Fraction(right) if right != "periodic" else len(f) * abs(x[1] - x[0])
        right = "periodic"
    r = (order + 1) // 2 + accuracy // 2 - 1 + (uneven and order % 2 == 0)
    points = list(zip(map(Fraction, x), f, strict=True))
    before = _ghosts(points, left, r, period)
    mirrored = [(-a, b) for a, b in reversed(points)]
    after = [(-a, b) for a, b in _ghosts(mirrored, right, r, period)]
    return [
        _at(i, points, (before, after), (order, r, edge_order)) for i in range(len(f))
    ]


def _is_pair(boundary: Any) -> bool:
    return isinstance(boundary, tuple)


def _ghosts(
    points: list[tuple[Fraction, Any]], mode: Any, r: int, period: Any
) -> list[tuple[Fraction, Any]]:
    """Return the ghosts before the first point, the nearest first."""
    x = [a for a, _ in points]
    f = [b for _, b in points]
    depths = range(1, r + 1)
    descending = -1 if x[-1] < x[0] else 1
    if mode == "periodic":
        return [(x[-d] - descending * period, f[-d]) for d in depths]
    if mode == "reflect":
        return [(2 * x[0] - x[d], f[d]) for d in depths]
    if mode == "symmetric":
        mirror = x[0] - (x[1] - x[0]) / 2
        return [(2 * mirror - x[d - 1], f[d - 1]) for d in depths]
    if mode == "edge":
        return [(2 * x[0] - x[d], f[0]) for d in depths]
    if mode == "one_sided":
        return []
    return [(2 * x[0] - x[d], mode) for d in depths]


def _at(
    i: int,
    points: list[tuple[Fraction, Any]],
    ghosts: tuple[list[Any], list[Any]],
    kind: tuple[int, int, int],
) -> Any:
    (before, after), (order, r, edge_order), n = ghosts, kind, len(points)
    if i < r and not before:
        nodes = points[: max(edge_order + order, 2 * i + 1)]
    elif i >= n - r and not after:
        nodes = points[-max(edge_order + order, 2 * (n - 1 - i) + 1) :]
    else:
        padded = [*reversed(before), *points, *after]
        centre = i + len(before)
        nodes = padded[centre - r : centre + r + 1]
    here = points[i][0]
    weights = lagrange([a - here for a, _ in nodes], order)
    return sum(w * _exact(b) for w, (_, b) in zip(weights, nodes, strict=True))


def _exact(value: Any) -> Fraction:
    return Fraction(value)


def lagrange(x: Sequence[Fraction], order: int) -> list[Fraction]:
    """Return the derivative at 0 of each of Lagrange's polynomials."""
    weights = []
    for j, node in enumerate(x):
        polynomial = [Fraction(1)]
        for k, other in enumerate(x):
            if k != j:
                raised = [Fraction(0), *polynomial]
                lowered = [other * a for a in polynomial] + [Fraction(0)]
                polynomial = [
                    (a - b) / (node - other)
                    for a, b in zip(raised, lowered, strict=True)
                ]
        coefficient = polynomial[order] if order < len(polynomial) else 0
        weights.append(math.factorial(order) * coefficient)
    return weights


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
    left, right = boundary if _is_pair(boundary) else (boundary, boundary)
    period = None
    if left == "periodic":
        period = Fraction(right) if right != "periodic" else len(f) * abs(x[1] - x[0])
        right = "periodic"
    points = list(zip(map(Fraction, x), zip(f, valid, strict=True), strict=True))
    mirrored = [(-a, b) for a, b in reversed(points)]
    before = _ghosts(points, left, edge_order, period)
    after = [(-a, b) for a, b in _ghosts(mirrored, right, edge_order, period)]
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
            total += weight * _exact(value) if ok else 0
        else:
            return total
    return None
