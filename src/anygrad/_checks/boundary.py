"""What stands at the ends of the dims: `boundary`."""

from __future__ import annotations

import contextlib
import math
import numbers
from collections.abc import Mapping
from typing import Any

from .. import _boundaries, _precision
from .._classes import is_array, is_number
from .._records import Axis, Ends, Field
from . import dim
from .wording import as_plain, meant, shortened, shown

#: What SciPy, NumPy and torch call what lies beyond the ends, where it is not as here.
ELSEWHERE = {
    "border": "edge",
    "circular": "periodic",
    "extend": "edge",
    "extrapolate": "one_sided",
    "grid-mirror": "symmetric",
    "grid-wrap": "periodic",
    "mirror": "reflect",
    "nearest": "edge",
    "none": "one_sided",
    "replicate": "edge",
    "wrap": "periodic",
}

#: What they call a number beyond the ends.
OF_A_NUMBER = {"constant", "dirichlet", "fill", "grid-constant", "zero", "zeros"}

#: What a period is easily counted wrong by.
ONCE = "Leave out a last point that repeats the first one."


class Brought(str):
    """The word for ghosts, where it is no tag: the samples hold them by now."""

    __slots__ = ()


def single(boundary: Any) -> Any:
    """Return the boundary of a derivative along one dim."""
    if isinstance(boundary, list):
        msg = (
            "`boundary` must be one mode or a pair of them. Got "
            f"{shown(boundary)}. Lists are for several dims."
        )
        raise TypeError(msg)
    return boundary


def ends(boundary: Any, count: int) -> list[Ends]:
    """Return what each dim has at its ends."""
    if not isinstance(boundary, list):
        found = _ends(boundary, "boundary", count)
        if count > 1:
            refuse_pair(boundary, count)
        return [found] * count
    if len(boundary) != count:
        msg = (
            "`boundary` must be one mode, or a list with one entry per dim, "
            f"{count} in all. Got {len(boundary)}."
        )
        raise ValueError(msg)
    return [_ends(item, f"boundary[{k}]") for k, item in enumerate(boundary)]


def is_pair(boundary: Any) -> bool:
    """Tell whether it has a mode for each end; ('periodic', period) has one mode."""
    is_of_two = isinstance(boundary, tuple) and len(boundary) == 2
    return is_of_two and not _has_period(*boundary)


def is_period(boundary: Any) -> bool:
    """Tell whether it is ('periodic', period)."""
    is_tuple = isinstance(boundary, tuple) and len(boundary) > 1
    return is_tuple and _has_period(*boundary[:2])


def has_ghosts(entry: Any) -> bool:
    """Tell whether the boundary of a dim speaks of ghosts among the samples."""
    if isinstance(entry, tuple):
        return any(map(has_ghosts, entry))
    return isinstance(entry, str) and entry == _boundaries.GHOSTS


def brings_ghosts(boundary: Any) -> bool:
    """Tell whether some entry of a boundary brings ghosts beside the samples."""
    is_many = isinstance(boundary, (list, tuple))
    return is_tagged(boundary) or (is_many and any(map(brings_ghosts, boundary)))


def is_tagged(entry: Any) -> bool:
    """Tell whether an entry is ("ghosts", samples[, coordinates]), and no pair.

    What has no dims is a value beyond the other end, as a number is.
    """
    if not isinstance(entry, tuple) or len(entry) not in (2, 3):
        return False
    first, second = entry[:2]
    if not isinstance(first, str) or first != _boundaries.GHOSTS:
        return False
    if isinstance(first, Brought):
        return False
    if len(entry) == 3:
        return True
    is_mode = isinstance(second, (str, tuple, numbers.Number))
    return not is_mode and getattr(second, "ndim", None) != 0


def _has_period(first: Any, second: Any) -> bool:
    is_periodic = isinstance(first, str) and first == "periodic"
    return is_periodic and not isinstance(second, str)


def refuse_pair(boundary: Any, count: int) -> None:
    """Refuse what may be meant for both ends or, as in `spacing`, for two dims."""
    if not is_pair(boundary):
        return
    ends = shown(boundary)
    of_dims = f"; for one entry per dim, a list of {count}"
    if any(map(is_tagged, boundary)):  # which lie at one end
        of_dims = ""
    elif count == 2:
        of_dims = f"; for one entry per dim, `{shown(list(boundary))}`"
    msg = (
        f"`boundary` must not be a bare pair for {count} dims. Got {ends}. For the "
        f"left and the right end of every dim, write `[{ends}] * {count}`{of_dims}."
    )
    raise ValueError(msg)


def _ends(item: Any, name: str, count: int = 1) -> Ends:
    """Return what stands at the ends of one dim, or of so many alike."""
    if not isinstance(item, tuple):
        mode, constant = _mode(item, name)
        return Ends(
            mode, mode, None if constant is None else (constant, constant), None
        )
    if len(item) != 2 or any(map(is_period, item)):
        msg = (
            f"`{name}` must be a mode, a pair (left, right) of them, or ('periodic', "
            f"period). Got {shown(item)}."
        ) + (" For one entry per dim, write a list." if count > 1 else "")
        raise ValueError(msg)
    first, second = item
    if _has_period(first, second):
        return Ends(first, first, None, _period(second, name))
    (left, below), (right, above) = _mode(first, name), _mode(second, name)
    if left != right and "periodic" in (left, right):
        msg = f"`{name}` must be 'periodic' at both ends or at none. Got {shown(item)}."
        raise ValueError(msg)
    constants = None if below is above is None else (below, above)
    return Ends(left, right, constants, None)


