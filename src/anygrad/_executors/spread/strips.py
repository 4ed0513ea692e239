"""What the chunks of a call of Dask's read, and the tasks that cut it.

All small strips of a chunk are one task, whoever reads them: a scheduler takes longer
for a task than a worker for a strip.  A large one is a task of its own, because who
reads one would get all.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache, partial
from itertools import accumulate, product
from typing import Any, NamedTuple, TypeAlias

from ..._agnostic import component_of
from ..._libraries import namespace_of
from ..._lowering import index_along
from .neighbours import Span, Window

#: A block of an array, by its number along each axis; a key begins with a name.
Block: TypeAlias = tuple[int, ...]
Key: TypeAlias = tuple[Any, ...]

#: The axis of the components of a chunk, and which of them is meant; None for all.
Component: TypeAlias = tuple[int, int] | None

#: For each axis that is cut, what a chunk of it reads.
Windows: TypeAlias = Mapping[int, list[Window]]

#: A strip of a chunk: of which component, and along which axes it is cut.
Strip: TypeAlias = tuple[Component, tuple[tuple[int, Span], ...]]

#: From so many bytes on, a strip travels no faster than a scheduler makes a task.
LARGE = 2**16


class Source(NamedTuple):
    """What is read: an array, or one component of it."""

    #: One of Dask's; or a vector in memory, whose pieces go into the tasks.
    array: Any
    #: In which chunk the component is, along the axis of the components.
    block: int = 0
    #: That axis, and the component in this block; None for all of the array.
    component: Component = None

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """Return the chunks along all axes but that of the components."""
        chunks: tuple[tuple[int, ...], ...] = self.array.chunks
        if self.component is None:
            return chunks
        axis = self.component[0]
        return (*chunks[:axis], *chunks[axis + 1 :])

    def key(self, block: Sequence[int]) -> Key:
        """Return the key of a block."""
        if self.component is not None:
            axis = self.component[0]
            block = (*block[:axis], self.block, *block[axis:])
        return (self.array.name, *block)


class Part(NamedTuple):
    """Where a chunk's arguments have a part of what it reads."""

    #: In which argument.
    argument: int
    #: Which of the strips there; None for an array.
    strip: int | None = None
    #: Which component of the array is read.
    component: Component = None


class Box(NamedTuple):
    """What a chunk reads of one array."""

    #: Those along the last axis follow each other.
    parts: tuple[Part, ...]
    #: The axes along which they are joined, and how many are.
    counts: tuple[tuple[int, int], ...]

    def of(self, arguments: Sequence[Any]) -> Any:
        """Return it: this runs on the workers."""
        arrays = []
        for argument, strip, component in self.parts:
            value = arguments[argument]
            value = value if strip is None else value[strip]
            arrays.append(component_of(value, component))
        for axis, count in reversed(self.counts):
            rows = [arrays[k : k + count] for k in range(0, len(arrays), count)]
            arrays = [_joined(row, axis) for row in rows]
        return arrays[0]


class Strips:
    """The strips of all arrays that a call reads, as its chunks ask for them."""

    def __init__(self, name: str) -> None:
        #: That of their tasks.
        self._name = name
        self._tasks: dict[Key, tuple[Key, dict[Strip, int]]] = {}

    def find(self, key: Key, strip: Strip, size: float) -> tuple[Key, int]:
        """Return the key of a strip's task, and which of the strips there it is.

        It is one of the chunk that has a key, and has so many bytes.
        """
        name = f"{self._name}-{strip}" if size >= LARGE else self._name
        there = (name, *key)
        _, known = self._tasks.setdefault(there, (key, {}))
        return there, known.setdefault(strip, len(known))

    def layer(self, arrays: Sequence[Any]) -> Any:
        """Return what others can depend on: all tasks, for strips of these arrays."""
        from dask.array import Array
        from dask.highlevelgraph import HighLevelGraph

        function = cache(lambda cuts: partial(strips_of, cuts=cuts))
        tasks = {
            there: (function(tuple(cuts)), key)
            for there, (key, cuts) in self._tasks.items()
        }
        graph = HighLevelGraph.from_collections(self._name, tasks, arrays)
        return Array(graph, self._name, chunks=(), dtype=object)


