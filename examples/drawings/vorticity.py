"""The vorticity of a wind around the globe."""

import math

import numpy as np
from array_api_compat import array_namespace

import anygrad
from array_libraries import to_backend, to_numpy
from looks import (
    INK,
    add_colour_bar,
    add_titles,
    latitude_text,
    longitude_text,
    show_degrees,
)
from terrain import EARTH_RADIUS

SIZE = (11.0, 2.75)

#: Speed of the jet (m/s); its latitude, half-width and meanders (degrees); how many.
JET = {"speed": 45.0, "latitude": 47.0, "width": 6.0, "meander": 7.0, "waves": 5}

#: Longitude, latitude and radius of eddies in degrees, and their speed in m/s:
#: positive ones turn anticlockwise.
EDDIES = [
    (350.0, 60.0, 6.0, 34.0),
    (8.0, 33.0, 5.0, -26.0),
    (62.0, 31.0, 5.0, 24.0),
    (95.0, 63.0, 5.0, -24.0),
    (140.0, 30.0, 6.0, -22.0),
    (170.0, 64.0, 5.0, 30.0),
    (215.0, 33.0, 5.0, 26.0),
    (245.0, 62.0, 6.0, -26.0),
    (292.0, 31.0, 5.0, -24.0),
    (318.0, 62.0, 4.0, 26.0),
]


def wind(longitude, latitude):
    """Return a jet with meanders, and eddies beside it.

    Both are flows along the contours of a stream function, so that they have no
    divergence: ``u = -dpsi/dphi / R`` and ``v = dpsi/dlambda / (R cos phi)``.  That of
    the jet is a hyperbolic tangent, and that of an eddy a Gaussian of the chord.

    Parameters
    ----------
    longitude : array, shape (1, columns)
        Radians.
    latitude : array, shape (rows, 1)
        Radians.

    Returns
    -------
    array, shape (2, rows, columns)
        Metres per second eastwards and northwards.
    """
    xp = array_namespace(longitude, latitude)
    waves, meander = JET["waves"], math.radians(JET["meander"])
    centre = math.radians(JET["latitude"]) - meander * xp.cos(waves * longitude)
    depth = (latitude - centre) / math.radians(JET["width"])
    u = JET["speed"] / xp.cosh(depth) ** 2
    v = u * meander * waves * xp.sin(waves * longitude) / xp.cos(latitude)
    for east, north, radius, speed in EDDIES:
        away = longitude - math.radians(east)
        sine, cosine = math.sin(math.radians(north)), math.cos(math.radians(north))
        size = math.radians(radius)
        along = xp.sin(latitude) * sine + xp.cos(latitude) * cosine * xp.cos(away)
        bell = -speed * math.exp(0.5) * xp.exp((along - 1) / size**2) / size
        u = u - bell * (
            xp.cos(latitude) * sine - xp.sin(latitude) * cosine * xp.cos(away)
        )
        v = v - bell * cosine * xp.sin(away)
    return xp.stack([u, v])


def vorticity(field, longitude, latitude):
    """Compute the vorticity of a wind on the globe.

    Parameters
    ----------
    field : array, shape (2, rows, columns)
        Metres per second eastwards and northwards.
    longitude, latitude : array
        Radians, one per column and one per row.  The columns go around the globe.

    Returns
    -------
    array, shape (rows, columns)
        Per second; positive where the air turns anticlockwise.
    """
    grid = anygrad.lonlat(longitude, latitude, radius=EARTH_RADIUS, degrees=False)
    around = [("periodic", 2 * math.pi), "one_sided"]
    return anygrad.curl(field, **grid, accuracy=4, boundary=around)


def draw(figure, backend):
    """Draw the vorticity of the wind, centred on where the columns begin."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    degrees_east, degrees_north = np.arange(0.0, 360.0), np.arange(20.0, 76.0)
    longitude = to_backend(np.radians(degrees_east), backend)
    latitude = to_backend(np.radians(degrees_north), backend)
    field = wind(longitude[None, :], latitude[:, None])
    turning = 1e5 * to_numpy(vorticity(field, longitude, latitude))
    u, v = to_numpy(field)
    # The first column stands in the middle: a seam there would be seen.
    half = degrees_east.size // 2
    east = degrees_east - half
    turning, u, v = (np.roll(a, half, axis=1) for a in (turning, u, v))
    colours = ScalarMappable(Normalize(-20, 20), "RdBu_r")
    axes = figure.subplots()
    axes.contourf(
        east,
        degrees_north,
        turning,
        np.arange(-20, 21),
        norm=colours.norm,
        cmap=colours.cmap,
        extend="both",
    )
    rows, columns = slice(2, None, 4), slice(3, None, 6)
    arrows = axes.quiver(
        east[columns], degrees_north[rows], u[rows, columns], v[rows, columns],
        color=INK, scale=1900, width=0.0011, headwidth=4,
    )  # fmt: skip
    axes.quiverkey(
        arrows, 0.89, 1.06, 40, "40 m/s", labelpos="E", fontproperties={"size": 9}
    )
    axes.set_aspect(1.3)
    axes.set_xticks(range(-180, 181, 60))
    show_degrees(axes.xaxis, longitude_text)
    show_degrees(axes.yaxis, latitude_text)
    axes.tick_params(labelsize=9)
    add_titles(axes, "Vorticity of a jet and its eddies", "")
    add_colour_bar(axes, colours, "$10^{-5}$ per second")
