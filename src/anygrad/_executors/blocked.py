"""The plan in blocks that stay in the cache, written into a result made beforehand.

The agnostic run passes over the whole array once per operation, and every pass goes
to memory.  Here its operations, recorded, are played on one block after the other, and
each block stays in the cache between them; the result is written where it belongs, so
nothing is put together at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._beyond import has_arrays
from .._executors import blocks, gathered, masked, results, scores
from .._executors.blocks import Bound
from .._executors.kernels import in_order_of_memory, remember
from .._executors.scores import Term
from .._executors.windows import Kind
from .._records import totals_of, unrounded

if TYPE_CHECKING:
    from .._executors.gathered import Gathered
    from .._executors.operations import InPlaceOps
    from .._executors.scores import Score
    from .._records import Plan, Task
    from .._typing import Namespace

#: Weights are made once for all lines if there are more lines than these,
FEW_LINES = 16

#: or if there are no more weights than these, and more samples than those.
MOST_WEIGHTS, FEW_SAMPLES = 2**14, 2**17

#: or if these have so many points that to record how they are made takes too long.
MANY_POINTS = 5

#: Weights that vary along a shorter run than this are spread over the block once, so
#: that a library's inner loop runs over the block and not over the run.
SHORT_RUN = 512

#: Blocks of a sum are so much larger, because each costs the calls of all its terms.
MANY_TERMS = 2

#: Integers up to this size are floating numbers of 64 bits.
LARGEST_EXACT = 2**53

#: More blocks are not kept: the time to cut them is nothing to that of their work.
MOST_PIECES = 256


class Piece(NamedTuple):
    """One block, and how it is played.

    Attributes
    ----------
    bound : Bound
        By which program.
    wide : Bound or None
        By which other one, if its integers are far from each other.
    cuts : tuple of (tuple of slice or None)
        What it reads of each operand; None for all.
    looked_at : tuple of slice
        Which of the samples there are read, where the least of them is asked for.
    target : tuple of slice
        Where it is in the result.
    lengths : tuple of int
        How long it is.
    """

    bound: Bound
    wide: Bound | None
    cuts: tuple[Any, ...]
    looked_at: tuple[slice, ...]
    target: tuple[slice, ...]
    lengths: tuple[int, ...]


class Prepared(NamedTuple):
    """All blocks of a derivative, as its shape and the order of memory decide them.

    Attributes
    ----------
    ops : InPlaceOps
        For which it has been cut.
    pieces : list of Piece
        They may be done at the same time.
    alone : Bound or None
        The only program, where it is for all as it is.
    weights : tuple of (int, int)
        The operands that are repeated over the lines of a block, and their axes.
    are_shared : list of bool
        Of each task, whether its weights are made once for all lines.
    has_constants : bool
        Whether what is subtracted may be no sample.
    gathered : Gathered or None
        What is read, for small arrays.
    is_tried : bool
        Whether it has been tried to gather that.
    """

    ops: InPlaceOps
    pieces: list[Piece]
    alone: Bound | None
    weights: tuple[tuple[int, int], ...]
    are_shared: list[bool]
    has_constants: bool
    gathered: Gathered | None = None
    is_tried: bool = False


#: By the form of a call.
_scores: dict[Any, Score] = {}


def run(
    f: Any, plan: Plan, xp: Namespace, ops: InPlaceOps, outs: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked.

    The results of a plain plan may have their places in `outs`.
    """
    if plan.is_plain:
        pairs = zip_longest(plan.tasks, outs)
        return tuple([total(f, (task,), xp, ops, out) for task, out in pairs])
    is_whole = all(task.where is None and task.inner is None for task in plan.tasks)
    if not is_whole and has_arrays(plan):
        return _agnostic.run(f, plan, xp)
    if any(task.where is not None for task in plan.tasks):
        return _agnostic.compose(
            plan, lambda task: masked.derivative(f, task, xp, ops, total), xp
        )
    if plan.stack is None:
        return tuple([total(f, tasks, xp, ops) for tasks in totals_of(plan.tasks)])
    made = results.empty(f, plan, ops.empty_like)
    for tasks, out in zip(totals_of(plan.tasks), made.outs, strict=True):
        total(f, tasks, xp, ops, out)
    return made.copy()


