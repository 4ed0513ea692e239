"""Elevation grids that the matplotlib wheel carries."""

from typing import NamedTuple

import numpy as np

from array_libraries import ExampleError


class Terrain(NamedTuple):
    """An elevation grid; row ``i``, column ``j`` is at latitude[i], longitude[j]."""

    title: str
    elevation: np.ndarray  # metres above the sea, as the file stores it
    longitude: np.ndarray  # degrees east, one per column
    latitude: np.ndarray  # degrees north, one per row
    exaggeration: float  # of heights, in the hillshade only
    note: str  # how the relief is drawn, in words


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
