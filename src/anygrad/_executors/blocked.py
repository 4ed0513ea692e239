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
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._beyond import has_arrays
from .._executors import blocks, gathered, masked, results, scores
from .._executors.kernels import in_order_of_memory, remember
from .._executors.pieces import Piece, Prepared, play
from .._executors.scores import Term
from .._executors.windows import Kind
from .._precision import working
from .._records import Plan, totals_of, unrounded

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._executors.scores import Score
    from .._records import Task
    from .._typing import Namespace

#: The agnostic run on so few samples takes less time than to record it, so it is what
#: the first call of a form gets: there may be no other.
MOST_UNRECORDED = 2**17

#: Weights are made once for all lines if there are more lines than these,
FEW_LINES = 16

#: or if there are no more weights than these, and more samples than those.
MOST_WEIGHTS, FEW_SAMPLES = 2**14, 2**17

#: or if these have so many points that to record how they are made takes too long.
MANY_POINTS = 5

#: Weights that vary along a shorter run than this are spread over the block once, so
#: that a library's inner loop runs over the block and not over the run.
SHORT_RUN = 512

#: Weights of several such runs are repeated along them for all blocks, up to so many.
MOST_REPEATED = 2**16

#: Blocks of a sum are so much larger, because each costs the calls of all its terms.
MANY_TERMS = 2

#: And those of what flows back, whose edges have many calls.
WAY_BACK = 4

#: More blocks are not kept: the time to cut them is nothing to that of their work.
MOST_PIECES = 256


#: By the form of a call.
_scores: dict[Any, Score] = {}

#: The forms of small calls that have been met.
_met: dict[Any, None] = {}


