"""Derivatives of labelled arrays: dims by name, coordinates as the spacing.

They are computed by anygrad's functions of the same names, on the arrays
inside; chunks stay chunks.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr  # noqa: TC002 - what reads hints looks for it here

from . import _derivative, _gradient, _hessian, _laplacian
from ._labelled.fields import curl, divergence, jacobian
from ._labelled.labels import along, check_new, derived, mask
from ._labelled.systems import lonlat
from ._labelled.units import shared
from ._labelled.words import called

__all__ = [
    "curl",
    "derivative",
    "divergence",
    "gradient",
    "hessian",
    "jacobian",
    "laplacian",
    "lonlat",
]


def derivative(
    data: xr.DataArray,
    dim: Hashable,
    *,
    spacing: Any = None,
    order: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Any = "one_sided",
    where: xr.DataArray | str | None = None,
    skipna: bool = False,
    datetime_unit: str | None = None,
    dtype: Any = None,
) -> xr.DataArray:
    """Estimate one partial derivative along a dim by its name.

    Parameters
    ----------
    data : xarray.DataArray
        The samples.
    dim : hashable
        The name of the dim.
    spacing : number, str, array, xarray.DataArray or mapping, optional
        Where the samples lie: a step, coordinates, or the name of a
        coordinate, also of a curvilinear grid; or a mapping from the name of
        the dim to one of these.  By default it is the coordinate of the dim,
        which must have one.  Steps may be durations, and coordinates dates.
    order, accuracy, edge_order, dtype
        As in `anygrad.derivative`.
    boundary : str, number, DataArray, tuple or mapping, default: "one_sided"
        As in `anygrad.derivative`, such as ``("periodic", 360.0)`` for
        longitudes, but not ``"ghosts"``; or a mapping from the name of the dim
        to that.  Values and periods for each line are DataArrays without the
        dim, and periods may be durations; the samples in ``("ghosts",
        samples)``, in a pair, may be a DataArray with its coordinate.
    where : xarray.DataArray or str, optional
        Which samples are valid, or the name of a coordinate that says so.
    skipna : bool, default: False
        Whether samples that are NaN count as missing.
    datetime_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns"}, optional
        The unit of time of the derivative, required where the coordinate holds
        dates or durations.

    Returns
    -------
    xarray.DataArray
        With the labels, name and attributes of `data`; ``units`` is that of
        the derivative if cf-units or pint can read it, and else left out.

    Raises
    ------
    TypeError
        If `data` is no DataArray, coordinates are neither numbers nor dates,
        or `where` is no DataArray of bools; and as `anygrad.derivative` does.
    ValueError
        If `dim` is none of `data`; if `spacing` names no coordinate, or one
        without the dim, or there is none; if `where` or an array in `boundary`
        has other dims or labels; if `datetime_unit` is missing where it is
        needed, unknown, or another one than that in which a coordinate counts
        times as numbers; and as `anygrad.derivative` does.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> times = np.datetime64("2026-01-01") + np.array([0, 1, 3])
    >>> height = xr.DataArray([0.0, 24.0, 72.0], {"time": times}, "time")
    >>> anygrad.xarray.derivative(height, "time", datetime_unit="h").values
    array([1., 1., 1.])
    """
    at = along(data, [dim], spacing, boundary, datetime_unit)
    values = called(
        _derivative.derivative,
        data,
        at,
        dim=at.axes[0],
        spacing=at.spacing,
        order=order,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
        boundary=at.boundary[0],
        where=mask(data, at.samples, where, skipna),
    )
    return derived(data, values, at.units * order)


def gradient(
    data: xr.DataArray,
    dim: Hashable | Sequence[Hashable] | None = None,
    *,
    spacing: Any = None,
    edge_order: int | None = 1,
    accuracy: int = 2,
    boundary: Any = "one_sided",
    where: xr.DataArray | str | None = None,
    skipna: bool = False,
    datetime_unit: str | None = None,
    scale_factors: Any = None,
    dtype: Any = None,
) -> tuple[xr.DataArray, ...]:
    """Estimate the gradient along dims by their names.

    Parameters
    ----------
    data : xarray.DataArray
        The samples.
    dim : hashable, or list or tuple of hashable, optional
        The names of the dims, in the order of the results; by default all.
    spacing, boundary, where, skipna, datetime_unit
        As in `derivative`; what is not a mapping is for every dim, except for
        a pair of boundaries, which needs one if there are several dims.
    edge_order, accuracy, dtype
        As in `anygrad.gradient`.
    scale_factors : mapping, optional
        The length of a unit step, by the name of the dim: a number, a
        DataArray, or the name of a coordinate; 1 for dims that are left out.
        See `anygrad.gradient`.  The results then have no ``units``.

    Returns
    -------
    tuple of xarray.DataArray
        One partial derivative per dim, as `derivative` returns it.

    Raises
    ------
    TypeError, ValueError
        As `derivative` and `anygrad.gradient` do.

    Examples
    --------
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> plane = xr.DataArray(
    ...     [[0.0, 2.0], [float("nan"), 5.0], [6.0, 8.0]],
    ...     {"y": [0.0, 10.0, 20.0], "x": [0.0, 1.0]},
    ...     ("y", "x"),
    ... )
    >>> down, across = anygrad.xarray.gradient(plane, ["y", "x"], skipna=True)
    >>> across.values
    array([[ 2.,  2.],
           [nan, nan],
           [ 2.,  2.]])
    """
    at = along(data, dim, spacing, boundary, datetime_unit, None, scale_factors)
    results = called(
        _gradient.gradient,
        data,
        at,
        edge_order=edge_order,
        dtype=dtype,
        accuracy=accuracy,
        **at.grid,
        where=mask(data, at.samples, where, skipna),
    )
    pairs = zip(results, at.units, strict=True)
    return tuple(derived(data, values, [unit]) for values, unit in pairs)


def laplacian(
    data: xr.DataArray,
    dim: Hashable | Sequence[Hashable] | None = None,
    *,
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
    """Estimate the Laplacian over dims by their names.

    Parameters
    ----------
    data : xarray.DataArray
        The samples.
    dim : hashable, or list or tuple of hashable, optional
        The names of the dims of space; by default all.
    spacing, boundary, where, skipna, datetime_unit, scale_factors
        As in `gradient`.
    accuracy, edge_order, dtype
        As in `anygrad.laplacian`.

    Returns
    -------
    xarray.DataArray
        The sum of the second derivatives, labelled as in `derivative`.

    Raises
    ------
    TypeError, ValueError
        As `derivative` and `anygrad.laplacian` do; if dims have different
        units.

    Examples
    --------
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> bowl = xr.DataArray([[x**2 + y**2 for x in range(4)] for y in range(4)])
    >>> anygrad.xarray.laplacian(bowl, spacing=1.0).values.min()
    np.float64(4.0)
    """
    at = along(data, dim, spacing, boundary, datetime_unit, None, scale_factors)
    unit = at.one_unit()
    values = called(
        _laplacian.laplacian,
        data,
        at,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
        **at.grid,
        where=mask(data, at.samples, where, skipna),
    )
    return derived(data, values, [unit, unit])


def hessian(
    data: xr.DataArray,
    dim: Hashable | Sequence[Hashable] | None = None,
    *,
    new_dims: tuple[str, str] = ("row", "column"),
    spacing: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Any = "one_sided",
    where: xr.DataArray | str | None = None,
    skipna: bool = False,
    datetime_unit: str | None = None,
    scale_factors: None = None,
    dtype: Any = None,
) -> xr.DataArray:
    """Estimate all second derivatives over dims by their names.

    Parameters
    ----------
    data : xarray.DataArray
        The samples.
    dim : hashable, or list or tuple of hashable, optional
        The names of the dims; by default all.
    new_dims : tuple of (str, str), default: ("row", "column")
        The two new dims, which come first; their coordinates are the names of
        `dim`.
    spacing, boundary, where, skipna, datetime_unit
        As in `gradient`.
    accuracy, edge_order, scale_factors, dtype
        As in `anygrad.hessian`.

    Returns
    -------
    xarray.DataArray
        The second derivatives, labelled as in `derivative`.

    Raises
    ------
    TypeError, ValueError
        As `derivative` and `anygrad.hessian` do; if `new_dims` are dims or
        coordinates of `data`.

    Examples
    --------
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> row = xr.DataArray([0, 1, 2, 3], dims="dim_0")
    >>> saddle = row * row.rename(dim_0="dim_1")
    >>> second = anygrad.xarray.hessian(saddle, spacing=1.0)
    >>> second.sel(row="dim_0", column="dim_1").values.max()
    np.float64(1.0)
    """
    at = along(data, dim, spacing, boundary, datetime_unit)
    check_new(new_dims, data, "new_dims")
    values = called(
        _hessian.hessian,
        data,
        at,
        dim=at.axes,
        spacing=at.spacing,
        accuracy=accuracy,
        edge_order=edge_order,
        dtype=dtype,
        scale_factors=scale_factors,
        boundary=at.boundary,
        where=mask(data, at.samples, where, skipna),
    )
    per = [shared(at.units)] * 2
    return derived(data, values, per, dict.fromkeys(new_dims, at.names))
