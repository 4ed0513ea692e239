"""Blocks that stay in the cache: where a result is cut, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..recorded.nodes import LENGTH
from .windows import START, STOP, Kind

if TYPE_CHECKING:
    from .operations import InPlaceOps
    from .programs import Program
    from .scores import Score
    from .windows import Window

#: An axis this short stays whole in its block: its edges read most of it.
SHORT_AXIS = 64

#: What threads are to share is cut into so many blocks, or groups of blocks, at least.
FEWEST = 4

#: What lies near the ends of rows is done at once for so many blocks at most, whose
#: rows are in a cache still.
MOST_TOGETHER = 8

#: To turn what is read near the ends of fewer rows takes longer than short loops do.
MANY_ROWS = 512

#: From where to where a block is, along each axis.
Block: TypeAlias = tuple[tuple[int, int], ...]


class Group(NamedTuple):
    """Blocks that one thread does, in this order."""

    blocks: Sequence[Block]
    #: What these leave near the ends of axes.
    ends: Sequence[Block]


class Bound(NamedTuple):
    """A program for blocks of one shape."""

    #: As that of the program.
    play: Callable[..., None]
    #: What it is given.
    indices: tuple[Any, ...]
    #: For each axis, how much longer than the block its arrays are at its two ends;
    #: None where they have the whole axis.
    margins: tuple[tuple[int, int] | None, ...]
    #: Of these arrays, what is read.
    reads: tuple[slice, ...]


def cut_into_blocks(
    shape: Sequence[int], edges: Sequence[tuple[int, int]], limit: int | None
) -> Iterable[Block]:
    """Cut a result into blocks of so many points.

    The last axes are the fastest in memory, so they are the last to be cut.  Points
    near an end that have formulas of their own are in the same block.
    """
    if limit is None or math.prod(shape) <= limit:
        return [tuple([(0, n) for n in shape])]
    short = [
        n <= SHORT_AXIS and edge != (0, 0) for n, edge in zip(shape, edges, strict=True)
    ]
    for n, is_short in zip(shape, short, strict=True):
        limit = max(limit // n, 1) if is_short else limit
    cuts: list[list[tuple[int, int]]] = []
    for n, is_short, (left, right) in reversed(
        list(zip(shape, short, edges, strict=True))
    ):
        if is_short or n <= limit:
            cuts.append([(0, n)])
        else:
            starts = [0, *range(left + limit, n - right, limit)]
            cuts.append(list(zip(starts, [*starts[1:], n], strict=True)))
        if not is_short:
            limit = max(limit // max(n, 1), 1)
    return product(*reversed(cuts))


def most_together(
    found: Sequence[Block], shape: Sequence[int], edges: Sequence[tuple[int, int]]
) -> int:
    """Return of how many neighbours the ends of whole axes are to be done at once.

    Not of short axes: they are most of what a block has there, and in the cache.
    """
    axes = _with_ends(found[0], shape, edges)
    if not axes or any(shape[axis] <= SHORT_AXIS for axis in axes):
        return 1
    return max(min(len(found) // FEWEST, MOST_TOGETHER), 1)


def grouped(
    found: Sequence[Block],
    count: int,
    shape: Sequence[int],
    edges: Sequence[tuple[int, int]],
) -> list[Group]:
    """Put so many neighbours together, beside the ends which these leave, if any."""
    if count == 1:
        return [Group([block], []) for block in found]
    extents = enumerate(zip(*found, strict=True))
    cut = [axis for axis, along in extents if len(set(along)) > 1]
    groups = []
    for _, line in groupby(found, lambda block: block[: max(cut)]):
        neighbours = list(line)
        for start in range(0, len(neighbours), count):
            group = neighbours[start : start + count]
            groups.append(Group(group, _ends_of(group, shape, edges)))
    return groups


def _ends_of(
    group: Sequence[Block], shape: Sequence[int], edges: Sequence[tuple[int, int]]
) -> list[Block]:
    """Return what lies near the ends of the axes that a group has all of."""
    pairs = zip(group[0], group[-1], strict=True)
    whole = tuple([(first[0], last[1]) for first, last in pairs])
    found = []
    for axis in _with_ends(group[0], shape, edges):
        n, (left, right) = shape[axis], edges[axis]
        extents = [(0, left), (n - right, n)]
        found += [
            (*whole[:axis], e, *whole[axis + 1 :]) for e in extents if e[0] < e[1]
        ]
    return found


def _with_ends(
    block: Block, shape: Sequence[int], edges: Sequence[tuple[int, int]]
) -> list[int]:
    """Return the axes that a block has all of, and whose ends have own formulas."""
    triples = enumerate(zip(block, shape, edges, strict=True))
    return [k for k, (extent, n, edge) in triples if extent == (0, n) and any(edge)]


def is_one_run(block: Block, shape: Sequence[int]) -> bool:
    """Tell whether a block of an array in order is one run through memory."""
    lengths = [stop - start for start, stop in block]
    cut = next((k for k, n in enumerate(lengths) if n != 1), len(lengths))
    return tuple(lengths[cut + 1 :]) == tuple(shape[cut + 1 :])


def _kind_of(extent: tuple[int, int], n: int, edge: tuple[int, int]) -> tuple[int, int]:
    """Return from where to where a block is: at an end, near one, or somewhere."""
    (start, stop), (left, right) = extent, edge
    if edge == (0, 0):
        return START, STOP
    if stop <= left and stop < n:
        return extent
    if start >= n - right and start > 0:
        return LENGTH - n + start, LENGTH - n + stop
    return START if start else 0, STOP if stop < n else LENGTH


def _bind(program: Program, box: Window, block: Block, shape: Sequence[int]) -> Bound:
    """Return a program for blocks of one shape.

    Where a block is at no end of an axis, its arrays are cut, too, so that the program
    serves for all others like it.
    """
    ends: list[tuple[int, int, int]] = []
    margins: list[tuple[int, int] | None] = []
    for extent, (start, stop), n, (low, high) in zip(
        box, block, shape, program.reads, strict=True
    ):
        if extent == (START, STOP):
            before, after = START - low, high - STOP
            ends.append((before, before + stop - start, before + stop - start + after))
            margins.append((before, after))
        else:
            ends.append((start, stop, n))
            margins.append(None)
    lengths = [stop - start for start, stop in block]
    indices, reads = program.bind(ends, _strides(lengths))
    return Bound(program.play, indices, tuple(margins), reads)


def _strides(lengths: Sequence[int]) -> list[int]:
    """Return the strides of a run along each axis, and how many points it has."""
    strides = [1]
    for n in reversed(lengths):
        strides.append(strides[-1] * n)
    return [*strides[-2::-1], strides[-1]]


def binder(
    score: Score,
    shape: tuple[int, ...],
    in_one_run: bool,
    ops: InPlaceOps,
    *,
    leaves_ends: bool = False,
) -> Callable[[Block, bool], Bound]:
    """Return what has the program for a block, each once for all that are alike.

    Blocks may leave their ends to others, which are no runs through memory.
    """
    bounds: dict[Any, Bound] = {}

    def bound(block: Block, is_end: bool) -> Bound:
        box = tuple(map(_kind_of, block, shape, score.edges))
        where = [
            (0, stop - start) if extent == (START, STOP) else (start, stop)
            for extent, (start, stop) in zip(box, block, strict=True)
        ]
        known = bounds.get((box, tuple(where)))
        if known is None:
            lengths = [stop - start for start, stop in block]
            is_run, leaves = in_one_run and not is_end, leaves_ends and not is_end
            kind = Kind(box, is_run, _are_short_rows(lengths), leaves_ends=leaves)
            program = score.program(kind, ops)
            if _are_few(lengths, program.fewest, box):
                program = score.program(kind._replace(is_short=True), ops)
            known = _bind(program, box, block, shape)
            bounds[box, tuple(where)] = known
        return known

    return bound


def _are_short_rows(lengths: Sequence[int]) -> bool:
    """Tell whether a block has short rows, and many."""
    *lines, row = lengths
    return bool(lines) and math.prod(lines) >= max(row, MANY_ROWS)


def _are_few(lengths: Sequence[int], fewest: Sequence[int], box: Window) -> bool:
    """Tell whether a block has too few points along an axis that it has an end of."""
    for n, few, extent in zip(lengths, fewest, box, strict=True):
        if n < few and extent != (START, STOP):
            return True
    return False


def cuts_of(
    operands: Sequence[Any], component: int | None, bound: Bound, block: Block
) -> tuple[Any, ...] | None:
    """Return what a block reads of each operand, None for all; None for all of each."""
    cuts = [
        slice(None) if margin is None else slice(start - margin[0], stop + margin[1])
        for (start, stop), margin in zip(block, bound.margins, strict=True)
    ]
    found: list[Any] = []
    for number, operand in enumerate(operands):
        shape = getattr(operand, "shape", ())
        if number == 0 and component is not None:
            index = with_components(cuts, component)
        else:
            pairs = zip(cuts, shape, strict=False)
            index = tuple([slice(None) if n == 1 else cut for cut, n in pairs])
        pairs = zip(index, shape, strict=True)
        is_all = all(len(range(*cut.indices(n))) == n for cut, n in pairs)
        found.append(None if is_all else index)
    return None if all(index is None for index in found) else tuple(found)


def with_components(cuts: Sequence[slice], component: int | None) -> tuple[slice, ...]:
    """Return what is cut out of a vector field: all components of these points."""
    if component is None:
        return tuple(cuts)
    return (*cuts[:component], slice(None), *cuts[component:])
