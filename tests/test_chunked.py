"""Dask: values in chunks of all kinds are those of NumPy."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
import chunked_tables
from chunked_tables import assert_same, coordinates, lazy, table

chunks = chunked_tables.chunks
in_this_thread = chunked_tables.in_this_thread


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8"])
def test_steps(chunks: tuple[int, ...], dtype: str, edge_order: int) -> None:
    """Chunks stay as they are, along the dim and across it."""
    f = lazy(table(dtype), (chunks, (2, 4)))
    keywords: Any = {"spacing": [0.3, -2], "edge_order": edge_order}
    wanted = anygrad.gradient(table(dtype), **keywords)
    for result, target in zip(anygrad.gradient(f, **keywords), wanted, strict=True):
        assert result.chunks == f.chunks
        assert_same(result, target)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("kind", ["numpy", "dask", "dask in other chunks"])
def test_coordinates(chunks: tuple[int, ...], kind: str, edge_order: int) -> None:
    f, x = lazy(table(), (chunks, 4)), coordinates(12)
    wanted = anygrad.gradient(table(), spacing=[x], dim=0, edge_order=edge_order)
    if kind != "numpy":
        x = lazy(x, 5 if "other" in kind else (chunks,))
    (result,) = anygrad.gradient(f, spacing=[x], dim=0, edge_order=edge_order)
    assert result.chunks == f.chunks
    assert_same(result, wanted[0])


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("kind", ["numpy", "dask", "dask in other chunks"])
@pytest.mark.parametrize("width", [1, 6])
def test_coordinates_per_point(
    chunks: tuple[int, ...], kind: str, edge_order: int, width: int
) -> None:
    """For every point, and for every row: broadcast along the other dim."""
    import numpy

    f = lazy(table(), (chunks, 4))
    x = coordinates(12)[:, None] * (1 + numpy.arange(width) / 4)
    wanted = anygrad.gradient(table(), spacing=[x], dim=0, edge_order=edge_order)
    if kind != "numpy":
        x = lazy(x, (5, 3) if "other" in kind else (chunks, 4))
    (result,) = anygrad.gradient(f, spacing=[x], dim=0, edge_order=edge_order)
    assert result.chunks == f.chunks
    assert_same(result, wanted[0])


@pytest.mark.parametrize("value", [0.3, 2, 2 + 1j])
def test_lazy_steps(chunks: tuple[int, ...], value: complex) -> None:
    """A step that is itself yet to be computed, for all dims or in the list."""
    import numpy

    f = lazy(table(), (chunks, 4))
    step = lazy(numpy.asarray(value), ()) * 1
    wanted = anygrad.gradient(table(), spacing=numpy.asarray(value), edge_order=2)
    for spacing in (step, [step, numpy.asarray(value)]):
        results = anygrad.gradient(f, spacing=spacing, edge_order=2)
        for result, target in zip(results, wanted, strict=True):
            assert result.chunks == f.chunks
            assert_same(result, target)


def test_shortest_arrays() -> None:
    """As few points as the formulas need, each in a chunk of its own."""
    for edge_order in (1, 2):
        n = edge_order + 1
        f = table()[:n]
        (wanted,) = anygrad.gradient(f, dim=0, edge_order=edge_order)
        for parts in ((1,) * n, (n,), (0, n), (1, 0, n - 1)):
            result = anygrad.gradient(lazy(f, (parts, 6)), dim=0, edge_order=edge_order)
            assert_same(result[0], wanted)


def test_no_points_across() -> None:
    f = table()[:, :0]
    (result,) = anygrad.gradient(lazy(f, (4, 1)), dim=0)
    assert result.chunks == ((4, 4, 4), (0,))
    assert_same(result, f)


def test_three_dims() -> None:
    import numpy

    f = numpy.arange(360.0).reshape(6, 5, 12) ** 2
    wanted = anygrad.gradient(f, dim=(2, 0, 1), edge_order=2)
    chunked = lazy(f, (2, (1, 4), 5))
    results = anygrad.gradient(chunked, dim=(2, 0, 1), edge_order=2)
    for result, target in zip(results, wanted, strict=True):
        assert result.chunks == chunked.chunks
        assert_same(result, target)


@pytest.mark.parametrize("kind", ["step", "numpy", "dask", "per point"])
def test_unknown_lengths_of_the_other_dim(kind: str) -> None:
    """Dask may not know how many rows a choice has left."""
    whole, x = table(), coordinates(6)
    f = lazy(whole, (5, 4))
    chosen, kept = f[f[:, 0] > 0], whole[whole[:, 0] > 0]
    curved = x + f / 512
    entry, target = {
        "step": (0.3, 0.3),
        "numpy": (x, x),
        "dask": (lazy(x, 5), x),
        "per point": (curved[f[:, 0] > 0], x + kept / 512),
    }[kind]
    (wanted,) = anygrad.gradient(kept, spacing=[target], dim=1, edge_order=2)
    (result,) = anygrad.gradient(chosen, spacing=[entry], dim=1, edge_order=2)
    assert result.numblocks == chosen.numblocks
    assert_same(result, wanted)


def test_special_values_stay_where_they_are(chunks: tuple[int, ...]) -> None:
    """Strips of the neighbours bring no NaN that the formulas do not read."""
    import numpy

    f = table()
    f[3, 0] = f[8, 1] = numpy.nan
    f[0, 2] = f[11, 3] = numpy.inf
    for spacing in (1, coordinates(12)):
        (wanted,) = anygrad.gradient(f, spacing=[spacing], dim=0, edge_order=2)
        chunked = lazy(f, (chunks, 6))
        (result,) = anygrad.gradient(chunked, spacing=[spacing], dim=0, edge_order=2)
        assert_same(result, wanted)


def test_factors_in_memory_beside_lazy_coordinates() -> None:
    """The derivative of a factor is one on these coordinates, too."""
    import numpy

    factors: Any = [2.0, coordinates(12)[:, None] + numpy.arange(6)]
    f, x = lazy(table(), (5, 4)), lazy(coordinates(12), 5)
    result = anygrad.laplacian(f, spacing=[x, 0.5], scale_factors=factors)
    wanted = anygrad.laplacian(
        table(), spacing=[coordinates(12), 0.5], scale_factors=factors
    )
    assert_same(result, wanted)


def test_masks_beside_unknown_lengths() -> None:
    """One of a known length may be of other rows; a choice of the mask is as long."""
    import numpy

    whole, valid = table(), numpy.arange(72).reshape(12, 6) % 5 > 0
    f = lazy(whole, (5, 4))
    rows, kept = f[:, 0] > 0, whole[:, 0] > 0
    with pytest.raises(ValueError, match=r"`compute_chunk_sizes\(\)`"):
        anygrad.gradient(f[rows], where=valid[kept], dim=1)
    wanted = anygrad.derivative(whole[kept], where=valid[kept], dim=1)
    result = anygrad.derivative(f[rows], where=lazy(valid, (5, 4))[rows], dim=1)
    assert_same(result, wanted)
    result = anygrad.derivative(f[rows].compute_chunk_sizes(), where=valid[kept], dim=1)
    assert_same(result, wanted)


MIXED: dict[str, dict[str, Any]] = {
    "steps": {"spacing": [0.3, -2.0]},
    "wide": {"accuracy": 4, "edge_order": 3},
    "periodic": {"boundary": "periodic", "accuracy": 4},
    "mirrored": {"boundary": ["reflect", ("edge", 1.0)]},
    "coordinates": {"coordinates": "numpy"},
    "lazy coordinates": {"coordinates": "dask"},
    "per point": {"coordinates": "per point"},
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("kind", MIXED)
def test_mixed_derivatives(chunks: tuple[int, ...], kind: str, dtype: str) -> None:
    """In one window where that suffices; in two passes where not."""
    import numpy

    keywords = dict(MIXED[kind])
    lines: Any = [coordinates(12), coordinates(6)]
    given = {
        "numpy": lines,
        "dask": [lazy(lines[0], 5), lazy(lines[1], 4)],
        "per point": [lines[0][:, None] * (1 + numpy.arange(6) / 4), lines[1]],
    }
    if name := keywords.pop("coordinates", None):
        keywords["spacing"] = given[name]
    f = lazy(table(dtype), (chunks, (2, 3, 1)))
    result = anygrad.hessian(f, **keywords)
    if name:
        keywords["spacing"] = lines if name == "dask" else given[name]
    assert result.chunks == ((1, 1), (1, 1), *f.chunks)
    assert_same(result, anygrad.hessian(table(dtype), **keywords))


def test_mixed_derivatives_across_unknown_lengths() -> None:
    """The rows that a choice has left are a batch."""
    import numpy

    whole = numpy.random.default_rng(3).normal(0, 1, (9, 8, 6))
    f = lazy(whole, (4, 3, 2))
    chosen, kept = f[f[:, 0, 0] > 0], whole[whole[:, 0, 0] > 0]
    for boundary in ("one_sided", "periodic"):
        keywords: Any = {"dim": (1, 2), "boundary": boundary}
        assert_same(
            anygrad.hessian(chosen, **keywords), anygrad.hessian(kept, **keywords)
        )


def test_components_in_any_chunks() -> None:
    import numpy

    values = numpy.random.default_rng(4).normal(0, 9, (12, 3, 8, 6))
    keywords: Any = {"dim": (0, 2, 3), "vector_dim": 1, "accuracy": 4}
    for sizes in ((3,), (2, 1), (1, 1, 1), (0, 1, 2)):
        field = lazy(values, (5, sizes, (3, 5), 6))
        for function in (anygrad.divergence, anygrad.curl, anygrad.jacobian):
            assert_same(function(field, **keywords), function(values, **keywords))


@pytest.mark.parametrize("grid", ["step", "coordinates", "per point"])
def test_ghosts_across_unknown_lengths(grid: str) -> None:
    """One coordinate per point, too, lies along lengths that nobody knows."""
    import dask.array
    import numpy

    values = numpy.arange(24.0).reshape(4, 6) ** 2
    f, keep = dask.array.from_array(values, chunks=(2, 3)), values[:, 0] > 0

    def slope(f: Any) -> Any:
        x = numpy.arange(6.0) if grid == "coordinates" else numpy.arange(6.0) + f * 0
        own = () if grid == "step" else (x[..., :2] + 6.0,)
        given = {} if grid == "step" else {"spacing": x}
        ends = ("one_sided", ("ghosts", f[:, :2], *own))
        return anygrad.derivative(f, boundary=ends, **given)

    found = slope(f[dask.array.from_array(keep, chunks=2)])
    assert (found.compute() == slope(values[keep])).all()


@pytest.mark.parametrize("what", ["rounded", "added"])
def test_infinities_are_no_reason_to_warn(what: str) -> None:
    """Neither where results are rounded, nor where they are added up."""
    import dask.array
    import numpy

    values = numpy.arange(16.0).reshape(4, 4)
    values[1, 1], values[2, 2] = numpy.inf, numpy.inf
    given: dict[str, Any] = {}
    if what == "rounded":
        values, given = numpy.arange(16, dtype="f2").reshape(4, 4), {"spacing": 1e-5}
    f = dask.array.from_array(values, chunks=2)
    wanted = anygrad.divergence(numpy.stack([values] * 2), **given)
    found = anygrad.divergence(dask.array.stack([f] * 2), **given).compute()
    assert numpy.array_equal(found, wanted, equal_nan=True)


def test_factors_that_are_repeated_and_have_an_empty_chunk(
    dask: Any, numpy: Any
) -> None:
    """What has one row for all of the samples' comes in any chunks."""
    f, h = numpy.asarray(table()), numpy.asarray(table())[:1] + 99.0
    cut = dask.array.from_array(h, chunks=((0, 1), h.shape[1:]))
    lazy = dask.array.from_array(f, chunks=(5, 2))
    for function in (anygrad.gradient, anygrad.laplacian):
        wanted = function(f, scale_factors=[h, 2.0])
        found = function(lazy, scale_factors=[cut, 2.0])
        assert numpy.array_equal(numpy.asarray(found), numpy.asarray(wanted))
