"""Coordinates of a curved system, and the dims that they belong to."""

from __future__ import annotations

import numbers
from typing import Any, NamedTuple

from .. import _classes, _constants, _dispatch, _precision, _refusals
from .._classes import is_array
from .._records import Samples
from .._unmasked import unmasked
from . import dtype, spacing
from .input import check_real, is_unknown, refuse_unknown
from .integers import integer
from .spacing import Entry, check_kind
from .wording import shown


def in_unit(given: Any, name: str, unit: str) -> Any:
    """Return the numbers of angles that are quantities; plain ones as they are."""
    found = _refusals.carried(given)
    if not isinstance(found, _refusals.Units):
        return unmasked(given)
    try:
        return unmasked(found.magnitude(given.to(unit)))
    except Exception as error:  # in the words of the library
        error.add_note(f"`{name}` must be an angle, in a unit that can become {unit}.")
        raise


def is_number(given: Any, name: str) -> bool:
    """Tell whether something is one number, in an array or not; refuse nonsense."""
    if type(given) in (float, int):
        return True
    check_kind(Entry(given, name))
    if isinstance(given, numbers.Real) and not _classes.is_length_of_time(given):
        return True
    if isinstance(_refusals.carried(given), _refusals.Units):
        return not getattr(given, "shape", ())
    if isinstance(given, numbers.Complex) and not is_array(given):
        msg = f"`{name}` must be real. Got {shown(given)}."
        raise TypeError(msg)
    samples = _dispatch.samples_of(given, name)
    check_real(samples, name)
    return len(samples.shape) == 0


def length(given: Any, angles: Samples, other: str) -> Any:
    """Return a radius that is one number, for a product with what angles become."""
    plain = spacing.as_number(given, "radius")
    if is_array(plain) and not isinstance(_refusals.carried(plain), _refusals.Units):
        found = _dispatch.samples_of(plain, "radius")
        if _constants.is_constant(plain):
            return spacing.as_number(plain[()], "radius")
        check_together(found, angles, other)
    return plain


def check_radius(given: Any) -> None:
    """Refuse coordinates where there is one radius for all samples."""
    if is_number(given, "radius"):
        return
    msg = (
        f"`radius` must be a number. Got an array of shape {tuple(given.shape)}. Call "
        "`spherical` for samples with a dim of radii."
    )
    raise ValueError(msg)


def coordinate(given: Any, name: str) -> Samples:
    """Return what there is to know of coordinates, with floating numbers."""
    samples = _dispatch.samples_of(unmasked(given), name)
    xp, shape = samples.namespace, tuple(samples.shape)
    check_real(samples, name)
    if len(shape) != 1:
        msg = (
            f"`{name}` must be a 1-dimensional array: along each dim of the samples, "
            f"one coordinate. Got shape {shape}. Pass what a `meshgrid` was made of. "
            "On other grids, give `scale_factors` yourself: the distances of "
            "neighbours per step of `spacing`."
        )
        raise ValueError(msg)
    if is_unknown(shape[0]):
        refuse_unknown(name, shape)
    # Nobody has sines of 8 bits.
    is_short = _precision.is_integer(samples.dtype, xp)
    if is_short or xp.finfo(samples.dtype).bits < 16:
        real = _precision.default_real(samples.device, xp)
    elif samples.array.dtype != samples.dtype:  # of more bits than there are now
        real = samples.dtype
    else:
        return samples
    array = xp.astype(samples.array, real)
    return samples._replace(array=array, dtype=real)


class Lengths(NamedTuple):
    """Coordinates that are lengths, which have a unit where they are quantities."""

    #: Their numbers.
    samples: Samples
    #: They themselves.
    given: Any

    def whole(self, numbers: Any) -> Any:
        """Return numbers with the unit that they have, if there is one."""
        found = _refusals.carried(self.given)
        if not isinstance(found, _refusals.Units):
            return numbers
        return found.quantity(numbers, found.unit(self.given), self.given)


def lengths(given: Any, name: str) -> Lengths:
    """Return what there is to know of coordinates that may be quantities."""
    found = _refusals.carried(given)
    plain = found.magnitude(given) if isinstance(found, _refusals.Units) else given
    return Lengths(coordinate(plain, name), given)


def step_or_coordinates(given: Any, name: str) -> Any:
    """Return a step as it is, and coordinates once they are checked."""
    if is_number(given, name):
        return given
    found = lengths(given, name)
    return found.whole(found.samples.array)


def dims(given: Any, usual: tuple[int, ...]) -> tuple[int, ...]:
    """Return the dims of the coordinates, in their order."""
    if given is None:
        return usual
    is_list = isinstance(given, (list, tuple))
    numbers = [integer(item) for item in given] if is_list else [None]
    found = tuple([number for number in numbers if number is not None])
    if len(found) != len(numbers):
        msg = f"`dim` must be a list or tuple of ints. Got {shown(given)}."
        raise TypeError(msg)
    is_each_once = len(found) == len(set(found)) == len(usual)
    if not is_each_once or any(number >= 0 for number in found):
        msg = (
            f"`dim` must name {len(usual)} dims, each once and by a negative number, "
            f"counted from the last dim of the samples. Got {shown(given)}."
        )
        raise ValueError(msg)
    return found


def check_together(
    radius: Samples, angles: Samples, other: str = "inclination"
) -> None:
    """Refuse coordinates that cannot be multiplied."""
    if radius.namespace.__name__ == angles.namespace.__name__:
        pair = radius.dtype, angles.dtype
        dtype.check_pair("radius", *pair, radius.namespace, other)
        return
    msg = (
        f"`radius` must be an array of the same library as `{other}`. Got "
        f"{_classes.type_name(radius.array)} and "
        f"{_classes.type_name(angles.array)}. Convert one of them first."
    )
    raise TypeError(msg)
