"""Scales: the numbers of a step, held to exact fractions."""

from __future__ import annotations

import math
import random
import sys
from fractions import Fraction
from typing import Any

import pytest

from anygrad import _scales
from anygrad._precision import Precision
from anygrad._scales import Scale

#: By the digits of a dtype: single, double and extended.
LEAST = {24: 2.0**-126, 53: sys.float_info.min, 64: sys.float_info.min}


def precision(digits: int) -> Precision:
    """Return as much of a dtype as a scale depends on."""
    least = LEAST[digits]
    kind: Any = f"{digits} digits"
    limits = least, 1.0 / least, digits
    return Precision(kind, kind, kind, False, False, False, *limits, turns=kind)


def scales(
    step: complex, order: int, denominators: tuple[int, ...], digits: int
) -> list[Scale] | None:
    """Return the scales as a plan has them."""
    power = None
    if not isinstance(step, complex):
        power = _scales.usual_power(step, order, denominators, precision(digits))
    if power is None:
        return _scales.of_unusual_step(step, order, denominators, precision(digits))
    return _scales.of_divisors([power * d for d in denominators], digits)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("step", [0.1, 1.0, -3.0, 1e-6])
def test_usual_steps_are_told_by_one_product(step: float, order: int) -> None:
    """They are not taken one by one, as steps at the ends of the range are."""
    power = _scales.usual_power(step, order, (2, 12), precision(53))
    assert power == math.prod([step] * order)
    tiny = precision(53).smallest ** (1 / order) / 4
    assert _scales.usual_power(tiny, order, (2, 12), precision(53)) is None
    assert _scales.usual_power(1.0 / tiny, order, (2, 12), precision(53)) is None


def one(step: float, digits: int, order: int = 1, denominator: int = 1) -> Scale:
    found = scales(step, order, (denominator,), digits)
    assert found is not None
    return found[0]


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


def quotient(scale: Scale) -> Fraction:
    """Return what a sum is multiplied with in all, exactly."""
    whole = Fraction(1)
    for factor in scale.factors:
        whole *= Fraction(factor)
    for divisor in scale.divisors:
        whole /= Fraction(divisor)
    return whole


# Reciprocals.


@pytest.mark.parametrize(("digits", "share"), [(24, 0.6), (53, 0.6), (64, 0.0)])
def test_factors_keep_exact_quotients(digits: int, share: float) -> None:
    """A quotient that is exact stays so; two divisors in three have such factors."""
    draw = random.Random(digits)
    found = 0
    for _ in range(1000):
        divisor = float(rounded(Fraction(draw.uniform(1, 2)), min(digits, 53)))
        scale = one(divisor, digits)
        if not scale.factors:
            assert scale == Scale((), (divisor,))
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
    assert one(divisor, digits) == Scale((1 / divisor,), ())


@pytest.mark.parametrize("digits", [24, 53])
def test_integers_that_are_no_factors(digits: int) -> None:
    """98 times its rounded reciprocal is not one, as 49 times its is not."""
    assert one(98.0, 53) == Scale((), (98.0,))
    assert one(1.0, digits) is _scales.UNSCALED


def test_a_step_that_the_dtype_rounds() -> None:
    """The factor is safe for the step as the dtype has it."""
    draw = random.Random(5)
    for _ in range(300):
        step = draw.uniform(1, 2)
        stored = rounded(Fraction(step), 24)
        scale = one(step, 24)
        if scale.factors:
            (factor,) = map(Fraction, scale.factors)
            assert factor == rounded(1 / stored, 24)
            assert abs(factor * stored - 1) <= Fraction(1, 2**25)
        else:
            assert scale == Scale((), (step,))


@pytest.mark.parametrize("denominator", [1, 2, 3, 12, 60, 840])
def test_a_step_of_one(denominator: int) -> None:
    """Its scale serves every dtype: a reciprocal only where it is exact."""
    scale = _scales.of_unit_step(denominator)
    assert quotient(scale) == Fraction(1, denominator)
    is_power = denominator & (denominator - 1) == 0
    assert bool(scale.divisors) == (not is_power)


# Powers, and several denominators.


@pytest.mark.parametrize("digits", [24, 53])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_scales_are_those_of_the_power(digits: int, order: int) -> None:
    """One number each, off by the roundings of the power and of the reciprocal."""
    draw = random.Random(order)
    denominators = (1, 2, 4, 6, 12, 24)
    for _ in range(200):
        step = draw.choice((-1, 1)) * draw.uniform(1e-3, 1e3)
        found = scales(step, order, denominators, digits)
        assert found is not None
        for denominator, scale in zip(denominators, found, strict=True):
            assert len(scale.factors) + len(scale.divisors) <= 1
            exact = 1 / (Fraction(step) ** order * denominator)
            unit = Fraction(1, 2**digits) if scale.factors else 0
            limit = order * Fraction(1, 2**52) + 2 * unit
            assert abs(quotient(scale) / exact - 1) <= limit
            assert scale == one(step, digits, order, denominator)


