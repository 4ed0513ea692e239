"""How a test holds a call to its refusal: the message, word for word.

`{type}` stands for the class of the arrays and `{bool}` for the library's bool.
"""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from backends import Backend

NO_ARRAY = (
    "`{name}` must be an array of a library that follows the array API standard. "
    "Got {got}."
)
BY_ASARRAY = f"{NO_ARRAY} Convert it first, e.g. with `numpy.asarray`."
BY_LIST = "Convert it first, e.g. with `numpy.asarray(list(values))`."
NUMERIC = "must have an integer, real floating or complex floating dtype. Got {got}."

NUMBERS = "Convert it to numbers first, e.g. with `{}`."


def cast(backend: Backend) -> str:
    """Return what converts an array of a library to another dtype."""
    return "to" if backend.library == "torch" else "astype"


def refused(error: type[Exception], message: str, *args: Any, **keywords: Any) -> None:
    """Hold the call to its error: this class, no other, and this text, all of it."""
    with pytest.raises(error) as caught:
        anygrad.gradient(*args, **keywords)
    assert caught.type is error
    assert str(caught.value) == message


def type_name(array: Any) -> str:
    cls = type(array)
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def matrix(backend: Backend) -> Any:
    """Return samples of shape (3, 4)."""
    return backend.asarray([[1, 2, 4, 8], [0, 5, 1, 3], [9, 9, 2, 6]])
