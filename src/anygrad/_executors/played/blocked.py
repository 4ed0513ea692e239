"""The plan in blocks that stay in the cache, written into a result made beforehand.

The agnostic run passes over the whole array once per operation, and every pass goes
to memory.  Here its operations, recorded, are played on one block after the other, and
each block stays in the cache between them; the result is written where it belongs, so
nothing is put together at the end.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ... import _agnostic
from ..._beyond import has_arrays
from ..._kept import remember
from ..._precision import is_complex, working
from ..._records import Plan, totals_of, unrounded
from .. import results
from ..memory import in_order_of_memory, layout_of
from ..recorded import weights
from . import blocks, masked, replayed, scores, spaces
from .pieces import Piece, Prepared, play
from .scores import Term
from .spaces import Moves

if TYPE_CHECKING:
    from ..._records import Task
    from ..._typing import Namespace
    from .operations import InPlaceOps
    from .scores import Score

#: The agnostic run on so few samples takes less time than to record it, so it is what
#: the first call of a form gets: there may be no other.
MOST_UNRECORDED = 2**17

#: On fewer samples than these, to make weights for each of the few blocks takes less
#: time than once for all lines, which is not recorded.
MOST_UNSHARED = 2**19

#: There, weights are made once for all lines if formulas have more points:
#: to record how they are made takes too long, for seven some 20 ms, once.
MANY_POINTS = 7

#: The weights of so many points, repeated over a block, leave it in the cache.
FEW_POINTS = 3

#: More blocks are not kept: the time to cut them is nothing to that of their work.
MOST_PIECES = 256


#: By the form of a call.
_scores: dict[Any, Score] = {}

#: The forms of small calls that have been met.
_met: dict[Any, None] = {}


def run(
    f: Any, plan: Plan, xp: Namespace, outs: Sequence[Any] = (), *, ops: InPlaceOps
) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked.

    The results may have their places in `outs`, without arrays beyond the ends.
    """
    has_masks = any(task.where is not None for task in plan.tasks)
    if plan.is_plain and not has_masks:
        pairs = zip_longest(plan.tasks, outs)
        return tuple(
            [total(f, (task,), xp, ops, out, is_plain=True) for task, out in pairs]
        )
    is_whole = all(task.where is None and task.inner is None for task in plan.tasks)
    if not is_whole and has_arrays(plan):
        return _agnostic.run(f, plan, xp)
    if has_masks:
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
    made = results.empty(f, plan, ops.empty_like, outs)
    for tasks, out in zip(totals_of(plan.tasks), made.outs, strict=True):
        if all(masked.is_run_through(f, task) for task in tasks):
            total(f, tasks, xp, ops, out, is_plain=plan.is_plain)
            continue
        fits = plan.stack is None and out.dtype == working(tasks[0].precision)
        result = _of_valid(f, tasks, xp, ops, out if fits else None)
        if result is not out:
            out[...] = result
    return made.copy()


def _of_valid(
    f: Any, tasks: Sequence[Task], xp: Namespace, ops: InPlaceOps, place: Any = None
) -> Any:
    """Return a masked derivative with what is added to it, in the working dtype."""
    first, *others = tasks
    whole = masked.derivative(f, first, xp, ops, total, place)
    for task in others:
        add = ops.verbs["add" if task.sign > 0 else "subtract"]
        term = masked.derivative(f, task, xp, ops, total)
        # Of integers, only what a complex step divides is complex.
        fits = term.dtype == whole.dtype
        whole = add(whole, term, out=whole) if fits else add(whole, term)
    return whole


