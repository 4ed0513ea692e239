"""What derivatives of any order, with any boundary, must be: slowly and exactly.

On nested lists, in fractions.  Ghost points are written out in full, as padding with
values and coordinates, and every formula is Lagrange's polynomial through its points,
differentiated as a polynomial.  Nothing here is shared with the code of anygrad.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from ..testing import _oracle
from ..testing._oracle import Gaussian, Index, Nested, gaussian

#: A weight, and the value that it belongs to: of a sample, or of a constant ghost.
Term: TypeAlias = tuple[Any, Any]


class Sample(NamedTuple):
    """A sample that may be missing."""

    value: Any
    is_valid: bool


def half_width(order: int, accuracy: int, uneven: bool) -> int:
    """Return how many points the formula inside reads to either side."""
    more = uneven and order % 2 == 0
    return (order + 1) // 2 + accuracy // 2 - 1 + more


def terms(
    f: Sequence[Any],
    x: Sequence[Any],
    order: int,
    accuracy: int,
    edge_order: int,
    boundary: Any = "one_sided",
    *,
    uneven: bool = False,
) -> list[list[Term]]:
    """Return the terms of the derivative at every point of a line.

    `uneven` tells that `x` are coordinates.  The values are passed on as they are.
    """
    points = list(zip(_alike(x), f, strict=True))
    r = half_width(order, accuracy, uneven)
    beyond = ghosts(points, boundary, r)
    return [_at(i, points, beyond, (order, r, edge_order)) for i in range(len(f))]


def ghosts(
    points: list[Term], boundary: Any, depth: int
) -> tuple[list[Term], list[Term]]:
    """Return so many ghosts before and behind a line, the nearest first."""
    left, right = _ends(boundary)
    turn: Any = None
    if left == "periodic":
        turn = _turn([a for a, _ in points], right)
        right = left
    before = _ghosts(points, left, depth, turn)
    mirrored = [(_zero(a) - a, b) for a, b in reversed(points)]
    after = [(_zero(a) - a, b) for a, b in _ghosts(mirrored, right, depth, turn)]
    return before, after


def partial(
    samples: Nested,
    axis: int,
    coordinate: Callable[[Index], Any],
    *,
    order: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Any = "one_sided",
    uneven: bool = False,
    of_terms: Callable[[list[Gaussian]], Any] = _oracle.sum_of,
) -> Nested:
    """Return the derivative of nested lists along one axis; they may be complex.

    Or what else is made of its terms.  Each is a weight times the difference of a
    sample from that at its point: as the weights sum to zero, their sum is the same.
    """
    edge_order = accuracy if edge_order is None else edge_order
    values: dict[Index, Any] = {}
    for points in lines(samples, axis):
        f = [_oracle.at(samples, point) for point in points]
        x = [coordinate(point) for point in points]
        rows = terms(f, x, order, accuracy, edge_order, boundary, uneven=uneven)
        for point, row in zip(points, rows, strict=True):
            here = gaussian(_oracle.at(samples, point))
            given = [gaussian(w) * (gaussian(v) - here) for w, v in row]
            values[point] = of_terms(given)
    return _oracle.build(_oracle.shape_of(samples), values.__getitem__)


def slope(
    samples: Nested, axis: int, coordinate: Callable[[Index], Any], edge_order: int
) -> Nested:
    """Return the derivative of the usual accuracy, with one-sided edges."""
    return partial(samples, axis, coordinate, edge_order=edge_order)


def magnitude(
    samples: Nested, axis: int, coordinate: Callable[[Index], Any], edge_order: int
) -> Nested:
    """Return the sum of the absolute values of the terms of such a derivative.

    The error of a good computation is some roundings of this number, however much of
    it cancels in the derivative itself.
    """

    def size_of(terms: list[Gaussian]) -> Any:
        return sum(map(_oracle.absolute, terms))

    kind: dict[str, Any] = {"edge_order": edge_order, "of_terms": size_of}
    return partial(samples, axis, coordinate, **kind)


def lines(samples: Nested, axis: int) -> Iterator[list[Index]]:
    """Return the indices of each line along an axis."""
    shape = _oracle.shape_of(samples)
    others = [range(1 if k == axis else n) for k, n in enumerate(shape)]
    for start in product(*others):
        yield [(*start[:axis], k, *start[axis + 1 :]) for k in range(shape[axis])]


def _ends(boundary: Any) -> tuple[Any, Any]:
    """Return what stands at either end."""
    return boundary if isinstance(boundary, tuple) else (boundary, boundary)


def _alike(x: Sequence[Any]) -> list[Any]:
    """Return exact numbers: fractions where all are real."""
    exact = [gaussian(a) for a in x]
    return exact if any(a.imag for a in exact) else [a.real for a in exact]


def _zero(number: Any) -> Any:
    return number - number


def _turn(x: list[Any], period: Any) -> Any:
    """Return how far a point is from its next likeness, with the sign of the steps."""
    if period == "periodic":
        return (x[1] - x[0]) * len(x)
    return Fraction(period) * (-1 if x[-1] < x[0] else 1)


def _ghosts(points: list[Term], mode: Any, r: int, turn: Any) -> list[Term]:
    """Return the ghosts before the first point, the nearest first."""
    x = [a for a, _ in points]
    f = [b for _, b in points]
    depths = range(1, r + 1)
    if mode == "periodic":
        return [(x[-d] - turn, f[-d]) for d in depths]
    if mode == "reflect":
        return [(x[0] + x[0] - x[d], f[d]) for d in depths]
    if mode == "symmetric":
        mirror = x[0] - (x[1] - x[0]) / 2
        return [(mirror + mirror - x[d - 1], f[d - 1]) for d in depths]
    if mode == "edge":
        return [(x[0] + x[0] - x[d], f[0]) for d in depths]
    if mode == "one_sided":
        return []
    return [(x[0] + x[0] - x[d], mode) for d in depths]


def _at(
    i: int,
    points: list[Term],
    ghosts: tuple[list[Term], list[Term]],
    kind: tuple[int, int, int],
) -> list[Term]:
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
    weights = _lagrange(tuple(a - here for a, _ in nodes), order)
    return [(w, value) for w, (_, value) in zip(weights, nodes, strict=True)]


def of_valid(
    f: Sequence[Any],
    x: Sequence[Any],
    valid: Sequence[bool],
    edge_order: int,
    boundary: Any = "one_sided",
    **kind: Any,
) -> list[Any]:
    """Return the derivative from valid samples; None where no formula fits."""
    rows = terms_of_valid(f, x, valid, edge_order, boundary, **kind)
    return [
        None if row is None else sum(w * Fraction(value) for w, value in row)
        for row in rows
    ]


def terms_of_valid(
    f: Sequence[Any],
    x: Sequence[Any],
    valid: Sequence[bool],
    edge_order: int,
    boundary: Any = "one_sided",
    *,
    order: int = 1,
    accuracy: int = 2,
    uneven: bool = False,
) -> list[list[Term] | None]:
    """Return the terms of the derivative; None where no formula fits.

    Each run of valid samples, ghosts among them, is an array of its own.
    """
    points = list(zip(_alike(x), map(Sample, f, valid), strict=True))
    r = half_width(order, accuracy, uneven)
    before, after = ghosts(points, boundary, max(edge_order + order - 1, r))
    line = [*reversed(before), *points, *after]
    holes = [
        k for k, (_, v) in enumerate(line) if isinstance(v, Sample) and not v.is_valid
    ]
    rows: list[list[Term] | None] = []
    for i in range(len(before), len(before) + len(f)):
        first = 1 + max([k for k in holes if k < i], default=-1)
        stop = min([k for k in holes if k > i], default=len(line))
        nodes = _nodes_in_run(first, stop, i, (order, r, edge_order))
        if i in holes:  # a central formula for an odd order skips its own point
            j = 0 if uneven or order % 2 == 0 else min(i - first, stop - 1 - i, r)
            nodes = range(i - j, i + j + 1 if 2 * j >= order else i - j)
        if not nodes:
            rows.append(None)
            continue
        weights = lagrange([line[k][0] - line[i][0] for k in nodes], order)
        named = zip(weights, [line[k][1] for k in nodes], strict=True)
        row = [(w, v.value if isinstance(v, Sample) else v) for w, v in named]
        if i in holes:
            del row[len(row) // 2]
        rows.append(row)
    return rows


def _nodes_in_run(
    first: int, stop: int, i: int, kind: tuple[int, int, int]
) -> Sequence[int]:
    """Return the points of the formula in a run of samples; none in a short one."""
    (order, r, edge_order), n = kind, stop - first
    edge_order = min(edge_order, n - order)
    if edge_order < 1:
        return ()
    depth = min(i - first, stop - 1 - i)
    if depth >= r:
        return range(i - r, i + r + 1)
    count = max(edge_order + order, 2 * depth + 1)
    is_left = i - first == depth
    return range(first, first + count) if is_left else range(stop - count, stop)


def lagrange(x: Sequence[Any], order: int) -> list[Any]:
    """Return the derivative at 0 of each of Lagrange's polynomials."""
    return list(_lagrange(tuple(_alike(x)), order))


@lru_cache(maxsize=1024)  # on equal steps, one formula for all points
def _lagrange(x: tuple[Any, ...], order: int) -> tuple[Any, ...]:
    zero = _zero(x[0])
    weights = []
    for j, node in enumerate(x):
        polynomial = [zero + 1]
        for k, other in enumerate(x):
            if k != j:
                raised = [zero, *polynomial]
                lowered = [other * a for a in polynomial] + [zero]
                polynomial = [
                    (a - b) / (node - other)
                    for a, b in zip(raised, lowered, strict=True)
                ]
        coefficient = polynomial[order] if order < len(polynomial) else zero
        weights.append(coefficient * math.factorial(order))
    return tuple(weights)
