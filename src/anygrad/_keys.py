"""What plans are kept by: the forms of arguments, without their values."""

from __future__ import annotations

import numbers
from typing import Any

from ._libraries import BY_CLASS


def are_lasting(*integers: Any) -> bool:
    """Tell whether ints, and lists of them, will always be what they are now."""

    def is_lasting(value: Any) -> bool:
        if type(value) in (list, tuple):
            return are_lasting(*value)
        is_known = value is None or isinstance(value, (int, range))
        return is_known or type(value).__module__ == "numpy"

    return all(map(is_lasting, integers))


def typed(dims: Any) -> Any:
    """Return dims with their types."""
    if type(dims) in (list, tuple):
        return type(dims), *dims, *map(type, dims)
    return type(dims), dims


def spacing_form(spacing: Any) -> Any:
    """Return the forms of one entry, or of a list of entries."""
    if type(spacing) in (list, tuple):
        return tuple(map(entry_form, spacing))
    return entry_form(spacing)


def entry_form(entry: Any) -> Any:
    """Return whether a step is one, of numbers; of arrays, all but their values."""
    cls = type(entry)
    if cls is float or cls is int:
        return entry == 1
    library = BY_CLASS.get((cls.__module__, cls.__qualname__))
    if library is not None:
        conditions = library.conditions and library.conditions(entry)
        return cls, conditions, entry.dtype, entry.shape
    if entry is None:
        return None
    form = _number_form(entry)
    if form is None:
        raise TypeError
    return form if cls.__module__ == "numpy" or form is complex else numbers.Real


def _number_form(number: Any) -> Any:
    """Return a type that stands for all numbers of a kind; None for no number."""
    if type(number) in (float, int):
        return float
    if isinstance(number, bool) or not isinstance(number, numbers.Complex):
        return None
    dtype = getattr(number, "dtype", None)
    if getattr(dtype, "kind", "f") not in "fiuc":  # a length of time
        return None
    return float if isinstance(number, numbers.Real) else complex


def array_form(array: Any) -> Any:
    """Return all of an array but its values."""
    form = entry_form(array)
    if type(form) is not tuple:
        raise TypeError
    return form


def boundary_form(boundary: Any) -> Any:
    """Return the words of a boundary, with types for its numbers."""
    if type(boundary) is float:
        return float
    if type(boundary) in (list, tuple):
        return type(boundary), *[boundary_form(entry) for entry in boundary]
    if type(boundary) is str:
        return boundary
    form = _number_form(boundary)
    return array_form(boundary) if form is None else form
