"""Whole calls as kernels: one for all results where that is not too long."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ... import _agnostic
from ..._beyond import arrays_of
from ..._precision import working
from ..._records import totals_of, unrounded
from ..memory import in_order_of_memory

if TYPE_CHECKING:
    from ..._records import Plan, Task
    from ..._typing import Namespace
    from ..memory import Memory


#: For each line that a kernel may have, so many nodes are recorded at most: what a
#: result needs is a line or two, and little is recorded that none needs.
NODES_PER_LINE = 2

V = TypeVar("V")


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


class Runner(NamedTuple):
    """What runs kernels."""

    #: ``launch(f, plan, outs)`` writes all results of a plan in one pass; it tells
    #: whether it could.
    launch: Callable[[Any, Plan, Sequence[Any]], bool]
    #: Of the arrays.
    namespace: Namespace
    #: Likewise.
    memory: Memory
    #: More are not made in one pass.
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
    total: Any = None
    spare: Any = None
    for task in plan.tasks:
        # Of integers, only what complex coordinates divide is complex.
        dtype = working(task.precision)
        if total is None and out.dtype == dtype:
            term = out
        elif spare is None or spare.dtype != dtype:
            term = runner.namespace.empty_like(out, dtype=dtype)
        else:
            term = spare
        alone = plan._replace(tasks=(unrounded(task)._replace(sign=0),))
        if not run(f, alone, [term], runner):
            return False
        if total is None:
            total = term
            continue
        spare = term
        if total.dtype != dtype:
            total = total + term if task.sign > 0 else total - term
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
