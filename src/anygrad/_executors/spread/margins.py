"""Blocks with ghosts: a plan runs on all samples, and the rows of ghosts are cut off.

The executor of the library runs as on any array, so that the bits are those of the
whole array: a row that is kept reads what it reads there.  Rows of ghosts along one
axis have the right derivatives along all others, which is what mixed ones read.  The
results are cut by slices, views where the library has views.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._lowering import index_along
from ..._records import Stack

if TYPE_CHECKING:
    from ..._records import Plan
    from ..._schemes import Margin
    from ..._typing import Namespace


def run(
    f: Any,
    plan: Plan,
    xp: Namespace,
    *,
    margins: tuple[Margin, ...],
    executor: Callable[[Any, Plan, Namespace], tuple[Any, ...]],
    cut: Callable[[Any, tuple[Any, ...]], Any] = operator.getitem,
) -> tuple[Any, ...]:
    """Return the results of the plan at the points that are no ghosts.

    ``executor(array, plan, namespace)`` returns those at all points, and
    ``cut(array, slices)`` those that are kept.
    """
    results, stack = executor(f, plan, xp), plan.stack or Stack(0, (), ())
    for axis, left, right in margins:
        place = axis + len(stack.shape) if axis >= stack.axis else axis
        own = index_along(place, slice(left, -right if right else None))
        results = tuple([cut(result, own) for result in results])
    return results
