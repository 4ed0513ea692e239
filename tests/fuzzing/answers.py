"""What a valid call must return, exactly."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import formulas
import oracle
from backends import Backend
from dtypes import COMPLEX, FORMATS, REAL_OF
from fuzzing.calls import Call, Entry, Finding
from fuzzing.valid import validity_at

#: How many roundings of the sum of its terms a result may be off.
ROUNDINGS = 32


class Estimate(NamedTuple):
    """What one number of a result must be.

    Attributes
    ----------
    value : Gaussian or None
        The exact value; None where there must be NaN.
    size : Fraction
        The sum of the absolute values of the terms: an error is some roundings of it.
    weight : Fraction
        The sum of the absolute values of the weights: of what is lost below the
        smallest numbers.
    is_hole : bool
        Whether it reads a sample that is none, or overflows on the way.
    """

    value: oracle.Gaussian | None
    size: Fraction
    weight: Fraction
    is_hole: bool


def promoted(first: str, second: str) -> str:
    """Return the dtype of both, by the rules of the standard."""
    if first == second:
        return first
    parts = {REAL_OF.get(first, first), REAL_OF.get(second, second)}
    real = "float64" if "float64" in parts else "float32"
    if parts == {"float16"}:
        real = "float16"
    is_complex = first in COMPLEX or second in COMPLEX
    return (
        {"float32": "complex64", "float64": "complex128"}[real]
        if is_complex
        else (real)
    )


def result_dtype(backend: Backend, samples: str, entry: Entry) -> str:
    dtype = backend.default if "int" in samples else samples
    if entry.kind == "step":
        complex_step = isinstance(entry.value, complex) or entry.dtype in COMPLEX
        return promoted(dtype, "complex64") if complex_step else dtype
    if "int" in str(entry.dtype):
        return dtype
    return promoted(dtype, str(entry.dtype))


def grid(backend: Backend, entry: Entry, axis: int) -> Any:
    if entry.dtype is None:
        return oracle.steps(axis, entry.value)
    stored = backend.tolist(entry.value)
    if entry.kind == "step":
        return oracle.steps(axis, stored)
    if entry.kind == "coordinates":
        return oracle.along(axis, stored)
    return oracle.per_point(stored)


def is_comparable(backend: Backend, call: Call, result: Any) -> bool:
    """Tell whether the steps of a call are normal numbers after rounding."""
    _, lowest = FORMATS[REAL_OF.get(result, result)]
    least = 2.0 ** max(lowest, -126)
    for axis, one in zip(call.dims, call.entries, strict=True):
        if one.dtype is None:
            continue
        stored = backend.tolist(one.value)
        x = list(oracle.flat(stored))
        gaps = [abs(a - b) for a, b in itertools.pairwise(x)]
        if one.kind == "step":
            usable = least <= abs(x[0]) <= 1 / least
        elif one.kind == "coordinates":
            usable = len(set(x)) == len(x) and min(gaps) >= least
        else:
            usable = not (
                any(0 < gap < least for gap in gaps) or _has_repeats(stored, axis)
            )
        # Some became infinite in their dtype.
        if not usable or not all(map(oracle.is_finite, x)):
            return False
    return True


def _has_repeats(values: Any, axis: int) -> bool:
    shape = oracle.shape_of(values)
    return any(
        oracle.at(values, i)
        == oracle.at(values, (*i[:axis], i[axis] + 1, *i[axis + 1 :]))
        for i in itertools.product(
            *(range(n - (k == axis)) for k, n in enumerate(shape))
        )
    )


def compare(backend: Backend, call: Call, samples: Any, results: Any) -> bool:
    """Hold results to their exact values; return whether there were any to compare."""
    name = backend.dtype_name(call.f)
    each = [result_dtype(backend, name, one) for one in call.entries]
    pieces = whole_pieces(call)
    is_tuple = call.function == "gradient" and "stack_dim" not in call.keywords
    if is_tuple and (type(results) is not tuple or len(results) != len(pieces)):
        raise Finding(f"no tuple of {len(pieces)}: {results!r}")
    dtypes = each if is_tuple else [reduce(promoted, each)] * len(pieces)
    shape = shape_of_result(call)
    for result in results if is_tuple else (results,):
        wanted = dtypes[0] if not is_tuple else None
        check_array(backend, call, result, shape, wanted)
    if 0 in call.f.shape or not all(is_comparable(backend, call, d) for d in dtypes):
        return False
    for number, (piece, dtype) in enumerate(zip(pieces, dtypes, strict=True)):
        if is_tuple:
            check_array(backend, call, results[number], shape, dtype)
        values = backend.tolist(results[number] if is_tuple else results)
        if not is_tuple:
            values = part(values, call, number)
        # A sum, and what is stacked, is as exact as the least exact of its terms.
        coarsest = dtype if is_tuple else max(each, key=backend.epsilon)
        wanted = estimated(backend, samples, call, piece)
        check_values(backend, values, wanted, dtype, coarsest)
    return True


def check_array(
    backend: Backend,
    call: Call,
    result: Any,
    shape: tuple[int, ...],
    dtype: str | None,
) -> None:
    if not hasattr(result, "dtype"):
        raise Finding(f"{type(result).__name__} where an array was wanted")
    got = backend.dtype_name(result), tuple(result.shape), backend.kind(result)
    if got != (dtype or got[0], shape, backend.kind(call.f)):
        raise Finding(f"{got} where {dtype} {shape} was wanted")


#: A term of a result: its sign, the component, and the dims to differentiate along,
#: numbered in the call.
Piece: TypeAlias = list[tuple[int, int | None, list[int]]]


def whole_pieces(call: Call) -> list[Piece]:
    """Return what all parts of a result are sums of, in their order."""
    count = range(len(call.dims))
    if call.function in ("gradient", "derivative"):
        return [[(1, None, [k])] for k in count]
    if call.function == "laplacian":
        return [[(1, None, [k, k]) for k in count]]
    if call.function == "hessian":
        return [[(1, None, sorted([i, j]))] for i in count for j in count]
    if call.function == "divergence":
        return [[(1, k, [k]) for k in count]]
    if call.function == "curl":
        pairs = [(0, 1)] if len(count) == 2 else [(1, 2), (2, 0), (0, 1)]
        return [[(1, j, [i]), (-1, i, [j])] for i, j in pairs]
    return [[(1, c, [k])] for c in range(call.f.shape[call.place or 0]) for k in count]


def new_dims(call: Call) -> tuple[int, tuple[int, ...]]:
    """Return where the dims of the parts begin in a result, and their lengths."""
    count = len(call.dims)
    if "stack_dim" in call.keywords or call.function == "hessian":
        place = call.keywords.get("stack_dim", 0) % (call.f.ndim + 1)
        return place, (count, count) if call.function == "hessian" else (count,)
    place = call.place or 0
    if call.function == "jacobian":
        return place, (call.f.shape[place], count)
    is_vector = call.function == "curl" and count == 3
    return place, (3,) if is_vector else ()


def shape_of_result(call: Call) -> tuple[int, ...]:
    shape = tuple(call.f.shape)
    if call.place is not None:
        shape = (*shape[: call.place], *shape[call.place + 1 :])
    place, lengths = new_dims(call)
    return (*shape[:place], *lengths, *shape[place:])


def part(values: Any, call: Call, number: int) -> Any:
    """Return one part of a result."""
    place, lengths = new_dims(call)
    chosen = list(itertools.product(*map(range, lengths)))[number]
    shape = shape_of_result(call)
    inner = (*shape[:place], *shape[place + len(lengths) :])
    return oracle.build(
        inner, lambda i: oracle.at(values, (*i[:place], *chosen, *i[place:]))
    )


def estimated(backend: Backend, samples: Any, call: Call, piece: Piece) -> Any:
    """Return what every number of a part must be."""
    total = None
    for sign, component, path in piece:
        field = samples if component is None else component_of(samples, call, component)
        numbers = oracle.build(
            oracle.shape_of(field),
            lambda i, field=field: _as_estimate(oracle.at(field, i)),
        )
        if len(path) == 2 and path[0] == path[1]:
            numbers = along(backend, numbers, call, path[0], 2)
        else:
            step = call
            for dim in path:
                numbers = along(backend, numbers, step, dim, call.kind.order)
                # A derivative of what is constant beyond an end is zero there.
                step = step._replace(ends=[_derived(end) for end in step.ends])
        total = numbers if total is None else _sum(total, numbers, sign)
    return total


def _derived(end: Any) -> Any:
    """Return what stands at the ends for a derivative of the samples along others."""
    if isinstance(end, tuple) and end[0] != "periodic":
        return tuple(map(_derived, end))
    return end if isinstance(end, (str, tuple)) else 0


def component_of(samples: Any, call: Call, component: int) -> Any:
    """Return one component of a vector field."""
    shape, place = oracle.shape_of(samples), call.place or 0
    return oracle.build(
        (*shape[:place], *shape[place + 1 :]),
        lambda i: oracle.at(samples, (*i[:place], component, *i[place:])),
    )


def _as_estimate(value: Any) -> Estimate:
    is_finite = oracle.is_finite(value)
    exact = oracle.gaussian(value if is_finite else 0)
    return Estimate(exact, Fraction(0), Fraction(0), not is_finite)


def _sum(first: Any, second: Any, sign: int) -> Any:
    def added(index: Any) -> Estimate:
        a, b = oracle.at(first, index), oracle.at(second, index)
        is_missing = a.value is None or b.value is None
        return Estimate(
            None if is_missing else a.value + b.value * sign,
            a.size + b.size,
            a.weight + b.weight,
            a.is_hole or b.is_hole,
        )

    return oracle.build(oracle.shape_of(first), added)


def along(backend: Backend, numbers: Any, call: Call, number: int, order: int) -> Any:
    """Return the estimates of the derivative of estimates along one dim."""
    axis, one = call.dims[number], call.entries[number]
    coordinate, uneven = grid(backend, one, axis), one.kind != "step"
    where = call.keywords.get("where")
    is_valid = None if where is None else validity_at(backend.tolist(where))
    found = {}
    for points in formulas.lines(numbers, axis):
        line = [oracle.at(numbers, point) for point in points]
        x = [coordinate(point) for point in points]
        end: dict[str, Any] = {"boundary": call.ends[number], "uneven": uneven}
        if is_valid is None:
            rows = formulas.terms(line, x, order, *call.kind[1:], **end)
        else:
            valid = [is_valid(point) for point in points]
            given = (line, x, valid, call.kind.edge_order)
            usual = {"order": order, "accuracy": call.kind.accuracy}
            rows = formulas.terms_of_valid(*given, **usual, **end)
            triples = zip(line, valid, rows, strict=True)
            line = [here if ok else _first(row or []) for here, ok, row in triples]
        for point, here, row in zip(points, line, rows, strict=True):
            made = _weighted(row, here, order > 1 and uneven)
            found[point] = made._replace(size=made.size * _looseness(call, number, x))
    return oracle.build(oracle.shape_of(numbers), found.__getitem__)


def _looseness(call: Call, number: int, x: list[Any]) -> Fraction:
    """Return by how much more the formulas of some grids err.

    Even orders on coordinates sum more terms.  Ghosts are placed by their distances
    from the edge, and the steps between them have the errors of these.
    """
    one, end = call.entries[number], call.ends[number]
    if one.kind == "step":
        return Fraction(1)
    many = Fraction(1 if call.function == "gradient" else 4)
    if end in ("one_sided", ("one_sided",) * 2):
        return many
    steps = [_length(oracle.gaussian(b) - a) for a, b in itertools.pairwise(x)]
    is_periodic = isinstance(end, tuple) and end[0] == "periodic"
    longest = Fraction(end[1]) if is_periodic else max(steps)
    return many * (1 + longest / min(steps))


def _first(row: list[Any]) -> Estimate:
    """Return a sample of a formula, in the place of the one that is missing."""
    return next((g for _, g in row if isinstance(g, Estimate)), _as_estimate(0))


def _weighted(row: list[Any] | None, here: Estimate, uncertain: bool) -> Estimate:
    """Return a sum of weighted estimates; that of None must be NaN.

    Its terms are the samples less that at the point, or differences of neighbours with
    the running sums of the weights: an error may be some roundings of either.  With
    `uncertain`, weights are sums of ratios themselves, and one that is nearly zero by
    chance has the error of the largest.
    """
    if row is None:
        return Estimate(None, Fraction(0), Fraction(0), False)
    terms = [g if isinstance(g, Estimate) else _as_estimate(g) for _, g in row]
    weights = [oracle.gaussian(w) for w, _ in row]
    largest = max(map(_length, weights)) if uncertain else 0
    value = running = oracle.gaussian(0)
    size = weight = Fraction(0)
    is_hole, before = here.is_hole, None
    for exact, term in zip(weights, terms, strict=True):
        value += exact * term.value
        if before is not None:
            size += _length(running) * _length(term.value - before.value)
        size += max(largest, _length(exact)) * _length(term.value - here.value)
        size += _length(exact) * term.size
        weight += _length(exact) * (1 + term.weight)
        running += exact
        is_hole, before = is_hole or term.is_hole, term
    return Estimate(value, size, weight, is_hole)


def _length(number: oracle.Gaussian) -> Fraction:
    return abs(number.real) + abs(number.imag)


def check_values(
    backend: Backend, values: Any, wanted: Any, dtype: str, coarsest: str
) -> None:
    real = REAL_OF.get(dtype, dtype)
    digits, lowest = FORMATS[real]
    largest = Fraction(2) ** (1 - lowest) * (1 - Fraction(1, 2**digits))
    # Numbers below the normal ones are rounded to their own grid, or to zero by XLA.
    step = 0 if backend.library == "jax" or lowest > -126 else digits - 1
    floor = Fraction(2) ** (lowest - step)
    for index in itertools.product(*map(range, oracle.shape_of(wanted))):
        value, target = oracle.at(values, index), oracle.at(wanted, index)
        if target.is_hole or target.size >= largest / 8:
            continue  # the sum may overflow before its terms cancel
        if target.value is None:
            if not math.isnan(value.real):  # no promise is made of the other part
                raise Finding(f"{value!r} where NaN was wanted, at {index}")
            continue
        limit = ROUNDINGS * backend.epsilon(coarsest) * target.size
        limit += 4 * floor * (1 + target.weight)
        if not oracle.agree(value, target.value, limit):
            exact = target.value
            shown = complex(exact) if exact.imag else float(exact.real)
            raise Finding(f"{value!r} where {shown!r} was wanted, at {index}")
