"""Slope, aspect and hillshade of a real landscape, in any array library.

Reads an elevation grid that the matplotlib wheel carries, differentiates it with
`anygrad.gradient`, prints the steepest point and draws relief and slopes::

    python terrain.py
    python terrain.py --backend torch --landscape topobathy --output relief.png

A degree of longitude shortens towards the poles, so the metres between two
neighbouring columns differ from row to row. That is why the coordinate for the
columns is a two-dimensional array, one value for each point of the grid, while
a one-dimensional array is enough for the rows.

Needs matplotlib (``pip install ".[example]"`` in a checkout), and the library named
by ``--backend``.
"""

import argparse
import importlib
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, is_cupy_array

import anygrad

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

# The module whose ``asarray`` makes an array of each library.
BACKENDS = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "dask": "array_api_compat.dask.array",
    "array_api_strict": "array_api_strict",
    "cupy": "array_api_compat.cupy",
}

# (position from 0 to 1, colour): deep water to shallows, lowland to summit.
SEA_TINTS = [
    (0.00, "#14304d"),
    (0.50, "#2d6591"),
    (0.80, "#6da7c6"),
    (0.95, "#a5cfdd"),
    (1.00, "#cfe6ea"),
]
LAND_TINTS = [
    (0.00, "#5d8f62"),
    (0.20, "#a3b977"),
    (0.40, "#e4d7a0"),
    (0.65, "#bf9468"),
    (0.85, "#a58c80"),
    (1.00, "#fbfaf8"),
]


# The background of a picture, and what letters and lines are drawn in, on light pages
# and on dark ones.
STYLES = {
    "light": {"paper": "#ffffff", "ink": "#1b1f24"},
    "dark": {"paper": "#131416", "ink": "#d5d8db"},
}


class ExampleError(Exception):
    """Something the user can put right; `main` prints it without a traceback."""


class Terrain(NamedTuple):
    """An elevation grid; row ``i``, column ``j`` is at latitude[i], longitude[j]."""

    title: str
    elevation: np.ndarray  # metres above the sea, as the file stores it
    longitude: np.ndarray  # degrees east, one per column
    latitude: np.ndarray  # degrees north, one per row
    exaggeration: float  # of heights, in the hillshade only
    note: str  # how the relief is drawn, in words


class Analysis(NamedTuple):
    """What `analyse` returns; every field has the shape of the elevation."""

    east: Array  # rise in metres per metre eastwards
    north: Array  # rise in metres per metre northwards
    slope: Array  # rise in metres per metre up the steepest way
    aspect: Array  # compass bearing of the way down, in degrees


class Point(NamedTuple):
    """The steepest point of a terrain."""

    longitude: float
    latitude: float
    elevation: float
    slope: float
    aspect: float


def load(name):
    """Read one of the elevation grids that matplotlib ships.

    Parameters
    ----------
    name : {"topobathy", "jacksboro"}
        The grid to read.

    Returns
    -------
    Terrain
        The grid as NumPy arrays, with coordinates in float64.

    Raises
    ------
    ExampleError
        If matplotlib is missing or does not ship the file.
    """
    return LOADERS[name]()


def load_topobathy():
    """Read land and sea floor around Vancouver Island, rows from south to north."""
    # The northernmost rows are left out: a mountain there is cut by the frame, and
    # is steepest where it is cut.
    rows = slice(None, -2)
    with open_sample("topobathy.npz") as sample:
        return Terrain(
            title="Vancouver Island, land and sea floor",
            elevation=sample["topo"][rows],
            # Stored as 234 to 238 degrees east. The rows are evenly spaced on a
            # Mercator map, so the steps in latitude shrink towards the pole.
            longitude=sample["longitude"].astype(np.float64) - 360,
            latitude=sample["latitude"][rows].astype(np.float64),
            # The cells are over 2 km wide, which flattens every slope.
            exaggeration=4.0,
            note="light from the north-west, relief drawn four times as high",
        )


