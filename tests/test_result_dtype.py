"""The dtype that is named for the result: `dtype`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import anygrad
from backends import Backend
from refusals import refused

#: Two components on a grid of 3 x 4 points.
VALUES = [
    [[0.1, 1.7, 4.3, 2.9], [1.3, 5.1, 3.7, 7.9], [2.3, 2.1, 9.7, 4.9]],
    [[2.2, 8.3, 0.7, 1.1], [6.1, 4.2, 3.3, 5.7], [3.9, 0.3, 2.6, 8.4]],
]

#: Every door, with one array as its result.
DOORS: dict[str, Callable[..., Any]] = {
    "gradient": partial(anygrad.gradient, stack_dim=0, dim=(2, 1)),
    "derivative": partial(anygrad.derivative, order=2),
    "laplacian": partial(anygrad.laplacian, dim=(1, 2), edge_order=1),
    "hessian": partial(anygrad.hessian, dim=(1, 2), edge_order=1),
    "divergence": anygrad.divergence,
    "curl": anygrad.curl,
    "jacobian": anygrad.jacobian,
}


def astype(backend: Backend, array: Any, name: str) -> Any:
    with backend.current_device(array):
        return backend.xp.astype(array, backend.dtype(name))


@pytest.mark.parametrize("door", DOORS)
def test_every_door_rounds_once(backend: Backend, door: str) -> None:
    """Never computed in fewer digits than the samples have, or the result."""
    function = DOORS[door]
    f = backend.asarray(VALUES)
    whole = function(f)
    names = {backend.real, "float32", *backend.halves}
    for name in sorted(name for name in names if hasattr(backend.xp, name)):
        for given in (backend.dtype(name), name):
            result = function(f, dtype=given)
            assert backend.kind(result) == backend.kind(f)
            assert backend.device(result) == backend.device(f)
            assert backend.dtype_name(result) == name
            rounded = backend.tolist(astype(backend, whole, name))
            assert backend.tolist(result) == rounded
    short = backend.asarray(VALUES, "float32")
    longer = function(short, dtype=backend.dtype(backend.real))
    wanted = function(astype(backend, short, backend.real))
    assert backend.tolist(longer) == backend.tolist(wanted)


class Word(str):
    """Such as `numpy.str_`, of an array of words, and the members of an enumeration."""

    __slots__ = ()


@pytest.mark.parametrize("is_first", [True, False])
def test_names_of_any_class(library: Backend, is_first: bool) -> None:
    """They were refused, unless the same call had been made with a plain one."""
    f = library.asarray([[0.5] * (8 + is_first)] * 3)  # of a shape of its own
    words = [Word("float32"), "float32"]
    for dtype in words if is_first else reversed(words):
        result = anygrad.derivative(f, dtype=dtype, order=5)
        assert library.dtype_name(result) == "float32"
    for dtype in (Word("float33"), Word("f4")):
        with pytest.raises(TypeError, match=r"^`dtype` must be None, or a real"):
            anygrad.derivative(f, dtype=dtype, order=5)


def test_names_that_only_chunks_have(dask: Any) -> None:
    """`dask.array` has no float16 of its own, and its arrays may be of it."""
    import dask.array

    assert not hasattr(dask.array, "float16")
    f = dask.array.arange(6, chunks=4) ** 2
    (result,) = anygrad.gradient(f, dtype="float16")
    assert result.dtype.name == result.compute().dtype.name == "float16"
    assert result.chunks == f.chunks
    with pytest.raises(TypeError, match=r"^`dtype` must be None.*Got 'bfloat16'"):
        anygrad.gradient(f, dtype="bfloat16")


def test_integers_and_coordinates(backend: Backend) -> None:
    """float32 for images, and the samples' own dtype beside longer coordinates."""
    image = backend.asarray([0, 1, 4, 255], "uint8")
    for _ in range(2):
        result = anygrad.gradient(image, dtype=backend.dtype("float32"))
        wanted = [[1, 2, 127, 251]]
        backend.check(result, wanted, like=image, dtype="float32", tolerance=0)
    f = backend.asarray([0, 1, 4, 9], "float32")
    x = backend.asarray([0, 1, 2, 4])
    result = anygrad.gradient(f, spacing=[x], dtype="float32")
    whole = anygrad.gradient(f, spacing=[x])
    backend.check(result, [backend.tolist(whole[0])], like=f, dtype="float32")


