"""The plan in blocks that stay in the cache, written into a result made beforehand.

The agnostic run passes over the whole array once per operation, and every pass goes
to memory.  Here the passes go over one block after the other, and each block stays in
the cache between them; the result is written where it belongs, so nothing is put
together at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .. import _agnostic
from .._executors import gathered, slopes
from .._plan import unrounded
from .._precision import working
from .._stencils import UNSCALED

if TYPE_CHECKING:
    from .._plan import Plan, Stack, Task
    from .._stencils import Formula, Scale
    from .._typing import Namespace

#: An index of an array: slices, one per axis or for the first axes.
Key: TypeAlias = tuple[Any, ...]

#: Under which name the memo of a task holds the program for samples that lie in the
#: order of their axes: making it would take longer than running it on a small array.
IN_ORDER = "in order"

#: Likewise the keys along the axis of a small array with coordinates, None for others.
ALONG = "along"

#: Longer programs are not kept: the time to make them is nothing beside their work.
MOST_PIECES = 256

#: An axis this short stays whole in its block, and its edges are written with it:
#: later, they would cost a second pass over all of the memory.
SHORT_AXIS = 64

#: Weights that vary along a shorter run than this are spread over the block once, so
#: that a library's inner loop runs over the block and not over the run.
SHORT_RUN = 512

#: So many weights along an axis are made at once, however few the samples are.
MOST_WEIGHTS = 2**14

#: For no more runs than this, an edge and its mirror image are written together.
FEW_RUNS = 8

#: About so many arrays are held where each block makes its own weights.
MANY_ARRAYS = 6

#: Blocks of a sum are so much larger, because each costs the calls of all its terms.
MANY_TERMS = 2

#: Integers up to this size are floating numbers of 64 bits.
LARGEST_EXACT = 2**53


class Verbs(NamedTuple):
    """A library's own words for writing in place.

    Attributes
    ----------
    empty_like : callable
        ``empty_like(f, dtype=dtype, shape=None)``: not filled, in the memory order of
        `f`, or of a shape of its own.
    subtract, multiply, divide, add : callable
        ``verb(a, b, out=out)``.
    strides : callable
        How far apart in memory the neighbours along each axis are.
    transpose : callable
        ``transpose(a, axes)``: a view.
    is_contiguous : callable
        Whether the elements lie in memory one after the other, the last axis fastest.
    extremes : callable or None
        ``extremes(f)``: the least and the greatest of integers, as Python's; None where
        looking at values would wait for a device.
    take : callable or None
        ``take(f, positions)``: samples by their places in memory, in the shape of
        `positions`; None where small arrays are no case of their own.
    block_bytes : int or None
        How large a block of the result should be; None for no blocks.
    bytes_besides : int
        How much a block may hold besides, of arrays for what is not the result yet.
    for_each : callable
        ``for_each(function, blocks)``: one after the other, or on several threads.
    carry_out : callable
        ``carry_out(step, f, out, verbs)``: `carry_out` of this module, or one that
        does the same in fewer operations.
    """

    empty_like: Callable[..., Any]
    subtract: Callable[..., Any]
    multiply: Callable[..., Any]
    divide: Callable[..., Any]
    add: Callable[..., Any]
    strides: Callable[[Any], Sequence[int]]
    transpose: Callable[[Any, Sequence[int]], Any]
    is_contiguous: Callable[[Any], bool]
    extremes: Callable[[Any], tuple[int, int]] | None
    take: Callable[[Any, Any], Any] | None
    block_bytes: int | None
    bytes_besides: int
    for_each: Callable[[Callable[[Any], None], Iterable[Any]], None]
    carry_out: Callable[[Step, Any, Any, Verbs], None]


class Neighbours(NamedTuple):
    """The differences that a sum of shifted ones shares: each is computed once.

    Attributes
    ----------
    upper, lower : Key
        The samples whose differences the terms have together.
    parts : tuple of Key
        For each term, its own differences among them.
    """

    upper: Key
    lower: Key
    parts: tuple[Key, ...]


class Step(NamedTuple):
    """One formula on a block: which views to combine, and where the sum goes.

    Attributes
    ----------
    target : Key
        The points of the result.
    terms : tuple of (Key, Key or number, weight)
        The samples for the upper and the lower offset of a difference, or the constant
        instead of the lower ones, and its weight.
    scale : Scale
        What the sum is scaled with.
    neighbours : Neighbours or None
        For two or more terms that are differences of neighbours, one after the other.
    flat : bool
        Whether the keys are of samples and result as one run through memory.
    sign : int
        As that of a task: whether the sum is added to the target, or subtracted.
    """

    target: Key
    terms: tuple[tuple[Key, Any, Any], ...]
    scale: Scale
    neighbours: Neighbours | None
    flat: bool
    sign: int


class Program(NamedTuple):
    """All steps that write a derivative.

    Attributes
    ----------
    pieces : list of tuple of Step
        What is done in one go: a block that stays in the cache.  They may be done at
        the same time, but for the steps of one.
    at_last : tuple of Step
        What is done when all pieces are.
    flat : bool
        Whether some steps are for one run through memory.
    """

    pieces: list[tuple[Step, ...]]
    at_last: tuple[Step, ...]
    flat: bool


class Job(NamedTuple):
    """One derivative, with the axes in the order of memory.

    `spread` keeps weights that have been spread over blocks of one shape.
    """

    f: Any
    out: Any
    task: Task
    formulas: tuple[Formula, ...]
    spread: dict[tuple[int, ...], Formula]
    xp: Namespace
    verbs: Verbs


def run(f: Any, plan: Plan, xp: Namespace, verbs: Verbs) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked."""
    if plan.plain:
        return tuple([differentiate(f, task, xp, verbs) for task in plan.tasks])
    if any(task.where is not None for task in plan.tasks):
        return _agnostic.compose(
            plan, lambda task: _of_valid(f, unrounded(task), xp, verbs), xp
        )
    if any(task.precision.result != working(task.precision) for task in plan.tasks):
        # Sums are rounded once.
        return _agnostic.compose(
            plan, lambda task: _partial(f, unrounded(task), xp, verbs, None), xp
        )
    return _in_place(f, plan, xp, verbs)