def total(
    f: Any,
    tasks: Sequence[Task],
    xp: Namespace,
    ops: InPlaceOps,
    out: Any = None,
    then: Callable[[tuple[slice, ...]], None] | None = None,
) -> Any:
    """Return a derivative with what is added to it, in `out` if that is given.

    `then` is called with the place of each block, when that has been written; it goes
    with more samples than are gathered.
    """
    task, kept = tasks[0], tasks[0].kept
    if len(tasks) == 1 and (task.inner is not None or task.component is not None):
        f, task = _outer(f, task, xp, ops)
        tasks = (task,)
    known = None if kept is None else _known(f, kept.made, ops, out)
    if known is not None and known.gathered is not None and task.step is None:
        done = gathered.run(known.gathered, task.scales, f, ops, out)
        if done is not None:
            return done
    if out is None:
        samples = f if task.component is None else _agnostic.component(f, task)
        out = ops.empty_like(samples, dtype=task.precision.result)
    if known is None:
        _write(f, tasks, xp, ops, out, then)
        return out
    _play(known, _operands(f, tasks, known.are_shared, xp), out, xp, then)
    if kept is not None and not known.is_tried:  # a second call may be one of many
        read = gathered.gather(tasks, f, xp, ops)
        kept.keep(known._replace(gathered=read, is_tried=True))
    return out


def _outer(f: Any, task: Task, xp: Namespace, ops: InPlaceOps) -> tuple[Any, Task]:
    """Return what a task differentiates last, and the task for that alone."""
    if task.inner is not None:
        f = total(f, (unrounded(task.inner),), xp, ops)
    return _agnostic.component(f, task), task._replace(inner=None, component=None)


def _known(f: Any, made: Any, ops: InPlaceOps, out: Any) -> Prepared | None:
    """Return what has been prepared for samples and a result that lie in order.

    None for what another executor has made, or for other blocks.
    """
    if not isinstance(made, Prepared) or made.ops is not ops:
        return None
    in_order = ops.is_contiguous(f) and (out is None or ops.is_contiguous(out))
    return made if in_order else None


def _write(
    f: Any, tasks: Sequence[Task], xp: Namespace, ops: InPlaceOps, out: Any, then: Any
) -> None:
    """Write a derivative for which nothing has been prepared."""
    kept = tasks[0].kept
    in_order = ops.is_contiguous(f) and ops.is_contiguous(out)
    f, tasks, (out,) = in_order_of_memory(f, tasks, [out], ops)
    are_shared = [_shares_weights(out, task) for task in tasks]
    operands = _operands(f, tasks, are_shared, xp)
    known = _prepared(operands, list(map(Term, tasks, are_shared)), out, xp, ops)
    _play(known, operands, out, xp, then)
    if kept is not None and in_order and len(known.pieces) <= MOST_PIECES:
        kept.keep(known)


def _operands(
    f: Any, tasks: Sequence[Task], are_shared: Sequence[bool], xp: Namespace
) -> list[Any]:
    """Return the samples and all operands of a recording, in its order."""
    operands = [f]
    for task, shared in zip(tasks, are_shared, strict=True):
        operands += scores.operands_of(task, shared, xp)
    return operands


def _shares_weights(out: Any, task: Task) -> bool:
    """Tell whether the weights on coordinates are made once for all lines."""
    x = task.coordinates
    if x is None or task.precision.is_complex_by_grid:
        return False
    weights, samples = math.prod(x.shape), math.prod(out.shape)
    if weights != x.shape[task.axis] or getattr(task.period, "ndim", 0):
        return False
    if samples <= FEW_SAMPLES:
        formulas = task.scheme.formulas
        return max([len(formula.offsets) for formula in formulas]) > MANY_POINTS
    return bool(weights <= MOST_WEIGHTS or weights * FEW_LINES <= samples)


