"""What the task of a chunk of Dask's is given, and where each part of it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from .neighbours import Window
from .strips import (
    Along,
    Block,
    Component,
    Source,
    Strips,
    component_of,
    is_lazy,
    strip_of,
)


class Part(NamedTuple):
    """Where a chunk's arguments have a part of what it reads.

    Attributes
    ----------
    argument : int
        In which argument.
    strip : int or None
        Which of the strips there; None for an array.
    component : (int, int) or None
        Which component of the array is read.
    across : (int, int, int) or None
        What is still to be cut: the axis, from where, to where.
    """

    argument: int
    strip: int | None = None
    component: Component = None
    across: tuple[int, int, int] | None = None

    def of(self, arguments: Sequence[Any]) -> Any:
        """Return it: this runs on the workers."""
        value = arguments[self.argument]
        if self.strip is not None:
            value = value[self.strip]
        elif self.component is not None:
            value = component_of(value, self.component)
        return value if self.across is None else strip_of(value, *self.across)


#: Parts that are joined along an axis.
Row: TypeAlias = tuple[Part, ...]


class Arguments:
    """The arguments of one chunk's task.

    Dask looks into every list and named tuple among them, whenever it optimizes a
    graph.  So they are keys and arrays only, one after the other; where they belong
    is told beside the plan, once for all chunks that lie alike.
    """

    def __init__(self, strips: dict[Any, Strips]) -> None:
        self._strips = strips
        self._numbers: dict[Any, int] = {}
        self.values: list[Any] = []

    def add(self, value: Any) -> int:
        """Return the number of a new argument."""
        self.values.append(value)
        return len(self.values) - 1

    def _key(self, key: tuple[Any, ...]) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self.add(key)
        return number

    def parts(self, along: Along, index: Block) -> Row:
        """Return what a chunk reads along an axis."""
        window = along.windows[index[along.axis]]
        return tuple([self.part(along, index, *part) for part in window.parts])

    def part(
        self, along: Along, index: Block, number: int, cut: tuple[int, int]
    ) -> Part:
        """Return one part of what a chunk reads along an axis."""
        source, axis = along.source, along.axis
        block = (*index[:axis], number, *index[axis + 1 :])
        if cut == along.whole(number):
            return Part(self._key(source.key(block)), component=source.component)
        key, strip = self._strips[source.where].find(along, block, cut)
        return Part(self._key(key), strip)

    def pieces(self, read: Sequence[Along], index: Block) -> tuple[Row, ...]:
        """Return rows of what a chunk reads: along one axis, or along two.

        Those at the corners are strips along the first axis, which the chunk between
        reads anyway, and are cut where they are used.
        """
        first, *others = read
        if not others:
            return tuple([(part,) for part in self.parts(first, index)])
        (other,) = others
        rows = []
        for number, cut in first.windows[index[first.axis]].parts:
            if cut == first.whole(number):
                beside = (*index[: first.axis], number, *index[first.axis + 1 :])
                rows.append(self.parts(other, beside))
                continue
            row = []
            for k, across in other.windows[index[other.axis]].parts:
                beside = (*index[: other.axis], k, *index[other.axis + 1 :])
                part = self.part(first, beside, number, cut)
                if across != other.whole(k):
                    part = part._replace(across=(other.axis, *across))
                row.append(part)
            rows.append(tuple(row))
        return tuple(rows)

    def companion(self, x: Any, index: Block, window: Window, axis: int) -> Row:
        """Return what a chunk reads of coordinates, of a mask or of other values."""
        if x is None:
            return ()
        if not x.ndim:
            return (Part(self._key((x.name,)) if is_lazy(x) else self.add(x)),)
        if x.shape[axis] == 1:  # of a mask, that is for the whole axis
            window = window._replace(parts=((0, (0, 1)),), spans=((0, 1),))
        if not is_lazy(x):
            spans = [self.add(strip_of(x, axis, *span)) for span in window.spans]
            return tuple(map(Part, spans))
        index = tuple(
            [0 if n == 1 else i for i, n in zip(index, x.numblocks, strict=True)]
        )
        along = Along(Source(x), axis, [])
        return tuple([self.part(along, index, *part) for part in window.parts])
