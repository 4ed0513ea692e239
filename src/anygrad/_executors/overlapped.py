"""The plan for cubed: one stage, in which each block reads the rows around it.

The agnostic run would be a stage per operation, each with a pass through the storage,
and cubed joins pieces in other chunks than the samples have.  Here a block of a result
is made of the same block of the samples and of the rows that the formulas reach, by
what runs on arrays of its own class; all terms of a sum, and mixed derivatives, are
made of one block.  Ends exist at the ends of the array only: a block computes the rows
around it, too, and drops them.

What reads the other end of an axis, or arrays that are not in memory, is run as for any
library that follows the standard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import _agnostic, _compilers
from .._beyond import arrays_of
from .._classes import is_array
from .._executors import results
from .._records import Plan, Task, all_tasks, are_short, halo_of, unrounded, wraps

if TYPE_CHECKING:
    from .._typing import Namespace

#: ``execute(block, plan)`` returns the results of a plan.
Execute: TypeAlias = Callable[[Any, Plan], tuple[Any, ...]]

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
    if all(_fits(f, task) for task in all_tasks(Plan(alone))):
        return _in_one_stage(f, alone, execute)
    placed = tuple([_placed(task, f) for task in alone])
    (whole,) = _agnostic.run(f, Plan(placed), xp)
    return whole.rechunk(f.chunks)


def _fits(f: Any, task: Task) -> bool:
    """Tell whether blocks with the rows around them have all that a task reads."""
    given = (task.step, task.coordinates, task.where)
    is_in_memory = not any(isinstance(value, type(f)) for value in given)
    is_usual = not arrays_of(task) and not are_short([task])
    return is_in_memory and is_usual and not wraps(task)


def _in_one_stage(f: Any, tasks: tuple[Task, ...], execute: Execute) -> Any:
    """Return a sum of derivatives, made block by block."""
    import cubed

    depth = dict.fromkeys(range(f.ndim), 0)
    for task in all_tasks(Plan(tasks)):
        halo = halo_of(task)
        # At either end, the shortest block reads as far as the edge does.
        missing = halo.points - min(f.chunks[task.axis])
        reach = max(halo.left, halo.right, missing)
        depth[task.axis] = max(depth[task.axis], reach)
    dtype = tasks[0].precision.result
    compute = partial(
        _block,
        tasks=tuple([_portable(task) for task in tasks]),
        chunks=f.chunks,
        depth=depth,
        execute=execute,
    )
    return cubed.map_overlap(
        compute,
        f,
        dtype=dtype,
        chunks=f.chunks,
        depth=depth,
        boundary=dict.fromkeys(depth, "none"),
        extra_projected_mem=_memory(f, depth, dtype),
    )


def _portable(task: Task) -> Task:
    """Return a task that can travel, with arrays that nobody else writes to."""
    import numpy

    arrays = (task.step, task.coordinates, task.where)
    step, x, where = [None if a is None else numpy.array(a) for a in arrays]
    return task._replace(
        scales=tuple(task.scales),
        step=step,
        coordinates=x,
        where=where,
        inner=None if task.inner is None else _portable(task.inner),
        kept=None,
    )


def _memory(f: Any, depth: dict[int, int], dtype: Any) -> int:
    """Return how many bytes a block needs besides what cubed reads and writes."""
    points = 1
    for axis, chunks in enumerate(f.chunks):
        points *= min(max(chunks) + 2 * depth[axis], f.shape[axis])
    widest = max(dtype.itemsize, f.dtype.itemsize)
    return int(ARRAYS * points * widest + SCRATCH)


def _block(
    window: Any,
    *,
    block_id: tuple[int, ...],
    tasks: tuple[Task, ...],
    chunks: Sequence[Sequence[int]],
    depth: dict[int, int],
    execute: Execute,
) -> Any:
    """Compute one block of a result: this runs on the workers."""
    read, own = [], []
    for axis, number in enumerate(block_id):
        stop = list(accumulate(chunks[axis]))[number]
        start = stop - chunks[axis][number]
        first = max(start - depth[axis], 0)
        read.append(slice(first, first + window.shape[axis]))
        own.append(slice(start - first, stop - first))
    here = tuple([_cut(task, read) for task in tasks])
    is_plain = len(here) == 1 and here[0].inner is None and here[0].where is None
    (whole,) = execute(window, Plan(here, is_plain=is_plain))
    return whole[tuple(own)]


def _cut(task: Task, read: Sequence[slice]) -> Task:
    """Return a task with what a block reads of coordinates and masks."""
    x, where = [
        None if a is None else a[_where_it_varies(a, read)]
        for a in (task.coordinates, task.where)
    ]
    inner = None if task.inner is None else _cut(task.inner, read)
    return task._replace(coordinates=x, where=where, inner=inner)


def _where_it_varies(array: Any, read: Sequence[slice]) -> tuple[slice, ...]:
    pairs = zip(array.shape, read, strict=True)
    return tuple([slice(None) if n == 1 else cut for n, cut in pairs])


def _placed(task: Task, f: Any) -> Task:
    """Return a task with its arrays as the samples are: chunked, and of their spec."""
    arrays = (task.step, task.coordinates, task.where, task.period)
    step, x, where, period = [_as_samples(array, f) for array in arrays]
    first, second = [_as_samples(end, f) for end in task.constants or (None, None)]
    return task._replace(
        step=step,
        coordinates=x,
        where=where,
        period=period,
        constants=task.constants and (first, second),
        inner=None if task.inner is None else _placed(task.inner, f),
    )


def _as_samples(array: Any, f: Any) -> Any:
    if not is_array(array) or isinstance(array, type(f)):
        return array
    from cubed import from_array

    chunks = tuple(
        (1,) if n == 1 else own for n, own in zip(array.shape, f.chunks, strict=False)
    )
    return from_array(array, chunks=chunks, spec=f.spec)
