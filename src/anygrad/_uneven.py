"""The weights of formulas on uneven points, made of ratios of lengths.

Pure arithmetic: the lengths may be numbers, fractions or arrays of any library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any


def slope_weights(
    span: Callable[[int, int], Any], offsets: Sequence[int], order: int = 1
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

    Returns
    -------
    dict
        From `j` to the weight of the slope between `j` and `j + 1`, times the length
        of the whole formula to the power ``order - 1``.  A weight of exactly one is
        the integer 1.

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

    Against 50 digits, these weights have kept an error of some roundings for steps
    whose ratio is 1e12, where those of Lagrange and of Fornberg had lost all digits:
    among slopes, nearly nothing cancels.
    """
    first, last = offsets[0], offsets[-1]
    own = _of_differences(span, first, last, order)
    weights: dict[int, Any] = {}
    scaled: dict[tuple[int, int], Any] = {}
    for i, j in _intervals(first, last, 1):
        both = _difference(scaled.get((i - 1, j)), scaled.get((i, j + 1)))
        total = _sum(both, own.get((i, j)))
        if j == i + 1:
            weights[i] = total
        elif total is not None:
            ratio = 1 if j - i == last - first else span(first, last) / span(i, j)
            scaled[i, j] = _product(total, ratio)
    return weights


def _intervals(first: int, last: int, fewest: int) -> list[tuple[int, int]]:
    """Return both ends of all runs of points of some steps, the longest first."""
    lengths = range(last - first, fewest - 1, -1)
    return [(i, i + n) for n in lengths for i in range(first, last - n + 1)]


def _of_differences(
    span: Callable[[int, int], Any], first: int, last: int, order: int
) -> dict[tuple[int, int], Any]:
    """Return what the derivative has of divided differences by Neville's identity.

    Those are times the whole length to the power ``j - i - 1``.
    """
    before, after = [
        _Symmetric([span(k, 0) / span(first, last) for k in between])
        for between in (range(-1, first, -1), range(1, last))
    ]
    found: dict[tuple[int, int], Any] = {}
    for (i, j), share in _of_polynomials(span, first, last, order).items():
        left, right, degree = max(-i - 1, 0), max(j - 1, 0), j - i - order
        total: Any = None
        for k in range(max(degree - right, 0), min(degree, left) + 1):
            term = _product(before.sum(left, k), after.sum(right, degree - k))
            total = _sum(total, term)
        if total is not None:
            found[i, j] = _product(share, total)
    return found


def _of_polynomials(
    span: Callable[[int, int], Any], first: int, last: int, order: int
) -> dict[tuple[int, int], Any]:
    """Return what the derivative has of that of each polynomial, times `order`!."""
    found: dict[tuple[int, int], Any] = {(first, last): math.factorial(order)}
    for i, j in _intervals(first, last, order)[1:]:
        if i <= 0 <= j:
            left, right = found.get((i - 1, j)), found.get((i, j + 1))
            # At an end of its points, the centre has all of one part.
            if left is not None and j > 0:
                left = _product(left, span(i - 1, 0) / span(i - 1, j))
            if right is not None and i < 0:
                right = _product(right, span(0, j + 1) / span(i, j + 1))
            found[i, j] = _sum(left, right)
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
    if left is None or right is None:
        return left if right is None else right * -1
    return left - right
