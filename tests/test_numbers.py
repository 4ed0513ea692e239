"""Numbers that stay right where a textbook formula overflows, vanishes or cancels."""

from __future__ import annotations

import cmath
import math
import warnings
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

import anygrad
import formulas
import oracle
from backends import Backend
from dtypes import FORMATS

pytestmark = pytest.mark.forms("all")

NAN, INF = math.nan, math.inf
SAMPLES = [3, 1, 4, 1, 5, 9, 2]
COORDINATES = [0, 1, 3, 4, 8, 9, 12]


def largest_exponent(dtype: str) -> int:
    """Return `e` where ``2.0**e`` is the largest power of two of a dtype."""
    return 1 - FORMATS[dtype][1]


# Steps of any size.


@pytest.mark.parametrize("fraction", [0.95, 0.55, -0.55, -0.9])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_coordinates_of_any_size(
    backend: Backend, single_or_double: str, fraction: float, edge_order: int
) -> None:
    """Steps whose product overflows or vanishes (trap 1)."""
    unit = 2.0 ** int(fraction * largest_exponent(single_or_double) - 4)
    x = [a * unit for a in COORDINATES]
    f = backend.asarray(SAMPLES, single_or_double)
    results = anygrad.gradient(
        f, spacing=[backend.asarray(x, single_or_double)], edge_order=edge_order
    )
    wanted = oracle.derivative(SAMPLES, 0, oracle.along(0, x), edge_order)
    backend.check(results, [wanted], like=f)


@pytest.mark.filterwarnings("ignore:overflow")  # of the last, by plain libraries
def test_steps_that_grow_a_hundredfold_each(backend: Backend) -> None:
    """Nine points in one formula, the last of which has no derivative in 32 bits."""
    samples, x = [*SAMPLES, 6, 5], [128.0**k for k in range(9)]
    f = backend.asarray(samples, "float32")
    (result,) = anygrad.gradient(
        f, spacing=[backend.asarray(x, "float32")], accuracy=8, edge_order=8
    )
    nodes = list(map(Fraction, x))
    weights = [formulas.lagrange([a - b for a in nodes], 1) for b in nodes[:8]]
    terms = [[w * a for w, a in zip(row, samples, strict=True)] for row in weights]
    backend.check(
        (result[:8],),
        [list(map(sum, terms))],
        like=f[:8],
        tolerance=32 * backend.epsilon("float32"),
        scales=[[sum(map(abs, row)) for row in terms]],
    )


@pytest.mark.filterwarnings("ignore:(overflow|invalid value)")  # at the ends
@pytest.mark.parametrize("sign", [1, -1])
def test_points_that_crowd_beside_a_distant_one(backend: Backend, sign: int) -> None:
    """The products of their distances vanish in 32 bits, the weights do not."""
    samples = [*SAMPLES, 6, 5, 3, 5]
    x = [-1.0 * sign, *[sign * k * 2.0**-23 for k in range(1, 11)]]
    f = backend.asarray(samples, "float32")
    result = anygrad.derivative(
        f, spacing=backend.asarray(x, "float32"), order=2, accuracy=8
    )
    centre = [Fraction(node) - Fraction(x[5]) for node in x]
    terms = [w * a for w, a in zip(formulas.lagrange(centre, 2), samples, strict=True)]
    backend.check(
        (result[5:6],),
        [[sum(terms)]],
        like=f[5:6],
        tolerance=64 * backend.epsilon("float32"),
        scales=[[max(map(abs, terms))]],
    )


@pytest.mark.filterwarnings("ignore:(overflow|invalid value)")  # at the far end
@pytest.mark.parametrize("sign", [1, -1])
def test_a_high_order_on_steps_that_grow_eightfold_each(
    backend: Backend, sign: int
) -> None:
    """The fifth power of the whole length is out of range, the weights are not."""
    samples = [*SAMPLES, *SAMPLES]
    x = [sign * 8.0**k for k in range(14)]
    f = backend.asarray(samples, "float32")
    result = anygrad.derivative(
        f, spacing=backend.asarray(x, "float32"), order=6, accuracy=8
    )
    ahead = [Fraction(node) - Fraction(x[0]) for node in x]
    weights = formulas.lagrange(ahead, 6)
    terms = [w * a for w, a in zip(weights, samples, strict=True)]
    backend.check(
        (result[:1],),
        [[sum(terms)]],
        like=f[:1],
        tolerance=64 * backend.epsilon("float32"),
        scales=[[max(map(abs, terms))]],
    )


@pytest.mark.parametrize("step", [3e21, 1e-23, 1e-170, 1e200])
def test_astronomical_coordinates(
    backend: Backend, single_or_double: str, step: float
) -> None:
    """Kiloparsecs in centimetres, and the other steps that trap 1 names."""
    if single_or_double == "float32":
        step = min(max(step, 1e-30), 1e30)
    x = backend.asarray([a * step for a in COORDINATES], single_or_double)
    stored = backend.tolist(x)
    f = backend.asarray(SAMPLES, single_or_double)
    results = anygrad.gradient(f, spacing=[x])
    wanted = oracle.derivative(SAMPLES, 0, oracle.along(0, stored), 1)
    backend.check(results, [wanted], like=f)