class Arguments:
    """The arguments of one chunk's task.

    Dask looks into every list and named tuple among them, whenever it optimizes a
    graph.  So they are keys and arrays only, one after the other; where they belong
    is told beside the plan, once for all chunks that lie alike.
    """

    def __init__(self, index: Block, strips: Strips) -> None:
        self._index = index
        self._strips = strips
        self._numbers: dict[Key, int] = {}
        self.values: list[Any] = []

    def _add(self, value: Any) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def _key(self, key: Key) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._add(key)
        return number

    def box(self, source: Source, windows: Windows) -> Box:
        """Add what the chunk reads of an array, and return where it is."""
        if not is_lazy(source.array):
            return self._pieces(source.array, windows)
        chunks = source.chunks
        cut = [axis for axis in windows if chunks and chunks[axis] != (1,)]
        ways = [windows[axis][self._index[axis]].parts for axis in cut]
        parts = [
            self._part(source, dict(zip(cut, way, strict=True)))
            for way in product(*ways)
        ]
        return Box(tuple(parts), tuple(zip(cut, map(len, ways), strict=True)))

    def _pieces(self, x: Any, windows: Windows) -> Box:
        """Add what the chunk reads of an array in memory, a vector or a number."""
        for axis, there in windows.items():
            if x.ndim and x.shape[axis] != 1:
                spans = there[self._index[axis]].spans
                parts = [Part(self._add(strip_of(x, axis, *span))) for span in spans]
                return Box(tuple(parts), ((axis, len(parts)),))
        return Box((Part(self._add(x)),), ())

    def _part(self, source: Source, way: Mapping[int, tuple[int, Span]]) -> Part:
        """Add a block, or a strip of one."""
        chunks, cuts = source.chunks, []
        pairs = zip(self._index, chunks, strict=False)
        block = [0 if len(sizes) == 1 else number for number, sizes in pairs]
        lengths = [sizes[k] for sizes, k in zip(chunks, block, strict=True)]
        for axis, (number, cut) in way.items():
            block[axis] = number
            if cut != (0, chunks[axis][number]):
                cuts.append((axis, cut))
                lengths[axis] = cut[1] - cut[0]
        key = source.key(block)
        if not cuts:
            return Part(self._key(key), None, source.component)
        size = math.prod(lengths) * source.array.dtype.itemsize
        key, strip = self._strips.find(key, (source.component, tuple(cuts)), size)
        return Part(self._key(key), strip)


def source_of(f: Any, component: Component) -> Source:
    """Return what is read of samples, or of one component of them."""
    if component is None:
        return Source(f)
    axis, number = component
    stops = list(accumulate(f.chunks[axis]))
    block = bisect_right(stops, number)
    return Source(f, block, (axis, number - stops[block] + f.chunks[axis][block]))


def is_lazy(value: Any) -> bool:
    return hasattr(value, "dask")


def aligned(x: Any, chunks: Sequence[Sequence[int]], windows: Windows) -> Source:
    """Give what comes with samples their chunks, but where it broadcasts.

    A vector along an axis that is cut stays in memory, if it is there: it is small, and
    copied, because its owner may write to it before anything is computed.
    """
    varying = {axis for axis, length in enumerate(x.shape) if length != 1}
    wanted = [sizes if k in varying else (1,) for k, sizes in enumerate(chunks)]
    if is_lazy(x):
        # What Dask does not know cannot be cut, and lies as in `f`.
        changes = {
            k: wanted[k]
            for k, length in enumerate(x.shape)
            if x.chunks[k] != wanted[k] and not math.isnan(length)
        }
        return Source(x.rechunk(changes) if changes else x)
    if len(varying) < 2 and varying <= windows.keys():
        return Source(x.copy())
    from dask.array import from_array

    return Source(from_array(x, chunks=tuple(wanted)))


def strips_of(chunk: Any, *, cuts: Sequence[Strip]) -> list[Any]:
    """Cut all strips of a chunk: this runs on the workers.

    Copies, because a view would keep the chunk in memory.
    """
    xp, strips = namespace_of(chunk), []
    for component, along in cuts:
        strip = component_of(chunk, component)
        for axis, span in along:
            strip = strip_of(strip, axis, *span)
        strips.append(xp.asarray(strip, copy=True))
    return strips


def strip_of(array: Any, axis: int, start: int, stop: int) -> Any:
    """Return what lies between two places along an axis."""
    return array[index_along(axis, slice(start, stop))]


def _joined(parts: list[Any], axis: int) -> Any:
    if len(parts) == 1:
        return parts[0]
    return namespace_of(parts[0]).concat(parts, axis=axis)
