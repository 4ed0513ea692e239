"""How the results of a plan are put together, and where they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._lowering import index_along
from .._records import totals_of

if TYPE_CHECKING:
    from .._records import Plan, Task
    from .._typing import Namespace


def of_totals(
    plan: Plan,
    total: Callable[[tuple[Task, ...]], Any],
    xp: Namespace,
    stack: Callable[..., Any],
) -> tuple[Any, ...]:
    """Return the results of a plan, where a derivative is made with all that is added.

    ``total(tasks)`` returns it, and ``stack(arrays, axis=...)`` puts several together.
    """
    totals = list(totals_of(plan.tasks))
    made = iter([total(tasks) for tasks in totals])
    firsts = tuple([tasks[0] for tasks in totals])
    # They are asked for in this order.
    return _agnostic.compose(plan.with_tasks(firsts), lambda _: next(made), xp, stack)


class Results(NamedTuple):
    """Arrays made beforehand."""

    #: The arrays that the call returns.
    returned: tuple[Any, ...]
    #: The array where each result is written.
    outs: Sequence[Any]
    #: An array where it stands as well, and the one from which it comes.
    copies: list[tuple[Any, Any]]

    def copy(self) -> tuple[Any, ...]:
        """Fill what stands at several places, and return what the call returns."""
        for target, source in self.copies:
            target[...] = source
        return self.returned


def at_each_place(plan: Plan) -> Plan:
    """Return a plan whose results all stand at one place, some being made twice.

    A kernel that has them in registers writes them twice, which takes no copy.
    """
    stack = plan.stack
    if stack is None or len(set(stack.numbers)) == len(stack.numbers):
        return plan
    totals = list(totals_of(plan.tasks))
    tasks = [task for number in stack.numbers for task in totals[number]]
    numbers = tuple(range(len(stack.numbers)))
    return plan.with_tasks(tuple(tasks))._replace(stack=stack._replace(numbers=numbers))


def empty(
    f: Any, plan: Plan, empty_like: Callable[..., Any], outs: Sequence[Any] = ()
) -> Results:
    """Make the arrays of a plan: one per result, or one for the stack of them.

    ``empty_like(array, dtype=..., shape=...)`` makes an array, of another shape only
    where one is given.  Where there are `outs`, it is these.
    """
    if outs:
        return Results(tuple(outs), outs, [])
    if plan.stack is None:
        outs = [
            empty_like(_agnostic.component(f, task), dtype=task.precision.result)
            for task in plan.tasks
            if task.sign == 0
        ]
        return Results(tuple(outs), outs, [])
    kept = [task for task in plan.tasks if task.sign == 0]
    stack, shape = plan.stack, _agnostic.component(f, kept[0]).shape
    shape = (*shape[: stack.axis], *stack.shape, *shape[stack.axis :])
    whole = empty_like(f, dtype=kept[0].precision.result, shape=shape)
    outs, copies = [], []
    for number in range(len(kept)):
        first, *others = [
            whole[index_along(stack.axis, *place)] for place in stack.places(number)
        ]
        outs.append(first)
        copies += [(other, first) for other in others]
    return Results((whole,), outs, copies)
