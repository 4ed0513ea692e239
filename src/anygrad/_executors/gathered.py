"""Small arrays: a derivative as differences of gathered copies.

On a small array, an operation costs the time to call it, and a program of slices calls
many.  Here all points are computed together: the first difference of each is one of two
copies that are gathered, the second is another, and so on, whatever the dim and the
edges.  Edges that have more terms than the interior add these at their own points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._schemes import StepScales

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._records import Task
    from .._scales import Scale
    from .._typing import Namespace

#: Beyond so many samples, and so many differences, gathering takes longer than calling.
MOST_SAMPLES, MOST_DIFFERENCES = 2**11, 2**14


class Term(NamedTuple):
    """One difference of each point, or of some.

    Attributes
    ----------
    upper, lower : array of int
        Which samples are subtracted, counted through memory.
    weight : array or number or None
        What the difference is multiplied with; None for one.
    points : array of int or None
        The points that have the term, counted through memory; None for all.
    """

    upper: Any
    lower: Any
    weight: Any
    points: Any


class Gathered(NamedTuple):
    """All that a derivative reads.

    Attributes
    ----------
    take, asarray : callable
        ``take(f, positions)``, and what makes an array of the samples' dtype.
    terms : tuple of Term
        In the order in which they are added.
    numbers : array of int
        Which formula of the scheme each point has.
    shares : array or None
        One over the denominator of each point's formula, where all are powers of two.
    denominator : int
        That of the first formula of the scheme.
    latest : LatestScaling
        What the step of the latest call has made of these.
    """

    take: Callable[[Any, Any], Any]
    asarray: Callable[[Any], Any]
    terms: tuple[Term, ...]
    numbers: Any
    shares: Any
    denominator: int
    latest: LatestScaling


class LatestScaling:
    """The numbers of the latest step: the same step often comes again.

    Attributes
    ----------
    scaling : tuple or None
        The scales of the formulas, with what the sums are multiplied with and divided
        by: pairs of an operation and its numbers.  It is replaced as a whole, so that
        threads may meet.
    nbytes : int
        How many bytes it may hold.
    """

    __slots__ = ("nbytes", "scaling")

    def __init__(self, nbytes: int) -> None:
        self.scaling: tuple[Sequence[Scale], Any] | None = None
        self.nbytes = nbytes


def gather(
    tasks: Sequence[Task], f: Any, xp: Namespace, ops: InPlaceOps
) -> Gathered | None:
    """Return what a derivative of samples in order reads; None if that does not pay."""
    task = tasks[0]
    count, scheme = math.prod(f.shape), task.scheme
    most = max([len(formula.terms) for formula in scheme.formulas])
    if ops.take is None or not 0 < count <= MOST_SAMPLES:
        return None
    if (
        len(tasks) > 1
        or scheme.recipe.is_transposed
        or task.coordinates is not None
        or count * most > MOST_DIFFERENCES
    ):
        return None
    terms = [term for formula in scheme.formulas for term in formula.terms]
    if not all(isinstance(lower, int) for _, lower, _ in terms):  # a constant
        return None
    if f.dtype != task.precision.samples or f.dtype != task.precision.result:
        return None
    if xp.isdtype(f.dtype, "complex floating"):  # one times an infinity may be NaN
        return None
    positions = xp.reshape(xp.arange(count), f.shape)
    numbers, counts = xp.zeros_like(positions), xp.zeros_like(positions)
    for number, formula in enumerate(scheme.formulas):
        _agnostic.shifted(numbers, task.axis, formula, 0)[...] = number
        _agnostic.shifted(counts, task.axis, formula, 0)[...] = len(formula.terms)
    # Of an axis without interior points, no point has the most terms.
    numbers_of_terms = range(int(xp.max(counts)))
    found = [_term(k, task, positions, counts, f, xp) for k in numbers_of_terms]
    shares = None
    if not any(d & (d - 1) for d in scheme.denominators):  # else they are rounded
        each = [1.0 / formula.denominator for formula in scheme.formulas]
        shares = ops.take(xp.asarray(each, dtype=f.dtype), numbers)
    denominator = scheme.formulas[0].denominator
    latest = LatestScaling(2 * f.nbytes)
    asarray = partial(xp.asarray, dtype=f.dtype)
    return Gathered(
        ops.take, asarray, tuple(found), numbers, shares, denominator, latest
    )


def _term(
    k: int, task: Task, positions: Any, counts: Any, f: Any, xp: Namespace
) -> Term:
    """Return the term number `k` of all points that have so many."""
    upper, lower = xp.zeros_like(positions), xp.zeros_like(positions)
    weights = xp.ones_like(f)
    for formula in task.scheme.formulas:
        if k < len(formula.terms):
            above, below, weight = formula.terms[k]
            for array, values in (
                (upper, _agnostic.shifted(positions, task.axis, formula, above)),
                (lower, _agnostic.shifted(positions, task.axis, formula, below)),
                (weights, 1.0 if weight is None else weight),
            ):
                _agnostic.shifted(array, task.axis, formula, 0)[...] = values
    points = None
    if not xp.all(counts > k):
        (points,) = xp.nonzero(xp.reshape(counts, (-1,)) > k)
        upper, lower, weights = (a.reshape(-1)[points] for a in (upper, lower, weights))
    first = weights.reshape(-1)[0]
    if not xp.all(weights == first):
        return Term(upper, lower, weights, points)
    return Term(upper, lower, None if first == 1.0 else float(first), points)


def run(
    gathered: Gathered,
    scales: Sequence[Scale],
    f: Any,
    ops: InPlaceOps,
    out: Any = None,
) -> Any:
    """Return the derivative of samples that lie in order, in `out` if that is given.

    None for a step whose scales are not single numbers.
    """
    latest = gathered.latest
    scaling = latest.scaling
    if scaling is None or scaling[0] is not scales:
        made = _scaling(gathered, scales, ops)
        if made is None:
            return None
        scaling = latest.scaling = scales, made
    take, terms = gathered.take, gathered.terms
    result = _difference(take, terms[0], f, ops, out)
    if len(terms) > 1:
        _add(take, terms[1:], f, ops, result)
    for scale, numbers in scaling[1]:
        scale(result, numbers, out=result)
    return result


def _add(
    take: Callable[[Any, Any], Any],
    terms: Sequence[Term],
    f: Any,
    ops: InPlaceOps,
    result: Any,
) -> None:
    """Add terms to a result, those that all points have and those of edges."""
    for term in terms:
        part = _difference(take, term, f, ops, None)
        if term.points is None:
            ops.verbs["add"](result, part, out=result)
        else:
            result.reshape(-1)[term.points] += part


def _difference(
    take: Callable[[Any, Any], Any], term: Term, f: Any, ops: InPlaceOps, out: Any
) -> Any:
    """Return a weighted difference of two gathered copies."""
    upper, lower, weight, _ = term
    result = take(f, upper)
    result = ops.verbs["subtract"](
        result, take(f, lower), out=result if out is None else out
    )
    if weight is not None:
        ops.verbs["multiply"](result, weight, out=result)
    return result


def _scaling(gathered: Gathered, scales: Sequence[Scale], ops: InPlaceOps) -> Any:
    """Return the operations that scale the sums, with their numbers."""
    shares, denominator = gathered.shares, gathered.denominator
    if shares is not None and type(scales) is StepScales:
        factor = scales.factor(denominator)
        if factor is None:
            return ((ops.verbs["divide"], ops.verbs["divide"](scales.power, shares)),)
        return (
            (
                ops.verbs["multiply"],
                ops.verbs["multiply"](shares, factor * denominator),
            ),
        )
    all_scales = [scales[number] for number in range(len(scales))]
    if any(len((*scale.factors, *scale.divisors)) > 1 for scale in all_scales):
        return None
    found = []
    for scale, numbers in (
        (ops.verbs["multiply"], [(*factors, 1.0)[0] for factors, _ in all_scales]),
        (ops.verbs["divide"], [(*divisors, 1.0)[0] for _, divisors in all_scales]),
    ):
        if any(number != 1.0 for number in numbers):
            each = gathered.take(gathered.asarray(numbers), gathered.numbers)
            found.append((scale, each))
    return tuple(found)
