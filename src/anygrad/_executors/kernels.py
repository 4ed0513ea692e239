"""Whole calls as kernels: one for all results where that is not too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from .._precision import working
from .._records import transposed, unrounded

if TYPE_CHECKING:
    from .._records import Plan
    from .._typing import Namespace

#: ``launch(f, plan, outs)`` writes all results of a plan in one pass; it tells whether
#: it could.
Launch: TypeAlias = Callable[[Any, "Plan", Sequence[Any]], bool]


def run(f: Any, plan: Plan, xp: Namespace, outs: Sequence[Any], launch: Launch) -> bool:
    """Write the results of a plan; tell whether it could.

    What is too long for one kernel becomes several: one per result, one per term of a
    sum, and one for the inner derivative of a mixed one.
    """
    f, plan, outs = _in_order_of_memory(f, plan, outs)
    if launch(f, plan, outs):
        return True
    if len(outs) > 1:
        starts = [k for k, task in enumerate(plan.tasks) if task.sign == 0]
        parts = pairwise([*starts, len(plan.tasks)])
        return all(
            run(f, plan._replace(tasks=plan.tasks[start:stop]), xp, [out], launch)
            for (start, stop), out in zip(parts, outs, strict=True)
        )
    if len(plan.tasks) > 1:
        return _sum(f, plan, xp, outs[0], launch)
    if plan.tasks[0].inner is not None:
        return _mixed(f, plan, xp, outs[0], launch)
    return False


def _sum(f: Any, plan: Plan, xp: Namespace, out: Any, launch: Launch) -> bool:
    """Write a sum, one term after the other; it is rounded once."""
    dtype = working(plan.tasks[0].precision)
    total = out if out.dtype == dtype else xp.empty_like(out, dtype=dtype)
    term: Any = None
    for task in plan.tasks:
        target = total if term is None else term
        alone = plan._replace(tasks=(unrounded(task)._replace(sign=0),))
        if not run(f, alone, xp, [target], launch):
            return False
        if term is None:
            term = xp.empty_like(total)
        elif task.sign > 0:
            total += term
        else:
            total -= term
    if total is not out:
        out[...] = total
    return True


def _mixed(f: Any, plan: Plan, xp: Namespace, out: Any, launch: Launch) -> bool:
    """Write a mixed derivative, the inner one first."""
    (task,) = plan.tasks
    if task.inner is None or task.component is not None:
        return False
    inner = unrounded(task.inner)
    between = xp.empty_like(out, dtype=inner.precision.result)
    before = plan._replace(tasks=(inner,))
    after = plan._replace(tasks=(task._replace(inner=None),))
    return run(f, before, xp, [between], launch) and run(
        between, after, xp, [out], launch
    )


def _in_order_of_memory(
    f: Any, plan: Plan, outs: Sequence[Any]
) -> tuple[Any, Plan, Sequence[Any]]:
    """Return a call with its axes in the order in which its results lie in memory."""
    has_components = any(task.component is not None for task in plan.tasks)
    if has_components or outs[0].flags.c_contiguous:
        return f, plan, outs
    strides = outs[0].strides
    order = sorted(range(f.ndim), key=lambda k: -strides[k])
    if order == list(range(f.ndim)):
        return f, plan, outs

    def transpose(array: Any, axes: Sequence[int]) -> Any:
        return array.transpose(axes)

    tasks = [transposed(task, order, transpose) for task in plan.tasks]
    return (
        f.transpose(order),
        plan.with_tasks(tuple(tasks)),
        [out.transpose(order) for out in outs],
    )
