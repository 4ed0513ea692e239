"""Ghosts that the caller brings: ``("ghosts", samples)`` at an end, in `boundary`."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import _boundaries, _precision
from .._classes import is_array, ndim_of
from .._records import Axis, Field, Samples
from . import dim
from .boundary import Brought, brings_ghosts, is_tagged
from .companion import companion, may_broadcast
from .spacing import Entry
from .wording import as_plain, conversion, shown

ENDS = ("left", "right")


class Given(NamedTuple):
    """The ghosts at one end."""

    #: Arrays in the order of the axis; None for no coordinates.
    samples: Any
    coordinates: Any
    #: 0 for the left one, 1 for the right one.
    end: int
    #: The user's word for them.
    name: str


class Parsed(NamedTuple):
    """What a boundary with ghosts is made of, for each entry."""

    #: The same in words, as of samples that hold the ghosts.
    modes: list[Any]
    #: What is given at the left and at the right end.
    sides: list[tuple[Given | None, Given | None]]


def parsed(boundary: Any) -> Parsed:
    """Return the modes and the ghosts of each entry of a boundary, in its order."""
    if isinstance(boundary, list):
        entries = [_parsed(e, f"boundary[{k}]") for k, e in enumerate(boundary)]
    else:
        entries = [_parsed(boundary, "boundary")]
    return Parsed([mode for mode, _ in entries], [sides for _, sides in entries])


def _parsed(entry: Any, name: str) -> tuple[Any, tuple[Given | None, Given | None]]:
    if is_tagged(entry):
        msg = (
            f"`{name}` must say at which end the ghosts lie. Got {shown(entry)}. Write "
            "a pair, e.g. `(('ghosts', samples), 'one_sided')` for the left one."
            f"{_as_values(entry)}"
        )
        raise ValueError(msg)
    if not isinstance(entry, tuple) or len(entry) != 2:
        return entry, (None, None)
    left, right = [
        Given(item[1], item[2] if len(item) == 3 else None, end, name)
        if is_tagged(item)
        else None
        for end, item in enumerate(entry)
    ]
    # A word beside an array would be a tag again.
    word = Brought if any(map(is_array, entry)) else str
    modes = [
        item if side is None else word(_boundaries.GHOSTS)
        for item, side in zip(entry, (left, right), strict=True)
    ]
    return tuple(modes), (left, right)


def _as_values(entry: tuple[Any, ...]) -> str:
    """Return how ghosts in the samples are written beside an array of values."""
    if len(entry) != 2 or not is_array(entry[1]):
        return ""
    return (
        " Where `input` holds those, and the array is the value of each line beyond "
        "the right end, take them out of `input`: write "
        "`(('ghosts', samples), values)`."
    )


def check_where(where: Any) -> None:
    """Refuse a mask, of which the ghosts have no part."""
    if where is not None:
        msg = (
            "`where` must be None, and `input` must have no mask, where `boundary` "
            "brings ghosts. Put them into `input` and their part of the mask into "
            "`where`, and write 'ghosts'."
        )
        raise ValueError(msg)


def check_masked(boundary: Any) -> None:
    """Refuse ghosts beside masked samples, of whose mask they have no part."""
    if brings_ghosts(boundary):
        msg = (
            "`boundary` must not bring ghosts where `input` is a masked array. Put "
            "them into `input`, masked or not, and write 'ghosts'."
        )
        raise ValueError(msg)


def check_corners(dims: int) -> None:
    """Refuse ghosts along several dims where what lies beyond both would be read."""
    if dims > 1:
        msg = (
            "`boundary` must bring ghosts for one dim at most in `hessian`, which "
            f"reads the corners between them, too. Got ghosts for {dims} dims. Put "
            "them and the corners into `input`, and write 'ghosts'."
        )
        raise ValueError(msg)


def check_alike(array: Any, name: str, axis: Axis, from_last: int, length: Any) -> None:
    """Refuse what varies along a dim with ghosts, and says nothing of these."""
    if not is_array(array) or array.ndim < -from_last:
        return
    if array.shape[from_last] == length != 1:
        msg = (
            f"`{name}` must not vary along `{axis.word}` {axis.given}, for which "
            f"`boundary` brings ghosts. Got shape {tuple(array.shape)}. Put these into "
            f"`input`, what belongs to them into `{name}`, and write 'ghosts'."
        )
        raise ValueError(msg)


def arrays_in(boundary: Any, name: str) -> list[tuple[str, Any]]:
    """Return the arrays of a boundary, but for ghosts, with the user's words."""
    if isinstance(boundary, list):
        named = [(f"{name}[{k}]", entry) for k, entry in enumerate(boundary)]
        return [found for word, entry in named for found in arrays_in(entry, word)]
    if isinstance(boundary, tuple):
        return [found for entry in boundary for found in arrays_in(entry, name)]
    return [(name, boundary)] if is_array(boundary) else []


