"""From a whole call to its plan, and the one place where plans are kept.

A plan depends on classes, dtypes and shapes, on where arrays lie, on the settings that
decide dtypes, and on the arguments that are words or whole numbers.  It is kept by
these, and by nothing else: steps, periods and values beyond the ends are numbers of a
call, as coordinates and masks are its arrays, and are bound to the plan each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import (
    _carried,
    _constants,
    _dispatch,
    _kept_plans,
    _lengths,
    _traced_numbers,
)
from ._calls import Planned, Request
from ._checks import boundary, companion, input, spacing
from ._checks.where import of_components
from ._classes import is_array
from ._constants import Place
from ._kept import Account, size_of
from ._kept_plans import Known, by_key
from ._keys import (
    are_lasting,
    array_form,
    boundary_form,
    entry_form,
    spacing_form,
    typed,
)
from ._libraries import BY_CLASS, lasting, without_shell
from ._library import Library
from ._records import Plan, Samples, are_short
from ._stepping import Coordinates, entries_of, is_list
from ._tasks import StepOutOfRangeError, beyond_ends, bound, masked, values_of

#: Plans of more derivatives, as of very many components, are kept for one shape only:
#: those for all lengths are bounded in number, and not in size.
MOST_TASKS = 64

#: What plans a call.
Planner = Callable[[Samples, Request], Planned]


def plan(
    planner: Planner,
    array: Any,
    *,
    spacing: Any,
    boundary: Any,
    dim: Any,
    axis: Any,
    accuracy: Any,
    edge_order: Any,
    dtype: Any = None,
    order: Any = 1,
    where: Any = None,
    stack_dim: Any = None,
    vector_dim: Any = None,
    scale_factors: Any = None,
) -> Plan:
    """Return the plan of a call, with all that it needs: after it, nothing is refused.

    Raises
    ------
    TypeError, ValueError, IndexError
        As the public functions document them.
    """
    cls = type(array)
    library = BY_CLASS.get((cls.__module__, cls.__qualname__))
    known = key = None
    if (
        library is not None
        and scale_factors is None  # it is made of calls without, which are kept
        and not (library.is_compiled and library.is_compiled())
    ):
        try:
            # Types count, too: True is equal to 1, and is refused.  In `_lengths.py`,
            # some have their places by number.
            key = (
                planner,
                cls,
                library.settings and library.settings(),
                library.conditions and library.conditions(array),
                array.dtype,
                array.shape,
                spacing == 1 if type(spacing) is float else spacing_form(spacing),
                boundary if type(boundary) is str else boundary_form(boundary),
                where if where is None else array_form(where),
                dim if dim is None else typed(dim),
                axis if axis is None else typed(axis),
                # One after the other: to unpack them would take twice as long.
                order,
                accuracy,
                edge_order,
                dtype,
                stack_dim,
                vector_dim,
                type(order),
                type(accuracy),
                type(edge_order),
                type(stack_dim),
                type(vector_dim),
            )
            known = by_key.get(key)
            if known is None:
                has_list = is_list(spacing)
                known = _kept_plans.of_other_lengths(key, has_list=has_list)
        except (TypeError, RuntimeError, ValueError):
            # What cannot be looked up: symbolic lengths, sparse tensors, nonsense.
            key = None
    if known is not None:
        known.is_in_use = True
        if known.plan.is_bound:
            return known.plan
        try:
            return _bound(known, spacing, boundary, where)
        except ValueError:
            key = None  # it is raised again, in the words of the call
    request = Request(
        *(spacing, boundary, where, dim, axis, order, accuracy, edge_order),
        *(dtype, stack_dim, vector_dim, scale_factors),
    )
    if key is None:
        request = _traced_numbers.without_symbols(request, array)
    if known is not None:
        return _made(None, planner, array, request)
    return _planned(key, planner, array, request, library)


def _planned(
    key: Any, planner: Planner, array: Any, request: Request, library: Library | None
) -> Plan:
    """Return the plan of a call that has none, to be kept if it has a key."""
    companion.check_together(array, library, **request.arrays())
    if (carry := _carried.planner(array, request)) is not None:
        return carry(planner, array, request, plan)
    integers = (
        *(request.dim, request.axis, request.stack_dim, request.vector_dim),
        *(request.order, request.accuracy, request.edge_order),
    )
    is_kept = key is not None and are_lasting(*integers)
    return _made(key if is_kept else None, planner, array, request)


def _made(key: Any, planner: Planner, array: Any, request: Request) -> Plan:
    """Return the plan of a call, and keep it by its key, if it has one."""
    samples = _dispatch.samples_of(array, "input")
    input.check(samples)
    request = _traced_numbers.adopted(request, samples)
    planned = planner(samples, request)
    given = [*[d.entry.given for d in planned.dims], *beyond_ends(planned.dims)]
    place = _constants.place_for(samples, (*given, request.where))
    place = place and place._replace(are_taken=planned.plan.takes_vectors)
    made = _with_values(samples, planned, place)
    if key is not None:
        known = _known_of(planned, made, request, place)
        # That of the latest numbers is as large.
        known.account.add(size_of(key) + sys.getsizeof(known) + 2 * size_of(made))
        own = _kept(key, known, samples, planned, has_list=is_list(request.spacing))
        if own is not known:
            made = _bound(own, request.spacing, request.boundary, None)
    return _masked(made, request.where, place)


def _with_values(samples: Samples, planned: Planned, place: Place | None) -> Plan:
    """Return a plan with the values of the call that it was made for, but its mask."""
    plan, dims = planned
    values = [
        values_of(
            d.entry.given if place is None else place.array(d.entry.given, axis),
            *(d.ends, place, axis, plan),
        )
        for d, axis in zip(dims, plan.axes, strict=True)
    ]
    try:
        tasks = [
            bound(task, values, is_compiled=samples.is_compiled) for task in plan.tasks
        ]
    except StepOutOfRangeError as error:
        spacing.refuse_range(dims[error.place].entry, error.precision)
    return plan.with_tasks(tuple(tasks))


def _masked(plan: Plan, where: Any, place: Place | None) -> Plan:
    """Return a plan with a mask that broadcasts with the samples, if there is one."""
    if where is None:
        return plan
    plain = without_shell(where if place is None else place.array(where))
    mask = of_components(lasting(plain), plan)
    return plan.with_tasks(tuple([masked(task, mask) for task in plan.tasks]))


def _kept(
    key: Any, known: Known, samples: Samples, planned: Planned, *, has_list: bool
) -> Known:
    """Keep a plan, for other lengths, too, if it serves for any; return this call's."""
    tasks = planned.plan.tasks
    is_of_one_shape = (
        any(map(is_array, beyond_ends(planned.dims)))
        or are_short(tasks)
        or len(tasks) > MOST_TASKS
        or _dispatch.executors_of(samples.library).compiles_plans
    )
    if is_of_one_shape:
        return _kept_plans.keep(key, known)
    lengths = _lengths.asked_by(planned.plan, samples.shape)
    return _kept_plans.share(key, known, lengths, has_list=has_list)


