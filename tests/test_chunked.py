"""Dask: what the graph looks like, and that its values are those of NumPy."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import anygrad

#: Chunks of 12 points.
CHUNKS = {
    "one": (12,),
    "even": (4, 4, 4),
    "uneven": (1, 7, 2, 2),
    "small last": (8, 3, 1),
    "ones": (1,) * 12,
    "with empty ones": (0, 3, 0, 0, 8, 1, 0),
}


@pytest.fixture(params=CHUNKS, ids=lambda name: name.replace(" ", "-"))
def chunks(request: pytest.FixtureRequest) -> tuple[int, ...]:
    return CHUNKS[request.param]


@pytest.fixture(autouse=True)
def in_this_thread(dask: Any) -> Iterator[None]:
    with dask.config.set(scheduler="synchronous"):
        yield


def table(dtype: str = "float64") -> Any:
    """Return samples of shape (12, 6) as a NumPy array."""
    import numpy

    return numpy.random.default_rng(2).normal(0, 50, (12, 6)).astype(dtype)


def coordinates(length: int) -> Any:
    import numpy

    return numpy.cumsum(numpy.arange(length) % 3 + 0.7)


def lazy(array: Any, chunks: Any) -> Any:
    import dask.array

    return dask.array.from_array(array, chunks=chunks)


def assert_same(result: Any, wanted: Any) -> None:
    """Hold a Dask array to a NumPy array, bit for bit; and to what it says it is."""
    values = result.compute()
    assert type(values) is type(wanted) is type(result._meta)
    assert values.dtype == wanted.dtype == result.dtype == result._meta.dtype
    assert values.shape == wanted.shape
    assert values.tobytes() == wanted.tobytes()


# Values and chunks.


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


@pytest.mark.parametrize("boundary", ["values", "where"])
def test_mixed_derivatives_read_all_arrays_in_one_pass(
    chunks: tuple[int, ...], boundary: str
) -> None:
    """Masks and values beyond the ends, along with the samples and the corners."""
    import numpy

    rows, columns = numpy.arange(12.0)[:, None], numpy.arange(6.0)[None]
    keywords: Any = {
        "values": {"boundary": [("edge", columns), (rows, rows**2)]},
        "where": {"where": (rows + 3 * columns) % 7 > 0, "edge_order": 2},
    }[boundary]
    f = lazy(table(), (chunks, (2, 3, 1)))
    result = anygrad.hessian(f, **keywords)
    assert_same(result, anygrad.hessian(table(), **keywords))
    graph = result.__dask_graph__()
    assert sum(key[0] == result.name for key in graph) == 4 * f.npartitions


# The graph.


def spacings(chunks: tuple[int, ...]) -> Iterator[Any]:
    """Return an entry of each kind for a dim of 12 points, and one for the other."""
    import numpy

    yield [0.3, 1]
    yield lazy(numpy.asarray(0.3), ())
    yield [coordinates(12), coordinates(6)]
    yield [lazy(coordinates(12), (chunks,)), lazy(coordinates(6), 4)]
    curved = coordinates(12)[:, None] + numpy.zeros(6)
    yield [curved, coordinates(6)]
    yield [lazy(curved, (chunks, 4)), 1]


def test_building_computes_nothing(dask: Any, chunks: tuple[int, ...]) -> None:
    def scheduler(*args: Any, **keywords: Any) -> Any:
        pytest.fail("a call computed something")

    f = lazy(table(), (chunks, 4))
    for spacing in spacings(chunks):
        with dask.config.set(scheduler=scheduler):
            anygrad.gradient(f, spacing=spacing, edge_order=2)


def test_few_tasks(chunks: tuple[int, ...]) -> None:
    """One per chunk and dim, one for its strips, one for those of lazy coordinates."""
    f = lazy(table(), (chunks, 4))
    for number, spacing in enumerate(spacings(chunks)):
        for result in anygrad.gradient(f, spacing=spacing, edge_order=2):
            graph = set(result.__dask_graph__())
            mine = {key for key in graph if key[0].startswith("anygrad")}
            assert sum(key[0] == result.name for key in mine) == f.npartitions
            strips = 1 if number < 3 else 2
            assert len(mine) <= f.npartitions * (1 + strips)
            if number in (0, 2):  # nothing else is lazy
                assert graph - mine == set(f.__dask_graph__())


def test_only_strips_travel(dask: Any) -> None:
    """A chunk reads itself, and single rows of its neighbours."""
    f = lazy(table(), (4, 6))
    (result,) = anygrad.gradient(f, dim=0, edge_order=2)
    graph = result.__dask_graph__()
    for number, neighbours in enumerate((1, 2, 1)):
        needs = graph.get_all_dependencies()[result.name, number, 0]
        strips = dask.get(graph, list(needs - {(f.name, number, 0)}))
        assert (f.name, number, 0) in needs
        assert len(strips) == neighbours
        for strip in [strip for found in strips for strip in found]:
            assert strip.shape == (1, 6)
            assert strip.base is None  # of a view, the whole chunk would be kept


def test_large_strips_travel_alone(dask: Any) -> None:
    """Who reads one side of a chunk does not get the others."""
    import numpy

    from anygrad._executors.spread.strips import LARGE

    width = LARGE // 8
    values = numpy.arange(12.0 * width).reshape(12, width) ** 2 / width
    f = dask.array.from_array(values, chunks=(4, width // 2))
    result = anygrad.laplacian(f, dim=(0, 1), accuracy=4)  # two rows are large
    graph = result.__dask_graph__()
    needs = graph.get_all_dependencies()[result.name, 1, 0] - {(f.name, 1, 0)}
    found = dask.get(graph, list(needs))
    shapes = sorted(strip.shape for strips in found for strip in strips)
    assert shapes == [(2, width // 2)] * 2 + [(4, 2)]
    wanted = anygrad.laplacian(values, dim=(0, 1), accuracy=4)
    assert numpy.allclose(result.compute(), wanted, 1e-12)


def test_equal_calls_have_equal_names() -> None:
    """Dask computes what it is asked for twice only once."""
    f, x = lazy(table(), (4, 4)), coordinates(12)

    def name(**keywords: Any) -> str:
        return str(anygrad.gradient(f, dim=0, **keywords)[0].name)

    calls: list[dict[str, Any]] = [
        {},
        {"spacing": 2},
        {"edge_order": 2},
        {"spacing": [x]},
        {"spacing": [x + 1]},
        {"spacing": [lazy(x, 12)]},
        {"spacing": [lazy(x + 1, 12)]},
        {"spacing": lazy(x[0], ())},
        {"spacing": lazy(x[1], ())},
    ]
    first = [name(**keywords) for keywords in calls]
    assert first == [name(**keywords) for keywords in calls]
    assert len(set(first)) == len(calls)


def test_compute_together(dask: Any) -> None:
    """All results of a call at once, and what is made of them."""
    f = lazy(table(), (5, 4))
    wanted = anygrad.gradient(table())
    results = dask.compute(*anygrad.gradient(f))
    for result, target in zip(results, wanted, strict=True):
        assert result.tobytes() == target.tobytes()
    magnitude = sum(g**2 for g in anygrad.gradient(f))
    assert_same(magnitude, sum(g**2 for g in wanted))


def test_twice() -> None:
    f = table()
    (once,) = anygrad.gradient(f, dim=0)
    (wanted,) = anygrad.gradient(once, dim=0)
    (once,) = anygrad.gradient(lazy(f, (3, 4)), dim=0)
    (result,) = anygrad.gradient(once, dim=0)
    assert_same(result, wanted)


# Other processes.

FRESH = """\
import pickle, sys

