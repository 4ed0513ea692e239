"""The plan for cubed: one stage, in which each block reads the rows around it.

The agnostic run would be a stage per operation, each with a pass through the storage,
and cubed joins pieces in other chunks than the samples have.  Here a block of a result
is made of the same block of the samples and of the rows that the formulas reach, by
what runs on arrays of its own class; all terms of a sum, and mixed derivatives, are
made of one block.  Ends exist at the ends of the array only: a block computes the rows
around it, too, and drops them.

Where coordinates, masks or values beyond the ends are not in memory, the blocks of each
array with the rows around them are a stage of their own.

What reads the other end of an axis is run as for any library that follows the standard.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic, _compilers
from .._classes import is_array
from .._libraries import namespace_of
from .._lowering import part_of
from .._records import (
    Plan,
    Slot,
    Task,
    all_tasks,
    are_short,
    converted,
    halo_of,
    unrounded,
)
from . import results
from .spread.neighbours import Execute, Span

if TYPE_CHECKING:
    from .._typing import Namespace

#: Besides arrays as large as a block with its rows, so many bytes are used within one.
SCRATCH = 2**22

#: A block with its rows, its result, and what of that is its own.
ARRAYS = 3


def run(f: Any, plan: Plan, xp: Namespace, execute: Execute) -> tuple[Any, ...]:
    """Plan the stages of a call; nothing is computed.

    ``execute(block, plan)`` returns the results of a plan for a block, by what runs on
    arrays of its class.
    """
    execute = _compilers.captured(execute)

    def stack(arrays: Sequence[Any], axis: int) -> Any:
        # cubed stacks arrays of equal chunks only, and joins pieces in others.
        alike = [array.rechunk(arrays[0].chunks) for array in arrays]
        return xp.stack(alike, axis=axis)

    return results.of_totals(plan, lambda ts: _total(f, ts, xp, execute), xp, stack)


def _total(f: Any, tasks: tuple[Task, ...], xp: Namespace, execute: Execute) -> Any:
    """Return a derivative with what is added to it."""
    if len({task.component for task in tasks}) > 1:

        def term(task: Task) -> Any:
            return _total(f, (unrounded(task._replace(sign=0)),), xp, execute)

        (whole,) = _agnostic.compose(Plan(tasks), term, xp)
        return whole
    f = _agnostic.component(f, tasks[0])
    alone = tuple([task._replace(component=None) for task in tasks])
    if not are_short(alone) and not halo_of(*all_tasks(Plan(alone))).is_ring:
        return _block_by_block(f, alone, execute)
    placed = tuple([converted(task, partial(_placed, f=f)) for task in alone])
    (whole,) = _agnostic.run(f, Plan(placed), xp)
    return whole.rechunk(f.chunks)


def _block_by_block(f: Any, tasks: tuple[Task, ...], execute: Execute) -> Any:
    """Return a sum of derivatives, made of each block and the rows around it."""
    import cubed
    import numpy

    depth, arrays = _depth(f, tasks), [f]

    def kept(value: Any) -> Any:
        if isinstance(value, type(f)):
            arrays.append(_placed(value, f))
            return Slot(len(arrays) - 1)
        # Nobody else writes to a copy.
        return numpy.array(value) if is_array(value) else value

    compute = partial(
        _block,
        tasks=tuple([converted(task, kept) for task in tasks]),
        chunks=f.chunks,
        depth=depth,
        execute=execute,
    )
    dtype = numpy.dtype(tasks[0].precision.result)  # a default one is a class
    if len(arrays) == 1:
        return _overlapped(compute, f, f.chunks, depth, dtype)
    return cubed.map_blocks(
        compute,
        *[_with_rows_around(array, depth) for array in arrays],
        dtype=dtype,
        chunks=f.chunks,
        extra_projected_mem=_memory(f, depth, dtype),
    )


def _depth(f: Any, tasks: tuple[Task, ...]) -> dict[int, int]:
    """Return how many rows around a block its tasks read, along each axis."""
    depth = dict.fromkeys(range(f.ndim), 0)
    for task in all_tasks(Plan(tasks)):
        halo = halo_of(task)
        # At either end, the shortest block reads as far as the edge does.
        missing = halo.points - min(f.chunks[task.axis])
        reach = max(halo.left, halo.right, missing)
        depth[task.axis] = max(depth[task.axis], reach)
    return depth


def _with_rows_around(array: Any, depth: dict[int, int]) -> Any:
    """Return an array whose blocks are those of another one with the rows around them.

    Beyond the ends, the last row is there again, so that all are of one length.
    """
    own = {axis: depth[axis] if n != 1 else 0 for axis, n in enumerate(array.shape)}
    if not any(own.values()):
        return array
    chunks = tuple(
        [tuple([n + 2 * own[k] for n in there]) for k, there in enumerate(array.chunks)]
    )
    extend = partial(_extended, chunks=array.chunks, depth=own)
    return _overlapped(extend, array, chunks, own, array.dtype)


def _overlapped(
    function: Any, array: Any, chunks: Any, depth: dict[int, int], dtype: Any
) -> Any:
    """Return what a function makes of each block with the rows around it."""
    import cubed

    return cubed.map_overlap(
        function,
        array,
        dtype=dtype,
        chunks=chunks,
        depth=depth,
        boundary=dict.fromkeys(depth, "none"),
        extra_projected_mem=_memory(array, depth, dtype),
    )


def _memory(f: Any, depth: dict[int, int], dtype: Any) -> int:
    """Return how many bytes a block needs besides what cubed reads and writes."""
    points = 1
    for axis, chunks in enumerate(f.chunks):
        points *= min(max(chunks) + 2 * depth[axis], f.shape[axis])
    widest = max(dtype.itemsize, f.dtype.itemsize)
    return int(ARRAYS * points * widest + SCRATCH)


class Rows(NamedTuple):
    """Where a block lies along an axis, which rows it reads, and which there may be."""

    #: From where to where; the rows around may lie beyond the ends.
    own: Span
    read: Span
    around: Span


def _rows(
    block: tuple[int, ...], chunks: Sequence[Sequence[int]], depth: dict[int, int]
) -> list[Rows]:
    places = []
    for axis, (number, sizes) in enumerate(zip(block, chunks, strict=True)):
        stop = sum(sizes[: number + 1])
        start = stop - sizes[number]
        around = start - depth[axis], stop + depth[axis]
        read = max(around[0], 0), min(around[1], sum(sizes))
        places.append(Rows((start, stop), read, around))
    return places


def _extended(
    window: Any,
    *,
    block_id: tuple[int, ...],
    chunks: Sequence[Sequence[int]],
    depth: dict[int, int],
) -> Any:
    """Repeat the last rows beyond the ends: this runs on the workers."""
    xp = namespace_of(window)
    for axis, (_, read, around) in enumerate(_rows(block_id, chunks, depth)):
        rows = xp.clip(xp.arange(*around), read[0], read[1] - 1) - read[0]
        window = xp.take(window, rows, axis=axis)
    return window


def _block(
    *windows: Any,
    block_id: tuple[int, ...],
    tasks: tuple[Task, ...],
    chunks: Sequence[Sequence[int]],
    depth: dict[int, int],
    execute: Execute,
) -> Any:
    """Compute one block of a result: this runs on the workers."""
    places = _rows(block_id, chunks, depth)
    if len(windows) > 1:  # with rows that lie beyond the ends
        inside = [slice(a - b, c - b) for _, (a, c), (b, _) in places]
        windows = tuple([part_of(window, inside) for window in windows])
    read = [slice(*place.read) for place in places]

    def filled(value: Any) -> Any:
        if isinstance(value, Slot):
            return windows[value.number]
        return part_of(value, read) if is_array(value) else value

    here = tuple([converted(task, filled) for task in tasks])
    (whole,) = execute(windows[0], Plan(here, is_plain=False))
    own = [slice(a - c, b - c) for (a, b), (c, _), _ in places]
    return whole[tuple(own)]


def joined(arrays: Sequence[Any], axis: int) -> Any:
    """Join arrays, those of samples and of their ghosts.

    What lies in one chunk may be no longer than the chunks of the others: of these,
    cubed takes as many as of that, and not all that it needs.
    """
    from cubed.array_api import concat

    longest = max(arrays, key=lambda array: array.shape[axis])
    size = longest.chunksize[axis]
    alike = [a.rechunk({axis: min(size, a.shape[axis])}) for a in arrays]
    return concat(alike, axis=axis)


def _placed(value: Any, f: Any) -> Any:
    """Return an array as the samples are: chunked, and of their spec."""
    if not is_array(value):
        return value
    pairs = zip(value.shape, f.chunks, strict=False)
    chunks = tuple([(1,) if n == 1 else own for n, own in pairs])
    if isinstance(value, type(f)):
        return value.rechunk(chunks) if chunks else value
    from cubed import from_array

    return from_array(value.copy(), chunks=chunks, spec=f.spec)  # it may be changed
