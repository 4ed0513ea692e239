"""Holes in a second derivative."""

import math
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace

import anygrad
from array_libraries import to_backend, to_numpy
from looks import PALE, add_titles

SIZE = (9.5, 3.4)


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


def draw(figure, backend):
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
