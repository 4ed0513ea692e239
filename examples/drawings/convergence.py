"""How errors fall with the step."""

import math

import numpy as np
from array_api_compat import array_namespace

import anygrad
from array_libraries import to_backend
from looks import PALE, add_titles, open_axes

SIZE = (7.0, 4.8)

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


def draw(figure, backend):
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
    open_axes(axes)
    add_titles(axes, "Errors fall as the step to the power of the accuracy", "")
