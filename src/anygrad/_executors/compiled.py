"""The agnostic run for JAX, compiled once per kind of call.

Large pieces are not concatenated: along the last axis, XLA would first write them and
then copy them together, each time through memory.  Padded and selected, they are one
loop over the result, and on a sharded axis only rows of the edges travel between
devices.  In the cache, the copy costs less than the selections.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._plan import Alternative, Plan, Task
from .._stencils import Formula, Scale, Scheme

if TYPE_CHECKING:
    from .._typing import Namespace

#: The compiled functions, by all that is part of them but shapes and dtypes, which
#: JAX knows.
_programs: dict[Any, Any] = {}

#: When there are so many of them, all are forgotten: a bound on memory.
MOST_PROGRAMS = 512

#: From so many samples on, pieces are selected: fewer are concatenated in the cache.
LARGE = 2**21

#: On so many devices, a plan remembers its numbers.
MOST_PLACES = 8


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on concrete arrays.

    Steps, coordinates and masks are arguments of the program, so that new values need
    no new program; axes, schemes and dtypes are part of it.
    """
    tasks = plan.tasks
    memo = tasks[0].memo if tasks else None  # one plan's, so it serves for all tasks
    known = None if memo is None else memo.get(f.sharding)
    if known is None:
        known = _program_and_arguments(f, plan, memo, xp)
    program, arguments = known
    results: tuple[Any, ...] = program(f, arguments)
    return results


def _program_and_arguments(
    f: Any, plan: Plan, memo: dict[Any, Any] | None, xp: Namespace
) -> tuple[Any, Any]:
    import jax

    leaves, structure = jax.tree.flatten(_arrays(plan))
    is_spread = len(f.sharding.device_set) > 1
    program = _program(_static(plan), structure, xp, is_spread)
    if memo is None or is_spread:
        return program, leaves
    numbers = _vector(leaves, f, plan, xp) if leaves else leaves
    if numbers is None:
        return program, leaves
    if len(memo) >= MOST_PLACES:
        memo.clear()
    memo[f.sharding] = program, numbers
    return program, numbers


def _program(static: Any, structure: Any, xp: Namespace, is_spread: bool) -> Any:
    """Return the compiled function for arguments that are the leaves of a structure."""
    import jax

    key = (static, structure, xp, is_spread)
    program = _programs.get(key)
    if program is None:

        def traced(f: Any, arguments: Any) -> tuple[Any, ...]:
            leaves = [arguments[k] for k in range(structure.num_leaves)]
            plan = _plan(static, jax.tree.unflatten(structure, leaves))
            return _trace(f, plan, xp, is_spread)

        if len(_programs) >= MOST_PROGRAMS:
            _programs.clear()
        program = _programs[key] = jax.jit(traced)
    return program


def _vector(numbers: list[Any], f: Any, plan: Plan, xp: Namespace) -> Any:
    """Put the numbers of a plan where its samples are, as one array; None if it cannot.

    JAX takes a microsecond to convert a Python number, and does so at every call.
    """
    import jax

    if not all(isinstance(number, float) for number in numbers):
        return None
    (device,) = f.devices()
    dtype = plan.tasks[0].precision.coordinates
    if plan.tasks[0].precision.samples != dtype:
        return None  # complex samples: only a number of Python's promotes with them
    # No tracer, although JAX may be tracing; and where it lies by default, not bound.
    with jax.ensure_compile_time_eval(), jax.default_device(device):
        vector = xp.asarray(numbers)
        if vector.devices() != f.devices():
            return None
        if xp.finfo(vector.dtype).bits < xp.finfo(dtype).bits:
            return None  # samples made before 64-bit numbers were switched off
        return xp.astype(vector, dtype)


def _arrays(plan: Plan) -> tuple[Any, ...]:
    """Return what the programs for this plan take as arguments.

    Scales of a unit step are part of the program: an argument costs microseconds.
    """
    return tuple(map(_task_arrays, plan.tasks))


def _task_arrays(task: Task) -> tuple[Any, ...]:
    inner = None if task.inner is None else _task_arrays(task.inner)
    arrays = (task.step, task.coordinates, task.constants, task.period, task.where)
    grids: tuple[Task | Alternative, ...] = (task, *task.alternatives)
    scales = tuple(map(_scales, grids))
    return (scales, *arrays, inner)


def _static(plan: Plan) -> Any:
    """Return what is part of the programs for this plan."""
    return tuple(map(_task_static, plan.tasks)), plan.stack, plan.plain


def _task_static(task: Task) -> tuple[Any, ...]:
    inner = None if task.inner is None else _task_static(task.inner)
    schemes = (task.scheme, *(other.scheme for other in task.alternatives))
    return task.axis, schemes, task.precision, task.component, task.sign, inner


def _scales(grid: Task | Alternative) -> tuple[Scale, ...] | None:
    if grid.formulas is grid.scheme.unit_formulas:
        return None
    return tuple([_as_factor(formula.scale) for formula in grid.formulas])


def _as_factor(scale: Scale) -> Scale:
    """Turn a number to divide by into one to multiply with, where it is the only one.

    XLA does so anyway, and would compute the reciprocal in every call.
    """
    factors, divisors = scale
    if factors or len(divisors) > 1 or any(type(d) is not float for d in divisors):
        return scale
    return Scale((1.0 / math.prod(divisors),), ())


def _plan(static: Any, arrays: Any) -> Plan:
    """Put together what `run` has taken apart."""
    tasks, stack, plain = static
    return Plan(tuple(map(_task, tasks, arrays)), stack, plain)


def _task(static: Any, arrays: Any) -> Task:
    axis, schemes, precision, component, sign, inner_static = static
    scales, step, coordinates, constants, period, where, inner_arrays = arrays
    grids = map(Alternative, schemes, map(_formulas, schemes, scales))
    (scheme, formulas), *alternatives = grids
    return Task(
        axis,
        scheme,
        precision,
        formulas,
        step,
        coordinates,
        constants,
        period,
        component,
        sign,
        None if inner_static is None else _task(inner_static, inner_arrays),
        where=where,
        alternatives=tuple(alternatives),
    )


def _formulas(scheme: Scheme, scales: tuple[Scale, ...] | None) -> tuple[Formula, ...]:
    if scales is None:
        return scheme.unit_formulas
    # For arrays, there are no scales.
    pairs = zip(scheme.stencils, scales, strict=False)
    return tuple(Formula(stencil, stencil.terms, scale) for stencil, scale in pairs)


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
    automatic = jax.sharding.auto_axes(
        lambda f, arrays: _agnostic.run(f, _plan(static, arrays), xp, idiom),
        axes=explicit,
        out_sharding=_shardings(f, plan),
    )
    results: tuple[Any, ...] = automatic(f, _arrays(plan))
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
