"""Which dims: `dim`, `axis`, `vector_dim`, `stack_dim`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._classes import is_array
from .._records import Axis, Field, Samples
from .integers import index, integer
from .wording import shortened, shown, static


def axes(field: Field, dim: Any, axis: Any) -> list[Axis]:
    """Return the axes in a field, in the user's order.

    The user's numbers are those of all samples; None is all dims but the components'.
    """
    word = "dim"
    if axis is not None:
        refuse_both(dim, axis)
        dim, word = axis, "axis"
    ndim = len(field.samples.shape)
    if dim is None:
        dim = [k for k in range(ndim) if k != field.vector_axis]
    given = dim if isinstance(dim, (list, tuple, range)) else (dim,)
    numbers = [_axis(ndim, item, word, dim) for item in given]
    if len(set(numbers)) != len(numbers):
        msg = (
            f"`{word}` must name each dimension once. Got {shown(dim)} for a "
            f"{ndim}-dimensional `input`."
        )
        raise ValueError(msg)
    return [
        Axis(_in_component(number, field, word, item), word, item)
        for number, item in zip(numbers, given, strict=True)
    ]


def _in_component(number: int, field: Field, word: str, given: Any) -> int:
    """Return the number of an axis in what is differentiated."""
    if field.vector_axis is None:
        return number
    if number == field.vector_axis:
        msg = (
            f"`{word}` must not name `vector_dim`. Got {given} for both. The "
            "components of a field have no distance from each other."
        )
        raise ValueError(msg)
    return number - (number > field.vector_axis)


def in_samples(axis: Axis, field: Field) -> int:
    """Return the number of an axis in all samples, as the user counts."""
    place = field.vector_axis
    return axis.number + (place is not None and axis.number >= place)


def single(dim: Any, axis: Any) -> Any:
    """Return the `dim` of a derivative along one: by default the last."""
    if axis is not None:
        refuse_both(dim, axis)
    for word, given in (("dim", dim), ("axis", axis)):
        if isinstance(given, (list, tuple, range)):
            msg = (
                f"`{word}` must be one int. Got {shown(given)}. Call `gradient` for "
                "several dims."
            )
            raise TypeError(msg)
        if given is not None and integer(given) is None:
            hint = static(given)
            if not hint and getattr(given, "shape", None) == ():
                hint = _as_ints(given)
            msg = f"`{word}` must be an int. Got {shown(given)}.{hint}"
            raise TypeError(msg)
    return -1 if dim is axis is None else dim


def refuse_both(dim: Any, axis: Any) -> None:
    """Raise where both `dim` and `axis` are given."""
    if dim is not None:
        msg = (
            "`dim` and `axis` are two words for one argument. Got "
            f"dim={shown(dim)} and axis={shown(axis)}. Give one of them."
        )
        raise TypeError(msg)


def _axis(ndim: int, item: Any, word: str, given: Any) -> int:
    try:
        number = index(item)
    except TypeError:
        msg = (
            f"`{word}` must be an int, or a list, tuple or range of ints. Got "
            f"{shown(given)}.{static(given) or _as_ints(given)}"
        )
        raise TypeError(msg) from None
    if not -ndim <= number < ndim:
        if ndim == 0:
            named = f"`{word}` {shortened(number)}"
            msg = f"`input` must have the dimension {named}. Got shape ()."
            raise IndexError(msg)
        msg = (
            f"`{word}` must lie between {-ndim} and {ndim - 1} for a "
            f"{ndim}-dimensional `input`. Got {shortened(number)}."
        )
        raise IndexError(msg)
    return number % ndim


def _as_ints(given: Any) -> str:
    """Return how what holds the numbers of dims becomes ints."""
    if hasattr(given, "tolist"):
        is_other = "int" not in str(getattr(given, "dtype", "int"))
        return "" if is_other else " Convert it first, with `tolist()`."
    is_other = is_array(given) or isinstance(given, (str, bytes, list, tuple))
    is_line = isinstance(given, Iterable) and not is_other
    return " Convert it first, e.g. with `tuple`." if is_line else ""


def check_some(axes: list[Axis], axis: Any) -> None:
    """Refuse a sum or a stack of nothing."""
    if not axes:
        word = "dim" if axis is None else "axis"
        msg = f"`{word}` must name at least one dimension. Got none."
        raise ValueError(msg)


def check_curl(axes: list[Axis], axis: Any) -> None:
    """Refuse rotations of other than two or three dimensions."""
    if len(axes) not in (2, 3):
        msg = (
            f"`{'dim' if axis is None else 'axis'}` must name two or three dims for a "
            f"curl. Got {len(axes)}."
        )
        raise ValueError(msg)


def _integer(given: Any, name: str) -> int:
    number = integer(given)
    if number is None:
        msg = f"`{name}` must be an int. Got {shown(given)}.{static(given)}"
        raise TypeError(msg)
    return number


def stack_axis(stack_dim: Any, ndim: int) -> int:
    """Return where new dims begin; negative numbers count from behind the last one."""
    number = _integer(stack_dim, "stack_dim")
    if not -ndim - 1 <= number <= ndim:
        msg = (
            f"`stack_dim` must lie between {-ndim - 1} and {ndim} for a "
            f"{ndim}-dimensional `input`. Got {shortened(number)}."
        )
        raise IndexError(msg)
    return number % (ndim + 1)


def vector_axis(vector_dim: Any, samples: Samples) -> int:
    """Return the axis of the components."""
    ndim, number = len(samples.shape), _integer(vector_dim, "vector_dim")
    if not -ndim <= number < ndim:
        msg = (
            f"`vector_dim` must name a dimension of `input`, which has {ndim}. "
            f"Got {shortened(number)}."
        )
        raise IndexError(msg)
    return number % ndim
