"""Numbers that stay right where a textbook formula vanishes, cancels or meets none."""

from __future__ import annotations

import cmath
import math
import warnings
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend
from dtypes import FORMATS, largest_exponent

pytestmark = pytest.mark.forms("all")

NAN, INF = math.nan, math.inf
SAMPLES = [3, 1, 4, 1, 5, 9, 2]
COORDINATES = [0, 1, 3, 4, 8, 9, 12]


# Coordinates far from zero.


@pytest.mark.parametrize("edge_order", [1, 2])
def test_epoch_seconds(backend: Backend, edge_order: int) -> None:
    """Minutes since 1970, in integer and in double seconds (trap 10)."""
    x = [1_700_000_000 + 60 * k for k in COORDINATES]
    f = backend.asarray(SAMPLES, "float32")
    wanted = oracle.derivative(SAMPLES, 0, oracle.along(0, x), edge_order)
    seconds = backend.asarray(x, backend.integer)
    results = anygrad.gradient(f, spacing=[seconds], edge_order=edge_order)
    backend.check(results, [wanted], like=f)
    if "float64" in backend.dtypes:
        seconds = backend.asarray(x, "float64")
        results = anygrad.gradient(f, spacing=[seconds], edge_order=edge_order)
        backend.check(results, [wanted], like=f, dtype="float64")


def test_epoch_nanoseconds(backend: Backend, integer: str) -> None:
    """Steps of a nanosecond since 1970, which no float64 tells apart (trap 10).

    The same for the largest integers of every dtype.
    """
    bits = int(integer.removeprefix("u").removeprefix("int"))
    start = 1_700_000_000_000_000_000 if bits == 64 else 2 ** (bits - 1) - 100
    x = [start + k for k in COORDINATES]
    wanted = oracle.derivative(SAMPLES, 0, oracle.along(0, x), 1)
    for dtype in backend.reals:
        f = backend.asarray(SAMPLES, dtype)
        results = anygrad.gradient(f, spacing=[backend.asarray(x, integer)])
        backend.check(results, [wanted], like=f)


def test_differences_are_taken_before_rounding(backend: Backend) -> None:
    """Double coordinates stay double until they are subtracted (trap 10)."""
    x = [2.0**30 + k / 1024 for k in COORDINATES]
    if "float64" not in backend.dtypes:
        x = [2.0**13 + k / 1024 for k in COORDINATES]
    for dtype in {"float32", backend.real}:
        f = backend.asarray(SAMPLES, dtype)
        results = anygrad.gradient(f, spacing=[backend.asarray(x)], edge_order=2)
        wanted = oracle.derivative(SAMPLES, 0, oracle.along(0, x), 2)
        backend.check(results, [wanted], like=f, dtype=backend.real)


# Uneven steps.


@pytest.mark.parametrize("edge_order", [1, 2])
def test_step_ratios_to_1e12(backend: Backend, edge_order: int) -> None:
    """Neighbouring steps that differ by twelve orders of magnitude, number by number.

    In float32, where coordinates have 24 bits, by five.
    """
    digits = FORMATS[backend.real][0]
    small = Fraction(1, 2 ** (40 if digits > 40 else 17))
    x = [0, small, 1, 1 + small, 2, 3, 3 + small, 3 + 2 * small]
    samples = [3, 1, 4, 1, 5, 9, 2, 6]
    f = backend.asarray(samples)
    for nodes in (x, [-a for a in x], x[::-1]):
        results = anygrad.gradient(
            f, spacing=[backend.asarray(nodes)], edge_order=edge_order
        )
        given = samples, 0, oracle.along(0, nodes), edge_order
        backend.check(
            results,
            [oracle.derivative(*given)],
            like=f,
            scales=[oracle.magnitude(*given)],
        )


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("kind", ["number", "0-d", "coordinates", "per point"])
def test_constants_have_no_slope(backend: Backend, kind: str, edge_order: int) -> None:
    """Exactly zero, whatever the grid."""
    x = [0.1, 0.3, 1 / 3, 5.7, 1e3]
    entry = {
        "number": 0.1,
        "0-d": backend.asarray(0.1),
        "coordinates": backend.asarray(x),
        "per point": backend.asarray([x, x[::-1]]),
    }[kind]
    f = backend.asarray([[0.1] * 5, [1e9 / 7] * 5])
    results = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)
    backend.check(results, [[[0] * 5] * 2], like=f, tolerance=0)


