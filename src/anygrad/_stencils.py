"""Finite difference formulas: pure arithmetic, no array library.

Notation, used in all rooms: `f` samples, `x` coordinates, `h` step, `n` points
along the axis, `m` order of the derivative, `p` accuracy of the interior.

A formula is kept as a weighted sum of *differences* of samples, not of samples.
The weights of a derivative sum to zero, so this is always possible, and it is
better: a difference of neighbours is exact or nearly so [1]_, a constant gives
exactly zero, and integers can be subtracted before they are rounded.

.. [1] P. H. Sterbenz, *Floating-Point Computation*, 1974, theorem 4.3.1:
   `a - b` is exact when `a / 2 <= b <= 2 * a`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple


class Stencil(NamedTuple):
    """One formula, and the points of the axis at which it holds.

    Attributes
    ----------
    start, stop : int or None
        The slice of points along the axis that the formula fills; a negative
        number counts from the end, as in any slice.
    offsets : tuple of int
        The points that the formula reads, relative to the point that it fills.
    terms : tuple of (int, int, float or None)
        Two offsets and a weight: the formula is the sum over
        ``weight * (f[upper] - f[lower])``.  None is the weight one.
    denominator : int
        On a uniform grid, what the sum is divided by, together with ``h**m``.
    """

    start: int
    stop: int | None
    offsets: tuple[int, ...]
    terms: tuple[tuple[int, int, float | None], ...]
    denominator: int


class Scale(NamedTuple):
    """What turns the weighted sum of a stencil into the derivative.

    Attributes
    ----------
    factor : float or None
        What the sum is multiplied with: the reciprocal of a power of two, so that this
        is as exact as the division, and faster.
    divisors : tuple
        What it is divided by otherwise, one number or 0-d array after the other.
    """

    factor: float | None
    divisors: tuple[Any, ...]


#: For weights that are complete in themselves.
UNSCALED = Scale(None, ())


class Formula(NamedTuple):
    """A stencil with the weights and the scale of one grid.

    Attributes
    ----------
    stencil : Stencil
        Where it holds.
    terms : tuple of (int, int, weight)
        As in the stencil on a uniform grid; on coordinates, the weights are arrays of
        their shape, cut to the points that the stencil fills.
    scale : Scale
        What the sum is scaled with.
    """

    stencil: Stencil
    terms: tuple[tuple[int, int, Any], ...]
    scale: Scale


class Scheme:
    """The formulas of a whole axis, from its first point to its last.

    There is one object per scheme, compared and hashed by identity: it is part of the
    key under which compiled programs are kept.

    Attributes
    ----------
    stencils : tuple of Stencil
        They fill the axis in order and without a gap: the left edge row by row,
        the interior, the right edge row by row.
    interior : int
        Which of the `stencils` is the interior.
    points : int
        The fewest points along the axis for which all formulas fit.
    mirrored : int or None
        The fewest points for which an edge and its mirror image can be written
        together; None where the terms of the right edge are not the mirrored ones.
    unit_formulas : tuple of Formula
        The stencils on a uniform grid of step one.
    """

    __slots__ = ("interior", "mirrored", "points", "stencils", "unit_formulas")

    def __init__(
        self,
        stencils: tuple[Stencil, ...],
        interior: int,
        points: int,
        mirrored: int | None,
    ) -> None:
        self.stencils = stencils
        self.interior = interior
        self.points = points
        self.mirrored = mirrored
        self.unit_formulas = tuple(
            Formula(s, s.terms, scale(float(s.denominator))) for s in stencils
        )

    def __reduce__(self) -> Any:
        """Come back from a pickle as the one object that this scheme is."""
        for key, scheme in SCHEMES.items():
            if scheme is self:
                return _scheme, (key,)
        return Scheme, (self.stencils, self.interior, self.points, self.mirrored)


def half_width(order: int, accuracy: int) -> int:
    """Return the `r` of the central formula on the points ``-r, ..., r``."""
    return (order + 1) // 2 + accuracy // 2 - 1


def weights(offsets: Sequence[int], order: int) -> tuple[list[int], int]:
    """Return integer weights and their common denominator for a unit step.

    The interpolating polynomial through the samples is the sum of `f[j] l_j(s)`
    with Lagrange's ``l_j(s) = prod((s - k) / (j - k) for k != j)``.  Its `order`-th
    derivative at `s = 0` is `m!` times the coefficient of `s**m`, and all of this is
    exact in integers.  (B. Fornberg, Math. Comp. 51, 1988, has the same weights by
    a recursion.)
    """
    numerators, denominators = [], []
    for j in offsets:
        polynomial, scale = [1], 1
        for k in offsets:
            if k != j:
                polynomial = _times_root(polynomial, k)
                scale *= j - k
        numerators.append(math.factorial(order) * polynomial[order])
        denominators.append(scale)
    common = math.lcm(*denominators)
    scaled = [a * (common // b) for a, b in zip(numerators, denominators, strict=True)]
    divisor = math.gcd(common, *scaled)
    return [w // divisor for w in scaled], common // divisor


def _times_root(polynomial: list[int], root: int) -> list[int]:
    """Return the coefficients, lowest first, of ``polynomial * (s - root)``."""
    raised = [0, *polynomial]
    lowered = [root * a for a in polynomial] + [0]
    return [a - b for a, b in zip(raised, lowered, strict=True)]


def stencil(
    start: int, stop: int | None, offsets: Sequence[int], order: int
) -> Stencil:
    """Return the formula on `offsets` as a weighted sum of differences.

    An antisymmetric formula becomes differences across the centre, so that it never
    reads its centre: a NaN there stays there.  Any other becomes differences of
    neighbours, whose weights are the running sums of the weights from the far end.
    """
    w, denominator = weights(offsets, order)
    if _antisymmetric(offsets) and _antisymmetric(w):
        chosen = [(a, (j, -j)) for a, j in zip(w, offsets, strict=True) if j > 0]
    else:
        running = list(accumulate(reversed(w)))[-2::-1]
        neighbours = zip(offsets[1:], offsets[:-1], strict=True)
        chosen = list(zip(running, neighbours, strict=True))
    return Stencil(
        start=start,
        stop=stop,
        offsets=tuple(offsets),
        terms=tuple(
            (upper, lower, None if a == 1 else float(a)) for a, (upper, lower) in chosen
        ),
        denominator=denominator,
    )


def _antisymmetric(numbers: Sequence[int]) -> bool:
    return all(a == -b for a, b in zip(numbers, reversed(numbers), strict=True))


def one_sided(order: int, accuracy: int, edge_order: int) -> Scheme:
    """Return the scheme that never reads beyond the ends of the axis.

    The interior is central.  Row `i < r` from an edge reads the first
    ``max(edge_order + m, 2 * i + 1)`` points: the edge itself is `edge_order`
    accurate, and no row is worse than the central formula that fits.
    """
    r = half_width(order, accuracy)
    left, right = [], []
    for i in range(r):
        reach = range(max(edge_order + order, 2 * i + 1))
        left.append(stencil(i, i + 1, [j - i for j in reach], order))
        mirrored = [i - j for j in reversed(reach)]
        right.append(stencil(-i - 1, -i or None, mirrored, order))
    interior = stencil(r, -r, range(-r, r + 1), order)
    return Scheme(
        stencils=(*left, interior, *reversed(right)),
        interior=r,
        points=max(edge_order + order, 2 * r),
        mirrored=_mirrored(left, right),
    )


def _mirrored(left: list[Stencil], right: list[Stencil]) -> int | None:
    """Return the fewest points for which the edges can be written in pairs.

    The mirror image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``.  A point
    and its partner at the other edge must be two, in this order.
    """
    points = 0
    for row, (one, other) in enumerate(zip(left, right, strict=True)):
        image = tuple((-lower, -upper, w) for upper, lower, w in reversed(one.terms))
        if other.terms != image:
            return None
        farthest = max(upper + lower for upper, lower, _ in one.terms)
        points = max(points, 2 * row + farthest + 2)
    return points


def scale(divisor: float) -> Scale:
    """Return the scale that divides by a number."""
    if divisor == 1.0:
        return UNSCALED
    if abs(math.frexp(divisor)[0]) == 0.5:
        return Scale(1 / divisor, ())
    return Scale(None, (divisor,))


def factors(step: Any, denominator: int) -> tuple[Any, ...]:
    """Return divisors whose product is ``step * denominator``, not multiplied."""
    return (step,) if denominator == 1 else (step, float(denominator))


def slope_weights(
    span: Callable[[int, int], Any], offsets: Sequence[int]
) -> dict[int, Any]:
    """Return the weights of the neighbours' slopes in a first derivative.

    The derivative at offset 0 of the polynomial through the points `offsets` is a
    weighted sum of the slopes ``(f[j+1] - f[j]) / (x[j+1] - x[j])``.  These weights
    are built from *ratios* of lengths only, so no product of steps can overflow or
    vanish, and they sum to one.

    Parameters
    ----------
    span : callable
        ``span(i, j)`` is ``x[j] - x[i]``: a number, a fraction or an array.
    offsets : sequence of int
        Consecutive, 0 among them.

    Returns
    -------
    dict
        From `j` to the weight of the slope between `j` and `j + 1`.  A weight of
        exactly one is the integer 1.

    Notes
    -----
    With `L(i, j)` the polynomial through the points `i` to `j`, Neville's identity
    (E. H. Neville, J. Indian Math. Soc. 20, 1934) is::

        L(i, j) = ((x - x[i]) L(i+1, j) + (x[j] - x) L(i, j-1)) / (x[j] - x[i])

    If `i < 0 < j`, both parts agree at the centre, and so their derivatives combine
    with the same two ratios, which are positive and sum to one.  What remains are
    the formulas to one side of the centre, which come from Newton's form.
    """
    first, last = offsets[0], offsets[-1]
    if last == 0:
        return _one_sided_slopes(span, range(0, first - 1, -1))
    if first == 0:
        return _one_sided_slopes(span, range(last + 1))
    whole = span(first, last)
    without_first = slope_weights(span, offsets[1:])
    without_last = slope_weights(span, offsets[:-1])
    return _sum(
        _scaled(without_first, span(first, 0) / whole),
        _scaled(without_last, span(0, last) / whole),
    )


def _one_sided_slopes(
    span: Callable[[int, int], Any], nodes: Sequence[int]
) -> dict[int, Any]:
    """Return the slopes' weights for nodes that begin at the centre and walk away.

    Newton's form of the polynomial, differentiated at its first node `c`, is the sum
    over `q` of ``[c, ..., n_q] * prod(x[c] - x[n_k] for 0 < k < q)``, with the divided
    differences in brackets.  Level `q` of the table below holds every divided
    difference over `q + 1` neighbours, already times that product: one ratio of
    lengths per level.
    """
    count = len(nodes) - 1
    level: list[dict[int, Any]] = [{min(nodes[q : q + 2]): 1} for q in range(count)]
    total = level[0]
    for q in range(2, count + 1):
        length = span(nodes[q - 1], nodes[0])
        level = [
            _scaled(
                _sum(level[a + 1], _scaled(level[a], -1)),
                length / span(nodes[a], nodes[a + q]),
            )
            for a in range(count + 1 - q)
        ]
        total = _sum(total, level[0])
    return total


def _scaled(terms: dict[int, Any], factor: Any) -> dict[int, Any]:
    # The integer 1 stands for "no weight": it costs no array operation.
    return {j: factor if _is_one(w) else w * factor for j, w in terms.items()}


def _is_one(weight: Any) -> bool:
    return isinstance(weight, int) and weight == 1


def _sum(left: dict[int, Any], right: dict[int, Any]) -> dict[int, Any]:
    common = {j: left[j] + right[j] for j in left if j in right}
    return {**left, **right, **common}


#: Every scheme that the public functions can ask for, made once: a plain dictionary,
#: because that is what `torch.compile` can trace through.
SCHEMES = {edge_order: one_sided(1, 2, edge_order) for edge_order in (1, 2)}


def _scheme(edge_order: int) -> Scheme:
    return SCHEMES[edge_order]