def _prepared(
    operands: Sequence[Any],
    terms: Sequence[Term],
    out: Any,
    xp: Namespace,
    ops: InPlaceOps,
) -> Prepared:
    """Cut a result, which lies in the order of its axes or nearly so, into blocks."""
    f, task, shape = operands[0], terms[0].task, tuple(out.shape)
    can_run = _can_be_runs(f, terms, out, ops)
    is_wide = task.precision.wide_samples and ops.extremes is not None
    score = _score(f, terms, xp, is_narrow=is_wide)
    limit = None
    if ops.block_bytes is not None:
        whole = blocks.box_of(tuple([(0, n) for n in shape]), shape, score.edges)
        arrays = score.program(Kind(whole, can_run, False), ops, xp).arrays
        limit = min(ops.block_bytes, ops.scratch_bytes // arrays if arrays else 2**40)
        limit = max(limit // int(out.dtype.itemsize), 1)
        limit *= MANY_TERMS if len(terms) > 1 else 1
    found = list(blocks.cut_into_blocks(shape, score.edges, limit))
    in_one_run = can_run and all(blocks.is_one_run(block, shape) for block in found)
    bind = blocks.Binder(score, shape, in_one_run, xp, ops)
    bind_wide = None
    if is_wide:
        wide = _score(f, terms, xp, is_narrow=False)
        bind_wide = blocks.Binder(wide, shape, in_one_run, xp, ops)
    component = None if task.component is None else task.component[0]
    pieces = [
        Piece(
            bind(block),
            None if bind_wide is None else bind_wide(block),
            blocks.cuts_of(operands, component, bind(block), block),
            blocks.with_components(bind(block).reads, component),
            tuple([slice(*extent) for extent in block]),
            tuple([stop - start for start, stop in block]),
        )
        for block in found
    ]
    weights = score.weights if in_one_run else ()
    is_alone = len(pieces) == 1 and not is_wide and not weights
    return Prepared(
        ops,
        pieces,
        pieces[0].bound if is_alone else None,
        weights,
        [term.are_shared for term in terms],
        any(term.task.constants is not None for term in terms),
    )


def _can_be_runs(f: Any, terms: Sequence[Term], out: Any, ops: InPlaceOps) -> bool:
    """Tell whether blocks may be one run through memory each."""
    if out.ndim == 1 or not (ops.is_contiguous(out) and ops.is_contiguous(f)):
        return False
    for task, are_shared in terms:
        is_short = math.prod(out.shape[task.axis :]) < SHORT_RUN
        on_step = task.coordinates is None
        if task.component is not None or not (on_step or (are_shared and is_short)):
            return False
    return True


def _score(f: Any, terms: Sequence[Term], xp: Namespace, *, is_narrow: bool) -> Score:
    """Return the recording of a form."""
    key = xp, f.dtype, f.ndim, is_narrow, tuple([term.form for term in terms])
    score = _scores.get(key)
    if score is None:
        score = scores.record(f, terms, xp, is_narrow=is_narrow)
        score = remember(_scores, key, score)
    return score


def _play(
    known: Prepared, operands: list[Any], out: Any, xp: Namespace, then: Any = None
) -> None:
    """Write all blocks."""
    if known.alone is not None:
        operands.append(0)
        known.alone.play(operands, out, known.alone.indices)
        if then is not None:
            then(known.pieces[0].target)
        return
    ops = known.ops
    spread: dict[Any, Any] = {}

    def play(piece: Piece) -> None:
        pairs = zip(operands, piece.cuts, strict=True)
        read = [one if cut is None else one[cut] for one, cut in pairs]
        bound, least = piece.bound, 0
        if piece.wide is not None:
            found = _least(read[0][piece.looked_at], known.has_constants, ops)
            if found is None:
                bound = piece.wide
            least = found or 0
        for place, axis in known.weights:
            key = place, piece.lengths
            if key not in spread:
                spread[key] = _spread(operands[place], axis, piece.lengths, xp, ops)
            read[place] = spread[key]
        bound.play((*read, least), out[piece.target], bound.indices)
        if then is not None:
            then(piece.target)

    ops.for_each(play, known.pieces)


def _least(f: Any, has_constants: bool, ops: InPlaceOps) -> int | None:
    """Return what is taken off wide integers, so that they are floating numbers.

    Differences are those of the integers less the least of them, and that is exact;
    not so the difference from the constant of a boundary.  None if they are too far
    apart.
    """
    if math.prod(f.shape) == 0:
        return None
    least, greatest = ops.extremes(f)  # type: ignore[misc]
    if least >= -LARGEST_EXACT and greatest <= LARGEST_EXACT:
        return 0
    if greatest - least > LARGEST_EXACT or has_constants:
        return None
    return least


def _spread(
    weights: Any, axis: int, lengths: tuple[int, ...], xp: Namespace, ops: InPlaceOps
) -> Any:
    """Return weights repeated over a block of whole lines, as one run."""
    missing = list(weights.shape)
    missing[axis] = lengths[axis] - missing[axis]
    rest = ops.empty_like(weights, dtype=weights.dtype, shape=tuple(missing))
    rest[...] = 0
    padded = xp.concat([weights, rest], axis=axis)
    return xp.reshape(xp.broadcast_to(padded, lengths), (-1,))