def _in_place(f: Any, plan: Plan, xp: Namespace, verbs: Verbs) -> tuple[Any, ...]:
    """Return the results of a plan, each derivative written where it belongs."""
    stack: Any = plan.stack
    whole: Any = None
    if stack is not None:
        shape = _agnostic.component(f, plan.tasks[0]).shape
        shape = (*shape[: stack.axis], *stack.shape, *shape[stack.axis :])
        dtype = plan.tasks[0].precision.result
        whole = verbs.empty_like(f, dtype=dtype, shape=shape)

    def place(number: int) -> Any:
        index = _unravelled(number, stack.shape)
        return whole[(*_all(stack.axis), *index, ...)]

    results: list[Any] = []
    for tasks in _totals(plan.tasks):
        places = [] if stack is None else _places(stack, len(results))
        out = place(places[0]) if places else None
        results.append(_total(f, tasks, xp, verbs, out))
        for other in places[1:]:
            place(other)[...] = out
    return tuple(results) if whole is None else (whole,)


def _totals(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    """Return each task that is a result, with those that are added to it."""
    starts = [number for number, task in enumerate(tasks) if task.sign == 0]
    for start, stop in pairwise([*starts, len(tasks)]):
        yield tasks[start:stop]


def _total(f: Any, tasks: Sequence[Task], xp: Namespace, verbs: Verbs, out: Any) -> Any:
    """Return a derivative with what is added to it."""
    if len(tasks) == 1:
        return _partial(f, tasks[0], xp, verbs, out)
    if out is None:
        result = tasks[0].precision.result
        out = verbs.empty_like(_agnostic.component(f, tasks[0]), dtype=result)
    if _in_blocks_at_once(f, tasks, xp, verbs, out):
        return out
    _partial(f, tasks[0], xp, verbs, out)
    term: Any = None
    for task in tasks[1:]:
        term = _partial(f, task, xp, verbs, term)  # in the place of the last one
        _verb(task.sign, verbs)(out, term, out=out)
    return out


def _verb(sign: int, verbs: Verbs) -> Callable[..., Any]:
    return verbs.add if sign > 0 else verbs.subtract


def _in_blocks_at_once(
    f: Any, tasks: Sequence[Task], xp: Namespace, verbs: Verbs, out: Any
) -> bool:
    """Write all terms of a sum, one block after the other; tell whether it could.

    No term ever leaves the cache.
    """
    jobs = [_job(_agnostic.component(f, task), task, xp, verbs, out) for task in tasks]
    if not all(job.formulas and _is_unconverted(job) for job in jobs):
        return False
    if all(task.sign >= 0 for task in tasks):
        # What is not added may be written through the ends of short last axes.
        jobs.sort(key=lambda job: -job.task.axis)
        jobs = [
            job._replace(task=job.task._replace(sign=int(number > 0)))
            for number, job in enumerate(jobs)
        ]
    jobs, scale = _without_common_scale(jobs)
    rooms = [room for job in jobs if (room := _points_in_block(job)) is not None]
    shape = tuple(jobs[0].out.shape)
    in_order = verbs.is_contiguous(jobs[0].out)

    def write(key: Key) -> None:
        for job in jobs:
            is_run = in_order and verbs.is_contiguous(job.f)
            piece = _piece(job, shape, key, is_run, 0)
            run_program(_as_program([piece]), job.f, job.out, verbs)
        write_scaled(jobs[0].out[key], scale, verbs)

    room = MANY_TERMS * min(rooms) if rooms else None
    verbs.for_each(write, _cuts(shape, room))
    return True


def _without_common_scale(jobs: list[Job]) -> tuple[list[Job], Scale]:
    """Take out of all formulas the scale that they share, if it is one of numbers."""
    if not all(job.task.formulas for job in jobs):
        return jobs, UNSCALED
    scales = {formula.scale for job in jobs for formula in job.formulas}
    if len(scales) > 1:
        return jobs, UNSCALED
    bare = [
        job._replace(formulas=tuple(f._replace(scale=UNSCALED) for f in job.formulas))
        for job in jobs
    ]
    return bare, scales.pop()


def _cuts(shape: Sequence[int], room: int | None) -> Iterable[Key]:
    """Cut an array into blocks of so many points, the first axes before the last."""
    cuts: list[tuple[slice, ...]] = []
    for length in reversed(shape):
        if room is None or length <= room:
            cuts.append((slice(None),))
        else:
            starts = range(0, length, room)
            cuts.append(tuple(slice(a, min(a + room, length)) for a in starts))
        room = room and max(room // max(length, 1), 1)
    return product(*reversed(cuts))


def _places(stack: Stack, result: int) -> list[int]:
    return [place for place, number in enumerate(stack.numbers) if number == result]


def _unravelled(number: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of a place in one or two axes."""
    return (number,) if len(shape) == 1 else divmod(number, shape[1])


def _partial(f: Any, task: Task, xp: Namespace, verbs: Verbs, out: Any) -> Any:
    """Return one derivative of a component, or a mixed one."""
    if task.inner is not None:
        f = _partial(f, unrounded(task.inner), xp, verbs, None)
    f = _agnostic.component(f, task)
    alone = task._replace(component=None, sign=0, inner=None)
    return differentiate(f, alone, xp, verbs, out)


def one_by_one(function: Callable[[Any], None], blocks: Iterable[Any]) -> None:
    """Do the blocks one after the other."""
    for block in blocks:
        function(block)


def differentiate(
    f: Any, task: Task, xp: Namespace, verbs: Verbs, out: Any = None
) -> Any:
    """Return one derivative, written into `out` if that is given."""
    if out is None:
        if task.memo is not None and verbs.is_contiguous(f):
            done = _from_memo(f, task, verbs)
            if done is not None:
                return done
        out = verbs.empty_like(f, dtype=task.precision.result)
    result = out
    job = _job(f, task, xp, verbs, out)
    f, out, task = job.f, job.out, job.task
    if not job.formulas:
        # Where calls are kernels, there are as few in the agnostic run's own order.
        along = None if verbs.block_bytes is None else slopes.keys(f, task)
        _in_blocks(job, _write_agnostic if along is None else _write_slopes)
    elif not _is_unconverted(job):
        _in_blocks(job, _write_converted)
    else:
        in_order = verbs.is_contiguous(f) and verbs.is_contiguous(out)
        program = _program(job, in_order)
        memo = task.memo if task.coordinates is None else None
        if in_order and memo is not None and len(program.pieces) <= MOST_PIECES:
            small = gathered.gather(program, f, xp, verbs)
            memo[IN_ORDER] = program if small is None else small
        run_program(program, f, out, verbs)
    return result


def _job(f: Any, task: Task, xp: Namespace, verbs: Verbs, out: Any) -> Job:
    """Return the job for samples and a result, its axes in the order of memory."""
    if not verbs.is_contiguous(out):
        strides = verbs.strides(out)
        order = sorted(range(f.ndim), key=lambda k: -strides[k])
        f, out = verbs.transpose(f, order), verbs.transpose(out, order)
        x = task.coordinates
        task = task._replace(
            axis=order.index(task.axis),
            coordinates=None if x is None else verbs.transpose(x, order),
            memo=None,  # it is for samples that lie in the order of their axes
        )
    return Job(f, out, task, _formulas(f, task, xp, verbs), {}, xp, verbs)


def _is_unconverted(job: Job) -> bool:
    """Tell whether samples and result are of the working dtype."""
    return bool(job.f.dtype == job.task.precision.samples == job.out.dtype)


def _from_memo(f: Any, task: Task, verbs: Verbs) -> Any:
    """Return a derivative of samples in order for which all has been prepared.

    None if nothing has.
    """
    memo: Any = task.memo
    if task.coordinates is not None:
        if verbs.take is None:
            return None
        if ALONG not in memo:
            is_small = math.prod(f.shape) <= slopes.MOST_SAMPLES
            memo[ALONG] = slopes.keys(f, task) if is_small else None
        if memo[ALONG] is None:
            return None
        out = verbs.empty_like(f, dtype=f.dtype)
        slopes.write(f, task.coordinates, out, memo[ALONG], verbs)
        return out
    known = memo.get(IN_ORDER)
    if known is None or isinstance(known, gathered.Gathered):
        return None if known is None else gathered.run(known, f, verbs)
    out = verbs.empty_like(f, dtype=f.dtype)
    run_program(known, f, out, verbs)
    return out


def _formulas(f: Any, task: Task, xp: Namespace, verbs: Verbs) -> tuple[Formula, ...]:
    """Return the formulas of the scheme; none where the agnostic run must do it.

    Where there are about as many weights as samples, e.g. with one coordinate per
    point, each block makes its own, and they never leave the cache.
    """
    x, precision = task.coordinates, task.precision
    if precision.wide_samples and verbs.extremes is None:
        return ()
    if task.formulas:
        return task.formulas
    if x is not None:
        # Where calls are kernels, there are as few in the agnostic run's own order.
        if verbs.block_bytes is not None and slopes.pays(f, task):
            return ()
        weights = math.prod(x.shape)
        if weights != x.shape[task.axis] or precision.is_complex_by_grid:
            return ()
        if weights > MOST_WEIGHTS and weights * 8 > math.prod(f.shape):
            return ()
    return _agnostic.formulas(task, xp)


def run_program(program: Program, f: Any, out: Any, verbs: Verbs) -> None:
    """Do all steps: those of the pieces in any order, then the last ones."""
    pieces, at_last, flat = program
    run = (f.reshape(-1), out.reshape(-1)) if flat and f.ndim > 1 else (f, out)
    if len(pieces) == 1:
        _do(pieces[0], f, out, run, verbs)
    else:
        verbs.for_each(lambda piece: _do(piece, f, out, run, verbs), pieces)
    _do(at_last, f, out, run, verbs)


def _do(
    piece: tuple[Step, ...], f: Any, out: Any, run: tuple[Any, Any], verbs: Verbs
) -> None:
    for step in piece:
        if step.flat:
            verbs.carry_out(step, *run, verbs)
        else:
            verbs.carry_out(step, f, out, verbs)


def carry_out(step: Step, f: Any, out: Any, verbs: Verbs) -> None:
    """Write the weighted sum of differences, scaled, into the target; or add it."""
    if step.sign:
        _add_sum(step, f, out[step.target], verbs)
        return
    target, terms, (factors, divisors), neighbours, _, _ = step
    out = out[target]
    if len(terms) == 1:  # no call for the most frequent step, which may be a short one
        ((upper, lower, weight),) = terms
        below = f[lower] if isinstance(lower, tuple) else lower
        verbs.subtract(f[upper], below, out=out)
        if weight is not None:
            verbs.multiply(out, weight, out=out)
    elif neighbours is None:
        _write_sum(step, f, None, out, verbs)
    else:
        _write_sum_of_neighbours(step, f, None, out, verbs)
    for factor in factors:
        verbs.multiply(out, factor, out=out)
    for divisor in divisors:
        verbs.divide(out, divisor, out=out)


def _add_sum(step: Step, f: Any, out: Any, verbs: Verbs) -> None:
    """Add what `carry_out` writes, or subtract it."""
    if step.scale == UNSCALED:
        write = _write_sum if step.neighbours is None else _write_sum_of_neighbours
        write(step, f, out, out, verbs)
        return
    total = verbs.empty_like(out, dtype=out.dtype)
    carry_out(step._replace(target=(), sign=0), f, total, verbs)
    _verb(step.sign, verbs)(out, total, out=out)


def write_scaled(out: Any, scale: Scale, verbs: Verbs) -> None:
    """Scale an array where it is."""
    for factor in scale.factors:
        verbs.multiply(out, factor, out=out)
    for divisor in scale.divisors:
        verbs.divide(out, divisor, out=out)


def _write_sum(step: Step, f: Any, total: Any, out: Any, verbs: Verbs) -> None:
    """Write the total and the weighted differences; the first may be in its place."""
    part = out if total is None else None
    for upper, lower, weight in step.terms:
        below = f[lower] if isinstance(lower, tuple) else lower
        part = verbs.subtract(f[upper], below, out=part)
        total = _added(total, part, weight, step.sign, out, part, verbs)
        part = None if part is out else part


def _write_sum_of_neighbours(
    step: Step, f: Any, total: Any, out: Any, verbs: Verbs
) -> None:
    """Compute all differences once; nobody needs the last ones after their product."""
    upper, lower, parts = step.neighbours or ((), (), ())
    differences = verbs.subtract(f[upper], f[lower])
    for key, (_, _, weight) in zip(parts, step.terms, strict=True):
        part = differences[key]
        room = part if key is parts[-1] else None
        total = _added(total, part, weight, step.sign, out, room, verbs)


def _added(
    total: Any, part: Any, weight: Any, sign: int, out: Any, room: Any, verbs: Verbs
) -> Any:
    """Return a total with a weighted part, in `out`; there is `room` for a product."""
    if total is None:
        return part if weight is None else verbs.multiply(part, weight, out=out)
    is_minus_one = _is_minus_one(weight)
    if not (weight is None or is_minus_one):
        part = verbs.multiply(part, weight, out=room)
    is_subtracted = is_minus_one != (sign < 0)
    return _verb(-1 if is_subtracted else 1, verbs)(total, part, out=out)


def _is_minus_one(weight: Any) -> bool:
    return isinstance(weight, float) and weight == -1.0


# From formulas to a program.


def _program(job: Job, in_order: bool) -> Program:
    """Return the steps on all of the samples, which are of the working dtype."""
    whole, keys = _blocks(job)
    shape = tuple(job.f.shape)
    pieces = [_piece(job, shape, key, in_order, 0) for key in keys]
    at_last = () if whole else _edges(job, shape, _all(len(shape)))
    return _as_program(pieces, at_last)


def _as_program(
    pieces: list[tuple[Step, ...]], at_last: tuple[Step, ...] = ()
) -> Program:
    flat = any(step.flat for piece in pieces for step in piece)
    return Program(pieces, at_last, flat)


def _blocks(job: Job) -> tuple[bool, Iterable[Key]]:
    """Cut the result into blocks; tell whether each has the whole axis.

    The last axes are the fastest in memory, so they are the last to be cut.  If the
    axis itself is cut, the blocks are of the interior only.
    """
    shape, axis, scheme = job.out.shape, job.task.axis, job.task.scheme
    room = _points_in_block(job)
    if room is None or math.prod(shape) <= room:
        return True, [_all(len(shape))]
    whole = shape[axis] <= SHORT_AXIS or math.prod(shape[axis:]) <= room
    if whole:
        room = max(room // shape[axis], 1)
    cuts: list[tuple[slice, ...]] = []
    for k in reversed(range(len(shape))):
        start, stop = 0, shape[k]
        if k == axis:
            if whole:
                cuts.append((slice(None),))
                continue
            start, stop = scheme.interior, stop - scheme.interior
        extent = max(min(stop - start, room), 1)
        room = max(room // extent, 1)
        edges = range(start, stop, extent)
        cuts.append(tuple(slice(a, min(a + extent, stop)) for a in edges))
    return whole, product(*reversed(cuts))


def _points_in_block(job: Job) -> int | None:
    """Return how many points of the result a block may have; None for all of them."""
    if job.verbs.block_bytes is None:
        return None
    room = job.verbs.block_bytes // int(job.out.dtype.itemsize)
    besides = _bytes_besides(job)
    return min(room, job.verbs.bytes_besides // besides) if besides else room


def _bytes_besides(job: Job) -> int:
    """Return what a point of a block needs besides the result."""
    if not job.formulas:
        by_slopes = slopes.keys(job.f, job.task) is not None
        count = slopes.ARRAYS if by_slopes else MANY_ARRAYS
    else:
        working = job.task.precision.samples
        count = (job.f.dtype != working) + (job.out.dtype != working)
        # Sums hold the differences, or one term.
        count += len(job.formulas[job.task.scheme.interior].terms) > 1
    return count * _bytes(job)


def _bytes(job: Job) -> int:
    """Return the length of a number of the working dtype."""
    working = job.task.precision.samples
    parts = 2 if job.xp.isdtype(working, "complex floating") else 1
    return int(parts * job.xp.finfo(working).bits // 8)


def _piece(
    job: Job, shape: tuple[int, ...], key: Key, in_order: bool, first: int
) -> tuple[Step, ...]:
    """Return the steps of one block: the interior, and the edges if it has them.

    Parameters
    ----------
    job : Job
        Its formulas.
    shape : tuple of int
        Of the samples and of the result that the keys are for.
    key : Key
        The block among them.
    in_order : bool
        Whether both lie in memory one after the other.
    first : int
        Which point of the whole axis is the first of these.
    """
    axis = job.task.axis
    formula = job.formulas[job.task.scheme.interior]
    edges = _edges(job, shape, key)
    is_whole = key[axis].start is None
    if not is_whole:
        inner = _inner(job, shape, key)
        if inner.start >= inner.stop:
            return edges
        key = (*key[:axis], inner, *key[axis + 1 :])
    extents = [len(range(*cut.indices(n))) for cut, n in zip(key, shape, strict=True)]
    # What is added must not be written through the ends of an axis.
    flat = in_order and job.task.sign == 0 and _is_one_run(extents, shape)
    if job.task.coordinates is not None:
        flat = (
            flat
            and is_whole
            and math.prod(extents[:axis]) > 1
            and math.prod(extents[axis:]) < SHORT_RUN
        )
        if flat:
            formula = _spread(job, formula, tuple(extents))
        elif not is_whole:
            rows = slice(key[axis].start + first, key[axis].stop + first)
            formula = _with_weights(formula, lambda w: _cut(job, w, rows))
    if flat:
        interior = _flat_interior(job, formula, shape, key, extents)
    else:
        interior = _interior(job, formula, shape, key)
    return (interior, *edges)


def _inner(job: Job, shape: tuple[int, ...], key: Key) -> slice:
    """Return the rows of a block that are the interior's."""
    axis, reach = job.task.axis, job.task.scheme.interior
    start, stop, _ = key[axis].indices(shape[axis])
    return slice(max(start, reach), min(stop, shape[axis] - reach))


def _is_one_run(extents: Sequence[int], shape: Sequence[int]) -> bool:
    """Tell whether a block of an array in order is one run through memory."""
    cut = next((k for k, n in enumerate(extents) if n != 1), len(shape))
    return tuple(extents[cut + 1 :]) == tuple(shape[cut + 1 :])


def _with_weights(formula: Formula, change: Callable[[Any], Any]) -> Formula:
    terms = tuple((upper, lower, change(w)) for upper, lower, w in formula.terms)
    factors = tuple(map(change, formula.scale.factors))
    return formula._replace(terms=terms, scale=formula.scale._replace(factors=factors))


def _cut(job: Job, weight: Any, rows: slice) -> Any:
    """Cut a weight, which begins with the interior, to the rows of a block."""
    reach = job.task.scheme.interior
    cut = slice(rows.start - reach, rows.stop - reach)
    return weight[(slice(None),) * job.task.axis + (cut,)]


def _spread(job: Job, formula: Formula, shape: tuple[int, ...]) -> Formula:
    """Repeat weights over a block of whole runs, from its first interior point."""
    known = job.spread.get(shape)
    if known is None:
        known = _with_weights(formula, lambda w: _repeated(job, w, shape))
        job.spread[shape] = known
    return known


def _repeated(job: Job, weight: Any, shape: tuple[int, ...]) -> Any:
    axis, reach, xp = job.task.axis, job.task.scheme.interior, job.xp
    x: Any = job.task.coordinates
    edge = x[(slice(None),) * axis + (slice(reach),)]
    margin = xp.zeros_like(edge, dtype=weight.dtype)
    padded = xp.concat([margin, weight, margin], axis=axis)
    flat = xp.reshape(xp.broadcast_to(padded, shape), (-1,))
    first = reach * math.prod(shape[axis + 1 :])
    return flat[first : math.prod(shape) - first]


def _flat_interior(
    job: Job,
    formula: Formula,
    shape: tuple[int, ...],
    key: Key,
    extents: Sequence[int],
) -> Step:
    """Return the step of the interior on one run through memory.

    There, neighbours along the axis lie `stride` elements apart.  If the block has
    several whole axes, the points at their ends get nonsense, and their edges
    afterwards.
    """
    axis = job.task.axis
    stride = math.prod(shape[axis + 1 :])
    start = sum(
        (cut.start or 0) * math.prod(shape[k + 1 :]) for k, cut in enumerate(key)
    )
    stop = start + math.prod(extents)
    if key[axis].start is None:
        margin = job.task.scheme.interior * stride
        start, stop = start + margin, stop - margin

    def at(offset: int, more: int = 0) -> Key:
        return (slice(start + offset * stride, stop + (offset + more) * stride),)

    def part(number: int) -> Key:
        return (slice(number * stride, number * stride + stop - start),)

    return _step(formula, at, part, flat=True, sign=job.task.sign)


def _interior(job: Job, formula: Formula, shape: tuple[int, ...], key: Key) -> Step:
    """Return the step of the interior, along its axis."""
    axis, reach = job.task.axis, job.task.scheme.interior
    before, after, rows = key[:axis], _without_end(key[axis + 1 :]), key[axis]
    start, stop = reach, shape[axis] - reach
    if rows.start is not None:
        start, stop = rows.start, rows.stop

    def at(offset: int, more: int = 0) -> Key:
        return (*before, slice(start + offset, stop + offset + more), *after)

    def part(number: int) -> Key:
        return (*_all(axis), slice(number, number + stop - start))

    return _step(formula, at, part, flat=False, sign=job.task.sign)


def _all(count: int) -> Key:
    return (slice(None),) * count


def _without_end(key: Key) -> Key:
    """Leave out the slices at the end that cut nothing: each costs time to read."""
    return () if all(cut == slice(None) for cut in key) else key


def _step(
    formula: Formula,
    at: Callable[..., Key],
    part: Callable[[int], Key] | None,
    *,
    flat: bool,
    sign: int,
    constant: Any = None,
) -> Step:
    """Return a formula as a step.

    ``at(offset, more)`` is the key of what lies `offset` from the points to be filled,
    and `more` points after them; ``part(number)`` the key of so many points, `number`
    from the first.  Without it, neighbours share no differences.
    """
    _, terms, scale = formula
    lowest = terms[0][1]
    neighbours = None
    if part is not None and len(terms) > 1 and _are_neighbours(terms):
        more = len(terms) - 1
        # Of a difference of two terms, the one that is subtracted is the second.
        if _is_minus_one(terms[0][2]):
            terms = (terms[1], terms[0], *terms[2:])
        neighbours = Neighbours(
            at(lowest + 1, more),
            at(lowest, more),
            tuple(part(lower - lowest) for _, lower, _ in terms),
        )
    return Step(
        at(0),
        tuple(
            (at(upper), constant if lower is None else at(lower), weight)
            for upper, lower, weight in terms
        ),
        scale,
        neighbours,
        flat,
        sign,
    )


def _are_neighbours(terms: Sequence[tuple[int, Any, Any]]) -> bool:
    """Tell whether these are differences of neighbours, one after the other."""
    first = terms[0][1]
    return first is not None and all(
        (upper, lower) == (first + k + 1, first + k)
        for k, (upper, lower, _) in enumerate(terms)
    )


def _edges(job: Job, shape: tuple[int, ...], key: Key) -> tuple[Step, ...]:
    """Return the steps of the edges that are in a block.

    An edge and its mirror image are one step if that pays.

    The image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``, counted from the
    mirrored row: two pairs of points, the partners of each pair equally far apart, so
    each pair is a slice with a step.
    """
    axis, scheme = job.task.axis, job.task.scheme
    before, after, length = key[:axis], _without_end(key[axis + 1 :]), shape[axis]
    rows = range(*key[axis].indices(length))
    inside = [
        number
        for number, stencil in enumerate(scheme.stencils)
        if number != scheme.interior and stencil.start % length in rows
    ]
    # Pairs save calls.  On a CPU with many of them, an inner loop over two costs more.
    runs = math.prod(
        len(range(*cut.indices(n))) for cut, n in zip(before, shape, strict=False)
    )
    are_few = job.verbs.block_bytes is None or runs <= FEW_RUNS
    least = scheme.mirrored if are_few and job.task.coordinates is None else None
    if least is None or length < least or len(rows) < length:
        return tuple(
            _edge(job.task, number, job.formulas[number], before, after)
            for number in inside
        )

    def pair(start: int, step: int) -> Key:
        return (*before, slice(start, start + step + 1, step), *after)

    steps = []
    for row, (_, terms, scale) in enumerate(job.formulas[: scheme.interior]):
        apart = length - 1 - 2 * row
        pairs = tuple(
            (
                pair(row + upper, apart - upper - lower),
                pair(row + lower, apart - upper - lower),
                weight,
            )
            for upper, lower, weight in terms
        )
        target = pair(row, apart)
        steps.append(Step(target, pairs, scale, None, flat=False, sign=job.task.sign))
    return tuple(steps)


def _edge(task: Task, number: int, formula: Formula, before: Key, after: Key) -> Step:
    stencil = formula.stencil
    constant = task.constants and task.constants[number > task.scheme.interior]

    def at(offset: int, more: int = 0) -> Key:
        return (*before, _agnostic.points(stencil, offset, more), *after)

    def part(number: int) -> Key:
        return (*_all(len(before)), slice(number, number + 1))

    shared = None if stencil.ghosts else part  # they need not lie side by side
    return _step(formula, at, shared, flat=False, sign=task.sign, constant=constant)


# Samples that no program can read as they are.


def _in_blocks(job: Job, write: Callable[..., None]) -> None:
    """Have each block written, and at last the edges that the blocks have not."""
    whole, keys = _blocks(job)
    job.verbs.for_each(lambda key: write(job, *_windows(job, key)), keys)
    if not whole:
        _write_edges_at_last(job)


def _windows(job: Job, key: Key) -> tuple[Any, Any, Any, slice | None, int]:
    """Return what a block reads and where it lies.

    These are the samples, the result and the coordinates with the same margins, the
    rows that are the block's own (None where it has the whole axis, its edges
    included), and which point of the axis is the first of these.
    """
    x, axis, reach = job.task.coordinates, job.task.axis, job.task.scheme.interior
    rows, first = None, 0
    if key[axis].start is not None:
        first = key[axis].start - reach
        rows = slice(reach, reach + key[axis].stop - key[axis].start)
        margins = slice(first, key[axis].stop + reach)
        key = (*key[:axis], margins, *key[axis + 1 :])
    f, out = job.f[key], job.out[key]
    if x is not None:
        # Coordinates may broadcast.
        cuts = zip(key, x.shape, strict=True)
        x = x[tuple(_all(1)[0] if n == 1 else cut for cut, n in cuts)]
    return f, out, x, rows, first


def _write_agnostic(
    job: Job, f: Any, out: Any, x: Any, rows: slice | None, _: int
) -> None:
    """Write one block with the agnostic run."""
    task = job.task._replace(coordinates=x)
    if rows is None:
        out[...] = _agnostic.differentiate(f, task, job.xp)
    else:
        f = _prepared(f, task, job.xp)
        sums = _agnostic.weighted_sum(f, task, task.scheme.interior, job.xp)
        out[(*_all(task.axis), rows)] = sums


def _write_slopes(
    job: Job, f: Any, out: Any, x: Any, rows: slice | None, _: int
) -> None:
    """Write one block on coordinates of its own, with three points inside."""
    along = slopes.keys(f, job.task)
    if along is not None:
        slopes.write(f, x, out, along, job.verbs, edges=rows is None)


def _write_converted(
    job: Job, f: Any, out: Any, x: Any, rows: slice | None, first: int
) -> None:
    """Write one block without any array but blocks of the working dtype."""
    precision, verbs, target = job.task.precision, job.verbs, out
    if precision.wide_samples:
        narrow = _narrowed(job, f)
        if narrow is None:
            _write_agnostic(job, f, out, x, rows, first)
            return
        f = narrow
    f = _agnostic.prepare(f, precision.samples, False, job.xp)
    if precision.result != precision.samples:
        out = verbs.empty_like(target, dtype=precision.samples)
    in_order = verbs.is_contiguous(f) and verbs.is_contiguous(out)
    key = list(_all(f.ndim))
    key[job.task.axis] = rows or slice(None)
    piece = _piece(job, tuple(f.shape), tuple(key), in_order, first)
    run_program(_as_program([piece]), f, out, verbs)
    if out is not target:
        own = (*_all(job.task.axis), rows or slice(None))
        target[own] = out[own]


def _narrowed(job: Job, f: Any) -> Any:
    """Return wide integers that the working dtype need not round, else None.

    Differences are those of the integers less the least of them, and that is exact;
    not so the difference from the constant of a boundary.
    """
    if math.prod(f.shape) == 0 or job.verbs.extremes is None:
        return None
    least, greatest = job.verbs.extremes(f)
    if least >= -LARGEST_EXACT and greatest <= LARGEST_EXACT:
        return f
    if greatest - least > LARGEST_EXACT or job.task.constants is not None:
        return None
    return job.verbs.subtract(f, least)


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
    for number, stencil in enumerate(task.scheme.stencils):
        if number != task.scheme.interior:
            rows = _agnostic.shifted(job.out, task.axis, stencil, 0)
            rows[...] = _agnostic.weighted_sum(f, task, number, xp)


def _ends(array: Any, task: Task, xp: Namespace) -> Any:
    """Return what the edges read: both ends of the axis, put together."""
    reach = task.scheme.points
    if array.shape[task.axis] <= 2 * reach:
        return array
    cuts = (slice(reach), slice(-reach, None))
    return xp.concat([array[(*_all(task.axis), cut)] for cut in cuts], axis=task.axis)


# Samples of which some are missing.


def _of_valid(f: Any, task: Task, xp: Namespace, verbs: Verbs) -> Any:
    """Return one derivative by the agnostic run, on blocks of whole lines.

    It passes over a block a dozen times, and so reads the memory once.
    """
    others = [k for k in range(f.ndim) if k != task.axis]
    if verbs.block_bytes is None or not others:
        return _agnostic.derivative(f, task, xp)
    out = verbs.empty_like(f, dtype=task.precision.result)
    across = max(others, key=lambda k: f.shape[k])
    line = math.prod(f.shape) // max(f.shape[across], 1)
    extent = max(verbs.block_bytes // (max(line, 1) * out.dtype.itemsize), 1)

    def write(start: int) -> None:
        def cut(array: Any) -> Any:
            if array is None or array.shape[across] == 1:
                return array
            return array[(*_all(across), slice(start, start + extent))]

        x, where = cut(task.coordinates), cut(task.where)
        part = task._replace(coordinates=x, where=where)
        cut(out)[...] = _agnostic.derivative(cut(f), part, xp)

    verbs.for_each(write, range(0, f.shape[across], extent))
    return out
