"""The agnostic run for JAX, compiled once per kind of call."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic, _decided, _lowering
from .._records import Plan, all_tasks
from .._schemes import StepScales
from . import arguments, way_back
from .joined_in_jax import lowering_of
from .recorded import weights
from .spread import explicit, sharded

if TYPE_CHECKING:
    from .._typing import Namespace

#: So many compiled programs are remembered, the latest ones; plans keep theirs.
MOST_PROGRAMS = 512

#: XLA takes some 3 ms for each pair of points that makes weights: up to so many, less
#: than a first call by operations.
MOST_PAIRS = 500

#: Without missing samples, a program is made of more, and runs in no time after that;
#: but who has not asked to compile waits for it no longer than some ten seconds.
MOST_PAIRS_OF_ALL = 5000

#: After so many calls by operations, each of some tenths of a second, one has waited
#: for longer.
OFTEN = 100


class Latest(NamedTuple):
    """The latest call that had no arrays: the same numbers often come again."""

    #: With its numbers.
    plan: Plan
    #: A sequence or an array, as the program takes them.
    numbers: Any
    #: Whether it has been tried to put them where the samples are.
    is_placed: bool


class Compiled:
    """What is kept for a plan."""

    def __init__(
        self,
        program: Callable[..., tuple[Any, ...]],
        forms: Any,
        dtype: Any,
        arrays: Any,
    ) -> None:
        #: ``program(f, numbers, arrays)`` returns the results.
        self.program = program
        #: Of the scales that the program is for.
        self.forms = forms
        #: ``vector(numbers)`` puts them into one array, where they need not be
        #: Python's: JAX takes microseconds to convert each of those.
        self.vector = list if dtype is None else _vector_of(dtype)
        #: Whether there are single numbers for each scale, and nothing else, or arrays
        #: and steps of one.
        self.has_steps_only = not arrays and set(forms) == {(1, 0), (False,)}
        self.has_arrays_only = bool(arrays) and set(forms) <= {False, True, (False,)}
        #: None until there has been a call.
        self.latest: Latest | None = None


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on concrete arrays.

    Steps, coordinates and masks are arguments of the program, so that new values need
    no new program; axes, schemes and dtypes are part of it.
    """
    kept = plan.tasks[0].kept if plan.tasks else None
    made: Compiled | None = None if kept is None else kept.made
    results = None if made is None else _again(made, f, plan, xp)
    if results is not None:
        return results
    numbers, forms, arrays = arguments.taken_apart(plan)
    if _is_long(plan) or (made is None and _is_too_long(f, plan)):
        # They may be NumPy's, which a program takes as its arguments.
        own = [[v if v is None else xp.asarray(v) for v in values] for values in arrays]
        whole = arguments.put_together(arguments.static(plan), forms, numbers, own)
        return _by_operations(_anywhere, f, whole, xp)
    if made is None or made.forms != forms:
        layout = sharded.layout_of(f, f.sharding, plan) if _is_spread(f) else None
        program = _program(arguments.static(plan), forms, xp, _is_spread(f), layout)
        made = Compiled(program, forms, _dtype_of_numbers(plan), arrays)
        if kept is not None:
            kept.keep(made)
    vector = made.vector(numbers) if numbers else ()
    results = made.program(f, vector, arrays)
    if not arrays:
        made.latest = Latest(plan, vector, not numbers)
    return results


def _again(made: Compiled, f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...] | None:
    """Return the results of a program for which a plan need not be taken apart."""
    latest = made.latest  # once: threads may replace it
    if latest is not None and latest.plan is plan:
        if not latest.is_placed:
            latest = made.latest = Latest(plan, _placed(latest.numbers, f, xp), True)
        return made.program(f, latest.numbers, ())
    if made.has_steps_only and (numbers := _reciprocals(plan)) is not None:
        vector = made.vector(numbers)
        # As records are made fastest: this is done for each new step.
        made.latest = tuple.__new__(Latest, (plan, vector, False))
        return made.program(f, vector, ())
    if made.has_arrays_only and (given := _arrays(plan)) is not None:
        return made.program(f, (), given)
    return None


def _is_long(plan: Plan) -> bool:
    """Tell whether missing samples on coordinates have a whole compiler busy."""
    masked = [task for task in all_tasks(plan) if task.where is not None]
    return weights.pairs_of(masked) > MOST_PAIRS


def _is_too_long(f: Any, plan: Plan) -> bool:
    """Tell whether nobody waits for a compiler, yet: it counts how often it is asked.

    What is spread moves least in a program.
    """
    pairs = weights.pairs_of(all_tasks(plan))
    if pairs <= MOST_PAIRS_OF_ALL or _is_spread(f):
        return False
    kept = plan.tasks[0].kept
    if kept is None:
        return True
    asked = kept.beside("asked to compile")
    asked.made = (asked.made or 0) + 1
    return bool(asked.made < OFTEN)


def _is_spread(f: Any) -> bool:
    """Tell whether an array lies on several devices: such ones are always bound."""
    return bool(f.committed) and len(f.devices()) > 1


