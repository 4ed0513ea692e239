"""Distances of coordinates, each made once for all formulas of an axis that read it.

At an end, most of them are the same from formula to formula.  Where operations are
compiled, or gone back through, each of them costs more than it does to be found here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

from ._differences import difference
from ._lowering import END, START, index_along, points

if TYPE_CHECKING:
    from ._boundaries import Ghost
    from ._formulas import Formula
    from ._records import Task
    from ._typing import Namespace

#: Where a slice of points starts and stops.
Points = tuple[int, int | None]


class Spans:
    """The distances along one axis, as far as they have been asked for."""

    def __init__(self, x: Any, period: Any, task: Task, xp: Namespace) -> None:
        #: In the dtype in which they are subtracted, and that of turns.
        self.x, self.period = x, period
        self.task, self.xp = task, xp
        self.cuts: dict[Points, Any] = {}
        self.chords: dict[tuple[Points, Points, bool], Any] = {}
        self.turn: Any = None

    def of(self, formula: Formula) -> Callable[[int, int], Any]:
        """Return the function from two offsets to the distance of their coordinates."""
        ghosts = dict(formula.ghosts)
        from_edge: dict[int, Any] = {}
        known: dict[tuple[int, int], Any] = {}

        def span(first: int, last: int) -> Any:
            if first not in ghosts and last not in ghosts:
                return self.chord(formula, first, last)
            if (first, last) not in known:
                for offset in (first, last):
                    if offset not in from_edge:
                        ghost = ghosts.get(offset)
                        from_edge[offset] = self.beyond(formula, offset, ghost)
                known[first, last] = from_edge[last] - from_edge[first]
            return known[first, last]

        return span

    def beyond(self, formula: Formula, offset: int, ghost: Ghost | None) -> Any:
        """Return how far a point lies from the edge, if only beyond it."""
        if ghost is None:
            return self.chord(formula, formula.edge, offset)
        turns = bool(ghost.turns)
        parts = [self.chord(formula, *pair[::-1], turns) for pair in ghost.chords]
        if turns:
            if self.turn is None:
                self.turn = self.turned()
            parts.append(self.turn * float(ghost.turns))
        length = reduce(operator.add, parts)
        dtype = self.task.precision.coordinates
        return length if length.dtype == dtype else self.xp.astype(length, dtype)

    def chord(
        self, formula: Formula, first: int, last: int, turns: bool = False
    ) -> Any:
        """Return the distance of two samples' coordinates, at all points it fills."""
        lower, upper = (points(formula, offset) for offset in (first, last))
        pair = (lower.start, lower.stop), (upper.start, upper.stop)
        length = self.chords.get((*pair, turns))
        if length is None:
            length = self.difference(self.cut(*pair[1]), self.cut(*pair[0]), turns)
            self.chords[*pair, turns] = length
        return length

    def cut(self, start: int, stop: int | None) -> Any:
        """Return the coordinates of some points."""
        part = self.cuts.get((start, stop))
        if part is None:
            part = self.x[index_along(self.task.axis, slice(start, stop))]
            self.cuts[start, stop] = part
        return part

    def turned(self) -> Any:
        """Return the period, negative where the coordinates descend."""
        x, axis, xp = self.x, self.task.axis, self.xp
        last, first = [x[index_along(axis, cut)] for cut in (END, START)]
        length = self.difference(last, first, turns=True)
        if x.shape[axis] == 1:  # to both sides
            return length + self.period
        # Its sign by hand: torch's compatible one has no batches.
        return length / xp.abs(length) * self.period

    def difference(self, upper: Any, lower: Any, turns: bool) -> Any:
        """Return the difference of coordinates, integers too, or its part of turns."""
        precision = self.task.precision
        dtype = precision.turns if turns else precision.coordinates
        return difference(upper, lower, dtype, precision.wide_coordinates, self.xp)
