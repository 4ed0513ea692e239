"""What `gradient` computes, against exact answers, on every array library."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend
from oracle import Index, Nested

SHAPES = [(6,), (3, 5), (4, 3, 5), (3, 4, 3, 3)]


def uneven(n: int, seed: int) -> list[float]:
    """Return ascending coordinates with random steps, all of them short fractions."""
    steps = random.Random(seed)
    return list(itertools.accumulate(steps.randint(1, 16) / 8 for _ in range(n)))


# Polynomials that the formula must reproduce.


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_exact_on_quadratics(backend: Backend, shape: tuple[int, ...]) -> None:
    """With second-order edges, what is quadratic in each variable has its own slopes.

    At every point, on any grid: here ``a x**2 + b y**2 + ... + c x y ...``.
    """
    draw = random.Random(7)
    squares = [draw.randint(-9, 9) for _ in shape]
    product = draw.randint(1, 3)
    x = [uneven(n, seed=k) for k, n in enumerate(shape)]

    def value(index: Index) -> Any:
        point = [Fraction(x[k][i]) for k, i in enumerate(index)]
        terms = [a * b * b for a, b in zip(squares, point, strict=True)]
        return sum(terms) + product * math.prod(point)

    def slope(k: int) -> Any:
        def value(index: Index) -> Any:
            point = [Fraction(x[k][i]) for k, i in enumerate(index)]
            others = point[:k] + point[k + 1 :]
            return 2 * squares[k] * point[k] + product * math.prod(others)

        return value

    samples = oracle.build(shape, value)
    slopes = [oracle.build(shape, slope(k)) for k in range(len(shape))]
    f = backend.asarray(samples)
    spacing = [backend.asarray(line) for line in x]
    results = anygrad.gradient(f, spacing=spacing, edge_order=2)
    scales = [
        oracle.magnitude(samples, k, oracle.along(k, line), 2)
        for k, line in enumerate(x)
    ]
    backend.check(results, slopes, like=f, scales=scales)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_exact_on_straight_lines(backend: Backend, edge_order: int) -> None:
    """A straight line has its slope everywhere, with edges of either order."""
    x = uneven(7, seed=3)
    f = backend.asarray([5 - 3 * a for a in x])
    results = anygrad.gradient(f, spacing=(backend.asarray(x),), edge_order=edge_order)
    backend.check(results, [[-3.0] * 7], like=f)


@pytest.mark.parametrize("step", [1, 0.25, -3])
def test_quadratics_on_even_grids(backend: Backend, step: float) -> None:
    """The same with steps, where nothing is rounded."""
    x = [k * step for k in range(6)]
    f = backend.asarray([a * a - a for a in x])
    results = anygrad.gradient(f, spacing=step, edge_order=2)
    backend.check(results, [[2 * a - 1 for a in x]], like=f, tolerance=0)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_arbitrary_samples(
    backend: Backend, shape: tuple[int, ...], edge_order: int
) -> None:
    """Samples of no simple law agree with the exact formula, in every dim."""
    draw = random.Random(11)
    samples = oracle.build(shape, lambda _: draw.randint(-99, 99))
    f = backend.asarray(samples)
    x = [uneven(n, seed=5 + k) for k, n in enumerate(shape)]
    h = [0.5, 3, -0.25, 8][: len(shape)]
    coordinates = [backend.asarray(line) for line in x]
    for spacing, meaning in (
        (h, [oracle.steps(k, step) for k, step in enumerate(h)]),
        (coordinates, [oracle.along(k, line) for k, line in enumerate(x)]),
    ):
        results = anygrad.gradient(f, spacing=spacing, edge_order=edge_order)
        wanted = [
            oracle.derivative(samples, k, coordinate, edge_order)
            for k, coordinate in enumerate(meaning)
        ]
        backend.check(results, wanted, like=f)


# Values worked out by hand.

SAMPLES = [2, 3, 7, 1]


@pytest.mark.parametrize(
    ("spacing", "edge_order", "wanted"),
    [
        # To the neighbours: 1, 5 and -2 over two steps, -6.
        (1, 1, [1, 2.5, -1, -6]),
        # Of the parabolas at the ends: half of -6 + 12 - 7, and of 3 - 28 + 3.
        (1, 2, [-0.5, 2.5, -1, -11]),
        (-2, 1, [-0.5, -1.25, 0.5, 3]),
        # Steps 1, 2, 4, slopes 1, 2, -3/2.  Inside, the slope on either side weighs
        # as much as the step on the other: (2 * 1 + 1 * 2) / 3, (4 * 2 - 2 * 3/2) / 6.
        ([0, 1, 3, 7], 1, [1, Fraction(4, 3), Fraction(5, 6), -1.5]),
        # At the ends, the slope less what it changes by within half a step:
        # 1 less 1 * (2 - 1) / 3, and -3/2 less 4 * (2 + 3/2) / 6.
        (
            [0, 1, 3, 7],
            2,
            [Fraction(2, 3), Fraction(4, 3), Fraction(5, 6), -Fraction(23, 6)],
        ),
        # The same grid, backwards and shifted.
        ([5, 4, 2, -2], 1, [-1, -Fraction(4, 3), -Fraction(5, 6), 1.5]),
    ],
    ids=["steps", "steps 2", "backwards", "uneven", "uneven 2", "descending"],
)
def test_by_hand(
    backend: Backend, spacing: Any, edge_order: int, wanted: list[Fraction]
) -> None:
    f = backend.asarray(SAMPLES)
    entry = backend.asarray(spacing) if isinstance(spacing, list) else spacing
    results = anygrad.gradient(f, spacing=[entry], edge_order=edge_order)
    backend.check(results, [wanted], like=f)


def test_the_defaults(backend: Backend) -> None:
    """Unit steps, all dims, first-order edges."""
    f = backend.asarray([[1, 2, 4], [1, 0, 9]])
    wanted = [[[0, -2, 5], [0, -2, 5]], [[1, 1.5, 2], [-1, 4, 9]]]
    backend.check(anygrad.gradient(f), wanted, like=f, tolerance=0)
    backend.check(anygrad.gradient(f, spacing=None), wanted, like=f, tolerance=0)
    everything = {"spacing": 1, "dim": None, "edge_order": 1, "axis": None}
    backend.check(anygrad.gradient(f, **everything), wanted, like=f, tolerance=0)


# Dims.


def cube(backend: Backend) -> tuple[Any, list[Nested]]:
    """Return samples of three dims, and their derivatives with unit steps."""
    draw = random.Random(2)
    samples = oracle.build((4, 3, 5), lambda _: draw.randint(-50, 50))
    slopes = [
        oracle.derivative(samples, axis, oracle.steps(axis, 1), 1) for axis in range(3)
    ]
    return backend.asarray(samples), slopes


@pytest.mark.parametrize("word", ["dim", "axis"])
@pytest.mark.parametrize(
    "dims",
    [0, -1, [1], (2, 0), [-1, 0, 1], (0, 1, 2), [2, 1, 0], (-3, -1), [], ()],
    ids=repr,
)
def test_dims_keep_their_order(backend: Backend, dims: Any, word: str) -> None:
    """Results come in the order in which the dims were named, whatever the word."""
    f, slopes = cube(backend)
    named = [dims] if isinstance(dims, int) else dims
    results = anygrad.gradient(f, **{word: dims})
    backend.check(results, [slopes[dim] for dim in named], like=f, tolerance=0)


def test_spacing_follows_the_dims(backend: Backend) -> None:
    """The entries of `spacing` belong to the dims in the order of naming (trap 26)."""
    f, _ = cube(backend)
    samples = backend.tolist(f)
    x = uneven(5, seed=1)
    results = anygrad.gradient(f, spacing=[backend.asarray(x), 4], dim=[2, 0])
    wanted = [
        oracle.derivative(samples, 2, oracle.along(2, x), 1),
        oracle.derivative(samples, 0, oracle.steps(0, 4), 1),
    ]
    backend.check(results, wanted, like=f)


def test_integers_of_other_kinds_name_a_dim(backend: Backend) -> None:
    """Whatever Python takes for an index, NumPy's integers included."""

    class Index:
        def __index__(self) -> int:
            return -1

    f, slopes = cube(backend)
    backend.check(anygrad.gradient(f, dim=Index()), slopes[2:], like=f)
    backend.check(anygrad.gradient(f, dim=[Index()]), slopes[2:], like=f)


