"""Small arrays: a derivative as differences of gathered copies.

On a small array, an operation costs the time to call it, and a program of slices calls
many.  Here all terms of all points are computed together: the upper samples of all
differences are one gathered copy, and the lower ones are another, whatever the dim and
the edges.  Terms that are added to another one stand behind it in these copies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic, _lowering
from .._beyond import arrays_of
from .._executors.pieces import LARGEST_EXACT
from .._schemes import StepScales

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._records import Task
    from .._scales import Scale
    from .._typing import Namespace

#: Beyond so many samples, and so many differences, gathering takes longer than calling.
MOST_SAMPLES, MOST_DIFFERENCES = 2**11, 2**14


class Added(NamedTuple):
    """A further term of some points.

    Attributes
    ----------
    points : tuple of slice
        Which.
    where : slice
        Where it stands in the gathered copies.
    shape : tuple of int
        That of the points.
    """

    points: tuple[slice, ...]
    where: slice
    shape: tuple[int, ...]


class Gathered(NamedTuple):
    """All that a derivative reads.

    Attributes
    ----------
    take, asarray : callable
        ``take(f, positions)``, and what makes an array of the working dtype.
    upper, lower : array of int
        Which samples are subtracted, counted through memory: of the first term of all
        points, in the shape of the samples if there are no others.
    weights : array or number or None
        What the differences are multiplied with; None for one.
    constants : tuple of (int, slice or array of int)
        Of which end a constant stands in the place of lower samples, and of which.
    added : tuple of Added
        In the order in which they are added.
    shape : tuple of int
        That of the samples.
    samples, result : dtype or None
        What the samples, and the derivative, are converted to; None for what they are.
    is_wide : bool
        Whether they are integers that may not be floating numbers.
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
    upper: Any
    lower: Any
    weights: Any
    constants: tuple[tuple[int, Any], ...]
    added: tuple[Added, ...]
    shape: tuple[int, ...]
    samples: Any
    result: Any
    is_wide: bool
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
) -> tuple[Gathered, ...]:
    """Return what a derivative reads; nothing if that does not pay.

    There is one for each task whose derivatives are added.
    """
    if ops.take is None or not 0 < math.prod(f.shape) <= MOST_SAMPLES * len(tasks):
        return ()
    if not all(_pays(task, f, xp) for task in tasks):
        return ()
    if len(tasks) > 1 and tasks[0].precision.result != tasks[0].precision.samples:
        return ()
    return tuple([_gathered(task, f, xp, ops) for task in tasks])


def _pays(task: Task, f: Any, xp: Namespace) -> bool:
    """Tell whether a task has numbers only, and few differences."""
    precision, formulas = task.precision, task.scheme.formulas
    if task.coordinates is not None or task.step is not None or arrays_of(task):
        return False
    if task.scheme.recipe.is_transposed:
        return False
    if math.prod(f.shape) * max([len(one.terms) for one in formulas]) > (
        MOST_DIFFERENCES
    ):
        return False
    # One times an infinity may be NaN where it is complex.
    dtypes = precision.samples, precision.result
    return all(xp.isdtype(dtype, "real floating") for dtype in dtypes)


def _gathered(task: Task, f: Any, xp: Namespace, ops: InPlaceOps) -> Gathered:
    f, take, precision = _agnostic.component(f, task), ops.take, task.precision
    assert take is not None
    native = xp.result_type(precision.samples, precision.samples)
    positions = xp.reshape(xp.arange(math.prod(f.shape)), f.shape)
    numbers, formulas = xp.zeros_like(positions), task.scheme.formulas
    for number, formula in enumerate(formulas):
        _lowering.shifted(numbers, task.axis, formula, 0)[...] = number
    added: list[Added] = []
    found = [_term(0, task, positions, precision.samples, xp)]
    end = math.prod(f.shape)
    before = (slice(None),) * task.axis
    for k in range(1, max([len(formula.terms) for formula in formulas])):
        whole = _term(k, task, positions, precision.samples, xp)
        for rows in _rows_with(k, task, f.shape[task.axis]):
            parts = [one[(*before, rows, ...)] for one in whole]
            found.append(tuple(parts))
            start, end = end, end + math.prod(parts[0].shape)
            shape = tuple(parts[0].shape)
            added.append(Added((*before, rows), slice(start, end), shape))
    if added:
        columns = zip(*found, strict=True)
        flat = [[xp.reshape(one, (-1,)) for one in column] for column in columns]
        upper, lower, weights, ends = map(xp.concat, flat)
    else:
        ((upper, lower, weights, ends),) = found
    first = xp.reshape(weights, (-1,))[0]
    if xp.all(weights == first):
        weights = None if first == 1.0 else float(first)
    shares = None
    if not any(d & (d - 1) for d in task.scheme.denominators):  # else they are rounded
        each = [1.0 / formula.denominator for formula in formulas]
        shares = take(xp.asarray(each, dtype=precision.samples), numbers)
    return Gathered(
        take,
        partial(xp.asarray, dtype=precision.samples),
        upper,
        lower,
        weights,
        _constants(xp.reshape(ends, (-1,)), xp),
        tuple(added),
        tuple(f.shape),
        None if f.dtype == precision.samples else precision.samples,
        # What is scaled is made in the byte order of the machine, unless it is named.
        None if precision.result == precision.samples == native else precision.result,
        precision.wide_samples,
        numbers,
        shares,
        formulas[0].denominator,
        LatestScaling(2 * found[0][2].nbytes),
    )


