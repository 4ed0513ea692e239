"""Longitude and latitude of labelled arrays, by the names of their dims."""

from __future__ import annotations

import re
from typing import Any

import xarray as xr

from .. import _classes, _systems
from .._checks.flag import flag
from .labels import refuse_quantities

#: Names, standard names and units (of the CF conventions) that only the other one has.
OF_THE_OTHER = {
    "longitude": re.compile("lat|latitude|degrees?_?(n|north)", re.IGNORECASE),
    "latitude": re.compile("lon|longitude|degrees?_?(e|east)", re.IGNORECASE),
}

#: Units that are neither degrees, where angles are in these, nor radians.
OF_NO_SUCH_ANGLE = {
    is_degrees: re.compile(f"{other}|k?m|(kilo)?met(er|re)s?", re.IGNORECASE)
    for is_degrees, other in ((True, "rad(ian)?s?"), (False, "deg(ree)?s?(_.*)?|°"))
}


def lonlat(
    longitude: xr.DataArray,
    latitude: xr.DataArray,
    *,
    radius: float = _systems.EARTH_RADIUS,
    degrees: bool = True,
) -> dict[str, Any]:
    """Return what a call needs for samples in longitude and latitude.

    The components of a vector field are the eastward and the northward one, in
    this order, whatever the order of the dims.

    Parameters
    ----------
    longitude, latitude : xarray.DataArray
        The coordinates, each along its own dim; longitudes are unwrapped where
        they pass the date line.
    radius, degrees
        As in `anygrad.lonlat`: by default, results are per metre on the Earth,
        and the angles are in degrees.

    Returns
    -------
    dict
        The arguments `dim`, `spacing` and `scale_factors` of `gradient`,
        `laplacian`, `divergence` and `curl`.

    Raises
    ------
    TypeError, ValueError
        If a coordinate is no DataArray of one dim, is called the other one by
        its name or attributes, or has ``units`` that are no such angles; and
        as `anygrad.lonlat` does.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import anygrad.xarray
    >>> degrees = [0.0, 1.0, 2.0]
    >>> data = xr.Dataset(coords={"lon": degrees, "lat": degrees})
    >>> metres = 6371008.7714 * np.cos(np.deg2rad(data.lat))
    >>> grid = anygrad.xarray.lonlat(data.lon, data.lat)
    >>> east, _ = anygrad.xarray.gradient(metres * np.deg2rad(data.lon), **grid)
    >>> np.allclose(east, 1.0)
    True
    """
    (east, x), (north, y) = _line(longitude, "longitude"), _line(latitude, "latitude")
    refuse_quantities(radius, "radius")
    for name, given in (("longitude", longitude), ("latitude", latitude)):
        _check_unit(given.attrs.get("units"), name, flag(degrees, "degrees"))
    grid = _systems.lonlat(x, y, radius=radius, degrees=degrees)
    (unwrapped, _), (circle, length) = grid["spacing"], grid["scale_factors"]
    return {
        "dim": [east, north],
        "spacing": {east: longitude.copy(data=unwrapped), north: latitude},
        "scale_factors": {east: latitude.copy(data=circle[:, 0]), north: length},
    }


def _check_unit(unit: Any, name: str, degrees: bool) -> None:
    """Refuse angles that are said to be in another unit, and lengths."""
    if OF_NO_SUCH_ANGLE[degrees].fullmatch(str(unit)):
        msg = (
            f"`{name}` must be in {'degrees' if degrees else 'radians'}, as `degrees="
            f"{degrees}` says. Got the attribute `units` {unit!r}. Convert it first; "
            f"angles in {'radians' if degrees else 'degrees'} go with `degrees="
            f"{not degrees}`."
        )
        raise ValueError(msg)


def _line(given: Any, name: str) -> tuple[Any, Any]:
    """Return the dim of a coordinate, and its array."""
    if not isinstance(given, xr.DataArray):
        msg = (
            f"`{name}` must be an xarray.DataArray. Got {_classes.type_name(given)}. "
            "Take the coordinate of the data, or `anygrad.lonlat` for bare arrays."
        )
        raise TypeError(msg)
    if given.ndim != 1:
        msg = (
            f"`{name}` must have one dim. Got {given.dims}. On other grids, give "
            "`scale_factors` yourself."
        )
        raise ValueError(msg)
    refuse_quantities(given.data, name)
    attributes = given.attrs
    words = given.name, attributes.get("standard_name"), attributes.get("units")
    for word in words:
        if OF_THE_OTHER[name].fullmatch(str(word)):
            msg = f"`{name}` must not be called {word!r}. The longitude comes first."
            raise ValueError(msg)
    return given.dims[0], given.data