def load_jacksboro():
    """Read the hills along the Jacksboro fault, rows from north to south."""
    with open_sample("jacksboro_fault_dem.npz") as sample:
        elevation = sample["elevation"]
        rows, columns = elevation.shape
        # The file's limits are outer edges of cells, and "ymax" is the northern
        # edge of the first row. Its "ymin" lies north of that by the height of
        # the grid, where it should lie south. The landscape tells: measured from
        # "ymax", the highest cell, 1076 m, falls on the summit of Cross Mountain,
        # 1077 m at 36.1983 N, 84.2306 W; from "ymin", on lower hills.
        west, top = float(sample["xmin"]), float(sample["ymax"])
        dx, dy = float(sample["dx"]), float(sample["dy"])
        return Terrain(
            title="Hills along the Jacksboro fault, Tennessee",
            elevation=elevation,
            longitude=west + dx * (np.arange(columns) + 0.5),
            latitude=top - dy * (np.arange(rows) + 0.5),
            exaggeration=2.0,
            note="light from the north-west, relief drawn twice as high",
        )


LOADERS = {"jacksboro": load_jacksboro, "topobathy": load_topobathy}


def open_sample(filename):
    """Open a sample file of matplotlib, or say clearly why it cannot be."""
    try:
        from matplotlib.cbook import get_sample_data
    except ImportError as error:
        raise ExampleError(f"matplotlib is needed: {error}") from error
    try:
        return get_sample_data(filename)
    except OSError as error:
        raise ExampleError(
            f"this matplotlib does not ship {filename} (the wheels on PyPI do): {error}"
        ) from error


def to_backend(values, backend):
    """Copy a NumPy array into another array library.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers of any dtype.
    backend : str
        A key of `BACKENDS`.

    Returns
    -------
    array
        The values in that library, of the same dtype.

    Raises
    ------
    ExampleError
        If the library is not installed, or cannot hold an array here.
    """
    try:
        xp = importlib.import_module(BACKENDS[backend])
    except ImportError as error:
        raise ExampleError(f"{backend} is not installed: {error}") from error
    try:
        return xp.asarray(values)
    except RuntimeError as error:  # CuPy without a GPU, say
        raise ExampleError(f"{backend} is installed but fails: {error}") from error


def to_numpy(array):
    """Copy an array of any library to NumPy; this is where Dask computes."""
    return array.get() if is_cupy_array(array) else np.asarray(array)


def metre_coordinates(longitude, latitude, xp):
    """Turn degrees into great-circle metres north and east of the grid's centre.

    A degree of latitude is ``R * pi / 180`` metres everywhere, and a degree of
    longitude is ``cos(latitude)`` times that.

    Parameters
    ----------
    longitude, latitude : numpy.ndarray
        Degrees, one per column and one per row.
    xp : namespace
        The array namespace to compute in.

    Returns
    -------
    north : array, shape (rows,)
        One coordinate per row.
    east : array, shape (rows, columns)
        One coordinate per point, since the columns converge polewards.
    """
    # Subtract the centre in float64, before the library sees the numbers. JAX
    # makes float32 of them unless its option jax_enable_x64 is on; that rounds
    # -84.4 degrees by up to 4e-6, and so a step of 8e-4 by up to 1 %. The offsets
    # from the centre are small numbers, and keep the digits of the step.
    columns = xp.asarray(np.radians(longitude - longitude.mean()))
    rows = xp.asarray(np.radians(latitude - latitude.mean()))
    parallels = xp.asarray(np.radians(latitude))
    north = EARTH_RADIUS * rows
    east = EARTH_RADIUS * xp.cos(parallels)[:, None] * columns[None, :]
    return north, east


def analyse(elevation, longitude, latitude):
    """Compute slope and aspect of an elevation grid.

    Parameters
    ----------
    elevation : array, shape (rows, columns)
        Metres, in any array library; integers are fine.
    longitude, latitude : numpy.ndarray
        Degrees in float64, one per column and one per row. They may be unevenly
        spaced, and may run either way.

    Returns
    -------
    Analysis
        Arrays of the elevation's library. The aspect is from 0 to 360 degrees
        clockwise from north, and NaN where the slope is below `LEVEL`.
    """
    xp = array_namespace(elevation)
    spacing = metre_coordinates(longitude, latitude, xp)
    north, east = anygrad.gradient(elevation, spacing=spacing)
    slope = xp.hypot(east, north)
    # The gradient points uphill, at the bearing atan2(east, north) from north.
    # Downhill is the opposite way, and adding half a turn also moves atan2's
    # range from [-180, 180] to [0, 360].
    bearing = 180 + (180 / math.pi) * xp.atan2(east, north)
    nowhere = xp.full_like(bearing, math.nan)
    return Analysis(east, north, slope, xp.where(slope < LEVEL, nowhere, bearing))


