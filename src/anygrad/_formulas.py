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
from typing import Any, NamedTuple

from ._boundaries import End, Ghost
from ._scales import Scale


class Formula(NamedTuple):
    """One formula, and the points of the axis at which it holds.

    Without terms, it stands for points that have no formula.
    """

    #: The slice of points along the axis that the formula fills; a negative number
    #: counts from the end, as in any slice.
    start: int
    stop: int | None
    #: The points that the formula is made of, relative to the point that it fills; some
    #: may be ghosts.
    offsets: tuple[int, ...]
    #: Of the derivative.
    order: int
    #: Two offsets of samples and a weight: the formula is the sum over
    #: ``weight * (f[upper] - f[lower])``.  None is the weight one; a lower offset of
    #: None, the constant of the boundary, and an `End` that of one end.  Beyond the
    #: ends of the axis, an offset means what a negative index means: it counts from the
    #: other end.
    terms: tuple[tuple[int, Any, float | None], ...]
    #: On a uniform grid, what the sum is divided by, together with ``h**m``.
    denominator: int
    #: The sample at the edge, as offset, where there are ghosts.
    edge: int = 0
    #: Those among the `offsets`, with their positions turned into offsets.
    ghosts: tuple[tuple[int, Ghost], ...] = ()


class WeightedFormula(NamedTuple):
    """A formula with the weights and the scale of one grid."""

    #: Where it holds.
    formula: Formula
    #: As in the formula on a uniform grid; on coordinates, the weights are arrays of
    #: their shape, cut to the points that the formula fills.
    terms: tuple[tuple[int, Any, Any], ...]
    #: What the sum is scaled with.
    scale: Scale

    def with_weights(self, change: Callable[[Any], Any]) -> WeightedFormula:
        """Return the formula with its weights changed, those in its scale too."""
        formula, terms, scale = self
        changed = tuple([(upper, lower, change(w)) for upper, lower, w in terms])
        scale = Scale(tuple(map(change, scale.factors)), scale.divisors)
        return WeightedFormula(formula, changed, scale)


def weights(offsets: Sequence[int], order: int) -> tuple[list[int], int]:
    """Return integer weights and their common denominator for a unit step.

    The interpolating polynomial through the samples is the sum of `f[j] l_j(s)`
    with Lagrange's ``l_j(s) = prod((s - k) / (j - k) for k != j)``.  Its `order`-th
    derivative at `s = 0` is `m!` times the coefficient of `s**m`, and all of this is
    exact in integers.  (B. Fornberg, Math. Comp. 51, 1988, has the same weights by
    a recursion.)
    """
    product = [1]
    for k in offsets:
        product = _times_root(product, k)
    numerators, denominators = [], []
    for j in offsets:
        # The coefficient of ``s**order`` in the product divided by ``s - j``, by
        # Horner's scheme: Lagrange's product has all roots but `j`.
        coefficient = 0
        for higher in product[:order:-1]:
            coefficient = coefficient * j + higher
        numerators.append(math.factorial(order) * coefficient)
        denominators.append(math.prod([j - k for k in offsets if k != j]))
    common = math.lcm(*denominators)
    scaled = [a * (common // b) for a, b in zip(numerators, denominators, strict=True)]
    divisor = math.gcd(common, *scaled)
    return [w // divisor for w in scaled], common // divisor


def _times_root(polynomial: list[int], root: int) -> list[int]:
    """Return the coefficients, lowest first, of ``polynomial * (s - root)``."""
    raised = [0, *polynomial]
    lowered = [root * a for a in polynomial] + [0]
    return [a - b for a, b in zip(raised, lowered, strict=True)]


def formula_on(
    offsets: Sequence[int],
    order: int,
    *,
    start: int,
    stop: int | None,
    edge: int = 0,
    ghosts: dict[int, Ghost] | None = None,
) -> Formula:
    """Return the formula on `offsets` as a weighted sum of differences.

    An antisymmetric formula becomes differences across the centre, so that it never
    reads its centre: a NaN there stays there.  Any other becomes differences of
    neighbours, whose weights are the running sums of the weights from the far end.
    """
    w, denominator = weights(offsets, order)
    ghosts = ghosts or {}
    valued = {j for j, ghost in ghosts.items() if _is_value(ghost.sample)}
    across = not any(-j in valued for j in valued)  # of values alone nothing remains
    if across and _are_antisymmetric(offsets) and _are_antisymmetric(w):
        chosen = [(j, -j, a) for a, j in zip(w, offsets, strict=True) if j > 0]
    else:
        running = [sum(w[k:]) for k in range(1, len(w))]
        chosen = list(zip(offsets[1:], offsets[:-1], running, strict=True))
    terms = [
        (upper, lower, None if a == 1 else float(a))
        for upper, lower, a in on_samples(chosen, ghosts)
    ]
    return Formula(
        start,
        stop,
        tuple(offsets),
        order,
        tuple(terms),
        denominator,
        edge,
        tuple(ghosts.items()),
    )


def backwards(formula: Formula) -> Formula:
    """Return a formula for the right of something, whose terms are summed from there.

    Sums of neighbours run away from either edge, so that one is the mirror image of the
    other, to the last bit.
    """
    if all(not _is_value(b) and a == -b for a, b, _ in formula.terms):
        return formula
    return formula._replace(terms=formula.terms[::-1])


def gap(beside: Formula, start: int, stop: int | None) -> Formula:
    """Return what stands for points that have no formula in a scheme."""
    return beside._replace(start=start, stop=stop, offsets=(), terms=())


def on_samples(
    terms: Sequence[tuple[int, int, Any]], ghosts: dict[int, Ghost]
) -> list[tuple[int, Any, Any]]:
    """Put samples, or the constant, in the place of ghosts.

    The constant is always what is subtracted; of two of one end nothing remains.
    """
    found: list[tuple[int, Any, Any]] = []
    for upper, lower, weight in terms:
        above = ghosts[upper].sample if upper in ghosts else upper
        below = ghosts[lower].sample if lower in ghosts else lower
        if not _is_value(above):
            found.append((above, below, weight))
        elif not _is_value(below):
            found.append((below, above, -weight))
    return found


def _is_value(sample: Any) -> bool:
    """Tell whether a ghost has the constant of a boundary."""
    return sample is None or isinstance(sample, End)


def samples_read(formula: Formula, on_coordinates: bool) -> list[int]:
    """Return the offsets of the samples whose values a formula needs.

    On a step, these are the samples of its terms, and a central formula skips its own
    point.  On coordinates, every point has a weight.
    """
    if on_coordinates:
        ghosts = dict(formula.ghosts)
        found = {ghosts[j].sample if j in ghosts else j for j in formula.offsets}
    else:
        found = {offset for term in formula.terms for offset in term[:2]}
    return sorted(offset for offset in found if not _is_value(offset))


def _are_antisymmetric(numbers: Sequence[int]) -> bool:
    return all(a == -b for a, b in zip(numbers, reversed(numbers), strict=True))


def _positions(formula: Formula) -> list[int]:
    """Return where the samples of an edge's formula lie, counted from that edge."""
    inwards = 1 if formula.start >= 0 else -1
    depth = formula.start if formula.start >= 0 else -formula.start - 1
    return [
        depth + inwards * offset
        for pair in formula.terms
        for offset in pair[:2]
        if isinstance(offset, int)
    ]


def wraps(formula: Formula) -> bool:
    """Tell whether the formula of an edge reads samples at the other one."""
    return any(position < 0 for position in _positions(formula))
