"""Where a program reads and writes, which is known when the block is.

Positions along an axis are counted from its start or its end, or from where the block
starts or stops: in `windows.py` each of these is a quarter of `LENGTH` from the next,
and a position is one of them with a few points more or less.  Here they become text,
which is compiled with the program: blocks of ever-other lengths are bound by a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .windows import START, Window


class Cut(NamedTuple):
    """A slice along an axis, in positions that are known when the block is."""

    #: Which; None for numbers that are known already.
    axis: int | None
    #: From where to where, counted
    start: int
    stop: int
    #: from here; None for what is counted as in the array that is read.
    origin: int | None = None
    #: Whether it is of one run through memory, as long as the axis would be, if all
    #: axes were this one.
    is_run: bool = False


#: All of an axis that has one point.
FIRST = Cut(None, 0, 1)

#: What stands before the lengths of a shape.
SHAPE = "shape"

#: The names of where an axis starts, where the block does and stops, and of its end.
_PLACES = (
    "{rest}",
    "start{axis} + {rest}",
    "",
    "stop{axis} + {rest}",
    "end{axis} + {rest}",
)


def text_of(indices: Sequence[tuple[Any, ...]], reads: Window) -> list[str]:
    """Return the lines of ``bind(ends, strides)``.

    `ends` are, of each axis, where the block starts and stops in the arrays, and how
    long they are; `strides`, how many points of a run are from one to the next along
    each axis, and how many there are.  It returns the indices and shapes, and which
    part of the arrays is read.
    """
    axes = range(len(reads))
    ends = "".join([f"(start{k}, stop{k}, end{k}), " for k in axes])
    strides = "".join([f"stride{k}, " for k in axes])
    found = "".join([f"{_index(cuts)}, " for cuts in indices])
    read = _tuple([_slice(Cut(axis, *extent)) for axis, extent in enumerate(reads)])
    return [
        "def bind(ends, strides):",
        f"    {ends}= ends",
        f"    {strides}whole = strides",
        f"    return ({found}), {read}",
    ]


def _index(cuts: tuple[Any, ...]) -> str:
    if cuts[0] == SHAPE:
        return _tuple([f"{_at(c.stop, c)} - ({_at(c.start, c)})" for c in cuts[1:]])
    return _tuple(list(map(_slice, cuts)))


def _tuple(parts: Sequence[str]) -> str:
    return f"({''.join([f'{part}, ' for part in parts])})"


def _slice(cut: Any) -> str:
    if cut is None:
        return "slice(None)"
    if not isinstance(cut, Cut):
        return repr(cut)
    origin = "" if cut.origin is None else f" - ({_at(cut.origin, cut)})"
    return f"slice({_at(cut.start, cut)}{origin}, {_at(cut.stop, cut)}{origin})"


def _at(position: int, cut: Cut) -> str:
    if cut.axis is None:
        return str(position)
    quarters, rest = divmod(position + START // 2, START)
    rest -= START // 2
    if cut.is_run:
        return f"{quarters // 4} * whole + {rest} * stride{cut.axis}"
    return _PLACES[quarters].format(axis=cut.axis, rest=rest)