def hillshade(east, north, exaggeration=1.0):
    """Compute how brightly a matt surface shines under `LIGHT_AZIMUTH`.

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
    exaggeration : float, default: 1
        Factor on the heights, and so on the gradient.

    Returns
    -------
    array
        From 0, turned away from the light, to 1, facing it.
    """
    xp = array_namespace(east, north)
    azimuth, altitude = math.radians(LIGHT_AZIMUTH), math.radians(LIGHT_ALTITUDE)
    p, q = exaggeration * east, exaggeration * north
    towards_light = p * math.sin(azimuth) + q * math.cos(azimuth)
    facing = math.sin(altitude) - math.cos(altitude) * towards_light
    brightness = facing / xp.sqrt(1 + p * p + q * q)
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
        aspect=float(analysis.aspect[row, column]),
    )


def compass_name(bearing):
    """Name the nearest of the eight winds, such as ``"SW"`` for 220 degrees."""
    winds = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
    return winds[round(bearing / 45) % 8]


def latitude_text(degrees, digits="g"):
    """Write a latitude as ``"48.75° N"``, with the digits of a format spec."""
    return f"{abs(degrees):{digits}}° {'N' if degrees >= 0 else 'S'}"


def longitude_text(degrees, digits="g"):
    """Write a longitude as ``"123.5° W"``, with the digits of a format spec."""
    return f"{abs(degrees):{digits}}° {'E' if degrees >= 0 else 'W'}"


def slope_degrees(slope):
    """Turn a slope in metres per metre into an angle in degrees."""
    return np.degrees(np.arctan(slope))


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
        ("  slope", f"{point.slope:.4f} m/m, {slope_degrees(point.slope):.2f}°"),
        ("  faces", f"{point.aspect:.1f}°, {compass_name(point.aspect)}"),
    ]
    return "\n".join([terrain.title] + [f"  {key:<16}{text}" for key, text in lines])


def draw(terrain, analysis, point, output, style="light"):
    """Draw a terrain into a file.

    Parameters
    ----------
    terrain, analysis, point : Terrain, Analysis, Point
        What to draw, and its steepest point.
    output : path-like
        The picture file; its suffix decides the format.
    style : {"light", "dark"}
        The background that the picture is for.

    Raises
    ------
    ExampleError
        If the file cannot be written.
    """
    # A bare Figure needs neither pyplot nor a display.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(settings(**STYLES[style])):
        figure = Figure(figsize=picture_size(terrain), layout="compressed")
        draw_maps(figure, terrain, analysis, point)
        try:
            figure.savefig(output, dpi=150)
        except (OSError, ValueError) as error:  # ValueError: unknown suffix
            raise ExampleError(f"cannot write the picture: {error}") from error


def picture_size(terrain):
    """Return width and height in inches of two maps side by side."""
    return 13, 5 / map_shape(terrain) + 1


def draw_maps(figure, terrain, analysis, point):
    """Draw shaded relief and a map of slopes, and ring the steepest point in both."""
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    relief, slopes = figure.subplots(1, 2)
    draw_relief(relief, terrain, analysis)
    draw_slopes(slopes, terrain, analysis)
    for axes in (relief, slopes):
        finish_map(axes, terrain, point)


def settings(paper, ink):
    """Return matplotlib's settings for a background, and for what is drawn on it."""
    coloured = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor")
    coloured += ("xtick.color", "ytick.color", "legend.labelcolor")
    plain = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return dict.fromkeys(coloured, ink) | dict.fromkeys(plain, paper)


