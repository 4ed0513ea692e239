"""Derivatives of any order and accuracy, with any boundary: exact answers."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

import anygrad
import formulas
import oracle
from backends import Backend

#: Order, accuracy, and accuracy at the edges.
KINDS = [(1, 2, 1), (1, 4, 2), (1, 6, 6), (1, 10, 1), (2, 2, 2), (2, 4, 1), (3, 2, 2)]
KINDS += [(1, 2, 5), (2, 2, 3), (2, 6, 6), (4, 2, 2), (4, 4, 3), (5, 2, 1), (6, 4, 4)]

BOUNDARIES: list[Any] = [
    "one_sided",
    "periodic",
    "reflect",
    "symmetric",
    "edge",
    1.5,
    ("reflect", -2.0),
    ("one_sided", "edge"),
    (0.0, "one_sided"),
]


def samples(n: int, seed: Any) -> list[int]:
    """Return small integers, which every working dtype subtracts exactly."""
    draw = random.Random(repr(seed))
    return [draw.randrange(-9, 10) for _ in range(n)]


def uneven(n: int, seed: Any) -> list[int]:
    """Return coordinates whose steps are unequal."""
    draw = random.Random(repr(seed))
    x = [draw.randrange(5)]
    while len(x) < n:
        x.append(x[-1] + draw.randrange(2, 6))
    return x


def columns(values: list[Any], backend: Backend, dtype: str | None = None) -> Any:
    """Return an array of shape (2, n, 3) whose lines along dim 1 are these values."""
    return backend.asarray([[[v] * 3 for v in values]] * 2, dtype)


def check(
    backend: Backend, result: Any, f: Any, expected: list[Any], scale: float
) -> None:
    """Hold a result along dim 1 to exact values; `scale` is the size of the terms."""
    tolerance = scale * float(backend.epsilon(backend.real))
    largest = max(1.0, *(abs(float(v)) for v in expected))
    wanted = [[[oracle.gaussian(v)] * 3 for v in expected]] * 2
    backend.check((result,), [wanted], like=f, tolerance=tolerance / largest)


def size(x: list[Any], order: int) -> float:
    """Return how large the terms of a derivative of our samples can be."""
    step = min(abs(b - a) for a, b in pairwise(x))
    return float(16 * 18 * 4**order * 8 / Fraction(step) ** order)


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
@pytest.mark.parametrize(("order", "accuracy", "edge_order"), KINDS)
def test_on_a_step(
    backend: Backend, order: int, accuracy: int, edge_order: int, boundary: Any
) -> None:
    h = -0.5
    for n in (13, 20):
        values = samples(n, (order, accuracy, n))
        x = [Fraction(h) * k for k in range(n)]
        expected = formulas.derivative(values, x, order, accuracy, edge_order, boundary)
        f = columns(values, backend)
        result = anygrad.derivative(
            f,
            dim=1,
            spacing=h,
            order=order,
            accuracy=accuracy,
            edge_order=edge_order,
            boundary=boundary,
        )
        check(backend, result, f, expected, size(x, order))


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
@pytest.mark.parametrize("way", ["1-D", "descending", "per point"])
@pytest.mark.parametrize(
    ("order", "accuracy", "edge_order"),
    [(1, 2, 2), (1, 4, 2), (1, 2, 5), (2, 2, 2), (2, 2, 3), (3, 4, 1)],
)
def test_on_coordinates(
    backend: Backend,
    order: int,
    accuracy: int,
    edge_order: int,
    way: str,
    boundary: Any,
) -> None:
    n = 13
    x = uneven(n, (order, accuracy))
    if way == "descending":
        x = x[::-1]
    if boundary == "periodic":
        boundary = ("periodic", abs(x[-1] - x[0]) + 3.0)
    values = samples(n, (order, accuracy, way))
    expected = formulas.derivative(
        values, x, order, accuracy, edge_order, boundary, uneven=True
    )
    f = columns(values, backend)
    coordinates = columns(x, backend) if way == "per point" else backend.asarray(x)
    result = anygrad.derivative(
        f,
        dim=1,
        spacing=coordinates,
        order=order,
        accuracy=accuracy,
        edge_order=edge_order,
        boundary=boundary,
    )
    check(backend, result, f, expected, 16 * size(x, order))


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
def test_steps_that_are_arrays(library: Backend, boundary: Any) -> None:
    values = samples(13, boundary)
    x = [2 * k for k in range(13)]
    f = columns(values, library)
    for order in (1, 2, 3):
        expected = formulas.derivative(values, x, order, 4, 2, boundary)
        result = anygrad.derivative(
            f,
            dim=1,
            spacing=library.asarray(2.0, shape=()),
            order=order,
            accuracy=4,
            edge_order=2,
            boundary=boundary,
        )
        check(library, result, f, expected, size(x, order))


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
def test_integers(library: Backend, integer: str, boundary: Any) -> None:
    """Of every kind: converted, or subtracted first."""
    draw = random.Random(integer)
    values = [draw.randrange(0, 100) for _ in range(12)]
    f = columns(values, library, integer)
    for order in (1, 2):
        x = list(range(12))
        expected = formulas.derivative(values, x, order, 2, 2, boundary)
        result = anygrad.derivative(f, dim=1, order=order, boundary=boundary)
        wanted = [[[oracle.gaussian(v)] * 3 for v in expected]] * 2
        library.check((result,), [wanted], like=f, dtype=library.default)


def test_large_integers_near_a_constant(backend: Backend) -> None:
    """Integers near each other, and far from what lies beyond the ends."""
    values = [2**60 + 256 * k for k in (0, 3, 1, 7)]
    if "int64" not in backend.dtypes:
        values = [2**30 + k for k in (0, 3, 1, 7)]
    f = backend.asarray(values, backend.integer)
    for order in (1, 2):
        expected = formulas.derivative(values, range(4), order, 2, 2, 0)
        result = anygrad.derivative(f, order=order, boundary=0)
        wanted = [oracle.gaussian(v) for v in expected]
        backend.check((result,), [wanted], like=f, dtype=backend.default)


@pytest.mark.cover(1)
@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
@pytest.mark.parametrize("grid", ["step", "coordinates"])
def test_large_arrays(library: Backend, boundary: Any, grid: str) -> None:
    """Cut into blocks, along the axis and across it, by who does so."""
    n, draw = 3000, random.Random(7)
    values = [draw.randrange(-9, 10) for _ in range(n)]
    x = list(range(n)) if grid == "step" else [3 * k + k % 3 for k in range(n)]
    if boundary == "periodic" and grid == "coordinates":
        boundary = ("periodic", 3.0 * n)
    expected = formulas.derivative(
        values, x, 2, 4, 4, boundary, uneven=grid == "coordinates"
    )
    wide = 120
    flat = [v for v in values for _ in range(wide)]
    f = library.from_flat(flat, library.real, (n, wide))
    spacing = 1 if grid == "step" else library.asarray(x)
    keywords = {"order": 2, "accuracy": 4, "boundary": boundary}
    result = anygrad.derivative(f, dim=0, spacing=spacing, **keywords)
    tolerance = 2000 * float(library.epsilon(library.real))
    for column in (0, wide - 1):
        got = library.tolist(result[:, column])
        wanted = [oracle.gaussian(v) for v in expected]
        assert oracle.difference(got, wanted, tolerance) is None
    across = library.from_flat(values * 100, library.real, (100, n))
    result = anygrad.derivative(across, dim=1, spacing=spacing, **keywords)
    got = library.tolist(result[99, :])
    assert oracle.difference(got, wanted, tolerance) is None


def test_reflection_of_even_data_is_exact(backend: Backend) -> None:
    """The derivative of an even function is zero at the mirror, to the last bit.

    On coordinates, the weights of both sides are equal to rounding only, but for three
    points where each product is rounded; XLA fuses products and sums.
    """
    f = backend.asarray([0.1 * k * k for k in range(6)])
    x = backend.asarray([0.0, 0.7, 1.1, 2.3, 3.1, 4.7])
    rounding = 64 * float(backend.epsilon(backend.real))
    for spacing in (0.3, x):
        for accuracy in (2, 4, 6):
            is_exact = spacing is not x or (accuracy == 2 and backend.library != "jax")
            limit = 0.0 if is_exact else rounding
            result = anygrad.derivative(
                f, spacing=spacing, accuracy=accuracy, boundary="reflect"
            )
            assert abs(backend.tolist(result)[0]) <= limit
            assert abs(backend.tolist(result)[-1]) <= limit


def test_periodic_data_has_a_periodic_derivative(backend: Backend) -> None:
    """Turned by some points, it gives the same numbers, turned."""
    values = samples(14, "turn")
    turned = values[5:] + values[:5]
    for order, accuracy in ((1, 2), (1, 6), (2, 4), (3, 2)):
        keywords = {"order": order, "accuracy": accuracy, "boundary": "periodic"}
        one = backend.tolist(anygrad.derivative(backend.asarray(values), **keywords))
        two = backend.tolist(anygrad.derivative(backend.asarray(turned), **keywords))
        scale = 2000 * float(backend.epsilon(backend.real))
        wanted = [oracle.gaussian(v) for v in one[5:] + one[:5]]
        assert oracle.difference(two, wanted, scale) is None


def test_boundaries_per_dim(backend: Backend) -> None:
    values = [samples(6, k) for k in range(5)]
    f = backend.asarray(values)
    results = anygrad.gradient(f, boundary=["periodic", ("edge", 2.0)])
    first = [
        formulas.derivative([row[k] for row in values], range(5), 1, 2, 1, "periodic")
        for k in range(6)
    ]
    along_0 = [[oracle.gaussian(first[k][i]) for k in range(6)] for i in range(5)]
    along_1 = [
        [oracle.gaussian(v) for v in row]
        for row in (
            formulas.derivative(row, range(6), 1, 2, 1, ("edge", 2.0)) for row in values
        )
    ]
    backend.check(results, [along_0, along_1], like=f)


@pytest.mark.parametrize("stack_dim", [0, 1, 2, -1, -3])
def test_stacked(backend: Backend, stack_dim: int) -> None:
    """One array, with the same numbers."""
    f = backend.asarray([samples(6, k) for k in range(5)])
    apart = anygrad.gradient(f, spacing=[0.5, 2.0], accuracy=4, dim=[1, 0])
    whole = anygrad.gradient(
        f, spacing=[0.5, 2.0], accuracy=4, dim=[1, 0], stack_dim=stack_dim
    )
    assert backend.kind(whole) == backend.kind(f)
    assert backend.device(whole) == backend.device(f)
    place = stack_dim % 3
    assert tuple(whole.shape) == (*f.shape[:place], 2, *f.shape[place:])
    for number, partial in enumerate(apart):
        part = whole[(slice(None),) * place + (number, ...)]
        assert backend.tolist(part) == backend.tolist(partial)


def test_stacked_in_the_dtype_of_all(library: Backend) -> None:
    f = library.asarray([[1, 2, 4], [3, 1, 0]], "float32")
    x = library.asarray([0.0, 1.0, 3.0], library.real)
    whole = anygrad.gradient(f, spacing=[2.0, x], stack_dim=0)
    assert library.dtype_name(whole) == library.real


@pytest.mark.parametrize(
    ("offsets", "order", "weights"),
    [
        ([-1, 0, 1], 1, ["-1/2", "0", "1/2"]),
        ([1, 0, -1], 2, ["1", "-2", "1"]),
        ([Fraction(-1, 2), Fraction(1, 2)], 1, ["-1", "1"]),
        ([Fraction(1, 2), Fraction(3, 2), Fraction(5, 2)], 1, ["-2", "3", "-1"]),
        ((0, 1, 2, 3), 3, ["-1", "3", "-3", "1"]),
    ],
)
def test_stencil(offsets: Any, order: int, weights: list[str]) -> None:
    assert [str(w) for w in anygrad.stencil(offsets, order=order)] == weights


def test_stencils_are_those_of_lagrange() -> None:
    draw = random.Random(5)
    for order in (1, 2, 3, 6):
        offsets = [Fraction(k, 3) for k in draw.sample(range(-20, 20), order + 4)]
        exact = formulas.lagrange(offsets, order)
        assert anygrad.stencil(offsets, order=order) == tuple(exact)
