"""The formulas themselves: pure arithmetic, and weights for arrays of offsets."""

from __future__ import annotations

import itertools
import math
import random
import warnings
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

import anygrad
import formulas
import oracle
from anygrad import _stencils
from backends import FORMATS, JAX, Backend

#: Derivative order, accuracy of the interior, accuracy of the edges.
SCHEMES = [
    (order, accuracy, edge_order)
    for order in (1, 2, 3, 4)
    for accuracy in (2, 4, 6, 8)
    for edge_order in (1, 2, 3, 4)
]


def one_sided(order: int, accuracy: int, edge_order: int) -> _stencils.Scheme:
    """Return the scheme for a step, and one-sided edges."""
    ends = ("one_sided", "one_sided")
    return _stencils.scheme(order, accuracy, edge_order, *ends, uneven=False)


def polynomial(order: int, power: int, s: Fraction) -> Fraction:
    """Return the derivative of `s**power`."""
    for lowered in range(power, power - order, -1):
        if lowered <= 0:
            return Fraction(0)
    factor = 1
    for lowered in range(power, power - order, -1):
        factor *= lowered
    return factor * s ** (power - order)


def expanded(stencil: _stencils.Stencil) -> dict[int, Fraction]:
    """Return the weight of each sample, from the weights of the differences."""
    weights = dict.fromkeys(stencil.offsets, Fraction(0))
    for upper, lower, numerator in stencil.terms:
        weight = Fraction(1 if numerator is None else numerator) / stencil.denominator
        weights[upper] += weight
        weights[lower] -= weight
    return weights


@pytest.mark.parametrize(("order", "accuracy", "edge_order"), SCHEMES)
def test_formulas_are_exact_on_polynomials(
    order: int, accuracy: int, edge_order: int
) -> None:
    """Each reproduces as many powers as it has points, and its order of accuracy."""
    scheme = one_sided(order, accuracy, edge_order)
    for number, stencil in enumerate(scheme.stencils):
        promised = order + (accuracy if number == scheme.interior else edge_order)
        powers = range(max(promised, len(stencil.offsets)))
        for power in powers:
            value = sum(
                weight * Fraction(offset) ** power
                for offset, weight in expanded(stencil).items()
            )
            assert value == polynomial(order, power, Fraction(0))


@pytest.mark.parametrize(("order", "accuracy", "edge_order"), SCHEMES)
def test_schemes_cover_the_axis(order: int, accuracy: int, edge_order: int) -> None:
    """Every point is filled once, in order, and no formula reads outside."""
    scheme = one_sided(order, accuracy, edge_order)
    r = (order + 1) // 2 + accuracy // 2 - 1
    assert scheme.points == max(edge_order + order, 2 * r)
    for n in range(scheme.points, scheme.points + 9):
        filled = []
        for stencil in scheme.stencils:
            for point in range(n)[stencil.start : stencil.stop]:
                filled.append(point)
                assert point + min(stencil.offsets) >= 0
                assert point + max(stencil.offsets) < n
        assert filled == list(range(n))


@pytest.mark.parametrize(("order", "accuracy", "edge_order"), SCHEMES)
def test_schemes_are_symmetric(order: int, accuracy: int, edge_order: int) -> None:
    """The right edge is the left one, mirrored; odd derivatives change sign."""
    scheme = one_sided(order, accuracy, edge_order)
    sign = (-1) ** order
    for left, right in zip(scheme.stencils, reversed(scheme.stencils), strict=True):
        mirrored = {-k: sign * weight for k, weight in expanded(left).items()}
        assert {k: w for k, w in mirrored.items() if w} == {
            k: w for k, w in expanded(right).items() if w
        }


@pytest.mark.parametrize(
    ("offsets", "order", "numerators", "denominator"),
    [
        # B. Fornberg, Math. Comp. 51 (1988), tables 1 and 3.
        ((-1, 0, 1), 1, [-1, 0, 1], 2),
        ((-2, -1, 0, 1, 2), 1, [1, -8, 0, 8, -1], 12),
        ((-3, -2, -1, 0, 1, 2, 3), 1, [-1, 9, -45, 0, 45, -9, 1], 60),
        ((-1, 0, 1), 2, [1, -2, 1], 1),
        ((-2, -1, 0, 1, 2), 2, [-1, 16, -30, 16, -1], 12),
        ((0, 1), 1, [-1, 1], 1),
        ((0, 1, 2), 1, [-3, 4, -1], 2),
        ((0, 1, 2, 3), 1, [-11, 18, -9, 2], 6),
        ((-2, -1, 0), 1, [1, -4, 3], 2),
        ((0, 1, 2), 2, [1, -2, 1], 1),
    ],
)
def test_published_weights(
    offsets: tuple[int, ...], order: int, numerators: list[int], denominator: int
) -> None:
    assert _stencils.weights(offsets, order) == (numerators, denominator)


def test_the_centre_is_not_read() -> None:
    """A central first derivative is made of differences across the centre."""
    for accuracy in (2, 4, 6, 8):
        scheme = one_sided(1, accuracy, 1)
        interior = scheme.stencils[scheme.interior]
        assert all(0 not in pair for *pair, _ in interior.terms)


def slopes_as_weights(
    x: dict[int, Fraction], offsets: tuple[int, ...]
) -> dict[int, Fraction]:
    """Return the weight of each sample, from the weights of the slopes."""
    weights = dict.fromkeys(offsets, Fraction(0))
    ratios = _stencils.slope_weights(lambda i, j: x[j] - x[i], offsets)
    assert sum(ratios.values()) == 1
    for j, ratio in ratios.items():
        weights[j + 1] += ratio / (x[j + 1] - x[j])
        weights[j] -= ratio / (x[j + 1] - x[j])
    return weights


