"""What counts as an int: Python's and NumPy's, but neither bool nor array."""

from __future__ import annotations

import numbers
import operator
from typing import Any


def index(value: Any) -> int:
    """Return an int; not that of an array, which would be computed.

    Raises
    ------
    TypeError
        If it is none.
    """
    if type(value) is not int and (
        isinstance(value, bool)
        or (hasattr(value, "dtype") and not isinstance(value, numbers.Integral))
    ):
        raise TypeError
    # Where a compiler reads this, it makes the symbol of an int a number.
    return int(operator.index(value))


def integer(value: Any) -> int | None:
    """Return what counts as an int; None for anything else, True and False too."""
    try:
        return index(value)
    except TypeError:
        return None
