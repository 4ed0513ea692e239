"""Weights for arrays of offsets: the function `stencil`."""

from __future__ import annotations

import itertools
import math
import random
import warnings
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import formulas
from backends import JAX, Backend
from dtypes import FORMATS
from refusals import NUMBERS, cast

#: In roundings of the sum of the sizes of a weight's terms.
AT_MOST = 16


def sizes(x: list[Fraction], order: int) -> list[Fraction]:
    """Return the sum of the absolute values of the terms of each weight."""
    found = []
    for j, node in enumerate(x):
        coefficients, divisor = [Fraction(1)] + [Fraction(0)] * order, Fraction(1)
        for k, other in enumerate(x):
            if k != j:
                raised = [Fraction(0), *coefficients[:-1]]
                pairs = zip(coefficients, raised, strict=True)
                coefficients = [a * abs(other) + b for a, b in pairs]
                divisor *= abs(node - other)
        found.append(math.factorial(order) * coefficients[order] / divisor)
    return found


def check(backend: Backend, got: list[float], x: list[float], order: int) -> None:
    """Hold the weights to the exact ones of the offsets as they are stored."""
    stored = [Fraction(a) for a in x]
    wanted, limits = formulas.lagrange(stored, order), sizes(stored, order)
    for weight, exact, size in zip(got, wanted, limits, strict=True):
        error = abs(Fraction(weight) - exact)
        assert error <= AT_MOST * backend.epsilon(backend.real) * size


