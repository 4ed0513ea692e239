"""Axes with too few points for an interior: each row has ghosts beyond both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _formulas
from ._boundaries import CONSTANT, End, Ghost

if TYPE_CHECKING:
    from ._formulas import Formula
    from ._schemes import Recipe


def rows(recipe: Recipe, reach: range) -> tuple[Formula, ...]:
    """Return the formulas of all rows, on the offsets `reach`."""
    return tuple([_row(row, reach, recipe) for row in range(recipe.length or 0)])


def _row(row: int, reach: range, recipe: Recipe) -> Formula:
    """Return the formula of a row with ghosts beyond both ends: that of an interior.

    All coordinates are counted from the left end.
    """
    points, ghosts = recipe.length or 0, {}
    for offset in reach:
        if row + offset < 0:
            ghost = _ghost(recipe.left, -row - offset, points)
            ghosts[offset] = _counted(ghost, -row, inwards=1)
        elif row + offset >= points:
            ghost = _ghost(recipe.right, row + offset - points + 1, points)
            last = points - 1 - row
            known = _counted(ghost, last, inwards=-1)
            between = ((last, -row),) if points > 1 else ()
            ghosts[offset] = known._replace(chords=(*between, *known.chords))
    return _formulas.formula_on(
        reach, recipe.order, start=row, stop=row + 1, edge=-row, ghosts=ghosts
    )


def _counted(ghost: Ghost, edge: int, inwards: int) -> Ghost:
    """Return a ghost with offsets from a row, which names the end that it is at."""
    counted = ghost.from_row(edge, inwards)
    is_value = counted.sample is None
    return counted._replace(sample=End(int(inwards < 0))) if is_value else counted


def _ghost(mode: str, depth: int, points: int) -> Ghost:
    """Return the ghost of a short axis: what is repeated is repeated again, as often.

    So does `numpy.pad`.  For fewer ghosts than samples, it is that of the mode's rule.
    """
    if mode == "periodic":
        sample, turns = -depth % points, -(-depth // points)
        return Ghost(sample, ((sample, 0),), turns)
    is_symmetric, whole = mode == "symmetric", [(0, points - 1)] * 2
    if is_symmetric:  # the mirrors are half a step outside of the samples
        whole += [(0, 1), (points - 2, points - 1)]
    folds, place = divmod(depth - is_symmetric, _period(points, is_symmetric))
    if place < points:
        chords = ((0, place), *((0, 1),) * is_symmetric, *whole * folds)
    else:
        place = _period(points, is_symmetric) - is_symmetric - place
        chords = ((place, 0), *whole * (folds + 1))
    if mode == CONSTANT:
        return Ghost(None, chords)
    return Ghost(0 if mode == "edge" else place, chords)


def _period(points: int, is_symmetric: bool) -> int:
    """Return after how many points mirror images of mirror images are repeated."""
    return 2 * points if is_symmetric else max(2 * points - 2, 1)
