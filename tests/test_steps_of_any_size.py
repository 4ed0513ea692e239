"""Steps of any size: right where a textbook formula overflows or vanishes."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import pytest

import anygrad
import formulas
import oracle
from backends import Backend
from dtypes import FORMATS, largest_exponent

pytestmark = pytest.mark.forms("all")

SAMPLES = [3, 1, 4, 1, 5, 9, 2]
COORDINATES = [0, 1, 3, 4, 8, 9, 12]


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


def test_what_is_out_of_range_of_sixteen_bits(backend: Backend, half: str) -> None:
    """The dtype of the work is of the namespace, where it may be a class."""
    f = backend.asarray(SAMPLES, half)
    name = str(backend.asarray(SAMPLES, "float32").dtype)
    with pytest.raises(ValueError, match=rf"is differentiated in, {name}\. Got 1e-200"):
        anygrad.derivative(f, spacing=1e-200, order=2)
