"""What turns a weighted sum on equal steps into the derivative: numbers of the step.

The weights of a formula are integers; what is left is to divide by ``h**m`` and by
their common denominator.  These numbers are the only part of a plan that depends on
the value of a step, so they are bound to it in every call.
"""

from __future__ import annotations

import math
import struct
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._precision import Precision


class Scale(NamedTuple):
    """What turns the weighted sum of a formula into the derivative.

    Attributes
    ----------
    factors : tuple
        What the sum is multiplied with, one after the other: a reciprocal where this
        is as good as the division, and faster; on coordinates, the reciprocal of the
        length of the formula, so that no product of steps arises.
    divisors : tuple
        What it is divided by then, one number or 0-d array after the other.
    """

    factors: tuple[Any, ...]
    divisors: tuple[Any, ...]


#: For weights that are complete in themselves.
UNSCALED = Scale((), ())

#: How many binary digits a floating number of 32 bits has.
SINGLE_DIGITS = 24

#: No floating dtype has more: what is exact with so many is in all.
MOST_DIGITS = 113


#: From a number of Python's to the nearest of 32 bits and back.
_SINGLE = struct.Struct("f")


def of_unit_step(denominator: int) -> Scale:
    """Return the scale for a step of one, in any dtype."""
    divisor = float(denominator)
    return _of_divisor(divisor, _reciprocal(divisor, MOST_DIGITS))


def _of_divisor(divisor: float, reciprocal: float | None) -> Scale:
    """Return the scale that divides by a number."""
    if divisor == 1.0:
        return UNSCALED
    return Scale((), (divisor,)) if reciprocal is None else Scale((reciprocal,), ())


def _reciprocal(divisor: float, digits: int) -> float | None:
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
        return r if abs(r * d - 1.0) <= 2.0 ** -(SINGLE_DIGITS + 1) else None
    r = 1.0 / divisor
    (a, b), (c, e) = divisor.as_integer_ratio(), r.as_integer_ratio()
    return r if abs(a * c - b * e) << (digits + 1) <= b * e else None


def divisors_of(step: Any, order: int, denominator: int) -> tuple[Any, ...]:
    """Return divisors whose product is ``step**m * denominator``, not multiplied."""
    powers = (step,) * order
    return powers if denominator == 1 else (*powers, float(denominator))


def of_step(
    step: float | complex,
    order: int,
    denominators: tuple[int, ...],
    precision: Precision,
) -> list[Scale] | None:
    """Return the scales for a step, one per denominator; all of their numbers normal.

    None for a step for which there are none, and for one that is no number.
    """
    if not isinstance(step, complex):
        found = of_usual_step(step, order, denominators, precision)
        if found is not None:
            return found
    singles = [_single(step, order, d, precision) for d in denominators]
    scales = [scale for scale in singles if scale is not None]
    return scales if len(scales) == len(singles) else None


def of_usual_step(
    step: float, order: int, denominators: tuple[int, ...], precision: Precision
) -> list[Scale] | None:
    """Return the scales where all divisors are normal numbers; else None.

    Written in one loop, because it is done in each call with another step.
    """
    *_, least, most, digits = precision
    if digits > sys.float_info.mant_dig:
        return None  # a product of Python's numbers would be rounded
    power = step
    for _ in range(order - 1):  # infinite where it overflows
        power *= step
    found, latest, reciprocal = [], 0.0, None
    for denominator in denominators:
        divisor = power * denominator
        if not least <= abs(divisor) <= most:
            return None
        if divisor != latest + latest:
            reciprocal = _reciprocal(divisor, digits)
        elif reciprocal is not None:  # nothing but the exponent changes
            reciprocal *= 0.5
        latest = divisor
        if divisor == 1.0:
            found.append(UNSCALED)
        else:  # in half the time of calling the class
            numbers = ((), (divisor,)) if reciprocal is None else ((reciprocal,), ())
            found.append(tuple.__new__(Scale, numbers))
    return found


def _single(
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
        return _of_divisor(divisor, _reciprocal(divisor, precision.digits))
    if order > 1:
        return Scale((), divisors) if fits else None
    mantissa, exponent = math.frexp(abs(step))
    half = exponent // 2
    divisor = math.ldexp(mantissa, exponent - half) * denominator
    factor = math.ldexp(1.0, -half)
    if least <= factor <= most and least <= divisor <= most:
        return Scale((factor,), (math.copysign(divisor, step),))
    return None
