"""Curved coordinates: where their points lie, and how long their steps are.

Each function returns the arguments of a call that follow from the coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

from . import _dispatch, _tasks
from ._checks import coordinates
from ._checks.flag import flag
from ._records import Samples
from ._typing import Array

#: The mean radius of the Earth in metres, (2 a + b) / 3 of WGS 84.
EARTH_RADIUS = 6371008.7714


class Grid(TypedDict):
    """The arguments of a call, with which a type checker knows what it returns."""

    spacing: list[Any]
    scale_factors: list[Any]
    dim: tuple[int, ...]


class Unit(NamedTuple):
    """In what angles are measured."""

    #: As libraries of quantities know it.
    name: str
    #: How many it is.
    radians: float
    #: How many of it are a full circle.
    turn: float


DEGREES, RADIANS = Unit("deg", math.pi / 180, 360.0), Unit("rad", 1.0, 2 * math.pi)


def spherical(
    radius: float | Array,
    inclination: Array,
    azimuth: float | Array,
    *,
    degrees: bool = False,
    dim: Sequence[int] | None = None,
) -> Grid:
    """Return what a call needs for samples in spherical coordinates.

    The scale factors are 1 along the radius, ``radius`` along the inclination,
    and ``radius * sin(inclination)`` along the azimuth.  The components of a
    vector field are in this order, each along the direction in which its
    coordinate grows.

    Parameters
    ----------
    radius : float or array of shape (n,)
        The distance from the centre: coordinates, or one number for a sphere,
        whose samples have no dim for it.  It may be a quantity.
    inclination : array of shape (n,)
        The angle from the polar axis, also called colatitude or polar angle.
    azimuth : float or array of shape (n,)
        The angle around the axis: coordinates, or their step.  Coordinates may
        cross the end of the circle: they are unwrapped, so that no two
        neighbours are more than half a circle apart.
    degrees : bool, default: False
        Whether angles are in degrees, not in radians.  Angles that are
        quantities are converted.
    dim : list or tuple of int, or None, default: None
        The dims of the samples that the coordinates belong to, in the order
        above: negative ints, which count from the last dim.  None is
        ``(-3, -2, -1)``, and ``(-2, -1)`` on a sphere.

    Returns
    -------
    dict
        The arguments `spacing`, `scale_factors` and `dim`, for `gradient`,
        `divergence`, `curl` and `laplacian`.  Arrays are of the library of the
        coordinates, and differentiable in them.

    Raises
    ------
    TypeError
        - If `radius` is neither a number nor a real array of the standard, or
          an array of another library or dtype than goes with `inclination`.
        - If `inclination` is not a real array of the standard.
        - If `azimuth` is neither a number nor a real array of the standard.
        - If `degrees` is not a bool.
        - If `dim` is not a list or tuple of ints.
    ValueError
        - If `radius` has several dims or no known length, or is 0, inf or NaN.
        - If `inclination` does not have one dim, or one of unknown length.
        - If `azimuth` has more than one dim, or one of unknown length.
        - If `dim` has another length than there are coordinates with dims, or
          does not name negative ones, each once.

    See Also
    --------
    lonlat : The same for the Earth, in longitude and latitude.
    cylindrical : Around an axis without a centre.

    Notes
    -----
    On the polar axis, and at the centre, factors are zero, and what is divided
    by them is infinite or NaN.  Have the first point half a step away.

    Examples
    --------
    The divergence of the unit vector away from the centre is ``2 / radius``:

    >>> import anygrad
    >>> import numpy as np
    >>> radius = np.asarray([1.0, 2.0, 4.0])
    >>> grid = anygrad.spherical(radius, np.asarray([1.0, 1.5, 2.0]), 0.1)
    >>> away = np.zeros((3, 3, 3, 4))
    >>> away[0] = 1.0
    >>> anygrad.divergence(away, **grid)[:, 1, 1]
    array([2. , 1. , 0.5])
    """
    unit = _unit(degrees)
    theta = _angles(inclination, "inclination", unit)
    phi = _around(azimuth, "azimuth", unit)
    if coordinates.is_number(radius, "radius"):
        numbers = coordinates.dims(dim, (-2, -1))
        length = coordinates.length(radius, theta, "inclination") * unit.radians
        with _dispatch.surroundings(theta):
            circle = _laid(_sine(theta, unit), numbers[0], numbers) * length
        return {
            "spacing": [theta.array, phi],
            "scale_factors": [length, circle],
            "dim": numbers,
        }
    numbers = coordinates.dims(dim, (-3, -2, -1))
    r = coordinates.lengths(radius, "radius")
    coordinates.check_together(r.samples, theta)
    with _dispatch.surroundings(r.samples):
        length = _laid(r.samples.array, numbers[0], numbers) * unit.radians
        circle = length * _laid(_sine(theta, unit), numbers[1], numbers)
    return {
        "spacing": [r.whole(r.samples.array), theta.array, phi],
        "scale_factors": [1.0, r.whole(length), r.whole(circle)],
        "dim": numbers,
    }


def cylindrical(
    radius: Array,
    azimuth: float | Array,
    height: float | Array | None = None,
    *,
    degrees: bool = False,
    dim: Sequence[int] | None = None,
) -> Grid:
    """Return what a call needs for samples in cylindrical or polar coordinates.

    The scale factors are 1 along the radius, ``radius`` along the azimuth, and
    1 along the height.  The components of a vector field are in this order,
    each along the direction in which its coordinate grows.

    Parameters
    ----------
    radius : array of shape (n,)
        The distance from the axis.  It may be a quantity, as may the height.
    azimuth : float or array of shape (n,)
        The angle around the axis: coordinates, or their step.  Coordinates may
        cross the end of the circle: they are unwrapped, so that no two
        neighbours are more than half a circle apart.
    height : float, array of shape (n,) or None, default: None
        The position along the axis: coordinates, or their step.  With None,
        the samples have no dim for it: these are polar coordinates in a plane.
    degrees : bool, default: False
        Whether angles are in degrees, not in radians.  Angles that are
        quantities are converted.
    dim : list or tuple of int, or None, default: None
        The dims of the samples that the coordinates belong to, in the order
        above: negative ints, which count from the last dim.  None is
        ``(-3, -2, -1)``, and ``(-2, -1)`` without a height.

    Returns
    -------
    dict
        The arguments `spacing`, `scale_factors` and `dim`, for `gradient`,
        `divergence`, `curl` and `laplacian`.  Arrays are of the library of the
        coordinates, and differentiable in them.

    Raises
    ------
    TypeError
        - If `radius` is not a real array of the standard.
        - If `azimuth` is neither a number nor a real array of the standard.
        - If `height` is neither a number nor a real array of the standard.
        - If `degrees` is not a bool.
        - If `dim` is not a list or tuple of ints.
    ValueError
        - If `radius` does not have one dim, or one of unknown length.
        - If `azimuth` has more than one dim, or one of unknown length.
        - If `height` has more than one dim, or one of unknown length.
        - If `dim` has another length than there are coordinates with dims, or
          does not name negative ones, each once.

    See Also
    --------
    spherical : Around a centre.

    Notes
    -----
    On the axis, the factor of the azimuth is zero, and what is divided by it
    is infinite or NaN.  Have the first point half a step away.

    Examples
    --------
    The Laplacian of the distance from the axis is ``1 / radius``:

    >>> import anygrad
    >>> import numpy as np
    >>> radius = np.asarray([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> samples = radius[:, None] * np.ones(6)
    >>> anygrad.laplacian(samples, **anygrad.cylindrical(radius, 0.1))[1, :2]
    array([0.5, 0.5])
    """
    unit = _unit(degrees)
    is_plane = height is None
    numbers = coordinates.dims(dim, (-2, -1) if is_plane else (-3, -2, -1))
    r, phi = coordinates.lengths(radius, "radius"), _around(azimuth, "azimuth", unit)
    along = [] if is_plane else [coordinates.step_or_coordinates(height, "height")]
    with _dispatch.surroundings(r.samples):
        length = _laid(r.samples.array, numbers[0], numbers) * unit.radians
    return {
        "spacing": [r.whole(r.samples.array), phi, *along],
        "scale_factors": [1.0, r.whole(length), *[1.0 for _ in along]],
        "dim": numbers,
    }


def lonlat(
    longitude: float | Array,
    latitude: Array,
    *,
    radius: Any = EARTH_RADIUS,
    degrees: bool = True,
    dim: Sequence[int] | None = None,
) -> Grid:
    """Return what a call needs for samples in longitude and latitude.

    The scale factors are the lengths of a degree: ``radius * cos(latitude)``
    and ``radius``, times ``pi / 180``; with ``degrees=False``, without that.
    The components of a vector field are the eastward and the northward one, in
    this order, whatever the order of the dims.

    Parameters
    ----------
    longitude : float or array of shape (n,)
        Where the samples lie from west to east: coordinates, or their step.
        Coordinates may cross the date line, or the prime meridian: they are
        unwrapped, so that no two neighbours are more than half a circle apart.
    latitude : array of shape (n,)
        Where the samples lie from south to north, or from north to south.
    radius : float or array of shape (), default: 6371008.7714
        That of the sphere; its unit is the unit of length in the results.  By
        default, it is the mean radius of the Earth in metres.  It may be a
        quantity.
    degrees : bool, default: True
        Whether angles are in degrees, not in radians.  Angles that are
        quantities are converted.
    dim : list or tuple of int, or None, default: None
        The dims of the samples that the coordinates belong to, in the order
        above: negative ints, which count from the last dim.  None is
        ``(-1, -2)``: the samples are of shape (..., latitude, longitude).

    Returns
    -------
    dict
        The arguments `spacing`, `scale_factors` and `dim`, for `gradient`,
        `divergence`, `curl` and `laplacian`.  Arrays are of the library of the
        coordinates, and differentiable in them.

    Raises
    ------
    TypeError
        - If `longitude` is neither a number nor a real array of the standard.
        - If `latitude` is not a real array of the standard.
        - If `radius` is not a number.
        - If `degrees` is not a bool.
        - If `dim` is not a list or tuple of ints.
    ValueError
        - If `longitude` has more than one dim, or one of unknown length.
        - If `latitude` does not have one dim, or one of unknown length.
        - If `radius` has a dim, or is a number that is zero or not finite.
        - If `dim` has another length than there are coordinates with dims, or
          does not name negative ones, each once.

    See Also
    --------
    spherical : The same from the polar axis, and with a radius that varies.

    Notes
    -----
    The coordinates stay in their unit, so that their differences are exact,
    and the period of a global field is ``("periodic", 360.0)``.

    At the poles themselves, in degrees, the first factor is exactly zero: what
    is divided by it is infinite or NaN in that row, and in no other.  Have the
    rows half a step off the poles, or leave these out.  In the rows beside a
    pole, errors are divided by small factors, and fall with one order less.

    Examples
    --------
    The vorticity of a rotating sphere is ``2 * omega * sin(latitude)``:

    >>> import anygrad
    >>> import numpy as np
    >>> longitude = np.asarray([170.0, 175.0, -180.0, -175.0, -170.0])
    >>> latitude = np.asarray([29.0, 30.0, 31.0])
    >>> speed = 6371008.7714 * np.cos(np.radians(latitude))[:, None]
    >>> wind = np.stack([speed * np.ones(5), np.zeros((3, 5))])
    >>> vorticity = anygrad.curl(wind, **anygrad.lonlat(longitude, latitude))
    >>> vorticity[1].round(3)
    array([1., 1., 1., 1., 1.])
    """
    unit, numbers = _unit(degrees), coordinates.dims(dim, (-1, -2))
    coordinates.check_radius(radius)
    phi = _angles(latitude, "latitude", unit)
    length = coordinates.length(radius, phi, "latitude") * unit.radians
    with _dispatch.surroundings(phi):
        circle = _laid(_cosine(phi, unit), numbers[1], numbers) * length
    return {
        "spacing": [_around(longitude, "longitude", unit), phi.array],
        "scale_factors": [circle, length],
        "dim": numbers,
    }


def _unit(degrees: Any) -> Unit:
    return DEGREES if flag(degrees, "degrees") else RADIANS


def _angles(given: Any, name: str, unit: Unit) -> Samples:
    """Return what there is to know of coordinates that are angles, in their unit."""
    return coordinates.coordinate(coordinates.in_unit(given, name, unit.name), name)


def _around(given: Any, name: str, unit: Unit) -> Any:
    """Return a step around a circle as it is, and coordinates unwrapped.

    Whole turns are counted and taken off, instead of adding differences up, so that
    coordinates are exact, and those that need none stay as they are.
    """
    plain = coordinates.in_unit(given, name, unit.name)
    if coordinates.is_number(plain, name):
        return plain
    samples = coordinates.coordinate(plain, name)
    x, xp = samples.array, samples.namespace
    with _dispatch.surroundings(samples):
        turns, none = xp.round((x[1:] - x[:-1]) / unit.turn), xp.zeros_like(x)
        turns = xp.where(xp.isfinite(turns), turns, none[1:])  # beside a gap
        counted = _running_sum(xp.concat([none[:1], turns]), samples)
        return x - counted * unit.turn


def _running_sum(counted: Any, samples: Samples) -> Any:
    """Return the sums of whole numbers up to each of them.

    Each pass adds up twice as many.  How many passes that are must not be asked of a
    length that a symbol may stand for: what is compiled would be for some lengths only.
    """
    xp, length, step = samples.namespace, counted.shape[0], 1
    if samples.is_compiled:  # by torch, which warns of caches behind the standard's
        return xp.cumsum(counted, axis=0)
    if type(length) is not int:
        return xp.cumulative_sum(counted)
    while step < length:
        counted = xp.concat([counted[:step], counted[step:] + counted[:-step]])
        step *= 2
    return counted


def _sine(samples: Samples, unit: Unit) -> Any:
    """Return the sine of an inclination: in degrees, exactly zero at both poles."""
    x, xp = samples.array, samples.namespace
    if unit is DEGREES:
        x = 90.0 - xp.abs(x - 90.0)
    return xp.sin(x * unit.radians)


def _cosine(samples: Samples, unit: Unit) -> Any:
    """Return the cosine of a latitude: in degrees, exactly zero at both poles."""
    x, xp = samples.array, samples.namespace
    if unit is DEGREES:
        return xp.sin((90.0 - xp.abs(x)) * unit.radians)
    return xp.cos(x)


def _laid(array: Any, number: int, dims: tuple[int, ...]) -> Any:
    """Return an array of one dim along one of several that count from the last."""
    count = max([-dim for dim in dims])
    return _tasks.with_all_dims(array, count + number, count)