sys.modules["distributed"] = None  # whoever imports it gets an error
results = pickle.loads(sys.stdin.buffer.read())
values = [result.compute(scheduler="synchronous") for result in results]
sys.stdout.buffer.write(pickle.dumps(values))
"""


def test_graphs_travel() -> None:
    """To a process that has not imported anygrad, by the pickles of Dask's workers."""
    import cloudpickle  # a requirement of Dask

    chunks = (1, 7, 2, 2)
    f = lazy(table(), (chunks, 4))
    results = [anygrad.gradient(f, spacing=entry)[0] for entry in spacings(chunks)]
    process = subprocess.run(
        [sys.executable, "-c", FRESH],
        input=cloudpickle.dumps(results),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr.decode()
    for result, values in zip(results, pickle.loads(process.stdout), strict=True):
        assert_same(result, values)


def test_tasks_travel_one_by_one(dask: Any) -> None:
    import cloudpickle

    chunks = (1, 7, 2, 2)
    f = lazy(table(), (chunks, 4))
    for spacing in spacings(chunks):
        (result, _) = anygrad.gradient(f, spacing=spacing)
        graph = {
            key: cloudpickle.loads(cloudpickle.dumps(task))
            for key, task in dict(result.__dask_graph__()).items()
        }
        keys = result.__dask_keys__()
        wanted = dask.get(result.__dask_graph__(), keys)
        for row, target in zip(dask.get(graph, keys), wanted, strict=True):
            for chunk, other in zip(row, target, strict=True):
                assert chunk.tobytes() == other.tobytes()


# Chunks of other libraries.


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


def test_the_plan_travels_once(dask: Any) -> None:
    """A wider formula makes no larger graph, and Dask sees no part of a plan."""
    import dask.array
    from dask._task_spec import convert_legacy_graph

    f, count = dask.array.zeros((800, 800), chunks=40), 400
    sizes, tasks = [], []
    for accuracy in (2, 8):
        (result,) = anygrad.gradient(f, dim=0, accuracy=accuracy)
        graph = dict(result.__dask_graph__())
        sizes.append(len(pickle.dumps(graph)))
        tasks.append(len(convert_legacy_graph(graph)))
    assert tasks[0] == tasks[1] == 3 * count
    assert sizes[1] < sizes[0] + 4 * count
    assert sizes[0] < 300 * count


def test_a_sum_is_one_task_per_chunk(dask: Any) -> None:
    """All terms are computed and added where the samples are."""
    import dask.array

    f, count = dask.array.zeros((60, 60, 60), chunks=10), 6**3
    whole = anygrad.laplacian(f)
    graph = dict(dask.optimize(whole)[0].__dask_graph__())
    # That of the samples, that of the result, and that of the strips.
    assert len(graph) == 3 * count
    (name,) = {key[0] for key in whole.__dask_keys__()[0][0]}
    assert len([key for key in graph if key[0] == name]) == count


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


def test_a_mixed_derivative_is_one_pass(dask: Any) -> None:
    """It reads strips that the others read, and no other result."""
    import dask.array

    f, count = dask.array.zeros((60, 60), chunks=10), 36
    (graph,) = [dict(dask.optimize(a)[0].dask) for a in [anygrad.hessian(f)]]
    # The samples, their strips, three derivatives, and the one that stands twice.
    assert len(graph) == count * (1 + 1 + 3 + 1)
    assert len(pickle.dumps(graph)) < 1000 * count


def test_all_of_a_field_reads_the_same_strips(dask: Any) -> None:
    """Components are cut out where they are read, in one chunk or in several."""
    import dask.array

    for sizes in ((2,), (1, 1)):
        field = dask.array.zeros((2, 60, 60), chunks=(sizes, 10, 10))
        keywords: Any = {"dim": (1, 2), "vector_dim": 0}
        fields, count = 36 * len(sizes), 36
        for function, results in (("curl", 1), ("divergence", 1), ("jacobian", 4)):
            whole = getattr(anygrad, function)(field, **keywords)
            graph = dict(dask.optimize(whole)[0].__dask_graph__())
            assert len(graph) == 2 * fields + results * count


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