def total(
    f: Any,
    tasks: Sequence[Task],
    xp: Namespace,
    ops: InPlaceOps,
    out: Any = None,
    then: Callable[[tuple[slice, ...]], None] | None = None,
    *,
    is_plain: bool = False,
) -> Any:
    """Return a derivative with what is added to it, in `out` if that is given.

    `then` is called with the place of each block, when that has been written; it goes
    with an `out` in the order of its axes.  `is_plain` is that of the plan: of others,
    fewer are made again on the same memory.
    """
    task, layout, result = tasks[0], None, out
    if len(tasks) == 1 and (task.inner is not None or task.component is not None):
        f, task = _outer(f, task, xp, ops)
        tasks = (task,)
    if out is None:
        result = out = _empty(f, task, ops)
    kept, is_contiguous = task.kept, ops.memory.is_contiguous
    if not (is_contiguous(f) and is_contiguous(out)):
        layout = layout_of(_agnostic.component(f, task), out, ops.memory)
        kept = kept and kept.beside(layout)
    known = None if kept is None else _known(kept.made, ops)
    free = None if known is None or then is not None else known.spaces
    if free and spaces.again(free, f, tasks, _moves_to(out)):
        return result
    if layout is not None:
        f, tasks, (out,) = in_order_of_memory(f, tasks, [out], ops.memory)
        if not layout.has_samples_in_order and f.nbytes <= replayed.MOST_BYTES:
            f = replayed.copied(f, out, ops)
    if any(task.where is not None for task in tasks):
        tasks = [masked.with_whole_mask(task, out, xp) for task in tasks]
    if known is None:
        terms = [Term(task, _shares_weights(out, task, ops)) for task in tasks]
        if _is_first(f, terms, xp):
            _run_once(f, tasks, xp, out, then)
            return result
        known = _prepared(f, terms, out, xp, ops)
        if kept is not None and len(known.pieces) <= MOST_PIECES:
            kept.keep(known)
    elif kept and not then and replayed.serves(known, tasks, out, ops, is_plain):
        known = replayed.recorded(known, tasks, f, out, xp, ops)
        if layout is not None:
            known = spaces.turned(known, layout.order, ops.memory)
        kept.keep(known)
    play(known, _operands(f, tasks, known.shares_weights, xp), out, xp, then)
    return result


def _run_once(
    f: Any,
    tasks: Sequence[Task],
    xp: Namespace,
    out: Any,
    then: Callable[[tuple[slice, ...]], None] | None,
) -> None:
    """Write a derivative with what is added to it, as a whole."""
    plan = Plan((tasks[0]._replace(sign=0), *tasks[1:]))
    (out[...],) = _agnostic.run(f, plan, xp)
    if then is not None:
        then(tuple([slice(0, n) for n in out.shape]))


def _moves_to(out: Any) -> Moves:
    """Return how what is made again gets into a result."""
    return Moves(_put, partial(_put, out), spaces.bytes_of, operator.eq)


def _put(target: Any, values: Any) -> bool:
    target[...] = values
    return True


def _outer(f: Any, task: Task, xp: Namespace, ops: InPlaceOps) -> tuple[Any, Task]:
    """Return what a task differentiates last, and the task for that alone."""
    if task.inner is not None:
        f = total(f, (unrounded(task.inner),), xp, ops)
    return _agnostic.component(f, task), task._replace(inner=None, component=None)


def _empty(f: Any, task: Task, ops: InPlaceOps) -> Any:
    """Return an array for a result."""
    samples = f if task.component is None else _agnostic.component(f, task)
    return ops.empty_like(samples, dtype=task.precision.result)


def _known(made: Any, ops: InPlaceOps) -> Prepared | None:
    """Return what has been prepared; None for what another executor has made."""
    return made if isinstance(made, Prepared) and made.ops is ops else None


def _is_first(f: Any, terms: Sequence[Term], xp: Namespace) -> bool:
    """Tell whether few samples have a form that has not been met, and remember it."""
    if math.prod(f.shape) > MOST_UNRECORDED:
        return False
    # Where one part is infinite or NaN, so is the other of its product with a real
    # number; a recording has no such product with one, now or in a later call.
    if is_complex(working(terms[0].task.precision), xp):
        return False
    key = _key(f, terms, xp)
    if key in _met or key in _scores:
        return False
    remember(_met, key, None)
    return True


def _operands(
    f: Any, tasks: Sequence[Task], shares_weights: Sequence[bool], xp: Namespace
) -> list[Any]:
    """Return the samples and all operands of a recording, in its order."""
    operands = [f]
    for task, are_shared in zip(tasks, shares_weights, strict=True):
        operands += scores.operands_of(task, are_shared, xp)
    return operands


def _shares_weights(out: Any, task: Task, ops: InPlaceOps) -> bool:
    """Tell whether the weights on coordinates are made once for all lines."""
    if task.where is not None:
        return False
    samples, formulas = math.prod(out.shape), task.scheme.formulas
    is_many = samples > MOST_UNSHARED or _loop(out, task) < ops.short_loop
    if is_many and samples > weights.FEW_SAMPLES:
        return weights.are_shared(samples, task)
    on_line = weights.are_on_line(task)
    return on_line and max([len(one.offsets) for one in formulas]) > MANY_POINTS


