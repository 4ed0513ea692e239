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
        #: In the dtype in which they are subtracted, as the period is.
        self.x, self.period = x, period
        self.task, self.xp = task, xp
        self.cuts: dict[Points, Any] = {}
        self.chords: dict[tuple[Points, Points], Any] = {}
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
        parts = [self.chord(formula, lower, upper) for upper, lower in ghost.chords]
        if ghost.turns:
            if self.turn is None:
                self.turn = self.turned()
            parts.append(self.turn * float(ghost.turns))
        return reduce(operator.add, parts)

    def chord(self, formula: Formula, first: int, last: int) -> Any:
        """Return the distance of two samples' coordinates, at all points it fills."""
        lower, upper = (points(formula, offset) for offset in (first, last))
        pair = (lower.start, lower.stop), (upper.start, upper.stop)
        length = self.chords.get(pair)
        if length is None:
            length = self.difference(self.cut(*pair[1]), self.cut(*pair[0]))
            self.chords[pair] = length
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
        length = self.difference(*[x[index_along(axis, cut)] for cut in (END, START)])
        if x.shape[axis] == 1:  # to both sides
            return length + self.period
        # Its sign by hand: torch's compatible one has no batches.
        return length / xp.abs(length) * self.period

    def difference(self, upper: Any, lower: Any) -> Any:
        """Return the difference of coordinates, integers too."""
        precision = self.task.precision
        dtype, is_wide = precision.coordinates, precision.wide_coordinates
        return difference(upper, lower, dtype, is_wide, self.xp)
