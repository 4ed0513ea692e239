"""Programs: a derivative as steps, block by block.

A program is made from formulas, shapes and the order of memory alone, so that it
serves for all samples that share them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._executors.blocks import blocks_of, every
from .._executors.steps import Index, Neighbours, Numbers, Step, is_minus_one

if TYPE_CHECKING:
    from .._executors.blocks import Job
    from .._executors.steps import InPlaceOps
    from .._formulas import WeightedFormula
    from .._records import Task

#: Weights that vary along a shorter run than this are spread over the block once, so
#: that a library's inner loop runs over the block and not over the run.
SHORT_RUN = 512

#: For no more runs than this, an edge and its mirror image are written together.
FEW_RUNS = 8


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


def run(program: Program, numbers: Numbers, f: Any, out: Any, ops: InPlaceOps) -> None:
    """Do all steps: those of the pieces in any order, then the last ones."""
    pieces, at_last, flat = program
    run = (f.reshape(-1), out.reshape(-1)) if flat and f.ndim > 1 else (f, out)

    def do(piece: tuple[Step, ...]) -> None:
        for step in piece:
            if step.flat:
                ops.carry_out(step, numbers, *run, ops)
            else:
                ops.carry_out(step, numbers, f, out, ops)

    if len(pieces) == 1:
        do(pieces[0])
    else:
        ops.for_each(do, pieces)
    do(at_last)


def program_of(job: Job, in_order: bool) -> Program:
    """Return the steps on all of the samples, which are of the working dtype."""
    whole, indices = blocks_of(job)
    shape = tuple(job.f.shape)
    pieces = [piece_of(job, shape, index, in_order, 0) for index in indices]
    at_last = () if whole else _edges(job, shape, every(len(shape)))
    return as_program(pieces, at_last)


def as_program(
    pieces: list[tuple[Step, ...]], at_last: tuple[Step, ...] = ()
) -> Program:
    flat = any(step.flat for piece in pieces for step in piece)
    return Program(pieces, at_last, flat)


def piece_of(
    job: Job, shape: tuple[int, ...], index: Index, in_order: bool, first: int
) -> tuple[Step, ...]:
    """Return the steps of one block: the interior, and the edges if it has them.

    Parameters
    ----------
    job : Job
        Its formulas.
    shape : tuple of int
        Of the samples and of the result that the indices are for.
    index : Index
        The block among them.
    in_order : bool
        Whether both lie in memory one after the other.
    first : int
        Which point of the whole axis is the first of these.
    """
    axis = job.task.axis
    number = job.task.scheme.interior
    formula = job.formulas[number]
    edges = _edges(job, shape, index)
    is_whole = index[axis].start is None
    if not is_whole:
        inner = _inner(job, shape, index)
        if inner.start >= inner.stop:
            return edges
        index = (*index[:axis], inner, *index[axis + 1 :])
    extents = [len(range(*cut.indices(n))) for cut, n in zip(index, shape, strict=True)]
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
            rows = slice(index[axis].start + first, index[axis].stop + first)
            formula = formula.with_weights(lambda w: _cut(job, w, rows))
    if flat:
        interior = _flat_interior(job, formula, shape, index, extents)
    else:
        interior = _interior(job, formula, shape, index)
    return (interior, *edges)


def _inner(job: Job, shape: tuple[int, ...], index: Index) -> slice:
    """Return the rows of a block that are the interior's."""
    axis, reach = job.task.axis, job.task.scheme.interior
    start, stop, _ = index[axis].indices(shape[axis])
    return slice(max(start, reach), min(stop, shape[axis] - reach))


def _is_one_run(extents: Sequence[int], shape: Sequence[int]) -> bool:
    """Tell whether a block of an array in order is one run through memory."""
    cut = next((k for k, n in enumerate(extents) if n != 1), len(shape))
    return tuple(extents[cut + 1 :]) == tuple(shape[cut + 1 :])


def _cut(job: Job, weight: Any, rows: slice) -> Any:
    """Cut a weight, which begins with the interior, to the rows of a block."""
    reach = job.task.scheme.interior
    cut = slice(rows.start - reach, rows.stop - reach)
    return weight[(slice(None),) * job.task.axis + (cut,)]


def _spread(
    job: Job, formula: WeightedFormula, shape: tuple[int, ...]
) -> WeightedFormula:
    """Repeat weights over a block of whole runs, from its first interior point."""
    known = job.spread.get(shape)
    if known is None:
        known = formula.with_weights(lambda w: _repeated(job, w, shape))
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
    formula: WeightedFormula,
    shape: tuple[int, ...],
    index: Index,
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
        (cut.start or 0) * math.prod(shape[k + 1 :]) for k, cut in enumerate(index)
    )
    stop = start + math.prod(extents)
    if index[axis].start is None:
        margin = job.task.scheme.interior * stride
        start, stop = start + margin, stop - margin

    def at(offset: int, more: int = 0) -> Index:
        return (slice(start + offset * stride, stop + (offset + more) * stride),)

    def part(number: int) -> Index:
        return (slice(number * stride, number * stride + stop - start),)

    return _step(
        formula, job.task.scheme.interior, at, part, flat=True, sign=job.task.sign
    )


