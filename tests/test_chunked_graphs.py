"""Dask: what the graph looks like, and how it travels to other processes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

import anygrad
import chunked_tables
from chunked_tables import assert_same, coordinates, lazy, spacings, table

chunks = chunked_tables.chunks
in_this_thread = chunked_tables.in_this_thread


# The graph.


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
