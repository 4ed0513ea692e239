"""Calls at random, valid and not, on every form of every library: `nox -s fuzz`.

Each call, of `gradient`, `derivative` or an operator, ends in the exact value, or in an
error that names a parameter; never in another error, a warning, a changed argument or a
crash.  A call is made from the seed, the form and its number alone, so what is printed
of a finding is enough to repeat it:

    python tests/fuzz.py --seed 7 --form torch --only 1234
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import math
import os
import random
import re
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial, reduce
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

sys.path.insert(0, str(Path(__file__).parent))

import anygrad
import formulas
import oracle
from anygrad import _workers
from backends import (
    BACKENDS,
    COMPLEX,
    FORMATS,
    LIBRARIES,
    REAL_OF,
    Backend,
    is_installed,
)

#: How every message begins: with the parameter that is wrong.
CLEAR = re.compile(
    r"^`(input|spacing|dim|axis|edge_order|accuracy|boundary|where|stack_dim|order"
    r"|vector_dim)(\[\d+\])?`"
)
#: What NumPy says where a result leaves the range of its dtype, or a sample is none.
ARITHMETIC = r"(overflow|underflow|invalid value|divide by zero) encountered"
#: How many roundings of the sum of its terms a result may be off.
ROUNDINGS = 32
#: After so many seconds a call hangs, and the process ends with a traceback.
TOO_LONG = 120


class Finding(Exception):  # noqa: N818 - it is no error of the caller
    """A call that broke a promise."""


class Entry(NamedTuple):
    """What one dim is given, as the array or number that is passed."""

    kind: str
    value: Any
    dtype: str | None


class Call(NamedTuple):
    """A valid call: its samples, and what is passed along with them.

    The dims are those of space, numbered as in one component of a vector field, whose
    components lie along `place`; None for a scalar field.
    """

    function: str
    f: Any
    place: int | None
    dims: list[int]
    entries: list[Entry]
    ends: list[Any]
    kind: Kind
    keywords: dict[str, Any]


class Kind(NamedTuple):
    """Which derivatives are taken."""

    order: int
    accuracy: int
    edge_order: int


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


# Numbers.


def number(rng: random.Random, dtype: str, scale: float) -> Any:
    """Return a number of about the size of `scale` that a dtype can hold or round."""
    if "int" in dtype:
        bits = int(dtype.removeprefix("u").removeprefix("int"))
        least, most = (
            (0, 2**bits - 1)
            if dtype.startswith("u")
            else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        if rng.random() < 0.2:
            return rng.choice([least, most, least + 1, most - 1])
        return max(least, min(most, rng.randint(-100, 100)))
    if dtype in COMPLEX:
        real = REAL_OF[dtype]
        return complex(number(rng, real, scale), number(rng, real, scale))
    value = rng.choice([rng.uniform(-1, 1), rng.randint(-8, 8) / 8, rng.gauss(0, 1)])
    return value * scale


def scale_for(rng: random.Random, *dtypes: str, times: int = 1) -> float:
    """Return a power of two that leaves a margin to the ends of all the dtypes.

    `times` is how often numbers of this size are multiplied.
    """
    reals = [REAL_OF.get(name, name) for name in dtypes]
    reach = min(-FORMATS.get(name, (53, -1022))[1] for name in reals)
    reach = reach // 3 if rng.random() < 0.3 else min(3, reach // 4)
    reach //= 1 if times == 1 else 2 * times
    return 2.0 ** rng.randint(-reach, reach)


def coordinates(rng: random.Random, n: int, dtype: str, scale: float) -> list[Any]:
    """Return coordinates in one direction, with steps of very different lengths."""
    uneven = rng.choice([0, 1, 3])
    steps = [rng.uniform(1, 3) * 10 ** rng.uniform(0, uneven) for _ in range(n)]
    x: list[Any] = list(itertools.accumulate(steps))
    if "int" in dtype:
        bits = int(dtype.removeprefix("u").removeprefix("int"))
        longest = 9 if n < 12 else 1
        x = list(itertools.accumulate(rng.randint(1, longest) for _ in range(n)))
        start = rng.choice([0, 2 ** (bits - 1) - 1 - x[-1] if x else 0])
        x = [a + start for a in x]
        scale = 1
    if rng.random() < 0.5:
        x.reverse()
    if dtype in COMPLEX:
        turn = complex(1, rng.uniform(-1, 1))
        return [complex(a) * turn * scale for a in x]
    return [a * scale for a in x]


# Valid calls.

#: Fields of vectors, and what they are turned into.
FIELDS = ("divergence", "curl", "jacobian")
SCALARS = ("gradient", "derivative", "laplacian", "hessian")
GRIDS = ("step", "step", "coordinates", "per point")
MODES = ("one_sided", "one_sided", "periodic", "reflect", "symmetric", "edge")


def lengths(rng: random.Random, backend: Backend, least: int) -> tuple[int, ...]:
    if rng.random() < 0.1 and least < 2:
        return (rng.randint(20, 90),)
    count = max(least, rng.choice([1, 1, 1, 2, 2, 2, 3, 4]))
    if least == 0 and rng.random() < 0.05:
        count = 0
    most = {0: 9, 1: 12, 2: 7, 3: 5, 4: 3}[count]
    # What is compiled for every shape is asked for few shapes.
    if backend.library == "jax":
        return tuple(rng.choice([2, 3, 5]) for _ in range(max(least, min(count, 2))))
    return tuple(
        rng.randint(0 if rng.random() < 0.02 else 2, most) for _ in range(count)
    )


def boundary(rng: random.Random, dtype: str) -> Any:
    """Return what stands at the ends of a dim; the period of coordinates comes later.

    The constants are numbers of every dtype.
    """

    def end(modes: Sequence[str]) -> Any:
        if rng.random() < 0.25:
            constant = rng.choice([0, 1.0, -2.5, 3, Fraction(1, 4)])
            return constant * (1 + 2j) if dtype in COMPLEX else constant
        return rng.choice(modes)

    if rng.random() < 0.4:
        return "one_sided"
    if rng.random() < 0.3:
        apart = [mode for mode in MODES if mode != "periodic"]
        return end(apart), end(apart)
    return end(MODES)


def orders(function: str, kind: Kind) -> tuple[int, ...]:
    """Return the orders of all derivatives that a function takes."""
    usual = {"laplacian": (2,), "hessian": (1, 2), "derivative": (kind.order,)}
    return usual.get(function, (1,))


def needed(function: str, kind: Kind, ends: Any, uneven: bool) -> int:
    """Return how long a dim must be."""
    return max(
        formulas.fewest_points(order, *kind[1:], ends, uneven)
        for order in orders(function, kind)
    )


def kind_of(rng: random.Random, function: str) -> Kind:
    accuracy = rng.choice([2, 2, 2, 2, 4, 4, 6])
    edge_order = accuracy
    if function == "gradient" or rng.random() < 0.5:
        edge_order = rng.choice([1, rng.randint(1, accuracy)])
    order = rng.choice([1, 1, 2, 2, 3, 4]) if function == "derivative" else 1
    return Kind(order, accuracy, edge_order)


class Layout(NamedTuple):
    """What is asked for, before there are numbers: of all dims, and which are taken."""

    function: str
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    grids: list[str]
    ends: list[Any]
    dims: list[int]


def layout(rng: random.Random, backend: Backend) -> Layout:
    function = rng.choice(["gradient"] * 4 + [*SCALARS[1:], *FIELDS])
    least = {"gradient": 0, "curl": 2}.get(function, 1)
    usable: list[int] | None = None
    while usable is None or len(usable) < least:
        kind = kind_of(rng, function)
        shape = lengths(rng, backend, least)
        dtype = rng.choice(backend.dtypes)
        ends = [boundary(rng, dtype) for _ in shape]
        grids = [rng.choice(GRIDS) for _ in shape]
        usable = [
            axis
            for axis, n in enumerate(shape)
            if n >= needed(function, kind, ends[axis], grids[axis] != "step")
        ]
    fewest = least or int(rng.random() > 0.05 and bool(usable))
    most = {"derivative": 1, "curl": 3}.get(function, len(usable))
    dims = rng.sample(usable, rng.randint(fewest, min(most, len(usable))))
    return Layout(function, kind, shape, dtype, grids, ends, dims)


def valid_call(rng: random.Random, backend: Backend) -> Call:
    asked = layout(rng, backend)
    times = max(orders(asked.function, asked.kind))
    whole, place = asked.shape, None
    if asked.function in FIELDS:
        place = rng.randint(0, len(whole))
        is_free = asked.function == "jacobian"
        components = rng.randint(1, 3) if is_free else len(asked.dims)
        whole = (*whole[:place], components, *whole[place:])
    scale = scale_for(rng, asked.dtype, times=times)
    values = samples(rng, asked.dtype, whole, scale)
    valid = validity(rng, asked) if rng.random() < 0.4 else None
    if valid is not None and rng.random() < 0.7:
        values = with_garbage(rng, asked.dtype, values, valid)
    f = backend.asarray(values, asked.dtype, whole)
    one_for_all = rng.random() < 0.3
    if one_for_all:
        entries, ends = all_alike(rng, backend, asked, times)
    else:
        entries = [
            entry(rng, backend, asked, dim, asked.grids[dim], times)
            for dim in asked.dims
        ]
        ends = [asked.ends[dim] for dim in asked.dims]
    pairs = zip(ends, entries, strict=True)
    ends = [with_period(backend, end, one) for end, one in pairs]
    call = Call(asked.function, f, place, asked.dims, entries, ends, asked.kind, {})
    keywords = spelled(rng, asked.shape, call, one_for_all)
    if valid is not None:
        keywords["where"] = backend.asarray(valid, "bool", oracle.shape_of(valid))
    elif "where" in own_keywords(call) and rng.random() < 0.1:
        keywords["where"] = None
    return call._replace(keywords=keywords)


def validity(rng: random.Random, asked: Layout) -> Any:
    """Return which samples are valid, of a shape that broadcasts to theirs.

    None where the call may have no mask: one-sided formulas are tried at any boundary.
    """
    function, kind, shape, *_, dims = asked
    if function not in ("gradient", "derivative") or kind[:2] != (1, 2) or 0 in shape:
        return None
    if any(shape[dim] <= kind.edge_order for dim in dims):
        return None
    part = shape if rng.random() < 0.6 else shape[rng.randint(0, len(shape)) :]
    full = tuple(n if rng.random() < 0.8 else 1 for n in part)
    share = rng.choice([0.5, 0.8, 0.8, 0.95, 1.0])
    return oracle.build(full, lambda _: rng.random() < share)


def with_garbage(rng: random.Random, dtype: str, values: Any, valid: Any) -> Any:
    """Put something else into the place of samples that are not valid."""
    if "int" in dtype:
        return values
    garbage = rng.choice([math.nan, math.inf, -math.inf, 0.0])
    garbage = complex(garbage, 1) if dtype in COMPLEX else garbage
    is_valid = validity_at(valid)
    return oracle.build(
        oracle.shape_of(values),
        lambda i: oracle.at(values, i) if is_valid(i) else garbage,
    )


def validity_at(valid: Any) -> Callable[[oracle.Index], bool]:
    """Return the function from an index of the samples to their validity."""
    ndim, of_mask = len(oracle.shape_of(valid)), oracle.per_point(valid)
    return lambda index: bool(of_mask(index[len(index) - ndim :]))


def all_alike(
    rng: random.Random, backend: Backend, asked: Layout, times: int
) -> tuple[list[Entry], list[Any]]:
    """Return one step, and one boundary for which all dims are long enough."""
    function, kind, shape, _, _, ends, dims = asked
    if not dims:
        return [], []
    one, end = entry(rng, backend, asked, dims[0], "step", times), ends[dims[0]]
    if any(shape[dim] < needed(function, kind, end, False) for dim in dims):
        end = "edge"
    return [one] * len(dims), [end] * len(dims)


def samples(
    rng: random.Random, dtype: str, shape: tuple[int, ...], scale: float
) -> Any:
    values = oracle.build(shape, lambda _: number(rng, dtype, scale))
    if rng.random() < 0.1 and dtype in FORMATS:
        bad = rng.choice([math.nan, math.inf, -math.inf])
        return oracle.build(
            shape, lambda i: bad if rng.random() < 0.1 else oracle.at(values, i)
        )
    return values


def with_period(backend: Backend, end: Any, one: Entry) -> Any:
    """Give a periodic dim with coordinates a period, a power of two."""
    if end != "periodic" or one.kind == "step":
        return end
    x = list(oracle.flat(backend.tolist(one.value)))
    if not x or one.dtype in COMPLEX or not all(map(oracle.is_finite, x)):
        return "edge"
    span = max(x) - min(x)
    return ("periodic", 2.0 ** (math.frexp(span)[1] + 1)) if span else "edge"


def entry(
    rng: random.Random,
    backend: Backend,
    asked: Layout,
    dim: int,
    kind: str,
    times: int,
) -> Entry:
    of, shape = asked.dtype, asked.shape
    dtype = rng.choice([of if of in FORMATS else backend.real, *backend.dtypes])
    scale = scale_for(rng, of, dtype, times=times)
    if kind == "step":
        if rng.random() < 0.6:
            size = rng.choice([scale, -scale, scale * rng.uniform(1, 2)])
            whole = rng.choice([1, 2, -3, 7])
            exact = Fraction(whole, rng.choice([1, 2, 4]))
            value = rng.choice([size, size, whole, exact, whole * 1j, 1 + size * 1j])
            return Entry(kind, value, None)
        value = rng.randint(1, 100)
        if "int" not in dtype:
            value *= rng.choice([1, -1]) * scale / 8
        if dtype in COMPLEX:
            value *= complex(1, rng.uniform(-1, 1))
        return Entry(kind, backend.asarray(value, dtype), dtype)
    x = coordinates(rng, shape[dim], dtype, scale)
    if kind == "coordinates" or 0 in shape:
        return Entry("coordinates", backend.asarray(x, dtype), dtype)
    full = tuple(
        n if k == dim or rng.random() < 0.5 else 1 for k, n in enumerate(shape)
    )
    values = oracle.build(full, lambda index: x[index[dim]])
    return Entry(kind, backend.asarray(values, dtype, full), dtype)


def spelled(
    rng: random.Random, shape: Sequence[int], call: Call, one_for_all: bool
) -> dict[str, Any]:
    """Return the keywords, in one of the ways to write them."""
    keywords: dict[str, Any] = {}
    ndim = call.f.ndim
    numbers = call.dims
    if call.place is not None:
        numbers = [dim + (dim >= call.place) for dim in call.dims]
        if call.place or rng.random() < 0.5:
            keywords["vector_dim"] = signed(rng, call.place, ndim)
    is_derivative = call.function == "derivative"
    word = rng.choice(["dim", "dim", "axis"])
    dims = [signed(rng, number, ndim) for number in numbers]
    is_one = len(dims) == 1 and (is_derivative or rng.random() < 0.5)
    keywords[word] = dims[0] if is_one else dims
    usual = [len(shape) - 1] if is_derivative else list(range(len(shape)))
    if call.dims == usual and rng.random() < 0.5:
        del keywords[word]
    _, accuracy, edge_order = call.kind
    default = 1 if call.function == "gradient" else accuracy
    if edge_order != default or rng.random() < 0.5:
        keywords["edge_order"] = edge_order
    if accuracy != 2 or rng.random() < 0.3:
        keywords["accuracy"] = accuracy
    if is_derivative and (call.kind.order != 1 or rng.random() < 0.5):
        keywords["order"] = call.kind.order
    if call.function == "gradient" and dims and rng.random() < 0.3:
        keywords["stack_dim"] = rng.randint(-ndim - 1, ndim)
    if call.function == "hessian" and rng.random() < 0.5:
        keywords["stack_dim"] = rng.randint(-ndim - 1, ndim)
    keywords |= spelled_per_dim(rng, call, one_for_all)
    return keywords


def spelled_per_dim(
    rng: random.Random, call: Call, one_for_all: bool
) -> dict[str, Any]:
    """Return the keywords that have an entry per dim, or one for all."""
    keywords: dict[str, Any] = {}
    is_derivative = call.function == "derivative"
    values = [one.value for one in call.entries]
    if values and (one_for_all or (is_derivative and rng.random() < 0.5)):
        keywords["spacing"] = values[0]
    elif not one_for_all:
        keywords["spacing"] = rng.choice([list, tuple])(values)
    if is_derivative or (call.ends and one_for_all):
        keywords["boundary"] = call.ends[0]
    elif any(end != "one_sided" for end in call.ends) or rng.random() < 0.2:
        keywords["boundary"] = list(call.ends)
    return keywords


def signed(rng: random.Random, number: int, count: int) -> int:
    """Return the number of a dim, or that from the back."""
    return number - count if rng.random() < 0.3 else number


# Their answers.


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
        return Estimate(
            a.value + b.value * sign,
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
            rows = formulas.terms_of_valid(line, x, valid, call.kind.edge_order, **end)
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


# Invalid calls.

#: Values that are right for nothing, or for one argument only.
ODD = (
    *(None, True, False, 0, -1, 3, 7, 10**400, -(10**30), 0.0, -0.0, 1.5, math.nan),
    *(math.inf, 1e-320, 1e308, 1j, 0j, complex(math.nan, 1), "", "1", "periodic"),
    *(b"x", [], (), [[]], [1, 2], (0, 0), [None], [True], ["a"], {}, {0: 1}, set()),
    *(range(3), object(), int, Ellipsis, slice(None), Decimal(1), Fraction(1, 3)),
    *([1.0] * 9, [[1.0, 2.0]], (1, [2]), NotImplemented, math, lambda: 1),
)


def odd(rng: random.Random, backend: Backend) -> Any:
    """Return something that is seldom right."""
    if rng.random() < 0.6:
        return rng.choice(ODD)
    shape = tuple(rng.choice([0, 1, 2, 3, 5]) for _ in range(rng.randint(0, 3)))
    dtype = rng.choice(backend.dtypes)
    array = backend.asarray(
        oracle.build(shape, lambda _: number(rng, dtype, 1.0)), dtype, shape
    )
    if rng.random() < 0.2:
        array = array == 0
    return rng.choice([array, [array], (array, 1), [array, array]])


def spoilt(rng: random.Random, backend: Backend, call: Call) -> tuple[bool, Any, Any]:
    """Return whether a call is surely invalid, and its samples and keywords."""
    f, keywords = call.f, dict(call.keywords)
    sure = [
        (f, {**keywords, name: value})
        for name, values in wrong_values(call).items()
        for value in rng.sample(values, min(2, len(values)))
    ]
    sure += misfits(rng, backend, call)
    if rng.random() < 0.6:
        return True, *rng.choice(sure)
    names = ["spacing", "dim", "axis", "edge_order", "accuracy", "boundary"]
    names += own_keywords(call)
    for name in rng.sample(names, rng.randint(1, 3)):
        keywords[name] = odd(rng, backend)
    if rng.random() < 0.2:
        f = odd(rng, backend)
    return False, f, keywords


def own_keywords(call: Call) -> list[str]:
    """Return the keywords that not all functions have."""
    if call.place is not None:
        return ["vector_dim"]
    own = {
        "gradient": ["stack_dim", "where"],
        "derivative": ["order", "where"],
        "hessian": ["stack_dim"],
    }
    return own.get(call.function, [])


def wrong_values(call: Call) -> dict[str, list[Any]]:
    """Return values that are wrong for a keyword, whatever the others are."""
    ndim = call.f.ndim
    wrong: dict[str, list[Any]] = {
        "edge_order": [0, -1, call.kind.accuracy + 1, 10**30, 1.0, True, "1"],
        "accuracy": [0, 1, 3, -2, 10**30 + 1, 2.0, True, None, "2", [2]],
        "boundary": [
            *("wrap", "", None, True, {}, (), ("edge",) * 3, ["edge"] * 9, b"edge"),
            *(("periodic", "edge"), (0, "periodic"), ("periodic", -1.0)),
        ],
        "spacing": [
            *(0, -0.0, math.nan, 0j, math.inf, True, "1", b"", {}, (1,) * 9),
            [1.0] * (len(call.dims) + 1),
        ],
    }
    if call.dims:
        wrong["accuracy"].append(10**30)
    if call.function == "gradient":
        wrong["edge_order"].append(None)
    if "order" in own_keywords(call):
        wrong["order"] = [0, -1, 10**30, 1.0, True, None, "1"]
    if "where" in own_keywords(call):
        wrong["where"] = [True, 1, 0.5, "x", b"", [True], (), {}, [[]], object()]
    if "stack_dim" in own_keywords(call):
        wrong["stack_dim"] = [ndim + 1, -ndim - 2, 10**30, 1.0, True, "0"]
    if "vector_dim" in own_keywords(call):
        wrong["vector_dim"] = [ndim, -ndim - 1, 10**30, 0.0, True, None, [0]]
    return wrong


def misfits(rng: random.Random, backend: Backend, call: Call) -> list[Any]:
    """Return samples and keywords that are surely wrong together."""
    f, keywords = call.f, call.keywords
    sure: list[tuple[Any, dict[str, Any]]] = [
        (f, {**keywords, "dim": 0, "axis": 0}),
        (f, {"dim": rng.choice([f.ndim, -f.ndim - 1, 10**20])}),
        (f, {"axis": rng.choice([1.0, "0", True, [None], {0}, [[0]]])}),
        (rng.choice(ODD), keywords),
        (f == 0, keywords),
    ]
    if f.ndim:
        sure.append((f, {"dim": [0, -f.ndim]}))
        sure.append((f[: min(1, f.shape[0]), ...], {"dim": 0}))
        if call.function != "derivative":
            sure.append((f, {"spacing": backend.asarray([0.0, 1.0, 2.0])}))
    if call.dims:
        axis = call.dims[0]
        if call.place is not None:
            axis += axis >= call.place
        wrong = backend.asarray([0.0] * (f.shape[axis] + 1))
        rest = [one.value for one in call.entries[1:]]
        sure += [
            (f, {**keywords, "spacing": [first, *rest]})
            for first in (wrong, wrong == 0, None)
        ]
    if "where" in own_keywords(call):
        sure += wrong_masks(rng, backend, call)
    if call.place is not None and call.function != "jacobian":
        doubled = backend.asarray(oracle.build((2, 2, 2), lambda _: 1), None, (2, 2, 2))
        sure.append((doubled, {"dim": [1]}))
    return sure


def wrong_masks(rng: random.Random, backend: Backend, call: Call) -> list[Any]:
    """Return samples and keywords with a mask that is surely wrong, or with others."""
    f, longer = call.f, sum(call.f.shape[-1:]) + rng.randint(2, 4)
    one = backend.asarray(True, "bool", ())
    shape = rng.choice([(1,) * (f.ndim + 1), (longer,)])
    misshapen = backend.asarray(oracle.build(shape, lambda _: True), "bool", shape)
    wrong: list[dict[str, Any]] = [
        {"where": rng.choice([f, backend.asarray(1.0, shape=())])},
        {"where": misshapen},
        {"where": one, "accuracy": rng.choice([4, 6])},
    ]
    if call.function == "derivative":
        wrong.append({"where": one, "order": rng.choice([2, 3])})
    return [(f, {**call.keywords, **keywords}) for keywords in wrong]


# One call.


def outcome(function: str, f: Any, keywords: dict[str, Any]) -> Any:
    """Return the results, or the error if it is a clear one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", ARITHMETIC, RuntimeWarning)
            return getattr(anygrad, function)(f, **keywords)
    except (TypeError, ValueError, IndexError) as error:
        if type(error) not in (TypeError, ValueError, IndexError) or not CLEAR.match(
            str(error)
        ):
            raise Finding(f"an internal error\n{traceback.format_exc()}") from error
        return error
    except Exception as error:
        raise Finding(f"another error\n{traceback.format_exc()}") from error


