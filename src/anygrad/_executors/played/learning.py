"""Which calls are made again on the same memory, and when there is some for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..._precision import is_complex
from ..memory import in_order_of_memory
from . import forms, masked, replayed, spaces
from .pieces import Prepared
from .preparing import prepared
from .replayed import Replay, Total, resting
from .spaces import Space

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Plan, Task
    from ..memory import Layout
    from .operations import InPlaceOps
    from .replayed import Workspace

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
    ops: InPlaceOps,
) -> None:
    """Have a plain plan, which has been run, made again at the calls to come."""
    first = plan.tasks[0].kept if plan.tasks and ops.moves else None
    if first is None or spaces.place_of(plan, layout) is not None:
        return
    f, tasks, outs = in_order_of_memory(f, plan.tasks, results, ops.memory)
    totals, is_first = [], False
    for given, task, out in zip(plan.tasks, tasks, outs, strict=True):
        kept = given.kept and (given.kept.beside(layout) if layout else given.kept)
        known = prepared_for(ops, kept)
        if kept is None or known is None:
            return
        if known.spaces is None:
            is_first = True
            kept.made = known._replace(spaces=())  # it is not made again alone
        whole = masked.with_whole_mask(task, out, ops)
        totals.append(Total((whole,), out, known))
    if is_first or not first.account.has_room():  # there may be no other call
        return
    place: Any = spaces.place_of(plan, layout, make=True)
    place.keep(_spaces(f, totals, place, layout, is_whole=True))


def learn_total(f: Any, total: Total, kept: Kept, layout: Layout | None) -> None:
    """Have a part of a call, which has been prepared, made again."""
    if total.known.ops.moves and kept.account.has_room():
        found = _spaces(f, [total], kept, layout, is_whole=False)
        kept.keep(total.known._replace(spaces=found))


def _spaces(
    f: Any,
    totals: Sequence[Total],
    kept: Kept,
    layout: Layout | None,
    *,
    is_whole: bool,
) -> list[Space]:
    """Return where results, all of a call or a part, are made again, if that pays.

    Samples and results are in the order of their axes here, and in a layout outside.
    """
    tasks, out = [task for total in totals for task in total.tasks], totals[0].out
    dtype = _converted(f, tasks, totals[0].known.ops)
    has_grid = tasks[0].coordinates is not None
    is_shared = len(totals) > 1 and (has_grid or dtype != f.dtype)
    are_blocks = all(len(total.known.pieces) == 1 for total in totals)
    most = MOST_BYTES if is_whole or has_grid else MOST_BYTES_OF_PARTS
    if not all(map(replayed.can_be_recorded, tasks)) or not (is_shared or are_blocks):
        return []
    if not 0 < out.nbytes <= (MOST_BYTES_SHARED if is_shared else most):
        return []
    if layout is not None and tasks[0].component is not None:
        return []
    workspace = replayed.workspace_for(f, totals, dtype)
    if dtype != f.dtype or not are_blocks:
        # They are converted when they are put there, so that it is done once for all.
        workspace = _as_one(workspace)
    first = Replay(workspace)
    play: Any = first.play
    if _can_rest(tasks, out):
        play = resting(first, partial(_rest, workspace, kept))
    arrays = spaces.given_arrays(workspace.tasks())
    outs = [total.out for total in workspace.totals]
    space = Space(workspace.samples, arrays, outs, play, first.nbytes)
    if layout is not None:
        space = space.turned(layout.order, totals[0].known.ops.memory)
    return [space]


def _converted(f: Any, tasks: Sequence[Task], ops: InPlaceOps) -> Any:
    """Return the dtype to which the samples are converted, if that is real."""
    first, *others = {task.precision.samples for task in tasks}
    return f.dtype if others or is_complex(first, ops.namespace) else first


def _as_one(workspace: Workspace, *, rests: bool = False) -> Workspace:
    """Return results prepared as one block each, for samples that are converted.

    Weights may rest on all grids that have real ones.
    """
    totals, f = [], workspace.samples
    for total in workspace.totals:
        terms = total.terms()
        if rests:
            terms = [
                term._replace(shares_weights=_has_weights(term.task)) for term in terms
            ]
        if f.dtype == total.tasks[0].precision.samples:
            terms = [term.of_narrow() for term in terms]
        as_one = total.known.ops._replace(block_bytes=None)
        score = forms.score_of(f, terms, as_one.namespace)
        # Of the operands beside the samples, one block cuts nothing out.
        known = prepared(score, [f], terms, total.out, as_one)
        totals.append(total._replace(known=known))
    return workspace._replace(totals=totals)


def _has_weights(task: Task) -> bool:
    """Tell whether a task has weights on coordinates, by which real samples stay so."""
    return task.coordinates is not None and not task.precision.is_complex_by_grid


def _can_rest(tasks: Sequence[Task], out: Any) -> bool:
    """Tell whether weights may stay, of each point its own."""
    count = 0
    for task in tasks:
        if task.where is not None:
            return False
        if _has_weights(task):
            scheme = task.scheme
            count += len(scheme.formulas[scheme.interior].offsets) - 1
    return bool(0 < count * out.nbytes <= MOST_BYTES_OF_WEIGHTS)


def _rest(workspace: Workspace, kept: Kept) -> Replay | None:
    """Return how results are made of weights that stay, if there is room for them."""
    if not kept.account.has_room():
        return None
    replay = Replay(_as_one(workspace, rests=True))
    kept.grow(replay.nbytes)
    return replay
