"""Schemes: the formulas of a whole axis, from its first point to its last."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _boundaries, _formulas, _scales
from ._formulas import Formula
from ._scales import Scale

if TYPE_CHECKING:
    from ._precision import Precision

#: For axes that are shorter than a formula, it has so many points at most.
MOST_REPEATED = 128

#: So many schemes are remembered, the latest ones: where samples may be missing, dozens
#: for one derivative.
MOST_SCHEMES = 2048


class Recipe(NamedTuple):
    """What a scheme is made from."""

    #: Of the derivative in the interior, where its formula is central.
    order: int
    accuracy: int
    #: The accuracy of one-sided formulas at the edge itself.
    edge_order: int
    #: The boundary mode at either end.
    left: str
    right: str
    #: Whether the formulas are for coordinates.
    uneven: bool
    #: How many points the formula of the interior reads to the left and to the right;
    #: None is the central one.  With a reach, rows at an end without ghosts, where it
    #: would leave the axis, have no formula: other recipes do not leave it there.
    reach: tuple[int, int] | None = None
    #: How many points the axis has, where these are too few for an interior: then each
    #: has a formula of its own, with ghosts beyond both ends.
    length: int | None = None
    #: Whether what flows back to the samples is wanted (`_transposed.py`).
    is_transposed: bool = False


class Scheme:
    """The formulas of a whole axis, from its first point to its last."""

    def __init__(
        self, recipe: Recipe, formulas: tuple[Formula, ...], interior: int
    ) -> None:
        #: What it was made from: schemes of equal recipes are equal.
        self.recipe = recipe
        #: Of the derivative.
        self.order = recipe.order
        #: They fill the axis in order and without a gap: the left edge row by row, the
        #: interior, the right edge row by row.
        self.formulas = formulas
        #: Which of the `formulas` is the interior.
        self.interior = interior
        #: The fewest points along the axis for which all formulas fit.
        self.points = fewest_points(recipe)
        left, right = formulas[:interior], formulas[:interior:-1]
        #: Whether the formulas of one edge read samples at the other.
        self.wraps = any(_formulas.wraps(formula) for formula in (*left, *right))
        #: Those of the formulas, each once.
        self.denominators = tuple(sorted({f.denominator for f in formulas}))
        #: Which of these each formula has, and the first formula that has each.
        self.places = tuple([self.denominators.index(f.denominator) for f in formulas])
        count = len(self.denominators)
        self.firsts = tuple([self.places.index(place) for place in range(count)])
        #: One per formula, for a step of one.
        self.unit_scales = self.per_formula(
            [_scales.of_unit_step(d) for d in self.denominators]
        )

    def per_formula(self, scales: Sequence[Scale]) -> tuple[Scale, ...]:
        """Return the scale of each formula, from those of the denominators."""
        return tuple([scales[place] for place in self.places])

    def per_denominator(self, scales: Sequence[Scale]) -> list[Scale]:
        """Return the scales that those of all formulas are made of."""
        if type(scales) is StepScales:
            return scales.per_denominator()
        return list(map(scales.__getitem__, self.firsts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scheme) and self.recipe == other.recipe

    def __hash__(self) -> int:
        return hash(self.recipe)

    def __reduce__(self) -> Any:
        """Come back from a pickle as the one that is remembered."""
        return remembered, (self.recipe,)


class StepScales(Sequence[Scale]):
    """The scales of all formulas of a scheme for a step, made when they are asked for.

    Some executors need a number or two, and a call on a small array takes no longer
    than to make the others.

    They are those of its power of the order, whose multiples are normal numbers.
    """

    __slots__ = ("_all", "_digits", "_each", "_power", "_scheme")

    def __init__(self, scheme: Scheme, power: float, digits: int) -> None:
        self._power = power
        self._digits = digits
        self._scheme = scheme
        self._each: list[Scale] = []
        self._all: tuple[Scale, ...] = ()

    def per_denominator(self) -> list[Scale]:
        """Return those that all are made of."""
        if not self._each:
            divisors = [self._power * d for d in self._scheme.denominators]
            self._each = _scales.of_divisors(divisors, self._digits)
        return self._each

    def reciprocals(self) -> list[float]:
        """Return one over each divisor, one per denominator."""
        power, found = self._power, []
        for d in self._scheme.denominators:  # before 3.12, comprehensions are calls
            found.append(1.0 / (power * d))  # noqa: PERF401 - twice as slow
        return found

    def __getitem__(self, number: Any) -> Any:
        if not self._all:
            self._all = self._scheme.per_formula(self.per_denominator())
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


def candidates(central: Recipe) -> list[Recipe]:
    """Return the recipes of a derivative of which samples may be missing.

    Each run of valid samples has the rows of an array of its own.  Row `i` from an end
    of the run reads the first ``max(edge_order + m, 2 * i + 1)`` points from there, as
    in `_row`, and `edge_order` falls to what fits.  In this order, the first recipe all
    of whose samples are valid is the one of that row: where a run is long enough for
    one, any that reads on past the nearer end does not fit, and of a shorter run, the
    row in the middle is the central formula of a lower accuracy.
    """
    r = half_width(central.order, central.accuracy, central.uneven)
    found: dict[tuple[int, int], Recipe] = {(r, r): central}
    for e in range(central.edge_order, 0, -1):
        for depth in range(r - 1, -1, -1):
            onwards = max(e + central.order, 2 * depth + 1) - 1 - depth
            for reach in ((depth, onwards), (onwards, depth)):
                recipe = central._replace(edge_order=e, reach=reach)
                found.setdefault(reach, recipe)
    return list(found.values())


def farthest(central: Recipe) -> list[Recipe]:
    """Return the central recipe, and the candidates that read farthest."""
    onwards = central.edge_order + central.order - 1
    reaches = ((0, onwards), (onwards, 0))
    return [central, *[central._replace(reach=reach) for reach in reaches]]


class Margin(NamedTuple):
    """The ghosts among the samples, which the results do not have."""

    #: Along which they lie.
    axis: int
    #: How many there are at either end.
    left: int
    right: int


class Halo(NamedTuple):
    """What the rows inside of an axis need around them."""

    #: How many points they read to either side.
    left: int
    right: int
    #: How long an axis must be.
    points: int
    #: Whether the formulas of one end read samples at the other.
    is_ring: bool = False


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
    if recipe.reach or _boundaries.ONE_SIDED in (recipe.left, recipe.right):
        return max(recipe.edge_order + recipe.order, inside)
    return inside


def _reaches(recipe: Recipe) -> tuple[int, int]:
    """Return how many points the interior reads to the left, and to the right."""
    r = half_width(recipe.order, recipe.accuracy, recipe.uneven)
    return recipe.reach or (r, r)


def _is_backwards(recipe: Recipe) -> bool:
    """Tell whether rows are the mirror images of others, to the last bit."""
    before, after = recipe.reach or (0, 0)
    return before > after


def made(recipe: Recipe) -> Scheme:
    """Return the formulas of an axis."""
    if recipe.uneven and recipe.order % 2:  # else the formulas are the same
        recipe = recipe._replace(uneven=False)
    before, after = _reaches(recipe)
    reach = range(-before, after + 1)
    if recipe.length is not None:
        from . import _few_points

        return Scheme(recipe, _few_points.rows(recipe, reach), interior=0)
    inside = _formulas.formula_on(
        reach, recipe.order, start=before, stop=-after or None
    )
    if _is_backwards(recipe):
        inside = _formulas.backwards(inside)
    rows = [_row(row, reach, recipe) for row in range(before)]
    last_rows = [_row(-row - 1, reach, recipe) for row in reversed(range(after))]
    if recipe.reach and recipe.left == _boundaries.ONE_SIDED:
        rows = [_formulas.gap(inside, 0, before)][:before]
    if recipe.reach and recipe.right == _boundaries.ONE_SIDED:
        last_rows = [_formulas.gap(inside, -after, None)][:after]
    return Scheme(recipe, (*rows, inside, *last_rows), interior=len(rows))


@lru_cache(MOST_SCHEMES)
def remembered(recipe: Recipe) -> Scheme:
    """Return the same, made once; `torch.compile` cannot look at what is remembered."""
    return made(recipe)


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

    edge = -inwards * depth
    if rule is None:
        count = max(recipe.edge_order + order, 2 * depth + 1)
        offsets = sorted([edge + inwards * position for position in range(count)])
        formula = _formulas.formula_on(offsets, order, start=row, stop=stop)
        return _formulas.backwards(formula) if row < 0 else formula
    ghosts = {}
    outwards = reach[-1] if row < 0 else -reach[0]
    for beyond in range(1, outwards - depth + 1):
        ghosts[edge - inwards * beyond] = rule(beyond).from_row(edge, inwards)
    formula = _formulas.formula_on(
        reach, order, start=row, stop=stop, edge=edge, ghosts=ghosts
    )
    # As inside, to the last bit: on a ring, no row is at an edge.
    return _formulas.backwards(formula) if _is_backwards(recipe) else formula
