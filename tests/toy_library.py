"""A library that conforms to the standard and that anygrad has never heard of.

It borrows its arithmetic from array-api-strict and shows as little as it may: its
arrays have no `device`, and its namespace is an object and no module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict

#: The class of strict's arrays, which it shows nowhere.
Strict = type(array_api_strict.asarray(0))


class Array:
    """An array whose only attributes are those that every computation needs."""

    def __init__(self, hidden: Any) -> None:
        self.hidden = hidden

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return namespace

    @property
    def dtype(self) -> Any:
        return self.hidden.dtype

    @property
    def ndim(self) -> int:
        return self.hidden.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        return self.hidden.shape

    def __getitem__(self, key: Any) -> Any:
        return _shown(self.hidden[key])


def _shown(value: Any) -> Any:
    """Return strict's arrays as this library's, in tuples too."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_shown, value))
    return Array(value) if isinstance(value, Strict) else value


def _hidden(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(map(_hidden, value))
    return value.hidden if isinstance(value, Array) else value


def _lent(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of strict for this library's arrays."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        keywords = {name: _hidden(value) for name, value in keywords.items()}
        return _shown(function(*map(_hidden, arguments), **keywords))

    return call


for _name in (
    *("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow"),
    *("floordiv", "mod", "rshift", "lshift", "and", "or", "xor", "invert"),
    *("neg", "pos", "abs", "lt", "le", "gt", "ge", "eq", "ne", "matmul"),
):
    _method = f"__{_name}__"
    setattr(Array, _method, _lent(getattr(Strict, _method)))


class Namespace:
    """The functions of strict, lent to this library's arrays."""

    __name__ = "toy_library"  # array-api-compat tells namespaces apart by it

    def __getattr__(self, name: str) -> Any:
        value = getattr(array_api_strict, name)
        if isinstance(value, type) or not callable(value):
            return value
        return _lent(value)


namespace = Namespace()
