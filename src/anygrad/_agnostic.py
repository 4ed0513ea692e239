"""The one algorithm, in the words of the array API standard.

Everything here reads shapes and dtypes, never values, and writes to no array, so it
runs on any library, lazily, under any tracer and any automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from anygrad import _stencils
from anygrad._stencils import Formula, Scale

if TYPE_CHECKING:
    from anygrad._plan import Plan, Task
    from anygrad._stencils import Stencil
    from anygrad._typing import Array, DType, Namespace


class Idiom(NamedTuple):
    """What a compiler wants said in its own way.

    Attributes
    ----------
    join : callable
        ``join(pieces, task, xp)`` puts the pieces of an axis, first to last, together.
    keep : callable
        ``keep(array)`` returns it, and no algebra joins what comes before and after.
    """

    join: Callable[[list[Any], Task, Namespace], Any]
    keep: Callable[[Any], Any]


#: As the standard says it.
STANDARD = Idiom(
    join=lambda pieces, task, xp: xp.concat(pieces, axis=task.axis),
    keep=lambda array: array,
)


def run(f: Any, plan: Plan, xp: Namespace, idiom: Idiom = STANDARD) -> tuple[Any, ...]:
    """Return the derivatives of `f`, one per task of the plan."""
    return tuple(differentiate(f, task, xp, idiom) for task in plan.tasks)


def differentiate(f: Any, task: Task, xp: Namespace, idiom: Idiom = STANDARD) -> Any:
    """Return one derivative: every formula of the scheme, put together."""
    f = prepare(f, task.precision.samples, task.precision.wide_samples, xp)
    pieces = [
        weighted_sum(f, task, number, xp, idiom)
        for number in range(len(task.scheme.stencils))
    ]
    whole = idiom.join(pieces, task, xp)
    return xp.astype(whole, task.precision.result, copy=False)


def prepare(array: Any, dtype: DType, wide: bool, xp: Namespace) -> Any:
    """Convert to the working dtype, except integers that it would round."""
    if wide or array.dtype == dtype:
        return array
    return xp.astype(array, dtype)


def weighted_sum(
    f: Any, task: Task, number: int, xp: Namespace, idiom: Idiom = STANDARD
) -> Any:
    """Return the derivative at the points that one stencil of the scheme fills."""
    stencil, terms, scale = formula(task, number, xp)
    precision = task.precision
    total: Any = None
    for upper, lower, weight in terms:
        term = difference(
            shifted(f, task.axis, stencil, upper),
            shifted(f, task.axis, stencil, lower),
            precision.samples,
            precision.wide_samples,
            xp,
        )
        term = term if weight is None else term * weight
        total = term if total is None else total + term
    if scale.factor is not None:
        total = total * scale.factor
        total = idiom.keep(total) if scale.divisors else total
    for divisor in scale.divisors:
        total = total / divisor
    return total


def formulas(task: Task, xp: Namespace) -> tuple[Formula, ...]:
    """Return all formulas of the scheme, from one end of the axis to the other."""
    numbers = range(len(task.scheme.stencils))
    return tuple([formula(task, number, xp) for number in numbers])


def formula(task: Task, number: int, xp: Namespace) -> Formula:
    """Return one formula of the scheme; where the grid is an array, make it."""
    if task.formulas:
        return task.formulas[number]
    stencil, precision = task.scheme.stencils[number], task.precision
    if task.step is not None:
        step = _prepared_step(task, xp)
        divisors = _stencils.factors(step, stencil.denominator)
        return Formula(stencil, stencil.terms, Scale(None, divisors))
    x = prepare(task.coordinates, precision.coordinates, precision.wide_coordinates, xp)

    known: dict[tuple[int, int], Any] = {}

    def span(first: int, last: int) -> Any:
        length = known.get((first, last))
        if length is None:
            length = known[first, last] = difference(
                shifted(x, task.axis, stencil, last),
                shifted(x, task.axis, stencil, first),
                precision.coordinates,
                precision.wide_coordinates,
                xp,
            )
        return length

    # Times the reciprocal, because XLA turns (a / b) / h into a / (b * h), and that is
    # a product of steps: it overflows or vanishes where their ratio does not.
    ratios = _stencils.slope_weights(span, stencil.offsets)
    terms = tuple(
        (j + 1, j, ratios[j] * (1.0 / span(j, j + 1))) for j in stencil.offsets[:-1]
    )
    return Formula(stencil, terms, _stencils.UNSCALED)


def _prepared_step(task: Task, xp: Namespace) -> Any:
    """Convert a step; it makes the samples complex, but has no say in their precision.

    A complex step has been promoted with them, and a real one divides complex sums.
    """
    step: Any = task.step
    is_complex = xp.isdtype(step.dtype, "complex floating")
    dtype = task.precision.samples if is_complex else task.precision.coordinates
    return xp.astype(step, dtype, copy=False)


def shifted(array: Array, axis: int, stencil: Stencil, offset: int) -> Any:
    """Return what lies `offset` points from each point that the formula fills."""
    return array[(slice(None),) * axis + (points(stencil, offset), ...)]


def points(stencil: Stencil, offset: int, more: int = 0) -> slice:
    """Return the points `offset` from those that the formula fills, and `more`."""
    # A formula that ends at the end of the axis counts its stop from there: 0 is the
    # end itself, which a slice calls None.
    stop = (stencil.stop or 0) + offset + more
    return slice(stencil.start + offset, stop or None)


def difference(upper: Any, lower: Any, dtype: DType, wide: bool, xp: Namespace) -> Any:
    """Return ``upper - lower`` in `dtype`, also for integers that `dtype` rounds.

    Integers of 64 bits are no float64, and their difference is no int64.  Their
    halves `q` and the lost bits `b` are: with ``i = 2 * q + b``, the difference is
    ``2 * (q1 - q0) + (b1 - b0)``, exact up to the conversion to `dtype`.
    """
    if not wide:
        return upper - lower
    q1, b1 = _halved(upper, xp)
    q0, b0 = _halved(lower, xp)
    return xp.astype(q1 - q0, dtype) * 2.0 + xp.astype(b1 - b0, dtype)


def _halved(integers: Any, xp: Namespace) -> tuple[Any, Any]:
    """Return ``integers // 2`` and ``integers % 2`` in a signed dtype."""
    bits = xp.iinfo(integers.dtype).bits
    if not xp.isdtype(integers.dtype, "unsigned integer"):
        return integers >> 1, integers & 1
    # torch cannot shift unsigned integers.  Their bits read as signed ones can be
    # shifted; the sign that this drags along is masked away.
    signed = xp.astype(integers, getattr(xp, f"int{bits}"))
    return (signed >> 1) & (2 ** (bits - 1) - 1), signed & 1
