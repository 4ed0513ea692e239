"""Vector fields with labels: their components are variables, or lie along a dim."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import xarray as xr

from .. import _curl, _divergence
from .labels import COMPONENTS, field, of_field, stacked


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
    return of_field(
        _divergence.divergence,
        field(data, dim, components, vector_dim),
        dim,
        spacing,
        of_variables(boundary, components, "boundary"),
        datetime_unit,
        (of_variables(where, components, "where"), skipna),
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
    vectors = field(data, dim, components, vector_dim)
    if components is not None and 2 < len(components) != len(set(components)):
        msg = (
            "`components` must name each variable once, because those of the result "
            f"have their names. Got {list(components)}."
        )
        raise ValueError(msg)
    result = of_field(
        _curl.curl,
        vectors,
        dim,
        spacing,
        of_variables(boundary, components, "boundary"),
        datetime_unit,
        (of_variables(where, components, "where"), skipna),
        scale_factors=scale_factors,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
    )
    if components is None or COMPONENTS not in result.dims:
        return result
    parts = {name: result.isel({COMPONENTS: k}) for k, name in enumerate(components)}
    return xr.Dataset({name: part.rename(name) for name, part in parts.items()})


def of_variables(given: Any, names: Sequence[Hashable] | None, word: str) -> Any:
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
        return stacked([given[name] for name in names])
    if isinstance(given, Mapping):
        return {name: of_variables(one, names, word) for name, one in given.items()}
    if isinstance(given, tuple):
        return tuple([of_variables(one, names, word) for one in given])
    return given