# What is not a number.


def reads(row: int, n: int, edge_order: int, centre: bool) -> set[int]:
    """Return the points that the formula of a row names."""
    if row == 0:
        return set(range(edge_order + 1))
    if row == n - 1:
        return set(range(n - edge_order - 1, n))
    return {row - 1, row, row + 1} if centre else {row - 1, row + 1}


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("kind", ["number", "0-d", "coordinates", "even coordinates"])
def test_nan_stays_where_it_is_named(
    backend: Backend, kind: str, bad: float, edge_order: int
) -> None:
    """Only the points whose formula names the sample are touched.

    Central differences on a uniform grid skip the centre.  With coordinates the centre
    is named, whatever its weight, and no look at their values may change that.
    """
    n = 7
    x = list(range(n)) if kind == "even coordinates" else COORDINATES
    spacing = {"number": 1, "0-d": backend.asarray(1.0)}.get(kind, [backend.asarray(x)])
    for place in range(n):
        f = backend.asarray([bad if k == place else a for k, a in enumerate(SAMPLES)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy: inf - inf
            (result,) = anygrad.gradient(f, spacing=spacing, edge_order=edge_order)
            values = backend.tolist(result)
        (clean,) = anygrad.gradient(
            backend.asarray(SAMPLES), spacing=spacing, edge_order=edge_order
        )
        centre = "coordinates" in kind
        pairs = zip(values, backend.tolist(clean), strict=True)
        for row, (value, untouched) in enumerate(pairs):
            if place in reads(row, n, edge_order, centre):
                assert not math.isfinite(value)
                assert math.isnan(value) or not math.isnan(bad)
            else:
                assert value == untouched


@pytest.mark.parametrize("edge_order", [1, 2])
def test_nan_in_coordinates(backend: Backend, edge_order: int) -> None:
    """A missing coordinate touches the points that name it, and no other."""
    f = backend.asarray(SAMPLES)
    for place in range(7):
        x = [NAN if k == place else a for k, a in enumerate(COORDINATES)]
        (result,) = anygrad.gradient(
            f, spacing=[backend.asarray(x)], edge_order=edge_order
        )
        for row, value in enumerate(backend.tolist(result)):
            named = place in reads(row, 7, edge_order, centre=True)
            assert math.isnan(value) == named


def test_nan_in_one_row_of_many(backend: Backend) -> None:
    """A NaN does not reach the other lines of an array."""
    f = backend.asarray([[1, 2, 4], [NAN, 2, 4], [0, 1, 9]])
    x = backend.asarray([0, 1, 3])
    for entry in (1, x):
        (result,) = anygrad.gradient(f, spacing=[entry], dim=1)
        touched = [
            [math.isnan(value) for value in row] for row in backend.tolist(result)
        ]
        assert touched == [[False] * 3, [True, True, False], [False] * 3]


def test_complex_nan(backend: Backend) -> None:
    f = backend.asarray([1j, 2, complex(NAN, 0), 4, 5j, 1], backend.complex)
    (result,) = anygrad.gradient(f)
    touched = [cmath.isnan(value) for value in backend.tolist(result)]
    assert touched == [False, True, False, True, False, False]


def test_repeated_coordinates_harm_their_neighbours_only(backend: Backend) -> None:
    """There is no slope between equal coordinates; elsewhere there is (trap 24)."""
    x = [0, 1, 2, 2, 3, 4, 5]
    f = backend.asarray(SAMPLES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy: divided by zero
        (result,) = anygrad.gradient(f, spacing=[backend.asarray(x)], edge_order=2)
        values = backend.tolist(result)
    assert [math.isfinite(value) for value in values] == [
        *(True, True, False, False, True, True, True)
    ]
    even = oracle.derivative(SAMPLES[3:], 0, oracle.steps(0, 1), 2)[1:]
    assert oracle.difference(values[4:], even, 1e-5) is None


def test_infinite_results_are_infinite(backend: Backend) -> None:
    """What does not fit overflows to infinity, as in any arithmetic."""
    big = float(2.0 ** largest_exponent("float32"))
    f = backend.asarray([0, big, 0, -big, 0], "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy: overflow
        (result,) = anygrad.gradient(f, spacing=0.25)
        values: list[Any] = backend.tolist(result)
    assert values == [INF, 0, -INF, 0, INF]


@pytest.mark.parametrize("lines", [1, 40])
def test_a_short_step_beside_a_long_one(backend: Backend, lines: int) -> None:
    """No slope meets a step that is not its own: that would overflow, or vanish."""
    for x, f, point, slope in (
        ([0, 1e-5, 1e10, 2e10], [0, 1e30, 0, 0], 1, 1e35),
        ([-1e-20, 0, 1e-30, 1], [-1e-36, 0, 0, 0], 1, 1e-26),
    ):
        samples = backend.asarray([f] * lines, "float32")
        grid = backend.asarray(x, "float32")
        (result,) = anygrad.gradient(samples, spacing=[grid], dim=1)
        for line in backend.tolist(result):
            assert line[point] == pytest.approx(slope, rel=1e-5)


def test_numbers_longer_than_double(numpy: Any) -> None:
    """A step is not multiplied by itself in the precision of Python's numbers."""
    f = numpy.zeros(9, numpy.longdouble)
    f[4] = 1
    step = Fraction(0.1)
    second = anygrad.derivative(f, spacing=0.1, order=2, boundary="periodic")
    found = Fraction(*second[5].as_integer_ratio())
    epsilon = Fraction(*numpy.finfo(f.dtype).eps.as_integer_ratio())
    assert abs(found * step**2 - 1) <= 4 * epsilon


# What is not yet right on coordinates.

#: The sum is made of differences to the centre, also where the centre has no weight.
CENTRE = pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="differences to a sample of nearly no weight decide the rounding",
)


def of_three(f: list[float], x: list[float]) -> tuple[Fraction, Fraction]:
    """Return the derivative at the second point, and the largest weighted sample."""
    left, right = Fraction(x[1]) - Fraction(x[0]), Fraction(x[2]) - Fraction(x[1])
    weights = (
        -right / (left * (left + right)),
        (right - left) / (left * right),
        left / (right * (left + right)),
    )
    terms = [weight * Fraction(value) for weight, value in zip(weights, f, strict=True)]
    return sum(terms, Fraction()), max(map(abs, terms))


@CENTRE
@pytest.mark.parametrize(
    ("dtype", "samples", "nodes"),
    [
        ("real", [0, 2**62, 1], [0, 1, 2]),
        ("int8", [1, 127, 0], [0, 3, 6]),
    ],
    ids=["a spike", "small integers"],
)
def test_a_centre_of_hardly_any_weight(
    backend: Backend, dtype: str, samples: list[float], nodes: list[float]
) -> None:
    """The error is small beside the terms of the formula, sample by sample."""
    dtype = getattr(backend, dtype, dtype)
    f, x = backend.asarray(samples, dtype), backend.asarray(nodes)
    (result,) = anygrad.gradient(f, spacing=[x])
    found = Fraction(backend.tolist(result)[1])
    wanted, largest = of_three(backend.tolist(f), backend.tolist(x))
    name = backend.dtype_name(result)
    assert abs(found - wanted) <= 8 * backend.epsilon(name) * largest


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the differences to an infinite centre are infinities of both signs",
)
@pytest.mark.parametrize("nodes", [[0, 1, 3, 4], [0, 2, 3, 4]], ids=repr)
@pytest.mark.parametrize("spike", [INF, -INF])
def test_an_infinite_centre_on_uneven_coordinates(
    backend: Backend, nodes: list[float], spike: float
) -> None:
    """The reference weights it with the difference of the steps, which has a sign."""
    f, x = backend.asarray([1, spike, 2, 3]), backend.asarray(nodes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy: inf - inf
        (result,) = anygrad.gradient(f, spacing=[x])
        found = backend.tolist(result)[1]
    assert found == (spike if nodes[1] < 2 else -spike)
