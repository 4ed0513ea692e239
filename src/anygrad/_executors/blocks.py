"""Blocks that stay in the cache: where an array is cut, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from .._executors import slopes

if TYPE_CHECKING:
    from .._executors.steps import Index, InPlaceOps, Numbers
    from .._formulas import WeightedFormula
    from .._records import Task
    from .._typing import Namespace

#: An axis this short stays whole in its block, and its edges are written with it:
#: later, they would cost a second pass over all of the memory.
SHORT_AXIS = 64

#: About so many arrays are held where each block makes its own weights.
MANY_ARRAYS = 6


class Job(NamedTuple):
    """One derivative, with the axes in the order of memory.

    Attributes
    ----------
    f, out : array
        The samples and the result.
    task : Task
        What is written.
    formulas : tuple of WeightedFormula
        Those of the scheme; none where the agnostic run has to make them.
    numbers : Numbers
        For formulas without a scale, and for constants.
    spread : dict
        Keeps weights that have been spread over blocks of one shape.
    xp, ops
        The namespace, and the library's operations in place.
    """

    f: Any
    out: Any
    task: Task
    formulas: tuple[WeightedFormula, ...]
    numbers: Numbers
    spread: dict[tuple[int, ...], WeightedFormula]
    xp: Namespace
    ops: InPlaceOps


def every(count: int) -> Index:
    """Return an index of all points along so many axes."""
    return (slice(None),) * count


def blocks_of(job: Job) -> tuple[bool, Iterable[Index]]:
    """Cut the result into blocks; tell whether each has the whole axis.

    The last axes are the fastest in memory, so they are the last to be cut.  If the
    axis itself is cut, the blocks are of the interior only.
    """
    shape, axis, scheme = job.out.shape, job.task.axis, job.task.scheme
    limit = points_in_block(job)
    if limit is None or math.prod(shape) <= limit:
        return True, [every(len(shape))]
    whole = shape[axis] <= SHORT_AXIS or math.prod(shape[axis:]) <= limit
    if whole:
        limit = max(limit // shape[axis], 1)
    cuts: list[tuple[slice, ...]] = []
    for k in reversed(range(len(shape))):
        start, stop = 0, shape[k]
        if k == axis:
            if whole:
                cuts.append((slice(None),))
                continue
            start, stop = scheme.interior, stop - scheme.interior
        extent = max(min(stop - start, limit), 1)
        limit = max(limit // extent, 1)
        edges = range(start, stop, extent)
        cuts.append(tuple(slice(a, min(a + extent, stop)) for a in edges))
    return whole, product(*reversed(cuts))


def cut_into_blocks(shape: Sequence[int], limit: int | None) -> Iterable[Index]:
    """Cut an array into blocks of so many points, the first axes before the last."""
    cuts: list[tuple[slice, ...]] = []
    for length in reversed(shape):
        if limit is None or length <= limit:
            cuts.append((slice(None),))
        else:
            starts = range(0, length, limit)
            cuts.append(tuple(slice(a, min(a + limit, length)) for a in starts))
        limit = limit and max(limit // max(length, 1), 1)
    return product(*reversed(cuts))


def points_in_block(job: Job) -> int | None:
    """Return how many points of the result a block may have; None for all of them."""
    if job.ops.block_bytes is None:
        return None
    limit = job.ops.block_bytes // int(job.out.dtype.itemsize)
    scratch = _scratch_per_point(job)
    return min(limit, job.ops.scratch_bytes // scratch) if scratch else limit


def _scratch_per_point(job: Job) -> int:
    """Return how many bytes of scratch arrays a point of a block needs."""
    if not job.formulas:
        by_slopes = slopes.cuts(job.f, job.task) is not None
        count = slopes.ARRAYS if by_slopes else MANY_ARRAYS
    else:
        working = job.task.precision.samples
        count = (job.f.dtype != working) + (job.out.dtype != working)
        # Sums hold the differences, or one term; what is added is made first.
        count += len(job.formulas[job.task.scheme.interior].terms) > 1
        count += job.task.sign != 0
    return count * _bytes(job)


def _bytes(job: Job) -> int:
    """Return the length of a number of the working dtype."""
    working = job.task.precision.samples
    parts = 2 if job.xp.isdtype(working, "complex floating") else 1
    return int(parts * job.xp.finfo(working).bits // 8)
