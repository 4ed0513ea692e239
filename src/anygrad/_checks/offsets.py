"""Where the samples of one formula lie: the `offsets` of `stencil`."""

from __future__ import annotations

import numbers
from typing import Any

from .._classes import is_length_of_time
from .._records import Samples
from .input import check_numeric, is_unknown, refuse_unknown
from .order import checked_order
from .wording import shortened, shown


def exact(offsets: Any, order: Any) -> int:
    """Check Python's numbers and return the order."""
    if not isinstance(offsets, (list, tuple, range)) or not all(
        map(_is_rational, offsets)
    ):
        msg = (
            "`offsets` must be a list, tuple or range of ints and fractions, or an "
            f"array. Got {shown(offsets)}. Convert floats first, with "
            "`fractions.Fraction`, or put them into an array."
        )
        raise TypeError(msg)
    number = checked_order(order)
    if len(set(offsets)) != len(offsets):
        msg = f"`offsets` must name each point once. Got {shown(offsets)}."
        raise ValueError(msg)
    _check_count(len(offsets), number)
    return number


def _is_rational(offset: Any) -> bool:
    """Tell whether it is an int or a fraction."""
    is_number = isinstance(offset, numbers.Rational) and not isinstance(offset, bool)
    return is_number and not is_length_of_time(offset)


def array(offsets: Samples, order: Any) -> int:
    """Check an array and return the order.

    Offsets that are repeated are not seen: they are values.
    """
    check_numeric(offsets, "offsets")
    number = checked_order(order)
    if not offsets.shape:
        msg = (
            "`offsets` must have at least one dimension: the offsets of a formula lie "
            "along the last one. Got a 0-dimensional array."
        )
        raise ValueError(msg)
    count = offsets.shape[-1]
    if is_unknown(count):
        refuse_unknown("offsets", tuple(offsets.shape), " along the last dimension")
    _check_count(count, number)
    return number


def _check_count(count: int, order: int) -> None:
    if count <= order:
        msg = (
            f"`offsets` must have at least {shortened(order + 1)} points for "
            f"`order={shortened(order)}`. Got {count}."
        )
        raise ValueError(msg)
