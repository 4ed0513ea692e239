"""Variants of kernels: what a thread may read at once, how many rows it makes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

import anygrad
import launches
from anygrad._executors.printed import on_cuda, variants
from anygrad._executors.printed.variants import Variant
from anygrad._executors.recorded import tape
from anygrad._executors.recorded.nodes import Range
from anygrad._executors.recorded.tape import Recording
from launches import NAME, assert_same, layouts, numbers
from planning import plan_of

record = launches.record

LANES = {
    "C": 4,
    "Fortran": 1,
    "aligned rows": 4,
    "rows that begin anywhere": 1,
    "every other": 1,
    "reversed": 1,
}


def recording_of(name: str, f: Any, **keywords: Any) -> Recording:
    """Return the recording of a call."""
    import array_api_compat.cupy

    call = tape.Call(f, plan_of(name, f, **keywords), array_api_compat.cupy)
    return call.record(*call.form())


def traits_of(name: str, f: Any, **keywords: Any) -> variants.Traits:
    return variants.traits_of(recording_of(name, f, **keywords))


def place(array: Any) -> variants.Array:
    return variants.Array(array.data.ptr, array.shape, array.strides, array.itemsize)


def test_sixteen_bytes_at_once_where_memory_allows(cupy: Any) -> None:
    """A load of 16 bytes that does not begin at a multiple of 16 is a fault."""
    samples = cupy.ones((6, 16), "float32")
    traits = traits_of("derivative", samples, dim=1)
    for name, array in layouts(cupy, samples).items():
        variant = variants.variant_of(traits, [place(array)], [place(samples)])
        assert variant == Variant(LANES[name], is_wide=False), name
    # One that is read at the same place in all columns need not lie in any way.
    column = cupy.ones((6, 3), "float32")[:, 1:2]
    traits = traits_of("derivative", samples, dim=0, spacing=column)
    arrays = [place(samples), place(column)]
    assert variants.variant_of(traits, arrays, [place(samples)]) == Variant(4, False)


def test_many_positions_take_64_bits(cupy: Any) -> None:
    samples = cupy.ones((6, 16), "float32")
    far = place(samples)._replace(strides=(2**31, 4))
    traits = traits_of("derivative", samples, dim=1)
    assert variants.variant_of(traits, [far], [place(samples)]) == Variant(4, True)
    split = place(samples)._replace(strides=(65, 4))
    assert variants.variant_of(traits, [split], [place(samples)]) is None


def test_a_plane_of_a_large_array(cupy: Any) -> None:
    """It takes no more than 32 bits, whatever lies between planes."""
    from cupy.lib.stride_tricks import as_strided

    samples = numbers((6, 16), "float32")
    plane = cupy.asarray(samples)
    part = as_strided(plane, (1, *plane.shape), (2**34, *plane.strides))
    ours = anygrad.derivative(part, dim=2)[0]
    assert_same(ours, anygrad.derivative(samples, dim=1))


@pytest.mark.parametrize(
    ("word", "accuracy", "rows"),
    [("", 8, 4), ("spacing", 2, 4), ("spacing", 4, 2), ("spacing", 6, 1)],
)
def test_rows_of_much_work_are_made_one_by_one(
    cupy: Any, record: Any, word: str, accuracy: int, rows: int
) -> None:
    """A thread that made several at once would leave registers for few others."""
    samples = numbers((70, 24), "float32")
    points = numbers((70, 24), "uint8").cumsum(0).astype("float32")
    keywords: dict[str, Any] = {"dim": 0, "accuracy": accuracy}
    f, there = cupy.asarray(samples), dict(keywords)
    if word:
        keywords[word], there[word] = points, cupy.asarray(points)
    traits = traits_of("derivative", f, **there)
    variant = variants.variant_of(traits, [place(f)] * 2, [place(f)])
    assert variant == Variant(4, is_wide=False, rows=rows)
    with record() as recording:
        ours = anygrad.derivative(f, **there)
    assert recording.launches == [NAME]
    assert_same(ours, anygrad.derivative(samples, **keywords))


@pytest.mark.parametrize("shape", [(5, 7, 64), (300, 3), (1000,), (3, 2, 70, 7)])
@pytest.mark.parametrize("is_wide", [True, False])
def test_small_grids_go_round(
    cupy: Any, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], is_wide: bool
) -> None:
    """Where there are more rows than blocks, each does several."""
    monkeypatch.setattr(on_cuda, "THREADS", 4)
    monkeypatch.setattr(on_cuda, "MOST_BLOCKS", 2)
    monkeypatch.setattr(variants, "MOST_NARROW", 0 if is_wide else 2**20)
    monkeypatch.setattr(on_cuda, "_kernels", {})
    samples = numbers(shape, "float32")
    assert_same(anygrad.gradient(cupy.asarray(samples)), anygrad.gradient(samples))


@pytest.mark.parametrize("columns", [140, 72, 67, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_several_rows_at_once(cupy: Any, record: Any, columns: int, dtype: str) -> None:
    """With rows to spare or not, at either end, and in whatever layout."""
    numpy = pytest.importorskip("numpy")
    for rows in (64, 67, 70):
        samples = numbers((rows, columns), dtype)
        x = numpy.cumsum(numpy.arange(1.0, rows + 1)) % 4099
        calls: list[dict[str, Any]] = [
            {"dim": 0},
            {"dim": 0, "accuracy": 8},
            {"dim": 0, "spacing": x},
            {"dim": 1, "spacing": x[:columns] if columns <= rows else 0.3},
            {"dim": 0, "where": samples > 0},
        ]
        for keywords in calls:
            expected = anygrad.derivative(samples, **keywords)
            there = {
                name: cupy.asarray(v) if isinstance(v, numpy.ndarray) else v
                for name, v in keywords.items()
            }
            for array in layouts(cupy, cupy.asarray(samples)).values():
                with record() as recording:
                    ours = anygrad.derivative(array, **there)
                assert recording.launches == [NAME]
                assert_same(ours, expected)


def test_a_grid_covers_all_points() -> None:
    """The inner points of each row by some threads each, and its ends by a block."""
    lanes_of_rows = itertools.product((1, 2, 4), (1, 4), (0, 1, 5))
    for lanes, rows, edge in lanes_of_rows:
        variant = Variant(lanes, is_wide=False, rows=rows)
        for length in (1, 3, 4, 5, 127, 512, 513, 100_000):
            grid = on_cuda.grid_of((7, 300, length), variant, Range(edge, edge))
            blocks, threads, inner = grid
            each = threads[0] * variant.columns
            left = variant.left(Range(edge, edge))
            assert left >= edge
            assert inner == 0 or left + inner <= length - edge
            assert left % lanes == inner % lanes == 0
            assert (blocks[0] - (inner < length)) * each >= inner
            assert blocks[0] > (inner < length) or inner == 0
            assert blocks[1] * threads[1] * rows >= 300
            assert blocks[2] == 7
            assert math.prod(threads) <= on_cuda.THREADS
