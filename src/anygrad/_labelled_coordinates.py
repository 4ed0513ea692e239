"""Coordinates of labelled arrays as numbers, also such as are dates."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _units
from ._differences import difference

if TYPE_CHECKING:
    import xarray as xr

    from ._units import OfTime


class Spaced(NamedTuple):
    """What lies along a dim: a step or coordinates, and their unit if it is known."""

    entry: Any
    unit: Any


def numbers(coordinate: xr.DataArray, name: Any, datetime_unit: str | None) -> Spaced:
    """Return coordinates as numbers, dates from the first one on."""
    dtype = coordinate.dtype
    is_date = dtype.kind in "mM" or _are_cftime(coordinate)
    if not is_date:
        if dtype.kind not in "iufc":
            msg = (
                f"`spacing` along {name!r} must be numbers or dates. Got the "
                f"coordinate {coordinate.name!r} of dtype {dtype}. Give "
                f"`spacing={{{name!r}: 1.0}}` for equal steps."
            )
            raise TypeError(msg)
        return Spaced(coordinate.data, coordinate.attrs.get("units"))
    if datetime_unit is None:
        msg = (
            f"`datetime_unit` must be given, because the coordinate "
            f"{coordinate.name!r} holds times: the unit of time of the derivative, "
            f"such as 's', one of {list(_units.OF_TIME)}."
        )
        raise ValueError(msg)
    if datetime_unit not in _units.OF_TIME:
        msg = (
            f"`datetime_unit` must be one of {list(_units.OF_TIME)}, which have the "
            f"same length always. Got {datetime_unit!r}."
        )
        raise ValueError(msg)
    unit = _units.OF_TIME[datetime_unit]
    return Spaced(_since_the_first(coordinate.values, unit), unit.name)


def _are_cftime(coordinate: xr.DataArray) -> bool:
    """Tell whether coordinates are dates of calendars that NumPy does not know."""
    if coordinate.dtype != object or not coordinate.size:
        return False
    first = coordinate.values.flat[0]
    return type(first).__module__.partition(".")[0] == "cftime"


def _since_the_first(dates: Any, unit: OfTime) -> Any:
    """Return the time since the first date: small numbers, so that none is rounded.

    NumPy's own differences and quotients of times wrap, in silence, where the span is
    no int64 of the finer unit: five centuries are none in nanoseconds.
    """
    import numpy
    from array_api_compat import numpy as xp

    first = dates.flat[:1].reshape((1,) * dates.ndim)
    if dates.dtype == object:  # differences are those of the standard library
        lengths = [length.total_seconds() for length in (dates - first).flat]
        return numpy.reshape(lengths, dates.shape) / (unit.nanoseconds / 1e9)
    ticks, first = dates.astype(numpy.int64), first.astype(numpy.int64)
    count = difference(ticks, first, numpy.float64, True, xp)
    name, many = numpy.datetime_data(dates.dtype)
    ratio = Fraction(many * _units.OF_TIME[name].nanoseconds, unit.nanoseconds)
    since = count * ratio.numerator / ratio.denominator
    return numpy.where(numpy.isnat(dates), numpy.nan, since)
