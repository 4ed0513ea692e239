"""The records of a call, and what breaks a promise."""

from __future__ import annotations

from typing import Any, NamedTuple


class Finding(Exception):  # noqa: N818 - it is no error of the caller
    """A call that broke a promise."""


class Entry(NamedTuple):
    """What one dim is given, as the array or number that is passed."""

    kind: str
    value: Any
    dtype: str | None


class Call(NamedTuple):
    """A valid call: its samples, and what is passed along with them.

    The dims are those of space, numbered as in one component of a vector field, whose
    components lie along `place`; None for a scalar field.
    """

    function: str
    f: Any
    place: int | None
    dims: list[int]
    entries: list[Entry]
    ends: list[Any]
    kind: Kind
    keywords: dict[str, Any]


class Kind(NamedTuple):
    """Which derivatives are taken."""

    order: int
    accuracy: int
    edge_order: int