def run(
    f: Any, plan: Plan, xp: Namespace, ops: InPlaceOps, outs: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked.

    The results may have their places in `outs`, without arrays beyond the ends.
    """
    if plan.is_plain:
        pairs = zip_longest(plan.tasks, outs)
        return tuple([total(f, (task,), xp, ops, out) for task, out in pairs])
    is_whole = all(task.where is None and task.inner is None for task in plan.tasks)
    if not is_whole and has_arrays(plan):
        return _agnostic.run(f, plan, xp)
    if any(task.where is not None for task in plan.tasks):
        return _masked(f, plan, xp, ops, outs)
    if plan.stack is None or outs:
        whole = zip_longest(totals_of(plan.tasks), outs)
        return tuple([total(f, tasks, xp, ops, out) for tasks, out in whole])
    made = results.empty(f, plan, ops.empty_like)
    for tasks, out in zip(totals_of(plan.tasks), made.outs, strict=True):
        total(f, tasks, xp, ops, out)
    return made.copy()


def _masked(
    f: Any, plan: Plan, xp: Namespace, ops: InPlaceOps, outs: Sequence[Any]
) -> tuple[Any, ...]:
    """Return the results of a plan with masks."""
    made = None if outs else results.empty(f, plan, ops.empty_like)
    places = outs if made is None else made.outs
    for tasks, out in zip(totals_of(plan.tasks), places, strict=True):
        fits = plan.stack is None and out.dtype == working(tasks[0].precision)
        result = _of_valid(f, tasks, xp, ops, out if fits else None)
        if result is not out:
            out[...] = result
    return tuple(outs) if made is None else made.copy()


def _of_valid(
    f: Any, tasks: Sequence[Task], xp: Namespace, ops: InPlaceOps, place: Any = None
) -> Any:
    """Return a masked derivative with what is added to it, in the working dtype."""
    first, *others = tasks
    whole = masked.derivative(f, first, xp, ops, total, place)
    for task in others:
        add = ops.verbs["add" if task.sign > 0 else "subtract"]
        add(whole, masked.derivative(f, task, xp, ops, total), out=whole)
    return whole


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
    if not ops.is_contiguous(f):
        if kept is not None:  # for such samples, no block is one run through memory
            kept = kept.beside("samples in another order")
            tasks = (task._replace(kept=kept), *tasks[1:])
        if out is None:  # which may be in no order, either
            out = _empty(f, task, ops)
    known = None if kept is None else _known(kept.made, ops, out)
    if kept is not None and known is not None and not known.is_tried:
        # A second call may be one of many.
        read = gathered.gather(tasks, f, xp, ops)
        known = known._replace(gathered=read, is_tried=True)
        kept.keep(known)
    if known is not None and known.gathered is not None:
        done = gathered.run(known.gathered, tasks, f, ops, out)
        if done is not None:
            return done
    if out is None:
        out = _empty(f, task, ops)
    if known is not None and known.pieces:
        play(known, _operands(f, tasks, known.repeats, xp), out, xp, then)
    else:
        _write(f, tasks, xp, ops, out, known, then)
    return out


def _outer(f: Any, task: Task, xp: Namespace, ops: InPlaceOps) -> tuple[Any, Task]:
    """Return what a task differentiates last, and the task for that alone."""
    if task.inner is not None:
        f = total(f, (unrounded(task.inner),), xp, ops)
    return _agnostic.component(f, task), task._replace(inner=None, component=None)


def _empty(f: Any, task: Task, ops: InPlaceOps) -> Any:
    """Return an array for a result."""
    samples = f if task.component is None else _agnostic.component(f, task)
    return ops.empty_like(samples, dtype=task.precision.result)


def _known(made: Any, ops: InPlaceOps, out: Any) -> Prepared | None:
    """Return what has been prepared for a result that lies in order.

    None for what another executor has made.
    """
    if not isinstance(made, Prepared) or made.ops is not ops:
        return None
    return made if out is None or ops.is_contiguous(out) else None


def _write(
    f: Any,
    tasks: Sequence[Task],
    xp: Namespace,
    ops: InPlaceOps,
    out: Any,
    known: Prepared | None,
    then: Callable[[tuple[slice, ...]], None] | None,
) -> None:
    """Write a derivative for which no blocks have been prepared."""
    kept, in_order = tasks[0].kept, ops.is_contiguous(out)
    plan = Plan((tasks[0]._replace(sign=0), *tasks[1:]))
    source, target = f, out
    f, tasks, (out,) = in_order_of_memory(f, tasks, [out], ops)
    repeats = [_repeats(out, task) for task in tasks]
    terms = list(map(Term, tasks, repeats))
    if _is_first(f, terms, xp, ops):
        (target[...],) = _agnostic.run(source, plan, xp)
        known = known or Prepared(ops)
        if then is not None:
            then(tuple([slice(0, n) for n in out.shape]))
    else:
        operands = _operands(f, tasks, repeats, xp)
        made = _prepared(operands, terms, out, xp, ops)
        play(made, operands, out, xp, then)
        if known is not None:
            made = made._replace(gathered=known.gathered, is_tried=known.is_tried)
        known = made
    if kept is not None and in_order and len(known.pieces) <= MOST_PIECES:
        kept.keep(known)


def _is_first(f: Any, terms: Sequence[Term], xp: Namespace, ops: InPlaceOps) -> bool:
    """Tell whether few samples have a form that has not been met, and remember it."""
    if math.prod(f.shape) > MOST_UNRECORDED:
        return False
    key = _key(f, terms, xp, is_narrow=_are_narrowed(terms, ops))
    if key in _met or key in _scores:
        return False
    remember(_met, key, None)
    return True


def _are_narrowed(terms: Sequence[Term], ops: InPlaceOps) -> bool:
    """Tell whether samples are wide integers that may be played as if they were not."""
    return terms[0].task.precision.wide_samples and ops.extremes is not None


def _operands(
    f: Any,
    tasks: Sequence[Task],
    repeats: Sequence[tuple[int, ...] | None],
    xp: Namespace,
) -> list[Any]:
    """Return the samples and all operands of a recording, in its order."""
    operands = [f]
    for task, often in zip(tasks, repeats, strict=True):
        operands += scores.operands_of(task, often, xp)
    return operands


def _repeats(out: Any, task: Task) -> tuple[int, ...] | None:
    """Return how often weights that all lines share are repeated; None for others.

    So that inner loops are long, as long as the weights stay in the cache.
    """
    if not _shares_weights(out, task):
        return None
    lengths, inner = (
        tuple(out.shape[task.axis :]),
        math.prod(out.shape[task.axis + 1 :]),
    )
    is_worth_it = 1 < inner < SHORT_RUN <= math.prod(lengths) <= MOST_REPEATED
    return lengths[1:] if is_worth_it and math.prod(out.shape) > FEW_SAMPLES else ()


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
    is_wide = _are_narrowed(terms, ops)
    score = _score(f, terms, xp, is_narrow=is_wide)
    limit = None
    if ops.block_bytes is not None:
        whole = blocks.box_of(tuple([(0, n) for n in shape]), shape, score.edges)
        arrays = score.program(Kind(whole, can_run, False), ops, xp).arrays
        limit = min(ops.block_bytes, ops.scratch_bytes // arrays if arrays else 2**40)
        limit = max(limit // int(out.dtype.itemsize), 1)
        limit *= MANY_TERMS if len(terms) > 1 else 1
        limit *= WAY_BACK if task.scheme.recipe.is_transposed else 1
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
        [term.repeats for term in terms],
        any(term.task.constants is not None for term in terms),
    )


def _can_be_runs(f: Any, terms: Sequence[Term], out: Any, ops: InPlaceOps) -> bool:
    """Tell whether blocks may be one run through memory each."""
    if out.ndim == 1 or not (ops.is_contiguous(out) and ops.is_contiguous(f)):
        return False
    for task, repeats in terms:
        is_short = math.prod(out.shape[task.axis :]) < SHORT_RUN
        # Transposed edges read the weights of the interior, too, which stand elsewhere.
        is_run = repeats is not None and is_short
        is_run = is_run and not task.scheme.recipe.is_transposed
        on_step = task.coordinates is None
        if task.component is not None or not (on_step or is_run):
            return False
    return True


def _key(f: Any, terms: Sequence[Term], xp: Namespace, *, is_narrow: bool) -> Any:
    """Return the form of what is recorded."""
    return xp, f.dtype, f.ndim, is_narrow, tuple([term.form for term in terms])


def _score(f: Any, terms: Sequence[Term], xp: Namespace, *, is_narrow: bool) -> Score:
    """Return the recording of a form."""
    key = _key(f, terms, xp, is_narrow=is_narrow)
    score = _scores.get(key)
    if score is None:
        score = scores.record(f, terms, xp, is_narrow=is_narrow)
        score = remember(_scores, key, score)
    return score
