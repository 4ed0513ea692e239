"""A plan as the arguments of a compiled program, and put together again within it.

Steps, coordinates, masks, and what lies beyond the ends are arguments; axes, schemes
and dtypes are part of the program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from .._classes import is_array
from .._records import Alternative, Plan, Task, all_tasks
from .._scales import Scale
from .._schemes import Scheme, StepScales
from .._tasks import with_all_dims

#: In the form of a call, what stands for an array beyond an end.
ARRAY = "array"


def taken_apart(plan: Plan) -> tuple[list[Any], tuple[Any, ...], tuple[Any, ...]]:
    """Return all numbers of a plan, which ones there are, and its arrays.

    Scales of a unit step are part of the program: an argument costs microseconds.
    """
    numbers: list[Any] = []
    forms: list[Any] = []
    arrays: list[Any] = []
    for task in all_tasks(plan):
        grids: tuple[Task | Alternative, ...] = (task, *task.alternatives)
        for grid in grids:
            if not grid.scales or grid.scales is grid.scheme.unit_scales:
                forms.append(bool(grid.scales))
                continue
            if isinstance(grid.scales, StepScales):
                reciprocals = grid.scales.reciprocals()
                numbers += reciprocals
                forms += [(1, 0)] * len(reciprocals)
                continue
            scales = map(_as_factor, grid.scheme.per_denominator(grid.scales))
            for factors, divisors in scales:
                forms.append((len(factors), len(divisors)))
                numbers += (*factors, *divisors)
        ends = [*(task.constants or ()), task.period]
        beyond = [value for value in ends if is_array(value)]
        forms.append(tuple([ARRAY if is_array(v) else v is not None for v in ends]))
        numbers += [v for v in ends if v is not None and not is_array(v)]
        arrays.append((task.step, task.coordinates, task.where, *beyond))
    if all(value is None for values in arrays for value in values):
        arrays = []
    return numbers, tuple(forms), tuple(arrays)


def _as_factor(scale: Scale) -> Scale:
    """Turn a number to divide by into one to multiply with, where it is the only one.

    XLA does so anyway, and would compute the reciprocal in every call.
    """
    factors, divisors = scale
    if factors or len(divisors) > 1 or any(type(d) is not float for d in divisors):
        return scale
    return Scale((1.0 / math.prod(divisors),), ())


def static(plan: Plan) -> Plan:
    """Return what is part of the programs for a plan."""
    tasks = tuple(map(_static_task, plan.tasks))
    return Plan(tasks, plan.stack, plan.is_plain, ndim=plan.ndim)


def _static_task(task: Task) -> Task:
    return Task(
        task.axis,
        task.scheme,
        task.precision,
        component=task.component,
        sign=task.sign,
        inner=None if task.inner is None else _static_task(task.inner),
        alternatives=tuple([Alternative(a.scheme, ()) for a in task.alternatives]),
    )


def put_together(static: Plan, forms: Any, numbers: list[Any], arrays: Any) -> Plan:
    """Return the plan that has been taken apart."""
    form, number, values = iter(forms), iter(numbers), iter(arrays)

    def scales_of(scheme: Scheme) -> Sequence[Scale]:
        known = next(form)
        if known is True:
            return scheme.unit_scales
        if known is False:
            return ()
        found = []
        for place in range(len(scheme.denominators)):
            factors, divisors = known if place == 0 else next(form)
            found.append(
                Scale(
                    tuple([next(number) for _ in range(factors)]),
                    tuple([next(number) for _ in range(divisors)]),
                )
            )
        return scheme.per_formula(found)

    def filled(task: Task) -> Task:
        inner = None if task.inner is None else filled(task.inner)
        scales = scales_of(task.scheme)
        others = [Alternative(a.scheme, scales_of(a.scheme)) for a in task.alternatives]
        step, x, where, *beyond = next(values, (None, None, None))
        given = {True: number, False: repeat(None), ARRAY: iter(beyond)}
        *ends, period = [next(given[kind]) for kind in next(form)]
        x = x if x is None else with_all_dims(x, task.axis, static.ndim)
        grid = (scales, step, x, tuple(ends) or None, period)
        return task.with_values(grid, inner, where, tuple(others))

    return static._replace(tasks=tuple(map(filled, static.tasks)))