def _term(
    k: int, task: Task, positions: Any, dtype: Any, xp: Namespace
) -> tuple[Any, Any, Any, Any]:
    """Return what term number `k` of all points reads.

    The upper and the lower samples, its weights, and the ends whose constants stand in
    the place of the lower ones; -1 for none.
    """
    upper, lower = xp.zeros_like(positions), xp.zeros_like(positions)
    weights, ends = xp.ones(positions.shape, dtype=dtype), lower - 1
    for place, formula in enumerate(task.scheme.formulas):
        if k < len(formula.terms):
            above, below, weight = formula.terms[k]
            end = _agnostic.end_of(below, place, task.scheme)
            for array, values in (
                (upper, _lowering.shifted(positions, task.axis, formula, above)),
                (
                    lower,
                    _lowering.shifted(positions, task.axis, formula, below)
                    if end is None
                    else 0,
                ),
                (weights, 1.0 if weight is None else weight),
                (ends, -1 if end is None else end),
            ):
                _lowering.shifted(array, task.axis, formula, 0)[...] = values
    return upper, lower, weights, ends


def _constants(ends: Any, xp: Namespace) -> tuple[tuple[int, Any], ...]:
    """Return where constants stand: a slice wherever that is possible."""
    found: list[tuple[int, Any]] = []
    for number in (0, 1):
        (places,) = xp.nonzero(ends == number)
        count = places.shape[0]
        if count:
            first, last = int(places[0]), int(places[-1])
            is_run = last - first == count - 1
            found.append((number, slice(first, last + 1) if is_run else places))
    return tuple(found)


def _rows_with(k: int, task: Task, length: int) -> list[slice]:
    """Return the rows along the axis that have a term number `k`: runs of them."""
    have = [False] * length
    for formula in task.scheme.formulas:
        rows = range(length)[_lowering.points(formula, 0)]
        have[rows.start : rows.stop] = [k < len(formula.terms)] * len(rows)
    runs: list[slice] = []
    start = 0
    for is_one, group in groupby(have):
        stop = start + len(list(group))
        runs += [slice(start, stop)] if is_one else []
        start = stop
    if len(runs) == 2 and all(run.stop - run.start == 1 for run in runs):
        first, last = runs[0].start, runs[1].start
        return [slice(first, last + 1, last - first)]
    return runs


def run(
    gathered: tuple[Gathered, ...],
    tasks: Sequence[Task],
    f: Any,
    ops: InPlaceOps,
    out: Any = None,
) -> Any:
    """Return a derivative with what is added to it, in `out` if that is given.

    None for a step whose scales are not single numbers, and for integers that are no
    floating numbers.
    """
    if len(gathered) == 1:
        return _derivative(gathered[0], tasks[0], f, ops, out)
    total: Any = None
    for one, task in zip(gathered, tasks, strict=True):
        samples = _agnostic.component(f, task)
        part = _derivative(one, task, samples, ops, None)
        if part is None:
            return None
        if total is None:
            total = part
            continue
        add = ops.verbs["add" if task.sign > 0 else "subtract"]
        is_last = task is tasks[-1]
        total = add(total, part, out=total if out is None or not is_last else out)
    return total


def _derivative(
    gathered: Gathered, task: Task, f: Any, ops: InPlaceOps, out: Any
) -> Any:
    """Return one derivative, in `out` if that is given."""
    latest, take, scales = gathered.latest, gathered.take, task.scales
    scaling = latest.scaling
    if scaling is None or scaling[0] is not scales:
        made = _scaling(gathered, scales, ops)
        if made is None:
            return None
        scaling = latest.scaling = scales, made
    if gathered.samples is not None:
        if gathered.is_wide:
            least, greatest = ops.extremes(f)  # type: ignore[misc]
            if least < -LARGEST_EXACT or greatest > LARGEST_EXACT:
                return None
        f = ops.astype(f, gathered.samples)
    result, lower = take(f, gathered.upper), take(f, gathered.lower)
    for number, places in gathered.constants:
        lower.reshape(-1)[places] = task.constants[number]  # type: ignore[index]
    is_last = not gathered.added and gathered.result is None
    target = result if out is None or not is_last else out
    result = ops.verbs["subtract"](result, lower, out=target)
    if gathered.weights is not None:
        ops.verbs["multiply"](result, gathered.weights, out=result)
    if is_last:
        for scale, numbers in scaling[1]:
            scale(result, numbers, out=result)
        return result
    if gathered.added:
        result = _added(gathered, result, ops)
    return _scaled(gathered, scaling[1], f, result, ops, out)


def _added(gathered: Gathered, terms: Any, ops: InPlaceOps) -> Any:
    """Return the sums of the terms, in the memory of the first ones."""
    add, shape = ops.verbs["add"], gathered.shape
    whole = terms[: gathered.added[0].where.start]
    if len(shape) > 1:
        whole = whole.reshape(shape)
    for points, where, shape in gathered.added:
        there, term = whole[points], terms[where]
        add(there, term if len(shape) == 1 else term.reshape(shape), out=there)
    return whole


def _scaled(
    gathered: Gathered,
    scaling: Sequence[tuple[Any, Any]],
    f: Any,
    sums: Any,
    ops: InPlaceOps,
    out: Any,
) -> Any:
    """Return sums scaled and rounded, in memory of their own."""
    if out is None and gathered.result is not None:
        out = ops.empty_like(f, dtype=gathered.result)
    if not scaling:
        if out is None:
            return ops.astype(sums, sums.dtype)
        out[...] = sums
        return out
    *others, (scale, numbers) = scaling
    for other, more in others:
        other(sums, more, out=sums)
    return scale(sums, numbers, out=out)


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
