"""What people take instead of a gradient: correlations with the weights of a formula.

All of them go around the ends, as ``boundary="periodic"`` does, but for Numba's, which
writes zeros there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import anygrad
from benchmarks.rows import Row


def findiff_operator(step: float, row: Row) -> Any:
    """Return the function of findiff for the same work."""
    from findiff import Diff

    if row.function == "gradient":
        return Diff(row.dim, step, acc=row.accuracy)
    seconds = [
        Diff(axis, step, acc=row.accuracy) ** 2 for axis in range(len(row.shape))
    ]
    return sum(seconds[1:], seconds[0])


def weights_of(step: float, row: Row) -> list[float]:
    """Return the weights of the central formula, from left to right."""
    half, order = row.accuracy // 2, 2 if row.function == "laplacian" else 1
    weights = anygrad.stencil(range(-half, half + 1), order=order)
    return [float(weight) / step**order for weight in weights]


def axes_of(row: Row) -> list[int]:
    """Return the axes along which there are derivatives."""
    return list(range(len(row.shape))) if row.dim is None else [row.dim]


def correlated(f: Any, step: float, row: Row) -> tuple[Any, ...]:
    """Return the result by `scipy.ndimage.correlate1d`."""
    from scipy.ndimage import correlate1d

    weights = weights_of(step, row)
    parts = [correlate1d(f, weights, axis, mode="wrap") for axis in axes_of(row)]
    return (sum(parts[1:], parts[0]),)


def convolved(f: Any, step: float, row: Row) -> tuple[Any, ...]:
    """Return the result by `torch.nn.functional.conv2d` of a circular pad."""
    import torch
    from torch.nn.functional import conv2d, pad

    half, along = row.accuracy // 2, axes_of(row)[0]
    weights = torch.tensor(weights_of(step, row), dtype=f.dtype)
    shape, width = [1, 1, 1, 1], [0, 0, 0, 0]
    shape[2 + along] = -1
    width[2 - 2 * along : 4 - 2 * along] = [half, half]  # the last axis comes first
    padded = pad(f[None, None], width, mode="circular")
    return (conv2d(padded, weights.reshape(shape))[0, 0],)


def by_numba_stencil(f: Any, step: float, row: Row) -> tuple[Any, ...]:
    """Return the result by `numba.stencil`, compiled, on one thread."""
    import numpy

    weights = numpy.asarray(weights_of(step, row), f.dtype)
    return (_stencil(axes_of(row)[0], row.accuracy // 2)(f, weights),)


@cache
def _stencil(axis: int, half: int) -> Any:
    import numba

    reach = [(0, 0), (0, 0)]
    reach[axis] = (-half, half)

    def along_rows(a: Any, w: Any) -> Any:
        total = a[-half, 0] * w[0]
        for k in range(-half + 1, half + 1):
            total += a[k, 0] * w[k + half]
        return total

    def along_columns(a: Any, w: Any) -> Any:
        total = a[0, -half] * w[0]
        for k in range(-half + 1, half + 1):
            total += a[0, k] * w[k + half]
        return total

    kernel = numba.stencil(
        [along_rows, along_columns][axis],
        neighborhood=tuple(reach),
        standard_indexing=("w",),
    )

    def run(a: Any, w: Any) -> Any:  # Numba compiles functions only
        return kernel(a, w)

    return numba.njit(run)
