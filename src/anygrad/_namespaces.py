"""Namespaces of libraries that follow the standard, but for a word or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from ._typing import Namespace

#: Another name for a word, or a function that is given the namespace's own one first.
Word: TypeAlias = str | Callable[..., Any]


def _with_one_fill(join: Callable[..., Any], arrays: Sequence[Any], axis: int) -> Any:
    """Do what sparse's `join` does, which refuses arrays with several fill values.

    The largest has a say, beside which the rows at an edge are few.  Zeros of both
    signs are the same one.
    """
    fill = max(arrays, key=lambda array: array.size).fill_value
    return join([_filled(array, fill) for array in arrays], axis=axis)


def _filled(array: Any, fill: Any) -> Any:
    """Return a sparse array with a fill value, of which all others are stored."""
    if array.fill_value == fill:
        alike = array.copy(deep=False)
        alike.fill_value = fill
        return alike
    return type(array).from_numpy(array.todense(), fill_value=fill)


#: By package: the words that others stand in for.  autograd finds what it traces in a
#: list only where it knows the function that takes it, by NumPy's old name.
WORDS: Mapping[str, Mapping[str, Word]] = {
    "autograd": {"concat": "concatenate"},
    "sparse": {"concat": _with_one_fill, "stack": _with_one_fill},
}

#: Where `>>` must not be trusted, and the function of that name takes numbers: on
#: DTensors of torch, the operator returns what it was given.
SHIFTED_BY_FUNCTION = frozenset({"array_api_compat.torch"})


class Reworded:
    """A namespace in which some words mean others."""

    def __init__(self, namespace: Namespace, words: Mapping[str, Word]) -> None:
        self._namespace, self._words = namespace, words

    def __getattr__(self, name: str) -> Any:
        word = self._words.get(name, name)
        if callable(word):
            return partial(word, getattr(self._namespace, name))
        return getattr(self._namespace, word)


def of_numpy() -> Namespace:
    """Return NumPy, which follows the standard itself from version 2.1 on.

    array-api-compat takes over each name of it, and with them imports all that NumPy
    imports on request: a quarter of a second, at the first call.
    """
    import numpy

    if hasattr(numpy, "__array_namespace_info__"):
        return numpy
    import array_api_compat.numpy as xp

    return xp


def conforming(namespace: Namespace) -> Namespace:
    """Return a namespace whose words do what the standard says."""
    if namespace.__name__ == "numpy":  # of its scalars
        return of_numpy()
    words = WORDS.get(namespace.__name__.partition(".")[0])
    return namespace if words is None else Reworded(namespace, words)


def shifted(integers: Any, count: int, namespace: Namespace) -> Any:
    """Return ``integers >> count``."""
    if namespace.__name__ in SHIFTED_BY_FUNCTION:
        return namespace.bitwise_right_shift(integers, count)
    return integers >> count
