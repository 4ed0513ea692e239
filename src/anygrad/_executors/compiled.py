"""The agnostic run for JAX, compiled once per kind of call.

Large pieces are not concatenated: along the last axis, XLA would first write them and
then copy them together, each time through memory.  Padded and selected, they are one
loop over the result, and on a sharded axis only rows of the edges travel between
devices.  In the cache, the copy costs less than the selections.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._records import Alternative, Plan, Task
from .._scales import Scale
from .._schemes import Scheme

if TYPE_CHECKING:
    from .._typing import Namespace

#: So many compiled programs are remembered, the latest ones, besides those of plans.
MOST_PROGRAMS = 512

#: From so many samples on, pieces are selected: fewer are concatenated in the cache.
LARGE = 2**21


class Compiled:
    """What is kept for a plan.

    Attributes
    ----------
    program : callable
        ``program(f, numbers, arrays)`` returns the results.
    forms : tuple
        Of the scales that the program is for.
    latest : tuple of (Plan, numbers) or None
        The latest plan that had no arrays, and its numbers as the program takes them:
        the same steps often come again.
    """

    __slots__ = ("forms", "latest", "program")

    def __init__(self, program: Any, forms: Any) -> None:
        self.program = program
        self.forms = forms
        self.latest: Any = None


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on concrete arrays.

    Steps, coordinates and masks are arguments of the program, so that new values need
    no new program; axes, schemes and dtypes are part of it.
    """
    kept = plan.tasks[0].kept if plan.tasks else None
    made: Compiled | None = None if kept is None else kept.made
    results: tuple[Any, ...]
    latest = None if made is None else made.latest  # once: threads may replace it
    if made is not None and latest is not None and latest[0] is plan:
        results = made.program(f, latest[1], ())
        return results
    numbers, forms, arrays = _taken_apart(plan)
    if made is None or made.forms != forms:
        made = Compiled(_program(_static(plan), forms, xp, _is_spread(f)), forms)
        if kept is not None:
            kept.keep(made)
    vector = _vector(numbers, plan)
    results = made.program(f, vector, arrays)
    if not arrays:
        made.latest = plan, vector
    return results


def _is_spread(f: Any) -> bool:
    """Tell whether an array lies on several devices: such ones are always bound."""
    return bool(f.committed) and len(f.devices()) > 1


@lru_cache(MOST_PROGRAMS)
def _program(static: Plan, forms: Any, xp: Namespace, is_spread: bool) -> Any:
    """Return the compiled function of a plan without its numbers and arrays."""
    import jax

    def traced(f: Any, numbers: Any, arrays: Any) -> tuple[Any, ...]:
        values = [numbers[k] for k in range(len(numbers))]
        plan = _put_together(static, forms, values, arrays)
        return _trace(f, plan, xp, is_spread)

    return jax.jit(traced)


def _vector(numbers: list[Any], plan: Plan) -> Any:
    """Put the numbers of a plan into one array, where that promotes nothing.

    JAX takes microseconds to convert Python's numbers, for each of them.
    """
    import numpy

    if not numbers:
        return ()
    dtype = plan.tasks[0].precision.coordinates
    for task in _all_tasks(plan.tasks):
        precision = task.precision
        # With complex samples, only numbers of Python's promote.
        if precision.samples != dtype or precision.coordinates != dtype:
            return numbers
    if any(isinstance(number, complex) for number in numbers):
        return numbers
    return numpy.asarray(numbers, dtype=dtype)


def _all_tasks(tasks: tuple[Task, ...]) -> list[Task]:
    """Return tasks, first those that are inside of others."""
    return [*[task.inner for task in tasks if task.inner is not None], *tasks]


def _taken_apart(plan: Plan) -> tuple[list[Any], tuple[Any, ...], tuple[Any, ...]]:
    """Return the numbers of all scales, the forms of these, and the arrays of a plan.

    Scales of a unit step are part of the program: an argument costs microseconds.
    """
    numbers: list[Any] = []
    forms: list[Any] = []
    arrays: list[Any] = []
    for task in _all_tasks(plan.tasks):
        grids: tuple[Task | Alternative, ...] = (task, *task.alternatives)
        for grid in grids:
            if not grid.scales or grid.scales is grid.scheme.unit_scales:
                forms.append(bool(grid.scales))
                continue
            scales = map(_as_factor, grid.scheme.per_denominator(grid.scales))
            for factors, divisors in scales:
                forms.append((len(factors), len(divisors)))
                numbers += (*factors, *divisors)
        arrays.append(
            (task.step, task.coordinates, task.constants, task.period, task.where)
        )
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


def _static(plan: Plan) -> Plan:
    """Return what is part of the programs for a plan."""
    return Plan(tuple(map(_static_task, plan.tasks)), plan.stack, plan.is_plain)


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


