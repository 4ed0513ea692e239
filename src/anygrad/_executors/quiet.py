"""Calls within which NumPy does not warn of infinities and NaN.

What `numpy.errstate` says is said in a context of `contextvars`.  To enter one where it
has been said before takes a fraction of the time, which counts on a few samples.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

Result = TypeVar("Result")

#: Those in which nobody is.
_free: list[Context] = []


def call(function: Callable[..., Result], *given: Any) -> Result:
    """Return what a function returns that asks for no setting, and calls nobody's."""
    try:
        context = _free.pop()
    except IndexError:  # others are in them, in further threads
        context = _quiet()
    try:
        return context.run(function, *given)
    finally:
        _free.append(context)


def _quiet() -> Context:
    import numpy

    context = Context()
    context.run(numpy.seterr, all="ignore")
    return context
