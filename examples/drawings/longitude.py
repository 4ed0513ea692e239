"""The first cell of a longitude, beside the last one."""

import math
from typing import NamedTuple

import numpy as np

import anygrad
from array_libraries import to_backend, to_numpy
from looks import (
    ACCENT,
    NOTE,
    OTHER,
    PALE,
    add_titles,
    longitude_text,
    open_axes,
    show_degrees,
)

SIZE = (9.5, 3.8)


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


def draw(figure, backend):
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
        show_degrees(axes.xaxis, lambda x: longitude_text(x) if x else "0°")
        open_axes(axes)
    left.legend(frameon=False, loc="lower left")
    left.set_ylabel("°C per degree of longitude")
    for text, side, shift in (("last cell", "right", -6), ("first cell", "left", 6)):
        right.annotate(
            text,
            (0, 0),
            xycoords=("data", "axes fraction"),
            xytext=(shift, 8),
            textcoords="offset points",
            horizontalalignment=side,
            **NOTE,
        )
    add_titles(left, "Temperature gradient", "")
    add_titles(right, "Absolute error", "")