def _pay_when_spread(out: Any, task: Task, ops: InPlaceOps) -> bool:
    """Tell whether weights repeated over a block take less time than loops over it."""
    if task.axis < out.ndim - 1:  # a loop has one of them
        return _loop(out, task) < ops.short_loop
    offsets = task.scheme.formulas[task.scheme.interior].offsets
    if len(offsets) <= FEW_POINTS:
        return ops.short_loop > 0
    return _loop(out, task) < 2 * ops.short_loop


def _loop(out: Any, task: Task) -> int:
    """Return how many samples in one run are differentiated alike, or along it."""
    return math.prod(out.shape[task.axis + 1 :] or out.shape[-1:])


def _prepared(
    f: Any, terms: Sequence[Term], out: Any, xp: Namespace, ops: InPlaceOps
) -> Prepared:
    """Cut a result, which lies in the order of its axes or nearly so, into blocks."""
    task, shape = terms[0].task, tuple(out.shape)
    shares_weights = [term.shares_weights for term in terms]
    operands = _operands(f, [term.task for term in terms], shares_weights, xp)
    recorded = [_score(f, terms, xp)]
    # Wide integers have two recordings, the first for those that are floating numbers.
    is_wide = task.precision.wide_samples and ops.extremes is not None
    if is_wide:
        recorded.insert(0, _score(f, [term.of_narrow() for term in terms], xp))
    limit = _most_points(f, terms, xp, ops)
    found = list(blocks.cut_into_blocks(shape, recorded[0].edges, limit))
    in_one_run = _can_be_runs(f, terms, out, ops) and all(
        blocks.is_one_run(block, shape)
        and all(block[axis] == (0, shape[axis]) for _, axis in recorded[0].weights)
        for block in found
    )
    is_kept = replayed.is_kept([term.task for term in terms], out, ops)
    binders = [
        blocks.binder(one, shape, in_one_run, is_kept, xp, ops) for one in recorded
    ]
    component = None if task.component is None else task.component[0]
    pieces = []
    for block in found:
        bounds = [bound(block) for bound in binders]
        pieces.append(
            Piece(
                bounds,
                blocks.cuts_of(operands, component, bounds[0], block),
                blocks.with_components(bounds[0].reads, component),
                tuple([slice(*extent) for extent in block]),
            )
        )
    spread = recorded[0].weights if in_one_run else ()
    is_alone = len(pieces) == 1 and not is_wide and not spread
    return Prepared(
        ops,
        pieces,
        pieces[0].bounds[0] if is_alone else None,
        spread,
        shares_weights,
    )


def _most_points(
    f: Any, terms: Sequence[Term], xp: Namespace, ops: InPlaceOps
) -> int | None:
    """Return how many points a block should have; None for all."""
    if ops.block_bytes is None:
        return None
    precision = terms[0].task.precision
    dtype = working(precision)
    is_plain = len(terms) == 1 and f.dtype == dtype and _is_plain(terms[0])
    nbytes = ops.block_bytes if is_plain else ops.scratch_bytes
    if dtype != precision.result:  # scratch arrays are wider than that
        nbytes //= 2
    return max(nbytes // int(xp.empty((0,), dtype=dtype).dtype.itemsize), 1)


def _is_plain(term: Term) -> bool:
    """Tell whether it is one difference per point, times a number."""
    scheme = term.task.scheme
    interior = scheme.formulas[scheme.interior]
    return len(interior.terms) == 1 and term.task.coordinates is None


def _can_be_runs(f: Any, terms: Sequence[Term], out: Any, ops: InPlaceOps) -> bool:
    """Tell whether blocks may be one run through memory each."""
    if out.ndim == 1 or not all(map(ops.memory.is_contiguous, (f, out))):
        return False
    for task, shares_weights in terms:
        is_run = shares_weights and _pay_when_spread(out, task, ops)
        # Transposed edges read the weights of the interior, too, which stand elsewhere.
        is_run = is_run and not task.scheme.recipe.is_transposed
        if task.component is not None or not (task.coordinates is None or is_run):
            return False
        if task.where is not None:  # what is chosen near an end is not written over
            return False
    return True


def _key(f: Any, terms: Sequence[Term], xp: Namespace) -> Any:
    """Return the form of what is recorded."""
    return xp, f.dtype, f.ndim, tuple([term.form for term in terms])


def _score(f: Any, terms: Sequence[Term], xp: Namespace) -> Score:
    """Return the recording of a form."""
    key = _key(f, terms, xp)
    score = _scores.get(key)
    if score is None:
        score = scores.record(f, terms, xp)
        score = remember(_scores, key, score)
    return score
