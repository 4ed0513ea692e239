"""Blocks for torch under autograd: the derivative as one step of its graph.

The derivative is linear in the samples.  What flows back through it is the transposed
sum: where a formula reads ``weight * (f[upper] - f[lower])``, the slope at its point
times the weight is added to `upper` and taken from `lower`.  So it follows from the
formulas, whatever they are, and nothing but the grid is kept for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._formulas import WeightedFormula

if TYPE_CHECKING:
    from .._records import Plan, Task
    from .._typing import Namespace

#: So many slopes are transposed at once.
BLOCK = 2**18

#: `torch.autograd.Function` for a derivative, made when the first tensor comes.
_functions: list[Any] = []


def serves(f: Any, plan: Plan) -> bool:
    """Tell whether the samples alone are tracked, and all numbers are real."""
    if f.is_complex() or not plan.is_plain or plan.stack is not None:
        return False
    for task in plan.tasks:
        precision = task.precision
        # A complex step makes the samples complex, so the dtypes differ.
        if not f.dtype == precision.samples == precision.result:
            return False
        if not (_is_constant(task.step) and _is_constant(task.coordinates)):
            return False
    return True


def _is_constant(grid: Any) -> bool:
    """Tell whether a step or coordinates are real and not tracked, or not there."""
    return grid is None or not (grid.is_complex() or grid.requires_grad)


def run(
    f: Any,
    plan: Plan,
    xp: Namespace,
    forward: Callable[[Any, Plan, Namespace], tuple[Any, ...]],
) -> tuple[Any, ...]:
    """Return the derivatives of `f`, which `forward` computes, one step each."""
    if not _functions:
        _functions[:] = [_make_function()]  # threads may meet here
    function = _functions[0]
    return tuple(
        function.apply(f, task.step, task.coordinates, task, xp, forward)
        for task in plan.tasks
    )


def _make_function() -> Any:
    import torch

    from .._records import Plan

    class Derivative(torch.autograd.Function):  # type: ignore[misc]
        """One partial derivative."""

        @staticmethod
        def forward(
            ctx: Any, f: Any, step: Any, x: Any, task: Any, xp: Any, forward: Any
        ) -> Any:
            # Saved, so that torch notices if they are written to before the way back.
            ctx.save_for_backward(step, x)
            ctx.task, ctx.xp = task._replace(step=None, coordinates=None), xp
            (result,) = forward(f, Plan((task,)), xp)
            return result

        @staticmethod
        def backward(ctx: Any, slopes: Any) -> Any:
            step, x = ctx.saved_tensors
            task = ctx.task._replace(step=step, coordinates=x)
            return transposed(slopes, task, ctx.xp), None, None, None, None, None

    return Derivative


def transposed(slopes: Any, task: Task, xp: Namespace) -> Any:
    """Return what the samples get of what their derivatives have got."""
    import torch

    if torch.is_grad_enabled():  # plain operations, which are differentiable
        return _sum_of_transposed(slopes, task, xp)
    if slopes.device.type == "cuda":
        from .._executors import torch_on_cuda

        total = torch_on_cuda.transposed(slopes, task, xp, run_transposed)
        return _sum_of_transposed(slopes, task, xp) if total is None else total
    if slopes.ndim == 1:
        return _sum_of_transposed(slopes, task, xp)
    # Blocks that stay in the cache between the operations; all have the whole axis.
    total, formulas = xp.zeros_like(slopes), _agnostic.weighted_formulas(task, xp)
    across = 1 if task.axis == 0 else 0
    extent = max(BLOCK * slopes.shape[across] // max(slopes.numel(), 1), 1)
    for start in range(0, slopes.shape[across], extent):
        cut = partial(_cut, axis=across, start=start, extent=extent)
        parts = [formula.with_weights(cut) for formula in formulas]
        _add_transposed(cut(slopes), cut(total), task.axis, parts, _add_in_place)
    return total


def run_transposed(slopes: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Return what the samples get, as a recording has it."""
    (task,) = plan.tasks
    total, formulas = xp.zeros_like(slopes), _agnostic.weighted_formulas(task, xp)
    return (_add_transposed(slopes, total, task.axis, formulas, _accumulate),)


def _sum_of_transposed(slopes: Any, task: Task, xp: Namespace) -> Any:
    """Return it with operations on whole arrays."""
    total, formulas = xp.zeros_like(slopes), _agnostic.weighted_formulas(task, xp)
    return _add_transposed(slopes, total, task.axis, formulas, _add_in_place)


def _cut(array: Any, axis: int, start: int, extent: int) -> Any:
    """Return some of an array along an axis; numbers, and what is spread, as it is."""
    if array is None or isinstance(array, float) or array.shape[axis] == 1:
        return array
    return array.narrow(axis, start, min(extent, array.shape[axis] - start))


def _add_transposed(
    slopes: Any,
    total: Any,
    axis: int,
    formulas: Iterable[WeightedFormula],
    add: Callable[..., Any],
) -> Any:
    """Return a total with all that flows back; it may have been written to.

    ``add(total, axis, points, term, is_subtracted)`` adds a term at some points.
    """
    for formula, terms, (factors, divisors) in formulas:
        part = _agnostic.shifted(slopes, axis, formula, 0)
        for factor in factors:
            part = part * factor
        for divisor in divisors:
            part = part / divisor
        for upper, lower, weight in terms:
            term = part if weight is None else part * weight
            points = _agnostic.points(formula, upper)
            total = add(total, axis, points, term, is_subtracted=False)
            if lower is not None:
                points = _agnostic.points(formula, lower)
                total = add(total, axis, points, term, is_subtracted=True)
    return total


def _add_in_place(
    total: Any, axis: int, points: slice, term: Any, *, is_subtracted: bool
) -> Any:
    """Add to a part of an array where it is."""
    part = total[(slice(None),) * axis + (points,)]
    if is_subtracted:
        part.sub_(term)
    else:
        part.add_(term)
    return total


def _accumulate(
    total: Any, axis: int, points: slice, term: Any, *, is_subtracted: bool
) -> Any:
    """Write down that something is added."""
    return total.accumulated(axis, points, term, is_subtracted=is_subtracted)
