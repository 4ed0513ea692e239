"""What each boundary does at the ends of a signal."""

import math

import numpy as np

import anygrad
from array_libraries import to_backend, to_numpy
from looks import ACCENT, INK, NOTE, PALE, PANEL, PAPER, open_axes

SIZE = (9.5, 5.2)

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


def draw(figure, backend):
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
        open_axes(axes)
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
