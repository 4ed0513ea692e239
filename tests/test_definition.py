"""Random calls of every kind, against the definition written out a second time."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend
from definition import Dim, Orders, at_start, half_width, sample, wanted
from oracle import Index

pytestmark = pytest.mark.forms("numpy", "torch", "strict", "toy")

SEEDS, CALLS = range(3), 40
#: How many roundings of the sum of its terms a number may be off.
ROUNDINGS = 64
#: The functions, and the order of their derivatives along one dim, if it is always one.
ORDER = {"derivative": None, "divergence": 1, "laplacian": 2, "hessian": 2}


def spacing(rng: random.Random, n: int, lines: list[Index]) -> Any:
    """Return a step, or the places of each line, and a period."""
    if rng.random() < 0.5:
        return rng.choice([Fraction(1), Fraction(1, 2), Fraction(-3)]), Fraction(0)
    way, places = rng.choice([1, -1]), {}
    for line in lines:
        gaps = [Fraction(rng.randint(2, 12), 4) for _ in range(n)]
        places[line] = [way * (x - 3) for x in itertools.accumulate(gaps)]
    if rng.random() < 0.5:
        places = dict.fromkeys(lines, places[lines[0]])
    return places, way * Fraction(3 * n + 1)


def ends(rng: random.Random, lines: list[Index], has_values: bool) -> tuple[Any, Any]:
    """Return what stands at the ends: modes, numbers, or one for each line."""
    if rng.random() < 0.2:
        return "periodic", "periodic"
    values = {line: Fraction(rng.randint(-8, 8)) for line in lines}
    modes = ["one_sided", "reflect", "symmetric", "edge", Fraction(5, 2)]
    modes += [values] * has_values  # type: ignore[list-item]
    return rng.choice(modes), rng.choice(modes)


def given(backend: Backend, dim: Dim, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return a dim as entries of `spacing` and `boundary`."""

    def array(shape: Sequence[int], value: Callable[[Index], Any]) -> Any:
        return backend.asarray(oracle.build(shape, lambda i: float(value(i))))

    across, places = at_start(shape, dim.axis), dim.spacing
    across = (*across[: dim.axis], 1, *across[dim.axis + 1 :])
    pair = tuple(
        array(across, end.__getitem__)
        if isinstance(end, dict)
        else float(end)
        if isinstance(end, Fraction)
        else end
        for end in dim.ends
    )
    boundary: Any = "periodic" if dim.ends[0] == "periodic" else pair
    if not isinstance(places, dict):
        return float(places), boundary
    if dim.ends[0] == "periodic":
        boundary = ("periodic", float(abs(dim.period)))
    if all(line == next(iter(places.values())) for line in places.values()):
        row = next(iter(places.values()))
        return array((len(row),), lambda i: row[i[0]]), boundary
    x = array(shape, lambda i: places[at_start(i, dim.axis)][i[dim.axis]])
    return x, boundary


def drawn(rng: random.Random, function: str) -> tuple[Any, ...]:
    """Return a shape, the dims of a call, and its orders."""
    ndim = rng.randint(1, 3)
    count = 1 if function == "derivative" else rng.randint(1, ndim)
    order, axes = ORDER[function] or rng.randint(1, 4), rng.sample(range(ndim), count)
    orders = Orders(order, rng.choice([2, 2, 4, 6, 8]), rng.randint(1, 5))
    most = max(orders.edge_order + order, 2 * half_width(orders, True)) + 2
    longest = most if ndim < 3 else min(most, 6)
    shape = tuple(rng.randint(1, longest if k in axes else 3) for k in range(ndim))
    dims = []
    for axis in axes:
        lines = [at_start(index, axis) for index in indices(shape) if index[axis] == 0]
        steps, period = spacing(rng, shape[axis], lines)
        has_values = function in ("derivative", "laplacian")
        dims.append(Dim(axis, steps, ends(rng, lines, has_values), period))
    return shape, dims, orders


def indices(shape: Sequence[int]) -> list[Index]:
    return list(itertools.product(*map(range, shape)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("function", ORDER)
def test_any_call(library: Backend, function: str, seed: int) -> None:
    rng = random.Random(f"{function} {seed}")
    for _ in range(CALLS):
        shape, dims, orders = drawn(rng, function)
        has_mask, is_field = rng.random() < 0.4, function == "divergence"
        valid = {i: not has_mask or rng.random() < 0.9 for i in indices(shape)}
        fields = [
            {i: sample(rng.randint(-99, 99), valid[i]) for i in valid}
            for _ in range(len(dims) if is_field else 1)
        ]
        values = [oracle.build(shape, lambda i, f=f: float(f[i].value)) for f in fields]
        entries, boundary = zip(*[given(library, d, shape) for d in dims], strict=True)
        axes = [dim.axis + is_field for dim in dims]
        keywords: dict[str, Any] = {
            "accuracy": orders.accuracy,
            "edge_order": orders.edge_order,
            "spacing": list(entries),
            "boundary": list(boundary),
            "dim": axes,
        }
        if function == "derivative":
            keywords |= {"order": orders.order, "boundary": boundary[0], "dim": axes[0]}
        if has_mask:
            mask = oracle.build(shape, valid.__getitem__)
            keywords["where"] = library.asarray(mask, "bool")
        f = library.asarray(values if is_field else values[0])
        call = getattr(anygrad, function)
        if any(shape[d.axis] < d.fewest(orders, has_mask) for d in dims):
            with pytest.raises(ValueError, match="`input` must have at least"):
                call(f, **keywords)
            continue
        result = library.tolist(call(f, **keywords))
        if function != "hessian":
            result = [result]
        else:
            result = [part for row in result for part in row]
        for part, numbers in zip(
            result, wanted(function, fields, dims, orders), strict=True
        ):
            compare(library, part, numbers, (shape, dims, orders, valid))


def compare(library: Backend, part: Any, numbers: Any, call: Any) -> None:
    """Hold each number to its exact value."""
    for index, point in numbers.items():
        number = oracle.at(part, index)
        if not point.is_valid:
            assert math.isnan(number), (index, call)
            continue
        limit = ROUNDINGS * library.epsilon(library.real) * point.size
        assert abs(Fraction(number) - point.value) <= limit, (index, call)
