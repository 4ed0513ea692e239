"""What labels mean: dims by their names, coordinates as numbers, masks in their place.

Everything here reads xarray's objects; what is computed is asked of the plain doors.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import xarray as xr

from . import _agnostic, _classes, _refusals, _units
from ._boundaries import GHOSTS
from ._checks.boundary import has_ghosts, is_pair
from ._checks.ghosts import is_tagged

if TYPE_CHECKING:
    from ._typing import Array
    from ._units import OfTime

#: The name of a dim that nobody else has.
COMPONENTS = "anygrad_components"


class Spaced(NamedTuple):
    """What lies along a dim: a step or coordinates, and their unit if it is known."""

    entry: Any
    unit: Any


class VectorField(NamedTuple):
    """A vector field as one array, and the name of the dim of its components."""

    data: xr.DataArray
    vector_dim: Hashable


class Along(NamedTuple):
    """What is given for the dims that are differentiated along.

    Attributes
    ----------
    names, axes : list
        Their names and numbers.
    spacing, boundary : list
        One entry per dim, as the plain doors take them.
    units : list of (str or None)
        Those of the spacing, where they are known.
    """

    names: list[Any]
    axes: list[int]
    spacing: list[Any]
    boundary: list[Any]
    units: list[Any]

    def one_unit(self) -> Any:
        """Return the unit of all dims; refuse different ones."""
        _units.require_one("dim", self.names, self.units)
        return next((unit for unit in self.units if unit is not None), None)


def along(
    data: Any,
    dim: Any,
    spacing: Any,
    boundary: Any,
    datetime_unit: str | None,
    vector_dim: Hashable | None = None,
) -> Along:
    """Check what is given for the dims of `data`, the dim of components left out."""
    if not isinstance(data, xr.DataArray):
        msg = f"`data` must be an xarray.DataArray. Got {type(data).__name__}."
        if isinstance(data, xr.Dataset):
            msg += " Take one of its variables, or all of them with `map`."
        raise TypeError(msg)
    if _refusals.units_in(data.data) is not None:
        msg = (
            "`data` must hold plain arrays, and their unit as the attribute `units`. "
            f"Got {_classes.type_name(data.data)}. Pass `data.data` to the function "
            "of the same name in `anygrad`."
        )
        raise TypeError(msg)
    names = names_of_dims(data, dim, vector_dim)
    of_one = data if vector_dim is None else data.isel({vector_dim: 0}, drop=True)
    given = per_dim(spacing, names, None, "spacing")
    pairs = zip(names, given, strict=True)
    found = [_entry(of_one, name, entry, datetime_unit) for name, entry in pairs]
    return Along(
        names,
        [data.get_axis_num(name) for name in names],
        [spaced.entry for spaced in found],
        _boundaries(boundary, names),
        [spaced.unit for spaced in found],
    )


def _boundaries(given: Any, names: Sequence[Any]) -> list[Any]:
    """Return the boundary of each dim; refuse a pair that may be one of two dims."""
    if len(names) > 1 and is_pair(given):
        msg = (
            f"`boundary` must not be a bare pair for {len(names)} dims. Got {given}. "
            "For the left and the right end of every dim, write "
            f"`dict.fromkeys({names}, {given})`; for one entry per dim, a mapping."
        )
        raise ValueError(msg)
    found = per_dim(given, names, "one_sided", "boundary")
    for entry in found:
        sides = entry if is_pair(entry) else (entry,)
        if any(has_ghosts(side) and not is_tagged(side) for side in sides):
            msg = (
                f"`boundary` must not be {GHOSTS!r} for labelled arrays, whose "
                f"results keep all labels. Got {given!r}. Call the function of "
                "`anygrad` on the array inside, `data.data`."
            )
            raise ValueError(msg)
    return found


def names_of_dims(data: xr.DataArray, dim: Any, leave: Hashable = None) -> list[Any]:
    """Return the names of the dims to differentiate along; None is all but one."""
    if dim is None:
        return [name for name in data.dims if name != leave]
    names = list(dim) if isinstance(dim, (list, tuple)) else [dim]
    for name in names:
        require_dim(data, name, "dim")
    if len(set(names)) != len(names):
        msg = f"`dim` must name each dim once. Got {names}."
        raise ValueError(msg)
    return names


def require_dim(data: xr.DataArray, name: Any, parameter: str) -> None:
    """Refuse a name that is no dim, with the one that may be meant."""
    if isinstance(name, Hashable) and name in data.dims:
        return
    near = difflib.get_close_matches(str(name), [str(known) for known in data.dims], 1)
    meant = f" Do you mean {near[0]!r}?" if near else ""
    msg = f"`{parameter}` must name dims of the data, {data.dims}. Got {name!r}.{meant}"
    raise ValueError(msg)


def per_dim(given: Any, names: Sequence[Any], usual: Any, parameter: str) -> list[Any]:
    """Return one entry per dim, from a mapping by names or one for all."""
    if not isinstance(given, Mapping):
        return [given] * len(names)
    for name in given:
        if name not in names:
            msg = f"`{parameter}` must have names of the dims {names}. Got {name!r}."
            raise ValueError(msg)
    return [given.get(name, usual) for name in names]


def _entry(
    data: xr.DataArray, name: Any, given: Any, datetime_unit: str | None
) -> Spaced:
    """Return what is given along a dim; by default its coordinate."""
    if given is None:
        if name not in data.coords:
            msg = (
                f"`spacing` must be given along {name!r}, which has no coordinate. "
                f"Pass the step, e.g. `spacing={{{name!r}: 1.0}}`."
            )
            raise ValueError(msg)
        given = name
    if isinstance(given, str) or given is name:
        given = _named(data, given, "`spacing` must name coordinates of the data")
    if not isinstance(given, xr.DataArray):
        return Spaced(given, None)
    (_, coordinate) = xr.align(data, given, join="exact", copy=False)
    if name not in coordinate.dims or not set(coordinate.dims) <= set(data.dims):
        msg = (
            f"`spacing` along {name!r} must have this dim, and none but those of the "
            f"data, {data.dims}. Got {given.name!r} with the dims {given.dims}."
        )
        raise ValueError(msg)
    spaced = _numbers(coordinate, name, datetime_unit)
    if coordinate.ndim > 1:
        return spaced._replace(entry=_placed(spaced.entry, coordinate, data))
    return spaced


def _named(data: xr.DataArray, name: Any, rule: str) -> xr.DataArray:
    """Return a coordinate of the data; refuse a name that is none, by the rule."""
    if name not in data.coords:
        msg = f"{rule}, {list(data.coords)}. Got {name!r}."
        raise ValueError(msg)
    return data.coords[name]


def _placed(values: Any, labelled: xr.DataArray, data: xr.DataArray) -> Any:
    """Return values with the dims of the data, in its order, so that they broadcast."""
    variable = xr.Variable(labelled.dims, values)
    ordered = variable.transpose(*[d for d in data.dims if d in labelled.dims]).data
    index = [slice(None) if d in labelled.dims else None for d in data.dims]
    return ordered[tuple(index)]


def _numbers(coordinate: xr.DataArray, name: Any, datetime_unit: str | None) -> Spaced:
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
    count = _agnostic.difference(ticks, first, numpy.float64, True, xp)
    name, many = numpy.datetime_data(dates.dtype)
    ratio = Fraction(many * _units.OF_TIME[name].nanoseconds, unit.nanoseconds)
    since = count * ratio.numerator / ratio.denominator
    return numpy.where(numpy.isnat(dates), numpy.nan, since)


def mask(data: xr.DataArray, where: Any, skipna: bool) -> Array | None:
    """Return which samples are valid, with the dims of the data; None for all."""
    masks = [] if where is None else [_given_mask(data, where)]
    masks += [data.notnull()] if skipna else []
    if not masks:
        return None
    valid = reduce(operator.and_, masks)
    if data.chunks is not None and valid.chunks is None:
        valid = valid.chunk()
    placed: Array = _placed(valid.data, valid, data)
    return placed


def _given_mask(data: xr.DataArray, where: Any) -> xr.DataArray:
    """Return a mask with the labels of the data, or with some of them."""
    if isinstance(where, str):
        rule = "`where` must be a DataArray, or name a coordinate of the data"
        where = _named(data, where, rule)
    if not isinstance(where, xr.DataArray) or where.dtype != bool:
        kind = getattr(where, "dtype", type(where).__name__)
        msg = f"`where` must be a DataArray of bools. Got {kind}."
        raise TypeError(msg)
    if not set(where.dims) <= set(data.dims):
        msg = (
            f"`where` must have no dims but those of the data, {data.dims}. "
            f"Got {where.dims}."
        )
        raise ValueError(msg)
    (_, aligned) = xr.align(data, where, join="exact", copy=False)
    return aligned


def _stacked(components: Iterable[xr.DataArray]) -> xr.DataArray:
    """Return the components of a vector field in one array, along a new first dim."""
    arrays = xr.broadcast(*components)
    return xr.concat(
        arrays,
        dim=COMPONENTS,
        coords="minimal",
        compat="override",
        combine_attrs="drop",
    )


def field(data: Any, components: Any, vector_dim: Hashable | None) -> VectorField:
    """Return a vector field as one array."""
    if isinstance(data, xr.Dataset):
        if components is None or isinstance(components, str):
            msg = (
                "`components` must be a list of the names of variables of the Dataset, "
                f"{list(data.data_vars)}. Got {components!r}."
            )
            raise TypeError(msg)
        for name in components:
            if name not in data:
                msg = (
                    "`components` must be names of variables of the Dataset, "
                    f"{list(data.data_vars)}. Got {name!r}."
                )
                raise ValueError(msg)
        parts = [data[name] for name in components]
        units = [part.attrs.get("units") for part in parts]
        _units.require_one("components", components, units)
        known = [{"units": unit} for unit in units if unit is not None]
        return VectorField(_stacked(parts).assign_attrs(*known[:1]), COMPONENTS)
    if not isinstance(data, xr.DataArray):
        kind = type(data).__name__
        msg = f"`data` must be an xarray.Dataset or xarray.DataArray. Got {kind}."
        raise TypeError(msg)
    if vector_dim is None:
        msg = (
            "`vector_dim` must name the dim of the components of a DataArray, one of "
            f"{data.dims}. Got None."
        )
        raise TypeError(msg)
    require_dim(data, vector_dim, "vector_dim")
    return VectorField(data, vector_dim)


def derived(
    data: xr.DataArray,
    values: Any,
    per: Sequence[Any],
    dims: Sequence[Hashable] | None = None,
) -> xr.DataArray:
    """Return values with the labels of the data, and its unit per those of the dims."""
    attributes = dict(data.attrs)
    unit = _units.quotient(attributes.pop("units", None), per)
    if unit is not None:
        attributes["units"] = unit
    dims = data.dims if dims is None else dims
    coords = {k: c for k, c in data.coords.items() if set(c.dims) <= set(dims)}
    return xr.DataArray(values, coords, dims, data.name, attributes)


def of_field(
    door: Callable[..., Any],
    vectors: VectorField,
    dim: Sequence[Hashable],
    spacing: Any,
    boundary: Any,
    datetime_unit: str | None,
    masks: tuple[Any, bool],
    **orders: int | None,
) -> xr.DataArray:
    """Return what a door makes of a vector field: one array, or a field again.

    `masks` are `where` and `skipna`.
    """
    data, vector_dim = vectors
    at = along(data, list(dim), spacing, boundary, datetime_unit, vector_dim)
    unit = at.one_unit()
    values = door(
        data.data,
        dim=at.axes,
        spacing=at.spacing,
        boundary=at.boundary,
        where=mask(data, *masks),
        vector_dim=data.get_axis_num(vector_dim),
        **orders,
    )
    is_field = values.ndim == data.ndim
    dims = [name for name in data.dims if is_field or name != vector_dim]
    return derived(data, values, [unit], dims)
