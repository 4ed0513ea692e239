"""Schemes: the formulas of a whole axis, from its first point to its last."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _boundaries, _formulas, _scales
from ._boundaries import Ghost
from ._formulas import Formula, WeightedFormula
from ._scales import Scale

if TYPE_CHECKING:
    from ._precision import Precision

#: Where the interior formula of a scheme reads: to both sides of its point, or to one.
CENTRAL, FORWARD, BACKWARD = SIDES = ("central", "forward", "backward")

#: So many schemes are remembered, the latest ones.
MOST_SCHEMES = 256


class Recipe(NamedTuple):
    """What a scheme is made from.

    Attributes
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
        `edge_order`.  Its rows at an end without ghosts, where it
        would leave the axis, have the formulas of the central scheme.
    length : int or None
        How many points the axis has, where these are too few for an interior: then
        each has a formula of its own, with ghosts beyond both ends.
    """

    order: int
    accuracy: int
    edge_order: int
    left: str
    right: str
    uneven: bool
    side: str = CENTRAL
    length: int | None = None


class Scheme:
    """The formulas of a whole axis, from its first point to its last.

    Attributes
    ----------
    recipe : Recipe
        What it was made from: schemes of equal recipes are equal.
    order : int
        Of the derivative.
    formulas : tuple of Formula
        They fill the axis in order and without a gap: the left edge row by row,
        the interior, the right edge row by row.
    interior : int
        Which of the `formulas` is the interior.
    points : int
        The fewest points along the axis for which all formulas fit.
    mirrored : int or None
        The fewest points for which an edge and its mirror image can be written
        together; None where the terms of the right edge are not the mirrored ones.
    wraps : bool
        Whether the formulas of one edge read samples at the other.
    denominators : tuple of int
        Those of the formulas, each once.
    places, firsts : tuple of int
        Which of these each formula has, and the first formula that has each.
    unit_scales : tuple of Scale
        One per formula, for a step of one.
    unscaled : tuple of WeightedFormula
        The formulas on equal steps, whose scales come with a call.
    """

    __slots__ = (
        "_per_formula",
        "denominators",
        "firsts",
        "formulas",
        "interior",
        "mirrored",
        "order",
        "places",
        "points",
        "recipe",
        "unit_scales",
        "unscaled",
        "wraps",
    )

    def __init__(
        self, recipe: Recipe, formulas: tuple[Formula, ...], interior: int
    ) -> None:
        self.recipe = recipe
        self.order = recipe.order
        self.formulas = formulas
        self.interior = interior
        self.points = fewest_points(recipe)
        left, right = formulas[:interior], formulas[:interior:-1]
        self.wraps = any(_wraps(formula) for formula in (*left, *right))
        self.mirrored = None if len(left) != len(right) else _mirrored(left, right)
        self.denominators = tuple(sorted({f.denominator for f in formulas}))
        self.places = tuple([self.denominators.index(f.denominator) for f in formulas])
        count = len(self.denominators)
        self.firsts = tuple([self.places.index(place) for place in range(count)])
        # Of one place, an item getter returns no tuple.
        is_one = len(self.places) == 1
        self._per_formula: Any = tuple if is_one else itemgetter(*self.places)
        self.unit_scales = self.per_formula(
            [_scales.of_unit_step(d) for d in self.denominators]
        )
        self.unscaled = tuple([WeightedFormula(f, f.terms, None) for f in formulas])

    def per_formula(self, scales: Sequence[Scale]) -> tuple[Scale, ...]:
        """Return the scale of each formula, from those of the denominators."""
        found: tuple[Scale, ...] = self._per_formula(scales)
        return found

    def per_denominator(self, scales: Sequence[Scale]) -> list[Scale]:
        """Return the scales that those of all formulas are made of."""
        return list(map(scales.__getitem__, self.firsts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scheme) and self.recipe == other.recipe

    def __hash__(self) -> int:
        return hash(self.recipe)

    def __reduce__(self) -> Any:
        """Come back from a pickle as the one that is remembered."""
        return recalled, (self.recipe,)


class StepScales(Sequence[Scale]):
    """The scales of all formulas of a scheme for a step, made when they are asked for.

    Some executors need a number or two, and a call on a small array takes no longer
    than to make the others.

    Attributes
    ----------
    power : float
        The step to the power of the order; times any denominator, it is a normal
        number.
    """

    __slots__ = ("_all", "_digits", "_latest", "_scheme", "power")

    def __init__(self, scheme: Scheme, power: float, digits: int) -> None:
        self.power = power
        self._digits = digits
        self._scheme = scheme
        self._all: tuple[Scale, ...] = ()
        self._latest: tuple[int, float | None] = (0, None)

    def factor(self, denominator: int) -> float | None:
        """Return what a sum is multiplied with; None where it is divided."""
        asked, factor = self._latest
        if asked != denominator:  # other dims of the same step ask for the same
            factor = _scales.reciprocal(self.power * denominator, self._digits)
            self._latest = denominator, factor
        return factor

    def reciprocals(self) -> list[float]:
        """Return one over each divisor, one per denominator."""
        power, found = self.power, []
        for d in self._scheme.denominators:  # before 3.12, comprehensions are calls
            found.append(1.0 / (power * d))  # noqa: PERF401 - twice as slow
        return found

    def __getitem__(self, number: Any) -> Any:
        if not self._all:
            divisors = [self.power * d for d in self._scheme.denominators]
            found = _scales.of_divisors(divisors, self._digits)
            self._all = self._scheme.per_formula(found)
        return self._all[number]

    def __len__(self) -> int:
        return len(self._scheme.formulas)

    def __repr__(self) -> str:
        return f"{tuple(self)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def step_scales(scheme: Scheme, step: float, precision: Precision) -> StepScales | None:
    """Return the scales for a step; None where some divisor is no normal number."""
    power = _scales.usual_power(step, scheme.order, scheme.denominators, precision)
    return None if power is None else StepScales(scheme, power, precision.digits)


def half_width(order: int, accuracy: int, uneven: bool) -> int:
    """Return the `r` of the central formula on the points ``-r, ..., r``.

    On equal steps, the formula for an even derivative gains an order of accuracy by
    its symmetry.  On uneven ones it does not, and needs a point more at either side.
    """
    more = uneven and order % 2 == 0
    return (order + 1) // 2 + accuracy // 2 - 1 + more


def recipes(
    orders: tuple[int, int, int], left: str, right: str, *, uneven: bool, masked: bool
) -> list[Recipe]:
    """Return those of a derivative: more than one where samples may be missing."""
    sides = SIDES if masked else (CENTRAL,)
    return [Recipe(*orders, left, right, uneven, side) for side in sides]


class Margin(NamedTuple):
    """The ghosts among the samples, which the results do not have.

    Attributes
    ----------
    axis : int
        Along which they lie.
    left, right : int
        How many there are at either end.
    """

    axis: int
    left: int
    right: int


class Halo(NamedTuple):
    """What the rows inside of an axis need around them.

    Attributes
    ----------
    left, right : int
        How many points they read to either side.
    points : int
        How long an axis must be.
    """

    left: int
    right: int
    points: int


def halo(recipes: Sequence[Recipe]) -> Halo:
    """Return what the rows inside need, whichever of the recipes they follow."""
    reaches = [_reaches(recipe) for recipe in recipes]
    return Halo(
        max([left for left, _ in reaches]),
        max([right for _, right in reaches]),
        max([fewest_points(recipe) for recipe in recipes]),
    )


def fewest_points(recipe: Recipe) -> int:
    """Return how long an axis must be, before any formula is made."""
    if recipe.length is not None:
        return recipe.length
    before, after = _reaches(recipe)
    inside = before + after
    ghosts = (recipe.left, recipe.right).count(_boundaries.GHOSTS)
    if ghosts:  # and one point that is none
        inside = max(inside, ghosts * max(before, after) + 1)
    if recipe.side != CENTRAL or _boundaries.ONE_SIDED in (recipe.left, recipe.right):
        return max(recipe.edge_order + recipe.order, inside)
    return inside


def _reaches(recipe: Recipe) -> tuple[int, int]:
    """Return how many points the interior reads to the left, and to the right."""
    if recipe.side == CENTRAL:
        r = half_width(recipe.order, recipe.accuracy, recipe.uneven)
        return r, r
    farthest = recipe.edge_order + recipe.order - 1
    return (0, farthest) if recipe.side == FORWARD else (farthest, 0)


def made(recipe: Recipe) -> Scheme:
    """Return the formulas of an axis."""
    if recipe.uneven and recipe.order % 2:  # else the formulas are the same
        recipe = recipe._replace(uneven=False)
    before, after = _reaches(recipe)
    reach = range(-before, after + 1)
    if recipe.length is not None:
        from . import _few_points

        return Scheme(recipe, _few_points.rows(recipe, reach), interior=0)
    rows = [_row(row, reach, recipe) for row in range(before)]
    last_rows = [_row(-row - 1, reach, recipe) for row in reversed(range(after))]
    inside = _formulas.formula_on(
        reach, recipe.order, start=before, stop=-after or None
    )
    return Scheme(recipe, (*rows, inside, *last_rows), interior=before)


#: The same, but made once only; `torch.compile` cannot look at what is remembered.
remembered = lru_cache(MOST_SCHEMES)(made)


def recalled(recipe: Recipe) -> Scheme:
    """Return the formulas that are remembered; a pickle can name this function."""
    return remembered(recipe)


def _row(row: int, reach: range, recipe: Recipe) -> Formula:
    """Return the formula of a row at an edge; negative rows count from the right.

    With ghosts it is that of the interior, on the offsets `reach`.  Without, row `i`
    from an edge reads the first ``max(edge_order + m, 2 * i + 1)`` points: the edge
    itself is `edge_order` accurate, and no row is worse than the central formula that
    fits.
    """
    order, stop = recipe.order, row + 1 or None
    inwards = 1 if row >= 0 else -1
    depth = row if row >= 0 else -row - 1
    rule = _boundaries.rule(recipe.left if row >= 0 else recipe.right)

    def offset(position: int) -> int:
        return inwards * (position - depth)

    if rule is None:
        r = half_width(order, recipe.accuracy, recipe.uneven)
        count = max(recipe.edge_order + order, 2 * depth + 1)
        if depth >= r:  # no edge of the central scheme
            depth, count = r, 2 * r + 1
        offsets = sorted([offset(position) for position in range(count)])
        formula = _formulas.formula_on(offsets, order, start=row, stop=stop)
        if row < 0 and any(upper != -lower for upper, lower, _ in formula.terms):
            # Sums of neighbours run away from either edge, so that one is the mirror
            # image of the other, to the last bit.
            formula = formula._replace(terms=formula.terms[::-1])
        return formula
    ghosts = {}
    outwards = reach[-1] if row < 0 else -reach[0]
    for beyond in range(1, outwards - depth + 1):
        ghost = rule(beyond)
        ghosts[offset(-beyond)] = Ghost(
            None if ghost.sample is None else offset(ghost.sample),
            tuple([(offset(a), offset(b)) for a, b in ghost.chords if a != b]),
            -inwards * ghost.turns,
        )
    return _formulas.formula_on(
        reach, order, start=row, stop=stop, edge=offset(0), ghosts=ghosts
    )


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


def _wraps(formula: Formula) -> bool:
    return any(position < 0 for position in _positions(formula))


def _mirrored(left: Sequence[Formula], right: Sequence[Formula]) -> int | None:
    """Return the fewest points for which the edges can be written in pairs.

    The mirror image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``.  A point
    and its partner at the other edge must be two, in this order.
    """
    points = 0
    for row, (one, other) in enumerate(zip(left, right, strict=True)):
        if any(lower is None for _, lower, _ in one.terms) or _wraps(one):
            return None
        image = tuple([(-lower, -upper, w) for upper, lower, w in one.terms])
        if (other.terms, other.denominator) != (image, one.denominator):
            return None
        sums = [upper + lower for upper, lower, _ in one.terms]
        points = max([points, 2 * row + max([0, *sums]) + 2])
    return points
