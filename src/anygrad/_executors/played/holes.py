"""Which points of a block get another formula than the first, and which get none.

It follows from the mask alone.  A mask often comes again, as that of land does with
each step of time: then what it has told is there, but for a look at whether it is the
same.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..._kept import size_of

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._typing import Namespace
    from .masked_rules import Reads, Rules

#: Where so many points or more get none for each that gets another, they lie together,
#: and to write by bools takes less time than by positions.
FEW_PER_EDGE = 4

#: What masks have told takes no more bytes of a derivative.
MOST_BYTES = 2**23

#: Of a part, so many masks are known: the grids of a model often have one each.
MOST_MASKS = 4

#: Where a part of an array begins and ends, along each axis.
Place: TypeAlias = tuple[tuple[int, int], ...]


class Fill(NamedTuple):
    """Points that get the same formula."""

    #: Which of the others.
    number: int
    #: Where they are.
    positions: Any
    #: Where the formula stands: those of a group are one that is moved.
    stands: Any


class Holes(NamedTuple):
    """What a mask tells of a block, by positions in it as if it were flat."""

    #: Points that get no formula: their positions, or bools for all.
    nowhere: Any
    #: Those that get another than the first.
    fills: list[Fill]

    def told(self, xp: Namespace) -> Holes:
        """Return them as they are kept: as positions of half the bytes.

        To write by bools takes several times as long, and to find the positions as
        long again, where they are written once.
        """
        nowhere = self.nowhere
        if nowhere.dtype == xp.bool:
            (nowhere,) = xp.nonzero(nowhere)
        narrow = [
            Fill(number, xp.astype(positions, xp.int32), xp.astype(stands, xp.int32))
            for number, positions, stands in self.fills
        ]
        return Holes(xp.astype(nowhere, xp.int32), narrow)

    def trace(self) -> list[tuple[int, int]]:
        """Return numbers that are hardly those of another mask."""
        counts = [(fill.positions, fill.positions.shape[0]) for fill in self.fills]
        return [(count, int(positions[count // 2])) for positions, count in counts]


class Seen:
    """A mask that has come twice, and what it tells."""

    __slots__ = ("holes", "mask", "nbytes")

    def __init__(self, mask: Any, holes: Holes) -> None:
        self.mask, self.holes = mask, holes
        self.nbytes = size_of((mask, holes))


class KnownMasks:
    """What the latest masks have told of the parts of a derivative."""

    def __init__(self, kept: Kept | None, xp: Namespace) -> None:
        self._kept, self._xp = kept, xp

    def find(self, place: Place, mask: Any) -> Holes | None:
        """Return what the mask of a part has told; None for one that is not known."""
        for seen in filter(_is_known, self._latest(place)):
            if seen.mask.shape == mask.shape and self._xp.all(seen.mask == mask):
                found: Holes = seen.holes
                return found
        return None

    def note(self, place: Place, mask: Any, holes: Holes) -> None:
        """Take down what a mask tells: of one that may come but once, only a trace."""
        kept = self._kept
        if kept is None or not kept.account.has_room():
            return
        latest, trace = self._latest(place), holes.trace()
        others = [one for one in latest if one != trace]
        now = [trace, *others][:MOST_MASKS]
        if len(others) < len(latest):
            seen = Seen(self._xp.asarray(mask, copy=True), holes.told(self._xp))
            room = MOST_BYTES - kept.size + _bytes_of(latest)
            now = _latest_within(room, [seen, *others][:MOST_MASKS]) or [trace]
        if kept.made is None:
            kept.made = {}
        kept.made[place] = now
        if any(map(_is_known, (*now, *latest))):
            # All of it, anew: another thread may have been in between.
            kept.grow(sum(map(_bytes_of, list(kept.made.values()))) - kept.size)

    def _latest(self, place: Place) -> Sequence[Any]:
        """Return what has been taken down of a part, the latest first."""
        made = None if self._kept is None else self._kept.made
        return () if made is None else made.get(place, ())


def _is_known(one: Any) -> bool:
    return isinstance(one, Seen)


def _latest_within(room: int, latest: Sequence[Any]) -> list[Any]:
    """Return as many of the latest as there is room for."""
    return [one for k, one in enumerate(latest) if _bytes_of(latest[: k + 1]) <= room]


def _bytes_of(latest: Sequence[Any]) -> int:
    return sum([seen.nbytes for seen in filter(_is_known, latest)])


class Mask(NamedTuple):
    """Which samples of a block are valid, and of as many beside it as are read.

    Arrays are flat, and lie in the order of memory: what is so many points away along
    the axis is so many strides away in them.
    """

    #: As it was when this was made: another thread may write to the caller's meanwhile.
    valid: Any
    #: Where one valid sample begins, then two in a row, and so on: with a margin at
    #: either end, and beyond the ends of the axis, all are missing.
    runs: list[Any]
    #: How many lines there are in the block, how many points of each, and the stride.
    shape: tuple[int, int, int]
    #: In points.
    margin: int
    #: Where the block begins along the axis, and how long that is.
    start: int
    length: int
    #: The namespace of the arrays.
    xp: Namespace

    def in_rows(self, array: Any) -> Any:
        """Return an array like the block, by lines, rows and strides."""
        return self.xp.reshape(array, self.shape)

    def run(self, first: int, count: int) -> Any:
        """Tell whether so many samples in a row are valid, the first so far away."""
        lines, rows, stride = self.shape
        while len(self.runs) < count:
            self.runs.append(self.runs[-1][:-stride] & self.runs[-1][stride:])
            if len(self.runs) == 2 and lines > 1:  # none goes on in the next line
                self.in_rows(self.run(0, 2))[:, -1] = False
        begin = (self.margin + first) * stride
        return self.runs[count - 1][begin : begin + lines * rows * stride]

    def fits(self, reads: Reads) -> Any:
        """Tell at which points all samples that a formula reads are valid."""
        found = reduce(operator.and_, [self.run(*run) for run in reads])
        if len(reads) > 1 and self.shape[0] > 1:  # what is beyond is another line's
            rows = self.in_rows(found)
            rows[:, : -reads[0][0]] = False
            rows[:, self.shape[1] - sum(reads[-1]) + 1 :] = False
        return found

    def fits_in_row(self, reads: Reads, row: int) -> Any:
        """Tell it of a row that the formula is made for."""
        runs = [self.in_rows(self.run(*run))[:, row] for run in reads]
        return reduce(operator.and_, runs)

    def holes(self, rules: Rules) -> Holes:
        """Return which points get another formula than the first, and which none."""
        xp, fills = self.xp, []
        nowhere, positions = self._unfit(rules)
        for group in rules.groups:
            chosen = positions
            if group is not rules.groups[-1]:  # for that, all are that are left
                fits = [self.fits(rules.others[k])[positions] for k, _ in group]
                fit = reduce(operator.or_, fits)
                # Bools as an index take several times as long where they are random.
                chosen = positions[xp.nonzero(fit)[0]]
                positions = positions[xp.nonzero(xp.logical_not(fit))[0]]
            if chosen.shape[0]:
                stands = self._stands(chosen, group, rules)
                fills.append(Fill(group[0][0], chosen, stands))
        return Holes(nowhere, fills)

    def _unfit(self, rules: Rules) -> tuple[Any, Any]:
        """Return where no formula fits, and the positions where others do."""
        xp = self.xp
        rest = xp.logical_not(self.fits(rules.first))
        rows = self.in_rows(rest)
        for row, reads in rules.edges:
            number = (row if row >= 0 else self.length + row) - self.start
            if 0 <= number < self.shape[1]:
                rows[:, number] = xp.logical_not(self.fits_in_row(reads, number))
        if rules.ghosts[0]:
            rows[:, : max(rules.margin - self.start, 0)] = False
        if rules.ghosts[1]:
            rows[:, max(self.length - rules.margin - self.start, 0) :] = False
        wanted = rest & reduce(operator.or_, map(self.fits, rules.least))
        rest ^= wanted
        (positions,) = xp.nonzero(wanted)
        if int(xp.count_nonzero(rest)) < FEW_PER_EDGE * positions.shape[0]:
            (rest,) = xp.nonzero(rest)
        return rest, positions

    def _stands(
        self, positions: Any, group: Sequence[tuple[int, int]], rules: Rules
    ) -> Any:
        """Return where the first of a group that fits stands for each position."""
        *nearer, (_, farthest) = group
        stride = self.shape[-1]
        away: Any = farthest * stride
        for number, shift in reversed(nearer):
            fit = self.fits(rules.others[number])[positions]
            away = away + fit * (shift * stride - away)  # as `where`, but faster
        return positions + away
