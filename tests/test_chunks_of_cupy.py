"""Dask: chunks of CuPy, which another library's arrays come beside."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
import chunked_tables
from chunked_tables import coordinates, table

chunks = chunked_tables.chunks
in_this_thread = chunked_tables.in_this_thread


@pytest.mark.peers
def test_cupy_chunks(cupy: Any, chunks: tuple[int, ...]) -> None:
    """A chunk is run by the executor of its own library, and stays there."""
    import dask.array

    whole = cupy.asarray(table())
    f = dask.array.from_array(whole, chunks=(chunks, 4), asarray=False)
    x = cupy.asarray(coordinates(12))
    lazy_x = dask.array.from_array(x, chunks=5, asarray=False)
    for entry, target in ((0.3, 0.3), (lazy_x, x)):
        (wanted,) = anygrad.gradient(whole, spacing=[target], dim=0, edge_order=2)
        (result,) = anygrad.gradient(f, spacing=[entry], dim=0, edge_order=2)
        assert isinstance(result._meta, cupy.ndarray)
        assert result.chunks == f.chunks
        values = result.compute()
        assert isinstance(values, cupy.ndarray)
        assert values.tolist() == wanted.tolist()


@pytest.mark.peers
def test_numpy_arrays_beside_cupy_chunks(cupy: Any, numpy: Any) -> None:
    """Coordinates and masks go to the device, as they do beside whole arrays."""
    import dask.array

    whole, x = cupy.asarray(table()), numpy.asarray(coordinates(12))
    f = dask.array.from_array(whole, chunks=(5, 4), asarray=False)
    for keywords in ({"spacing": x}, {"where": numpy.arange(12)[:, None] != 3}):
        wanted = anygrad.derivative(whole, dim=0, **keywords)
        values = anygrad.derivative(f, dim=0, **keywords).compute()
        assert isinstance(values, cupy.ndarray)
        assert cupy.array_equal(values, wanted, equal_nan=True)


@pytest.mark.peers
def test_numpy_factors_beside_cupy_chunks(cupy: Any, numpy: Any) -> None:
    """They are multiplied with what is made of chunks, with masks and ghosts beside."""
    import dask.array

    whole = cupy.asarray(table())
    f = dask.array.from_array(whole, chunks=(5, 4), asarray=False)
    grid = anygrad.lonlat(numpy.linspace(0, 10, whole.shape[1]), coordinates(12) * 0.1)
    masked = {"where": numpy.arange(12)[:, None] != 3, "spacing": [1.0, 2.0]}
    masked["scale_factors"] = [numpy.asarray(table()) + 99.0, 1.0]
    ghosts = {"boundary": [(("ghosts", numpy.ones((1, whole.shape[1]))), 1.0), "edge"]}
    for keywords in (grid, masked, ghosts):
        wanted = anygrad.laplacian(whole, **keywords)
        result = anygrad.laplacian(f, **keywords)
        values = result.compute()
        assert isinstance(values, cupy.ndarray)
        assert isinstance(result._meta, cupy.ndarray)
        assert cupy.array_equal(values, wanted, equal_nan=True)


@pytest.mark.peers
def test_labelled_masks_beside_cupy_chunks(cupy: Any, numpy: Any) -> None:
    xarray = pytest.importorskip("xarray")
    import dask.array

    import anygrad.xarray

    whole = cupy.asarray(table())
    f = dask.array.from_array(whole, chunks=(5, 4), asarray=False)
    mask = xarray.DataArray(numpy.arange(12) != 3, dims="y")
    wanted = anygrad.derivative(whole, dim=0, where=mask.values[:, None])
    labelled = xarray.DataArray(f, dims=("y", "x"))
    values = anygrad.xarray.derivative(labelled, "y", spacing=1, where=mask).data
    assert cupy.array_equal(values.compute(), wanted, equal_nan=True)


@pytest.mark.peers
@pytest.mark.parametrize("function", ["laplacian", "hessian"])
def test_second_derivatives_of_cupy_chunks(cupy: Any, function: str) -> None:
    """Sums in one task, and corners of neighbours, never leave the device."""
    import dask.array

    whole, parts = cupy.asarray(table()), ((5, 7), (4, 2))
    f = dask.array.from_array(whole, chunks=parts, asarray=False)
    for keywords in ({}, {"accuracy": 4, "boundary": "periodic"}):
        wanted = getattr(anygrad, function)(whole, **keywords)
        result = getattr(anygrad, function)(f, **keywords)
        assert isinstance(result._meta, cupy.ndarray)
        values = result.compute()
        assert isinstance(values, cupy.ndarray)
        assert values.tolist() == wanted.tolist()
