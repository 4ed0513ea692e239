"""Maps of a landscape: its shaded relief, and its slopes."""

import math

import numpy as np

from array_libraries import to_numpy
from looks import (
    add_colour_bar,
    add_titles,
    latitude_text,
    longitude_text,
    show_degrees,
)

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


def picture_size(terrain):
    """Return width and height in inches of two maps side by side."""
    return 13, 5 / map_shape(terrain) + 1


def map_shape(terrain):
    """Divide a map's width on the ground by its height."""
    width = np.ptp(terrain.longitude) * math.cos(math.radians(terrain.latitude.mean()))
    return float(width / np.ptp(terrain.latitude))


def draw_maps(figure, terrain, analysis, point):
    """Draw shaded relief and a map of slopes, and ring the steepest point in both."""
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    relief, slopes = figure.subplots(1, 2)
    draw_relief(relief, terrain, analysis)
    draw_slopes(slopes, terrain, analysis)
    for axes in (relief, slopes):
        finish_map(axes, terrain, point)


def draw_relief(axes, terrain, analysis):
    """Multiply the hillshade into the colours of the heights."""
    heights = terrain.elevation.astype(np.float64)
    # Level ground keeps its colour. A little light from the whole sky keeps the
    # slopes that face away from the light from turning black.
    light = 0.25 + 0.75 * to_numpy(analysis.light)
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

    angles = to_numpy(analysis.angle)
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


def finish_map(axes, terrain, point):
    """Give a map its scale and its degrees, and ring the steepest point."""
    axes.set_aspect(1 / math.cos(math.radians(terrain.latitude.mean())))
    show_degrees(axes.xaxis, longitude_text)
    show_degrees(axes.yaxis, latitude_text)
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
        f"steepest: {point.angle:.0f}°",
        place,
        xytext=(8 if right else -8, 5 if above else -5),
        textcoords="offset points",
        horizontalalignment="left" if right else "right",
        verticalalignment="bottom" if above else "top",
        fontsize=10,
        color="black",
        path_effects=halo,
    )
