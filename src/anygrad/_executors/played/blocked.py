"""The plan in blocks that stay in the cache, written into a result made beforehand.

The agnostic run passes over the whole array once per operation, and every pass goes
to memory.  Here its operations, recorded, are played on one block after the other, and
each block stays in the cache between them; the result is written where it belongs, so
nothing is put together at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ... import _agnostic
from ..._beyond import has_arrays
from ..._records import Plan, totals_of, unrounded
from .. import results
from ..memory import in_order_of_memory, layout_of
from . import forms, learning, masked, mended
from .pieces import Unplayed, play
from .preparing import come_again, keep, kept_by, prepared, shares_weights
from .scores import Term, operands_of
from .workspaces import copied

if TYPE_CHECKING:
    from ..._records import Task
    from ..memory import Layout
    from .operations import InPlaceOps


def run(
    f: Any,
    plan: Plan,
    ops: InPlaceOps,
    outs: Sequence[Any] = (),
    layout: Layout | None = None,
) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked.

    The results may have their places in `outs`, without arrays beyond the ends.  There
    is a `layout` where neither samples nor results are in the order of their axes.
    """
    has_masks = bool(plan.tasks) and plan.tasks[0].where is not None
    is_whole = not has_masks and all(task.inner is None for task in plan.tasks)
    if not is_whole and has_arrays(plan):
        return _agnostic.run(f, plan, ops.namespace)
    unplayed: list[Unplayed] = []
    made = results.empty(f, plan, ops.empty_like, outs)
    is_turned = plan.stack is not None and not ops.memory.is_contiguous(f)
    if is_turned and f.nbytes <= learning.MOST_BYTES_SHARED:
        f = copied(f, made.outs[0], ops)  # once, to lie as the stack does
    # Each task of a plain plan is a total: that is told at once, as small calls count.
    totals = zip(plan.tasks) if plan.is_plain else totals_of(plan.tasks)
    for tasks, out in zip(totals, made.outs, strict=True):
        if has_masks and not all(masked.is_run_through(f, task) for task in tasks):
            mended.write_sum(f, tasks, out, ops)
        elif tasks[0].inner is not None:  # which are not to be there all at once
            _total(f, tasks, ops, out)
        else:
            unplayed += _begun(f, tasks, ops, out)
    play(unplayed)
    learning.learn(f, plan, made.outs, layout, ops)
    return made.copy()


def _total(f: Any, tasks: Sequence[Task], ops: InPlaceOps, out: Any = None) -> Any:
    """Return a derivative with what is added to it, in `out` if that is given."""
    if out is None:
        like = _agnostic.component(f, tasks[0])
        out = ops.empty_like(like, dtype=tasks[0].precision.result)
    play(_begun(f, tasks, ops, out))
    return out


def _begun(
    f: Any, tasks: Sequence[Task], ops: InPlaceOps, out: Any
) -> Sequence[Unplayed]:
    """Return a total whose blocks are still to be played; nothing if it is written."""
    task, layout = tasks[0], None
    if len(tasks) == 1 and (task.inner is not None or task.component is not None):
        f, task = _outer(f, task, ops)
        tasks = (task,)
    kept, is_contiguous = task.kept, ops.memory.is_contiguous
    if not (is_contiguous(f) and is_contiguous(out)):
        layout = layout_of(_agnostic.component(f, task), out, ops.memory)
        kept = kept and kept.beside(layout)
    # In another order of axes, tasks keep nothing.
    comes_again = layout is None and come_again(out, tasks, ops)
    if comes_again and kept is not None:
        kept = kept.beside("again")
    known = kept_by(ops, kept)
    if layout is not None:
        f, tasks, (out,) = in_order_of_memory(f, tasks, [out], ops.memory)
        if not layout.has_samples_in_order and f.nbytes <= learning.MOST_BYTES_SHARED:
            f = copied(f, out, ops)
    tasks = [masked.with_whole_mask(task, out, ops) for task in tasks]
    if known is not None:
        terms = list(map(Term, tasks, known.shares_weights))
        return (Unplayed(known, [f, *operands_of(terms, ops)], out),)
    terms = [
        Term(task, shares_weights(out, task, ops, comes_again=comes_again))
        for task in tasks
    ]
    score = forms.score_unless_new(f, terms, ops.namespace)
    if score is None:
        (out[...],) = _agnostic.run(f, Plan(tuple(tasks)), ops.namespace)
        return ()
    operands = [f, *operands_of(terms, ops)]
    known = prepared(score, operands, terms, out, ops)
    keep(known, kept)
    return (Unplayed(known, operands, out),)


def _outer(f: Any, task: Task, ops: InPlaceOps) -> tuple[Any, Task]:
    """Return what a task differentiates last, and the task for that alone."""
    if task.inner is not None:
        where = _agnostic.known(f.shape, task.inner, ops.namespace)
        f, task = _total(f, (unrounded(task.inner),), ops), task._replace(where=where)
    return _agnostic.component(f, task), task._replace(inner=None, component=None)
