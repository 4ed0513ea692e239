"""Blocks of samples that no program can read as they are.

Samples of another dtype, coordinates of their own for each block, missing samples:
each block is a small array with margins, and is read by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._executors import blocks, programs, slopes
from .._executors.blocks import every

if TYPE_CHECKING:
    from .._executors.blocks import Job
    from .._executors.steps import Index
    from .._records import Task
    from .._typing import Namespace

#: Integers up to this size are floating numbers of 64 bits.
LARGEST_EXACT = 2**53


def in_blocks(job: Job, write: Callable[..., None]) -> None:
    """Have each block written, and at last the edges that the blocks have not."""
    whole, indices = blocks.blocks_of(job)
    job.ops.for_each(lambda index: write(job, *_windows(job, index)), indices)
    if not whole:
        _write_edges_at_last(job)


def _windows(job: Job, index: Index) -> tuple[Any, Any, Any, slice | None, int]:
    """Return what a block reads and where it lies.

    These are the samples, the result and the coordinates with the same margins, the
    rows that are the block's own (None where it has the whole axis, its edges
    included), and which point of the axis is the first of these.
    """
    x, axis, reach = job.task.coordinates, job.task.axis, job.task.scheme.interior
    rows, first = None, 0
    if index[axis].start is not None:
        first = index[axis].start - reach
        rows = slice(reach, reach + index[axis].stop - index[axis].start)
        margins = slice(first, index[axis].stop + reach)
        index = (*index[:axis], margins, *index[axis + 1 :])
    f, out = job.f[index], job.out[index]
    if x is not None:
        # Coordinates may broadcast.
        cuts = zip(index, x.shape, strict=True)
        x = x[tuple(every(1)[0] if n == 1 else cut for cut, n in cuts)]
    return f, out, x, rows, first


def write_agnostic(
    job: Job, f: Any, out: Any, x: Any, rows: slice | None, _: int
) -> None:
    """Write one block with the agnostic run."""
    task = job.task._replace(coordinates=x)
    if rows is None:
        out[...] = _agnostic.differentiate(f, task, job.xp)
    else:
        f = _prepared(f, task, job.xp)
        sums = _agnostic.weighted_sum(f, task, task.scheme.interior, job.xp)
        out[(*every(task.axis), rows)] = sums


def write_slopes(
    along: slopes.Cuts, job: Job, f: Any, out: Any, x: Any, rows: slice | None, _: int
) -> None:
    """Write one block on coordinates of its own, with three points inside."""
    slopes.write(f, x, out, along, job.ops, edges=rows is None)


def write_converted(
    job: Job, f: Any, out: Any, x: Any, rows: slice | None, first: int
) -> None:
    """Write one block without any array but blocks of the working dtype."""
    precision, ops, target = job.task.precision, job.ops, out
    if precision.wide_samples:
        narrow = _narrowed(job, f)
        if narrow is None:
            write_agnostic(job, f, out, x, rows, first)
            return
        f = narrow
    f = _agnostic.prepare(f, precision.samples, False, job.xp)
    if precision.result != precision.samples:
        out = ops.empty_like(target, dtype=precision.samples)
    in_order = ops.is_contiguous(f) and ops.is_contiguous(out)
    index = list(every(f.ndim))
    index[job.task.axis] = rows or slice(None)
    piece = programs.piece_of(job, tuple(f.shape), tuple(index), in_order, first)
    programs.run(programs.as_program([piece]), job.numbers, f, out, ops)
    if out is not target:
        own = (*every(job.task.axis), rows or slice(None))
        target[own] = out[own]


def _narrowed(job: Job, f: Any) -> Any:
    """Return wide integers that the working dtype need not round, else None.

    Differences are those of the integers less the least of them, and that is exact;
    not so the difference from the constant of a boundary.
    """
    if math.prod(f.shape) == 0 or job.ops.extremes is None:
        return None
    least, greatest = job.ops.extremes(f)
    if least >= -LARGEST_EXACT and greatest <= LARGEST_EXACT:
        return f
    if greatest - least > LARGEST_EXACT or job.task.constants is not None:
        return None
    return job.ops.subtract(f, least)


def _prepared(f: Any, task: Task, xp: Namespace) -> Any:
    """Convert a block of the samples to the working dtype."""
    precision = task.precision
    return _agnostic.prepare(f, precision.samples, precision.wide_samples, xp)


def _write_edges_at_last(job: Job) -> None:
    """Write the rows of the edges, after blocks that had the interior only."""
    task, xp, x = job.task, job.xp, job.task.coordinates
    f = _prepared(_ends(job.f, task, xp), task, xp)
    if x is not None:
        task = task._replace(coordinates=_ends(x, task, xp))
    for number, formula in enumerate(task.scheme.formulas):
        if number != task.scheme.interior:
            rows = _agnostic.shifted(job.out, task.axis, formula, 0)
            rows[...] = _agnostic.weighted_sum(f, task, number, xp)


def _ends(array: Any, task: Task, xp: Namespace) -> Any:
    """Return what the edges read: both ends of the axis, put together."""
    reach = task.scheme.points
    if array.shape[task.axis] <= 2 * reach:
        return array
    cuts = (slice(reach), slice(-reach, None))
    return xp.concat([array[(*every(task.axis), cut)] for cut in cuts], axis=task.axis)
