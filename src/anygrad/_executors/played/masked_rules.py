"""Which formula a point gets that has missing samples beside it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ... import _formulas
from ..._boundaries import ONE_SIDED
from ..._schemes import Scheme

if TYPE_CHECKING:
    from ..._formulas import Formula


#: Which samples beside a point a formula reads: runs of them, each by how far away the
#: first one is and by how many there are.
Reads: TypeAlias = tuple[tuple[int, int], ...]


class Rules(NamedTuple):
    """Which formula fits where, for the schemes of a task."""

    #: Of the formula that fits at most points inside.
    first: Reads
    #: Of those that are tried in its place, in this order.
    others: tuple[Reads, ...]
    #: Of those within which no other reads: where any fits, one of these does.
    least: tuple[Reads, ...]
    #: Of the first scheme, in the rows near one-sided ends.
    edges: tuple[tuple[int, Reads], ...]
    #: The others in a row that are one formula but for its place: the number of
    #: each, and how far to the right of a point it stands.
    groups: tuple[tuple[tuple[int, int], ...], ...]
    #: Of each of the others, the scheme of which the interior fills one point of a
    #: few, and from where to where it reads them.
    near: tuple[tuple[Scheme, tuple[int, int]], ...]
    #: Whether there are ghosts at the left end, and at the right one.
    ghosts: tuple[bool, bool]
    #: How far any reads to either side.
    margin: int


@lru_cache(64)
def rules_of(schemes: tuple[Scheme, ...], on_coordinates: bool) -> Rules:
    """Return which formula fits where."""

    def reads(formula: Formula) -> list[int]:
        return _formulas.samples_read(formula, on_coordinates)

    inside = [one.formulas[one.interior] for one in schemes]
    first, *others = map(reads, inside)
    groups: list[list[tuple[int, int]]] = []
    latest: Any = None
    for number, formula in enumerate(inside[1:]):
        pattern, start = _pattern(formula, on_coordinates)
        if pattern != latest:
            groups.append([])
            origin, latest = start, pattern
        groups[-1].append((number, start - origin))
    recipe = schemes[0].recipe
    ghosts = recipe.left != ONE_SIDED, recipe.right != ONE_SIDED
    edges = [
        (formula.start, _runs(reads(formula)))
        for number, formula in enumerate(schemes[0].formulas)
        if number != schemes[0].interior and not ghosts[formula.start < 0]
    ]
    return Rules(
        _runs(first),
        tuple(map(_runs, others)),
        tuple([_runs(a) for a in others if not any(set(b) < set(a) for b in others)]),
        tuple(edges),
        tuple(map(tuple, groups)),
        tuple(map(_near, schemes[1:])),
        ghosts,
        max(map(abs, sum(others, first))),
    )


def _near(scheme: Scheme) -> tuple[Scheme, tuple[int, int]]:
    formulas, number = list(scheme.formulas), scheme.interior
    first, last = formulas[number].offsets[0], formulas[number].offsets[-1]
    formulas[number] = formulas[number]._replace(start=-first, stop=1 - first)
    return Scheme(scheme.recipe, tuple(formulas), number), (first, last + 1)


def _runs(offsets: list[int]) -> Reads:
    starts = [k for k in offsets if k - 1 not in offsets]
    stops = [k + 1 for k in offsets if k + 1 not in offsets]
    return tuple([(a, b - a) for a, b in zip(starts, stops, strict=True)])


def _pattern(formula: Formula, on_coordinates: bool) -> tuple[Any, int]:
    """Return a formula but for its place, and the first point that it reads."""
    if on_coordinates:
        offsets, order = formula.offsets, formula.order
        # The highest derivative that a polynomial has is the same at all points.
        is_constant = len(offsets) == order + 1
        return order if is_constant else offsets, offsets[0]
    start = min([min(term[:2]) for term in formula.terms])
    terms = [(upper - start, lower - start, w) for upper, lower, w in formula.terms]
    return (terms, formula.denominator), start
