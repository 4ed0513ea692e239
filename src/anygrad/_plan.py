"""What a call computes: small frozen records, made once and then only read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ._precision import Precision, working
from ._stencils import Formula, Scheme
from ._typing import Array


class Alternative(NamedTuple):
    """Other formulas, for points at which those of a task read what is missing.

    Attributes
    ----------
    scheme : Scheme
        The formulas along the axis.
    formulas : tuple of Formula
        As those of the task.
    """

    scheme: Scheme
    formulas: tuple[Formula, ...]


class Task(NamedTuple):
    """One partial derivative.

    Attributes
    ----------
    axis : int
        Not negative.
    scheme : Scheme
        The formulas along the axis.
    precision : Precision
        The dtypes.
    formulas : tuple of Formula
        For a step that is a Python number: the stencils of the scheme, scaled.  Else
        they are empty: they hold arrays, and planning computes no array.
    step : array or None
        For a step that is an array of shape ().
    coordinates : array or None
        For coordinates: of the samples' number of dimensions, so that they broadcast.
    constants : tuple of (float, float) or None
        The values of the ghosts at the left and at the right end, where the scheme
        asks for them.
    period : float or None
        For coordinates of a periodic axis: a turn, in their unit; not negative.
    component : tuple of (int, int) or None
        The axis of the components of a vector field, and which of them is
        differentiated: `axis` and `coordinates` are those of a single component.
    sign : int
        0 for a result of its own; 1 or -1 for a term that is added to the result of the
        task before, or subtracted from it.
    inner : Task or None
        The derivative that is taken first, of a mixed one.
    memo : dict or None
        Where an executor may keep what depends on Python numbers, dtypes and shapes
        only: such tasks are used again, for the next samples of the same shape, with
        the coordinates of that call.
    where : array or None
        Which samples are valid: of bools and of the samples' number of dimensions, so
        that it broadcasts, along the axis, too.
    alternatives : tuple of Alternative
        What is tried, in this order, where samples that the `scheme` names are not.
    """

    axis: int
    scheme: Scheme
    precision: Precision
    formulas: tuple[Formula, ...]
    step: Array | None
    coordinates: Array | None
    constants: tuple[Any, Any] | None = None
    period: Any = None
    component: tuple[int, int] | None = None
    sign: int = 0
    inner: Task | None = None
    memo: dict[Any, Any] | None = None
    where: Any = None
    alternatives: tuple[Alternative, ...] = ()


class Stack(NamedTuple):
    """How several results become one array.

    Attributes
    ----------
    axis : int
        Where the new axes stand in the array.
    shape : tuple of int
        Their lengths.
    numbers : tuple of int
        Which result stands at each place, the last of the new axes fastest.
    """

    axis: int
    shape: tuple[int, ...]
    numbers: tuple[int, ...]


class Plan(NamedTuple):
    """All that a call computes.

    Attributes
    ----------
    tasks : tuple of Task
        One per partial derivative, in the order of the results.
    stack : Stack or None
        How the results are put together; None to return them one by one.
    plain : bool
        Whether each task is a derivative of the samples as they are, all of them valid,
        and a result.
    """

    tasks: tuple[Task, ...]
    stack: Stack | None = None
    plain: bool = True


def unrounded(task: Task) -> Task:
    """Return a task whose result is left in the working dtype."""
    dtype = working(task.precision)
    return task._replace(precision=task.precision._replace(result=dtype))


def candidates(task: Task) -> list[Task]:
    """Return the task as if all samples were valid, and that of each alternative."""
    first = task._replace(where=None, alternatives=())
    others = [
        first._replace(scheme=scheme, formulas=formulas)
        for scheme, formulas in task.alternatives
    ]
    return [first, *others]


def all_tasks(plan: Plan) -> Iterator[Task]:
    """Return the tasks of a plan, and those inside of mixed derivatives."""
    for task in plan.tasks:
        yield task
        if task.inner is not None:
            yield task.inner
