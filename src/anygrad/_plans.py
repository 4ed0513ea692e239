"""From a whole call to its plan, and the one place where plans are kept.

A plan depends on classes, dtypes and shapes, on where arrays lie, on the settings that
decide dtypes, and on the arguments that are words or whole numbers.  It is kept by
these, and by nothing else: steps, periods and values beyond the ends are numbers of a
call, as coordinates and masks are its arrays, and are bound to the plan each time.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from . import _dispatch
from ._calls import Planned, Request
from ._checks import boundary, input, spacing
from ._libraries import BY_CLASS, without_shell
from ._records import Account, Plan, Samples, size_of
from ._tasks import StepOutOfRangeError, bound, values_of, with_kept, with_step

#: What plans a call.
Planner = Callable[[Samples, Request], Planned]

#: The plans hold no more than so many bytes together.
MOST_BYTES = 2**23


#: A list would not do: a plan is looked up by it.
Form = tuple[Any, ...]


class Known:
    """A plan that is kept.

    Attributes
    ----------
    plan : Plan
        Without what a call adds.
    has_ends : bool
        Whether periods or values beyond the ends are to be bound.
    has_steps_only : bool
        Whether nothing but steps that are numbers is to be bound.
    account : Account
        How many bytes it holds, with what executors keep.
    last : tuple of (steps, Plan) or None
        The steps of the latest call, where there are but steps, and its plan: the same
        steps often come again.
    """

    __slots__ = ("account", "has_ends", "has_steps_only", "last", "plan")

    def __init__(
        self, plan: Plan, account: Account, *, has_ends: bool, has_steps_only: bool
    ) -> None:
        self.plan = plan
        self.account = account
        self.has_ends = has_ends
        self.has_steps_only = has_steps_only
        self.last: tuple[Any, Plan] | None = None


_known: dict[Any, Known] = {}

#: What all of them hold.
_held = Account()


def plan(planner: Planner, array: Any, request: Request) -> Plan:
    """Return the plan of a call, with all that it needs: after it, nothing is refused.

    Raises
    ------
    TypeError, ValueError, IndexError
        As the public functions document them.
    """
    cls = type(array)
    library = BY_CLASS.get((cls.__module__, cls.__qualname__))
    if library is None or (library.is_compiled is not None and library.is_compiled()):
        samples, planned = _planned(planner, array, request)
        return _with_values(samples, planned, request)
    try:
        key = (
            planner,
            cls,
            library.conditions and library.conditions(array),
            array.dtype,
            array.shape,
            *_form(request),
        )
        known = _known.get(key)
    except (TypeError, RuntimeError):
        # What cannot be looked up: symbolic lengths, sparse tensors, nonsense.
        samples, planned = _planned(planner, array, request)
        return _with_values(samples, planned, request)
    if known is None:
        return _learned(key, planner, array, request)
    if known.plan.is_bound:
        return known.plan
    try:
        return _bound(known, request)
    except ValueError:  # a step or a period; it is said in the words of the call
        samples, planned = _planned(planner, array, request)
        return _with_values(samples, planned, request)


def _form(request: Request) -> Form:
    """Return what a plan depends on in the arguments of a call.

    Types count, too: True is equal to 1, and is refused.

    Raises
    ------
    TypeError
        If there is something for which no plan is kept.
    """
    spacing, boundary, where, dim, axis, *whole_numbers = request
    return (
        _spacing_form(spacing),
        boundary if type(boundary) is str else _boundary_form(boundary),
        where if where is None else _array_form(where),
        dim if dim is None else _typed(dim),
        axis if axis is None else _typed(axis),
        *whole_numbers,
        *map(type, whole_numbers),
    )


def _typed(dims: Any) -> Form:
    if type(dims) in (list, tuple):
        return type(dims), *dims, *map(type, dims)
    return type(dims), dims


def _spacing_form(spacing: Any) -> Any:
    """Return the forms of one entry, or of a list of entries."""
    if type(spacing) in (list, tuple):
        return tuple([_entry_form(entry) for entry in spacing])
    return _entry_form(spacing)


def _entry_form(entry: Any) -> Any:
    """Return whether a step is one, of numbers; of arrays, all but their values."""
    if type(entry) in (float, int):
        return entry == 1
    if entry is None:
        return None
    return _number_form(entry) or _array_form(entry)


def _number_form(number: Any) -> Any:
    """Return a type that stands for all numbers of a kind; None for no number."""
    if type(number) in (float, int):
        return float
    if isinstance(number, bool) or not isinstance(number, numbers.Complex):
        return None
    dtype = getattr(number, "dtype", None)
    if dtype is not None and dtype.kind not in "fiuc":  # a length of time
        return None
    return float if isinstance(number, numbers.Real) else complex


def _array_form(array: Any) -> Form:
    cls = type(array)
    library = BY_CLASS.get((cls.__module__, cls.__qualname__))
    if library is None:
        raise TypeError
    conditions = library.conditions and library.conditions(array)
    return cls, conditions, array.dtype, array.shape


def _boundary_form(boundary: Any) -> Any:
    """Return the words of a boundary, with types for its numbers."""
    if type(boundary) in (list, tuple):
        return type(boundary), *[_boundary_form(entry) for entry in boundary]
    if type(boundary) is str:
        return boundary
    form = _number_form(boundary)
    if form is None:
        raise TypeError
    return form


def _planned(planner: Planner, array: Any, request: Request) -> tuple[Samples, Planned]:
    samples = _dispatch.samples_of(array, "input")
    input.check_numeric(samples, "input")
    return samples, planner(samples, request)


def _with_values(samples: Samples, planned: Planned, request: Request) -> Plan:
    """Return a plan with the values of the call that it was made for."""
    plan, dims = planned
    values = [
        values_of(
            d.entry.given, d.ends.constants, d.ends.period, d.axis.number, plan.ndim
        )
        for d in dims
    ]
    where = _mask(request.where, plan)
    try:
        tasks = [
            bound(task, values, where, is_compiled=samples.is_compiled)
            for task in plan.tasks
        ]
    except StepOutOfRangeError as error:
        spacing.refuse_range(dims[error.place].entry, error.precision)
    return plan.with_tasks(tuple(tasks))


def _mask(where: Any, plan: Plan) -> Any:
    """Return a mask with as many dimensions as the samples."""
    if where is None:
        return None
    plain = without_shell(where)
    missing = plan.ndim - plain.ndim
    return plain[(*(None,) * missing, ...)] if missing else plain


def _learned(key: Any, planner: Planner, array: Any, request: Request) -> Plan:
    """Return the plan of a call whose like has not been seen, and keep it."""
    samples, planned = _planned(planner, array, request)
    account = Account(_held)
    tasks = tuple([with_kept(task, account) for task in planned.plan.tasks])
    account.add(2 * size_of(tasks))  # with those of the latest step
    planned = planned._replace(plan=planned.plan._replace(tasks=tasks))
    made = _with_values(samples, planned, request)
    entries, ends = [d.entry for d in planned.dims], [d.ends for d in planned.dims]
    has_ends = any(e.constants is not None or e.period is not None for e in ends)
    has_steps_only = (
        request.where is None
        and not has_ends
        and all(entry.is_number for entry in entries)
    )
    given = request.spacing
    steps = given if type(given) in (list, tuple) else (given,)
    # By what the key says: another step of the same form finds this plan.
    is_constant = has_steps_only and all(
        step is None or _entry_form(step) is True for step in steps
    )
    known = Known(
        made if is_constant else planned.plan,
        account,
        has_ends=has_ends,
        has_steps_only=has_steps_only,
    )
    _known[key] = known
    if _held.held > MOST_BYTES:
        _forget()
    return made


def _forget() -> None:
    """Forget the oldest plans but the latest, until there is room for as much again."""
    known = list(_known.items())
    _held.held = sum([plan.account.held for _, plan in known])  # threads lose count
    for key, plan in known[:-1]:
        if _held.held <= MOST_BYTES // 2:
            break
        plan.account.close()
        _known.pop(key, None)


def _bound(known: Known, request: Request) -> Plan:
    """Return a plan that is kept, with the values of this call."""
    given, plan = request.spacing, known.plan
    if known.has_steps_only:
        if type(given) is list:
            given = tuple(given)
        last = known.last
        if last is not None and last[0] == given:
            return last[1]
        if type(given) is float:  # the most frequent case
            made = plan.with_tasks(tuple([with_step(t, given) for t in plan.tasks]))
            known.last = given, made
            return made
    entries = given if type(given) in (list, tuple) else (given,) * len(plan.axes)
    if known.has_ends:
        ends = boundary.ends(request.boundary, len(plan.axes))
        values = [
            values_of(_number(entry), e.constants, e.period, axis, plan.ndim)
            for entry, e, axis in zip(entries, ends, plan.axes, strict=True)
        ]
    else:
        values = [
            values_of(_number(entry), None, None, axis, plan.ndim)
            for entry, axis in zip(entries, plan.axes, strict=True)
        ]
    where = _mask(request.where, plan)
    tasks = tuple([bound(task, values, where) for task in plan.tasks])
    made = plan.with_tasks(tasks)
    if known.has_steps_only:
        known.last = given, made
    return made


def _number(entry: Any) -> Any:
    """Return a step as a Python number; anything else as it is."""
    if type(entry) is float:
        return entry
    if entry is None:
        return 1.0
    return spacing.as_number(entry, "spacing")
