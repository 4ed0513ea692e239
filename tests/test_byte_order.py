"""Byte orders, files that are mapped into memory, and other plain arrays of NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anygrad

#: The doors, with the keywords that choose other roads, on samples that are square.
DOORS: dict[str, Callable[[Any], Any]] = {
    "gradient": lambda f: anygrad.gradient(f)[0],
    "gradient, a step": lambda f: anygrad.gradient(f, spacing=0.3)[1],
    "gradient, steps": lambda f: anygrad.gradient(f, spacing=[0.3, 2])[0],
    "gradient, accuracy": lambda f: anygrad.gradient(f, accuracy=4)[0],
    "gradient, boundary": lambda f: anygrad.gradient(f, boundary="reflect")[0],
    "gradient, values": lambda f: anygrad.gradient(f, boundary=[1.5, 2])[0],
    "gradient, mask": lambda f: anygrad.gradient(f, where=f.real > -9)[0],
    "gradient, stack": lambda f: anygrad.gradient(f, stack_dim=0),
    "gradient, last stack": lambda f: anygrad.gradient(f, stack_dim=-1, spacing=0.5),
    "gradient, factors": lambda f: anygrad.gradient(f, scale_factors=[2.0, 3.0])[0],
    "gradient, factors, stack": lambda f: anygrad.gradient(
        f, scale_factors=[2.0, 3.0], stack_dim=0
    ),
    "derivative": anygrad.derivative,
    "derivative, given ghosts": lambda f: anygrad.derivative(
        f, dim=0, boundary=(("ghosts", f), ("ghosts", f))
    ),
    "derivative, order": lambda f: anygrad.derivative(f, order=2, spacing=0.3),
    "derivative, odd order": lambda f: anygrad.derivative(f, order=3),
    "derivative, periodic": lambda f: anygrad.derivative(f, boundary="periodic"),
    "laplacian": anygrad.laplacian,
    "laplacian, a step": lambda f: anygrad.laplacian(f, spacing=0.3),
    "hessian": anygrad.hessian,
    "divergence": lambda f: (
        anygrad.divergence(f[:2], dim=(0, 1), vector_dim=0)
        if f.ndim == 3
        else anygrad.divergence(f[None, :], dim=1)
    ),
    "curl": lambda f: anygrad.curl(in_two(f)),
    "jacobian": lambda f: anygrad.jacobian(in_two(f)),
}
FLOATS = [">f8", ">f4", ">f2", ">c8", ">c16", "<f8", "<f4", "=f8"]


def in_two(f: Any) -> Any:
    """Return a field of two components, in the byte order of one."""
    field = f[None].repeat(2, 0)
    assert field.dtype == f.dtype
    return field


def samples(numpy: Any, dtype: str) -> Any:
    f = numpy.asarray([[(3 * k + 5 * n) % 11 for k in range(9)] for n in range(9)])
    return f.astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("door", DOORS)
def test_floats_keep_their_byte_order(numpy: Any, dtype: str, door: str) -> None:
    """The dtype is that of the samples, in every door, as in `numpy.gradient`."""
    f = samples(numpy, dtype)
    wanted = DOORS[door](f.astype(f.dtype.newbyteorder("=")))
    for _ in range(2):  # small arrays go another way from the second call on
        result = DOORS[door](f)
        assert result.dtype.str == f.dtype.str
        assert (result == wanted).all()


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dtype", [">f8", ">f4", ">c8"])
def test_ghosts_keep_it(numpy: Any, dtype: str, order: int) -> None:
    """Also where they, or the coordinates, have the other one."""
    whole = samples(numpy, dtype)
    f, x = whole[:, 2:7], numpy.arange(9.0)
    native = whole.astype(whole.dtype.newbyteorder("="))
    for left, right in ((whole, whole), (native, whole), (native, native)):
        ends = (("ghosts", left[:, :2]), ("ghosts", right[:, 7:]))
        result = anygrad.derivative(f, order=order, boundary=ends)
        assert result.dtype.str == dtype
        assert (result == anygrad.derivative(whole, order=order)[:, 2:7]).all()
        ends = (
            ("ghosts", left[:, :2], x[:2].astype(">f4")),
            ("ghosts", right[:, 7:], x[7:]),
        )
        result = anygrad.derivative(f, spacing=x[2:7], order=order, boundary=ends)
        wanted = anygrad.derivative(whole, spacing=x, order=order)
        assert result.dtype.str == wanted.dtype.str


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("dtype", [">i4", ">u2", ">i8"])
def test_integers_give_native_floats(numpy: Any, dtype: str, door: str) -> None:
    f = samples(numpy, dtype)
    result = DOORS[door](f)
    assert result.dtype.str == numpy.dtype("float64").str
    assert (result == DOORS[door](f.astype("int64"))).all()


@pytest.mark.parametrize("kind", ["line", "per point"])
@pytest.mark.parametrize(
    ("dtype", "of_x", "wanted"),
    [
        (">f8", ">f8", ">f8"),
        (">f8", "=f8", ">f8"),
        (">f4", "=f4", ">f4"),
        (">f4", "=i4", ">f4"),
        (">f4", ">i2", ">f4"),
        (">f8", ">f4", ">f8"),
        (">f4", ">f8", "=f8"),
        ("=f4", ">f8", "=f8"),
        ("=f8", ">f8", "=f8"),
        (">c8", ">f4", ">c8"),
        (">c8", ">f8", "=c16"),
        (">i4", ">f8", "=f8"),
        (">i4", ">f4", "=f8"),
    ],
)
def test_coordinates(numpy: Any, dtype: str, of_x: str, wanted: str, kind: str) -> None:
    """Where another dtype comes out than went in, it is a native one."""
    f = samples(numpy, dtype)
    x = numpy.asarray([0, 1, 3, 4, 8, 9, 11, 12, 15]).astype(of_x)
    if kind == "per point":
        x = x[None, :] * numpy.ones((9, 1), of_x).astype(of_x)
        x = x.astype(of_x)
    native = f.astype(f.dtype.newbyteorder("=")), x.astype(x.dtype.newbyteorder("="))
    for order in (1, 2):
        result = anygrad.derivative(f, spacing=[x], order=order)
        assert result.dtype.str == numpy.dtype(wanted).str
        exact = anygrad.derivative(native[0], spacing=[native[1]], order=order)
        assert (result == exact).all()


@pytest.mark.parametrize(
    ("step", "wanted"), [(2, ">f4"), (0.5, ">f4"), (2j, "=c8"), (None, ">f4")]
)
def test_steps(numpy: Any, step: Any, wanted: str) -> None:
    f = samples(numpy, ">f4")
    steps = [step] if step is None else [step, numpy.asarray(step)]
    for spacing in steps:
        for result in anygrad.gradient(f, spacing=spacing):
            assert result.dtype.str == numpy.dtype(wanted).str
        stacked = anygrad.gradient(f, spacing=spacing, stack_dim=1)
        assert stacked.dtype.str == numpy.dtype(wanted).str


def test_offsets(numpy: Any) -> None:
    weights = anygrad.stencil(numpy.asarray([-1.0, 0, 1], ">f8"))
    assert weights.dtype.str == ">f8"
    assert weights.tolist() == [-0.5, 0, 0.5]


# Files that are mapped into memory.


@pytest.fixture
def mapped(numpy: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that writes values to a file and maps it."""

    def write(values: Any, mode: str = "r") -> Any:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
        numpy.save(path, values)
        array = numpy.load(path, mmap_mode=mode)
        assert type(array) is numpy.memmap
        return array

    return write


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("door", DOORS)
def test_mapped_samples(numpy: Any, mapped: Any, door: str, mode: str) -> None:
    """Plain arrays come out, of the same bits, without a warning."""
    values = samples(numpy, "f8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = DOORS[door](mapped(values, mode))
    assert type(result) is numpy.ndarray
    assert result.flags.writeable
    assert result.tobytes() == DOORS[door](values).tobytes()


@pytest.mark.parametrize("of", ["plain", "mapped"])
def test_mapped_coordinates_steps_and_masks(numpy: Any, mapped: Any, of: str) -> None:
    values = samples(numpy, "f8")
    x = numpy.asarray([0.0, 1, 3, 4, 8, 9, 11, 12, 15])
    per_point = x[:, None] + x / 99
    mask = values > 1
    f = values if of == "plain" else mapped(values)
    for given, plain in (
        ({"spacing": [mapped(x), mapped(x)]}, {"spacing": [x, x]}),
        ({"spacing": [mapped(per_point), 2]}, {"spacing": [per_point, 2]}),
        ({"spacing": mapped(numpy.asarray([0.5]))[0:1].reshape(())}, {"spacing": 0.5}),
        ({"where": mapped(mask)}, {"where": mask}),
        ({"where": mapped(mask), "edge_order": 2}, {"where": mask, "edge_order": 2}),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            results = anygrad.gradient(f, **given)
        for result, wanted in zip(
            results, anygrad.gradient(values, **plain), strict=True
        ):
            assert type(result) is numpy.ndarray
            assert result.tobytes() == wanted.tobytes()
    assert type(anygrad.stencil(mapped(x[:3]))) is numpy.ndarray


def test_large_mapped_samples_in_blocks(numpy: Any, mapped: Any) -> None:
    values = numpy.sin(numpy.arange(1_200_000.0)).reshape(1200, 1000)
    f, x = mapped(values), mapped(numpy.arange(1000.0) ** 1.5)
    for workers in (1, 2):
        with anygrad.set_workers(workers):
            (result,) = anygrad.gradient(f, dim=1, spacing=[x])
        assert type(result) is numpy.ndarray
        (wanted,) = anygrad.gradient(values, dim=1, spacing=[numpy.asarray(x)])
        assert result.tobytes() == wanted.tobytes()


# Coordinates of a subclass that nobody knows.


def strange_classes(numpy: Any) -> list[type]:
    """Return subclasses that carry something along, and say no to what loses it."""

    class Masked(numpy.ndarray):
        """Like astropy's: no ufunc writes into a plain array."""

        def __array_finalize__(self, source: Any) -> None:
            self.mask = getattr(source, "mask", None)

        def __array_ufunc__(
            self, ufunc: Any, method: str, *inputs: Any, **keywords: Any
        ) -> Any:
            for out in keywords.get("out", ()):
                if not isinstance(out, Masked):
                    return NotImplemented
            plain = [numpy.asarray(a) if isinstance(a, Masked) else a for a in inputs]
            if "out" in keywords:
                keywords["out"] = tuple(a.view(numpy.ndarray) for a in keywords["out"])
            return getattr(ufunc, method)(*plain, **keywords).view(Masked)

    class Strict(numpy.ndarray):
        """It must be told its unit, and does not come from nothing."""

        def __array_finalize__(self, source: Any) -> None:
            self.unit = getattr(source, "unit", "m")

        def __array_function__(
            self, function: Any, types: Any, args: Any, kwargs: Any
        ) -> Any:
            return NotImplemented

    class Named(numpy.ndarray):
        name = None

        def __array_finalize__(self, source: Any) -> None:
            self.name = getattr(source, "name", None)

    return [Masked, Strict, Named]


@pytest.mark.parametrize("size", [6, 200_000])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_coordinates_of_an_unknown_subclass(numpy: Any, number: int, size: int) -> None:
    """Refused by name, or computed: no error comes from inside."""
    cls = strange_classes(numpy)[number]
    nodes = numpy.arange(float(size)) ** 1.25
    f, x = numpy.cos(nodes), nodes.view(cls)
    for call in (
        lambda x: anygrad.gradient(f, spacing=[x])[0],
        lambda x: anygrad.derivative(f, spacing=x, order=2),
        lambda x: anygrad.gradient(f, spacing=[x], where=f < 0.9)[0],
        lambda x: anygrad.laplacian(f, spacing=[x], boundary="edge"),
    ):
        wanted = call(nodes)
        try:
            result = call(x)
        except TypeError as error:
            assert str(error).startswith("`spacing")  # noqa: PT017 - either is right
        else:
            plain = numpy.asarray(result)
            assert numpy.allclose(plain, wanted, rtol=1e-12, atol=0, equal_nan=True)


def test_coordinates_of_a_derived_class_that_adds_nothing(numpy: Any) -> None:
    class Derived(numpy.ndarray):
        pass

    x = numpy.asarray([0.0, 1, 3, 4])
    (result,) = anygrad.gradient(x**2, spacing=[x.view(Derived)], edge_order=2)
    assert numpy.allclose(result, [0, 2, 6, 8], rtol=1e-14)
