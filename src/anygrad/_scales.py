"""What turns a weighted sum on equal steps into the derivative: numbers of the step.

The weights of a formula are integers; what is left is to divide by ``h**m`` and by
their common denominator.  These numbers are the only part of a plan that depends on
the value of a step, so they are bound to it in every call.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._precision import Precision


class Scale(NamedTuple):
    """What turns the weighted sum of a formula into the derivative."""

    #: What the sum is multiplied with, one after the other: a reciprocal where this is
    #: as good as the division, and faster; on coordinates, the reciprocal of the length
    #: of the formula, so that no product of steps arises.
    factors: tuple[Any, ...]
    #: What it is divided by then, one number or 0-d array after the other.
    divisors: tuple[Any, ...]


#: For weights that are complete in themselves.
UNSCALED = Scale((), ())

#: How many binary digits a floating number of 32 bits has.
SINGLE_DIGITS = 24

#: Half a unit in the last place of one, with so many.
HALF_A_UNIT = 2.0 ** -(SINGLE_DIGITS + 1)

#: No floating dtype has more: what is exact with so many is in all.
MOST_DIGITS = 113


#: From a number of Python's to the nearest of 32 bits and back.
_SINGLE = struct.Struct("f")


def of_unit_step(denominator: int) -> Scale:
    """Return the scale for a step of one, in any dtype."""
    return of_divisor(float(denominator), MOST_DIGITS)


def of_divisor(divisor: float, digits: int) -> Scale:
    """Return the scale that divides by a normal number."""
    return _of_divisor(divisor, reciprocal(divisor, digits))


def _of_divisor(divisor: float, factor: float | None) -> Scale:
    """Return it for a number with its reciprocal, if that is safe."""
    if divisor == 1.0:
        return UNSCALED
    return Scale((), (divisor,)) if factor is None else Scale((factor,), ())


def reciprocal(divisor: float, digits: int) -> float | None:
    """Return the reciprocal of a number in a dtype of so many binary digits, if safe.

    A division takes the time of three multiplications.  With `r` the reciprocal of `d`
    as the dtype has it, multiplying is safe where ``|r * d - 1| <= 2**-(digits + 1)``:
    a quotient `q` that is exact stays so, because ``q * d * r`` is less than half a
    unit in the last place away from it; others are off by one unit at most.  This
    holds for two numbers in three, all powers of two among them.
    """
    if digits == SINGLE_DIGITS:
        (d,) = _SINGLE.unpack(_SINGLE.pack(divisor))
        (r,) = _SINGLE.unpack(_SINGLE.pack(1.0 / d))
        # The product has 48 digits, and so no rounding in 53.
        return r if abs(r * d - 1.0) <= HALF_A_UNIT else None
    r = 1.0 / divisor
    (a, b), (c, e) = divisor.as_integer_ratio(), r.as_integer_ratio()
    return r if abs(a * c - b * e) << (digits + 1) <= b * e else None


def divisors_of(step: Any, order: int, denominator: int) -> tuple[Any, ...]:
    """Return divisors whose product is ``step**m * denominator``, not multiplied."""
    powers = (step,) * order
    return powers if denominator == 1 else (*powers, float(denominator))


def of_divisors(divisors: Sequence[float], digits: int) -> list[Scale]:
    """Return the scales that divide by normal numbers."""
    found: list[Scale] = []
    latest, factor = 0.0, None
    for divisor in divisors:
        if divisor != latest + latest:
            factor = reciprocal(divisor, digits)
        elif factor is not None:  # nothing but the exponent changes
            factor *= 0.5
        latest = divisor
        found.append(_of_divisor(divisor, factor))
    return found


def power_of(step: float, order: int) -> float:
    """Return a power of a step, infinite where it overflows."""
    power = step
    for _ in range(order - 1):
        power *= step
    return power


def usual_power(
    step: float, order: int, denominators: tuple[int, ...], precision: Precision
) -> float | None:
    """Return the power of a step of which all multiples are normal; None for others."""
    power = power_of(step, order)
    is_usual = (
        precision.smallest <= abs(power * min(denominators))
        and abs(power * max(denominators)) <= precision.largest
        # A product of more digits would be rounded.
        and precision.digits <= sys.float_info.mant_dig
    )
    return power if is_usual else None


def of_unusual_step(
    step: float | complex,
    order: int,
    denominators: tuple[int, ...],
    precision: Precision,
) -> list[Scale] | None:
    """Return the scales where some divisor is no normal number; all of theirs are.

    One per denominator.  None for a step for which there are none, and for one that is
    no number.
    """
    each = [_unusual(step, order, d, precision) for d in denominators]
    found = [scale for scale in each if scale is not None]
    return found if len(found) == len(each) else None


def _unusual(
    step: float | complex, order: int, denominator: int, precision: Precision
) -> Scale | None:
    """Return the scale for one denominator.

    Where ``step**m * denominator`` is no normal number of the working dtype, e.g. 1e-50
    in float32, dividing by it would give 0 or infinity although the derivative may fit.
    Then its factors stand alone, and of a single one half of the exponent is taken off.
    """
    least, most = precision.smallest, precision.largest
    divisors = divisors_of(step, order, denominator)
    fits = least <= abs(step) <= most
    if isinstance(step, complex):
        return Scale((), divisors) if fits else None
    if fits and len(divisors) > 1 and precision.digits > sys.float_info.mant_dig:
        return Scale((), divisors)
    if least <= abs(divisor := math.prod(divisors)) <= most:
        return of_divisor(divisor, precision.digits)
    if order > 1:
        return Scale((), divisors) if fits else None
    mantissa, exponent = math.frexp(abs(step))
    half = exponent // 2
    divisor = math.ldexp(mantissa, exponent - half) * denominator
    factor = math.ldexp(1.0, -half)
    if least <= factor <= most and least <= divisor <= most:
        return Scale((factor,), (math.copysign(divisor, step),))
    return None
