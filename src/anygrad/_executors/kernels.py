"""Whole calls as kernels: one for all results where that is not too long."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from .. import _agnostic
from .._beyond import arrays_of
from .._executors.operations import OF_NUMPY
from .._precision import working
from .._records import all_tasks, candidates, totals_of, transposed, unrounded

if TYPE_CHECKING:
    from .._executors.operations import Memory
    from .._records import Plan, Task
    from .._typing import Namespace


#: So many kernels are remembered, the latest ones.
MOST_KERNELS = 256

#: XLA takes some 5 ms for each: up to so many, less than a first call by operations.
MOST_PAIRS = 500

K = TypeVar("K")
V = TypeVar("V")


def remember(kernels: dict[K, V], key: K, kernel: V) -> V:
    """Put a kernel to those that are known, and return the one that is there then."""
    if len(kernels) >= MOST_KERNELS:
        # Threads may meet here: then one finds nothing to forget.
        kernels.pop(next(iter(kernels), key), None)
    return kernels.setdefault(key, kernel)


def compiled(make: Callable[[], V], compiler: str, instead: str) -> V | None:
    """Return what a compiler makes; None, and a warning, where it cannot."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever a compiler may raise
        msg = (
            f"{compiler} cannot compile this call, so it runs {instead}: "
            f"{type(error).__name__}: {error}"
        )
        warnings.warn(msg, RuntimeWarning, stacklevel=2)
        return None


def is_long(plan: Plan) -> bool:
    """Tell whether missing samples on coordinates have a whole compiler busy."""
    masked = [task for task in all_tasks(plan) if task.where is not None]
    return pairs_of(masked) > MOST_PAIRS


def pairs_of(tasks: Iterable[Task]) -> int:
    """Return how long it is what makes the weights on coordinates.

    Each formula has weights of its own there, made of all pairs of its points.
    """
    return sum(
        len(formula.offsets) ** 2
        for task in tasks
        if task.coordinates is not None
        for candidate in candidates(task)
        for formula in candidate.scheme.formulas
    )


class Runner(NamedTuple):
    """What runs kernels.

    Attributes
    ----------
    launch : callable
        ``launch(f, plan, outs)`` writes all results of a plan in one pass; it tells
        whether it could.
    namespace : module
        Of the arrays.
    memory : Memory
        Likewise.
    most_results : int
        More are not made in one pass.
    """

    launch: Callable[[Any, Plan, Sequence[Any]], bool]
    namespace: Namespace
    memory: Memory = OF_NUMPY
    most_results: int = 16


def run(f: Any, plan: Plan, outs: Sequence[Any], runner: Runner) -> bool:
    """Write the results of a plan; tell whether it could.

    What is too long for one kernel becomes several: one per result, one per term of a
    sum, and one for the inner derivative of a mixed one.
    """
    if not outs:  # nothing is asked for
        return True
    f, tasks, outs = in_order_of_memory(f, plan.tasks, outs, runner.memory)
    plan = plan.with_tasks(tuple(tasks))
    if len(outs) <= runner.most_results and runner.launch(f, plan, outs):
        return True
    if len(outs) > 1:
        return all(
            run(samples, plan._replace(tasks=tasks), [out], runner)
            for (samples, tasks), out in zip(_parts(f, plan), outs, strict=True)
        )
    if len(plan.tasks) > 1:
        return _sum(f, plan, outs[0], runner)
    if plan.tasks[0].inner is not None:
        return _mixed(f, plan, outs[0], runner)
    return False


def _parts(f: Any, plan: Plan) -> Iterator[tuple[Any, tuple[Task, ...]]]:
    """Return the samples and the tasks of each result.

    A component is an array of its own, so that all of them have one form.
    """
    for tasks in totals_of(plan.tasks):
        (first, *others) = tasks
        if others:
            yield f, tasks
        else:
            yield _agnostic.component(f, first), (first._replace(component=None),)


def _sum(f: Any, plan: Plan, out: Any, runner: Runner) -> bool:
    """Write a sum, one term after the other; it is rounded once."""
    xp, dtype = runner.namespace, working(plan.tasks[0].precision)
    total = out if out.dtype == dtype else xp.empty_like(out, dtype=dtype)
    term: Any = None
    for task in plan.tasks:
        target = total if term is None else term
        alone = plan._replace(tasks=(unrounded(task)._replace(sign=0),))
        if not run(f, alone, [target], runner):
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


def _mixed(f: Any, plan: Plan, out: Any, runner: Runner) -> bool:
    """Write a mixed derivative, the inner one first."""
    (task,) = plan.tasks
    if arrays_of(task):  # their own derivatives are wanted, which are in the whole only
        return False
    inner = unrounded(cast("Task", task.inner))
    between = runner.namespace.empty_like(out, dtype=inner.precision.result)
    before = plan._replace(tasks=(inner,))
    valid = _agnostic.known(f.shape, inner, runner.namespace)
    after = plan._replace(tasks=(task._replace(inner=None, where=valid),))
    return run(f, before, [between], runner) and run(between, after, [out], runner)


def order_of_memory(array: Any, memory: Memory) -> tuple[int, ...]:
    """Return the axes of an array, the last one the fastest in its memory."""
    axes = range(array.ndim)
    if memory.is_contiguous(array):
        return tuple(axes)
    strides = memory.strides(array)
    return tuple(sorted(axes, key=lambda k: -strides[k]))


def in_order_of_memory(
    f: Any, tasks: Sequence[Task], outs: Sequence[Any], memory: Memory
) -> tuple[Any, Sequence[Task], Sequence[Any]]:
    """Return a call with its axes in the order in which its results lie in memory."""
    transpose, order = memory.transpose, order_of_memory(outs[0], memory)
    if order == tuple(range(outs[0].ndim)):
        return f, tasks, outs
    each = {id(task): transposed(task, order, transpose) for task in tasks}
    turned = [each[id(task)] for task in tasks]
    of_samples: Sequence[int] = order
    if tasks[0].component is not None:  # its axis becomes the first
        axis, _ = tasks[0].component
        of_samples = [axis, *[k + (k >= axis) for k in order]]
        turned = [
            turn._replace(component=(0, task.component[1]))
            for task, turn in zip(tasks, turned, strict=True)
            if task.component is not None
        ]
    return (
        transpose(f, of_samples),
        turned,
        [transpose(out, order) for out in outs],
    )