@lru_cache(MOST_PROGRAMS)
def _program(
    static: Plan, forms: Any, xp: Namespace, is_spread: bool, layout: Any
) -> Any:
    """Return the compiled function of a plan without its numbers and arrays."""
    import jax

    def put_together(numbers: Any, arrays: Any) -> Plan:
        return arguments.put_together(static, forms, numbers, arrays)

    def traced(f: Any, numbers: Any, arrays: Any) -> tuple[Any, ...]:
        f = _typed(f)
        values = [numbers[k] for k in range(len(numbers))]
        if layout is not None:
            return sharded.run(f, values, arrays, layout, static, put_together, xp)
        plan = put_together(values, arrays)
        return _anywhere(f, plan, xp, lowering_of(f, plan, is_spread))

    return jax.jit(traced)


def _dtype_of_numbers(plan: Plan) -> Any:
    """Return in which dtype the numbers of a plan may be one array; None for in none.

    That is the dtype of all else: it must promote nothing.
    """
    dtype = plan.tasks[0].precision.coordinates if plan.tasks else None
    for task in all_tasks(plan):
        precision = task.precision
        # With complex samples or steps, only numbers of Python's promote.
        if any(d != dtype for d in (precision.samples, precision.coordinates)):
            return None
        if task.period is not None and precision.turns != dtype:
            return None
    return dtype


def _vector_of(dtype: Any) -> Callable[[list[Any]], Any]:
    from numpy import array

    return lambda numbers: array(numbers, dtype)  # a keyword takes half as long again


def _reciprocals(plan: Plan) -> list[float] | None:
    """Return the numbers of a plan that has nothing but usual steps; else None."""
    numbers: list[float] = []
    for task in plan.tasks:
        scales = task.scales
        if type(scales) is not StepScales or task.alternatives or task.inner:
            return None
        numbers += scales.reciprocals()
    return numbers


def _arrays(plan: Plan) -> tuple[Any, ...] | None:
    """Return the arrays of a plan that has nothing else but steps of one; else None."""
    arrays: list[Any] = []
    for task in plan.tasks:
        scales = task.scales
        if scales and scales is not task.scheme.unit_scales:
            return None
        if task.inner is not None or task.constants or task.period is not None:
            return None
        arrays.append((task.step, task.coordinates, task.where))
    return tuple(arrays)


def _placed(numbers: Any, f: Any, xp: Namespace) -> Any:
    """Put a vector of numbers where the samples are; as it is, if it cannot be there.

    JAX takes a microsecond for an array of NumPy's, and does so at every call.
    """
    import jax

    if not hasattr(numbers, "dtype") or _is_spread(f):
        return numbers
    (device,) = f.devices()
    # No tracer, although JAX may be tracing; and where it lies by default, not bound.
    with jax.ensure_compile_time_eval(), jax.default_device(device):
        vector = xp.asarray(numbers)
    is_there = vector.devices() == f.devices() and vector.dtype == numbers.dtype
    return vector if is_there else numbers


def trace(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on values that the user traces: they may be spread over devices."""
    import jax

    is_spread = jax.device_count() > 1
    numbers, forms, arrays = arguments.taken_apart(plan)
    sharding = explicit.sharding_of(f, *itertools.chain(*arrays))
    if sharding is None:
        run = _agnostic.run if is_spread else way_back.run
        return _by_operations(run, f, plan, xp, lowering_of(f, plan, is_spread))
    if _is_long(plan):
        return _by_operations(_anywhere, f, plan, xp)
    names = explicit.names_of(sharding.mesh)
    layout = sharded.layout_of(f, sharding, plan, names)
    program = _program(arguments.static(plan), forms, xp, is_spread, layout)
    results: tuple[Any, ...] = program(f, numbers, arrays)
    return results


def _by_operations(
    run: Callable[..., tuple[Any, ...]], f: Any, plan: Plan, xp: Namespace, *how: Any
) -> tuple[Any, ...]:
    """Run a plan operation by operation, of which JAX may look for NaN at each.

    The NaN that a formula is chosen over is no result: only these are looked at.
    """
    import jax

    f = _typed(f)
    is_masked = any(task.where is not None for task in plan.tasks)
    if not (is_masked and jax.config.jax_debug_nans):
        return run(f, plan, xp, *how)
    with jax.debug_nans(False):
        results = run(f, plan, xp, *how)
    return tuple([xp.asarray(result, copy=True) for result in results])


def _typed(f: Any) -> Any:
    """Return samples whose dtype is their own, and one that JAX has, as it is set.

    How pieces are joined would decide whether a result gives way beside other dtypes.
    """
    from jax import lax

    return lax.convert_element_type(f, _decided.dtype_of(f))


def _anywhere(
    f: Any, plan: Plan, xp: Namespace, lowering: _lowering.Lowering = _lowering.STANDARD
) -> tuple[Any, ...]:
    """Run the plan where its arrays lie; on explicit axes, the compiler finds where to.

    These refuse what is cut, in a program and operation by operation.
    """
    numbers, forms, arrays = arguments.taken_apart(plan)
    sharding = explicit.sharding_of(f, *itertools.chain(*arrays))
    if sharding is None:
        return _agnostic.run(f, plan, xp, lowering)
    static = arguments.static(plan)
    results: tuple[Any, ...] = explicit.placed_by_compiler(
        lambda f, numbers, arrays: _agnostic.run(
            f, arguments.put_together(static, forms, numbers, arrays), xp, lowering
        ),
        sharded.of_results(sharding, plan),
        explicit.names_of(sharding.mesh),
    )(f, numbers, arrays)
    return results
