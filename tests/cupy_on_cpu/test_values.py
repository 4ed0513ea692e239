"""The values of CuPy on the emulation: those of NumPy, for every dtype."""

from __future__ import annotations

from typing import Any

import pytest

from . import _emulated
from ._emulated import Module

cupy = _emulated.cupy
np = _emulated.np

DTYPES = (
    "bool",
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
FLOATS = ("float16", "float32", "float64", "complex64", "complex128")
INTEGERS = tuple(name for name in DTYPES if "int" in name)


def assert_same(actual: Any, expected: Any, what: object = "") -> None:
    """Compare an array of CuPy with one of NumPy, of the same dtype."""
    import numpy

    tolerance = {
        "float16": 1e-3,
        "float32": 1e-6,
        "complex64": 1e-6,
        "float64": 1e-14,
        "complex128": 1e-14,
    }.get(str(expected.dtype), 0)
    assert actual.dtype == expected.dtype, what
    numpy.testing.assert_allclose(
        actual.get(), expected, rtol=tolerance, err_msg=str(what)
    )


def sample(np: Module, dtype: str) -> Any:
    """Return numbers that every dtype but bool can hold."""
    values = np.array([[1, 2, 5, 3], [7, 4, 0, 100]])
    if dtype.startswith("complex"):
        return (values * (1 - 0.5j)).astype(dtype)
    return (values * 0.5 if dtype.startswith("float") else values).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_there_and_back(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    device = cupy.asarray(host)
    assert isinstance(device, cupy.ndarray)
    assert_same(device, host)
    assert device.tolist() == host.tolist()
    assert cupy.asnumpy(device).dtype == host.dtype
    assert_same(device[:, ::-2], host[:, ::-2])
    assert_same(device.T.reshape(8), host.T.reshape(8))
    assert_same(cupy.ascontiguousarray(device[:, 1:]), host[:, 1:])
    assert_same(device.copy(), host)


@pytest.mark.parametrize("dtype", DTYPES)
def test_conversions(cupy: Module, np: Module, dtype: str) -> None:
    """All pairs work; a part of them is enough here, since each is a kernel."""
    place, count = DTYPES.index(dtype), len(DTYPES)
    others = {DTYPES[(place + step) % count] for step in (1, 4, 9)} | {"float16"}
    host = sample(np, dtype)
    device = cupy.asarray(host)
    for other in others:
        if dtype.startswith("complex") and not other.startswith("complex"):
            assert_same(device.real.astype(other), host.real.astype(other), other)
        else:
            assert_same(device.astype(other), host.astype(other), other)


def test_every_float16(cupy: Module, np: Module) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for wide in ("float32", "float64"):
        np.testing.assert_array_equal(
            cupy.asarray(halves).astype(wide).get(), halves.astype(wide)
        )


def test_rounding_to_float16(cupy: Module, np: Module) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    exact = halves[np.isfinite(halves)].astype(np.float64)
    with np.errstate(over="ignore"):
        midway = (exact[1:] + exact[:-1]) / 2
        for wide in (np.float32, np.float64):
            near = midway.astype(wide)
            sides = [np.nextafter(near, wide(side)) for side in (-np.inf, np.inf)]
            ends = np.array([65519, 65520, 1e30, np.inf, np.nan, -0.0, 1e-8], wide)
            values = np.concatenate([exact.astype(wide), near, *sides, ends, -ends])
            rounded = cupy.asarray(values).astype("float16").get()
            expected = values.astype(np.float16)
            np.testing.assert_array_equal(rounded, expected)
            np.testing.assert_array_equal(
                np.signbit(rounded)[:-7], np.signbit(expected)[:-7]
            )


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name != "bool"])
def test_arithmetic(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    device = cupy.asarray(host)
    a, b, x, y = device[:, 1:], device[:, :-1], host[:, 1:], host[:, :-1]
    y = y + y.dtype.type(1)
    b = b + y.dtype.type(1)
    for name in ("add", "subtract", "multiply", "true_divide"):
        expected = getattr(np, name)(x, y)
        assert_same(getattr(cupy, name)(a, b), expected, name)
        out = cupy.empty_like(a, dtype=expected.dtype)
        assert getattr(cupy, name)(a, b, out=out) is out
        assert_same(out, expected, name)
    assert_same(cupy.negative(a), np.negative(x))
    assert_same(cupy.where(a == b, a, b), np.where(x == y, x, y))
    assert_same(abs(a), abs(x))
    if not dtype.startswith("complex"):
        assert_same(cupy.less(a, b), np.less(x, y))
        assert_same(cupy.maximum(a, b), np.maximum(x, y))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    a, x = cupy.asarray(host), host
    one = x.dtype.type(1)
    for name in ("right_shift", "left_shift", "bitwise_and", "bitwise_xor"):
        assert_same(getattr(cupy, name)(a, one), getattr(np, name)(x, one), name)
    # Integers wrap around, as everywhere in CUDA.
    largest = cupy.asarray([np.iinfo(dtype).max], dtype=dtype)
    assert (largest + one).tolist() == [np.iinfo(dtype).min]


@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values(cupy: Module, np: Module, dtype: str) -> None:
    host = np.array([0.0, -0.0, 1.5, np.nan, np.inf, -np.inf], dtype)
    device = cupy.asarray(host)
    for name in ("isnan", "isfinite", "isinf"):
        assert_same(getattr(cupy, name)(device), getattr(np, name)(host), name)
    assert_same(device.min(), host.min())
    assert bool(cupy.isnan(device).any())


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "complex128"])
def test_reductions(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    device = cupy.asarray(host)
    for name in ("sum", "max", "min", "any", "all"):
        for axis in (None, 0):
            actual = getattr(cupy, name)(device, axis=axis)
            assert_same(actual, np.asarray(getattr(np, name)(host, axis=axis)), name)


def test_a_reduction_of_many_elements(cupy: Module, np: Module) -> None:
    numbers = np.arange(200_000)
    assert int(cupy.asarray(numbers).sum()) == numbers.sum()
    matrix = numbers.reshape(100, 2000)
    assert_same(cupy.asarray(matrix).max(axis=0), matrix.max(axis=0))


def test_creation_and_joining(cupy: Module, np: Module) -> None:
    assert_same(cupy.full((2, 3), 7.5), np.full((2, 3), 7.5))
    assert_same(cupy.zeros(3, "int8"), np.zeros(3, "int8"))
    assert_same(cupy.arange(2, 9, 3), np.arange(2, 9, 3))
    assert_same(cupy.linspace(0, 1, 7), np.linspace(0, 1, 7))
    assert cupy.empty((0, 3)).tolist() == []
    a, x = cupy.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
    assert_same(cupy.concatenate([a, a[:, :1]], axis=1), np.hstack([x, x[:, :1]]))
    assert_same(cupy.stack([a, a], axis=-1), np.stack([x, x], axis=-1))
    assert_same(a[a > 2], x[x > 2])
    assert_same(cupy.cumsum(a), np.cumsum(x))


def test_gradient(cupy: Module, np: Module) -> None:
    f, places = np.array([[1.0, 4.0, 2.0, 8.0]] * 3), np.array([0.0, 1.0, 3.0, 4.0])
    a, positions = cupy.asarray(f), cupy.asarray(places)
    for actual, expected in zip(cupy.gradient(a), np.gradient(f), strict=True):
        assert_same(actual, expected)
    assert_same(cupy.gradient(a, positions, axis=1), np.gradient(f, places, axis=1))


def test_fresh_memory_is_not_zero(cupy: Module, np: Module) -> None:
    memory = cupy.cuda.Memory(64)
    pointer = cupy.cuda.MemoryPointer(memory, 0)
    assert bool(cupy.isnan(cupy.ndarray(8, "float64", pointer)).all())
