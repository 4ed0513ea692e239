"""An array library of decimal numbers, with as many digits as are asked for.

It has just the functions that a derivative of real numbers needs, and is there to show
what formulas do where rounding does not hide it.  The digits are those of the current
context of `decimal`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any


class Array:
    """An array of decimal numbers, kept as objects in NumPy's."""

    dtype = "decimal"

    def __init__(self, hidden: Any) -> None:
        self.hidden = hidden

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return Namespace

    @property
    def ndim(self) -> int:
        return self.hidden.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        return self.hidden.shape

    def __getitem__(self, key: Any) -> Array:
        return Array(self.hidden[key])


def _hidden(value: Any) -> Any:
    # Every float is a decimal number.
    return value.hidden if isinstance(value, Array) else Decimal(value)


def _method(function: Callable[[Any, Any], Any], swapped: bool) -> Any:
    def method(self: Array, other: Any) -> Array:
        operands = self.hidden, _hidden(other)
        return Array(function(*(reversed(operands) if swapped else operands)))

    return method


for _name in ("add", "sub", "mul", "truediv"):
    _function = getattr(operator, _name)
    setattr(Array, f"__{_name}__", _method(_function, swapped=False))
    setattr(Array, f"__r{_name}__", _method(_function, swapped=True))


class Limits:
    """What anygrad asks of a floating dtype."""

    bits = 64
    dtype = Array.dtype
    smallest_normal = 0.0
    eps = 2.0**-500


class Namespace:
    """The functions of the standard that a derivative calls."""

    __name__ = "decimal_library"

    @staticmethod
    def isdtype(dtype: Any, kind: str) -> bool:
        return kind in ("numeric", "real floating")

    @staticmethod
    def result_type(*operands: Any) -> str:
        return Array.dtype

    @staticmethod
    def finfo(dtype: Any) -> Limits:
        return Limits()

    @staticmethod
    def concat(arrays: Iterable[Array], axis: int) -> Array:
        import numpy

        return Array(numpy.concatenate([a.hidden for a in arrays], axis=axis))

    @staticmethod
    def reshape(array: Array, shape: tuple[int, ...]) -> Array:
        return Array(array.hidden.reshape(shape))

    @staticmethod
    def abs(array: Array) -> Array:
        import numpy

        return Array(numpy.abs(array.hidden))


def asarray(numbers: Any) -> Array:
    """Return an array of nested lists of decimal numbers."""
    import numpy

    return Array(numpy.asarray(numbers, dtype=object))
