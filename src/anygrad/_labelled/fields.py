"""The doors of labelled vector fields."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import xarray as xr  # noqa: TC002 - what reads hints looks for it here

from .. import _curl, _divergence, _jacobian
from . import units
from .components import (
    COMPONENTS,
    VectorField,
    as_variables,
    refuse_repeated,
    stacked_as,
    summed_field,
    vector_field,
)
from .labels import Along, along, attributes_of, check_new, derived, mask
from .words import called


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
    where: xr.DataArray | xr.Dataset | str | None = None,
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
        As in `gradient`.  A mask without the dim of the components is used for
        each of them; a NaN in one component is missing in that one only.  For
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
        summed_field(data, dim, components, vector_dim),
        dim,
        {"accuracy": accuracy, "edge_order": edge_order, "dtype": dtype},
        spacing=spacing,
        boundary=boundary,
        datetime_unit=datetime_unit,
        where=where,
        skipna=skipna,
        scale_factors=scale_factors,
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
    where: xr.DataArray | xr.Dataset | str | None = None,
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
    vectors = summed_field(data, dim, components, vector_dim)
    if len(dim) > 2:  # of two components, the result is none
        refuse_repeated(components)
    result = _of_field(
        _curl.curl,
        vectors,
        dim,
        {"accuracy": accuracy, "edge_order": edge_order, "dtype": dtype},
        spacing=spacing,
        boundary=boundary,
        datetime_unit=datetime_unit,
        where=where,
        skipna=skipna,
        scale_factors=scale_factors,
    )
    if components is None or COMPONENTS not in result.dims:
        return result
    return as_variables(result, components)


def jacobian(
    data: xr.DataArray | xr.Dataset,
    dim: Hashable | Sequence[Hashable] | None = None,
    *,
    components: Sequence[Hashable] | None = None,
    vector_dim: Hashable | None = None,
    new_dim: str = "column",
    spacing: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Any = "one_sided",
    where: xr.DataArray | xr.Dataset | str | None = None,
    skipna: bool = False,
    datetime_unit: str | None = None,
    scale_factors: None = None,
    dtype: Any = None,
) -> xr.DataArray | xr.Dataset:
    """Estimate all first derivatives of a vector field.

    Parameters
    ----------
    data, components, vector_dim
        As in `divergence`, but with any number of components, of any units.
    dim : hashable, or list or tuple of hashable, optional
        The names of the dims of space; by default all but `vector_dim`.
    new_dim : str, default: "column"
        The new dim; its coordinate is the names of `dim`.
    spacing, boundary, where, skipna, datetime_unit
        As in `divergence`.
    accuracy, edge_order, scale_factors, dtype
        As in `anygrad.jacobian`.

    Returns
    -------
    xarray.DataArray or xarray.Dataset
        A field as `data` is, with the new dim after that of the components, or
        first in each of its variables, which are labelled as in `derivative`.

    Raises
    ------
    TypeError, ValueError
        As `derivative` and `anygrad.jacobian` do; if `components` do not fit a
        Dataset, or `vector_dim` a DataArray; if `new_dim` is a dim or a
        coordinate of `data`.

    Examples
    --------
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> u, v = ("x", [0.0, 2.0, 4.0]), ("y", [0.0, 3.0, 6.0])
    >>> wind = xr.Dataset({"u": u, "v": v})
    >>> given = {"components": ["u", "v"], "spacing": 1.0}
    >>> slopes = anygrad.xarray.jacobian(wind, ["x", "y"], **given)
    >>> slopes.v.sel(column="y").values.max()
    np.float64(3.0)
    """
    vectors = vector_field(data, components, vector_dim)
    refuse_repeated(components)
    check_new((new_dim,), vectors.data, "new_dim")
    at, given = _given(vectors, dim, spacing, boundary, datetime_unit, where, skipna)
    values = called(
        _jacobian.jacobian,
        vectors.data,
        at,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
        **{**given, "scale_factors": scale_factors},
    )
    per = [units.shared(at.units)]
    new, place = {new_dim: at.names}, given["vector_dim"] + 1
    result = derived(vectors.data, values, per, new, place)
    if components is None:
        return result
    rows = as_variables(result, components)
    for name, row in rows.data_vars.items():
        row.attrs = attributes_of(data[name].attrs, per)
    return rows


def _of_field(
    door: Callable[..., Any],
    vectors: VectorField,
    dim: Sequence[Hashable],
    orders: dict[str, Any],
    **given: Any,
) -> xr.DataArray:
    """Return what a door makes of a vector field: one array, or a field again.

    The orders, and the dtype, go to the door as they are.
    """
    at, plain = _given(vectors, dim, **given)
    unit = at.one_unit()
    data = vectors.data
    values = called(door, data, at, **plain, **orders)
    return derived(data if values.ndim == data.ndim else at.component, values, [unit])


def _given(
    vectors: VectorField,
    dim: Any,
    spacing: Any,
    boundary: Any,
    datetime_unit: str | None,
    where: Any,
    skipna: bool,
    scale_factors: Any = None,
) -> tuple[Along, dict[str, Any]]:
    """Return what is given for the dims of a vector field, and as plain doors take it.

    For the components of a Dataset, it may be Datasets.
    """
    data, vector_dim, components = vectors
    boundary = stacked_as(boundary, components, "boundary")
    where = stacked_as(where, components, "where")
    at = along(data, dim, spacing, boundary, datetime_unit, vector_dim, scale_factors)
    place = data.dims.index(vector_dim)
    valid = mask(data, at.samples, where, skipna)
    return at, {"where": valid, "vector_dim": place, **at.grid}
