"""Arrays beyond the ends of the dims: values and periods, one for each line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _constants, _precision
from .._classes import is_array
from .._records import Axis, Ends, Field, Samples
from . import dim
from .companion import broadcasts, companion, hint_at_unknown, may_broadcast
from .input import check_numeric, words_for


def check(ends: Ends, axis: Axis, field: Field) -> None:
    """Refuse arrays that are of another kind than the samples, or do not fit."""
    for value in ends.constants or ():
        if is_array(value):
            _check_value(value, axis, field)
    if is_array(ends.period):
        _check_period(ends.period, axis, field)


def _check_value(value: Any, axis: Axis, field: Field) -> None:
    """Refuse values that cannot stand for samples."""
    found, samples = _companion(value, field), field.samples
    is_real = not _precision.is_complex(field.dtype, samples.namespace)
    if is_real and _precision.is_complex(found.dtype, found.namespace):
        msg = (
            f"`boundary` must be real for a real `input`. Got {found.dtype}. Convert "
            "`input` to a complex dtype first."
        )
        raise TypeError(msg)
    _check_shape(found, samples.shape, dim.in_samples(axis, field), "`input`")


def _check_period(period: Any, axis: Axis, field: Field) -> None:
    """Refuse periods that are no lengths."""
    found = _companion(period, field)
    if _precision.is_complex(found.dtype, found.namespace):
        msg = (
            f"`boundary` must have a real period. Got {found.dtype}. A period is a "
            "length."
        )
        raise TypeError(msg)
    _check_shape(found, field.shape, axis.number, words_for(field))


def _companion(array: Any, field: Field) -> Samples:
    """Return what there is to know of an array of numbers."""
    found = companion(array, field, "boundary")
    check_numeric(found, "boundary")
    return _constants.as_placed(found, field.samples)


def _check_shape(found: Samples, full: Sequence[Any], place: int, what: str) -> None:
    """Refuse arrays that do not broadcast to what lies across an axis."""
    shape, across = tuple(found.shape), (*full[:place], 1, *full[place + 1 :])
    if broadcasts(shape, across):
        return
    msg = (
        f"`boundary` must be a scalar or broadcastable to {what} with a length of 1 "
        f"along dimension {place}, that is to the shape {across}. Got shape {shape}."
    )
    if len(shape) == len(across) - 1:
        index = ", ".join([":"] * place + ["None"] + [":"] * (len(shape) - place))
        msg += f" For one value per line, write e.g. `values[{index}]`."
    elif len(shape) == len(across) and not may_broadcast(shape[place], 1):
        msg += " For samples beyond an end, write `('ghosts', samples)` for that end."
    else:
        msg += hint_at_unknown(*shape, *across)
    raise ValueError(msg)
