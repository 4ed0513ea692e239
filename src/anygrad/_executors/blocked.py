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
    from anygrad._stencils import Formula
    from anygrad._typing import Namespace

#: One slice per axis.
Key: TypeAlias = tuple[slice, ...]

#: Returns the samples for the upper and the lower offset of a term.
Views: TypeAlias = Callable[[int, int], tuple[Any, Any]]

#: An axis this short stays whole in its block, and its edges are written with it:
#: later, they would cost a second pass over all of the memory.
SHORT_AXIS = 64

#: Weights that vary along a shorter run than this are spread over the block once, so
#: that a library's inner loop runs over the block and not over the run.
SHORT_RUN = 512


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


class Job(NamedTuple):
    """One derivative, with the axes in the order of memory."""

    f: Any
    out: Any
    task: Task
    formulas: tuple[Formula, ...]
    spread: dict[tuple[int, ...], Formula]
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
    if not verbs.is_contiguous(out):
        strides = verbs.strides(out)
        order = sorted(range(f.ndim), key=lambda k: -strides[k])
        f, out = verbs.transpose(f, order), verbs.transpose(out, order)
        x = task.coordinates
        task = task._replace(
            axis=order.index(task.axis),
            coordinates=None if x is None else verbs.transpose(x, order),
        )
    job = Job(f, out, task, _formulas(task, xp), {}, xp, verbs)
    write = _write_in_place if job.formulas else _write_agnostic
    if _fits_in_one_block(job):
        write(job, f, out, task.coordinates, None)
        return result
    whole, keys = _blocks(job)
    verbs.for_each(lambda key: write(job, *_cut_out(job, key)), keys)
    if not whole:
        _write_edges_at_last(job)
    return result


def _formulas(task: Task, xp: Namespace) -> tuple[Formula, ...]:
    """Return the formulas of the scheme; none where the agnostic run must do it.

    With one coordinate per point there are as many weights as samples: each block
    makes its own.
    """
    x, precision = task.coordinates, task.precision
    if precision.wide_samples:
        return ()
    if x is None:
        return task.formulas
    if math.prod(x.shape) != x.shape[task.axis] or precision.is_complex_by_grid:
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
    precision, target = job.task.precision, out
    f = _prepared(f, job.task, job.xp)
    if precision.result != precision.samples:
        out = job.verbs.empty_like(target, dtype=precision.samples)
    _write_interior(job, f, out, rows)
    if rows is None:
        _write_edges(job, f, out)
    if out is not target:
        target[...] = out


def _write_interior(job: Job, f: Any, out: Any, rows: slice | None) -> None:
    """Write the interior of a block, as one run through memory where it is one."""
    axis, reach, verbs = job.task.axis, job.task.scheme.interior, job.verbs
    formula, weighted = job.formulas[reach], job.task.coordinates is not None
    stride = math.prod(out.shape[axis + 1 :])
    if (
        (not weighted or (rows is None and out.shape[axis] * stride < SHORT_RUN))
        and verbs.is_contiguous(f)
        and verbs.is_contiguous(out)
    ):
        # Neighbours along the axis lie `stride` elements apart.  In a block of several
        # runs, the points at their ends get nonsense, and their edges afterwards.
        if weighted:
            formula = _spread(job, formula, out.shape)
        if f.ndim > 1:
            f, out, axis = f.reshape(-1), out.reshape(-1), 0
    else:
        stride = 1
        if weighted and rows is not None:
            formula = _cut(formula, axis, rows)
    first = reach * stride
    length = f.shape[axis] - 2 * first
    before = (slice(None),) * axis

    def views(upper: int, lower: int) -> tuple[Any, Any]:
        a, b = first + upper * stride, first + lower * stride
        return f[(*before, slice(a, a + length))], f[(*before, slice(b, b + length))]

    if rows is None:
        out = out[(*before, slice(first, first + length))]
    _accumulate(formula, views, out, verbs)


