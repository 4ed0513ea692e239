"""The plan in blocks that stay in the cache, written into a result made beforehand.

The agnostic run passes over the whole array once per operation, and every pass goes
to memory.  Here the passes go over one block after the other, and each block stays in
the cache between them; the result is written where it belongs, so nothing is put
together at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._beyond import has_arrays
from .._executors import blocks, gathered, masked, programs, results, slopes, windows
from .._executors.blocks import Job
from .._executors.steps import Numbers, add_or_subtract
from .._precision import working
from .._records import totals_of, transposed, unrounded

if TYPE_CHECKING:
    from .._executors.gathered import Gathered
    from .._executors.programs import Program
    from .._executors.steps import Index, InPlaceOps
    from .._formulas import WeightedFormula
    from .._records import Plan, Task
    from .._typing import Namespace


class Prepared(NamedTuple):
    """What is kept for a task, for samples that lie in the order of their axes.

    Making it would take longer than running it on a small array.

    Attributes
    ----------
    ops : InPlaceOps
        For which blocks have been cut.
    program : Program or None
        For equal steps.
    gathered : Gathered or None
        What the program reads, for small arrays.
    is_tried : bool
        Whether it has been tried to gather that.
    along : Cuts or None
        For coordinates of a small array: the cuts along the axis.
    """

    ops: InPlaceOps
    program: Program | None = None
    gathered: Gathered | None = None
    is_tried: bool = False
    along: slopes.Cuts | None = None


#: Longer programs are not kept: the time to make them is nothing to that of their work.
MOST_PIECES = 256

#: So many weights along an axis are made at once, however few the samples are.
MOST_WEIGHTS = 2**14

#: Blocks of a sum are so much larger, because each costs the calls of all its terms.
MANY_TERMS = 2


def run(
    f: Any, plan: Plan, xp: Namespace, ops: InPlaceOps, outs: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked.

    The results of a plain plan may have their places in `outs`.
    """
    if plan.is_plain:
        pairs = zip_longest(plan.tasks, outs)
        return tuple([differentiate(f, t, xp, ops, out) for t, out in pairs])
    if has_arrays(plan):
        return _agnostic.run(f, plan, xp)
    if any(task.where is not None for task in plan.tasks):
        return _agnostic.compose(
            plan, lambda task: masked.derivative(f, task, xp, ops, differentiate), xp
        )
    if any(task.precision.result != working(task.precision) for task in plan.tasks):
        # Sums are rounded once.
        return _agnostic.compose(
            plan, lambda task: _partial(f, unrounded(task), xp, ops, None), xp
        )
    return _in_place(f, plan, xp, ops)


def _in_place(f: Any, plan: Plan, xp: Namespace, ops: InPlaceOps) -> tuple[Any, ...]:
    """Return the results of a plan, each derivative written where it belongs."""
    totals = list(totals_of(plan.tasks))
    if plan.stack is None:
        return tuple([_total(f, tasks, xp, ops, None) for tasks in totals])
    made = results.empty(f, plan, ops.empty_like)
    for tasks, out in zip(totals, made.outs, strict=True):
        _total(f, tasks, xp, ops, out)
    return made.copy()


def _total(
    f: Any, tasks: Sequence[Task], xp: Namespace, ops: InPlaceOps, out: Any
) -> Any:
    """Return a derivative with what is added to it."""
    if len(tasks) == 1:
        return _partial(f, tasks[0], xp, ops, out)
    if out is None:
        result = tasks[0].precision.result
        out = ops.empty_like(_agnostic.component(f, tasks[0]), dtype=result)
    if _in_blocks_at_once(f, tasks, xp, ops, out):
        return out
    _partial(f, tasks[0], xp, ops, out)
    term: Any = None
    for task in tasks[1:]:
        term = _partial(f, task, xp, ops, term)  # in the place of the last one
        add_or_subtract(task.sign, ops)(out, term, out=out)
    return out


def _in_blocks_at_once(
    f: Any, tasks: Sequence[Task], xp: Namespace, ops: InPlaceOps, out: Any
) -> bool:
    """Write all terms of a sum, one block after the other; tell whether it could.

    No term ever leaves the cache.
    """
    jobs = [_job(_agnostic.component(f, task), task, xp, ops, out) for task in tasks]
    if not all(job.formulas and _is_unconverted(job) for job in jobs):
        return False
    jobs = [_with_scales(job) for job in jobs]
    limits = [
        limit for job in jobs if (limit := blocks.points_in_block(job)) is not None
    ]
    shape = tuple(jobs[0].out.shape)
    in_order = ops.is_contiguous(jobs[0].out)

    def write(index: Index) -> None:
        for job in jobs:
            is_run = in_order and ops.is_contiguous(job.f)
            piece = programs.piece_of(job, shape, index, is_run, 0)
            programs.run(programs.as_program([piece]), job.numbers, job.f, job.out, ops)

    limit = MANY_TERMS * min(limits) if limits else None
    ops.for_each(write, blocks.cut_into_blocks(shape, limit))
    return True


def _with_scales(job: Job) -> Job:
    """Give the formulas on equal steps the scales of this call."""
    scales = job.numbers.scales
    if not scales:
        return job
    pairs = zip(job.formulas, scales, strict=True)
    return job._replace(formulas=tuple([f._replace(scale=s) for f, s in pairs]))


