"""The weights of formulas on uneven points, made of ratios of lengths.

Pure arithmetic: the lengths may be numbers, fractions or arrays of any library.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any


def slope_weights(
    span: Callable[[int, int], Any],
    offsets: Sequence[int],
    order: int = 1,
    unit: Any = None,
) -> dict[int, Any]:
    """Return the weights of the neighbours' slopes in a derivative.

    The derivative at offset 0 of the polynomial through the points `offsets` is a
    weighted sum of the slopes ``(f[j+1] - f[j]) / (x[j+1] - x[j])``.  These weights
    are built from *ratios* of lengths only, so no product of steps can overflow or
    vanish.  Those of a first derivative sum to one.

    Parameters
    ----------
    span : callable
        ``span(i, j)`` is ``x[j] - x[i]``: a number, a fraction or an array.
    offsets : sequence of int
        Consecutive, 0 among them.
    order : int
        Of the derivative.
    unit : optional
        A length; None is that of the whole formula.

    Returns
    -------
    dict
        From `j` to the weight of the slope between `j` and `j + 1`, times the unit to
        the power ``order - 1``.  A weight of exactly one is the integer 1.

    Notes
    -----
    With `L(i, j)` the polynomial through the points `i` to `j`, Neville's identity
    (E. H. Neville, J. Indian Math. Soc. 20, 1934) is::

        L(i, j) = ((x - x[i]) L(i+1, j) + (x[j] - x) L(i, j-1)) / (x[j] - x[i])

    and ``L(i+1, j) - L(i, j-1)`` is the divided difference ``[i, ..., j]`` times
    ``x[j] - x[i]`` and the product of ``x - x[k]`` for ``i < k < j``, because both
    agree at these points.  So the `m`-th derivative at the centre, for ``i <= 0 <= j``,
    is that of the two parts, with the same two ratios, which are not negative and sum
    to one, and ``m! e(x[0] - x[k]) [i, ..., j]``, with `e` the elementary symmetric
    polynomial of degree ``j - i - m`` in these lengths but that of the centre itself.
    And a divided difference is ``([i+1, ..., j] - [i, ..., j-1]) / (x[j] - x[i])``.

    What the derivative has of each polynomial, and then of each divided difference,
    goes from the longest down to the slopes: the sums are the same as from the slopes
    up, but there is one number for each `i` and `j`, not one for each slope in them.

    Each is taken as a multiple of the product of ``x[0] - x[k]`` for ``i < k < j``,
    without the centre; beside the centre, the nearest points are taken, and as many.
    So all factors are ratios: the product itself is gone in float32 where ten lengths
    are a ten-thousandth of the whole.  What remains of `e` is that of the reciprocals,
    of degree ``m - 2`` where the centre is inside, and ``m - 1`` where it is an end.

    The highest derivative of a polynomial is the same at all points: `m`! times the
    divided difference of all, to the last bit, wherever the centre is.

    Against 50 digits, these weights have kept an error of some roundings for steps
    whose ratio is 1e12, where those of Lagrange and of Fornberg had lost all digits:
    among slopes, nearly nothing cancels.
    """
    grid = _Grid(span, offsets[0], offsets[-1], order, unit)
    own = _of_differences(grid, order)
    weights: dict[int, Any] = {}
    upwards: dict[tuple[int, int], Any] = {}
    downwards: dict[tuple[int, int], Any] = {}
    for i, j in grid.intervals(1):
        parts = upwards.get((i, j)), downwards.get((i, j))
        if grid.is_highest or j <= 0:
            both = _difference(*parts)
        else:
            both = _difference(*reversed(parts)) if i > 0 else _sum(*parts)
        total = _sum(both, own.get((i, j)))
        if j == i + 1:
            weights[i] = total
        elif total is not None:
            upwards[i + 1, j], downwards[i, j - 1] = _handed_on(total, grid, i, j)
    return weights


def unit_of(span: Callable[[int, int], Any], offsets: Sequence[int], order: int) -> Any:
    """Return a length whose powers leave the weights in range; None for the whole.

    In the whole length, they take the fewest operations.  Where steps are very
    different, its higher powers leave the range of float32, and those of the steps
    beside the centre do not; but the highest derivative of all knows of no centre.
    """
    if order < 3 or len(offsets) == order + 1:
        return None
    return span(max(offsets[0], -1), min(offsets[-1], 1))


class _Grid:
    """The points of a formula, and ratios of their lengths, each made once."""

    def __init__(
        self,
        span: Callable[[int, int], Any],
        first: int,
        last: int,
        order: int,
        unit: Any,
    ) -> None:
        self.span, self.unit = span, unit
        self.first, self.last = first, last
        #: Whether it is for the one derivative that is the same at all points.
        self.is_highest = last - first == order
        self.depths: dict[int, Any] = {} if unit is not None else {0: 1}
        self.stretches: dict[tuple[int, int], Any] = {}

    def intervals(self, fewest: int) -> list[tuple[int, int]]:
        """Return both ends of all runs of so many steps or more, the longest first."""
        lengths = range(self.last - self.first, fewest - 1, -1)
        return [
            (i, i + n) for n in lengths for i in range(self.first, self.last - n + 1)
        ]

    def distance(self, k: int) -> Any:
        """Return the distance of a point from the centre, in the points' order."""
        return self.span(k, 0) if k < 0 else self.span(0, k)

    def depth(self, k: int) -> Any:
        """Return the part that this distance is of the whole length; at 0, the unit."""
        if k not in self.depths:
            length = self.distance(k) if k else self.unit
            self.depths[k] = length / self.span(self.first, self.last)
        return self.depths[k]

    def stretch(self, i: int, j: int) -> Any:
        """Return how often a run goes into the whole length."""
        if (i, j) == (self.first, self.last):
            return 1
        if (i, j) not in self.stretches:
            whole = self.span(self.first, self.last)
            self.stretches[i, j] = whole / self.span(i, j)
        return self.stretches[i, j]