@pytest.mark.parametrize("step", [300, 1e-4])
def test_coordinates_of_sixteen_bits(backend: Backend, half: str, step: float) -> None:
    """Steps of 300 and of 1e-4, whose products are no float16 (trap 1)."""
    samples = [a / 4 for a in SAMPLES]
    x = backend.asarray([a * step for a in COORDINATES], half)
    stored = backend.tolist(x)
    f = backend.asarray(samples, half)
    results = anygrad.gradient(f, spacing=[x], edge_order=2)
    wanted = oracle.derivative(samples, 0, oracle.along(0, stored), 2)
    backend.check(results, [wanted], like=f)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("exponent", "scale"),
    [(-166, -120), (-140, -100), (127, 120), (128, 120), (200, 100), (-149, -126)],
)
def test_scalar_steps_beyond_the_dtype(
    backend: Backend, exponent: int, scale: int, sign: int
) -> None:
    """Python steps that float32 does not hold, where the derivative fits.

    1e-50 is about ``2**-166``.
    """
    samples = [a * 2.0**scale for a in SAMPLES]
    f = backend.asarray(samples, "float32")
    step = sign * 2.0**exponent
    for edge_order in (1, 2):
        results = anygrad.gradient(f, spacing=step, edge_order=edge_order)
        wanted = oracle.derivative(samples, 0, oracle.steps(0, step), edge_order)
        backend.check(results, [wanted], like=f)


@pytest.mark.parametrize(("exponent", "scale"), [(-140, -100), (127, 120), (200, 100)])
def test_scalar_steps_under_jit(jax: Any, exponent: int, scale: int) -> None:
    """There the steps are constants, with which a compiler may calculate."""
    import jax.numpy as jnp

    step = -(2.0**exponent)
    samples = [a * 2.0**scale for a in SAMPLES]
    f = jnp.asarray(samples, dtype="float32")
    for edge_order in (1, 2):
        call = partial(anygrad.gradient, spacing=step, edge_order=edge_order)
        (result,) = jax.jit(call)(f)
        wanted = oracle.derivative(samples, 0, oracle.steps(0, step), edge_order)
        assert oracle.difference(result.tolist(), wanted, 1e-6) is None


@pytest.mark.parametrize("edge_order", [1, 2])
def test_coordinates_under_jit(jax: Any, edge_order: int) -> None:
    """A compiler must not turn ratios of steps into products (trap 1)."""
    import jax.numpy as jnp

    def call(f: Any, x: Any) -> Any:
        return anygrad.gradient(f, spacing=[x], edge_order=edge_order)[0]

    f = jnp.asarray(SAMPLES, dtype="float32")
    for unit in (2.0**110, 2.0**-100):
        nodes = [a * unit for a in COORDINATES]
        x = jnp.asarray(nodes, dtype="float32")
        wanted = oracle.derivative(SAMPLES, 0, oracle.along(0, nodes), edge_order)
        for result in (jax.jit(call)(f, x), jax.jit(partial(call, x=x))(f)):
            assert oracle.difference(result.tolist(), wanted, 1e-6) is None


@pytest.mark.parametrize(
    "name", ["smallest", "smallest normal", "half the largest", "largest"]
)
def test_extreme_scalar_steps(
    backend: Backend, single_or_double: str, name: str
) -> None:
    """The smallest and the largest numbers of a dtype, twice of which overflows."""
    digits, lowest = FORMATS[single_or_double]
    exponent, scale = {
        "smallest": (lowest - digits + 1, lowest),
        "smallest normal": (lowest, lowest),
        "half the largest": (-lowest, -lowest - 6),
        "largest": (-lowest + 1, -lowest - 6),
    }[name]
    step = 2.0**exponent
    samples = [a * 2.0**scale for a in SAMPLES]
    f = backend.asarray(samples, single_or_double)
    for edge_order in (1, 2):
        results = anygrad.gradient(f, spacing=step, edge_order=edge_order)
        wanted = oracle.derivative(samples, 0, oracle.steps(0, step), edge_order)
        backend.check(results, [wanted], like=f)


@pytest.mark.parametrize("kind", ["number", "0-d"])
def test_steps_that_double_beyond_float16(
    backend: Backend, half: str, kind: str
) -> None:
    """Twice 4e4 is no float16, and the step may be one all the same (trap 2)."""
    samples = [0, 1e4, 3e4, -4e4, 6e4]
    f = backend.asarray(samples, half)
    stored, h = backend.tolist(f), backend.asarray(4e4, half)
    step = 4e4 if kind == "number" else h
    for edge_order in (1, 2):
        results = anygrad.gradient(f, spacing=step, edge_order=edge_order)
        exact = oracle.steps(0, 4e4 if kind == "number" else backend.tolist(h))
        wanted = oracle.derivative(stored, 0, exact, edge_order)
        backend.check(results, [wanted], like=f)


def test_differences_beyond_float16(backend: Backend, half: str) -> None:
    """From -6e4 to 6e4 is too far for float16, the derivative is not (trap 2)."""
    samples = [-6e4, 6e4, -6e4, 6e4, 6e4, -6e4]
    f = backend.asarray(samples, half)
    stored = backend.tolist(f)
    x = [k * 64 for k in range(6)]
    for spacing in (64, [backend.asarray(x, half)]):
        for edge_order in (1, 2):
            results = anygrad.gradient(f, spacing=spacing, edge_order=edge_order)
            wanted = oracle.derivative(stored, 0, oracle.steps(0, 64), edge_order)
            backend.check(results, [wanted], like=f)


def test_a_step_of_another_precision(backend: Backend) -> None:
    """A 0-d step is read in its own precision before it meets the samples."""
    f = backend.asarray([0.0, 1.0, 4.0], "float32")
    for dtype in ("float32", backend.real):
        step = backend.asarray(0.1, dtype)
        wanted = oracle.derivative([0, 1, 4], 0, oracle.steps(0, 0.1), 1)
        backend.check(anygrad.gradient(f, spacing=step), [wanted], like=f)


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
