"""The plan in blocks that stay in the cache, written into a result made beforehand.

The agnostic run passes over the whole array once per operation, and every pass goes
to memory.  Here the passes go over one block after the other, and each block stays in
the cache between them; the result is written where it belongs, so nothing is put
together at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from anygrad import _agnostic

if TYPE_CHECKING:
    from anygrad._plan import Plan, Task
    from anygrad._stencils import Formula, Scale
    from anygrad._typing import Namespace

#: An index of an array: slices, one per axis or for the first axes.
Key: TypeAlias = tuple[Any, ...]

#: Where the program of a small array is kept: finding it anew by its shape, dtype and
#: order would take longer than running it.
AS_ONE_BLOCK = "as one block"

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


class Verbs(NamedTuple):
    """A library's own words for writing in place.

    Attributes
    ----------
    empty_like : callable
        ``empty_like(f, dtype=dtype)``: not filled, in the memory order of `f`.
    subtract, multiply, divide, add : callable
        ``verb(a, b, out=out)``.
    strides : callable
        How far apart in memory the neighbours along each axis are.
    transpose : callable
        ``transpose(a, axes)``: a view.
    is_contiguous : callable
        Whether the elements lie in memory one after the other, the last axis fastest.
    block_bytes : int or None
        How large a block of the result should be; None for no blocks.
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
    block_bytes: int | None
    for_each: Callable[[Callable[[Any], None], Iterable[Any]], None]
    carry_out: Callable[[Step, Any, Any, Verbs], None]


class Step(NamedTuple):
    """One formula on a block: which views to combine, and where the sum goes.

    Attributes
    ----------
    target : Key
        The points of the result.
    terms : tuple of (Key, Key, weight)
        The samples for the upper and the lower offset of a difference, and its weight.
    scale : Scale
        What the sum is scaled with.
    """

    target: Key
    terms: tuple[tuple[Key, Key, Any], ...]
    scale: Scale


class Program(NamedTuple):
    """All steps on a block of one shape; blocks of the same shape share it.

    Attributes
    ----------
    interior : Step
        In keys of one dimension if `flat`.
    flat : bool
        Whether the interior is one run through memory.
    edges : tuple of Step
        Empty for a block that has not the whole axis.
    """

    interior: Step
    flat: bool
    edges: tuple[Step, ...]


class Job(NamedTuple):
    """One derivative, with the axes in the order of memory."""

    f: Any
    out: Any
    task: Task
    formulas: tuple[Formula, ...]
    programs: dict[Any, Program]
    xp: Namespace
    verbs: Verbs


def run(f: Any, plan: Plan, xp: Namespace, verbs: Verbs) -> tuple[Any, ...]:
    """Return the derivatives of `f`, one per task of the plan."""
    return tuple([differentiate(f, task, xp, verbs) for task in plan.tasks])


def one_by_one(function: Callable[[Any], None], blocks: Iterable[Any]) -> None:
    """Do the blocks one after the other."""
    for block in blocks:
        function(block)


def differentiate(f: Any, task: Task, xp: Namespace, verbs: Verbs) -> Any:
    """Return one derivative."""
    result = out = verbs.empty_like(f, dtype=task.precision.result)
    if task.memo and AS_ONE_BLOCK in task.memo and verbs.is_contiguous(f):
        _run_program(task.memo[AS_ONE_BLOCK], f, out, verbs)
        return result
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
    programs = {} if task.memo is None else task.memo
    job = Job(
        f, out, task, _formulas(task, math.prod(f.shape), xp), programs, xp, verbs
    )
    write = _write_in_place if job.formulas else _write_agnostic
    if _fits_in_one_block(job):
        write(job, f, out, task.coordinates, None)
        return result
    whole, keys = _blocks(job)
    verbs.for_each(lambda key: write(job, *_cut_out(job, key)), keys)
    if not whole:
        _write_edges_at_last(job)
    return result


def _formulas(task: Task, samples: int, xp: Namespace) -> tuple[Formula, ...]:
    """Return the formulas of the scheme; none where the agnostic run must do it.

    Where there are about as many weights as samples, e.g. with one coordinate per
    point, each block makes its own, and they never leave the cache.
    """
    x, precision = task.coordinates, task.precision
    if precision.wide_samples:
        return ()
    if task.formulas:
        return task.formulas
    if x is not None:
        weights = math.prod(x.shape)
        if weights != x.shape[task.axis] or precision.is_complex_by_grid:
            return ()
        if weights > MOST_WEIGHTS and weights * 8 > samples:
            return ()
    numbers = range(len(task.scheme.stencils))
    return tuple([_agnostic.formula(task, number, xp) for number in numbers])


