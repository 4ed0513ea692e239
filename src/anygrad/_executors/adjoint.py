"""Derivatives for torch under autograd: one step of its graph each.

A derivative is linear in the samples.  What flows back through it is another plan, of
transposed tasks, which is run as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import _agnostic, _lowering, _transposed
from .._beyond import has_arrays
from .._records import Plan, all_tasks, are_short
from . import results

if TYPE_CHECKING:
    from .._records import Task
    from .._typing import Namespace


def serves(f: Any, plan: Plan) -> bool:
    """Tell whether the samples alone are tracked, and all numbers are real."""
    if f.is_complex() or has_arrays(plan) or are_short(plan.tasks):
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
    """Return the derivatives of `f`, which `forward` computes, one step each."""
    derivative = _derivative()

    def total(tasks: tuple[Task, ...]) -> Any:
        own = plan.with_tasks(tasks)._replace(stack=None)
        grids = [grid for task in all_tasks(own) for grid in task[5:7]]
        return derivative.apply(f, own, xp, forward, *grids)

    return results.of_totals(plan, total, xp, xp.stack)


@cache
def _derivative() -> Any:
    """Return what autograd knows as one step, made when the first tensor comes."""
    import torch

    class Derivative(torch.autograd.Function):  # type: ignore[misc]
        """One partial derivative, with all that is added to it."""

        @staticmethod
        def forward(
            ctx: Any, f: Any, plan: Any, xp: Any, forward: Any, *grids: Any
        ) -> Any:
            # Saved, so that torch notices if they are written to before the way back.
            ctx.save_for_backward(*grids)
            ctx.plan, ctx.xp, ctx.shape = plan, xp, f.shape
            (result,) = forward(f, plan, xp)
            return result

        @staticmethod
        def backward(ctx: Any, slopes: Any) -> Any:
            grids = len(ctx.saved_tensors)
            back = transposed(slopes, ctx.plan, ctx.shape, ctx.xp)
            return back, None, None, None, *[None] * grids

    return Derivative


def transposed(slopes: Any, plan: Plan, shape: Sequence[int], xp: Namespace) -> Any:
    """Return what samples of a shape get of what a result has got."""
    component = plan.tasks[0].component
    if component is None:
        return _of_samples(slopes, plan.tasks, xp)
    axis, parts = component[0], []
    for number in range(shape[axis]):
        tasks = [task for task in plan.tasks if task.component == (axis, number)]
        part = _of_samples(slopes, tasks, xp) if tasks else xp.zeros_like(slopes)
        parts.append(part)
    return xp.stack(parts, axis=axis)


def _of_samples(slopes: Any, tasks: Sequence[Task], xp: Namespace) -> Any:
    """Return what the samples of one component get."""
    import torch

    from . import in_torch

    # What compiles the way back of a call that it has not compiled reads what is kept.
    is_compiled = torch.compiler.is_compiling()
    if is_compiled:
        tasks = [task._replace(kept=None) for task in tasks]
    first = tasks[0].sign or 1
    back = [
        _transposed.of(task._replace(sign=task.sign * first), is_compiled=is_compiled)
        for task in tasks
    ]
    back[0] = back[0]._replace(sign=0)
    is_plain = len(back) == 1 and back[0].inner is None
    plan = Plan(tuple(back), is_plain=is_plain)
    # A recording of it knows the samples at either end from each other.
    is_short = any(
        slopes.shape[task.axis] < 2 * task.scheme.points for task in all_tasks(plan)
    )
    if is_compiled or is_short or in_torch.is_batch(slopes):
        (total,) = _agnostic.run(
            slopes, plan, xp, _lowering.STANDARD._replace(join=_cat)
        )
    else:
        (total,) = in_torch.run(slopes, plan, xp)
    return total if first > 0 else -total


def _cat(pieces: list[Any], task: Task, _: Namespace) -> Any:
    """Put pieces together, by the one name that batches know."""
    import torch

    return torch.cat(pieces, dim=task.axis)
