"""Coordinates of labelled arrays as numbers, also such as are dates."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import xarray as xr

from .._differences import difference
from .._namespaces import of_numpy
from . import units
from .by_name import beside, in_chunks

if TYPE_CHECKING:
    from .units import OfTime


class Spaced(NamedTuple):
    """What lies along a dim: a step or coordinates, and their unit if it is known.

    `is_time` is true where they were dates or lengths of time.
    """

    entry: Any
    unit: Any
    is_time: bool = False


def numbers(
    coordinate: xr.DataArray,
    data: xr.DataArray,
    name: Any,
    datetime_unit: str | None,
    counted_from: xr.DataArray | None = None,
) -> Spaced:
    """Return coordinates as numbers, dates from the first one of some on: their own.

    What is in chunks stays so, if the data is.
    """
    coordinate = beside(coordinate, data)
    dtype = coordinate.dtype
    kind = letter_of(dtype)
    is_date = kind in ("m", "M") or _are_dates(coordinate)
    if not is_date:
        if kind not in "iufcV":  # those of bfloat16 are void to NumPy
            msg = (
                f"`spacing` along {name!r} must be numbers or dates. Got the "
                f"coordinate {coordinate.name!r} of dtype {dtype}. Give "
                f"`spacing={{{name!r}: 1.0}}` for equal steps{_converted(coordinate)}."
            )
            raise TypeError(msg)
        return Spaced(coordinate.data, coordinate.attrs.get("units"))
    unit = _unit(datetime_unit, f"`spacing` along {name!r} holds times")
    dates = _dates(coordinate)
    start = dates if counted_from is None else _dates(beside(counted_from, data))
    try:
        since = _counted(start, dates, unit)
    except TypeError as error:  # of objects, which may be anything
        msg = (
            f"`spacing` along {name!r} must have dates of one kind and calendar. Got "
            f"the coordinate {coordinate.name!r} with {error}. Convert them first."
        )
        raise TypeError(msg) from None
    return Spaced(since, unit.name, True)


def _converted(coordinate: xr.DataArray) -> str:
    """Return how bins become their middles, and months dates, in the data."""
    methods = {"interval": "mid", "period": "to_timestamp()"}
    word = methods.get(str(coordinate.dtype).partition("[")[0])
    if word is None or coordinate.name not in coordinate.indexes:
        return ""
    name = repr(coordinate.name)
    return f", or `data.assign_coords({{{name}: data.indexes[{name}].{word}}})`"


def _dates(coordinate: xr.DataArray) -> xr.Variable:
    """Return dates as NumPy has them; those of a time zone as in UTC."""
    if getattr(coordinate.dtype, "tz", None) is None:
        return coordinate.variable
    dates = coordinate.to_index().tz_convert(None).to_numpy()
    return xr.Variable(coordinate.dims, dates)


def _counted(start: xr.Variable, dates: xr.Variable, unit: OfTime) -> Any:
    """Return the time since a first date, in chunks where the dates are.

    Objects are looked at all the same: they may be anything.
    """
    is_lazy = start.size > 0 and (in_chunks(start) or in_chunks(dates))
    if dates.dtype == object or not is_lazy:
        return _since(start, dates, unit)
    return xr.apply_ufunc(
        _since,
        start.isel(dict.fromkeys(start.dims, 0)),
        dates,
        kwargs={"unit": unit},
        dask="parallelized",
        output_dtypes=["float64"],
    ).data


def letter_of(dtype: Any) -> str:
    """Return NumPy's letter for a kind of dtype; none for those of other libraries."""
    return str(getattr(dtype, "kind", ""))


def kind_of(dtype: Any) -> tuple[str, bool]:
    """Return what coordinates of a dtype are: numbers, or which dates or times."""
    has_zone = getattr(dtype, "tz", None) is not None
    letter = letter_of(dtype)
    return (letter if letter in "mMO" else "", has_zone)


def length(given: Any, word: str, datetime_unit: str | None) -> Spaced:
    """Return what is no coordinate: lengths of time as numbers, others as they are."""
    is_plain = isinstance(given, datetime.timedelta)
    if letter_of(getattr(given, "dtype", None)) != "m" and not is_plain:
        return Spaced(given, getattr(given, "attrs", {}).get("units"))
    import numpy

    unit = _unit(datetime_unit, f"{word} has a length of time")
    array = xr.Variable((), given).values if is_plain else numpy.asarray(given)
    if numpy.datetime_data(array.dtype)[0] not in units.OF_TIME:
        msg = (
            f"{word} must have lengths of time in one of {list(units.OF_TIME)}. Got "
            f"{array.dtype}."
        )
        raise TypeError(msg)
    since = _since(numpy.zeros_like(array), array, unit)
    is_labelled = isinstance(given, xr.DataArray)
    entry = given.copy(data=since) if is_labelled else since[()]
    return Spaced(entry, unit.name, True)


