"""What labels mean: dims by their names, coordinates as numbers, masks in their place.

Everything here reads xarray's objects; what is computed is asked of the plain doors.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import xarray as xr

from . import _classes, _labelled_coordinates, _refusals, _units
from ._boundaries import GHOSTS
from ._checks.boundary import has_ghosts, is_pair
from ._checks.ghosts import is_tagged
from ._labelled_coordinates import Spaced

if TYPE_CHECKING:
    from ._typing import Array

#: The name of a dim that nobody else has.
COMPONENTS = "anygrad_components"


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
        Those of the spacing, where they are known; with scale factors, they are not.
    scale_factors : list or None
        One entry per dim; None for all of 1.
    """

    names: list[Any]
    axes: list[int]
    spacing: list[Any]
    boundary: list[Any]
    units: list[Any]
    scale_factors: list[Any] | None = None

    @property
    def grid(self) -> dict[str, Any]:
        """What a plain door of several dims takes of it."""
        return {
            "dim": self.axes,
            "spacing": self.spacing,
            "boundary": self.boundary,
            "scale_factors": self.scale_factors,
        }

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
    scale_factors: Any = None,
) -> Along:
    """Check what is given for the dims of `data`, the dim of components left out."""
    if not isinstance(data, xr.DataArray):
        msg = f"`data` must be an xarray.DataArray. Got {type(data).__name__}."
        if isinstance(data, xr.Dataset):
            msg += " Take one of its variables, or all of them with `map`."
        raise TypeError(msg)
    _refuse_quantities(data.data, "data")
    names = names_of_dims(data, dim, vector_dim)
    of_one = data if vector_dim is None else data.isel({vector_dim: 0}, drop=True)
    given = per_dim(spacing, names, None, "spacing")
    pairs = zip(names, given, strict=True)
    found = [_entry(of_one, name, entry, datetime_unit) for name, entry in pairs]
    factors = _factors(of_one, names, scale_factors)
    at = Along(
        names,
        [data.dims.index(name) for name in names],
        [spaced.entry for spaced in found],
        _boundaries(boundary, names),
        [spaced.unit if factors is None else None for spaced in found],
        factors,
    )
    for parameter in ("spacing", "boundary", "scale_factors"):
        _refuse_quantities(getattr(at, parameter), parameter)
    return at


def _refuse_quantities(given: Any, parameter: str) -> None:
    """Refuse what has units of its own: the attribute `units` would not know them."""
    found = _refusals.quantity_in(given)
    if found is not None:
        msg = (
            f"`{parameter}` must hold plain numbers, and units be the attribute "
            f"`units` of labelled arrays. Got {_classes.type_name(found)}. Pass its "
            "numbers, or call the function of the same name in `anygrad` on what is "
            "in `data`, with its unit."
        )
        raise TypeError(msg)


def _factors(data: xr.DataArray, names: Sequence[Any], given: Any) -> list[Any] | None:
    """Return the scale factor of each dim; None where none are given."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        msg = (
            "`scale_factors` must be a mapping from the names of dims to numbers, "
            f"DataArrays or names of coordinates. Got {type(given).__name__}."
        )
        raise TypeError(msg)
    return [
        _factor(data, name, entry)
        for name, entry in zip(
            names, per_dim(given, names, 1.0, "scale_factors"), strict=True
        )
    ]


def _factor(data: xr.DataArray, name: Any, given: Any) -> Any:
    """Return a scale factor, with the dims of the data if it has any."""
    if isinstance(given, str):
        given = _named(data, given, "`scale_factors` must name coordinates of the data")
    if not isinstance(given, xr.DataArray):
        if getattr(given, "shape", ()):
            msg = (
                f"`scale_factors` along {name!r} must be a number, a DataArray or the "
                f"name of a coordinate. Got {_classes.type_name(given)}, which does "
                "not say along which dims it lies."
            )
            raise TypeError(msg)
        return given
    if not set(given.dims) <= set(data.dims):
        msg = (
            f"`scale_factors` along {name!r} must have no dims but those of the data, "
            f"{data.dims}. Got {given.dims}."
        )
        raise ValueError(msg)
    (_, factor) = xr.align(data, given, join="exact", copy=False)
    return _placed(factor.data, factor, data)


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
    spaced = _labelled_coordinates.numbers(coordinate, name, datetime_unit)
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
        is_labelled = isinstance(where, xr.DataArray)
        kind = where.dtype if is_labelled else _classes.type_name(where)
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
    named = {f"{COMPONENTS}_{k}": part for k, part in enumerate(components)}
    return xr.Dataset(named).to_dataarray(COMPONENTS).drop_vars(COMPONENTS)


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
    left = set(data.dims) - set(dims)
    # With the indexes that there are: of bare arrays, xarray would make others.
    coords = data.coords.to_dataset().drop_dims(left, errors="ignore").coords
    return xr.DataArray(values, coords, dims, data.name, attributes)


def of_field(
    door: Callable[..., Any],
    vectors: VectorField,
    dim: Sequence[Hashable],
    spacing: Any,
    boundary: Any,
    datetime_unit: str | None,
    masks: tuple[Any, bool],
    scale_factors: Any = None,
    **orders: int | None,
) -> xr.DataArray:
    """Return what a door makes of a vector field: one array, or a field again.

    `masks` are `where` and `skipna`.
    """
    data, vector_dim = vectors
    given = (spacing, boundary, datetime_unit, vector_dim, scale_factors)
    at = along(data, list(dim), *given)
    unit = at.one_unit()
    place = data.dims.index(vector_dim)
    where = mask(data, *masks)
    values = door(data.data, vector_dim=place, where=where, **at.grid, **orders)
    is_field = values.ndim == data.ndim
    dims = [name for name in data.dims if is_field or name != vector_dim]
    return derived(data, values, [unit], dims)