def draw_relief(axes, terrain, analysis):
    """Multiply the hillshade into the colours of the heights."""
    shade = to_numpy(hillshade(analysis.east, analysis.north, terrain.exaggeration))
    heights = terrain.elevation.astype(np.float64)
    # Level ground keeps its colour. A little light from the whole sky keeps the
    # slopes that face away from the light from turning black.
    light = 0.25 + 0.75 * shade / math.sin(math.radians(LIGHT_ALTITUDE))
    tints = height_tints(heights.min(), heights.max())
    colours = tints.to_rgba(heights)[..., :3] * light[..., None]
    # Gouraud shading blends the colours between the points of the grid.
    axes.pcolormesh(
        terrain.longitude,
        terrain.latitude,
        np.clip(colours, 0, 1),
        shading="gouraud",
        rasterized=True,
    )
    add_titles(axes, terrain.title, terrain.note)
    add_colour_bar(axes, tints, "metres above the sea")


def draw_slopes(axes, terrain, analysis):
    """Colour a map by the angle of the slope."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    angles = slope_degrees(to_numpy(analysis.slope))
    colours = ScalarMappable(Normalize(0, float(angles.max())), "magma_r")
    axes.pcolormesh(
        terrain.longitude,
        terrain.latitude,
        angles,
        norm=colours.norm,
        cmap=colours.cmap,
        shading="gouraud",
        rasterized=True,
    )
    add_titles(axes, "How steep the ground is", "from anygrad.gradient")
    add_colour_bar(axes, colours, "degrees")


def height_tints(lowest, highest):
    """Make the colours of the heights, with a sharp change at the sea's level."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize, TwoSlopeNorm

    if lowest >= 0:
        land = LinearSegmentedColormap.from_list("land", LAND_TINTS)
        return ScalarMappable(Normalize(lowest, highest), land)
    # The sea takes the lower half of the colour bar, and the land the upper.
    sea = [(place / 2, colour) for place, colour in SEA_TINTS]
    land = [(0.5 + place / 2, colour) for place, colour in LAND_TINTS]
    both = LinearSegmentedColormap.from_list("land and sea", sea + land, N=512)
    return ScalarMappable(TwoSlopeNorm(0, lowest, highest), both)


def add_titles(axes, title, note):
    """Head a map with its title, and a note at the right."""
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=20)
    axes.text(0, 1.015, note, transform=axes.transAxes, fontsize=10, alpha=0.75)


def add_colour_bar(axes, colours, label):
    """Add a colour bar as high as the map."""
    bar = axes.figure.colorbar(colours, cax=axes.inset_axes([1.025, 0, 0.03, 1]))
    bar.set_label(label)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9)


def finish_map(axes, terrain, point):
    """Give a map its scale and its degrees, and ring the steepest point."""
    axes.set_aspect(1 / math.cos(math.radians(terrain.latitude.mean())))
    axes.xaxis.set_major_formatter(lambda degrees, _: longitude_text(degrees))
    axes.yaxis.set_major_formatter(lambda degrees, _: latitude_text(degrees))
    axes.locator_params(nbins=5)
    axes.tick_params(labelsize=9)
    middle = terrain.longitude.mean(), terrain.latitude.mean()
    mark(axes, point, middle)


def mark(axes, point, middle):
    """Ring a point, and write its slope on the side of the middle of the map."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    place = point.longitude, point.latitude
    ring = {"markerfacecolor": "none", "markeredgecolor": "black"}
    axes.plot(
        *place,
        "o",
        markersize=11,
        markeredgewidth=1.6,
        **ring,
        path_effects=halo,
        clip_on=False,
    )
    right, above = place[0] < middle[0], place[1] < middle[1]
    axes.annotate(
        f"steepest: {slope_degrees(point.slope):.0f}°",
        place,
        xytext=(8 if right else -8, 5 if above else -5),
        textcoords="offset points",
        horizontalalignment="left" if right else "right",
        verticalalignment="bottom" if above else "top",
        fontsize=10,
        color="black",
        path_effects=halo,
    )


def map_shape(terrain):
    """Divide a map's width on the ground by its height."""
    width = np.ptp(terrain.longitude) * math.cos(math.radians(terrain.latitude.mean()))
    return float(width / np.ptp(terrain.latitude))


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
        analysis = analyse(elevation, terrain.longitude, terrain.latitude)
        point = steepest_point(terrain, analysis)
        print(report(terrain, analysis, point, options.backend), end="\n\n")
        draw(terrain, analysis, point, options.output, options.style)
    except ExampleError as error:
        print(f"terrain: error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
