"""What lies beyond the ends of labelled arrays, in the order of their dims.

A DataArray is a value or a period for each line, by the names of the dims across; as
ghosts, it brings its coordinates along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import xarray as xr

from .._boundaries import GHOSTS
from .._checks.boundary import has_ghosts, is_pair, is_period, is_tagged
from .._checks.wording import shown
from . import coordinates, units
from .by_name import aligned, per_dim, placed


class Dim(NamedTuple):
    """One dim, and the samples that end there."""

    #: Its name, hashable.
    name: Any
    #: All samples, and those of one component if it is a field.
    data: xr.DataArray
    component: xr.DataArray
    #: That along the dim; None for a step.
    coordinate: xr.DataArray | None
    #: The unit of lengths of time.
    datetime_unit: str | None

    @property
    def word(self) -> str:
        """The user's words for what is given for it."""
        return f"`boundary` along {self.name!r}"

    @property
    def unit(self) -> Any:
        """The attribute `units` of the samples; None where there is none."""
        return self.data.attrs.get("units")

    @property
    def unit_of_numbers(self) -> Any:
        """The attribute `units` of coordinates that are numbers; None for others."""
        x = self.coordinate
        if x is None or coordinates.kind_of(x.dtype)[0]:
            return None
        return x.attrs.get("units")


def refuse_pair(given: Any, names: Sequence[Any]) -> None:
    """Refuse a pair that may be one of two dims."""
    if len(names) > 1 and is_pair(given):
        msg = (
            f"`boundary` must not be a bare pair for {len(names)} dims. Got "
            f"{shown(given)}. For the left and the right end of every dim, write "
            f"`dict.fromkeys({names}, {shown(given)})`; for one entry per dim, a "
            "mapping."
        )
        raise ValueError(msg)


def boundaries(given: Any, dims: Sequence[Dim]) -> list[Any]:
    """Return the boundary of each dim, as the plain doors take it."""
    names = [dim.name for dim in dims]
    refuse_pair(given, names)
    entries = per_dim(given, names, "one_sided", "boundary")
    return [_entry(entry, dim) for entry, dim in zip(entries, dims, strict=True)]


def _entry(given: Any, dim: Dim) -> Any:
    if is_tagged(given):
        return _ghosts(given, dim)
    if is_period(given) and len(given) == 2:
        return given[0], _period(given[1], dim)
    if isinstance(given, tuple):
        return tuple([_entry(item, dim) for item in given])
    if has_ghosts(given):
        msg = (
            f"`boundary` must not be {GHOSTS!r} for labelled arrays, whose results "
            "keep all labels. Give the samples beyond the end, `('ghosts', samples)`, "
            "or call the function of `anygrad` on the array inside, `data.data`."
        )
        raise ValueError(msg)
    return _of_each_line(given, dim.data, dim, dim.unit)


def _period(given: Any, dim: Dim) -> Any:
    length = coordinates.length(given, dim.word, dim.datetime_unit)
    unit = dim.unit_of_numbers
    if length.is_time and unit is not None and units.of_time(unit) != dim.datetime_unit:
        msg = (
            f"{dim.word} must have a period in the unit of the coordinates, {unit!r}. "
            "Got a length of time. Give it as a number."
        )
        raise TypeError(msg)
    if units.of_time(unit) is not None:
        unit = units.undated(unit)
    return _of_each_line(length.entry, dim.component, dim, unit)


def _refuse_other_unit(given: xr.DataArray, unit: Any, dim: Dim) -> None:
    """Refuse numbers in another unit than those that they are taken with."""
    own = given.attrs.get("units")
    if None not in (own, unit) and not units.are_one([own, unit]):
        msg = (
            f"{dim.word} must be in the unit of what it continues, {unit!r}. Got the "
            f"attribute `units` {own!r}. Convert it first, or give the same unit the "
            "same name."
        )
        raise ValueError(msg)


def _of_each_line(given: Any, data: xr.DataArray, dim: Dim, unit: Any) -> Any:
    """Return one value for each line: a DataArray has it by the dims across."""
    if isinstance(given, xr.Variable):
        given = xr.DataArray(given)
    if not isinstance(given, xr.DataArray):
        return given
    if dim.name in given.dims:
        msg = (
            f"{dim.word} must have one value for each line, and so not this dim. Got "
            f"the dims {given.dims}. Select one, e.g. `isel({{{dim.name!r}: 0}})`; for "
            "one dim of several, give a mapping by their names; for samples beyond an "
            "end, write `('ghosts', samples)` for it."
        )
        raise ValueError(msg)
    _refuse_other_unit(given, unit, dim)
    found = aligned(given, data, dim.word)
    return placed(found.data, found, data)


def _ghosts(given: Any, dim: Dim) -> Any:
    """Return samples beyond an end, with their coordinates where these are wanted."""
    word, samples, *others = given
    if not isinstance(samples, xr.DataArray):
        return word, samples, *[_coordinates(x, dim) for x in others]
    if set(samples.dims) != set(dim.data.dims):
        msg = (
            f"{dim.word} must have ghosts with the dims of the data, {dim.data.dims}. "
            f"Got {samples.dims}."
        )
        raise ValueError(msg)
    _refuse_other_unit(samples, dim.unit, dim)
    samples = aligned(samples, dim.data, dim.word, [dim.name])
    if not others and dim.coordinate is not None:
        name = dim.coordinate.name
        # Not by `get`, which counts the points of a dim that has no coordinate.
        is_there = name in samples.coords and _is_own(dim.coordinate, dim.component)
        others = [samples.coords[name]] if is_there else []
    found = placed(samples.data, samples, dim.data)
    return word, found, *[_coordinates(x, dim) for x in others]


def _is_own(coordinate: xr.DataArray, data: xr.DataArray) -> bool:
    """Tell whether a coordinate is that of the data, and not one made of it."""
    if coordinate.name not in data.coords:
        return False
    own = data.coords[coordinate.name]
    if own.chunks or coordinate.chunks:  # which nobody has computed
        return own.data is coordinate.data
    return bool(own.variable.equals(coordinate.variable))


def _coordinates(given: Any, dim: Dim) -> Any:
    """Return the coordinates of ghosts, as those of the samples are counted."""
    if dim.coordinate is None or not hasattr(given, "dtype"):
        return given
    if not isinstance(given, xr.DataArray):
        if given.ndim != 1:
            return given
        given = xr.DataArray(given, dims=[dim.name])
    kinds = [coordinates.kind_of(x.dtype) for x in (given, dim.coordinate)]
    if kinds[0] != kinds[1]:
        msg = (
            f"{dim.word} must have coordinates of its ghosts that are as those of the "
            f"samples, {dim.coordinate.dtype}. Got {given.dtype}. Convert them first."
        )
        raise TypeError(msg)
    _refuse_other_unit(given, dim.unit_of_numbers, dim)
    spaced = coordinates.numbers(
        given, dim.data, dim.name, dim.datetime_unit, dim.coordinate
    )
    if given.ndim == 1:
        return spaced.entry
    return placed(spaced.entry, given, dim.component)
