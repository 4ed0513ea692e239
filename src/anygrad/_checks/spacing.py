"""Where the samples lie: `spacing`."""

from __future__ import annotations

import math
import numbers
from typing import Any, NamedTuple

from .. import _constants, _refusals
from .._classes import is_array, is_number
from .._precision import Precision
from .._records import Axis, Field, Samples
from . import dim
from .companion import companion, hint_at_unknown, may_broadcast
from .input import check_numeric, words_for
from .wording import as_plain, becomes_number, by_dtype, remedy, shortened, shown


class Entry(NamedTuple):
    """The spacing along one dim."""

    #: A step, float or complex, or an array: of coordinates, or of shape () for a step.
    given: Any
    #: The user's word for it.
    name: str

    @property
    def is_number(self) -> bool:
        """Whether it is a Python number, not an array."""
        return isinstance(self.given, (float, complex))


def single(spacing: Any) -> Any:
    """Return the spacing of a derivative: with one dim, coordinates are no riddle."""
    # The symbol of a compiler for a number has no attributes.
    if type(spacing) in (float, int, list, tuple):
        return spacing
    ndim = getattr(spacing, "ndim", None)
    is_array = isinstance(ndim, int) and ndim > 0
    return [Entry(spacing, "spacing")] if is_array else spacing


def _hint_at_meaning(spacing: Any, count: int) -> str:
    """Return how to say what a single number in a list, or many, may mean."""
    has_arrays = any(getattr(item, "ndim", False) for item in spacing)
    if len(spacing) == 1 and not has_arrays:
        return " For one step along all of them, give it without a list."
    if 0 < len(spacing) < count:
        return " Name their dims in `dim`."
    if has_arrays:
        return ""
    is_line = count == 1 and len(spacing) > 1
    return " Coordinates are an array, e.g. `[numpy.asarray(x)]`." if is_line else ""


def entries(spacing: Any, count: int) -> list[Entry]:
    """Return one entry per dim, each with the user's words for it."""
    if isinstance(spacing, (list, tuple)):
        if len(spacing) != count:
            msg = (
                f"`spacing` must have one entry per dim, {count} in all. Got "
                f"{len(spacing)}.{_hint_at_meaning(spacing, count)}"
            )
            raise ValueError(msg)
        names = [f"spacing[{number}]" for number in range(count)]
        return [
            item if type(item) is Entry else Entry(as_number(item, name), name)
            for item, name in zip(spacing, names, strict=True)
        ]
    entry = Entry(1.0 if spacing is None else as_number(spacing, "spacing"), "spacing")
    if not entry.is_number:
        ndim = getattr(entry.given, "ndim", None)
        if isinstance(ndim, int) and ndim:
            msg = (
                "`spacing` must be a scalar, or a list or tuple with one entry per "
                f"dim. Got a {ndim}-dimensional array. "
                f"{_in_a_list(count, entry.given.shape)}{_as_numbers(entry.given)}"
            )
            raise TypeError(msg)
        check_kind(entry)
    return [entry] * count


def _in_a_list(count: int, shape: Any) -> str:
    """Return how coordinates are given for so many dims, or as many steps."""
    each = (
        f" with one entry per dim, {count} in all." if count > 1 else ": `spacing=[x]`."
    )
    hint = f"Put coordinates into a list{each}"
    if len(shape) == 1 and shape[0] == 1:
        return f"{hint} For a step, give it as a number."
    if count == 1 or shape[0] != count:
        return hint
    is_steps = len(shape) == 1
    other = (
        "Steps, too: `spacing=list(h)`" if is_steps else "Of `mgrid`, with `list(x)`"
    )
    return f"{hint} {other}."


def _as_numbers(given: Any) -> str:
    """Return what else is to be done to coordinates that are no plain numbers."""
    refusal = _refusals.refusal_of(type(given))
    if refusal is not None:
        return "" if refusal.carried else f" {remedy(refusal, given)}"
    dtype = getattr(given, "dtype", None)
    is_time = getattr(dtype, "kind", "") in ("M", "m")
    return f" {by_dtype(dtype)}" if is_time else ""


def as_number(item: Any, name: str) -> Any:
    """Return a Python float or complex for a number; anything else as it is."""
    is_plain = type(item) in (float, int)
    if not is_plain and (isinstance(item, bool) or not is_number(item)):
        return item
    is_real = is_plain or isinstance(item, numbers.Real)
    try:
        step = float(item) if is_real else complex(item)
    except OverflowError:
        step = math.inf
    if step == 0 or step - step != 0:  # infinity minus infinity is no number
        msg = f"`{name}` must be finite and not zero. Got {shortened(item)}."
        raise ValueError(msg)
    return step


def check_complex(entry: Entry, field: Field) -> None:
    """Refuse complex steps where there are no complex dtypes."""
    xp = field.samples.namespace
    if isinstance(entry.given, complex) and not hasattr(xp, "complex64"):
        msg = (
            f"`{entry.name}` must be real, because {xp.__name__} has no complex "
            f"dtypes. Got {shown(entry.given)}."
        )
        raise TypeError(msg)


