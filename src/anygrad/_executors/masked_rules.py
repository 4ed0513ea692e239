"""Which formula a point gets that has missing samples beside it."""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _formulas
from .._boundaries import ONE_SIDED

if TYPE_CHECKING:
    from .._formulas import Formula
    from .._schemes import Scheme


class Reads(NamedTuple):
    """Which samples beside a point a formula reads.

    Attributes
    ----------
    left, right : int
        How many in a row to the left of it, and to the right.
    itself : bool
        Whether its own is read.
    """

    left: int
    right: int
    itself: bool


class Rules(NamedTuple):
    """Which formula fits where, for the schemes of a task.

    Attributes
    ----------
    first : Reads
        Of the formula that fits at most points inside.
    others : tuple of Reads
        Of those that are tried in its place, in this order.
    least : tuple of Reads
        Of those within which no other reads: where any fits, one of these does.
    edges : tuple of (int, Reads)
        Of the first scheme, in the rows near one-sided ends.
    groups : tuple of tuple of (int, int)
        The others in a row that are one formula but for its place: the number of each,
        and how far to the right of a point it stands.
    ghosts : tuple of bool
        Whether there are ghosts at the left end, and at the right one.
    left, right, margin : int
        How far any reads to either side, and to any.
    """

    first: Reads
    others: tuple[Reads, ...]
    least: tuple[Reads, ...]
    edges: tuple[tuple[int, Reads], ...]
    groups: tuple[tuple[tuple[int, int], ...], ...]
    ghosts: tuple[bool, bool]
    left: int
    right: int
    margin: int


@lru_cache(64)
def rules_of(schemes: tuple[Scheme, ...], on_coordinates: bool) -> Rules:
    """Return which formula fits where."""

    def reads(formula: Formula) -> Reads:
        found = _formulas.samples_read(formula, on_coordinates)
        return Reads(max(-min(found), 0), max(*found, 0), 0 in found)

    first, *others = [reads(one.formulas[one.interior]) for one in schemes]
    left, right = (max([one[side] for one in (first, *others)]) for side in (0, 1))
    groups: list[list[tuple[int, int]]] = []
    latest: Any = None
    for number, scheme in enumerate(schemes[1:]):
        pattern, start = _pattern(scheme.formulas[scheme.interior])
        if on_coordinates or pattern != latest:
            groups.append([])
            origin, latest = start, pattern
        groups[-1].append((number, start - origin))
    recipe = schemes[0].recipe
    ghosts = recipe.left != ONE_SIDED, recipe.right != ONE_SIDED
    edges = [
        (formula.start, reads(formula))
        for number, formula in enumerate(schemes[0].formulas)
        if number != schemes[0].interior and not ghosts[formula.start < 0]
    ]
    return Rules(
        first,
        tuple(others),
        tuple([one for one in others if not any(_is_within(o, one) for o in others)]),
        tuple(edges),
        tuple(map(tuple, groups)),
        ghosts,
        left,
        right,
        max(left, right),
    )


def _is_within(one: Reads, other: Reads) -> bool:
    return one != other and all(map(operator.le, one, other))


def _pattern(formula: Formula) -> tuple[Any, int]:
    """Return a formula but for its place, and the first point that it reads."""
    start = min([min(term[:2]) for term in formula.terms])
    terms = [(upper - start, lower - start, w) for upper, lower, w in formula.terms]
    return (terms, formula.denominator), start
