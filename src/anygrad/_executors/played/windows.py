"""Which part of each value a block needs.

A block is a box of the result.  From there, each value hands on to its operands the box
that it reads of them; boxes that touch become one, so that what several terms or edges
share is computed once.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..recorded.nodes import LENGTH
from .values import Shift, Value, in_order

#: From which position to which, along each axis; (0, 1) where it does not matter.
Window: TypeAlias = tuple[tuple[int, int], ...]

#: Where a block that is not at an end starts and stops: somewhere.
START, STOP = LENGTH // 4, LENGTH // 4 * 3


class Kind(NamedTuple):
    """What the program for a block of a recording depends on."""

    #: Where it starts and stops: at an end of an axis, or somewhere.
    box: Window
    #: Whether block and samples lie in memory one after the other, and no formula
    #: reads along other axes than its own.
    in_one_run: bool
    #: Whether rows are short and many, so that loops along them are: what is read near
    #: their ends is turned in memory then.
    is_turned: bool
    #: Whether there are so few points along an axis that those which count from its
    #: start may lie behind those which count from its end: then nothing is put
    #: together.
    is_short: bool = False
    #: Whether the ends of whole axes are left to blocks of their own: a run through
    #: memory is all that is made along these.
    leaves_ends: bool = False


class Wanted(NamedTuple):
    """A part of a value that is read."""

    #: Of what.
    value: Value
    #: Where block and arrays are one run through memory: the axis along which it is
    #: differentiated, and the only one that the window has; None otherwise.
    run: int | None
    #: Which part.
    window: Window


class Part:
    """A part of a value that is computed."""

    __slots__ = ("is_given_back", "is_owned", "register", "uses", "views", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        #: Which.
        self.wanted = wanted
        #: How often it will still be read.
        self.uses = 0
        #: Where it is; 0 until it has been computed.
        self.register = 0
        #: Whether it has memory of its own,
        self.is_owned = False
        #: which is kept for others when it has been read.
        self.is_given_back = False
        #: Registers that read parts of it.
        self.views: list[int] = []


class Windows:
    """All parts that a block of a result needs."""

    def __init__(self, root: Value, shift: Shift, kind: Kind) -> None:
        box, self._in_one_run = kind.box, kind.in_one_run
        self._leaves_ends = kind.leaves_ends
        self._parts: dict[tuple[Value, int | None], list[Part]] = {}
        self.root = Wanted(root, None, _moved(box, shift, root, None))
        needs: dict[tuple[Value, int | None], list[Window]]
        needs = {(root, None): [self.root.window]}
        seen: set[Window] = set()
        for value in reversed(in_order(root)):
            for run in (None, *range(len(box))):
                windows = needs.pop((value, run), None)
                if windows is not None:
                    seen.update(windows)
                if windows is None or value.verb in ("load", "number", "constant"):
                    continue
                united = list(set(windows)) if kind.is_short else _merged(windows)
                parts = [Part(Wanted(value, run, w)) for w in united]
                self._parts[value, run] = parts
                for part in parts:
                    for known, there, window in self.read_by(part.wanted):
                        needs.setdefault((known, there), []).append(window)
        #: Along each axis, how many points a block must have not to be short.
        self.fewest = [_fewest(axis, ends, seen) for axis, ends in enumerate(box)]
        for parts in self._parts.values():
            for part in parts:
                for wanted in self.read_by(part.wanted):
                    found = self.part_of(wanted)
                    if found is not None:
                        found.uses += 1
        whole = self.part_of(self.root)
        if whole is not None:
            whole.uses += 1

    def part_of(self, wanted: Wanted) -> Part | None:
        """Return the part that has what is wanted; None for what is not computed."""
        value, run, window = wanted
        parts = self._parts.get((value, run), ())
        for part in parts:
            if part.wanted.window == window:
                return part
        for part in parts:
            if _holds(part.wanted.window, window):
                return part
        return None

    def read_by(self, wanted: Wanted) -> list[Wanted]:
        """Return what a part reads: of pieces, the longest first."""
        verb = wanted.value.verb
        if verb == "pieces":
            return [piece for piece, _ in self.pieces(wanted)]
        read = self._operands(wanted)
        if verb == "where":
            chosen = [one for choice in self.choices(wanted) for one in choice[:2]]
            return [read[2], *chosen]
        return read

    @staticmethod
    def _operands(wanted: Wanted) -> list[Wanted]:
        value, run, window = wanted
        return [
            Wanted(operand, run, _moved(window, shift, operand, run))
            for operand, shift in value.operands
        ]

    def choices(self, wanted: Wanted) -> list[tuple[Wanted, Wanted, Window]]:
        """Return what decides in a part, what it chooses, and where that lies in it.

        There is one for each piece, so that these need not be put together.
        """
        condition, chosen, _ = self._operands(wanted)
        one, other = condition.value, chosen.value
        if one.verb == other.verb == "pieces" and one.detail == other.detail:
            pairs = zip(self.pieces(condition), self.pieces(chosen), strict=True)
            return [(first, *second) for (first, _), second in pairs]
        return [(condition, chosen, wanted.window)]

    def pieces(self, wanted: Wanted) -> list[tuple[Wanted, Window]]:
        """Return the pieces of a part, and where each of them lies in it.

        The longest is the first, because a run through memory fills the ends of the
        axis, too: what belongs there is written afterwards.
        """
        value, _, window = wanted
        axis, starts = value.detail
        found = []
        limits = zip((0, *starts), (*starts, LENGTH), strict=True)
        for (operand, shift), (start, stop) in zip(value.operands, limits, strict=True):
            part = _cut(window, axis, start, stop)
            if part is None:
                continue
            is_run = window[axis] == (0, LENGTH) and start <= LENGTH // 2 < stop
            run = axis if is_run and self._in_one_run else None
            there = _moved(part, shift, operand, run)
            found.append((Wanted(operand, run, there), part))
            if run is not None and self._leaves_ends:
                return found[-1:]
        return sorted(found, key=lambda one: one[1][axis][0] - one[1][axis][1])


def _fewest(axis: int, ends: tuple[int, int], windows: set[Window]) -> int:
    """Return from how many points on all that is near one end is before the other."""
    if ends[1] - ends[0] < START:  # all of it is near one end
        return 0
    after, before = [0], [0]
    for window in windows:
        for place in window[axis]:
            if abs(place - ends[0]) < START // 2:
                after.append(place - ends[0])
            elif abs(place - ends[1]) < START // 2:
                before.append(ends[1] - place)
    return max(after) + max(before)


def _cut(window: Window, axis: int, start: int, stop: int) -> Window | None:
    """Return what of a window lies in a part of an axis; None for nothing."""
    low, high = window[axis]
    low, high = max(low, start), min(high, stop)
    return (*window[:axis], (low, high), *window[axis + 1 :]) if low < high else None


def _moved(window: Window, shift: Shift, value: Value, run: int | None) -> Window:
    """Return the window of what is read of a value for a window of its reader."""
    return tuple(
        [
            (low + by, high + by)
            if axis in value.axes and (run is None or run == axis)
            else (0, 1)
            for axis, ((low, high), by) in enumerate(zip(window, shift, strict=True))
        ]
    )


def _holds(window: Window, part: Window) -> bool:
    return all(a <= c and d <= b for (a, b), (c, d) in zip(window, part, strict=True))


def _merged(windows: list[Window]) -> list[Window]:
    """Put windows together that touch or overlap along one axis."""
    left, found = sorted(set(windows)), []
    while left:
        window = left.pop(0)
        for other in left:
            both = _united(window, other)
            if both is not None:
                left.remove(other)
                left.insert(0, both)
                break
        else:
            found.append(window)
    return found


def _united(one: Window, other: Window) -> Window | None:
    """Return the window of two if they have no other points; None otherwise."""
    different = [k for k in range(len(one)) if one[k] != other[k]]
    if len(different) != 1:
        return one if _holds(one, other) else other if _holds(other, one) else None
    (axis,) = different
    (a, b), (c, d) = one[axis], other[axis]
    if max(a, c) > min(b, d):
        return None
    return (*one[:axis], (min(a, c), max(b, d)), *one[axis + 1 :])
