"""One derivative along one axis: what is planned of it, and what a call adds.

A task is planned from shapes, dtypes and modes, so that it serves for all calls that
share them.  Steps, coordinates, masks, periods and boundary values are bound to it in
each call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from . import _boundaries, _libraries, _precision, _scales, _schemes
from ._checks import boundary, dtype, input, spacing
from ._checks.spacing import Entry
from ._classes import is_array
from ._constants import Place
from ._kept import Account, Kept
from ._precision import NoCommonDtypeError, Precision
from ._records import (
    Alternative,
    Axis,
    Ends,
    Field,
    Orders,
    Plan,
    Samples,
    Task,
    halo_of,
)
from ._scales import Scale
from ._schemes import Margin, Scheme
from ._typing import DType, Namespace


class Dim(NamedTuple):
    """All that is given for one dim."""

    #: Where it is.
    axis: Axis
    #: Its spacing.
    entry: Entry
    #: What stands at its ends.
    ends: Ends


def beyond_ends(dims: Sequence[Dim]) -> list[Any]:
    """Return what lies beyond the ends of dims: values and periods, None among them."""
    return [value for dim in dims for value in dim.ends.values()]


class Along(NamedTuple):
    """What is learned of the spacing along a dim."""

    #: None for a number.
    array: Samples | None
    #: Whether it is a step that makes the result complex.
    is_complex_step: bool
    #: Whether there are coordinates.
    is_uneven: bool


def planned(field: Field, dims: Sequence[Dim], orders: Orders) -> tuple[Task, ...]:
    """Return one task per dim, without the values of a call."""
    along = [_along(dim, field) for dim in dims]
    pairs = enumerate(zip(dims, along, strict=True))
    return tuple([_task(field, place, *pair, orders) for place, pair in pairs])


def planned_in_one_dtype(
    field: Field, dims: Sequence[Dim], orders: Orders
) -> tuple[Task, ...]:
    """Return one task per dim, all with the digits of one dtype."""
    xp, whole = field.samples.namespace, field
    if len(dims) > 1 and not _precision.is_integer(field.dtype, xp):
        usual = planned(field._replace(result=None), dims, orders)
        common = _precision.common([task.precision.result for task in usual], xp)
        if any(task.precision.result != common for task in usual):
            whole = field._replace(dtype=common)
        elif field.result is None:
            return usual
    return planned(whole, dims, orders)


def _along(dim: Dim, field: Field) -> Along:
    """Check what lies along a dim, as far as it is no value."""
    axis, entry, ends = dim
    boundary.check_for_field(ends, axis, field)
    if entry.is_number:
        boundary.check_for_step(ends, axis, field)
        spacing.check_complex(entry, field)
        return Along(None, isinstance(entry.given, complex), is_uneven=False)
    found = spacing.array(entry, field)
    is_complex = _precision.is_complex(found.dtype, found.namespace)
    if not found.shape:
        boundary.check_for_step(ends, axis, field)
        return Along(found, is_complex, is_uneven=False)
    spacing.check_coordinates(found, entry, axis, field)
    boundary.check_for_coordinates(ends, axis, field, is_complex)
    return Along(found, is_complex_step=False, is_uneven=True)


def _task(field: Field, place: int, dim: Dim, along: Along, orders: Orders) -> Task:
    samples, (axis, _, ends) = field.samples, dim
    uneven = along.is_uneven
    recipe = _schemes.Recipe(*orders, *ends[:2], uneven)
    points = least = _schemes.fewest_points(recipe)
    if field.has_mask:  # each run has ends of its own
        points = least = max(points, orders.edge_order + orders.order)
    elif points <= _schemes.MOST_REPEATED and _boundaries.can_be_short(*ends[:2]):
        least = min(points, _boundaries.least_points(*ends[:2], uneven=uneven))
    input.check_length(field, axis, least, orders, ends)
    length = field.shape[axis.number]
    recipes = _schemes.candidates(recipe) if field.has_mask else [recipe]
    if length < points:
        recipes = [recipe._replace(length=int(length))]
    make = _schemes.made if samples.is_compiled else _schemes.remembered
    scheme, *others = [make(recipe) for recipe in recipes]
    coordinates = along.array.dtype if along.array and along.is_uneven else None
    _check_result(field, coordinates, along.is_complex_step)
    try:
        precision = _precision.choose(
            field.dtype,
            coordinates,
            along.is_complex_step,
            samples.device,
            samples.namespace,
            field.result,
        )
    except NoCommonDtypeError:
        dtype.refuse_pair(dim.entry.name, coordinates, field.dtype)
    return Task(
        axis.number,
        scheme,
        precision,
        place,
        alternatives=tuple([Alternative(other, ()) for other in others]),
    )


def _check_result(field: Field, coordinates: DType | None, complex_step: bool) -> None:
    """Refuse a real dtype for a result that is complex."""
    if field.result is None:
        return
    xp, floating = field.samples.namespace, (field.dtype, coordinates)
    if complex_step or any(d and _precision.is_complex(d, xp) for d in floating):
        dtype.check_not_real(field.result, xp)


def nested(inner: Task, outer: Task, xp: Namespace) -> Task:
    """Return the task that takes the derivative `outer` of the derivative `inner`."""
    working = _precision.working(inner.precision)
    same = outer.precision._replace(
        samples=_precision.promoted(working, outer.precision.samples, xp),
        result=_precision.promoted(inner.precision.result, outer.precision.result, xp),
        wide_samples=False,
    )
    if _precision.is_complex(same.samples, xp):
        same = same._replace(is_complex_by_grid=False)
    return outer._replace(precision=same, inner=inner)


def margins(tasks: Sequence[Task]) -> tuple[Margin, ...]:
    """Return the ghosts among the samples: along an axis, as many as any task reads."""
    found: dict[int, Margin] = {}
    for task in tasks:
        has_ghosts = [mode == _boundaries.GHOSTS for mode in task.scheme.recipe[3:5]]
        if True not in has_ghosts:
            continue
        halo = halo_of(task)
        known = found.get(task.axis, Margin(task.axis, 0, 0))
        found[task.axis] = Margin(
            task.axis,
            max(known.left, halo.left * has_ghosts[0]),
            max(known.right, halo.right * has_ghosts[1]),
        )
    return tuple(found.values())


def with_one_dtype(tasks: Sequence[Task], xp: Namespace) -> tuple[Task, ...]:
    """Give results that end in one array the dtype that holds them all."""
    common = _precision.common([task.precision.result for task in tasks], xp)
    precisions = [task.precision._replace(result=common) for task in tasks]
    pairs = zip(tasks, precisions, strict=True)
    return tuple([task._replace(precision=precision) for task, precision in pairs])


class Values(NamedTuple):
    """What a call adds along one dim."""

    #: A step that is a number, float or complex; else None.
    number: Any
    #: As those of a task.
    step: Any = None
    coordinates: Any = None
    constants: Any = None
    period: Any = None


class StepOutOfRangeError(ValueError):
    """By a step, no number of the working dtype can be divided."""

    def __init__(self, place: int, precision: Precision) -> None:
        super().__init__(place, precision)
        self.place = place
        self.precision = precision


def values_of(
    given: Any, ends: Ends | None, place: Place | None, axis: int, plan: Plan
) -> Values:
    """Return what a call adds along an axis of the samples of a plan."""
    ndim, constants, period = plan.ndim, None, None
    if ends is not None:
        if any(map(is_array, ends.values())):
            from . import _beyond

            ends = _beyond.placed(ends, place, plan)
        constants, period = ends.constants, ends.period
    if isinstance(given, (float, complex)):
        return Values(given, None, None, constants, period)
    x = _libraries.without_shell(given)
    if x.ndim == 0:
        return Values(None, _libraries.lasting(x), None, constants, period)
    if not plan.takes_vectors:
        x = with_all_dims(x, axis, ndim)
    return Values(None, None, x, constants, period)


def with_all_dims(x: Any, axis: int, ndim: int) -> Any:
    """Return coordinates that broadcast: with as many dims as the samples."""
    if x.ndim >= ndim:
        return x
    return x[(*(None,) * axis, slice(None), *(None,) * (ndim - axis - 1))]


def bound(task: Task, values: Sequence[Values], *, is_compiled: bool = False) -> Task:
    """Return a task with what a call adds to it, but for the mask.

    Raises
    ------
    StepOutOfRangeError
        If there is one.
    """
    number, step, coordinates, constants, period = values[task.place]
    scales: Sequence[Scale] = ()
    alternatives, inner = task.alternatives, task.inner
    if number is not None:
        scales = _scaled(number, task.scheme, task, is_compiled)
        if alternatives:
            others = [scheme for scheme, _ in alternatives]
            scaled = [_scaled(number, other, task, is_compiled) for other in others]
            alternatives = tuple(map(Alternative, others, scaled))
    if inner is not None:
        inner = bound(inner, values, is_compiled=is_compiled)
    if constants is not None:
        constants = _of_task(constants, task)
    grid = (scales, step, coordinates, constants, period)
    return task.with_values(grid, inner, task.where, alternatives)


def masked(task: Task, where: Any) -> Task:
    """Return a task with the mask of a call: there may be one per component."""
    if task.component is not None and type(where) is tuple:
        where = where[task.component[1]]
    inner = None if task.inner is None else masked(task.inner, where)
    return task.with_values(task[4:9], inner, where, task.alternatives)


def _of_task(constants: tuple[Any, Any], task: Task) -> tuple[Any, Any]:
    """Return the values beyond the ends of what a task differentiates."""
    if any(map(is_array, constants)):
        from . import _beyond

        return _beyond.of_task(constants, task)
    # Where the samples are a number beyond an end, their derivative is zero.
    return constants if task.inner is None else (0.0, 0.0)


def _scaled(
    step: float | complex, scheme: Scheme, task: Task, is_compiled: bool
) -> Sequence[Scale]:
    """Return the scale of each formula for a step that is a number."""
    if step == 1.0 and type(step) is float:
        return scheme.unit_scales
    order, denominators = scheme.order, scheme.denominators
    if is_compiled:  # the value may be a symbol
        products = [_scales.divisors_of(step, order, d) for d in denominators]
        return scheme.per_formula([Scale((), divisors) for divisors in products])
    if not isinstance(step, complex):
        scales = _schemes.step_scales(scheme, step, task.precision)
        if scales is not None:
            return scales
    found = _scales.of_unusual_step(step, order, denominators, task.precision)
    if found is None:
        raise StepOutOfRangeError(task.place, task.precision)
    return scheme.per_formula(found)


def with_kept(task: Task, account: Account) -> Task:
    """Give a task, and one inside of it, where an executor may keep what it makes."""
    inner = None if task.inner is None else with_kept(task.inner, account)
    return task._replace(kept=Kept(account), inner=inner)
