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

from . import _boundaries
from ._boundaries import Ghost


class Stencil(NamedTuple):
    """One formula, and the points of the axis at which it holds.

    Attributes
    ----------
    start, stop : int or None
        The slice of points along the axis that the formula fills; a negative
        number counts from the end, as in any slice.
    offsets : tuple of int
        The points that the formula is made of, relative to the point that it fills;
        some may be ghosts.
    order : int
        Of the derivative.
    terms : tuple of (int, int or None, float or None)
        Two offsets of samples and a weight: the formula is the sum over
        ``weight * (f[upper] - f[lower])``.  None is the weight one; a lower offset of
        None, the constant of the boundary.  Beyond the ends of the axis, an offset
        means what a negative index means: it counts from the other end.
    denominator : int
        On a uniform grid, what the sum is divided by, together with ``h**m``.
    edge : int
        The sample at the edge, as offset, where there are ghosts.
    ghosts : tuple of (int, Ghost)
        Those among the `offsets`, with their positions turned into offsets.
    """

    start: int
    stop: int | None
    offsets: tuple[int, ...]
    order: int
    terms: tuple[tuple[int, Any, float | None], ...]
    denominator: int
    edge: int = 0
    ghosts: tuple[tuple[int, Ghost], ...] = ()


class Scale(NamedTuple):
    """What turns the weighted sum of a stencil into the derivative.

    Attributes
    ----------
    factors : tuple
        What the sum is multiplied with, one after the other: a reciprocal where this
        is as good as the division, and faster; on coordinates, the reciprocal of the
        length of the stencil, so that no product of steps arises.
    divisors : tuple
        What it is divided by then, one number or 0-d array after the other.
    """

    factors: tuple[Any, ...]
    divisors: tuple[Any, ...]


#: No floating dtype has more binary digits: what is exact with so many is in all.
MOST_DIGITS = 113

#: For weights that are complete in themselves.
UNSCALED = Scale((), ())

#: Where the interior formula of a scheme reads: to both sides of its point, or to one.
CENTRAL, FORWARD, BACKWARD = SIDES = ("central", "forward", "backward")


