"""Which derivative, and how accurate: `order`, `accuracy`, `edge_order`."""

from __future__ import annotations

from typing import Any

from .._records import Orders
from .integers import integer
from .wording import shown


def orders(order: Any, accuracy: Any, edge_order: Any) -> Orders:
    """Return all three; an `edge_order` of None is the accuracy of the interior."""
    derivative = checked_order(order)
    even = integer(accuracy)
    if even is None:
        msg = f"`accuracy` must be an even int, 2 or more. Got {shown(accuracy)}."
        raise TypeError(msg)
    if even < 2 or even % 2:
        near = "2" if even < 2 else f"{even - 1} or {even + 1}"
        msg = (
            f"`accuracy` must be an even int, 2 or more. Got {even}. Central formulas "
            f"have even accuracies only: take {near}."
        )
        raise ValueError(msg)
    if edge_order is None:
        return Orders(derivative, even, even)
    return Orders(derivative, even, _edge_order(edge_order, even))


def orders_of_gradient(order: Any, accuracy: Any, edge_order: Any) -> Orders:
    """Return all three, where an `edge_order` of None is no int."""
    found = orders(order, accuracy, edge_order)
    if edge_order is None:
        return found._replace(edge_order=_edge_order(None, found.accuracy))
    return found


def checked_order(order: Any) -> int:
    """Return the order of the derivative."""
    number = integer(order)
    if number is None:
        msg = f"`order` must be a positive int. Got {shown(order)}."
        raise TypeError(msg)
    if number < 1:
        msg = f"`order` must be a positive int. Got {number}."
        raise ValueError(msg)
    return number


def _edge_order(edge_order: Any, accuracy: int) -> int:
    number = integer(edge_order)
    most = "1 or 2" if accuracy == 2 else f"between 1 and {accuracy}, the `accuracy`"
    if number is None:
        kind = "the int 1 or 2" if accuracy == 2 else f"an int {most}"
        msg = f"`edge_order` must be {kind}. Got {shown(edge_order)}."
        raise TypeError(msg)
    if not 1 <= number <= accuracy:
        msg = f"`edge_order` must be {most}. Got {number}."
        raise ValueError(msg)
    return number
