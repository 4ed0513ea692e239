"""The dark lines of a photograph."""

import math

import numpy as np
from array_api_compat import array_namespace

import anygrad
from array_libraries import to_backend, to_numpy
from landscapes import open_sample
from looks import add_titles

SIZE = (5.1, 3.3)


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


def draw(figure, backend):
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