def one_call(backend: Backend, seed: int, count: int) -> str:
    """Make one call and judge it; return what it was."""
    rng = random.Random(f"{seed} {backend.id} {count}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers that do not fit, on the way in
        call = valid_call(rng, backend)
    try:
        if rng.random() < 0.3:
            with backend.current_device(call.f):
                sure, f, keywords = spoilt(rng, backend, call)
            call = call._replace(f=f, keywords=keywords)
            result = outcome(call.function, f, keywords)
            if isinstance(result, Exception):
                return "refused"
            if sure:
                raise Finding("accepted")
            is_tuple = call.function == "gradient" and keywords.get("stack_dim") is None
            if isinstance(result, tuple) != is_tuple:
                raise Finding(f"{type(result).__name__}")
            return "odd and accepted"
        before = everything(backend, call)
        samples = before[0]
        with _workers.set_workers(rng.choice([1, 1, 3])):
            results = outcome(call.function, call.f, call.keywords)
        if isinstance(results, Exception):
            if "must be in the range of the dtype" in str(results):
                return "refused"
            raise Finding(f"refused: {results}") from results
        if not same(everything(backend, call), before):
            raise Finding("an argument has changed")
        return "right" if compare(backend, call, samples, results) else "accepted"
    except Finding as finding:
        arguments = shown(backend, call.function, call.f, call.keywords)
        raise Finding(f"{arguments}\n{finding}") from finding


def everything(backend: Backend, call: Call) -> list[Any]:
    """Return the values of all arrays of a call."""
    arrays = [one.value for one in call.entries if one.dtype]
    where = call.keywords.get("where")
    arrays += [] if where is None else [where]
    return [backend.tolist(array) for array in (call.f, *arrays)]


def same(first: Any, second: Any) -> bool:
    return repr(first) == repr(second)  # not-a-numbers, too


def shown(backend: Backend, function: str, f: Any, keywords: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, (list, tuple)):
            left, right = "[]" if isinstance(value, list) else "()"
            return f"{left}{', '.join(map(text, value))},{right}"
        if not hasattr(value, "dtype"):
            return repr(value)
        return f"array({backend.tolist(value)!r}, {backend.dtype_name(value)})"

    words = ", ".join(f"{name}={text(value)}" for name, value in keywords.items())
    return f"{function}({text(f)}, {words})"


# Many calls.


def small_blocks(library: str) -> None:
    """Cut arrays into blocks of a few elements, so that there are many."""
    from anygrad._executors import in_numpy, in_torch, small_tensors

    if library == "numpy":
        import numpy

        anygrad.gradient(numpy.arange(3.0))
        in_numpy._blocked[:] = [_cut(in_numpy._blocked[0])]
    if library == "torch":
        small_tensors.MOST_SAMPLES = -1  # else NumPy has them
        in_torch._blocked[True] = _cut(in_torch._make_blocked(on_cpu=True))
    from anygrad import _arguments

    _arguments._plans.clear()  # they know arrays of one block


def _cut(blocked: Any) -> Any:
    verbs = blocked.keywords["verbs"]._replace(block_bytes=128)
    return partial(blocked.func, verbs=verbs)


def fuzz(
    forms: Sequence[Backend], seed: int, seconds: float, numbers: Iterator[int]
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Call in turn on all forms until the time is over; return counts and findings."""
    counts: Counter[tuple[str, str]] = Counter()
    findings: list[str] = []
    stop = time.monotonic() + seconds
    for count in numbers:
        for backend in forms:
            if time.monotonic() > stop or len(findings) >= 20:
                return counts, findings
            if backend.library == "jax" and count % 8:
                continue  # it compiles every other call
            faulthandler.dump_traceback_later(TOO_LONG, exit=True)
            try:
                with backend.active():
                    result = one_call(backend, seed, count)
            except Finding as finding:
                result = "broken"
                place = f"--seed {seed} --form {backend.id} --only {count}"
                findings.append(f"{place}\n{finding}\n")
                print(findings[-1], flush=True)
            faulthandler.cancel_dump_traceback_later()
            counts[backend.id, result] += 1
    return counts, findings


def chosen(libraries: Sequence[str], ids: Sequence[str]) -> list[Backend]:
    """Return the forms of libraries that are installed, or those named."""
    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    if "cupy" in libraries:
        import cupy_on_cpu

        if not cupy_on_cpu.gpu_present():
            cupy_on_cpu.install()
    return [
        form
        for form in BACKENDS
        if is_installed(form.library)
        and (form.library in libraries if libraries else form.library != "cupy")
        and (not ids or form.id in ids)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6)
    )
    parser.add_argument("--backend", action="append", choices=LIBRARIES, default=[])
    parser.add_argument("--form", action="append", default=[])
    parser.add_argument("--only", type=int, help="the number of one call")
    parser.add_argument("--small-blocks", action="store_true")
    options = parser.parse_args()
    forms = chosen(options.backend, options.form)
    print(f"seed {options.seed}, {', '.join(map(str, forms))}", flush=True)
    if options.small_blocks:
        for library in {form.library for form in forms}:
            small_blocks(library)
    numbers = itertools.count() if options.only is None else iter([options.only])
    counts, findings = fuzz(forms, options.seed, options.seconds, numbers)
    kinds = sorted({kind for _, kind in counts})
    for backend in forms:
        line = ", ".join(f"{counts[backend.id, kind]} {kind}" for kind in kinds)
        print(f"{backend.id}: {line}")
    print(f"{counts.total()} calls, {len(findings)} findings, seed {options.seed}")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
