"""Which calls are made again on the same memory, and when there is some for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._precision import is_complex
from ..memory import in_order_of_memory
from ..recorded import weights
from . import masked, replayed, spaces
from .pieces import Prepared
from .preparing import prepared
from .replayed import Total
from .scores import Term

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Plan, Task
    from ..._typing import Namespace
    from ..memory import Layout
    from .operations import InPlaceOps
    from .spaces import Space

#: Beyond so many bytes of a result, a call is played as any is;
MOST_BYTES = 2**18

#: but several results share the conversion of their samples, and weights that are
#: there already take less time than others.
MOST_BYTES_SHARED = 2**20

#: A result that is a part of a call's is copied into an array that is there.
MOST_BYTES_OF_PARTS = 2**17

#: So many bytes of weights, repeated over all lines, are kept at most.
MOST_BYTES_OF_WEIGHTS = 2**22


def prepared_for(ops: InPlaceOps, kept: Kept | None) -> Prepared | None:
    """Return what has been prepared; None for what another executor has made."""
    made = None if kept is None else kept.made
    return made if isinstance(made, Prepared) and made.ops is ops else None


def learn(
    f: Any,
    plan: Plan,
    results: Sequence[Any],
    layout: Layout | None,
    xp: Namespace,
    ops: InPlaceOps,
) -> None:
    """Have a plain plan, which has been run, made again at the calls to come."""
    place = spaces.place_of(plan, layout) if ops.has_spaces else None
    if place is None or isinstance(place.made, list) or not place.account.has_room():
        return
    if place.made is None:  # there may be no other call
        place.made = ()
        return
    f, tasks, outs = in_order_of_memory(f, plan.tasks, results, ops.memory)
    totals = []
    for given, task, out in zip(plan.tasks, tasks, outs, strict=True):
        kept = given.kept and (given.kept.beside(layout) if layout else given.kept)
        known = prepared_for(ops, kept)
        if kept is None or known is None:
            return
        kept.keep(known._replace(spaces=[]))  # it is not made again alone
        has_mask = task.where is not None
        whole = masked.with_whole_mask(task, out, xp) if has_mask else task
        totals.append(Total((whole,), out, known))
    place.keep(_spaces(f, totals, layout, xp, is_whole=True))


def learn_total(
    f: Any, total: Total, kept: Kept, layout: Layout | None, xp: Namespace
) -> None:
    """Have a part of a call, which has been prepared, made again."""
    if total.known.ops.has_spaces and kept.account.has_room():
        found = _spaces(f, [total], layout, xp, is_whole=False)
        kept.keep(total.known._replace(spaces=found))


def _spaces(
    f: Any,
    totals: Sequence[Total],
    layout: Layout | None,
    xp: Namespace,
    *,
    is_whole: bool,
) -> list[Space]:
    """Return where results, all of a call or a part, are made again, if that pays.

    Samples and results are in the order of their axes here, and in a layout outside.
    """
    tasks, ops = [task for total in totals for task in total.tasks], totals[0].known.ops
    dtype = _converted(f, tasks, xp)
    has_grid = tasks[0].coordinates is not None
    is_shared = len(totals) > 1 and (has_grid or dtype != f.dtype)
    most = MOST_BYTES if is_whole or has_grid else MOST_BYTES_OF_PARTS
    if is_shared:
        most = MOST_BYTES_SHARED
    for total in totals:
        is_one_block = len(total.known.pieces) == 1
        if not total.can_be_recorded(most) or not (is_shared or is_one_block):
            return []
    if layout is not None and tasks[0].component is not None:
        return []
    if dtype != f.dtype:  # when they are put there, so that it is done once for all
        f = replayed.copied(f, totals[0].out, ops, dtype)
    totals = [_of_terms(f, total, total.terms(), xp) for total in totals]
    resting = [_resting(f, total, xp) for total in totals]
    nbytes = sum([len(one.known.weights) * one.out.nbytes for one in resting])
    if resting == totals or nbytes > MOST_BYTES_OF_WEIGHTS:
        resting = []
    is_wide = any(task.precision.wide_samples for task in tasks)
    space = replayed.recorded(f, totals, resting, is_wide, xp, ops)
    return [space if layout is None else space.turned(layout.order, ops.memory)]


def _converted(f: Any, tasks: Sequence[Task], xp: Namespace) -> Any:
    """Return the dtype to which the samples are converted, if that is real."""
    first, *others = {task.precision.samples for task in tasks}
    return f.dtype if others or is_complex(first, xp) else first


def _of_terms(f: Any, total: Total, terms: Sequence[Term], xp: Namespace) -> Total:
    """Return what is prepared as one block, for samples that are converted already."""
    if f.dtype == total.tasks[0].precision.samples:
        terms = [term.of_narrow() for term in terms]
    as_one = total.known.ops._replace(block_bytes=None)
    known = prepared(f, terms, total.out, xp, as_one)
    return total._replace(known=known)


def _resting(f: Any, total: Total, xp: Namespace) -> Total:
    """Return what is prepared for weights that are there already."""
    terms = [
        term._replace(shares_weights=True) if _can_rest(term.task) else term
        for term in total.terms()
    ]
    return total if terms == total.terms() else _of_terms(f, total, terms, xp)


def _can_rest(task: Task) -> bool:
    return task.where is None and weights.are_on_line(task)
