"""Namespaces of libraries that follow the standard, but for a word or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._typing import Namespace

#: By package: the words that its own stand in for.  autograd finds what it traces in a
#: list only where it knows the function that takes it, by NumPy's old name.
WORDS: Mapping[str, Mapping[str, str]] = {"autograd": {"concat": "concatenate"}}


class Reworded:
    """A namespace in which some words mean others."""

    def __init__(self, namespace: Namespace, words: Mapping[str, str]) -> None:
        self._namespace, self._words = namespace, words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._namespace, self._words.get(name, name))


def conforming(namespace: Namespace) -> Namespace:
    """Return a namespace whose words do what the standard says."""
    words = WORDS.get(namespace.__name__.partition(".")[0])
    return namespace if words is None else Reworded(namespace, words)


def joined_by_jax(arrays: list[Any], axis: int) -> Any:
    """Do what `concat` does, which JAX refuses where a mesh cannot share the sum."""
    from ._executors.spread import explicit

    return explicit.joined(arrays, axis)
