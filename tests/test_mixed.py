"""Arrays of two libraries in one call."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from typing import Any

import pytest

import anygrad
import oracle
from backends import CHOSEN, Backend, plain

pytestmark = pytest.mark.peers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" in metafunc.fixturenames:
        libraries = metafunc.config.stash[CHOSEN]
        pairs = list(itertools.permutations(map(plain, libraries), 2))
        metafunc.parametrize(
            "pair", pairs, ids=lambda pair: " with ".join(map(str, pair))
        )


def type_name(array: Any) -> str:
    cls = type(array)
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


@pytest.mark.parametrize("kind", ["0-d", "coordinates", "per point"])
def test_two_libraries(pair: tuple[Backend, Backend], kind: str) -> None:
    """Refused, naming both; but NumPy's arrays are constants that go with any."""
    first, second = pair
    samples = [[1, 2, 4], [0, 5, 1]]
    values = {"0-d": 0.5, "coordinates": [0, 1, 3], "per point": [[0, 1, 3]] * 2}[kind]
    with ExitStack() as stack:
        stack.enter_context(first.active())
        stack.enter_context(second.active())
        f, x = first.asarray(samples), second.asarray(values)
        if second.library == "numpy":
            coordinate = {
                "0-d": oracle.steps(1, 0.5),
                "coordinates": oracle.along(1, [0, 1, 3]),
                "per point": oracle.along(1, [0, 1, 3]),
            }[kind]
            wanted = oracle.derivative(samples, 1, coordinate, 1)
            dtype = str(x.dtype) if kind != "0-d" else None
            if dtype not in first.dtypes:
                dtype = None
            for _ in range(2):
                results = anygrad.gradient(f, spacing=[x], dim=1)
                first.check(results, [wanted], like=f, dtype=dtype)
            return
        with pytest.raises(TypeError) as caught:
            anygrad.gradient(f, spacing=[x], dim=1)
        assert str(caught.value) == (
            "`spacing[0]` must be an array of the same library as `input`. Got "
            f"{type_name(x)} for an `input` of type {type_name(f)}. Convert one of "
            "them first."
        )


def test_numpy_coordinates_of_traced_samples(numpy: Any, jax: Any) -> None:
    """They become JAX's own; a compiled call takes them as they are."""
    f, x = jax.numpy.asarray([0.0, 1.0, 9.0, 16.0]), numpy.asarray([0.0, 1.0, 3.0, 4.0])

    def slopes(f: Any) -> Any:
        return anygrad.derivative(f, spacing=[x], edge_order=2)

    for function in (slopes, jax.jit(slopes)):
        assert function(f).tolist() == pytest.approx([0.0, 2.0, 6.0, 8.0], abs=1e-5)


def test_an_unknown_library_with_another(array_api_strict: Any, numpy: Any) -> None:
    import toy_library

    f = toy_library.Array(array_api_strict.asarray([1.0, 2, 4]))
    x = array_api_strict.asarray([0.0, 1, 3])
    for samples, coordinates in ((f, x), (x, f), (numpy.arange(3.0), f)):
        with pytest.raises(TypeError) as caught:
            anygrad.gradient(samples, spacing=[coordinates])
        assert type_name(samples) in str(caught.value)
        assert type_name(coordinates) in str(caught.value)


def test_numpy_coordinates_on_a_dask_grid(numpy: Any, dask: Any) -> None:
    """They stay lazy: small, and a part of the graph."""
    import dask.array

    f = dask.array.ones((6, 8), chunks=(4, 3))
    x = numpy.asarray([0, 1, 3, 4, 8, 9, 10, 14])
    (result,) = anygrad.gradient(f * x, spacing=[x], dim=1)
    assert isinstance(result, dask.array.Array)
    assert result.chunks == f.chunks
    assert numpy.allclose(result.compute(), 1, rtol=1e-14)


def test_numpy_numbers_go_everywhere(pair: tuple[Backend, Backend]) -> None:
    """A NumPy scalar is a Python number for all libraries, and never promotes."""
    import numpy

    backend, _ = pair
    with backend.active():
        f = backend.asarray([0.0, 1, 4], "float32")
        for step in (
            numpy.float64(2),
            numpy.float32(2),
            numpy.int64(2),
            numpy.uint8(2),
        ):
            results = anygrad.gradient(f, spacing=step)
            backend.check(results, [[0.5, 1, 1.5]], like=f, tolerance=0)


def test_numpy_integers_name_a_dim(pair: tuple[Backend, Backend]) -> None:
    import numpy

    backend, _ = pair
    with backend.active():
        f = backend.asarray([[0, 1, 4], [0, 2, 8]], "float32")
        for dim in (numpy.int64(1), numpy.uint8(1), [numpy.int32(-1)]):
            results = anygrad.gradient(f, dim=dim, edge_order=numpy.int64(2))
            backend.check(results, [[[0, 2, 4], [0, 4, 8]]], like=f, tolerance=0)


def test_wrapped_in_dask(dask: Any, cupy: Any) -> None:
    """Chunks of another library stay that library's."""
    import dask.array

    f = dask.array.from_array(cupy.asarray([0.0, 1, 4, 9]), chunks=2, asarray=False)
    (result,) = anygrad.gradient(f)
    with dask.config.set(scheduler="synchronous"):
        chunk = result.compute()
    assert type(chunk) is cupy.ndarray
    assert chunk.tolist() == [1, 2, 4, 5]
