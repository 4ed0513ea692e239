"""Arrays beyond the ends of an axis: values and periods, one for each line.

They are values of a call, as coordinates are.  Those that are samples have the shape of
the samples but for a length of one along the axis, or broadcast to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _dispatch, _libraries
from ._classes import is_array, ndim_of
from ._lowering import with_dims
from ._records import Plan, all_tasks

if TYPE_CHECKING:
    from ._constants import Place
    from ._lowering import Lowering
    from ._records import Ends, Task
    from ._typing import Namespace


def arrays_of(task: Task) -> list[Any]:
    """Return those of the values and periods of a task that are arrays."""
    return list(filter(is_array, (*(task.constants or ()), task.period)))


def all_arrays_of(task: Task) -> list[Any]:
    """Return all arrays of a task, those beyond the ends among them."""
    found: list[Any] = []
    for array in (task.step, task.coordinates, task.where):
        if array is not None:
            found.append(array)  # noqa: PERF401 - a comprehension takes longer
    if task.constants is not None or task.period is not None:
        found += arrays_of(task)
    return found


def has_arrays(plan: Plan) -> bool:
    """Tell whether a task of a plan has any."""
    return any(arrays_of(task) for task in all_tasks(plan))


def placed(ends: Ends, place: Place | None, plan: Plan) -> Ends:
    """Return what stands at the ends with arrays as a plan has them."""
    is_of_vectors = any(task.component is not None for task in plan.tasks)
    values, period = ends.constants, _placed(ends.period, place, plan.ndim)
    if values is not None:
        ndim = plan.ndim + is_of_vectors
        values = _placed(values[0], place, ndim), _placed(values[1], place, ndim)
    return ends._replace(constants=values, period=period)


def _placed(value: Any, place: Place | None, ndim: int) -> Any:
    """Return an array of so many dims, or of none, where the samples lie."""
    if not is_array(value):
        return value
    plain = _libraries.without_shell(value if place is None else place.array(value))
    return with_dims(plain, ndim) if plain.ndim else plain


def of_task(constants: tuple[Any, Any], task: Task) -> tuple[Any, Any]:
    """Return the values beyond the ends of what one task differentiates.

    Those of a mixed derivative are left as they are where they differ along the axis of
    the inner one: their derivatives are taken when it is computed.  Elsewhere these are
    zero, as those of numbers are.
    """
    first, second = [_of_task(value, task) for value in constants]
    return first, second


def _of_task(value: Any, task: Task) -> Any:
    ndim = ndim_of(value)
    if task.inner is not None and (not ndim or value.shape[task.inner.axis] == 1):
        return 0.0
    if not ndim or task.component is None:
        return value
    axis, number = task.component
    return _dispatch.part_of(value, axis, number if value.shape[axis] != 1 else 0)


def derived(task: Task, xp: Namespace, lowering: Lowering) -> tuple[Any, Any]:
    """Return what lies beyond the ends of the outer axis of a mixed derivative.

    That is the inner derivative of the values there, on a row of their own.  Where its
    own ends have values, it has none for this row: its last samples go on.
    """
    return _derived(task, 0, xp, lowering), _derived(task, 1, xp, lowering)


def _derived(task: Task, end: int, xp: Namespace, lowering: Lowering) -> Any:
    from ._agnostic import derivative
    from ._lowering import END, START, index_along

    value, inner, axis = (task.constants or ())[end], task.inner, task.axis
    if inner is None or not ndim_of(value):
        return value

    def cut(array: Any, dim: int, row: slice) -> Any:
        is_long = ndim_of(array) and array.shape[dim] != 1
        return array[index_along(dim, row)] if is_long else array

    row = END if end else START
    ends = inner.constants
    if ends is not None:
        ends = cut(value, inner.axis, START), cut(value, inner.axis, END)
    return derivative(
        value,
        inner._replace(
            component=None,
            coordinates=cut(inner.coordinates, axis, row),
            period=cut(inner.period, axis, row),
            constants=ends,
            where=None,  # as values beyond an end are everywhere
            precision=inner.precision._replace(wide_samples=False),
        ),
        xp,
        lowering,
    )