def _handed_on(total: Any, grid: _Grid, i: int, j: int) -> tuple[Any, Any]:
    """Return what the divided differences without an end have of one.

    That without the first point, and that without the last, but for their signs.
    """
    if grid.is_highest:
        part = _product(total, grid.stretch(i, j))
        return part, part
    if i >= 0 or j <= 0:
        count = j - i - 1 if i >= 0 else i - j + 1
        part = _product(total, grid.distance(count) / grid.span(i, j))
        return part, part
    part = _product(total, grid.stretch(i, j))
    return _product(part, grid.depth(i + 1)), _product(part, grid.depth(j - 1))


def _of_differences(grid: _Grid, order: int) -> dict[tuple[int, int], Any]:
    """Return what the derivative has of divided differences by Neville's identity."""
    if grid.is_highest:
        return {(grid.first, grid.last): math.factorial(order)}
    unit = grid.span(grid.first, grid.last) if grid.unit is None else grid.unit
    inner = (range(-1, grid.first, -1), range(1, grid.last)) if order > 1 else ((), ())
    before, after = [
        _Symmetric([unit / grid.span(k, 0) for k in numbers]) for numbers in inner
    ]
    found: dict[tuple[int, int], Any] = {}
    for (i, j), share in _of_polynomials(grid, order).items():
        left, right = max(-i - 1, 0), max(j - 1, 0)
        degree = order - 2 if i < 0 < j else order - 1
        terms = [
            _product(before.sum(left, k), after.sum(right, degree - k))
            for k in range(max(degree - right, 0), min(degree, left) + 1)
        ]
        if terms:
            found[i, j] = _product(share, _folded(terms))
    return found


def _folded(terms: list[Any]) -> Any:
    """Return the sum, which is the same to the last bit from either end."""
    count = len(terms)
    pairs = [terms[k] + terms[-1 - k] for k in range(count // 2)]
    return reduce(operator.add, pairs + terms[count // 2 : count - count // 2])


def _of_polynomials(grid: _Grid, order: int) -> dict[tuple[int, int], Any]:
    """Return what the derivative has of that of each polynomial, times `order`!."""
    found: dict[tuple[int, int], Any] = {(grid.first, grid.last): math.factorial(order)}
    for i, j in grid.intervals(order + 1):
        if i < 0 < j:
            share = _product(found[i, j], grid.stretch(i, j))
            parts = {end: _product(share, grid.depth(end)) for end in (i, j)}
        elif i <= 0 <= j:  # at an end, the centre has all of the other one
            parts = {i or j: found[i, j]}
        else:
            continue
        for end, part in parts.items():
            ends = (i + 1, j) if end == i else (i, j - 1)
            found[ends] = _sum(found.get(ends), part)
    return found


class _Symmetric:
    """Elementary symmetric polynomials of the first of some numbers."""

    def __init__(self, numbers: Sequence[Any]) -> None:
        self.numbers = numbers
        self.known: dict[tuple[int, int], Any] = {}

    def sum(self, count: int, degree: int) -> Any:
        """Return the sum of all products of `degree` of the first `count` numbers.

        None if there are none, and the integer 1 for the empty product.
        """
        if degree == 0:
            return 1
        if degree > count:
            return None
        found = self.known.get((count, degree))
        if found is None:
            without = self.sum(count - 1, degree)
            rest = self.sum(count - 1, degree - 1)
            found = _sum(without, _product(self.numbers[count - 1], rest))
            self.known[count, degree] = found
        return found


# The integer 1 stands for "no weight", and None for "no term": neither costs an
# operation on arrays.


def _product(left: Any, right: Any) -> Any:
    if isinstance(left, int) and left == 1:
        return right
    return left if isinstance(right, int) and right == 1 else left * right


def _sum(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    return left + right


def _difference(left: Any, right: Any) -> Any:
    if right is None:
        return left
    if left is None:
        return right * -1
    return left - right
