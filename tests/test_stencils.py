"""The formulas themselves: pure arithmetic, no array library."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import pytest

import oracle
from anygrad import _stencils

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
