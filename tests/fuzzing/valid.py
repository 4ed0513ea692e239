"""Valid calls at random."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import formulas
import oracle
from backends import Backend
from dtypes import COMPLEX, FORMATS
from fuzzing.calls import Call, Entry, Kind
from fuzzing.draws import coordinates, number, scale_for

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
        edge_order = rng.choice([1, rng.randint(1, accuracy), rng.randint(1, 9)])
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


def own_keywords(call: Call) -> list[str]:
    """Return the keywords that not all functions have."""
    if call.place is not None:
        return ["vector_dim"]
    own = {
        "gradient": ["stack_dim", "where"],
        "derivative": ["order", "where"],
        "laplacian": ["where"],
        "hessian": ["stack_dim", "where"],
    }
    return own.get(call.function, [])


def validity(rng: random.Random, asked: Layout) -> Any:
    """Return which samples are valid, of a shape that broadcasts to theirs.

    None where the call may have no mask: one-sided formulas are tried at any boundary.
    """
    function, kind, shape, *_, dims = asked
    if function not in ("gradient", "derivative", "laplacian") or 0 in shape:
        return None
    order = 2 if function == "laplacian" else kind.order
    if any(shape[dim] < kind.edge_order + order for dim in dims):
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
    alike = one_for_all and bool(call.ends)
    is_pair = alike and isinstance(call.ends[0], tuple) and len(call.ends) > 1
    if is_derivative or (alike and not is_pair):
        keywords["boundary"] = call.ends[0]
    elif any(end != "one_sided" for end in call.ends) or rng.random() < 0.2:
        keywords["boundary"] = list(call.ends)
    return keywords


def signed(rng: random.Random, number: int, count: int) -> int:
    """Return the number of a dim, or that from the back."""
    return number - count if rng.random() < 0.3 else number
