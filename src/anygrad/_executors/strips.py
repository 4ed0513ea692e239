"""What a chunk of Dask's reads of its neighbours: tasks for the strips.

All small strips of a chunk are one task, whoever reads them: a scheduler takes longer
for a task than a worker for a strip.  A large one is a task of its own, because who
reads one would get all.  They are named by the array that they are cut of, so that all
results of a call share them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, partial
from itertools import accumulate, product
from typing import Any, NamedTuple, TypeAlias

import array_api_compat

from .neighbours import Window

#: A block of an array, by its number along each axis.
Block: TypeAlias = tuple[int, ...]

#: The axis of the components of a chunk, and which of them is meant; None for all.
Component: TypeAlias = tuple[int, int] | None


#: From so many bytes on, a strip travels no faster than a scheduler makes a task.
LARGE = 2**16


class Line(NamedTuple):
    """Strips that are alike.

    Attributes
    ----------
    component : (int, int) or None
        Of which component.
    axis : int
        Along which they are cut.
    name : str
        What is added to the name of the tasks: strips of one name are one task.
    """

    component: Component
    axis: int
    name: str


class Source(NamedTuple):
    """What is read: a Dask array, or one component of it.

    Attributes
    ----------
    array : array
        As it is.
    block : int
        In which chunk the component is, along the axis of the components.
    component : (int, int) or None
        That axis, and the component in this block; None for all of the array.
    """

    array: Any
    block: int = 0
    component: Component = None

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """Return the chunks along all axes but that of the components."""
        chunks: tuple[tuple[int, ...], ...] = self.array.chunks
        if self.component is None:
            return chunks
        axis = self.component[0]
        return (*chunks[:axis], *chunks[axis + 1 :])

    @property
    def where(self) -> tuple[Any, ...]:
        """Return the name of the array, and which block of its components it is."""
        return self.array.name, self.block

    def key(self, block: Block, name: str | None = None) -> tuple[Any, ...]:
        """Return the key of a block, or of what has another name and lies there."""
        if self.component is not None:
            axis = self.component[0]
            block = (*block[:axis], self.block, *block[axis:])
        return (name or self.array.name, *block)


class Along(NamedTuple):
    """What is read along one axis of something.

    Attributes
    ----------
    source : Source
        Of what.
    axis : int
        Not counting that of the components.
    windows : list of Window
        Of each chunk along the axis.
    """

    source: Source
    axis: int
    windows: list[Window]

    def whole(self, number: int) -> tuple[int, int]:
        """Return the cut that is all of a chunk along the axis."""
        return (0, self.source.chunks[self.axis][number])

    def is_cut(self) -> bool:
        """Tell whether less than all of some chunk is read."""
        return any(
            cut != self.whole(number)
            for window in self.windows
            for number, cut in window.parts
        )


class Strips:
    """All strips of an array that are read, or of one block of its components.

    Parameters
    ----------
    read
        By whom: all of them read this array, or this block.

    Attributes
    ----------
    layer : array
        Its "chunks" are the lists of strips.
    """

    def __init__(self, read: list[Along]) -> None:
        from dask.array import Array
        from dask.base import tokenize
        from dask.highlevelgraph import HighLevelGraph

        self._source = read[0].source
        array = self._source.array
        sizes = [max(there) for there in self._source.chunks]
        whole = math.prod(sizes) * array.dtype.itemsize
        self._rows = [whole / max(size, 1) for size in sizes]
        self._cuts: dict[Line, list[list[tuple[int, int]]]] = {}
        for along in read:
            self._add(along)
        of = array.name, self._source.block, repr(self._cuts)
        self.name = f"anygrad-strips-{tokenize(of)}"
        graph = HighLevelGraph.from_collections(self.name, self._graph(), [array])
        # No array: it only makes one collection more that others can depend on.
        self.layer = Array(graph, self.name, chunks=array.chunks, meta=array)

    def _add(self, along: Along) -> None:
        sizes = along.source.chunks[along.axis]
        for window in along.windows:
            for number, cut in window.parts:
                if cut != along.whole(number):
                    line = self._line(along, cut)
                    cuts = self._cuts.setdefault(line, [[] for _ in sizes])
                    if cut not in cuts[number]:
                        cuts[number].append(cut)

    def _line(self, along: Along, cut: tuple[int, int]) -> Line:
        (start, stop), component = cut, along.source.component
        name = ""
        if (stop - start) * self._rows[along.axis] >= LARGE:
            number = 0 if component is None else component[1]
            name = f"-{number}-{along.axis}-{start}-{stop}"
        return Line(component, along.axis, name)

    def _graph(self) -> dict[Any, Any]:
        graph, function = {}, cache(lambda cuts: partial(strips_of, cuts=cuts))
        for block in product(*[range(len(sizes)) for sizes in self._source.chunks]):
            tasks: dict[str, list[Any]] = {}
            for (component, axis, name), by_number in self._cuts.items():
                for cut in by_number[block[axis]]:
                    tasks.setdefault(name, []).append((component, axis, *cut))
            for name, cuts in tasks.items():
                there = self._source.key(block, self.name + name)
                graph[there] = (function(tuple(cuts)), self._source.key(block))
        return graph

    def find(
        self, along: Along, block: Block, cut: tuple[int, int]
    ) -> tuple[tuple[Any, ...], int]:
        """Return the key of a strip's task, and which of the strips there it is."""
        line, before = self._line(along, cut), 0
        for other, by_number in self._cuts.items():
            if other == line:
                break
            if other.name == line.name:
                before += len(by_number[block[other.axis]])
        there = self._cuts[line][block[along.axis]].index(cut)
        return along.source.key(block, self.name + line.name), before + there


