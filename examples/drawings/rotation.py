"""The vorticity of a sphere that turns."""

import math

import numpy as np
from array_api_compat import array_namespace

import anygrad
from array_libraries import to_backend, to_numpy
from looks import (
    ACCENT,
    OTHER,
    PALE,
    add_colour_bar,
    add_titles,
    latitude_text,
    open_axes,
    show_degrees,
)
from terrain import EARTH_RADIUS

SIZE = (9.5, 3.4)

#: How fast the Earth turns, in 1/s.
OMEGA = 7.292e-5


def turning_sphere(longitude, latitude):
    """Compute the vorticity of a sphere that turns, and the plain curl of its wind.

    Parameters
    ----------
    longitude, latitude : array
        Degrees, one per column and one per row.

    Returns
    -------
    dict of str to array
        Of shape (rows, columns), per second.
    """
    xp = array_namespace(longitude, latitude)
    cosine = xp.cos(latitude * math.radians(1))[:, None]
    eastwards = OMEGA * EARTH_RADIUS * cosine * xp.ones_like(longitude)[None, :]
    field = xp.stack([eastwards, xp.zeros_like(eastwards)])
    grid = anygrad.lonlat(longitude, latitude, radius=EARTH_RADIUS)
    degree = EARTH_RADIUS * math.radians(1)
    flat = {"dim": grid["dim"], "spacing": [degree * x for x in grid["spacing"]]}
    return {"sphere": anygrad.curl(field, **grid), "plane": anygrad.curl(field, **flat)}


def draw(figure, backend):
    """Draw the vorticity on the sphere, and against the latitude."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    east, north = np.arange(-90.0, 91.0, 10.0), np.arange(-85.0, 86.0, 10.0)
    arrays = to_backend(east, backend), to_backend(north, backend)
    found = {name: 1e4 * to_numpy(a) for name, a in turning_sphere(*arrays).items()}
    globe, profile = figure.subplots(1, 2, width_ratios=[1, 1.7])
    colours = ScalarMappable(Normalize(-1.5, 1.5), "RdBu_r")
    # As seen from far off, in the plane of the equator.
    edges = np.radians(east)
    along, across = edges[None, :], edges[:, None]
    globe.pcolormesh(
        np.cos(across) * np.sin(along),
        np.sin(across) * np.ones_like(along),
        (found["sphere"][:, 1:] + found["sphere"][:, :-1]) / 2,
        norm=colours.norm,
        cmap=colours.cmap,
    )
    rows, columns = np.radians(north[2:-1:3]), np.radians(east[4:-2:4])
    globe.quiver(
        np.cos(rows)[:, None] * np.sin(columns)[None, :],
        np.sin(rows)[:, None] * np.ones_like(columns)[None, :],
        np.cos(rows)[:, None] * np.cos(columns)[None, :],
        np.zeros((rows.size, columns.size)),
        color="#1b1f24",
        scale=6,
        width=0.008,
    )
    globe.set_xlim(-1.02, 1.2)  # the last arrows stick out
    globe.set_aspect("equal")
    globe.set_axis_off()
    add_titles(globe, "A sphere that turns", "")
    add_colour_bar(globe, colours, "vorticity, $10^{-4}$ per second")
    fine = np.linspace(-90.0, 90.0, 200)
    exact = 2e4 * OMEGA * np.sin(np.radians(fine))
    profile.plot(fine, exact, color=PALE, lw=1.5, label="$2 \\Omega \\sin\\varphi$")
    looks = {
        "sphere": {"color": OTHER, "marker": "o", "label": "with lonlat"},
        "plane": {"color": ACCENT, "marker": "s", "label": "without lonlat, in metres"},
    }
    for name, look in looks.items():
        profile.plot(north, found[name][:, 9], linestyle="none", markersize=5, **look)
    profile.set_xticks(range(-90, 91, 30))
    show_degrees(profile.xaxis, latitude_text)
    profile.set_ylabel("$10^{-4}$ per second")
    open_axes(profile)
    profile.legend(frameon=False, loc="upper left")
    add_titles(profile, "Its vorticity", "")
