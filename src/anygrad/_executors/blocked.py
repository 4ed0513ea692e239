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
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from anygrad import _agnostic, _precision

if TYPE_CHECKING:
    from anygrad._plan import Plan, Task
    from anygrad._stencils import Scale, Stencil
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


class Formula(NamedTuple):
    """A stencil, its terms with the weights, and the scale of their sum."""

    stencil: Stencil
    terms: tuple[tuple[int, int, Any], ...]
    scale: Scale


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
    wide = _agnostic.is_wide(f, task.precision.samples, xp)
    formulas = () if wide else _formulas(task, xp)
    job = Job(f, out, task, formulas, {}, xp, verbs)
    write = _write_in_place if formulas else _write_agnostic
    whole, keys = _blocks(job)
    verbs.for_each(lambda key: write(job, key, whole), keys)
    if not whole:
        _write_edges_at_last(job)
    return result


def _formulas(task: Task, xp: Namespace) -> tuple[Formula, ...]:
    """Return the formulas of the scheme; none where blocks must make their own.

    With one coordinate per point there are as many weights as samples.
    """
    x = task.coordinates
    if x is not None and (
        math.prod(x.shape) != x.shape[task.axis] or _precision.is_complex(x.dtype, xp)
    ):
        return ()
    return tuple(
        [
            Formula(stencil, *_agnostic.formula(task, number, xp))
            for number, stencil in enumerate(task.scheme.stencils)
        ]
    )


def _blocks(job: Job) -> tuple[bool, Iterable[Key]]:
    """Cut the result into blocks; tell whether each has the whole axis.

    The last axes are the fastest in memory, so they are the last to be cut.  If the
    axis itself is cut, the blocks are of the interior only.
    """
    shape, axis, scheme = job.out.shape, job.task.axis, job.task.scheme
    size, room = math.prod(shape), job.verbs.block_bytes
    if room is None or size * job.out.dtype.itemsize <= room:
        return True, ((slice(None),) * len(shape),)
    room //= job.out.dtype.itemsize
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


def _write_agnostic(job: Job, key: Key, whole: bool) -> None:
    """Write one block with the agnostic run."""
    task, x = job.task, job.task.coordinates
    f = job.f[_with_halo(job, key, job.f.shape)]
    if x is not None:
        task = task._replace(coordinates=x[_with_halo(job, key, x.shape)])
    if whole:
        job.out[key] = _agnostic.differentiate(f, task, job.xp)
    else:
        f = _agnostic.prepare(f, task.precision.samples, job.xp)
        job.out[key] = _agnostic.weighted_sum(f, task, task.scheme.interior, job.xp)


def _write_edges_at_last(job: Job) -> None:
    """Write the rows of the edges, after blocks that had the interior only."""
    task, xp, x = job.task, job.xp, job.task.coordinates
    for number, stencil in enumerate(task.scheme.stencils):
        if number == task.scheme.interior:
            continue
        at_left = number < task.scheme.interior
        points = slice(task.scheme.points) if at_left else slice(-task.scheme.points, None)
        near = (slice(None),) * task.axis + (points,)
        part = task if x is None else task._replace(coordinates=x[near])
        f = _agnostic.prepare(job.f[near], task.precision.samples, xp)
        rows = _agnostic.shifted(job.out, task.axis, stencil, 0)
        rows[...] = _agnostic.weighted_sum(f, part, number, xp)


def _write_in_place(job: Job, key: Key, whole: bool) -> None:
    """Write one block without any array but, at most, blocks of the working dtype."""
    precision, verbs = job.task.precision, job.verbs
    f = job.f[_with_halo(job, key, job.f.shape)]
    if f.dtype != precision.samples:
        f = job.xp.astype(f, precision.samples)
    out = target = job.out[key]
    if precision.result != precision.samples:
        out = verbs.empty_like(target, dtype=precision.samples)
    _write_interior(job, f, out, key, whole)
    if whole:
        _write_edges(job, f, out)
    if out is not target:
        target[...] = out


def _write_interior(job: Job, f: Any, out: Any, key: Key, whole: bool) -> None:
    """Write the interior of a block, as one run through memory where it is one."""
    axis, reach = job.task.axis, job.task.scheme.interior
    formula, weighted = job.formulas[reach], job.task.coordinates is not None
    inner = math.prod(out.shape[axis + 1 :])
    if (
        (not weighted or (whole and out.shape[axis] * inner < SHORT_RUN))
        and job.verbs.is_contiguous(f)
        and job.verbs.is_contiguous(out)
    ):
        # Neighbours along the axis lie `inner` elements apart.  In a block of several
        # runs, the points at their ends get nonsense, and their edges afterwards.
        if weighted:
            formula = _spread(job, formula, out.shape)
        f, out, axis, stride = f.reshape(-1), out.reshape(-1), 0, inner
    else:
        stride = 1
        if weighted and not whole:
            formula = _cut(formula, axis, key[axis])
    first = reach * stride
    length = f.shape[axis] - 2 * first
    before = (slice(None),) * axis

    def views(upper: int, lower: int) -> tuple[Any, Any]:
        a, b = first + upper * stride, first + lower * stride
        return f[(*before, slice(a, a + length))], f[(*before, slice(b, b + length))]

    if whole:
        out = out[(*before, slice(first, first + length))]
    _accumulate(formula, views, out, job.verbs)


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
    before, last = (slice(None),) * axis, f.shape[axis] - 1
    for row in range(scheme.interior):
        left, right = formulas[row], formulas[-1 - row]
        farthest = max(upper + lower for upper, lower, _ in left.terms)
        if (
            scheme.mirrored
            and job.task.coordinates is None
            and 2 * row + farthest < last
        ):
            _write_both_edges(left, row, before, last, f, out, job.verbs)
            continue
        for formula in (left, right):
            _write_edge(formula, axis, f, out, job.verbs)


def _write_edge(formula: Formula, axis: int, f: Any, out: Any, verbs: Verbs) -> None:
    stencil = formula.stencil

    def views(upper: int, lower: int) -> tuple[Any, Any]:
        return (
            _agnostic.shifted(f, axis, stencil, upper),
            _agnostic.shifted(f, axis, stencil, lower),
        )

    _accumulate(formula, views, _agnostic.shifted(out, axis, stencil, 0), verbs)


def _write_both_edges(
    formula: Formula, row: int, before: Key, last: int, f: Any, out: Any, verbs: Verbs
) -> None:
    """Write a row of the left edge and its mirror image with the same operations.

    The image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``, counted from the
    mirrored row: two pairs of points, the partners of each pair equally far apart, so
    each pair is a slice with a step.
    """

    def pair(start: int, step: int) -> slice:
        return slice(start, start + step + 1, step)

    def views(upper: int, lower: int) -> tuple[Any, Any]:
        step = last - 2 * row - upper - lower
        return (
            f[(*before, pair(row + upper, step))],
            f[(*before, pair(row + lower, step))],
        )

    rows = out[(*before, pair(row, last - 2 * row))]
    _accumulate(formula, views, rows, verbs)


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