# Spacing.


@pytest.mark.forms("all")
def test_all_kinds_of_spacing_in_one_call(backend: Backend) -> None:
    """Scalars, 0-d arrays, coordinates, and a coordinate per point, mixed."""
    shape = (3, 4, 3, 5)
    draw = random.Random(4)
    samples = oracle.build(shape, lambda _: draw.randint(-50, 50))
    x = uneven(3, seed=8)
    curved = oracle.build(shape, lambda i: 2 * i[3] + i[0] + i[3] * i[1] / 2)
    f = backend.asarray(samples)
    results = anygrad.gradient(
        f,
        spacing=[
            -2,
            backend.asarray(0.25),
            backend.asarray(x),
            backend.asarray(curved),
        ],
    )
    wanted = [
        oracle.derivative(samples, 0, oracle.steps(0, -2), 1),
        oracle.derivative(samples, 1, oracle.steps(1, 0.25), 1),
        oracle.derivative(samples, 2, oracle.along(2, x), 1),
        oracle.derivative(samples, 3, oracle.per_point(curved), 1),
    ]
    backend.check(results, wanted, like=f)


def test_one_scalar_serves_all_dims(backend: Backend) -> None:
    f, slopes = cube(backend)
    halved = [
        oracle.build((4, 3, 5), lambda i, s=s: oracle.at(s, i) / 2) for s in slopes
    ]
    for step in (2, 2.0, Fraction(2), backend.asarray(2.0), backend.asarray(2, "int8")):
        backend.check(anygrad.gradient(f, spacing=step), halved, like=f, tolerance=0)