def test_powers_of_two_times_a_step_share_their_digits() -> None:
    """So all formulas of a scheme with such denominators are scaled alike."""
    for step in (0.1, 0.3, -7.0):
        half, whole, double = scales(step, 1, (1, 2, 4), 53) or ()
        assert 4 * quotient(double) == 2 * quotient(whole) == quotient(half)


# The ends of the range.


@pytest.mark.parametrize("digits", [24, 53, 64])
def test_guarded_steps(digits: int) -> None:
    """A subnormal divisor is taken apart: a factor and a divisor, both normal."""
    least, most = LEAST[digits], 1.0 / LEAST[digits]
    smallest = 2.0**-149 if digits == 24 else 5e-324
    largest = 3e38 if digits == 24 else 1.7e308
    for step in (least / 2, least / 3, smallest, -smallest, largest, -largest):
        for denominator in (1, 2, 12):
            divisor = abs(Fraction(step) * denominator)
            if least <= divisor <= most:
                continue
            scale = one(step, digits, 1, denominator)
            assert len(scale.factors) == len(scale.divisors) == 1
            for number in (*scale.factors, *scale.divisors):
                assert least <= abs(number) <= most
            exact = 1 / (Fraction(step) * denominator)
            assert abs(quotient(scale) / exact - 1) <= Fraction(1, 2**53)


@pytest.mark.parametrize("digits", [53, 64])
def test_a_subnormal_step_whose_divisor_is_normal(digits: int) -> None:
    step = LEAST[53] / 2
    assert quotient(one(step, digits, 1, 4)) == 1 / (Fraction(step) * 4)


@pytest.mark.parametrize("digits", [24, 53])
@pytest.mark.parametrize("order", [2, 3])
def test_powers_out_of_range(digits: int, order: int) -> None:
    """Of a normal step, its factors stand alone."""
    for step in (1e-30, -1e30) if digits == 24 else (1e-200, -1e200):
        assert one(step, digits, order, 3) == Scale((), (step,) * order + (3.0,))
        assert one(step, digits, order) == Scale((), (step,) * order)


@pytest.mark.parametrize("step", [1e-300, -1e300])
def test_numbers_that_no_two_can_divide_by(step: float) -> None:
    """They are far out of the range of single precision, and in that of double."""
    assert scales(step, 1, (1,), 24) is None
    assert scales(step, 1, (1,), 53) is not None
    assert scales(1e-40, 2, (1,), 24) is None


@pytest.mark.parametrize("digits", [24, 53, 64])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "step",
    [0.0, -0.0, math.inf, -math.inf, math.nan, 0j, complex(math.nan, 1), math.inf * 1j],
    ids=repr,
)
def test_what_is_no_step(step: complex, order: int, digits: int) -> None:
    assert scales(step, order, (1, 2), digits) is None


def test_one_denominator_without_a_scale_is_none_for_all() -> None:
    """A sum would be right at some points only."""
    for step, fits, other in ((1e-90, 2**300, 1), (1e90, 1, 2**300)):
        first, second = ((step, 1, (d,), 24) for d in (fits, other))
        alone = scales(*first) is not None, scales(*second) is not None
        assert (scales(step, 1, (fits, other), 24) is not None) == all(alone)
    assert scales(1e-90, 1, (2**300,), 24) is not None
    assert scales(1e-90, 1, (1,), 24) is None
    assert scales(1e-90, 1, (1, 2**300), 24) is None


# Complex and extended.


@pytest.mark.parametrize("digits", [24, 53, 64])
def test_complex_steps_are_divided_by(digits: int) -> None:
    """One factor after the other: libraries differ in how they multiply them."""
    step = 1 + 2j
    assert scales(step, 1, (1, 2), digits) == [Scale((), (step,)), Scale((), (step, 2))]
    assert scales(step, 2, (3,), digits) == [Scale((), (step, step, 3.0))]
    assert scales(1e-60j, 1, (1,), 24) is None


def test_extended_precision_multiplies_nothing() -> None:
    """A product of Python's numbers would have lost its last digits."""
    assert scales(0.1, 1, (1, 2, 3), 64) == [
        Scale((), (0.1,)),
        Scale((), (0.1, 2.0)),
        Scale((), (0.1, 3.0)),
    ]
    assert scales(0.1, 2, (1,), 64) == [Scale((), (0.1, 0.1))]
    assert scales(1e-320, 2, (1,), 64) is None
