"""Blocks with ghosts: a plan runs on all samples, and the rows of ghosts are cut off.

The executor of the library runs as on any array, so that the bits are those of the
whole array: a row that is kept reads what it reads there.  The results are cut by
slices, views where the library has views.  Before, the samples lose the ghosts along
the axes that a derivative does not take part in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._records import Plan, Task, unrounded

if TYPE_CHECKING:
    from .._schemes import Margin
    from .._typing import Namespace


def run(
    f: Any,
    plan: Plan,
    xp: Namespace,
    *,
    margins: tuple[Margin, ...],
    executor: Callable[[Any, Plan, Namespace], tuple[Any, ...]],
    surroundings: Callable[[Any], AbstractContextManager[Any]],
) -> tuple[Any, ...]:
    """Return the results of the plan at the points that are no ghosts.

    ``executor(array, plan, namespace)`` returns those at all points; they are put
    together in the `surroundings` of an array.
    """

    def derivative(task: Task, later: tuple[int, ...] = ()) -> Any:
        """Return one derivative; a later one reads the ghosts along other axes."""
        read = (task.axis, *later)
        others = [margin for margin in margins if margin.axis not in read]
        if task.inner is None:
            samples = _cut(_agnostic.component(f, task), others)
        else:
            samples = derivative(unrounded(task.inner), read)
        alone = task._replace(
            coordinates=_cut(task.coordinates, others),
            component=None,
            sign=0,
            inner=None,
            where=_cut(task.where, others),
        )
        one = Plan((alone,), is_plain=alone.where is None)
        (whole,) = executor(samples, one, xp)
        return _cut(whole, [m for m in margins if m.axis == task.axis])

    if plan.is_plain:
        return tuple([derivative(task) for task in plan.tasks])
    with surroundings(f):
        return _agnostic.compose(plan, lambda task: derivative(unrounded(task)), xp)


def _cut(array: Any, margins: Iterable[Margin]) -> Any:
    """Return an array without the ghosts, where it does not broadcast over them."""
    if array is None:
        return None
    for axis, left, right in margins:
        if array.shape[axis] != 1:
            own = slice(left, -right if right else None)
            array = array[(slice(None),) * axis + (own, ...)]
    return array
