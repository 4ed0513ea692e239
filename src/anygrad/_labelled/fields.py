"""Vector fields with labels: their components are variables, or lie along a dim."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import xarray as xr

from .. import _classes, _curl, _divergence
from .._checks.wording import shown
from . import units
from .by_name import is_name, require_dim
from .labels import along, derived, mask
from .words import called

#: The name of a dim that nobody else has.
COMPONENTS = "anygrad_components"


class VectorField(NamedTuple):
    """A vector field as one array."""

    data: xr.DataArray
    #: The name of the dim of its components.
    vector_dim: Hashable
    #: Those of the variables that it is made of; None for a DataArray.
    components: Sequence[Hashable] | None = None


def divergence(
    data: xr.DataArray | xr.Dataset,
    dim: Sequence[Hashable],
    *,
    components: Sequence[Hashable] | None = None,
    vector_dim: Hashable | None = None,
    spacing: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Any = "one_sided",
    where: xr.DataArray | str | None = None,
    skipna: bool = False,
    datetime_unit: str | None = None,
    scale_factors: Any = None,
    dtype: Any = None,
) -> xr.DataArray:
    """Estimate the divergence of a vector field.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        Its `components` are variables, or lie along the `vector_dim` of a
        DataArray.
    dim : list or tuple of hashable
        The names of the dims of space, one per component, in the order of
        these.
    components : list or tuple of hashable, optional
        The names of the variables, for a Dataset.
    vector_dim : hashable, optional
        The dim of the components, for a DataArray.
    spacing, boundary, where, skipna, datetime_unit, scale_factors
        As in `gradient`.  A mask without the dim of the components is for each
        of them; what is NaN in one component is missing in that one only.  For
        a Dataset, masks, values and ghosts may be Datasets, too.
    accuracy, edge_order, dtype
        As in `anygrad.divergence`.

    Returns
    -------
    xarray.DataArray
        Labelled as the field, without its components.

    Raises
    ------
    TypeError, ValueError
        As `derivative` and `anygrad.divergence` do; if `components` do not fit
        a Dataset, or `vector_dim` a DataArray; if there are different units.

    Examples
    --------
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> u, v = ("x", [0.0, 2.0, 4.0]), ("y", [0.0, 3.0, 6.0])
    >>> wind = xr.Dataset({"u": u, "v": v})
    >>> given = {"components": ["u", "v"], "spacing": 1.0}
    >>> anygrad.xarray.divergence(wind, ["x", "y"], **given).values.min()
    np.float64(5.0)
    """
    return _of_field(
        _divergence.divergence,
        _field(data, dim, components, vector_dim),
        dim,
        spacing,
        boundary,
        datetime_unit,
        where,
        skipna,
        scale_factors=scale_factors,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
    )


def curl(
    data: xr.DataArray | xr.Dataset,
    dim: Sequence[Hashable],
    *,
    components: Sequence[Hashable] | None = None,
    vector_dim: Hashable | None = None,
    spacing: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Any = "one_sided",
    where: xr.DataArray | str | None = None,
    skipna: bool = False,
    datetime_unit: str | None = None,
    scale_factors: Any = None,
    dtype: Any = None,
) -> xr.DataArray | xr.Dataset:
    """Estimate the curl of a vector field with two or three components.

    Parameters
    ----------
    data, dim, components, vector_dim
        As in `divergence`.
    spacing, boundary, where, skipna, datetime_unit, scale_factors
        As in `divergence`.
    accuracy, edge_order, dtype
        As in `anygrad.curl`.

    Returns
    -------
    xarray.DataArray or xarray.Dataset
        Of two components, a DataArray; of three, a field as `data` is.

    Raises
    ------
    TypeError, ValueError
        As `divergence` and `anygrad.curl` do.

    Examples
    --------
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> u, v = ("y", [0.0, -1.0, -2.0]), ("x", [0.0, 1.0, 2.0])
    >>> whirl = xr.Dataset({"u": u, "v": v})
    >>> given = {"components": ["u", "v"], "spacing": 1.0}
    >>> anygrad.xarray.curl(whirl, ["x", "y"], **given).values.max()
    np.float64(2.0)
    """
    vectors = _field(data, dim, components, vector_dim)
    if components is not None and 2 < len(components) != len(set(components)):
        msg = (
            "`components` must name each variable once, because those of the result "
            f"have their names. Got {list(components)}."
        )
        raise ValueError(msg)
    result = _of_field(
        _curl.curl,
        vectors,
        dim,
        spacing,
        boundary,
        datetime_unit,
        where,
        skipna,
        scale_factors=scale_factors,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
    )
    if components is None or COMPONENTS not in result.dims:
        return result
    parts = {name: result.isel({COMPONENTS: k}) for k, name in enumerate(components)}
    return xr.Dataset({name: part.rename(name) for name, part in parts.items()})


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


def _field(
    data: Any, dim: Any, components: Any, vector_dim: Hashable | None
) -> VectorField:
    """Return a vector field as one array."""
    if not isinstance(dim, (list, tuple)):
        msg = (
            "`dim` must be a list of the names of dims, one per component, in the "
            f"order of these. Got {shown(dim)}."
        )
        raise TypeError(msg)
    if isinstance(data, xr.Dataset):
        return _field_of_variables(data, dim, components, vector_dim)
    if not isinstance(data, xr.DataArray):
        msg = (
            "`data` must be an xarray.Dataset or xarray.DataArray. Got "
            f"{_classes.type_name(data)}. Put the components into one, e.g. "
            "`xarray.Dataset({'u': u, 'v': v})`."
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
    data: xr.Dataset, dim: Sequence[Any], components: Any, vector_dim: Any
) -> VectorField:
    """Return the variables of a Dataset that are components in one array."""
    known = list(data.data_vars)
    if vector_dim is not None:
        msg = (
            f"`vector_dim` must be None for a Dataset. Got {vector_dim!r}. Name the "
            f"variables as `components`, of {known}."
        )
        raise TypeError(msg)
    if not isinstance(components, (list, tuple)):
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
    if len(components) != len(dim):
        msg = (
            f"`components` must be one per dim of {list(dim)}. Got {list(components)}."
        )
        raise ValueError(msg)
    parts = [data[name] for name in components]
    of_each = [part.attrs.get("units") for part in parts]
    unit = units.one("components", components, of_each)
    field = _stacked(parts)
    if unit is not None:
        field.attrs["units"] = unit
    return VectorField(field, COMPONENTS, components)


def _of_field(
    door: Callable[..., Any],
    vectors: VectorField,
    dim: Sequence[Hashable],
    spacing: Any,
    boundary: Any,
    datetime_unit: str | None,
    where: Any,
    skipna: bool,
    *,
    scale_factors: Any,
    **others: Any,
) -> xr.DataArray:
    """Return what a door makes of a vector field: one array, or a field again.

    All others go to the door as they are.
    """
    data, vector_dim, components = vectors
    boundary = _of_variables(boundary, components, "boundary")
    where = _of_variables(where, components, "where")
    at = along(
        data, list(dim), spacing, boundary, datetime_unit, vector_dim, scale_factors
    )
    unit = at.one_unit()
    place = data.dims.index(vector_dim)
    given = {"where": mask(data, at.samples, where, skipna), **at.grid, **others}
    values = called(door, at.samples, data.dims, at.names, vector_dim=place, **given)
    return derived(data if values.ndim == data.ndim else at.component, values, [unit])


def _of_variables(given: Any, names: Sequence[Hashable] | None, word: str) -> Any:
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
        return {name: _of_variables(one, names, word) for name, one in given.items()}
    if isinstance(given, tuple):
        return tuple([_of_variables(one, names, word) for one in given])
    return given
