"""How samples are spread over devices, axis by axis, and how the results follow."""

from __future__ import annotations

import math
from typing import Any

from ..._records import Plan, Task

#: For each axis, what it has: the name or the names of the axes of the mesh over which
#: it is cut; None where it is whole.
Entries = tuple[Any, ...]


def parts_of(mesh: Any, entry: Any) -> int:
    """Return into how many parts an axis is cut that has this entry."""
    names = (entry,) if isinstance(entry, str) else entry or ()
    return math.prod([mesh.shape[name] for name in names])


def axis_of_samples(task: Task) -> int:
    """Return the axis of a task among those of the samples, with their components."""
    return task.axis + (task.component is not None and task.component[0] <= task.axis)


def axes_of_results(entries: Entries, plan: Plan) -> list[Entries]:
    """Return how the results are spread: as the samples, along the axes they share."""
    if not plan.tasks:
        return []
    own = list(entries)
    if plan.tasks[0].component is not None:
        del own[plan.tasks[0].component[0]]
    if plan.stack is not None:
        own[plan.stack.axis : plan.stack.axis] = [None] * len(plan.stack.shape)
        return [tuple(own)]
    return [tuple(own)] * sum(task.sign == 0 for task in plan.tasks)