def source_of(f: Any, component: Component) -> Source:
    """Return what is read of samples, or of one component of them."""
    if component is None:
        return Source(f)
    axis, number = component
    stops = list(accumulate(f.chunks[axis]))
    block = bisect_right(stops, number)
    return Source(f, block, (axis, number - stops[block] + f.chunks[axis][block]))


def of_all(read: Iterable[Along]) -> dict[Any, Strips]:
    """Return the strips of all that is read, where there are any."""
    groups: dict[Any, list[Along]] = {}
    for along in read:
        if along.is_cut():
            groups.setdefault(along.source.where, []).append(along)
    return {where: Strips(group) for where, group in groups.items()}


def is_line(x: Any, axis: int) -> bool:
    """Tell whether coordinates or a mask broadcast along all other axes."""
    return x is None or all(n == 1 for k, n in enumerate(x.shape) if k != axis)


def is_lazy(value: Any) -> bool:
    return hasattr(value, "dask")


def aligned(x: Any, chunks: Sequence[Sequence[int]], axis: int) -> Any:
    """Give coordinates or a mask the chunks of the samples, but where they broadcast.

    A vector along the axis that is no Dask array stays what it is: it is small, and its
    pieces go into the tasks.
    """
    if not getattr(x, "ndim", 0):
        return x
    if is_lazy(x):
        wanted = {
            k: (1,) if n == 1 else chunks[k]
            for k, n in enumerate(x.shape)
            if not math.isnan(
                n
            )  # what Dask does not know cannot be cut, and lies as in `f`
        }
        changes = {k: c for k, c in wanted.items() if x.chunks[k] != c}
        return x.rechunk(changes) if changes else x
    if is_line(x, axis):
        return x
    from dask.array import from_array

    return from_array(
        x, chunks=tuple((1,) if n == 1 else chunks[k] for k, n in enumerate(x.shape))
    )


def strips_of(
    chunk: Any, *, cuts: Sequence[tuple[Component, int, int, int]]
) -> list[Any]:
    """Cut all strips of a chunk: this runs on the workers.

    Copies, because a view would keep the chunk in memory.
    """
    xp = array_api_compat.array_namespace(chunk)
    return [
        xp.asarray(strip_of(component_of(chunk, component), *cut), copy=True)
        for component, *cut in cuts
    ]


def strip_of(array: Any, axis: int, start: int, stop: int) -> Any:
    """Return what lies between two places along an axis."""
    return array[(slice(None),) * axis + (slice(start, stop),)]


def component_of(array: Any, component: Component) -> Any:
    """Return a component of a vector field, or all of an array."""
    if component is None:
        return array
    axis, number = component
    return array[(slice(None),) * axis + (number, ...)]
