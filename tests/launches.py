"""Launches of kernels on CuPy arrays as tests want them: counted, and held to NumPy."""

from __future__ import annotations

import math
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest

import cupy_on_cpu

NAME = "anygrad_kernel"

#: On a card, nothing is counted, and the values are what is tested.
UNCOUNTED = SimpleNamespace(
    launches=ANY, synchronisations=ANY, device_to_host=ANY, compilations=ANY
)


@pytest.fixture
def record(cupy: Any) -> Any:
    """Return the recorder of the emulated driver; on a card, one that likes all."""
    if cupy_on_cpu.installed():
        return cupy_on_cpu.record
    return lambda: nullcontext(UNCOUNTED)


@pytest.fixture
def count(cupy: Any) -> Any:
    """Return the recorder, where what it has recorded is more than compared."""
    if not cupy_on_cpu.installed():
        pytest.skip("what is asked of a real driver is not counted")
    return cupy_on_cpu.record


def numbers(shape: tuple[int, ...], dtype: str) -> Any:
    """Return samples that are not even, NaN and infinity among them."""
    numpy = pytest.importorskip("numpy")
    samples = numpy.random.default_rng(math.prod(shape)).normal(size=shape) * 50
    if numpy.dtype(dtype).kind == "f":
        samples.flat[[0, 3, -2]] = numpy.nan, numpy.inf, -0.0
    return abs(samples).astype(dtype) if dtype == "uint8" else samples.astype(dtype)


def assert_same(ours: Any, expected: Any) -> None:
    """Bits, but for those that NaN may have."""
    numpy = pytest.importorskip("numpy")
    ours = ours if isinstance(ours, tuple) else (ours,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for one, other in zip(ours, expected, strict=True):
        assert one.dtype == other.dtype
        numpy.testing.assert_array_equal(one.get(), other)
        signs = [numpy.signbit(a) & ~numpy.isnan(a) for a in (one.get(), other)]
        numpy.testing.assert_array_equal(*signs)


def layouts(cupy: Any, samples: Any) -> dict[str, Any]:
    """Return arrays of the same values that lie in memory in several ways."""
    rows, columns = samples.shape
    wide = cupy.zeros((rows, columns + 8), samples.dtype)
    wide[:, 4:-4] = samples
    odd = cupy.zeros((rows, columns + 7), samples.dtype)
    odd[:, 3:-4] = samples
    every_other = cupy.zeros((rows, 2 * columns), samples.dtype)
    every_other[:, ::2] = samples
    return {
        "C": cupy.ascontiguousarray(samples),
        "Fortran": cupy.ascontiguousarray(samples.T).T,
        "aligned rows": wide[:, 4:-4],
        "rows that begin anywhere": odd[:, 3:-4],
        "every other": every_other[:, ::2],
        "reversed": cupy.ascontiguousarray(samples[::-1, ::-1])[::-1, ::-1],
    }