@pytest.mark.parametrize(
    ("flattened", "edge_order"),
    [("neither", 1), ("neither", 2), ("before", 1), ("after", 2), ("both", 2)],
)
def test_one_coordinate_per_point(
    backend: Backend, flattened: str, edge_order: int
) -> None:
    """Coordinates of all dims broadcast over the others, which may have length 1."""
    shape = (3, 4, 5)
    draw = random.Random(6)
    samples = oracle.build(shape, lambda _: draw.randint(-50, 50))
    f = backend.asarray(samples)
    x = []
    for axis in range(3):
        before = (axis - 1) % 3 if flattened in ("before", "both") else None
        after = (axis + 1) % 3 if flattened in ("after", "both") else None
        lengths = [1 if k in (before, after) else n for k, n in enumerate(shape)]
        x.append(
            oracle.build(lengths, lambda i, k=axis: i[k] + (i[k] * sum(i)) % 5 / 8)
        )
    results = anygrad.gradient(
        f, spacing=[backend.asarray(values) for values in x], edge_order=edge_order
    )
    wanted = [
        oracle.derivative(samples, axis, oracle.per_point(values), edge_order)
        for axis, values in enumerate(x)
    ]
    backend.check(results, wanted, like=f)


def test_coordinates_need_no_order(backend: Backend) -> None:
    """Descending is fine, and so is any order without repetition (trap 24)."""
    samples = [3, 1, 4, 1, 5, 9]
    for x in ([9, 7, 6, 2, 1, -4], [0, 2, 1, 5, 3, 8]):
        f = backend.asarray(samples)
        results = anygrad.gradient(f, spacing=[backend.asarray(x)], edge_order=2)
        wanted = oracle.derivative(samples, 0, oracle.along(0, x), 2)
        backend.check(results, [wanted], like=f)


def test_the_same_coordinates_twice(backend: Backend) -> None:
    """One array may serve two dims, but it must be given twice (trap 7)."""
    draw = random.Random(9)
    samples = oracle.build((4, 4), lambda _: draw.randint(-50, 50))
    x = uneven(4, seed=9)
    f, coordinates = backend.asarray(samples), backend.asarray(x)
    wanted = [
        oracle.derivative(samples, axis, oracle.along(axis, x), 1) for axis in (0, 1)
    ]
    results = anygrad.gradient(f, spacing=[coordinates, coordinates])
    backend.check(results, wanted, like=f)
    with pytest.raises(ValueError, match="one entry per dim, 2 in all"):
        anygrad.gradient(f, spacing=[coordinates])


# Sizes.