class Formula(NamedTuple):
    """A stencil with the weights and the scale of one grid.

    Attributes
    ----------
    stencil : Stencil
        Where it holds.
    terms : tuple of (int, int or None, weight)
        As in the stencil on a uniform grid; on coordinates, the weights are arrays of
        their shape, cut to the points that the stencil fills.
    scale : Scale
        What the sum is scaled with.
    """

    stencil: Stencil
    terms: tuple[tuple[int, Any, Any], ...]
    scale: Scale

    def with_weights(self, change: Callable[[Any], Any]) -> Formula:
        """Return the formula with its weights changed, those in its scale too."""
        stencil, terms, (factors, divisors) = self
        changed = tuple((upper, lower, change(w)) for upper, lower, w in terms)
        return Formula(stencil, changed, Scale(tuple(map(change, factors)), divisors))


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
    key : tuple or None
        The arguments of `scheme` that it was made from.
    unit_formulas : tuple of Formula
        The stencils on a uniform grid of step one.
    wraps : bool
        Whether the formulas of one edge read samples at the other.
    """

    __slots__ = (
        "interior",
        "key",
        "mirrored",
        "points",
        "stencils",
        "unit_formulas",
        "wraps",
    )

    def __init__(
        self,
        stencils: tuple[Stencil, ...],
        interior: int,
        points: int,
        key: Any = None,
    ) -> None:
        self.stencils = stencils
        self.interior = interior
        self.points = points
        self.key = key
        left, right = stencils[:interior], stencils[:interior:-1]
        self.wraps = any(_wraps(stencil) for stencil in (*left, *right))
        self.mirrored = None if len(left) != len(right) else _mirrored(left, right)
        self.unit_formulas = tuple(
            Formula(s, s.terms, scale(float(s.denominator), MOST_DIGITS))
            for s in stencils
        )

    def __reduce__(self) -> Any:
        """Come back from a pickle as the one object that this scheme is."""
        if self.key is not None:
            return scheme, self.key
        return Scheme, (self.stencils, self.interior, self.points)


def half_width(order: int, accuracy: int, uneven: bool) -> int:
    """Return the `r` of the central formula on the points ``-r, ..., r``.

    On equal steps, the formula for an even derivative gains an order of accuracy by
    its symmetry.  On uneven ones it does not, and needs a point more at either side.
    """
    more = uneven and order % 2 == 0
    return (order + 1) // 2 + accuracy // 2 - 1 + more


def fewest_points(
    order: int,
    accuracy: int,
    edge_order: int,
    left: str,
    right: str,
    uneven: bool,
    side: str,
) -> int:
    """Return how long an axis must be, before any formula is made."""
    inside = sum(_reaches(order, accuracy, edge_order, uneven, side))
    if side != CENTRAL or _boundaries.ONE_SIDED in (left, right):
        return max(edge_order + order, inside)
    return inside


def _reaches(
    order: int, accuracy: int, edge_order: int, uneven: bool, side: str
) -> tuple[int, int]:
    """Return how many points the interior reads to the left, and to the right."""
    if side == CENTRAL:
        r = half_width(order, accuracy, uneven)
        return r, r
    farthest = edge_order + order - 1
    return (0, farthest) if side == FORWARD else (farthest, 0)


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
    start: int,
    stop: int | None,
    offsets: Sequence[int],
    order: int,
    edge: int = 0,
    ghosts: dict[int, Ghost] | None = None,
) -> Stencil:
    """Return the formula on `offsets` as a weighted sum of differences.

    An antisymmetric formula becomes differences across the centre, so that it never
    reads its centre: a NaN there stays there.  Any other becomes differences of
    neighbours, whose weights are the running sums of the weights from the far end.
    """
    w, denominator = weights(offsets, order)
    if _antisymmetric(offsets) and _antisymmetric(w):
        chosen = [(j, -j, a) for a, j in zip(w, offsets, strict=True) if j > 0]
    else:
        running = list(accumulate(reversed(w)))[-2::-1]
        chosen = list(zip(offsets[1:], offsets[:-1], running, strict=True))
    ghosts = ghosts or {}
    return Stencil(
        start=start,
        stop=stop,
        offsets=tuple(offsets),
        order=order,
        terms=tuple(
            (upper, lower, None if a == 1 else float(a))
            for upper, lower, a in on_samples(chosen, ghosts)
        ),
        denominator=denominator,
        edge=edge,
        ghosts=tuple(ghosts.items()),
    )


def on_samples(
    terms: Sequence[tuple[int, int, Any]], ghosts: dict[int, Ghost]
) -> list[tuple[int, Any, Any]]:
    """Put samples, or the constant, in the place of ghosts.

    The constant is always what is subtracted; of two constants nothing remains.
    """
    found: list[tuple[int, Any, Any]] = []
    for upper, lower, weight in terms:
        above = ghosts[upper].sample if upper in ghosts else upper
        below = ghosts[lower].sample if lower in ghosts else lower
        if above is not None:
            found.append((above, below, weight))
        elif below is not None:
            found.append((below, None, -weight))
    return found


def named(stencil: Stencil, on_coordinates: bool) -> list[int]:
    """Return the offsets of the samples that a formula names: it needs their values.

    On a step, these are the samples of its terms, and a central formula skips its own
    point.  On coordinates, every point has a weight.
    """
    if on_coordinates:
        ghosts = dict(stencil.ghosts)
        found = {ghosts[j].sample if j in ghosts else j for j in stencil.offsets}
    else:
        found = {offset for term in stencil.terms for offset in term[:2]}
    return sorted(offset for offset in found if offset is not None)  # no constant


def _antisymmetric(numbers: Sequence[int]) -> bool:
    return all(a == -b for a, b in zip(numbers, reversed(numbers), strict=True))


#: Every scheme that has been asked for.  A plain dictionary, because that is what
#: `torch.compile` can trace through.
_schemes: dict[Any, Scheme] = {}

#: When there are so many schemes, all are forgotten: a bound on memory.
MOST_SCHEMES = 512


def scheme(
    order: int,
    accuracy: int,
    edge_order: int,
    left: str,
    right: str,
    uneven: bool,
    side: str = CENTRAL,
) -> Scheme:
    """Return the formulas of an axis; one object for the same arguments.

    Parameters
    ----------
    order, accuracy : int
        Of the derivative in the interior, where its formula is central.
    edge_order : int
        The accuracy of one-sided formulas at the edge itself.
    left, right : str
        The boundary mode at either end.
    uneven : bool
        Whether the formulas are for coordinates.
    side : str
        Where the formula of the interior reads.  To one side, its accuracy is
        `edge_order`, which is 1 or 2.  Its rows at an end without ghosts, where it
        would leave the axis, have the formulas of the central scheme.
    """
    uneven = uneven and order % 2 == 0  # else the formulas are the same
    key = (order, accuracy, edge_order, left, right, uneven, side)
    known = _schemes.get(key)
    if known is None:
        if len(_schemes) >= MOST_SCHEMES:
            _schemes.clear()
        known = _schemes[key] = _scheme(*key)
    return known


def _scheme(
    order: int,
    accuracy: int,
    edge_order: int,
    left: str,
    right: str,
    uneven: bool,
    side: str,
) -> Scheme:
    before, after = _reaches(order, accuracy, edge_order, uneven, side)
    reach = range(-before, after + 1)
    rows = [_row(i, order, reach, edge_order, left) for i in range(before)]
    last_rows = [_row(-i - 1, order, reach, edge_order, right) for i in range(after)]
    return Scheme(
        stencils=(
            *rows,
            stencil(before, -after or None, reach, order),
            *reversed(last_rows),
        ),
        interior=before,
        points=fewest_points(order, accuracy, edge_order, left, right, uneven, side),
        key=(order, accuracy, edge_order, left, right, uneven, side),
    )


def _row(row: int, order: int, reach: range, edge_order: int, mode: str) -> Stencil:
    """Return the formula of a row at an edge; negative rows count from the right.

    With ghosts it is that of the interior, on the offsets `reach`.  Without, row `i`
    from an edge reads the first ``max(edge_order + m, 2 * i + 1)`` points: the edge
    itself is `edge_order` accurate, and no row is worse than the central formula that
    fits.
    """
    inwards = 1 if row >= 0 else -1
    depth = row if row >= 0 else -row - 1
    rule = _boundaries.rule(mode)

    def offset(position: int) -> int:
        return inwards * (position - depth)

    if rule is None:
        positions = range(max(edge_order + order, 2 * depth + 1))
        offsets = sorted(offset(position) for position in positions)
        return stencil(row, row + 1 or None, offsets, order)
    ghosts = {}
    outwards = reach[-1] if row < 0 else -reach[0]
    for beyond in range(1, outwards - depth + 1):
        ghost = rule(beyond)
        ghosts[offset(-beyond)] = Ghost(
            None if ghost.sample is None else offset(ghost.sample),
            tuple((offset(a), offset(b)) for a, b in ghost.chords if a != b),
            -inwards * ghost.turns,
        )
    return stencil(row, row + 1 or None, reach, order, edge=offset(0), ghosts=ghosts)


def _positions(stencil: Stencil) -> list[int]:
    """Return where the samples of an edge's formula lie, counted from that edge."""
    inwards = 1 if stencil.start >= 0 else -1
    depth = stencil.start if stencil.start >= 0 else -stencil.start - 1
    return [
        depth + inwards * offset
        for pair in stencil.terms
        for offset in pair[:2]
        if offset is not None
    ]


