"""Which derivative, and how accurate: `order`, `accuracy`, `edge_order`."""

from __future__ import annotations

from typing import Any

from .._records import Orders
from .integers import integer
from .wording import shortened, shown, static


def orders(
    order: Any, accuracy: Any, edge_order: Any, usual: int | None = None
) -> Orders:
    """Return all three; for an `edge_order` of None, the usual one.

    A `usual` of None is the accuracy of the interior.
    """
    derivative = checked_order(order)
    even = integer(accuracy)
    if even is None:
        msg = (
            f"`accuracy` must be an even int, 2 or more. Got {shown(accuracy)}."
            f"{static(accuracy)}"
        )
        raise TypeError(msg)
    if even < 2 or even % 2:
        near = "2" if even < 2 else f"{shortened(even - 1)} or {shortened(even + 1)}"
        msg = (
            f"`accuracy` must be an even int, 2 or more. Got {shortened(even)}. "
            f"Central formulas have even accuracies only: take {near}."
        )
        raise ValueError(msg)
    if edge_order is None:
        return Orders(derivative, even, usual or even)
    edges = _positive(edge_order, "`edge_order` must be a positive int or None")
    return Orders(derivative, even, edges)


def checked_order(order: Any) -> int:
    """Return the order of the derivative."""
    return _positive(order, "`order` must be a positive int")


def _positive(given: Any, rule: str) -> int:
    number = integer(given)
    if number is None:
        msg = f"{rule}. Got {shown(given)}.{static(given)}"
        raise TypeError(msg)
    if number < 1:
        msg = f"{rule}. Got {shortened(number)}."
        raise ValueError(msg)
    return number
