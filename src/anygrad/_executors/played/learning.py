"""Which calls are made again on the same memory, and when there is some for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from ..._precision import is_complex
from ..._records import all_tasks, totals_of
from ..memory import in_order_of_memory, order_of_memory
from . import forms, masked, spaces
from .preparing import most_points, shares_weights
from .replayed import Replay, can_be_recorded, resting
from .scores import Term
from .spaces import Space
from .workspaces import first_of, has_weights, workspace_for

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Plan, Task
    from ..memory import Layout
    from .operations import InPlaceOps
    from .workspaces import Workspace

#: Beyond so many bytes of a result, a call is played as any is;
MOST_BYTES = 2**18

#: but several results share the conversion of their samples, and weights that are
#: there already take less time than others.
MOST_BYTES_SHARED = 2**20

#: So many bytes of weights, repeated over all lines, are kept at most.
MOST_BYTES_OF_WEIGHTS = 2**22

#: Samples, or a component, and the terms that read them.
Part: TypeAlias = "tuple[Any, Sequence[Term]]"


def learn(
    f: Any,
    plan: Plan,
    outs: Sequence[Any],
    layout: Layout | None,
    ops: InPlaceOps,
) -> None:
    """Have a plan, which has been run, made again at the calls to come."""
    kept = plan.tasks[0].kept if plan.tasks and ops.moves else None
    if kept is None:
        return
    place: Any = spaces.place_of(plan, layout, make=True)
    if place.made is not None or not kept.account.has_room():
        return
    met = place.beside("met")
    met.made = (met.made or 0) + 1
    if layout is not None:
        is_field = plan.tasks[0].component is not None  # its layout has one axis more
        # torch's results lie otherwise where samples repeat along an axis, and axes of
        # one point have no place in memory.
        if is_field or order_of_memory(outs[0], ops.memory) != layout.order:
            place.made = spaces.NEVER
            return
        f, tasks, outs = in_order_of_memory(f, plan.tasks, outs, ops.memory)
        plan = plan.with_tasks(tuple(tasks))
    parts = list(_parts(f, plan, outs, ops))
    if not _can_be_made_again(f, plan, outs, parts, ops):
        place.made = spaces.NEVER
    elif met.made > _calls_before(parts, ops):
        place.keep([_space(f, plan, outs, place, layout, ops)])


def _calls_before(parts: Sequence[Part], ops: InPlaceOps) -> int:
    """Return how many calls of a plan run as any call does before one is made again.

    The first may be the only one, and forms that take long to record wait for more.
    """
    xp = ops.namespace
    runs = [forms.runs_before(terms, math.prod(f.shape), xp) for f, terms in parts]
    return 1 + max(runs)


def _can_be_made_again(
    f: Any, plan: Plan, outs: Sequence[Any], parts: Sequence[Part], ops: InPlaceOps
) -> bool:
    """Tell whether a call can be made again, and takes less time then."""
    tasks, sizes = list(all_tasks(plan)), [out.nbytes for out in outs]
    if 0 in sizes or not all(map(can_be_recorded, tasks)):
        return False
    has_masks = tasks[0].where is not None
    if has_masks and not all(masked.is_run_through(f, task) for task in plan.tasks):
        return False
    if not plan.is_plain and sum(sizes) > MOST_BYTES_SHARED:
        return False
    has_grid = tasks[0].coordinates is not None
    if len(outs) > 1 and (has_grid or _converted(f, tasks, ops) != f.dtype):
        return bool(max(sizes) <= MOST_BYTES_SHARED)
    limits = [most_points(*part, ops) for part in parts]
    points = max([math.prod(out.shape) for out in outs])
    most = min(filter(None, limits), default=points)
    return bool(points <= most and max(sizes) <= MOST_BYTES)


def _parts(f: Any, plan: Plan, outs: Sequence[Any], ops: InPlaceOps) -> Iterator[Part]:
    """Return what is made of the samples first, for each result."""
    for total, out in zip(totals_of(plan.tasks), outs, strict=True):
        own, tasks = first_of(f, total)
        yield own, [Term(task, shares_weights(out, task, ops)) for task in tasks]


def _space(
    f: Any,
    plan: Plan,
    outs: Sequence[Any],
    kept: Kept,
    layout: Layout | None,
    ops: InPlaceOps,
) -> Space:
    """Return where a call is made again.

    Samples and results are in the order of their axes here, and in a layout outside.
    """
    tasks = list(all_tasks(plan))
    workspace = workspace_for(f, plan, outs, _converted(f, tasks, ops), ops)
    first = Replay(workspace)
    play: Any = first.play
    if _can_rest(tasks, outs[0]):
        play = resting(first, partial(_rest, workspace, kept))
    arrays = spaces.given_arrays(workspace.tasks())
    outs = workspace.results.returned
    space = Space(workspace.samples, arrays, outs, play, first.nbytes)
    return space if layout is None else space.turned(layout.order, ops.memory)


def _converted(f: Any, tasks: Sequence[Task], ops: InPlaceOps) -> Any:
    """Return the dtype to which the samples are converted, if that is real."""
    first, *others = {task.precision.samples for task in tasks}
    return f.dtype if others or is_complex(first, ops.namespace) else first


def _can_rest(tasks: Sequence[Task], out: Any) -> bool:
    """Tell whether weights may stay, of each point its own."""
    count = 0
    for task in tasks:
        if task.where is not None:
            return False
        if has_weights(task):
            scheme = task.scheme
            count += len(scheme.formulas[scheme.interior].offsets) - 1
    return bool(0 < count * out.nbytes <= MOST_BYTES_OF_WEIGHTS)


def _rest(workspace: Workspace, kept: Kept) -> Replay | None:
    """Return how results are made of weights that stay, if there is room for them."""
    if not kept.account.has_room():
        return None
    replay = Replay(workspace.with_resting_weights())
    kept.grow(replay.nbytes)
    return replay
