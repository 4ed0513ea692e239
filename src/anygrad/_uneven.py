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
    agree at these points.  So the `m`-th derivative at the centre, for ``i < 0 < j``,
    is that of the two parts, with the same two ratios, which are positive and sum to
    one, and ``m! e(x[0] - x[k]) [i, ..., j]``, with `e` the elementary symmetric
    polynomial of degree ``j - i - m``.  What remains are the formulas to one side of
    the centre: Newton's form, differentiated in the same way.

    Against 50 digits, these weights have kept an error of some roundings for steps
    whose ratio is 1e12, where those of Lagrange and of Fornberg had lost all digits:
    among slopes, nearly nothing cancels.
    """
    return _Weights(span, offsets, order).derivative(offsets[0], offsets[-1])


class _Weights:
    """The tables of `slope_weights`.

    Methods, because functions that call each other keep arrays alive until Python looks
    for cycles.
    """

    def __init__(
        self, span: Callable[[int, int], Any], offsets: Sequence[int], order: int
    ) -> None:
        self.span = span
        self.order = order
        self.whole = offsets[0], offsets[-1]
        self.differences: dict[tuple[int, int], dict[int, Any]] = {}
        self.derivatives: dict[tuple[int, int], dict[int, Any]] = {}

    def divided(self, i: int, j: int) -> dict[int, Any]:
        """Return ``[i, ..., j]``, times the whole length to the power ``j - i - 1``."""
        if j == i + 1:
            return {i: 1}
        found = self.differences.get((i, j))
        if found is None:
            found = _sum(self.divided(i + 1, j), _scaled(self.divided(i, j - 1), -1))
            if (i, j) != self.whole:
                found = _scaled(found, self.span(*self.whole) / self.span(i, j))
            self.differences[i, j] = found
        return found

    def newton(self, nodes: Sequence[int], degree: int) -> dict[int, Any]:
        """Return the term of Newton's form of which `degree` factors remain."""
        inner = [k for k in nodes[1:-1] if k]
        lengths = [self.span(k, 0) / self.span(*self.whole) for k in inner]
        ends = min(nodes[0], nodes[-1]), max(nodes[0], nodes[-1])
        term = _scaled(self.divided(*ends), _symmetric(lengths, degree))
        return _scaled(term, math.factorial(self.order))

    def derivative(self, i: int, j: int) -> dict[int, Any]:
        """Return the weights in the derivative of the polynomial through these."""
        if j - i < self.order:
            return {}
        found = self.derivatives.get((i, j))
        if found is None:
            to_both_sides = i < 0 < j
            found = self.inside(i, j) if to_both_sides else self.outside(i, j)
            self.derivatives[i, j] = found
        return found

    def inside(self, i: int, j: int) -> dict[int, Any]:
        """Return them for points to both sides of the centre."""
        whole = self.span(i, j)
        total = _sum(
            _scaled(self.derivative(i + 1, j), self.span(i, 0) / whole),
            _scaled(self.derivative(i, j - 1), self.span(0, j) / whole),
        )
        if self.order == 1:  # the product has the factor zero
            return total
        return _sum(total, self.newton(range(i, j + 1), j - i - self.order))

    def outside(self, i: int, j: int) -> dict[int, Any]:
        """Return them for points to one side of the centre."""
        nodes = range(j + 1) if i == 0 else range(0, i - 1, -1)
        total: dict[int, Any] = {}
        for count in range(self.order + 1, len(nodes) + 1):
            total = _sum(total, self.newton(nodes[:count], count - 1 - self.order))
        return total


def _symmetric(numbers: Sequence[Any], degree: int) -> Any:
    """Return the elementary symmetric polynomial: the sum of all products of `degree`.

    That of degree 0 is the integer 1.
    """
    sums: list[Any] = [1] + [0] * degree
    for number in numbers:
        for k in range(degree, 0, -1):
            product = number if k == 1 else number * sums[k - 1]
            if not (isinstance(sums[k - 1], int) and sums[k - 1] == 0):
                untouched = isinstance(sums[k], int) and sums[k] == 0
                sums[k] = product if untouched else sums[k] + product
    return sums[degree]


def _scaled(terms: dict[int, Any], factor: Any) -> dict[int, Any]:
    # The integer 1 stands for "no weight": it costs no array operation.
    if _is_one(factor):
        return terms
    return {j: factor if _is_one(w) else w * factor for j, w in terms.items()}


def _is_one(weight: Any) -> bool:
    return isinstance(weight, int) and weight == 1


def _sum(left: dict[int, Any], right: dict[int, Any]) -> dict[int, Any]:
    common = {j: left[j] + right[j] for j in left if j in right}
    return {**left, **right, **common}