def _wraps(stencil: Stencil) -> bool:
    return min(_positions(stencil), default=0) < 0


def _mirrored(left: Sequence[Stencil], right: Sequence[Stencil]) -> int | None:
    """Return the fewest points for which the edges can be written in pairs.

    The mirror image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``.  A point
    and its partner at the other edge must be two, in this order.
    """
    points = 0
    for row, (one, other) in enumerate(zip(left, right, strict=True)):
        if any(lower is None for _, lower, _ in one.terms) or _wraps(one):
            return None
        image = tuple((-lower, -upper, w) for upper, lower, w in reversed(one.terms))
        if (other.terms, other.denominator) != (image, one.denominator):
            return None
        farthest = max((upper + lower for upper, lower, _ in one.terms), default=0)
        points = max(points, 2 * row + farthest + 2)
    return points


def scale(divisor: float, digits: int) -> Scale:
    """Return the scale that divides by a number, in a dtype of so many binary digits.

    A division takes the time of three multiplications.  With `r` the reciprocal of `d`
    as the dtype has it, multiplying is safe where ``|r * d - 1| <= 2**-(digits + 1)``:
    a quotient `q` that is exact stays so, because ``q * d * r`` is less than half a
    unit in the last place away from it; others are off by one unit at most.  This
    holds for two numbers in three, all powers of two among them.
    """
    if divisor == 1.0:
        return UNSCALED
    d = _rounded(divisor, digits)
    r = _rounded(1.0 / d, digits)
    (a, b), (c, e) = d.as_integer_ratio(), r.as_integer_ratio()
    is_safe = abs(a * c - b * e) << (digits + 1) <= b * e
    return Scale((r,), ()) if is_safe else Scale((), (divisor,))


def _rounded(number: float, digits: int) -> float:
    """Round to so many binary digits, half to even."""
    mantissa, exponent = math.frexp(number)
    return math.ldexp(round(math.ldexp(mantissa, digits)), exponent - digits)


def factors(step: Any, stencil: Stencil) -> tuple[Any, ...]:
    """Return divisors whose product is ``step**m * denominator``, not multiplied."""
    powers = (step,) * stencil.order
    return powers if stencil.denominator == 1 else (*powers, float(stencil.denominator))


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
        of the whole stencil to the power ``order - 1``.  A weight of exactly one is
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


# The schemes of `torch.gradient`, so that `torch.compile` finds them made.
for _edge_order in (1, 2):
    scheme(1, 2, _edge_order, _boundaries.ONE_SIDED, _boundaries.ONE_SIDED, False)
