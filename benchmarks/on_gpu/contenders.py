"""The calls that are compared on a GPU: anygrad's, the library's own, and others."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

import anygrad
from on_gpu.libraries import Library, Work
from on_gpu.rows import Row

STEP = 0.3


class Given(NamedTuple):
    """The arrays of a row.

    Attributes
    ----------
    samples : array
        The samples.
    spacing : float, or list of array
        A step for all dims, or coordinates for each.
    mask : array or None
        Which samples are there.
    """

    samples: Any
    spacing: Any
    mask: Any

    @property
    def nbytes(self) -> int:
        """How much of these must be read: not the few numbers along one dim."""
        large = [array for array in self._arrays() if array.ndim > 1]
        return sum(size_of(array) for array in large)

    def _arrays(self) -> list[Any]:
        entries = self.spacing if isinstance(self.spacing, list) else []
        mask = [] if self.mask is None else [self.mask]
        return [self.samples, *entries, *mask]


def size_of(array: Any) -> int:
    """Return the bytes of an array of any library."""
    item = getattr(array, "itemsize", None) or array.dtype.itemsize
    return int(item) * math.prod(array.shape)


def given(library: Library, row: Row) -> Given:
    """Return the arrays of a row, on the GPU."""
    samples = library.asarray(_values(row.dtype, row.shape))
    mask = library.asarray(_values("bool", row.shape)) if row.masked else None
    return Given(samples, _spacing(library, row), mask)


@functools.lru_cache(maxsize=2)  # the libraries take turns at a row
def _values(dtype: str, shape: tuple[int, ...]) -> Any:
    draw = numpy.random.default_rng(0)
    if "int" in dtype:
        return draw.integers(0, 100, shape, dtype=dtype)
    values = draw.random(shape, dtype="float32")
    return values > 0.1 if dtype == "bool" else values.astype(dtype)


def _spacing(library: Library, row: Row) -> Any:
    if row.grid == "step":
        return STEP
    length = row.shape[row.dim or 0]
    x = (numpy.arange(length) + 0.25 * (numpy.arange(length) % 2)).astype(row.dtype)
    if row.grid == "per point":
        line = [length if axis == row.dim else 1 for axis in range(len(row.shape))]
        x = numpy.ascontiguousarray(numpy.broadcast_to(x.reshape(line), row.shape))
    return [library.asarray(x)]


def results_of(made: Any) -> tuple[Any, ...]:
    """Return the arrays that a call gave, however many."""
    return tuple(made) if isinstance(made, (tuple, list)) else (made,)


def ours(row: Row, arrays: Given) -> Callable[[Any], Any]:
    """Return anygrad's function of the samples."""
    keywords = {"spacing": arrays.spacing, **row.keywords}
    if row.door == "divergence":
        keywords["vector_dim"] = 0
    else:
        keywords["dim"] = row.dim
    if arrays.mask is not None:
        keywords["where"] = arrays.mask
    door = getattr(anygrad, row.door)
    return lambda f: door(f, **keywords)


def own(library: Library, row: Row, arrays: Given) -> Callable[[Any], Any]:
    """Return the library's own gradient."""
    spacing = arrays.spacing
    if library.name == "torch":
        import torch

        dim = tuple(range(len(row.shape))) if row.dim is None else (row.dim,)
        return lambda f: torch.gradient(f, spacing=spacing, dim=dim)
    entry = spacing[0] if isinstance(spacing, list) else spacing
    xp: Any = library.cupy if library.name == "cupy" else library.jax.numpy
    return lambda f: xp.gradient(f, entry, axis=row.dim)


def has_own(library: Library, row: Row) -> bool:
    """Tell whether the library's own gradient does the work of a row."""
    return row.has_own and (library.name != "jax" or row.grid == "step")


def has_convolution(library: Library, row: Row) -> bool:
    """Tell whether the library convolves, and a convolution does the work of a row."""
    if library.name == "jax" or row.grid != "step" or row.masked or row.backward:
        return False
    one_dim = row.door == "gradient" and row.dim is not None
    return "int" not in row.dtype and (one_dim or row.door == "laplacian")


def convolution(library: Library, row: Row) -> Callable[[Any], Any]:
    """Return what people write instead of a gradient; its edges are others."""
    if row.door == "laplacian":
        return _laplace(library, row)
    reach = row.keywords.get("accuracy", 2) // 2
    offsets = list(range(-reach, reach + 1))
    weights = [float(weight) / STEP for weight in anygrad.stencil(offsets)]
    if library.name == "cupy":
        from cupyx.scipy import ndimage

        at = library.asarray(numpy.asarray(weights, row.dtype))
        return lambda f: ndimage.correlate1d(f, at, axis=row.dim, mode="nearest")
    from torch.nn import functional

    line = [1, 1, *(len(weights) if axis == row.dim else 1 for axis in (0, 1))]
    at = library.asarray(numpy.asarray(weights, row.dtype).reshape(line))
    return lambda f: functional.conv2d(f[None, None], at)


def _laplace(library: Library, row: Row) -> Callable[[Any], Any]:
    if library.name == "cupy":
        from cupyx.scipy import ndimage

        return ndimage.laplace
    from torch.nn import functional

    star = numpy.zeros((3, 3, 3), row.dtype)
    star[1, 1, :] = star[1, :, 1] = star[:, 1, 1] = 1 / STEP**2
    star[1, 1, 1] = -6 / STEP**2
    at = library.asarray(star[None, None])
    return lambda f: functional.conv3d(f[None, None], at)


def contenders(
    library: Library, row: Row, arrays: Given
) -> dict[str, Callable[[], Work]]:
    """Return what makes each contender, so that an error in one is its own."""

    def with_way_back(function: Callable[[Any], Any]) -> Work:
        if not row.backward:
            return lambda: function(arrays.samples)
        import torch

        f = arrays.samples.clone().requires_grad_()
        seed = torch.ones_like(f)

        def both() -> Any:
            (result,) = function(f)
            return torch.autograd.grad(result, f, seed)

        return both

    def compiled() -> Work:
        import torch

        return with_way_back(torch.compile(ours(row, arrays), fullgraph=True))

    makers = {"anygrad": lambda: with_way_back(ours(row, arrays))}
    if has_own(library, row):
        makers["own"] = lambda: with_way_back(own(library, row, arrays))
    if row.is_compiled and library.name == "torch":
        makers["torch.compile"] = compiled
    if has_convolution(library, row):
        makers["convolution"] = lambda: with_way_back(convolution(library, row))
    return makers
