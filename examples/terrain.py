"""Slope, aspect and hillshade of a real landscape, in any array library.

Reads an elevation grid that the matplotlib wheel carries, differentiates it with
`anygrad.gradient`, prints the steepest point and draws relief and slopes::

    python terrain.py
    python terrain.py --backend torch --landscape topobathy --output relief.png

A degree of longitude shortens towards the poles, so the metres between two
neighbouring columns differ from row to row. `anygrad.lonlat` says so to the gradient:
it takes the degrees as they are in the file, and the result is in metres per metre.

Needs matplotlib (``pip install ".[example]"`` in a checkout), and the library named
by ``--backend``.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from array_api_compat import array_namespace

import anygrad
from array_libraries import BACKENDS, ExampleError, to_backend, to_numpy
from landscapes import LOADERS, load
from looks import STYLES, draw_into, latitude_text, longitude_text, write_any
from maps import draw_maps, picture_size

Array = Any  # an array of whichever library was chosen

# Mean radius R1 of the GRS 80 ellipsoid (Moritz 2000, "Geodetic Reference
# System 1980", J. Geodesy 74, 128-133). A sphere is within 0.7 % of it.
EARTH_RADIUS = 6_371_008.8  # metres

# Ground with a smaller slope counts as level, for its aspect is mere rounding
# error. The heights are whole metres, so a single metre between the neighbours of
# a point makes twice this slope on the coarser grid.
LEVEL = 1e-4  # metres per metre

# Maps are lit from the north-west by convention: with light from below the
# page, most readers see valleys as ridges.
LIGHT_AZIMUTH = 315.0  # degrees clockwise from north
LIGHT_ALTITUDE = 45.0  # degrees above the horizon


class Analysis(NamedTuple):
    """What `analyse` returns; every field has the shape of the elevation."""

    slope: Array  # rise in metres per metre up the steepest way
    angle: Array  # the same in degrees
    aspect: Array  # compass bearing of the way down, in degrees
    light: Array  # brightness of the ground, that of level ground being 1


class Point(NamedTuple):
    """The steepest point of a terrain."""

    longitude: float
    latitude: float
    elevation: float
    slope: float
    angle: float
    aspect: float


def analyse(elevation, longitude, latitude, exaggeration=1.0):
    """Compute slope, aspect and hillshade of an elevation grid.

    Parameters
    ----------
    elevation : array, shape (rows, columns)
        Metres, in any array library; integers are fine.
    longitude, latitude : numpy.ndarray
        Degrees in float64, one per column and one per row. They may be unevenly
        spaced, and may run either way.
    exaggeration : float, default: 1
        Factor on the heights, in the hillshade only.

    Returns
    -------
    Analysis
        Arrays of the elevation's library. The aspect is from 0 to 360 degrees
        clockwise from north, and NaN where the slope is below `LEVEL`.
    """
    xp = array_namespace(elevation)
    globe = anygrad.lonlat(longitude, latitude, radius=EARTH_RADIUS)
    east, north = anygrad.gradient(elevation, **globe)
    slope = xp.hypot(east, north)
    # The gradient points uphill, at the bearing atan2(east, north) from north.
    # Downhill is the opposite way, and adding half a turn also moves atan2's
    # range from [-180, 180] to [0, 360].
    bearing = 180 + (180 / math.pi) * xp.atan2(east, north)
    nowhere = xp.full_like(bearing, math.nan)
    return Analysis(
        slope=slope,
        angle=(180 / math.pi) * xp.atan(slope),
        aspect=xp.where(slope < LEVEL, nowhere, bearing),
        light=hillshade(exaggeration * east, exaggeration * north),
    )


def hillshade(east, north):
    """Compute how brightly a matt surface shines, that of level ground being 1.

    The brightness of a matt surface is the cosine of the angle between its
    normal and the light (Horn 1981, "Hill shading and the reflectance map",
    Proc. IEEE 69, 14-47). With the x axis east, y north and z up, the normal is
    ``(-p, -q, 1) / sqrt(1 + p**2 + q**2)`` for the gradient ``(p, q)``, and the
    light comes from ``(sin A cos h, cos A cos h, sin h)`` for its azimuth ``A``
    and altitude ``h``.

    Parameters
    ----------
    east, north : array
        The gradient of the elevation in metres per metre.

    Returns
    -------
    array
        From 0, turned away from the light, to ``1 / sin h``, facing it.
    """
    xp = array_namespace(east, north)
    azimuth, altitude = math.radians(LIGHT_AZIMUTH), math.radians(LIGHT_ALTITUDE)
    towards_light = east * math.sin(azimuth) + north * math.cos(azimuth)
    facing = 1 - towards_light / math.tan(altitude)
    brightness = facing / xp.sqrt(1 + east**2 + north**2)
    return xp.where(brightness > 0, brightness, xp.zeros_like(brightness))


def steepest_point(terrain, analysis):
    """Find where the slope is greatest, among the points with neighbours all round.

    The outermost points are left out: there the derivative comes from one side
    only, is less accurate, and so reaches extremes more easily.

    Parameters
    ----------
    terrain : Terrain
        The grid.
    analysis : Analysis
        What `analyse` returned for it.

    Returns
    -------
    Point
        Python floats; the first such point in row order if there are several.
    """
    xp = array_namespace(analysis.slope)
    inner = analysis.slope[1:-1, 1:-1]
    flat_index = int(xp.argmax(xp.reshape(inner, (-1,))))
    row, column = (1 + index for index in divmod(flat_index, inner.shape[1]))
    return Point(
        longitude=float(terrain.longitude[column]),
        latitude=float(terrain.latitude[row]),
        elevation=float(terrain.elevation[row, column]),
        slope=float(analysis.slope[row, column]),
        angle=float(analysis.angle[row, column]),
        aspect=float(analysis.aspect[row, column]),
    )


def compass_name(bearing):
    """Name the nearest of the eight winds, such as ``"SW"`` for 220 degrees."""
    winds = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
    return winds[round(bearing / 45) % 8]


def report(terrain, analysis, point, backend):
    """Describe one terrain in a short table.

    Parameters
    ----------
    terrain : Terrain
        The grid.
    analysis : Analysis
        What `analyse` returned for it.
    point : Point
        Its steepest point.
    backend : str
        The name of the library that computed it.

    Returns
    -------
    str
        Some lines of text.
    """
    rows, columns = terrain.elevation.shape
    dtype = to_numpy(analysis.slope).dtype
    latitude = latitude_text(point.latitude, ".4f")
    longitude = longitude_text(point.longitude, ".4f")
    lines = [
        ("size", f"{rows} rows x {columns} columns"),
        ("dtype", f"{terrain.elevation.dtype} in the file, {dtype} computed"),
        ("backend", backend),
        ("steepest point", f"{latitude}, {longitude}"),
        ("  elevation", f"{point.elevation:.0f} m"),
        ("  slope", f"{point.slope:.4f} m/m, {point.angle:.2f}°"),
        ("  faces", f"{point.aspect:.1f}°, {compass_name(point.aspect)}"),
    ]
    return "\n".join([terrain.title] + [f"  {key:<16}{text}" for key, text in lines])


def parse_arguments(argv):
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Slope, aspect and hillshade of a real landscape, computed with "
        "anygrad.gradient in any array library."
    )
    parser.add_argument(
        "--landscape",
        choices=LOADERS,
        default="jacksboro",
        help="elevation grid to read (default: %(default)s)",
    )
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="numpy",
        help="array library that computes (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("terrain.png"),
        metavar="FILE",
        help="picture to write (default: %(default)s)",
    )
    parser.add_argument(
        "--style",
        choices=STYLES,
        default="light",
        help="background that the picture is for (default: %(default)s)",
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Analyse, report and draw a terrain.

    Parameters
    ----------
    argv : list of str, optional
        Command-line arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0, or 1 when something is missing. A wrong command line
        exits with 2, as argparse does.
    """
    options = parse_arguments(argv)
    try:
        terrain = load(options.landscape)
        elevation = to_backend(terrain.elevation, options.backend)
        analysis = analyse(
            elevation, terrain.longitude, terrain.latitude, terrain.exaggeration
        )
        point = steepest_point(terrain, analysis)
        print(report(terrain, analysis, point, options.backend), end="\n\n")
        draw_into(
            options.output,
            options.style,
            picture_size(terrain),
            lambda figure: draw_maps(figure, terrain, analysis, point),
            write_any,
        )
    except ExampleError as error:
        print(f"terrain: error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