def _fits_in_one_block(job: Job) -> bool:
    room = job.verbs.block_bytes
    return room is None or math.prod(job.out.shape) * job.out.dtype.itemsize <= room


def _blocks(job: Job) -> tuple[bool, Iterable[Key]]:
    """Cut the result into blocks; tell whether each has the whole axis.

    The last axes are the fastest in memory, so they are the last to be cut.  If the
    axis itself is cut, the blocks are of the interior only.
    """
    shape, axis, scheme = job.out.shape, job.task.axis, job.task.scheme
    room = cast("int", job.verbs.block_bytes) // job.out.dtype.itemsize
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


def _cut_out(job: Job, key: Key) -> tuple[Any, Any, Any, slice | None]:
    """Return a block: its samples, its result, its coordinates, and its rows.

    The rows are None where the block has the whole axis, its edges included.
    """
    x = job.task.coordinates
    rows = key[job.task.axis]
    return (
        job.f[_with_halo(job, key, job.f.shape)],
        job.out[key],
        None if x is None else x[_with_halo(job, key, x.shape)],
        None if rows.start is None else rows,
    )


def _with_halo(job: Job, key: Key, shape: Sequence[int]) -> Key:
    """Widen a block of the result to what it reads of an array of this shape."""
    axis, reach = job.task.axis, job.task.scheme.interior
    wide = [
        slice(None) if length == 1 else cut  # coordinates may broadcast
        for cut, length in zip(key, shape, strict=True)
    ]
    if key[axis].start is not None:
        wide[axis] = slice(key[axis].start - reach, key[axis].stop + reach)
    return tuple(wide)


def _write_agnostic(job: Job, f: Any, out: Any, x: Any, rows: slice | None) -> None:
    """Write one block with the agnostic run."""
    task = job.task._replace(coordinates=x)
    if rows is None:
        out[...] = _agnostic.differentiate(f, task, job.xp)
    else:
        f = _prepared(f, task, job.xp)
        out[...] = _agnostic.weighted_sum(f, task, task.scheme.interior, job.xp)


def _prepared(f: Any, task: Task, xp: Namespace) -> Any:
    precision = task.precision
    return _agnostic.prepare(f, precision.samples, precision.wide_samples, xp)


def _write_edges_at_last(job: Job) -> None:
    """Write the rows of the edges, after blocks that had the interior only."""
    task, xp, x = job.task, job.xp, job.task.coordinates
    for number, stencil in enumerate(task.scheme.stencils):
        if number == task.scheme.interior:
            continue
        at_left = number < task.scheme.interior
        points = (
            slice(task.scheme.points) if at_left else slice(-task.scheme.points, None)
        )
        near = (slice(None),) * task.axis + (points,)
        part = task if x is None else task._replace(coordinates=x[near])
        f = _prepared(job.f[near], task, xp)
        rows = _agnostic.shifted(job.out, task.axis, stencil, 0)
        rows[...] = _agnostic.weighted_sum(f, part, number, xp)


def _write_in_place(job: Job, f: Any, out: Any, _: Any, rows: slice | None) -> None:
    """Write one block without any array but, at most, blocks of the working dtype."""
    precision, target, verbs = job.task.precision, out, job.verbs
    f = _prepared(f, job.task, job.xp)
    if precision.result != precision.samples:
        out = verbs.empty_like(target, dtype=precision.samples)
    in_order = verbs.is_contiguous(f) and verbs.is_contiguous(out)
    part = None if rows is None else (rows.start, rows.stop)
    if part is not None and job.task.coordinates is None:
        part = (0, 0)  # without weights, all parts are alike
    key = (job.task.axis, out.shape, in_order, part)
    program = job.programs.get(key)
    if program is None:
        program = job.programs[key] = _program(job, out.shape, in_order, rows)
        if out is job.out and f is job.f and in_order:
            job.programs[AS_ONE_BLOCK] = program
    _run_program(program, f, out, verbs)
    if out is not target:
        target[...] = out


def _run_program(program: Program, f: Any, out: Any, verbs: Verbs) -> None:
    if program.flat and f.ndim > 1:
        verbs.carry_out(program.interior, f.reshape(-1), out.reshape(-1), verbs)
    else:
        verbs.carry_out(program.interior, f, out, verbs)
    for step in program.edges:
        verbs.carry_out(step, f, out, verbs)


def carry_out(step: Step, f: Any, out: Any, verbs: Verbs) -> None:
    """Write the weighted sum of differences, scaled, into the target."""
    target, terms, (factor, divisors) = step
    out = scratch = out[target]
    is_first = True
    for upper, lower, weight in terms:
        if scratch is out and not is_first:
            scratch = verbs.empty_like(out, dtype=out.dtype)
        verbs.subtract(f[upper], f[lower], out=scratch)
        is_minus_one = isinstance(weight, float) and weight == -1.0 and not is_first
        if weight is not None and not is_minus_one:
            verbs.multiply(scratch, weight, out=scratch)
        if is_minus_one:
            verbs.subtract(out, scratch, out=out)
        elif not is_first:
            verbs.add(out, scratch, out=out)
        is_first = False
    if factor is not None:
        verbs.multiply(out, factor, out=out)
    for divisor in divisors:
        verbs.divide(out, divisor, out=out)


