"""Eight pictures of derivatives, computed in any array library.

Draws what each boundary does, how errors fall with the step, the vorticity of a wind
around the globe, that of a sphere that turns, the lines of a photograph, the first cell
of a longitude, holes in a second derivative, and the slopes of a landscape::

    python pictures.py
    python pictures.py --backend torch --output docs/_static --only vorticity

Each picture has a function that computes, written for any library that follows the
array API standard, and one that draws.

Needs matplotlib (``pip install ".[example]"`` in a checkout), and the library named
by ``--backend``.
"""

import argparse
import io
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import terrain as landscape
from array_api_compat import array_namespace
from terrain import (
    BACKENDS,
    EARTH_RADIUS,
    STYLES,
    ExampleError,
    add_colour_bar,
    add_titles,
    latitude_text,
    longitude_text,
    open_sample,
    settings,
    to_backend,
    to_numpy,
)

import anygrad

Array = Any  # an array of whichever library was chosen

# Places in the cycle of colours, which each style of a picture fills with its own.
INK, PALE, ACCENT, OTHER, PANEL, PAPER = (f"C{place}" for place in range(6))

# Dark, light and two accents, which colour-blind readers tell apart too (Okabe and Ito
# 2008, "Color universal design"), a panel, and the background.
CYCLES = {
    "light": ["#1b1f24", "#8a929b", "#d55e00", "#0072b2", "#f1f3f5", "#ffffff"],
    "dark": ["#d5d8db", "#8a929b", "#f08a3c", "#56b4e9", "#23262a", "#131416"],
}

# What is said of a picture in small print.
NOTE = {"fontsize": 9, "alpha": 0.8}


# Boundaries.

#: Each mode, and the word of `numpy.pad` for its ghosts.
MODES = {
    "one_sided": None,
    "periodic": "wrap",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "edge": "edge",
    0.0: "constant",
}

#: The half-width of the formula of accuracy 4, and so the number of ghosts.
GHOSTS = 2


def signal(x):
    """Return a smooth signal with a slope at both ends."""
    return 1.5 + np.sin(0.8 * x + 0.6) + 0.14 * x


def signal_slope(x):
    """Return its derivative."""
    return 0.8 * math.cos(0.8 * x + 0.6) + 0.14


def edge_slopes(f):
    """Return the derivatives at the first and at the last point, for each mode."""
    slopes = {}
    for mode in MODES:
        slope = to_numpy(anygrad.derivative(f, accuracy=4, boundary=mode))
        slopes[mode] = float(slope[0]), float(slope[-1])
    return slopes