def _cut(formula: Formula, axis: int, rows: slice) -> Formula:
    """Cut weights, which begin with the interior, to the rows of a block."""
    reach = formula.stencil.start
    cut = (slice(None),) * axis + (slice(rows.start - reach, rows.stop - reach),)
    return formula._replace(
        terms=tuple((upper, lower, w[cut]) for upper, lower, w in formula.terms)
    )


def _spread(job: Job, formula: Formula, shape: tuple[int, ...]) -> Formula:
    """Repeat weights over a block of whole runs, from its first interior point."""
    known = job.spread.get(shape)
    if known is None:
        terms = tuple((*pair, _repeated(job, w, shape)) for *pair, w in formula.terms)
        known = job.spread[shape] = formula._replace(terms=terms)
    return known


def _repeated(job: Job, weight: Any, shape: tuple[int, ...]) -> Any:
    axis, reach, xp = job.task.axis, job.task.scheme.interior, job.xp
    edge = job.task.coordinates[(slice(None),) * axis + (slice(reach),)]
    margin = xp.zeros_like(edge, dtype=weight.dtype)
    padded = xp.concat([margin, weight, margin], axis=axis)
    flat = xp.reshape(xp.broadcast_to(padded, shape), (-1,))
    first = reach * math.prod(shape[axis + 1 :])
    return flat[first : math.prod(shape) - first]


def _write_edges(job: Job, f: Any, out: Any) -> None:
    """Write the edges of a block that has the whole axis."""
    axis, scheme, formulas = job.task.axis, job.task.scheme, job.formulas
    length = f.shape[axis]
    in_pairs = (
        job.task.coordinates is None
        and scheme.mirrored is not None
        and length >= scheme.mirrored
    )
    for row in range(scheme.interior):
        if in_pairs:
            _write_both_edges(formulas[row], row, axis, f, out, job.verbs)
        else:
            _write_edge(formulas[row], axis, f, out, job.verbs)
            _write_edge(formulas[-1 - row], axis, f, out, job.verbs)


def _write_edge(formula: Formula, axis: int, f: Any, out: Any, verbs: Verbs) -> None:
    stencil = formula.stencil

    def views(upper: int, lower: int) -> tuple[Any, Any]:
        return (
            _agnostic.shifted(f, axis, stencil, upper),
            _agnostic.shifted(f, axis, stencil, lower),
        )

    _accumulate(formula, views, _agnostic.shifted(out, axis, stencil, 0), verbs)


def _write_both_edges(
    formula: Formula, row: int, axis: int, f: Any, out: Any, verbs: Verbs
) -> None:
    """Write a row of the left edge and its mirror image with the same operations.

    The image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``, counted from the
    mirrored row: two pairs of points, the partners of each pair equally far apart, so
    each pair is a slice with a step.
    """
    before, apart = (slice(None),) * axis, f.shape[axis] - 1 - 2 * row

    def pair(array: Any, start: int, step: int) -> Any:
        return array[(*before, slice(start, start + step + 1, step))]

    def views(upper: int, lower: int) -> tuple[Any, Any]:
        step = apart - upper - lower
        return pair(f, row + upper, step), pair(f, row + lower, step)

    _accumulate(formula, views, pair(out, row, apart), verbs)


def _accumulate(formula: Formula, views: Views, out: Any, verbs: Verbs) -> None:
    """Write the weighted sum of differences, scaled, into `out`."""
    scratch = None
    for number, (upper, lower, weight) in enumerate(formula.terms):
        target = out
        if number:
            if scratch is None:
                scratch = verbs.empty_like(out, dtype=out.dtype)
            target = scratch
        verbs.subtract(*views(upper, lower), out=target)
        if weight is not None:
            verbs.multiply(target, weight, out=target)
        if number:
            verbs.add(out, target, out=out)
    if formula.scale.factor is not None:
        verbs.multiply(out, formula.scale.factor, out=out)
    for divisor in formula.scale.divisors:
        verbs.divide(out, divisor, out=out)