def test_complex_results(library: Backend) -> None:
    """A complex dtype takes real samples; a real one is no place for complex ones."""
    f = library.asarray([0, 1, 4, 10], "float32")
    wanted = [1, 2, 4.5, 6]
    for name in {library.complex, "complex64"}:
        result = anygrad.gradient(f, dtype=library.dtype(name))
        library.check(result, [wanted], like=f, dtype=name, tolerance=0)
    rule = "`dtype` must be complex for complex samples, steps or coordinates. Got "
    complex_x = library.asarray([0, 1j, 2j, 3j], "complex64")
    for samples, spacing in (
        (library.asarray([0, 1j, 4, 10], "complex64"), 1),
        (f, 2j),
        (f, complex_x[1]),
        (f, [complex_x]),
    ):
        with pytest.raises(TypeError) as caught:
            anygrad.gradient(samples, spacing=spacing, dtype="float32")
        message = str(caught.value)
        assert message.startswith(rule)
        assert message.endswith(". Take the real part of the result instead.")
        real = anygrad.gradient(samples, spacing=spacing, dtype="complex64")
        assert library.dtype_name(real[0]) == "complex64"


def test_what_is_no_dtype(library: Backend) -> None:
    namespace = "toy_library" if library.id == "toy" else library.namespace
    namespace = namespace.removeprefix("array_api_compat.")
    rule = (
        "`dtype` must be None, or a real or complex floating dtype of the library of "
        f"`input`, e.g. `{namespace}.float32`. Got "
    )
    f = library.asarray([1, 2, 4])
    for given, shown in (
        (float, "float"),
        (32, "32"),
        ("f4", "'f4'"),
        ("int32", "'int32'"),
        ([1], "[1]"),
        (math, "module"),
    ):
        refused(TypeError, f"{rule}{shown}.", f, dtype=given)
    for name in ("int32", "bool"):
        with pytest.raises(TypeError) as caught:
            anygrad.gradient(f, dtype=library.dtype(name))
        assert str(caught.value).startswith(rule)


def test_arrays_are_no_dtypes(library: Backend) -> None:
    """Also such as tell, as a dtype does, that they are floating."""
    f = library.asarray([0, 1, 4, 9])
    for given in (f, f[0]):
        with pytest.raises(TypeError, match=r"^`dtype` must be None, or a real or c"):
            anygrad.gradient(f, dtype=given)


def test_what_the_device_does_not_have(library: Backend) -> None:
    if library.real == "float64":
        pytest.skip("it has all")
    with pytest.raises(TypeError, match="must be one that the device of `input` has"):
        anygrad.gradient(library.asarray([1, 2, 4]), dtype="float64")


def test_bytes_in_another_order(numpy: Any) -> None:
    f = numpy.asarray([0.0, 1, 4], ">f8")
    for dtype in (f.dtype, numpy.dtype("<f4"), numpy.float32):
        (result,) = anygrad.gradient(f, spacing=[f], dtype=dtype)
        assert result.dtype == dtype
    assert anygrad.gradient(f, dtype=numpy.longdouble)[0].dtype == numpy.longdouble


def test_autograd_and_compilers(torch: Any) -> None:
    """A result of another dtype is as differentiable; slopes are of the samples'."""
    f = torch.arange(5.0, requires_grad=True)
    (result,) = anygrad.gradient(f, dtype=torch.float64)
    result.sum().backward()
    assert f.grad.dtype is torch.float32
    assert f.grad.tolist() == [-1.5, 0.5, 0, -0.5, 1.5]
    compiled = torch.compile(
        lambda f: (anygrad.laplacian(f[None] + f[:, None], dtype="float16"), f),
        fullgraph=True,
        backend="eager",
    )
    assert compiled(torch.arange(4.0))[0].dtype is torch.float16