def test_nothing_to_differentiate(backend: Backend) -> None:
    """No dims give no derivatives: an empty tuple (trap 14)."""
    assert anygrad.gradient(backend.asarray(2.0)) == ()
    assert anygrad.gradient(backend.asarray(2.0), dim=()) == ()
    assert anygrad.gradient(backend.asarray(2.0), spacing=[]) == ()
    assert anygrad.gradient(backend.asarray([1.0]), dim=[], spacing=[]) == ()
    assert anygrad.gradient(backend.asarray(2), spacing=3) == ()


@pytest.mark.parametrize("edge_order", [1, 2])
def test_as_few_points_as_the_edges_need(backend: Backend, edge_order: int) -> None:
    n = edge_order + 1
    samples = [[k * k + row for k in range(n)] for row in (0, 5)]
    x = uneven(n, seed=n)
    f = backend.asarray(samples)
    for entry, coordinate in (
        (2, oracle.steps(1, 2)),
        (backend.asarray(x), oracle.along(1, x)),
    ):
        results = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)
        wanted = oracle.derivative(samples, 1, coordinate, edge_order)
        backend.check(results, [wanted], like=f)


@pytest.mark.parametrize("kind", ["steps", "coordinates", "per point"])
@pytest.mark.parametrize(
    ("shape", "edge_order"), [((3, 0), 1), ((4, 0, 2), 2), ((3, 2, 0), 2)]
)
def test_other_dims_may_be_empty(
    backend: Backend, shape: tuple[int, ...], kind: str, edge_order: int
) -> None:
    f = backend.asarray([], shape=shape)
    n = shape[0]
    entry = {
        "steps": 0.5,
        "coordinates": backend.asarray(uneven(n, seed=1)),
        "per point": backend.asarray([], shape=shape),
    }[kind]
    results = anygrad.gradient(f, spacing=[entry], dim=0, edge_order=edge_order)
    backend.check(results, [[]], like=f)


# Complex numbers.


def test_complex_samples(backend: Backend) -> None:
    samples = [[1 + 2j, 3 - 1j, 4j, 2], [0, -1j, 5, 1 + 1j]]
    x = uneven(4, seed=2)
    f = backend.asarray(samples, backend.complex)
    for edge_order in (1, 2):
        results = anygrad.gradient(
            f, spacing=[backend.asarray(x)], dim=-1, edge_order=edge_order
        )
        wanted = oracle.derivative(samples, 1, oracle.along(1, x), edge_order)
        backend.check(results, [wanted], like=f)


@pytest.mark.parametrize("data", ["real", "complex"])
@pytest.mark.parametrize("kind", ["number", "0-d", "coordinates", "per point"])
def test_complex_spacing(backend: Backend, kind: str, data: str) -> None:
    """No imaginary part is dropped, neither of a step nor of coordinates (trap 9)."""
    samples = [[1, 5, 2, 8], [0, 3, -3, 4]]
    if data == "complex":
        samples = [[a + 2j * b for a, b in zip(*samples, strict=True)]] * 2
    x: Nested = [0, 1 + 1j, 2j, 3 - 1j]
    coordinate = oracle.steps(1, 2 - 1j)
    entry: Any = 2 - 1j
    if kind == "0-d":
        entry = backend.asarray(entry, backend.complex)
    elif kind == "coordinates":
        entry, coordinate = backend.asarray(x, backend.complex), oracle.along(1, x)
    elif kind == "per point":
        x = [x, [5 * a for a in x]]
        entry, coordinate = backend.asarray(x, backend.complex), oracle.per_point(x)
    f = backend.asarray(samples, getattr(backend, data))
    for edge_order in (1, 2):
        results = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)
        wanted = oracle.derivative(samples, 1, coordinate, edge_order)
        backend.check(results, [wanted], like=f, dtype=backend.complex)


# Convergence.


def test_second_order_on_smooth_samples(backend: Backend) -> None:
    """On an uneven grid, halving the steps divides the error by four."""

    def error(n: int) -> float:
        x = [k / n + math.sin(4 * k / n) / 8 for k in range(n + 1)]
        f = backend.asarray([math.sin(3 * a) for a in x])
        (result,) = anygrad.gradient(f, spacing=[backend.asarray(x)], edge_order=2)
        pairs = zip(backend.tolist(result), x, strict=True)
        return max(abs(got - 3 * math.cos(3 * a)) for got, a in pairs)

    assert 3.5 < error(20) / error(40) < 4.5