def _interior(
    job: Job, formula: WeightedFormula, shape: tuple[int, ...], index: Index
) -> Step:
    """Return the step of the interior, along its axis."""
    axis, reach = job.task.axis, job.task.scheme.interior
    before, after, rows = index[:axis], _without_end(index[axis + 1 :]), index[axis]
    start, stop = reach, shape[axis] - reach
    if rows.start is not None:
        start, stop = rows.start, rows.stop

    def at(offset: int, more: int = 0) -> Index:
        return (*before, slice(start + offset, stop + offset + more), *after)

    def part(number: int) -> Index:
        return (*every(axis), slice(number, number + stop - start))

    return _step(
        formula, job.task.scheme.interior, at, part, flat=False, sign=job.task.sign
    )


def _without_end(index: Index) -> Index:
    """Leave out the slices at the end that cut nothing: each costs time to read."""
    return () if all(cut == slice(None) for cut in index) else index


def _step(
    formula: WeightedFormula,
    number: int,
    at: Callable[..., Index],
    part: Callable[[int], Index] | None,
    *,
    flat: bool,
    sign: int,
    end: int = 0,
) -> Step:
    """Return a formula as a step.

    ``at(offset, more)`` is the index of what lies `offset` from the points to be
    filled, and of `more` points after them; ``part(number)`` that of as many points as
    are to be filled, `number` after the first.  Without it, neighbours share no
    differences.
    """
    _, terms, scale = formula
    neighbours = None
    if part is not None and len(terms) > 1 and _are_neighbours(terms):
        lowest = min([lower for _, lower, _ in terms])
        more = len(terms) - 1
        # Of a difference of two terms, the one that is subtracted is the second.
        if is_minus_one(terms[0][2]):
            terms = (terms[1], terms[0], *terms[2:])
        neighbours = Neighbours(
            at(lowest + 1, more),
            at(lowest, more),
            tuple(part(lower - lowest) for _, lower, _ in terms),
        )
    return Step(
        at(0),
        tuple(
            (at(upper), end if lower is None else at(lower), weight)
            for upper, lower, weight in terms
        ),
        scale,
        number,
        neighbours,
        flat,
        sign,
    )


def _are_neighbours(terms: Sequence[tuple[int, Any, Any]]) -> bool:
    """Tell whether these are differences of neighbours, one beside the other.

    They run away from an edge, so that those of the right one are the mirror image.
    """
    lowers = [lower for _, lower, _ in terms]
    if None in lowers or any(upper - lower != 1 for upper, lower, _ in terms):
        return False
    return {b - a for a, b in pairwise(lowers)} in ({1}, {-1})


def _edges(job: Job, shape: tuple[int, ...], index: Index) -> tuple[Step, ...]:
    """Return the steps of the edges that are in a block.

    An edge and its mirror image are one step if that pays.

    The image of ``f[upper] - f[lower]`` is ``f[-lower] - f[-upper]``, counted from the
    mirrored row: two pairs of points, the partners of each pair equally far apart, so
    each pair is a slice with a step.
    """
    axis, scheme = job.task.axis, job.task.scheme
    before, after, length = index[:axis], _without_end(index[axis + 1 :]), shape[axis]
    rows = range(*index[axis].indices(length))
    inside = [
        number
        for number, formula in enumerate(scheme.formulas)
        if number != scheme.interior and formula.start % length in rows
    ]
    # Pairs save calls.  On a CPU with many of them, an inner loop over two costs more.
    runs = math.prod(
        len(range(*cut.indices(n))) for cut, n in zip(before, shape, strict=False)
    )
    are_few = job.ops.block_bytes is None or runs <= FEW_RUNS
    least = scheme.mirrored if are_few and job.task.coordinates is None else None
    if least is None or length < least or len(rows) < length:
        return tuple(
            _edge(job.task, number, job.formulas[number], before, after)
            for number in inside
        )

    def pair(start: int, step: int) -> Index:
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
        steps.append(
            Step(target, pairs, scale, row, None, flat=False, sign=job.task.sign)
        )
    return tuple(steps)


def _edge(
    task: Task, number: int, weighted: WeightedFormula, before: Index, after: Index
) -> Step:
    formula = weighted.formula
    end = int(number > task.scheme.interior)

    def at(offset: int, more: int = 0) -> Index:
        return (*before, _agnostic.points(formula, offset, more), *after)

    def part(number: int) -> Index:
        return (*every(len(before)), slice(number, number + 1))

    shared = None if formula.ghosts else part  # they need not lie side by side
    return _step(weighted, number, at, shared, flat=False, sign=task.sign, end=end)