def drawn(kind: str, count: int, draw: random.Random) -> list[float]:
    """Return offsets, 0 seldom among them."""
    if kind == "equal steps":
        start = draw.uniform(-count, 1)
        return [start + k for k in range(count)]
    if kind == "around 0":
        return [float(k - count // 2) for k in range(count)]
    if kind == "steps 1 : 1e5":
        steps = [draw.uniform(1, 2) * (1e5 if k % 2 else 1.0) for k in range(count)]
        return [a - 1e5 * (count // 4) for a in itertools.accumulate(steps)]
    shift = 30.0 if kind == "far from 0" else 0.0
    return [shift + draw.uniform(-1, 1) for _ in range(count)]


KINDS = ("equal steps", "around 0", "steps 1 : 1e5", "far from 0", "in any order")


@pytest.mark.parametrize("kind", KINDS)
def test_weights_for_arrays(backend: Backend, kind: str) -> None:
    draw = random.Random(kind)
    for count, order in ((2, 1), (3, 1), (5, 2), (9, 4), (13, 1)):
        offsets = backend.asarray(drawn(kind, count, draw))
        weights = anygrad.stencil(offsets, order=order)
        assert backend.kind(weights) == backend.kind(offsets)
        assert backend.device(weights) == backend.device(offsets)
        assert backend.dtype_name(weights) == backend.real
        x, got = backend.tolist(offsets), backend.tolist(weights)
        check(backend, got, x, order)


def test_weights_in_batches(backend: Backend) -> None:
    rows = [[[0.0, 1.0, 3.0], [-1.0, 0.0, 2.0]], [[3.0, 2.5, 1.0], [1.0, -1.0, 0.5]]]
    offsets = backend.asarray(rows)
    weights = anygrad.stencil(offsets, order=2)
    assert tuple(weights.shape) == (2, 2, 3)
    for xs, ws in zip(rows, backend.tolist(weights), strict=True):
        for x, w in zip(xs, ws, strict=True):
            check(backend, w, x, 2)


def test_weights_of_integers(library: Backend, integer: str) -> None:
    """In the default dtype; of unsigned ones too, and of those that float64 rounds."""
    weights = anygrad.stencil(library.asarray([3, 1, 2], integer))
    assert library.dtype_name(weights) == library.default
    exact = [float(w) for w in anygrad.stencil([3, 1, 2])]
    assert library.tolist(weights) == pytest.approx(exact, rel=1e-6)
    if integer in ("int64", "uint64"):
        far = library.asarray([2**62, 2**62 + 1], integer)
        assert library.tolist(anygrad.stencil(far)) == [-1.0, 1.0]


def test_weights_in_16_bits(library: Backend, half: str) -> None:
    """Computed in 32 bits, and rounded once."""
    offsets = library.asarray([-1.0, 0.0, 3.0], half)
    weights = anygrad.stencil(offsets)
    assert library.dtype_name(weights) == half
    exact = [-3 / 4, 2 / 3, 1 / 12]
    unit = 2.0 ** -FORMATS[half][0]
    assert library.tolist(weights) == pytest.approx(exact, rel=unit)


def test_weights_of_complex_offsets(library: Backend) -> None:
    offsets = library.asarray([1j, 2.0, -1j], library.complex)
    weights = anygrad.stencil(offsets)
    assert library.dtype_name(weights) == library.complex
    x, w = library.tolist(offsets), library.tolist(weights)
    for power, exact in enumerate([0, 1, 0]):
        moment = sum(a * b**power for a, b in zip(w, x, strict=True))
        assert moment == pytest.approx(exact, abs=1e-6)


def test_weights_of_steps_of_any_size(library: Backend) -> None:
    """Products of these steps overflow and vanish."""
    for size in (1e-22, 1e22):
        x = library.tolist(library.asarray([size * a for a in (1.0, 2.0, 4.0, 5.0)]))
        check(library, library.tolist(anygrad.stencil(library.asarray(x))), x, 1)


def test_weights_on_a_range() -> None:
    assert anygrad.stencil(range(-1, 2)) == anygrad.stencil([-1, 0, 1])


def test_repeated_offsets_are_not_seen(library: Backend) -> None:
    """Which is no error; libraries that compute with NumPy may warn."""
    with warnings.catch_warnings():
        if library.library != "numpy":
            warnings.simplefilter("ignore", RuntimeWarning)
        weights = library.tolist(anygrad.stencil(library.asarray([0.0, 1.0, 1.0])))
    assert not all(map(math.isfinite, weights))


def refusal(offsets: Any, order: int = 1) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        anygrad.stencil(offsets, order=order)
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("error", "offsets", "order", "message"),
    [
        (
            TypeError,
            [0.5, 1],
            1,
            (
                "`offsets` must be a list, tuple or range of ints and fractions, or an "
                "array. Got [0.5, 1]. Convert floats first, with "
                "`fractions.Fraction`, or put them into an array."
            ),
        ),
        (
            TypeError,
            3,
            1,
            (
                "`offsets` must be a list, tuple or range of ints and fractions, or an "
                "array. Got 3. Convert floats first, with "
                "`fractions.Fraction`, or put them into an array."
            ),
        ),
        (
            ValueError,
            [1, 1, 2],
            1,
            "`offsets` must name each point once. Got [1, 1, 2].",
        ),
        (
            ValueError,
            [0, Fraction(1)],
            2,
            "`offsets` must have at least 3 points for `order=2`. Got 2.",
        ),
        (ValueError, [0, 1], 0, "`order` must be a positive int. Got 0."),
    ],
)
def test_numbers_that_are_refused(
    error: type[Exception], offsets: Any, order: Any, message: str
) -> None:
    assert refusal(offsets, order) == f"{error.__name__}: {message}"


def test_lengths_of_time_are_no_offsets(numpy: Any) -> None:
    """NumPy calls them integers."""
    for offset in (numpy.timedelta64(1, "s"), numpy.timedelta64("NaT", "s")):
        message = refusal([offset, 2, 3])
        assert message.startswith("TypeError: `offsets` must be a list"), message


def test_arrays_that_are_refused(library: Backend) -> None:
    assert refusal(library.asarray(1.0)) == (
        "ValueError: `offsets` must have at least one dimension: the offsets of a "
        "formula lie along the last one. Got a 0-dimensional array."
    )
    assert refusal(library.asarray([1.0, 2.0]), 2) == (
        "ValueError: `offsets` must have at least 3 points for `order=2`. Got 2."
    )
    mask = library.asarray([1.0, 2.0]) > 0.0
    assert refusal(mask) == (
        "TypeError: `offsets` must have an integer, real floating or complex floating "
        f"dtype. Got {mask.dtype}. {NUMBERS.format(cast(library))}"
    )


def test_masked_offsets_are_refused(numpy: Any) -> None:
    assert refusal(numpy.ma.masked_array([0.0, 1.0])) == (
        "TypeError: `offsets` must not be a masked array: the mask would be lost. Got "
        "numpy.MaskedArray. Fill it first, e.g. with `filled(numpy.nan)`, integers "
        "after `astype(float)`, and a mask with `filled(False)`."
    )


def test_offsets_in_dask_that_nobody_has_counted(dask: Any) -> None:
    import dask.array as da

    x = da.arange(5.0, chunks=2)
    assert refusal(x[x > 1]) == (
        "ValueError: `offsets` must have a known length along the last dimension. Got "
        "shape (nan,). Compute it first, e.g. with `compute_chunk_sizes()`."
    )


def test_jax_transforms_weights(jax: Any) -> None:
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        x = jnp.asarray([[-1.0, 0.3, 1.2, 2.0], [1.0, 2.0, 4.0, 0.5]])
        whole = anygrad.stencil(x, order=2)
        stencil = jax.jit(lambda offsets: anygrad.stencil(offsets, order=2))
        assert jnp.allclose(jax.vmap(stencil)(x), whole, rtol=1e-12)
        forward, backward = jax.jacfwd(stencil)(x[0]), jax.jacrev(stencil)(x[0])
        assert jnp.allclose(forward, backward, rtol=1e-12)
        step = 1e-6 * jnp.sin(1 + x[0])
        slope = (stencil(x[0] + step) - stencil(x[0] - step)) / 2
        assert jnp.allclose(forward @ step, slope, rtol=1e-7, atol=1e-13)


def test_torch_transforms_weights(torch: Any) -> None:
    x = torch.tensor([-1.0, 0.3, 1.2, 2.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(anygrad.stencil, x)
    assert torch.autograd.gradgradcheck(anygrad.stencil, x)
    rows = torch.stack([x, 2 * x])
    assert torch.equal(torch.vmap(anygrad.stencil)(rows), anygrad.stencil(rows))


def test_torch_compiles_weights(torch: Any) -> None:
    torch.compiler.reset()
    compiled = torch.compile(anygrad.stencil, fullgraph=True, backend="eager")
    for count in (3, 4):
        x = torch.arange(count, dtype=torch.float64) - 0.3
        assert torch.equal(compiled(x), anygrad.stencil(x))


def test_torch_weights_without_values(torch: Any) -> None:
    weights = anygrad.stencil(torch.empty((2, 3), device="meta"))
    assert (weights.shape, weights.device.type) == ((2, 3), "meta")


def test_dask_computes_no_weights(dask: Any) -> None:
    import dask.array as da

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("computed")

    with dask.config.set(scheduler=refuse):
        weights = anygrad.stencil(da.arange(3.0, chunks=2))
    assert weights.compute(scheduler="synchronous").tolist() == [-1.5, 2.0, -0.5]