def check(
    given: Given | None, axis: Axis, entry: Entry, field: Field, count: int
) -> None:
    """Refuse ghosts that are of another kind than the samples, too few or misplaced."""
    if given is None:
        return
    if not is_array(given.samples):
        msg = (
            f"`{given.name}` must have an array as its ghosts. Got "
            f"{shown(given.samples)}.{as_plain(given.samples)} For one value "
            "everywhere, write the number alone."
        )
        raise TypeError(msg)
    found = companion(given.samples, field, given.name)
    place = dim.in_samples(axis, field)
    _check_dtype(found, field.samples, given, "`input`")
    shape, full = tuple(found.shape), tuple(field.samples.shape)
    wanted = (*full[:place], count, *full[place + 1 :])
    if not _fits(shape, wanted, place):
        msg = (
            f"`{given.name}` must have ghosts at the {ENDS[given.end]} end of "
            f"dimension {place} in the shape {wanted}, or longer along it. Got shape "
            f"{shape}. `halo_width` says how many."
        )
        raise ValueError(msg)
    _check_coordinates(given, axis, entry, field, shape[place])


def _fits(
    shape: tuple[Any, ...], wanted: tuple[Any, ...], place: int | None = None
) -> bool:
    """Tell whether a shape is the one wanted, or longer along one axis."""
    if len(shape) != len(wanted):
        return False
    return all(
        a >= b if k == place else a == b or (a != 1 and may_broadcast(a, b))
        for k, (a, b) in enumerate(zip(shape, wanted, strict=True))
    )


def _check_coordinates(
    given: Given, axis: Axis, entry: Entry, field: Field, count: int
) -> None:
    """Refuse coordinates of ghosts that are not as those of the samples."""
    is_uneven = ndim_of(entry.given) > 0
    if given.coordinates is None:
        if is_uneven:
            msg = (
                f"`{given.name}` must have the coordinates of its ghosts, beside those "
                "of the samples. Write `('ghosts', samples, coordinates)`."
            )
            raise ValueError(msg)
        return
    if not is_uneven:
        msg = (
            f"`{given.name}` must not have coordinates for its ghosts where "
            f"`{entry.name}` is a step. Write `('ghosts', samples)`."
        )
        raise ValueError(msg)
    if not is_array(given.coordinates):
        msg = (
            f"`{given.name}` must have an array as the coordinates of its ghosts. Got "
            f"{shown(given.coordinates)}.{as_plain(given.coordinates)}"
        )
        raise TypeError(msg)
    found, x = companion(given.coordinates, field, given.name), entry.given
    _check_dtype(found, companion(x, field, entry.name), given, f"`{entry.name}`")
    place = axis.number if x.ndim > 1 else 0
    shape, full = tuple(found.shape), tuple(x.shape)
    wanted = (*full[:place], count, *full[place + 1 :])
    if not _fits(shape, wanted):
        msg = (
            f"`{given.name}` must have one coordinate per ghost, in the shape "
            f"{wanted}. Got shape {shape}."
        )
        raise ValueError(msg)


def _check_dtype(found: Samples, like: Samples, given: Given, name: str) -> None:
    """Refuse what another dtype would lose."""
    kinds = (_precision.is_numeric, _precision.is_integer, _precision.is_complex)
    is_numeric, is_integer, is_complex = [
        k(found.dtype, found.namespace) for k in kinds
    ]
    if not is_numeric:
        remedy = conversion(found)
    elif _precision.is_integer(like.dtype, like.namespace) and not is_integer:
        remedy = f"Convert {name} to a floating dtype first."
    elif is_complex and not _precision.is_complex(like.dtype, like.namespace):
        remedy = f"Convert {name} to a complex dtype first."
    else:
        return
    msg = (
        f"`{given.name}` must have ghosts of a dtype that {name} can hold. Got "
        f"{found.dtype} for {like.dtype}. {remedy}"
    )
    raise TypeError(msg)