def _known_of(
    planned: Planned, made: Plan, request: Request, place: Place | None
) -> Known:
    """Return what is kept of a plan, and of that with the values of a first call."""
    beyond = [v for v in beyond_ends(planned.dims) if v is not None]
    given = request.spacing
    steps = entries_of(given, 1)
    # Equal complex numbers may differ in signs of zeros; others' say what is equal.
    kinds = [entry_form(step) for step in steps]
    are_usual = all(kind in (float, True, False, None) for kind in kinds)
    # By what the key says: another step of the same form finds this plan.
    is_one = all(kind is None or kind is True for kind in kinds)
    is_constant = is_one and not (beyond or request.where is not None)
    known = Known(
        made if is_constant else planned.plan,
        Account(),
        place,
        has_ends=bool(beyond),
        has_numbers_only=are_usual and not any(map(is_array, beyond)),
    )
    if not beyond:
        known.coordinates = Coordinates.of(made, given, place)
    return known


def _bound(known: Known, given: Any, at_ends: Any, where: Any) -> Plan:
    """Return a plan that is kept, with the values of this call."""
    if known.coordinates is not None:
        made = known.coordinates.plan(given)
    elif known.has_numbers_only:
        made = _of_numbers(known, given, at_ends)
    else:
        made = _with_arrays(known, given, at_ends)
    return _masked(made, where, known.place)


def _of_numbers(known: Known, given: Any, at_ends: Any) -> Plan:
    """Return the plan that is kept, with the numbers of this call."""
    if type(given) is list:
        given = tuple(given)
    last = known.last
    if last is not None:
        steps, ends, made = last
        # Of equal values at the ends, one may be 0.0 and one -0.0.
        if steps == given and (ends is at_ends or not known.has_ends):
            return made
    usual = None if known.steps is None else known.steps.plan(given, last)
    made = _with_arrays(known, given, at_ends) if usual is None else usual
    # A list may be another one, of other values, when it comes again.
    if not (known.has_ends and type(at_ends) is list):
        known.last = given, at_ends, made
    return made


def _with_arrays(known: Known, given: Any, at_ends: Any) -> Plan:
    plan, place = known.plan, known.place
    entries: Any = entries_of(given, len(plan.axes))
    if place is not None:
        pairs = zip(entries, plan.axes, strict=True)
        entries = [place.array(entry, axis) for entry, axis in pairs]
    count = len(plan.axes)
    ends = boundary.ends(at_ends, count) if known.has_ends else (None,) * count
    values = [
        values_of(_number(entry), e, place, axis, plan)
        for entry, e, axis in zip(entries, ends, plan.axes, strict=True)
    ]
    tasks = tuple([bound(task, values) for task in plan.tasks])
    return plan.with_tasks(tasks)


def _number(entry: Any) -> Any:
    """Return a step as a Python number; anything else as it is."""
    if type(entry) is float or getattr(entry, "ndim", False):
        return entry
    if entry is None:
        return 1.0
    return spacing.as_number(entry, "spacing")