def _put_together(static: Plan, forms: Any, numbers: list[Any], arrays: Any) -> Plan:
    """Return the plan that has been taken apart."""
    form, number, values = iter(forms), iter(numbers), iter(arrays)

    def scales_of(scheme: Scheme) -> tuple[Scale, ...]:
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

    def filled(task: Task, inner: Task | None) -> Task:
        scales = scales_of(task.scheme)
        others = [Alternative(a.scheme, scales_of(a.scheme)) for a in task.alternatives]
        step, coordinates, constants, period, where = next(values, (None,) * 5)
        return task._replace(
            scales=scales,
            step=step,
            coordinates=coordinates,
            constants=constants,
            period=period,
            where=where,
            inner=inner,
            alternatives=tuple(others),
        )

    inner = [
        None if task.inner is None else filled(task.inner, None)
        for task in static.tasks
    ]
    pairs = zip(static.tasks, inner, strict=True)
    return static._replace(tasks=tuple([filled(*pair) for pair in pairs]))


def trace(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on values that the user traces: they may be spread over devices."""
    import jax

    return _trace(f, plan, xp, jax.device_count() > 1)


def _trace(f: Any, plan: Plan, xp: Namespace, is_spread: bool) -> tuple[Any, ...]:
    idiom = SELECTING if is_spread or _is_large(f) else CONCATENATING
    explicit = _explicit_axes(f)
    if not explicit:
        return _agnostic.run(f, plan, xp, idiom)
    # A mesh with explicit axes refuses slices of uneven size along a sharded axis.
    # The compiler may place them, and the results are sharded as the samples are.
    import jax

    static = _static(plan)
    numbers, forms, arrays = _taken_apart(plan)
    automatic = jax.sharding.auto_axes(
        lambda f, numbers, arrays: _agnostic.run(
            f, _put_together(static, forms, numbers, arrays), xp, idiom
        ),
        axes=explicit,
        out_sharding=_shardings(f, plan),
    )
    results: tuple[Any, ...] = automatic(f, numbers, arrays)
    return results


def _shardings(f: Any, plan: Plan) -> tuple[Any, ...]:
    """Return how the results are sharded: as the samples, along the axes they share."""
    import jax

    sharding = jax.typeof(f).sharding
    if not plan.tasks:
        return ()
    if plan.stack is None and plan.tasks[0].component is None:
        return (sharding,) * sum(task.sign == 0 for task in plan.tasks)
    spec = list(sharding.spec)
    if plan.tasks[0].component is not None:
        del spec[plan.tasks[0].component[0]]
    if plan.stack is not None:
        spec[plan.stack.axis : plan.stack.axis] = [None] * len(plan.stack.shape)
    spec = jax.sharding.PartitionSpec(*spec)
    return (jax.sharding.NamedSharding(sharding.mesh, spec),)


def _is_large(f: Any) -> bool:
    """Tell whether pieces of several axes are better selected; of unknown size, yes."""
    if not all(isinstance(length, int) for length in f.shape):
        return True
    return bool(f.ndim > 1 and math.prod(f.shape) >= LARGE)


def _explicit_axes(f: Any) -> tuple[str, ...]:
    """Return the names of the mesh axes that are part of the type of `f`."""
    import jax

    if not hasattr(jax, "typeof"):  # a JAX that has no such meshes
        return ()
    mesh = jax.typeof(f).sharding.mesh
    kinds = zip(mesh.axis_names, mesh.axis_types, strict=True)
    return tuple(name for name, kind in kinds if kind == jax.sharding.AxisType.Explicit)


def _selected(pieces: list[Any], task: Task, xp: Namespace) -> Any:
    """Put the pieces together in one loop: pad the interior, select the edges."""
    from jax import lax

    before = task.scheme.interior
    after = len(pieces) - 1 - before
    interior = pieces[before]
    margins = [
        (before, after, 0) if k == task.axis else (0, 0, 0)
        for k in range(interior.ndim)
    ]
    whole = lax.pad(interior, xp.zeros((), dtype=interior.dtype), margins)
    position = lax.broadcasted_iota("int32", whole.shape, task.axis)
    last = whole.shape[task.axis] - 1
    for row in range(before):
        whole = xp.where(position == row, pieces[row], whole)
    for row in range(after):
        whole = xp.where(position == last - row, pieces[-1 - row], whole)
    return whole


def _kept(array: Any) -> Any:
    """Keep a factor and a divisor apart: each is a normal number, their quotient not.

    Only steps at the ends of the range of a dtype have both.
    """
    from jax import lax

    return lax.optimization_barrier(array)


SELECTING = _agnostic.Idiom(join=_selected, keep=_kept)
CONCATENATING = _agnostic.Idiom(join=_agnostic.STANDARD.join, keep=_kept)