def consecutive() -> Iterator[tuple[int, ...]]:
    for first in range(-4, 1):
        for last in range(5):
            if last > first:
                yield tuple(range(first, last + 1))


@pytest.mark.parametrize("offsets", list(consecutive()), ids=repr)
def test_slope_weights_are_those_of_lagrange(offsets: tuple[int, ...]) -> None:
    """On random uneven nodes, exactly."""
    draw = random.Random(repr(offsets))
    for _ in range(5):
        nodes = sorted(draw.sample(range(1000), len(offsets)))
        x = dict(zip(offsets, map(Fraction, nodes), strict=True))
        weights = slopes_as_weights(x, offsets)
        exact = oracle.slopes(
            [oracle.gaussian(node) for node in nodes], offsets.index(0)
        )
        assert [weights[k] for k in offsets] == [weight.real for weight in exact]


def test_slope_weights_use_ratios_only() -> None:
    """No product of two lengths: lengths of 1e200 and 1e-200 leave weights normal."""
    for unit in (1e200, 1e-200):
        x = {-1: 0.0, 0: unit, 1: 3 * unit, 2: 4 * unit}
        for offsets in ((-1, 0, 1), (0, 1, 2), (-1, 0, 1, 2)):
            ratios = _stencils.slope_weights(lambda i, j, x=x: x[j] - x[i], offsets)
            assert sum(ratios.values()) == pytest.approx(1)


def test_no_weight_is_the_integer_one() -> None:
    """Which costs no multiplication."""
    ratios = _stencils.slope_weights(lambda i, j: Fraction(j - i), (0, 1))
    assert ratios == {0: 1}
    assert isinstance(ratios[0], int)


def test_there_is_one_scheme_for_the_same_arguments() -> None:
    """For odd derivatives, coordinates have the same formulas as steps."""
    ends = ("one_sided", "one_sided")
    assert one_sided(1, 2, 1) is one_sided(1, 2, 1)
    assert one_sided(1, 2, 1) is _stencils.scheme(1, 2, 1, *ends, uneven=True)
    assert one_sided(2, 2, 1) is not _stencils.scheme(2, 2, 1, *ends, uneven=True)
    for first, second in pairwise(one_sided(1, 2, 2).stencils):
        assert first.stop == second.start


def test_schemes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stencils, "MOST_SCHEMES", 2)
    monkeypatch.setattr(_stencils, "_schemes", {})
    for accuracy in (2, 4, 6, 8):
        one_sided(1, accuracy, 1)
        assert len(_stencils._schemes) <= 2


# The scale.


def rounded(value: Fraction, digits: int) -> Fraction:
    """Round to so many binary digits, half to even; nothing is too large or small."""
    if value == 0:
        return value
    exponent = digits - 1 - math.floor(math.log2(abs(value)))
    unit = Fraction(2) ** exponent
    result = round(value * unit) / unit
    # The logarithm of a number just below a power of two may be rounded up.
    return (
        result if abs(value) * unit < 2**digits else round(value * unit / 2) * 2 / unit
    )


@pytest.mark.parametrize(("digits", "share"), [(24, 0.6), (53, 0.6), (64, 0.0)])
def test_factors_keep_exact_quotients(digits: int, share: float) -> None:
    """A quotient that is exact stays so; two divisors in three have such factors."""
    draw = random.Random(digits)
    found = 0
    for _ in range(1000):
        divisor = float(rounded(Fraction(draw.uniform(1, 2)), min(digits, 53)))
        scale = _stencils.scale(divisor, digits)
        if not scale.factors:
            assert scale == _stencils.Scale((), (divisor,))
            continue
        found += 1
        (factor,) = map(Fraction, scale.factors)
        assert factor == rounded(factor, digits)
        for mantissa in (
            2**digits - 1,
            2 ** (digits - 1) + 1,
            draw.getrandbits(digits),
        ):
            product = mantissa * Fraction(divisor)
            if product == rounded(product, digits):  # the quotient is exact
                assert rounded(product * factor, digits) == mantissa
            nearest = rounded(Fraction(mantissa) / Fraction(divisor), digits)
            unit = Fraction(2) ** (math.floor(math.log2(nearest)) - digits + 1)
            assert abs(rounded(mantissa * factor, digits) - nearest) <= unit
    assert (found / 1000 > share) == (share > 0)


@pytest.mark.parametrize("digits", [24, 53, 64])
@pytest.mark.parametrize("divisor", [0.125, -0.5, 2.0, -1024.0])
def test_powers_of_two_are_factors(digits: int, divisor: float) -> None:
    assert _stencils.scale(divisor, digits) == _stencils.Scale((1 / divisor,), ())


@pytest.mark.parametrize("digits", [24, 53])
def test_integers_that_are_no_factors(digits: int) -> None:
    """98 times its rounded reciprocal is not one, as 49 times its is not."""
    assert _stencils.scale(98.0, 53) == _stencils.Scale((), (98.0,))
    assert _stencils.scale(1.0, digits) is _stencils.UNSCALED


# Offsets in arrays.

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
        f"dtype. Got {mask.dtype}. Convert it first, e.g. with `astype`."
    )


def test_masked_offsets_are_refused(numpy: Any) -> None:
    assert refusal(numpy.ma.masked_array([0.0, 1.0])) == (
        "TypeError: `offsets` must not be a masked array: the mask would be lost. Got "
        "numpy.MaskedArray. Fill it first, e.g. with `filled(numpy.nan)`."
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