def refuse_range(entry: Entry, precision: Precision) -> None:
    """Raise for a step by which no number of the working dtype can be divided."""
    dtype = getattr(precision.samples, "__name__", precision.samples)
    msg = (
        f"`{entry.name}` must be in the range of the dtype that `input` is "
        f"differentiated in, {dtype}. Got {shown(entry.given)}. "
        "Convert `input` to a wider dtype, or scale the steps."
    )
    raise ValueError(msg)


def check_kind(entry: Entry) -> None:
    """Refuse what is neither a number nor an array, by a glance at its type."""
    given = entry.given
    if is_array(given):
        return
    is_plain = isinstance(given, (bool, str, bytes, list, tuple, dict))
    is_other = becomes_number(given) or hasattr(given, "total_seconds")
    if given is None or is_plain or is_other:
        msg = f"`{entry.name}` must be a number or an array. Got {shown(given)}."
        raise TypeError(msg + (_instead(given) or as_plain(given)))


def _instead(given: Any) -> str:
    """Return what stands here for what other functions take."""
    if given is None:
        return " Give 1 for steps of one."
    is_by_dim = isinstance(given, dict)
    return " Give a list with one entry per dim, in their order." if is_by_dim else ""


def array(entry: Entry, field: Field) -> Samples:
    """Return what there is to know of an array that is a step, or coordinates."""
    check_kind(entry)
    found = companion(entry.given, field, entry.name)
    check_numeric(found, entry.name)
    return _constants.as_placed(found, field.samples)


def check_coordinates(x: Samples, entry: Entry, axis: Axis, field: Field) -> None:
    """Refuse coordinates that do not fit to the samples."""
    length, shape = field.shape[axis.number], tuple(x.shape)
    what = words_for(field)
    if len(shape) not in (1, field.ndim):
        ranks = (
            "a scalar or a 1-dimensional array of coordinates"
            if field.ndim == 1
            else "a scalar, a 1-dimensional array of coordinates, or have "
            f"{field.ndim} dimensions as {what}"
        )
        msg = f"`{entry.name}` must be {ranks}. Got shape {shape}."
        raise ValueError(msg)
    along = shape[0] if len(shape) == 1 else shape[axis.number]
    if along != length:
        msg = (
            f"`{entry.name}` must have one coordinate per point along dimension "
            f"{dim.in_samples(axis, field)} of `input`, {length} in all. Got shape "
            f"{shape}."
        )
        hint = hint_at_unknown(along) or _hint_at_indexing(shape, axis, field)
        if not hint:
            hint = _hint_at_order(shape, field)
            hint += _hint_at_length(along, length, len(shape))
        raise ValueError(msg + hint)
    if len(shape) == 1:
        return
    pairs = list(zip(shape, field.shape, strict=True))
    if any(k != axis.number and not may_broadcast(*p) for k, p in enumerate(pairs)):
        msg = (
            f"`{entry.name}` must be broadcastable to {what}, of shape "
            f"{tuple(field.shape)}{_of_whole(field)}. Got shape {shape}."
        )
        hint = hint_at_unknown(*shape, *field.shape)
        hint = hint or _hint_at_indexing(shape, axis, field)
        raise ValueError(msg + (hint or _hint_at_broadcasting(pairs)))


def _hint_at_broadcasting(pairs: list[tuple[Any, Any]]) -> str:
    """Return what to do where the samples are the same on all lines."""
    both = all(may_broadcast(a, b) or b == 1 for a, b in pairs)
    return " Broadcast `input` first, with `broadcast_to`." if both else ""


def _hint_at_length(along: Any, length: Any, ndim: int) -> str:
    """Return what to pass instead of what may be no coordinates of points."""
    if along == 1 and ndim == 1:
        return " For a step, give it as a number."
    if along == length - 1:
        return " Of the steps between points, pass the sums, from 0 on."
    if along == length + 1:
        return " Of the edges of cells, pass the middles."
    if along == 1:
        return " Of a step for each line, pass its multiples: 0, 1, 2, ... times it."
    return ""


def _hint_at_order(shape: tuple[Any, ...], field: Field) -> str:
    """Return to which dim coordinates belong, if it is another one."""
    if len(shape) > 1 or shape[0] not in field.shape:
        return ""
    number = field.shape.index(shape[0])
    place = field.vector_axis
    number += place is not None and number >= place
    return (
        f" Dimension {number} is as long: name it in `dim`, or give the entries in the "
        "order of the dims."
    )


def _hint_at_indexing(shape: tuple[Any, ...], axis: Axis, field: Field) -> str:
    """Return what is wrong where the first two dims of a grid are exchanged."""
    if field.ndim < 2 or len(shape) != field.ndim:
        return ""
    first, second, *others = field.shape
    exchanged = (second, first, *others)
    place = {0: 1, 1: 0}.get(axis.number, axis.number)
    pairs = zip(shape, exchanged, strict=True)
    if shape[place] != exchanged[place] or not all(may_broadcast(*p) for p in pairs):
        return ""
    return (
        " These are the coordinates that `meshgrid` makes by default, with its first "
        "two dims exchanged: call it with `indexing='ij'`."
    )


def _of_whole(field: Field) -> str:
    """Return the shape that the user sees, where a component has another."""
    if field.vector_axis is None:
        return ""
    return f" for an `input` of shape {tuple(field.samples.shape)}"