def draw_boundaries(figure, backend):
    """Draw one signal, its ghosts in each mode, and the tangents at the ends."""
    x = np.arange(10.0)
    samples = signal(x)
    slopes = edge_slopes(to_backend(samples, backend))
    own = [signal_slope(x[0]), signal_slope(x[-1])]
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, (mode, padding) in zip(panels.flat, MODES.items(), strict=True):
        axes.axvspan(x[0], x[-1], color=PANEL, zorder=0)
        axes.plot(x, samples, "o", color=INK, markersize=5)
        if padding:
            draw_ghosts(axes, samples, padding)
        for end, slope, truth in zip((0, -1), slopes[mode], own, strict=True):
            draw_tangent(axes, x[end], samples[end], truth, color=PALE, lw=1.2)
            draw_tangent(axes, x[end], samples[end], slope, color=ACCENT, lw=2.2)
            axes.text(
                x[end] - 1.2 * (1 + 2 * end),
                -0.95,
                signed(slope),
                color=ACCENT,
                horizontalalignment="center",
            )
        name = "a number, 0.0" if padding == "constant" else f'"{mode}"'
        axes.set_title(name, loc="left", fontsize=11, fontweight="bold")
        axes.set_ylim(-1.2, 5.6)
        axes.set_yticks([0, 2, 4])
        axes.set_xticks([0, 3, 6, 9])
        axes.tick_params(labelsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(
        "Samples are full, ghosts are hollow. Orange: the derivative at the ends, of "
        "accuracy 4.\nGrey: the slopes of the curve that was sampled, "
        f"{signed(own[0])} and {signed(own[1])}.",
        **NOTE,
    )


def draw_ghosts(axes, samples, padding):
    """Draw the ghosts that a formula reads beyond the ends."""
    padded = np.pad(samples, GHOSTS, mode=padding)
    places = np.arange(-GHOSTS, samples.size + GHOSTS)
    beyond = (places < 0) | (places >= samples.size)
    ring = {"markerfacecolor": PAPER, "markeredgecolor": INK}
    axes.plot(places[beyond], padded[beyond], "o", markersize=5, **ring)


def draw_tangent(axes, x, f, slope, **look):
    """Draw a line of one length, whatever its slope."""
    reach = 1.5 / math.sqrt(1 + slope**2 / 2) * np.asarray([-1.0, 1.0])
    axes.plot(x + reach, f + slope * reach, solid_capstyle="round", **look)


def signed(number):
    """Write a number with two digits and a sign, but zero without."""
    return f"{number:+.2f}".replace("-", "\N{MINUS SIGN}").replace("+0.00", "0.00")


# Errors against the step.

ACCURACIES = (2, 4, 6, 8, 10)
COUNTS = [round(12 * 2 ** (k / 2)) for k in range(21)]


def wave_errors(grids, accuracy):
    """Return the largest error of the derivative of each row of samples.

    Parameters
    ----------
    grids : list of array
        The function ``exp(sin(x))`` on one period, on finer and finer grids.
    accuracy : int
        Of the formula.

    Returns
    -------
    list of float
        The largest absolute errors.
    """
    found = []
    for f in grids:
        xp = array_namespace(f)
        count = f.shape[0]
        step = 2 * math.pi / count
        x = xp.asarray([k * step for k in range(count)], dtype=f.dtype)
        slope = anygrad.derivative(
            f, spacing=step, accuracy=accuracy, boundary="periodic"
        )
        error = xp.abs(slope - xp.cos(x) * f)
        found.append(float(xp.max(error)))
    return found


def draw_convergence(figure, backend):
    """Draw the largest error against the step, on logarithmic scales."""
    from matplotlib import colormaps

    steps = np.asarray([2 * math.pi / count for count in COUNTS])
    grids = [2 * math.pi * np.arange(count) / count for count in COUNTS]
    samples = [to_backend(np.exp(np.sin(x)), backend) for x in grids]
    axes = figure.subplots()
    colours = colormaps["viridis"](np.linspace(0.85, 0.1, len(ACCURACIES)))
    for accuracy, colour in zip(ACCURACIES, colours, strict=True):
        errors = np.asarray(wave_errors(samples, accuracy))
        axes.loglog(steps, errors, "o-", color=colour, markersize=4, lw=1.5)
        # A line of the promised slope, through the error on a grid in the middle.
        k = {2: 12, 4: 9, 6: 8, 8: 7, 10: 6}[accuracy]
        guide = errors[k] * (steps / steps[k]) ** accuracy
        shown = (guide > 3e-15) & (guide < 3)
        axes.loglog(steps[shown], guide[shown], "--", color=colour, lw=0.9, zorder=0)
        axes.annotate(
            f"$h^{{{accuracy}}}$",
            (steps[k], errors[k]),
            xytext=(7, -13),
            textcoords="offset points",
            color=colour,
            fontsize=12,
        )
    axes.loglog(steps, 2.2e-16 / steps, ":", color=PALE, lw=1.2)
    axes.annotate(
        "rounding, $\\varepsilon/h$",
        (steps[6], 2.2e-16 / steps[6]),
        xytext=(0, 6),
        textcoords="offset points",
        color=PALE,
    )
    axes.set_ylim(1e-16, 3)
    axes.set_xlabel("step $h$")
    axes.set_ylabel("largest error of the derivative")
    axes.spines[["top", "right"]].set_visible(False)
    add_titles(axes, "Errors fall as the step to the power of the accuracy", "")


# Vorticity.

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


def draw_vorticity(figure, backend):
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
    axes.xaxis.set_major_formatter(lambda degrees, _: longitude_text(degrees))
    axes.yaxis.set_major_formatter(lambda degrees, _: latitude_text(degrees))
    axes.tick_params(labelsize=9)
    add_titles(axes, "Vorticity of a jet and its eddies", "")
    add_colour_bar(axes, colours, "$10^{-5}$ per second")


# The vorticity of a sphere that turns.

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


def draw_rotation(figure, backend):
    """Draw the vorticity on the sphere, and against the latitude."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    east, north = np.arange(-90.0, 91.0, 10.0), np.arange(-85.0, 86.0, 10.0)
    arrays = to_backend(east, backend), to_backend(north, backend)
    found = {name: 1e4 * to_numpy(a) for name, a in turning_sphere(*arrays).items()}
    globe, profile = figure.subplots(1, 2, width_ratios=[1, 1.7])
    colours = ScalarMappable(Normalize(-1.5, 1.5), "RdBu_r")
    # As seen from far off, in the plane of the equator.
    edges = np.radians(np.arange(-90.0, 91.0, 10.0))
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
    profile.xaxis.set_major_formatter(lambda degrees, _: latitude_text(degrees))
    profile.set_ylabel("$10^{-4}$ per second")
    profile.spines[["top", "right"]].set_visible(False)
    profile.legend(frameon=False, loc="upper left")
    add_titles(profile, "Its vorticity", "")


# Lines of a photograph.


def smoothed(picture, width):
    """Blur a picture by letting it diffuse, as heat would.

    Parameters
    ----------
    picture : array, shape (rows, columns)
        Brightness.
    width : float
        The standard deviation of the blur, in pixels.

    Returns
    -------
    array, shape (rows, columns)
        Brightness.
    """
    # The heat equation blurs by sqrt(2 t) in a time t; steps over 1/4 explode.
    count = math.ceil(width**2 / 2 / 0.2)
    step = width**2 / 2 / count
    for _ in range(count):
        picture = picture + step * anygrad.laplacian(picture, boundary="symmetric")
    return picture


def dark_lines(picture):
    """Find how strongly a picture is curved across its dark lines.

    The larger eigenvalue of the Hessian is the second derivative across a line that is
    darker than its surroundings; where all is brighter, there is none.

    Parameters
    ----------
    picture : array, shape (rows, columns)
        Brightness.

    Returns
    -------
    array, shape (rows, columns)
        Zero or positive, in brightness per pixel squared.
    """
    xp = array_namespace(picture)
    second = anygrad.hessian(picture, boundary="symmetric")
    along_rows, mixed, along_columns = (
        second[0, 0, :, :],
        second[0, 1, :, :],
        second[1, 1, :, :],
    )
    middle = (along_rows + along_columns) / 2
    larger = middle + xp.hypot((along_rows - along_columns) / 2, mixed)
    return xp.where(larger > 0, larger, xp.zeros_like(larger))


def draw_lines(figure, backend):
    """Draw a photograph, and its dark lines as if with a pencil."""
    from matplotlib import colormaps
    from matplotlib.image import imread

    with open_sample("grace_hopper.jpg") as sample:
        photograph = imread(sample, format="jpg").astype(np.float64)
    # Rows and columns around the face, and the weights of human vision (ITU-R BT.601).
    brightness = photograph[:470, 60:460] @ np.asarray([0.299, 0.587, 0.114]) / 255
    picture = smoothed(to_backend(brightness, backend), 1.6)
    lines = to_numpy(dark_lines(picture))
    panels = figure.subplots(1, 2)
    # 64 shades are as good to the eye, and take fewer bytes.
    shades = colormaps["gray"].resampled(64)
    panels[0].imshow(brightness, cmap=shades)
    strongest = np.quantile(lines, 0.985)
    panels[1].imshow(lines, cmap=shades.reversed(), vmin=0, vmax=strongest)
    add_titles(panels[0], "Brightness", "")
    add_titles(panels[1], "Dark lines", "")
    for axes in panels:
        axes.set_axis_off()


# The first cell of a longitude.


class Wave(NamedTuple):
    """A temperature around a parallel, and its derivative."""

    longitude: np.ndarray  # degrees east
    temperature: np.ndarray  # degrees Celsius
    slope: np.ndarray  # degrees Celsius per degree east


def parallel_wave(longitude):
    """Return a temperature that bends most about where the columns begin."""
    x = np.radians(longitude)
    parts = [(6.0, 1, 0.9), (3.0, 2, 0.6), (1.5, 4, 0.4)]
    temperature = 4 + sum(a * np.sin(k * x + b) for a, k, b in parts)
    slope = sum(a * k * np.cos(k * x + b) for a, k, b in parts)
    return Wave(longitude, temperature, math.radians(1) * slope)


def slopes_around(temperature, longitude):
    """Return the derivatives with one-sided ends, and with the ends joined.

    Parameters
    ----------
    temperature, longitude : array, shape (columns,)
        Degrees Celsius and degrees east.

    Returns
    -------
    dict of str to array
        Degrees Celsius per degree east.
    """
    ways = {"one_sided": "one_sided", "periodic": ("periodic", 360.0)}
    return {
        name: anygrad.derivative(
            temperature, spacing=longitude, edge_order=1, boundary=boundary
        )
        for name, boundary in ways.items()
    }


def draw_longitude(figure, backend):
    """Draw the derivatives around the first cell, and their errors."""
    wave = parallel_wave(np.arange(2.5, 360.0, 5.0))
    arrays = to_backend(wave.temperature, backend), to_backend(wave.longitude, backend)
    found = {name: to_numpy(a) for name, a in slopes_around(*arrays).items()}
    # From 0 to 360 to -180 to 180, so that the first cell is in the middle.
    order = np.argsort((wave.longitude + 180) % 360)
    east = (wave.longitude[order] + 180) % 360 - 180
    fine = parallel_wave(np.linspace(-62, 62, 500))
    near = np.abs(east) < 61
    looks = {
        "one_sided": {
            "color": ACCENT,
            "marker": "s",
            "markersize": 8,
            "fillstyle": "none",
        },
        "periodic": {"color": OTHER, "marker": "o", "markersize": 4.5},
    }
    names = {"one_sided": '"one_sided"', "periodic": '("periodic", 360.0)'}
    left, right = figure.subplots(1, 2)
    left.plot(fine.longitude, fine.slope, color=PALE, lw=1.5, label="exact")
    for name, look in looks.items():
        slope = found[name][order]
        error = np.abs(slope - wave.slope[order])
        left.plot(east[near], slope[near], linestyle="none", label=names[name], **look)
        right.semilogy(east[near], error[near], linestyle="none", **look)
    for axes in (left, right):
        axes.axvline(0, color=PALE, lw=0.8, linestyle=":")
        axes.set_xticks(range(-60, 61, 30))
        axes.xaxis.set_major_formatter(
            lambda degrees, _: longitude_text(degrees) if degrees else "0°"
        )
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, loc="lower left")
    left.set_ylabel("°C per degree of longitude")
    right.annotate(
        "last cell",
        (0, 0),
        xycoords=("data", "axes fraction"),
        xytext=(-6, 8),
        textcoords="offset points",
        horizontalalignment="right",
        **NOTE,
    )
    right.annotate(
        "first cell",
        (0, 0),
        xycoords=("data", "axes fraction"),
        xytext=(6, 8),
        textcoords="offset points",
        **NOTE,
    )
    add_titles(left, "Temperature gradient", "")
    add_titles(right, "Absolute error", "")


# Holes in a second derivative.


class Ripples(NamedTuple):
    """Rings of a wave, and where there are samples of it."""

    height: np.ndarray
    seen: np.ndarray  # bool


def ripples():
    """Return rings on 96 times 96 points, with lost lines, spots and a corner."""
    x = np.linspace(-3.0, 3.0, 96)
    radius = np.hypot(x[:, None] + 0.4, x + 0.3)
    draw = np.random.default_rng(6)
    seen = draw.random((96, 96)) > 0.03
    seen[30:32] = seen[:, 61] = False
    seen &= np.hypot(x[:, None] - 2.6, x + 2.4) > 1.5
    return Ripples(np.cos(4.0 * radius) * np.exp(-0.3 * radius), seen)


def laplacians_of_holes(height, seen, step):
    """Return the Laplacian that reads NaN for what is lost, and the one that does not.

    Parameters
    ----------
    height, seen : array, shape (rows, columns)
        The samples, and which of them there are.
    step : float
        Between neighbours.

    Returns
    -------
    dict of str to array
        By what is said of them.
    """
    xp = array_namespace(height)
    lost = xp.where(seen, height, xp.full_like(height, math.nan))
    return {
        "NaN for what is lost": anygrad.laplacian(lost, spacing=step),
        "where=seen": anygrad.laplacian(lost, spacing=step, where=seen),
    }


def draw_holes(figure, backend):
    """Draw a wave with holes, and both of its Laplacians."""
    rings, step = ripples(), 6.0 / 95
    arrays = to_backend(rings.height, backend), to_backend(rings.seen, backend)
    found = {k: to_numpy(a) for k, a in laplacians_of_holes(*arrays, step).items()}
    samples = np.where(rings.seen, rings.height, np.nan)
    panels = {"Samples": samples, **found}
    for axes, (title, values) in zip(
        figure.subplots(1, 3), panels.items(), strict=True
    ):
        limit = 0.9 if values is samples else 14.0
        axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set_facecolor(PALE)
        axes.set(xticks=[], yticks=[])
        share = np.isnan(values).mean()
        add_titles(axes, title, f"{share:.0%} without a value")


# The slopes of a landscape.


def draw_terrain(figure, backend):
    """Draw what `terrain.py` draws."""
    terrain = landscape.load("jacksboro")
    elevation = to_backend(terrain.elevation, backend)
    analysis = landscape.analyse(elevation, terrain.longitude, terrain.latitude)
    point = landscape.steepest_point(terrain, analysis)
    landscape.draw_maps(figure, terrain, analysis, point)


# All of them.

#: Name of the picture: its width and height in inches, and who draws it.
PICTURES = {
    "boundaries": ((9.5, 5.2), draw_boundaries),
    "convergence": ((7.0, 4.8), draw_convergence),
    "vorticity": ((11.0, 2.75), draw_vorticity),
    "rotation": ((9.5, 3.4), draw_rotation),
    "lines": ((5.1, 3.3), draw_lines),
    "longitude": ((9.5, 3.8), draw_longitude),
    "holes": ((9.5, 3.4), draw_holes),
    "terrain": ((11.7, 5.75), draw_terrain),
}


def draw(name, backend, folder):
    """Draw one picture into a folder, in both styles.

    Parameters
    ----------
    name : str
        A key of `PICTURES`.
    backend : str
        A key of `terrain.BACKENDS`.
    folder : pathlib.Path
        An existing folder.

    Returns
    -------
    list of pathlib.Path
        The files: `name.png` for light pages, `name-dark.png` for dark ones.

    Raises
    ------
    ExampleError
        If something is missing that the picture needs, or it cannot be written.
    """
    size, draw_on = PICTURES[name]
    return in_both_styles(name, size, lambda figure: draw_on(figure, backend), folder)


def in_both_styles(name, size, draw_on, folder):
    """Draw a figure for light pages and for dark ones, and return the files."""
    # A bare Figure needs neither pyplot nor a display.
    try:
        from matplotlib import cycler, rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExampleError(f"matplotlib is needed: {error}") from error
    paths = {"light": folder / f"{name}.png", "dark": folder / f"{name}-dark.png"}
    for style, path in paths.items():
        colours = {"axes.prop_cycle": cycler(color=CYCLES[style])}
        with rc_context(settings(**STYLES[style]) | colours):
            figure = Figure(figsize=size, layout="compressed")
            draw_on(figure)
            try:
                save(figure, path)
            except OSError as error:
                raise ExampleError(f"cannot write the picture: {error}") from error
    return list(paths.values())


def save(figure, path):
    """Write a picture in 256 colours, which takes a third of the bytes."""
    from PIL import Image  # matplotlib needs it, too

    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110)
    picture = Image.open(buffer).convert("RGB")
    reduced = picture.quantize(256, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


def parse_arguments(argv):
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Eight pictures of derivatives, computed with anygrad in any array "
        "library."
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
        default=Path(),
        metavar="FOLDER",
        help="where to write the pictures (default: here)",
    )
    parser.add_argument(
        "--only",
        choices=PICTURES,
        action="append",
        help="draw this one; may be repeated",
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Draw the pictures that were asked for; return the exit status."""
    arguments = parse_arguments(argv)
    try:
        for name in arguments.only or PICTURES:
            print(*draw(name, arguments.backend, arguments.output), sep="\n")
    except ExampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
