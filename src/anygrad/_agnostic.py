"""The one algorithm, in the words of the array API standard.

Everything here reads shapes and dtypes, never values, and writes to no array, so it
runs on any library, lazily, under any tracer and any automatic differentiation.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from . import _formulas, _scales, _uneven
from ._boundaries import End
from ._classes import is_array
from ._differences import difference
from ._formulas import WeightedFormula
from ._lowering import STANDARD, Lowering, index_along
from ._precision import working
from ._records import candidates
from ._scales import Scale
from ._spans import Spans

if TYPE_CHECKING:
    from ._formulas import Formula
    from ._records import Plan, Stack, Task
    from ._schemes import Scheme
    from ._typing import DType, Namespace


def run(
    f: Any, plan: Plan, xp: Namespace, lowering: Lowering = STANDARD
) -> tuple[Any, ...]:
    """Return the results of the plan for `f`: one array if they are stacked."""
    return compose(plan, lambda task: derivative(f, task, xp, lowering), xp)


def compose(
    plan: Plan,
    derivative: Callable[[Task], Any],
    xp: Namespace,
    stack: Callable[..., Any] | None = None,
) -> tuple[Any, ...]:
    """Return the results of a plan, made of derivatives that are not rounded yet.

    `stack` is the standard's, or what a library needs instead.
    """
    results: list[Any] = []
    for task in plan.tasks:
        term = derivative(task)
        if task.sign == 0:
            results.append(term)
        else:
            results[-1] = results[-1] + term if task.sign > 0 else results[-1] - term
    kept = [task for task in plan.tasks if task.sign == 0]
    rounded = [
        prepare(result, task.precision.result, False, xp)
        for result, task in zip(results, kept, strict=True)
    ]
    if plan.stack is None:
        return tuple(rounded)
    whole = _stacked(rounded, plan.stack, stack or xp.stack)
    # NumPy's is in the byte order of the machine.
    return (prepare(whole, kept[0].precision.result, False, xp),)


def _stacked(results: list[Any], places: Stack, stack: Callable[..., Any]) -> Any:
    """Return the results in one array, the last of its new axes first.

    Two stacks, not one that is reshaped: Dask need not know the lengths.
    """
    pieces = [results[number] for number in places.numbers]
    for length in reversed(places.shape[1:]):
        starts = range(0, len(pieces), length)
        pieces = [stack(pieces[k : k + length], axis=places.axis) for k in starts]
    return stack(pieces, axis=places.axis)


def derivative(f: Any, task: Task, xp: Namespace, lowering: Lowering = STANDARD) -> Any:
    """Return one derivative, in the working dtype."""
    if task.inner is not None:
        where = known(f.shape, task.inner, xp, lowering)
        f, task = derivative(f, task.inner, xp, lowering), task._replace(where=where)
        if any(map(is_array, task.constants or ())):
            from . import _beyond

            task = task._replace(constants=_beyond.derived(task, xp, lowering))
    f = prepare(
        component(f, task), task.precision.samples, task.precision.wide_samples, xp
    )
    if task.where is not None:
        return _of_valid(f, task, xp, lowering)
    return _of_all(f, task, xp, lowering)


def _of_valid(f: Any, task: Task, xp: Namespace, lowering: Lowering) -> Any:
    """Return at each point what the first formula gives that fits, or NaN."""
    axis = task.axis
    f = lowering.filled(f, task.where, xp)
    valid = along(task.where, axis, f.shape[axis], xp)
    whole: Any = None
    for candidate in reversed(candidates(task)):
        values = _of_all(f, candidate, xp, lowering)
        if whole is None:
            whole = xp.full_like(values, math.nan)
        whole = xp.where(fits(valid, candidate, xp, lowering), values, whole)
    return whole


def along(valid: Any, axis: int, length: int, xp: Namespace) -> Any:
    """Return a mask that is as long as the samples along an axis."""
    if valid.shape[axis] == length:
        return valid
    shape = (*valid.shape[:axis], length, *valid.shape[axis + 1 :])
    return xp.broadcast_to(valid, shape)


def known(
    shape: Sequence[int], inner: Task, xp: Namespace, lowering: Lowering = STANDARD
) -> Any:
    """Tell where an inner derivative has a formula that fits; None is everywhere.

    Those points are the valid samples of the outer one.
    """
    if inner.where is None:
        return None
    valid = along(inner.where, inner.axis, shape[inner.axis], xp)
    found = [fits(valid, one, xp, lowering) for one in candidates(inner)]
    return reduce(operator.or_, found)


def fits(valid: Any, task: Task, xp: Namespace, lowering: Lowering = STANDARD) -> Any:
    """Tell at which points all samples that the formula names are valid."""
    pieces = []
    for formula in task.scheme.formulas:
        offsets = _formulas.samples_read(formula, task.coordinates is not None)
        parts = [lowering.shifted(valid, task, formula, offset) for offset in offsets]
        if not parts:
            parts = [xp.zeros_like(lowering.shifted(valid, task, formula, 0))]
        pieces.append(reduce(operator.and_, parts))
    return lowering.join(pieces, task, xp)


def _of_all(f: Any, task: Task, xp: Namespace, lowering: Lowering) -> Any:
    """Return one derivative: every formula of the scheme, put together."""
    formulas = (lowering.formulas or weighted_formulas)(task, xp)
    if task.scheme.recipe.is_transposed:
        from . import _transposed

        return _transposed.gathered(f, task, formulas, xp, lowering)
    pieces = [
        weighted_sum(f, task, number, weighted, xp, lowering)
        for number, weighted in enumerate(formulas)
    ]
    return lowering.join(pieces, task, xp)


def component(f: Any, task: Task) -> Any:
    """Return the component of a vector field that a task differentiates."""
    return component_of(f, task.component)


def component_of(f: Any, component: tuple[int, int] | None) -> Any:
    """Return a component of a vector field, by axis and number, or all of an array."""
    if component is None:
        return f
    axis, number = component
    return f[index_along(axis, number)]


def prepare(array: Any, dtype: DType, wide: bool, xp: Namespace) -> Any:
    """Convert to the working dtype, except integers that it would round."""
    if wide or array.dtype == dtype:
        return array
    return xp.astype(array, dtype)


def weighted_sum(
    f: Any,
    task: Task,
    number: int,
    weighted: WeightedFormula,
    xp: Namespace,
    lowering: Lowering = STANDARD,
) -> Any:
    """Return the derivative at the points that one formula of the scheme fills."""
    formula, terms, scale = weighted
    if not terms:
        return _nothing(f, task, number, xp, lowering)
    total: Any = None
    for upper, lower, weight in terms:
        end = end_of(lower, number, task.scheme)
        term = _difference_of(f, task, formula, (upper, lower), end, xp, lowering)
        term = term if weight is None else term * weight
        total = term if total is None else total + term
    # The numbers of a step stand apart where their product is no normal number.
    guarded = len(scale.factors) + len(scale.divisors) > 1 and len(task.scales) > 0
    for factor in scale.factors:
        total = total * factor
        total = lowering.barrier(total) if guarded else total
    for divisor in scale.divisors:
        total = total / divisor
        total = lowering.barrier(total) if guarded else total
    return total


def _nothing(f: Any, task: Task, number: int, xp: Namespace, lowering: Lowering) -> Any:
    """Return what stands where a scheme has no formula; another one is taken there."""
    part = lowering.shifted(f, task, task.scheme.formulas[number], 0)
    return xp.zeros_like(part, dtype=working(task.precision))


def _difference_of(
    f: Any,
    task: Task,
    formula: Formula,
    pair: tuple[int, Any],
    end: int | None,
    xp: Namespace,
    lowering: Lowering,
) -> Any:
    """Return the difference of two samples, or of one and the constant of an end."""
    (upper, lower), precision = pair, task.precision
    above = lowering.shifted(f, task, formula, upper)
    if end is not None:
        constant = task.constants and task.constants[end]
        above = prepare(above, precision.samples, False, xp)
        return above - _as_numbers(constant, precision.samples, xp)
    below = lowering.shifted(f, task, formula, lower)
    return difference(above, below, precision.samples, precision.wide_samples, xp)


def end_of(lower: Any, number: int, scheme: Scheme) -> int | None:
    """Return the end whose constant stands in the place of a lower sample, if any."""
    if lower is None:
        return int(number > scheme.interior)
    return lower.number if isinstance(lower, End) else None


def weighted_formulas(task: Task, xp: Namespace) -> tuple[WeightedFormula, ...]:
    """Return all formulas of the scheme, from one end of the axis to the other."""
    spans = None if task.coordinates is None else spans_of(task, xp)
    numbers = range(len(task.scheme.formulas))
    return tuple([weighted_formula(task, number, xp, spans) for number in numbers])


def weighted_formula(
    task: Task, number: int, xp: Namespace, spans: Spans | None = None
) -> Any:
    """Return one formula of the scheme with the weights and the scale of the grid.

    The distances may be given that others read, too.
    """
    formula = task.scheme.formulas[number]
    if not formula.terms:
        return WeightedFormula(formula, (), _scales.UNSCALED)
    if task.coordinates is None:
        return WeightedFormula(formula, formula.terms, scales(task, xp)[number])
    span = (spans_of(task, xp) if spans is None else spans).of(formula)
    # Times the reciprocal, because XLA turns (a / b) / h into a / (b * h), and that is
    # a product of steps: it overflows or vanishes where their ratio does not.
    offsets, order = formula.offsets, formula.order
    unit = _uneven.unit_of(span, offsets, order)
    ratios = _uneven.slope_weights(span, offsets, order, unit)
    terms = [(j + 1, j, ratios[j] * (1.0 / span(j, j + 1))) for j in sorted(ratios)]
    scale = _scales.UNSCALED
    if order > 1:
        length = span(offsets[0], offsets[-1]) if unit is None else unit
        scale = Scale((1.0 / length,) * (order - 1), ())
    placed = _formulas.on_samples(terms, dict(formula.ghosts))
    return WeightedFormula(formula, tuple(placed), scale)


def scales(task: Task, xp: Namespace) -> Sequence[Scale]:
    """Return the scale of each formula on equal steps."""
    if task.scales:
        return task.scales
    step, order = _prepared_step(task, xp), task.scheme.order
    return task.scheme.per_formula(
        [
            Scale((), _scales.divisors_of(step, order, denominator))
            for denominator in task.scheme.denominators
        ]
    )


def spans_of(task: Task, xp: Namespace) -> Spans:
    """Return the distances of a task's coordinates."""
    precision = task.precision
    dtype, is_wide = precision.coordinates, precision.wide_coordinates
    x = prepare(task.coordinates, dtype, is_wide, xp)
    return Spans(x, _as_numbers(task.period, precision.turns, xp), task, xp)


def _as_numbers(value: Any, dtype: DType, xp: Namespace) -> Any:
    """Convert an array that has no say in the dtype; a number of Python's has none."""
    return prepare(value, dtype, False, xp) if is_array(value) else value


def _prepared_step(task: Task, xp: Namespace) -> Any:
    """Convert a step; it makes the samples complex, but has no say in their precision.

    A complex step has been promoted with them, and a real one divides complex sums.
    """
    step: Any = task.step
    is_complex = xp.isdtype(step.dtype, "complex floating")
    dtype = task.precision.samples if is_complex else task.precision.coordinates
    return prepare(step, dtype, False, xp)