def _program(
    job: Job, shape: tuple[int, ...], in_order: bool, rows: slice | None
) -> Program:
    """Return the steps for a block of this shape; `rows` are those of a part."""
    axis, weighted = job.task.axis, job.task.coordinates is not None
    in_short_runs = (
        rows is None
        and math.prod(shape[:axis]) > 1
        and math.prod(shape[axis:]) < SHORT_RUN
    )
    flat = in_order and (not weighted or in_short_runs)
    formula = job.formulas[job.task.scheme.interior]
    if weighted and flat:
        formula = _with_weights(formula, lambda w: _repeated(job, w, shape))
    elif weighted and rows is not None:
        formula = _with_weights(formula, lambda w: _cut(job, w, rows))
    return Program(
        interior=_interior(job, formula, shape, flat, rows is None),
        flat=flat,
        edges=_edges(job, shape) if rows is None else (),
    )


def _with_weights(formula: Formula, change: Callable[[Any], Any]) -> Formula:
    terms = tuple((upper, lower, change(w)) for upper, lower, w in formula.terms)
    return formula._replace(terms=terms)


def _cut(job: Job, weight: Any, rows: slice) -> Any:
    """Cut a weight, which begins with the interior, to the rows of a block."""
    reach = job.task.scheme.interior
    cut = slice(rows.start - reach, rows.stop - reach)
    return weight[(slice(None),) * job.task.axis + (cut,)]


def _repeated(job: Job, weight: Any, shape: tuple[int, ...]) -> Any:
    """Repeat a weight over a block of whole runs, from its first interior point."""
    axis, reach, xp = job.task.axis, job.task.scheme.interior, job.xp
    x: Any = job.task.coordinates
    edge = x[(slice(None),) * axis + (slice(reach),)]
    margin = xp.zeros_like(edge, dtype=weight.dtype)
    padded = xp.concat([margin, weight, margin], axis=axis)
    flat = xp.reshape(xp.broadcast_to(padded, shape), (-1,))
    first = reach * math.prod(shape[axis + 1 :])
    return flat[first : math.prod(shape) - first]


def _interior(
    job: Job, formula: Formula, shape: tuple[int, ...], flat: bool, whole: bool
) -> Step:
    """Return the step of the interior.

    In one run through memory, neighbours along the axis lie `stride` elements apart.
    If the block has several runs, the points at their ends get nonsense, and their
    edges afterwards.
    """
    axis, reach = job.task.axis, job.task.scheme.interior
    stride = math.prod(shape[axis + 1 :]) if flat else 1
    before = () if flat else (slice(None),) * axis
    length = math.prod(shape) if flat else shape[axis]
    if whole:
        length -= 2 * reach * stride

    def at(offset: int) -> Key:
        start = (reach + offset) * stride
        return (*before, slice(start, start + length))

    terms = tuple((at(upper), at(lower), w) for upper, lower, w in formula.terms)
    return Step(at(0) if whole else (...,), terms, formula.scale)


def _edges(job: Job, shape: tuple[int, ...]) -> tuple[Step, ...]:
    """Return the steps of the edges, an edge and its mirror image in one if that pays.

    The image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``, counted from the
    mirrored row: two pairs of points, the partners of each pair equally far apart, so
    each pair is a slice with a step.
    """
    axis, scheme = job.task.axis, job.task.scheme
    before, length = (slice(None),) * axis, shape[axis]
    # Pairs save calls.  On a CPU with many of them, an inner loop over two costs more.
    are_few = job.verbs.block_bytes is None or math.prod(shape[:axis]) <= FEW_RUNS
    least = scheme.mirrored if are_few and job.task.coordinates is None else None
    if least is None or length < least:
        return tuple(
            _edge(formula, before)
            for number, formula in enumerate(job.formulas)
            if number != scheme.interior
        )

    def pair(start: int, step: int) -> Key:
        return (*before, slice(start, start + step + 1, step))

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
        steps.append(Step(pair(row, apart), pairs, scale))
    return tuple(steps)


def _edge(formula: Formula, before: Key) -> Step:
    stencil, terms, scale = formula

    def at(offset: int) -> Key:
        return (*before, _agnostic.points(stencil, offset))

    return Step(at(0), tuple((at(u), at(lower), w) for u, lower, w in terms), scale)
