"""The components of a vector field: variables of a Dataset, or what is along a dim."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import xarray as xr

from .. import _classes
from .._checks.wording import shown
from . import units
from .by_name import FOR_EACH_DATASET, is_name, require_dim

#: The name of a dim that nobody else has.
COMPONENTS = "anygrad_components"


class VectorField(NamedTuple):
    """A vector field as one array."""

    data: xr.DataArray
    #: The name of the dim of its components.
    vector_dim: Hashable
    #: Those of the variables that it is made of; None for a DataArray.
    components: Sequence[Hashable] | None = None


def summed_field(
    data: Any, dim: Any, components: Any, vector_dim: Hashable | None
) -> VectorField:
    """Return a vector field of one unit, with a component per dim."""
    if not isinstance(dim, (list, tuple)):
        msg = (
            "`dim` must be a list of the names of dims, one per component, in the "
            f"order of these. Got {shown(dim)}."
        )
        raise TypeError(msg)
    field = vector_field(data, components, vector_dim)
    if field.components is None:
        return field
    if len(components) != len(dim):
        msg = (
            f"`components` must be one per dim of {list(dim)}. Got {list(components)}."
        )
        raise ValueError(msg)
    units.one("components", components, _units_of(data, components))
    return field


def vector_field(
    data: Any, components: Any, vector_dim: Hashable | None
) -> VectorField:
    """Return a vector field as one array, with the unit that all components have."""
    if isinstance(data, xr.Dataset):
        return _field_of_variables(data, components, vector_dim)
    if not isinstance(data, xr.DataArray):
        msg = (
            "`data` must be an xarray.Dataset or xarray.DataArray. Got "
            f"{_classes.type_name(data)}. "
            + (
                FOR_EACH_DATASET
                if isinstance(data, xr.DataTree)
                else "Put the components into one, e.g. `xarray.Dataset({'u': u, "
                "'v': v})`."
            )
        )
        raise TypeError(msg)
    if vector_dim is None or components is not None:
        msg = (
            "`vector_dim` must name the dim of the components of a DataArray, one of "
            f"{data.dims}. Got {vector_dim!r}."
        )
        if components is not None:
            msg = (
                f"`components` must be None for a DataArray. Got {shown(components)}. "
                "Name the dim along which they lie as `vector_dim`."
            )
        raise TypeError(msg)
    require_dim(data, vector_dim, "vector_dim")
    return VectorField(data, vector_dim)


def _field_of_variables(
    data: xr.Dataset, components: Any, vector_dim: Any
) -> VectorField:
    """Return the variables of a Dataset that are components in one array."""
    known = list(data.data_vars)
    if vector_dim is not None:
        msg = (
            f"`vector_dim` must be None for a Dataset. Got {vector_dim!r}. Name the "
            f"variables as `components`, of {known}."
        )
        raise TypeError(msg)
    if not isinstance(components, (list, tuple)) or not components:
        msg = (
            "`components` must be a list of the names of variables of the Dataset, "
            f"{known}. Got {shown(components)}."
        )
        raise TypeError(msg)
    for name in components:
        if not is_name(name) or name not in data:
            msg = (
                f"`components` must be names of variables of the Dataset, {known}. "
                f"Got {shown(name)}."
            )
            raise ValueError(msg)
    field = _stacked([data[name] for name in components])
    unit = units.one_or_none(_units_of(data, components))
    if unit is not None:
        field.attrs["units"] = unit
    return VectorField(field, COMPONENTS, components)


def _units_of(data: xr.Dataset, components: Sequence[Hashable]) -> list[Any]:
    return [data[name].attrs.get("units") for name in components]


def _stacked(components: Sequence[xr.DataArray]) -> xr.DataArray:
    """Return variables of a Dataset in one array, along a new first dim."""
    named = {f"{COMPONENTS}_{k}": part for k, part in enumerate(components)}
    if len({part.dims for part in components}) > 1:
        return xr.Dataset(named).to_dataarray(COMPONENTS).drop_vars(COMPONENTS)
    # They have one set of coordinates, and need no comparison.
    values = xr.Variable.concat([part.variable for part in components], COMPONENTS)
    name, first = next(iter(named.items()))
    stacked = xr.Dataset({name: values}, first.coords)[name]
    stacked.name, stacked.attrs = None, {}
    return stacked


def stacked_as(given: Any, names: Sequence[Hashable] | None, word: str) -> Any:
    """Return what is given in Datasets as the components of a field are stacked."""
    if names is None:
        return given
    if isinstance(given, xr.Dataset):
        missing = [name for name in names if name not in given]
        if missing:
            msg = (
                f"`{word}` must have the variables that `components` names, "
                f"{list(names)}. Got a Dataset without {missing}."
            )
            raise ValueError(msg)
        return _stacked([given[name] for name in names])
    if isinstance(given, Mapping):
        return {name: stacked_as(one, names, word) for name, one in given.items()}
    if isinstance(given, tuple):
        return tuple([stacked_as(one, names, word) for one in given])
    return given


def as_variables(field: xr.DataArray, names: Sequence[Hashable]) -> xr.Dataset:
    """Return a field as the variables that it was made of."""
    parts = {name: field.isel({COMPONENTS: k}) for k, name in enumerate(names)}
    return xr.Dataset({name: part.rename(name) for name, part in parts.items()})


def refuse_repeated(components: Sequence[Hashable] | None) -> None:
    """Refuse a variable that is two components of a field whose result is one again."""
    if components is not None and len(components) != len(set(components)):
        msg = (
            "`components` must name each variable once, because those of the result "
            f"have their names. Got {list(components)}."
        )
        raise ValueError(msg)