def _mode(item: Any, name: str) -> tuple[str, Any]:
    """Return a mode, and its constant or None."""
    modes = (_boundaries.ONE_SIDED, *_boundaries.MODES)
    if isinstance(item, str) and item in modes:
        return modes[modes.index(item)], None  # a plain word, of whatever class it is
    if type(item) in (float, int):
        with contextlib.suppress(OverflowError):
            return _boundaries.CONSTANT, float(item)
    if not isinstance(item, bool) and is_number(item):
        with contextlib.suppress(TypeError, OverflowError):
            if isinstance(item, numbers.Real):
                return _boundaries.CONSTANT, float(item)
            return _boundaries.CONSTANT, complex(item)
    if is_array(item):
        return _boundaries.CONSTANT, item
    listed = ", ".join([repr(mode) for mode in modes])
    is_word = isinstance(item, str)
    hint = _meant_elsewhere(item, modes) if is_word else _meant_otherwise(item)
    msg = (
        f"`{name}` must be one of {listed}, or a number or an array. "
        f"Got {shown(item)}.{hint}"
    )
    raise (ValueError if is_word else TypeError)(msg)


def _meant_elsewhere(word: str, modes: tuple[str, ...]) -> str:
    """Return what a word is here: SciPy's, NumPy's or torch's, or a misspelt one."""
    if word.lower() in OF_A_NUMBER:
        return " Write the number itself, such as 0.0."
    if word.lower() == "neumann":
        return (
            " Where nothing changes across a wall, write 'reflect' if it is at the "
            "last point, and 'symmetric' if it is half a step beyond."
        )
    return meant(ELSEWHERE.get(word.lower(), word), modes)


def _meant_otherwise(item: Any) -> str:
    """Return what is neither a word nor a value here."""
    if item is None:
        return " Write 'one_sided', the default."
    if isinstance(item, Mapping):
        return " Write a pair (left, right) for the ends, a list for several dims."
    return as_plain(item)


def _period(value: Any, name: str) -> Any:
    if is_array(value) and not is_number(value):
        return value
    is_real = type(value) in (float, int) or isinstance(value, numbers.Real)
    if isinstance(value, bool) or not is_real:
        msg = (
            f"`{name}` must have a real number or an array as its period. Got "
            f"{shown(value)}.{as_plain(value)}"
        )
        raise TypeError(msg)
    try:
        period = float(value)
    except OverflowError:
        period = math.inf
    if not 0 < period < math.inf:
        msg = (
            f"`{name}` must have a positive, finite period. Got {shortened(value)}. "
            "It is a length: it has no sign, even where the coordinates descend."
        )
        raise ValueError(msg)
    return period


def check_for_field(ends: Ends, axis: Axis, field: Field) -> None:
    """Refuse complex values beyond the ends of real samples, and what does not fit."""
    if any(map(is_array, ends.values())):
        from . import beyond

        beyond.check(ends, axis, field)
    if ends.constants is None or _precision.is_complex(
        field.dtype, field.samples.namespace
    ):
        return
    for constant in ends.constants:
        if isinstance(constant, complex):
            msg = (
                f"`boundary` must be real for a real `input`. Got {shown(constant)}. "
                "Convert `input` to a complex dtype first."
            )
            raise TypeError(msg)


def check_for_step(ends: Ends, axis: Axis, field: Field) -> None:
    """Refuse a period where the step says what it is."""
    if ends.period is not None:
        msg = (
            "`boundary` must not have a period for a step, along dimension "
            f"{dim.in_samples(axis, field)} of `input`. Got {shown(ends.period)}. The "
            "period is the step times the number of points: write 'periodic'. "
            f"{ONCE}{_in_a_list(field)}"
        )
        raise ValueError(msg)


def _in_a_list(field: Field) -> str:
    """Return what to do where another dim wants what this one does not."""
    if field.ndim < 2:
        return ""
    return " For steps along some dims only, write a list with one entry per dim."


def check_for_coordinates(
    ends: Ends, axis: Axis, field: Field, is_complex: bool
) -> None:
    """Refuse periodic coordinates without a period, and complex ones."""
    if ends.left != "periodic":
        return
    along = f"along dimension {dim.in_samples(axis, field)} of `input`"
    if ends.period is None:
        msg = (
            f"`boundary` must have the period of the coordinates {along}. Got "
            f"'periodic'. Write ('periodic', period). {ONCE}{_in_a_list(field)}"
        )
        raise ValueError(msg)
    if is_complex:
        msg = (
            f"`boundary` must not be periodic for complex coordinates, {along}. Got "
            f"{shown(ends.period)}. A period is a length."
        )
        raise ValueError(msg)