def refuse_counted(
    names: Sequence[Any], found: Sequence[Spaced], datetime_unit: str | None
) -> None:
    """Refuse a unit of time where times are numbers, which are in another one."""
    if datetime_unit is None or any(spaced.is_time for spaced in found):
        return
    for name, spaced in zip(names, found, strict=True):
        if units.of_time(spaced.unit) not in (None, datetime_unit):
            msg = (
                f"`datetime_unit` must be None, because `spacing` along {name!r} holds "
                f"numbers, whose attribute `units` is {spaced.unit!r}. Got "
                f"{datetime_unit!r}. Leave it out, for a derivative in that unit, or "
                "decode the times first, with `xarray.decode_cf(dataset, "
                "decode_timedelta=True)`."
            )
            raise ValueError(msg)


def _unit(datetime_unit: Any, reason: str) -> OfTime:
    """Return the unit of time that is named; refuse others, and none."""
    if datetime_unit is None:
        msg = (
            f"`datetime_unit` must be given, because {reason}: the unit of time of the "
            f"derivative, such as 's', one of {list(units.OF_TIME)}."
        )
        raise ValueError(msg)
    if not isinstance(datetime_unit, str) or datetime_unit not in units.OF_TIME:
        msg = (
            f"`datetime_unit` must be one of {list(units.OF_TIME)}, which always have "
            f"the same length. Got {datetime_unit!r}."
        )
        raise ValueError(msg)
    return units.OF_TIME[datetime_unit]


def _are_dates(coordinate: xr.DataArray) -> bool:
    """Tell whether coordinates are dates of Python's, or of cftime's calendars."""
    if coordinate.dtype != object or not coordinate.size:
        return False
    first = _first(coordinate.values)[0]
    if isinstance(first, (datetime.date, datetime.timedelta)):  # pandas' are, too
        return True
    return type(first).__module__.partition(".")[0] == "cftime"


def _since(start: Any, dates: Any, unit: OfTime) -> Any:
    """Return the time since a first date: small numbers, so that none is rounded.

    NumPy's own differences and quotients of times wrap, in silence, where the span is
    no int64 of the finer unit: five centuries are none in nanoseconds.
    """
    import numpy

    is_own = start is dates
    dates = numpy.asarray(getattr(dates, "values", dates))
    start = dates if is_own else numpy.asarray(getattr(start, "values", start))
    if not start.size:
        return numpy.zeros(dates.shape)
    first = _first(start).reshape((1,) * dates.ndim)
    missing = _missing(dates)
    if dates.dtype == object:
        lengths = [
            numpy.nan if is_none else _seconds(first.item(), date)
            for date, is_none in zip(dates.flat, missing.flat, strict=True)
        ]
        return numpy.reshape(lengths, dates.shape) / (unit.nanoseconds / 1e9)
    dtype = numpy.result_type(dates, first)
    dates = dates.astype(dtype)
    ticks, first = dates.astype(numpy.int64), first.astype(dtype).astype(numpy.int64)
    count = difference(ticks, first, numpy.float64, True, of_numpy())
    name, many = numpy.datetime_data(dates.dtype)
    ratio = Fraction(many * units.OF_TIME[name].nanoseconds, unit.nanoseconds)
    since = count * ratio.numerator / ratio.denominator
    return numpy.where(missing, numpy.nan, since)


def _seconds(first: Any, date: Any) -> float:
    """Return the time from one object to another, as the standard library counts it."""
    try:
        seconds: float = (date - first).total_seconds()
    except TypeError:
        msg = f"{first!r} and {date!r}"
        raise TypeError(msg) from None
    return seconds


def _missing(dates: Any) -> Any:
    """Return which dates are none: NaT, or None and its like among objects."""
    import numpy

    if dates.dtype == object:
        return xr.DataArray(dates).isnull().values
    return numpy.isnat(dates)


def _first(dates: Any) -> Any:
    """Return the first date that is one, in an array; 1970 where all are NaT."""
    import numpy

    first = dates.flat[:1]
    if not _missing(first)[0]:
        return first
    valid = dates[~_missing(dates)]
    if valid.size:
        return valid[:1]
    return first if dates.dtype == object else numpy.zeros(1, dates.dtype)