def _partial(f: Any, task: Task, xp: Namespace, ops: InPlaceOps, out: Any) -> Any:
    """Return one derivative of a component, or a mixed one."""
    if task.inner is not None:
        f = _partial(f, unrounded(task.inner), xp, ops, None)
    f = _agnostic.component(f, task)
    alone = task._replace(component=None, sign=0, inner=None)
    return differentiate(f, alone, xp, ops, out)


def differentiate(
    f: Any, task: Task, xp: Namespace, ops: InPlaceOps, out: Any = None
) -> Any:
    """Return one derivative, written into `out` if that is given."""
    if task.kept is not None and ops.is_contiguous(f):
        done = _from_kept(f, task, xp, ops, out)
        if done is not None:
            return done
    if out is None:
        out = ops.empty_like(f, dtype=task.precision.result)
    result = out
    job = _job(f, task, xp, ops, out)
    f, out, task = job.f, job.out, job.task
    if not job.formulas:
        # Where calls are kernels, there are as few in the agnostic run's own order.
        along = None if ops.block_bytes is None else slopes.cuts(f, task)
        write: Callable[..., None] = windows.write_agnostic
        if along is not None:
            write = partial(windows.write_slopes, along)
        windows.in_blocks(job, write)
    elif not _is_unconverted(job):
        windows.in_blocks(job, windows.write_converted)
    else:
        in_order = ops.is_contiguous(f) and ops.is_contiguous(out)
        program = programs.program_of(job, in_order)
        kept = task.kept if task.coordinates is None else None
        if in_order and kept is not None and len(program.pieces) <= MOST_PIECES:
            kept.keep(Prepared(ops, program))
        programs.run(program, job.numbers, f, out, ops)
    return result


def _job(f: Any, task: Task, xp: Namespace, ops: InPlaceOps, out: Any) -> Job:
    """Return the job for samples and a result, its axes in the order of memory."""
    if not ops.is_contiguous(out):
        strides = ops.strides(out)
        order = sorted(range(f.ndim), key=lambda k: -strides[k])
        f, out = ops.transpose(f, order), ops.transpose(out, order)
        task = transposed(task, order, ops.transpose)
    formulas = _weighted_formulas(f, task, xp, ops)
    return Job(f, out, task, formulas, _numbers(task, xp), {}, xp, ops)


def _numbers(task: Task, xp: Namespace) -> Numbers:
    """Return what this call adds to steps."""
    scales = task.scales if task.step is None else _agnostic.scales(task, xp)
    return Numbers(scales, task.constants)


def _is_unconverted(job: Job) -> bool:
    """Tell whether samples and result are of the working dtype."""
    return bool(job.f.dtype == job.task.precision.samples == job.out.dtype)


def _from_kept(f: Any, task: Task, xp: Namespace, ops: InPlaceOps, out: Any) -> Any:
    """Return a derivative of samples in order for which all has been prepared.

    None if nothing has, or if the place for the result lies in another order.
    """
    if out is not None and not ops.is_contiguous(out):
        return None
    kept: Any = task.kept
    known: Prepared | None = kept.made
    if not isinstance(known, Prepared) or known.ops is not ops:
        known = None  # another executor's, or for other blocks
    if task.coordinates is not None:
        return _from_cuts(f, task, known, ops, out)
    if known is None or known.program is None:
        return None
    if known.gathered is not None and task.step is None:
        done = gathered.run(known.gathered, task.scales, f, ops, out)
        if done is not None:
            return done
    out = ops.empty_like(f, dtype=f.dtype) if out is None else out
    programs.run(known.program, _numbers(task, xp), f, out, ops)
    if not known.is_tried:  # what is called twice may be called often
        read = gathered.gather(known.program, task.scheme, f, xp, ops)
        kept.keep(known._replace(gathered=read, is_tried=True))
    return out


def _from_cuts(
    f: Any, task: Task, known: Prepared | None, ops: InPlaceOps, out: Any
) -> Any:
    """Return a derivative of a small array on coordinates; None for others."""
    if known is None:
        is_small = ops.take is not None and math.prod(f.shape) <= slopes.MOST_SAMPLES
        known = Prepared(ops, along=slopes.cuts(f, task) if is_small else None)
        if task.kept is not None:
            task.kept.keep(known)
    if known.along is None:
        return None
    out = ops.empty_like(f, dtype=f.dtype) if out is None else out
    slopes.write(f, task.coordinates, out, known.along, ops)
    return out


def _weighted_formulas(
    f: Any, task: Task, xp: Namespace, ops: InPlaceOps
) -> tuple[WeightedFormula, ...]:
    """Return the formulas of the scheme; none where the agnostic run must do it.

    Where there are about as many weights as samples, e.g. with one coordinate per
    point, each block makes its own, and they never leave the cache.
    """
    x, precision = task.coordinates, task.precision
    if precision.wide_samples and ops.extremes is None:
        return ()
    if x is None:
        return task.scheme.unscaled
    # Where calls are kernels, there are as few in the agnostic run's own order.
    if ops.block_bytes is not None and slopes.pays(f, task):
        return ()
    weights = math.prod(x.shape)
    if weights != x.shape[task.axis] or precision.is_complex_by_grid:
        return ()
    if weights > MOST_WEIGHTS and weights * 8 > math.prod(f.shape):
        return ()
    return _agnostic.weighted_formulas(task, xp)
