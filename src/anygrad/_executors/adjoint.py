"""Derivatives for torch under autograd: one step of its graph each.

A derivative is linear in the samples.  What flows back through it is another plan, of
transposed tasks, which is run as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, reduce
from itertools import repeat
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic, _lowering, _transposed
from .._beyond import all_arrays_of, has_arrays
from .._lowering import index_along
from .._records import Plan, all_tasks, are_short, totals_of

if TYPE_CHECKING:
    from .._records import Task
    from .._typing import Namespace


def serves(f: Any, plan: Plan) -> bool:
    """Tell whether the samples alone are tracked, and all numbers are real."""
    if f.is_complex():
        return False
    if not plan.is_plain and (has_arrays(plan) or are_short(plan.tasks)):
        return False
    for task in all_tasks(plan):
        precision = task.precision
        # A complex step makes the samples complex, so the dtypes differ.
        if not f.dtype == precision.samples == precision.result:
            return False
        if task.where is not None:
            return False
        if not (_is_constant(task.step) and _is_constant(task.coordinates)):
            return False
    return True


def _is_constant(grid: Any) -> bool:
    """Tell whether a step or coordinates are real and not tracked, or not there.

    Autograd saves no tensors of inference mode, whose changes it would not notice.
    """
    if grid is None:
        return True
    return not (grid.is_complex() or grid.requires_grad or grid.is_inference())


def run(
    f: Any,
    plan: Plan,
    xp: Namespace,
    forward: Callable[[Any, Plan, Namespace], tuple[Any, ...]],
) -> tuple[Any, ...]:
    """Return the results of a plan, which `forward` computes, in one step each.

    Results in one array are one: it is written at once, and what flows back is added
    up, too.
    """
    derivative = _derivative()

    def result(own: Plan) -> Any:
        # The steps and the coordinates: there are no other arrays, nor masks.
        grids = [grid for task in all_tasks(own) for grid in all_arrays_of(task)]
        return derivative.apply(f, own, xp, forward, *grids)

    if plan.stack is not None:
        return (result(plan),)
    # Each task of a plain plan is a total: that is told at once, as small calls count.
    totals = zip(plan.tasks) if plan.is_plain else totals_of(plan.tasks)
    return tuple([result(plan.with_tasks(tasks)) for tasks in totals])


def _with_grids(plan: Plan, grids: Iterator[Any]) -> Plan:
    """Return a plan with others in the places of its steps and coordinates."""
    return plan.with_tasks(tuple([_with_grid(task, grids) for task in plan.tasks]))


def _with_grid(task: Task, grids: Iterator[Any]) -> Task:
    inner = None if task.inner is None else _with_grid(task.inner, grids)
    step = None if task.step is None else next(grids)
    x = None if task.coordinates is None else next(grids)
    return task._replace(step=step, coordinates=x, inner=inner)


@cache
def _derivative() -> Any:
    """Return what autograd knows as one step, made when the first tensor comes."""
    import torch

    class Derivative(torch.autograd.Function):  # type: ignore[misc]
        """A result: partial derivatives that are added, or several in one array."""

        @staticmethod
        def forward(
            ctx: Any, f: Any, plan: Any, xp: Any, forward: Any, *grids: Any
        ) -> Any:
            # Saved, so that torch notices if they are written to before the way back,
            # and the user's hooks may put them elsewhere meanwhile.
            ctx.save_for_backward(*grids)
            ctx.plan = _with_grids(plan, repeat(True)) if grids else plan
            ctx.xp, ctx.shape, ctx.count = xp, f.shape, len(grids)
            (result,) = forward(f, plan, xp)
            return result

        @staticmethod
        def backward(ctx: Any, slopes: Any) -> Any:
            plan = ctx.plan
            if ctx.count:  # torch asks to retain the graph, even where none are saved
                plan = _with_grids(plan, iter(ctx.saved_tensors))
            back = transposed(slopes, plan, ctx.shape, ctx.xp)
            return back, None, None, None, *[None] * ctx.count

    return Derivative


def transposed(slopes: Any, plan: Plan, shape: Sequence[int], xp: Namespace) -> Any:
    """Return what samples of a shape get of what a result has got."""
    parts = list(_parts(slopes, plan))
    component = plan.tasks[0].component
    if component is None:
        return _sum_of_samples(parts, xp)
    axis, whole = component[0], []
    for number in range(shape[axis]):
        own = [(s, [t for t in ts if t.component == (axis, number)]) for s, ts in parts]
        own = [(s, tasks) for s, tasks in own if tasks]
        whole.append(_sum_of_samples(own, xp) if own else xp.zeros_like(parts[0][0]))
    return xp.stack(whole, axis=axis)


def _parts(slopes: Any, plan: Plan) -> Iterator[tuple[Any, Sequence[Task]]]:
    """Return the tasks of each result with what it has got, at all of its places."""
    if plan.stack is None:
        yield slopes, plan.tasks
        return
    axis = plan.stack.axis
    for number, tasks in enumerate(totals_of(plan.tasks)):
        places = plan.stack.places(number)
        yield reduce(add, [slopes[index_along(axis, *at)] for at in places]), tasks


def _sum_of_samples(parts: Sequence[tuple[Any, Sequence[Task]]], xp: Namespace) -> Any:
    """Return what the samples of one component get of several results."""
    return reduce(add, [_of_samples(slopes, tasks, xp) for slopes, tasks in parts])


def _of_samples(slopes: Any, tasks: Sequence[Task], xp: Namespace) -> Any:
    """Return what the samples of one component get of one result."""
    import torch

    from . import in_torch

    # What compiles the way back of a call that it has not compiled reads what is kept.
    is_compiled = torch.compiler.is_compiling()
    way = _way(tasks, is_compiled) if is_compiled else _kept_way(tasks)
    if is_compiled or way.is_short(slopes) or in_torch.is_batch(slopes):
        (total,) = _agnostic.run(
            slopes, way.plan, xp, _lowering.STANDARD._replace(join=_cat)
        )
    else:
        (total,) = in_torch.run(slopes, way.plan, xp)
    return -total if way.is_negative else total


class _Way(NamedTuple):
    """The way back through tasks that are added up."""

    #: These tasks.
    tasks: Sequence[Task]
    #: Their transposed ones, the first of which is a result.
    plan: Plan
    #: Whether it is to be negated, since the first task is subtracted.
    is_negative: bool

    def is_short(self, slopes: Any) -> bool:
        """Tell whether a recording could not tell the ends of some axis apart."""
        for task in all_tasks(self.plan):
            if slopes.shape[task.axis] < 2 * task.scheme.points:
                return True
        return False


def _way(tasks: Sequence[Task], is_compiled: bool = False) -> _Way:
    """Return the way back."""
    first = tasks[0].sign or 1
    back = []
    for task in tasks:
        signed = task._replace(sign=task.sign * first)
        if is_compiled:
            signed = signed._replace(kept=None)
        back.append(_transposed.of(signed, is_compiled=is_compiled))
    back[0] = back[0]._replace(sign=0)
    is_plain = len(back) == 1 and back[0].inner is None
    return _Way(tasks, Plan(tuple(back), is_plain=is_plain), first < 0)


def _kept_way(tasks: Sequence[Task]) -> _Way:
    """Return the way back, that of the latest numbers from where it is kept."""
    (task, *others) = tasks
    is_lone = not others and task.inner is None and task.component is None
    has_arrays = task.step is not None or task.coordinates is not None
    if task.kept is None or not is_lone or has_arrays:
        return _way(tasks)
    kept = task.kept.beside("way back")
    latest: _Way | None = kept.made  # once: threads may replace it
    if latest is None:
        latest = _way(tasks)
        kept.keep(latest)
    elif latest.tasks[0] is not task:
        latest = kept.made = _way(tasks)  # as large as the one before
    return latest


def _cat(pieces: list[Any], task: Task, _: Namespace) -> Any:
    """Put pieces together, by the one name that batches know."""
    import torch

    return torch.cat(pieces, dim=task.axis)
