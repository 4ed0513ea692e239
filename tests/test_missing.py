"""Missing samples: the first formula that fits, and what is missing never matters."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygrad
import oracle
from anygrad._executors import in_numpy
from backends import Backend
from masks import (
    BOUNDARIES,
    GARBAGE,
    GRIDS,
    check,
    expected,
    filled,
    mask,
    quietly,
    spacing_of,
    with_period,
)


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
@pytest.mark.parametrize("grid", GRIDS)
def test_every_mask_of_a_line(backend: Backend, grid: str, boundary: Any) -> None:
    """All masks of the shortest lines at once, one in each row."""
    for edge_order, n in ((1, 2), (1, 4), (2, 3), (2, 5), (3, 4), (4, 6)):
        masks = [list(row) for row in product([False, True], repeat=n)]
        draw = random.Random(repr((n, boundary)))
        values = [[draw.randrange(-9, 10) for _ in range(n)] for _ in masks]
        spacing, x = spacing_of(backend, grid, n, len(masks))
        ends = with_period(boundary, grid, x)
        uneven = grid not in ("step", "0-d")
        wanted = [
            expected(f, x, valid, edge_order, ends, uneven=uneven)
            for f, valid in zip(values, masks, strict=True)
        ]
        f = backend.asarray(filled(values, masks, draw.choice(GARBAGE)))
        result = anygrad.derivative(
            f,
            dim=1,
            spacing=spacing,
            edge_order=edge_order,
            boundary=ends,
            where=mask(backend, masks),
        )
        check(backend, result, f, wanted)


@pytest.mark.forms("numpy", "torch", "strict", "jax", "dask-uneven", "toy", "cupy")
@given(data=st.data())
def test_the_mask_replaces_nan_and_nothing_else(
    backend: Backend, data: st.DataObject
) -> None:
    """Where samples with NaN for holes have a derivative, it is the same."""
    edge_order = data.draw(st.sampled_from([1, 2, 4]), "edge_order")
    n = data.draw(st.integers(edge_order + 1, 9), "n")
    line = st.lists(st.integers(-99, 99), min_size=n, max_size=n)
    values = data.draw(st.lists(line, min_size=2, max_size=2), "f")
    bools = st.lists(st.booleans(), min_size=n, max_size=n)
    valid = data.draw(st.lists(bools, min_size=2, max_size=2), "where")
    grid = data.draw(st.sampled_from(GRIDS), "grid")
    spacing, x = spacing_of(backend, grid, n, 2)
    boundary = data.draw(st.sampled_from(BOUNDARIES), "boundary")
    ends = with_period(boundary, grid, x)
    uneven = grid not in ("step", "0-d")
    keywords = {"dim": 1, "spacing": [spacing], "edge_order": edge_order}
    keywords["boundary"] = [ends]
    f, holes = (backend.asarray(filled(values, valid, v)) for v in (7, math.nan))
    (result,) = anygrad.gradient(f, where=mask(backend, valid), **keywords)
    (plain,) = anygrad.gradient(holes, **keywords)
    wanted = [
        expected(values[k], x, valid[k], edge_order, ends, uneven=uneven)
        for k in range(2)
    ]
    check(backend, result, f, wanted)
    is_exact = not uneven and backend.library != "jax"
    limit = 0 if is_exact else 8 * float(backend.epsilon(backend.real))
    got, without = (list(oracle.flat(backend.tolist(v))) for v in (result, plain))
    largest = max((abs(v) for v in without if not math.isnan(v)), default=0.0)
    for one, other in zip(got, without, strict=True):
        assert math.isnan(other) or abs(one - other) <= limit * largest


def test_a_mask_of_all_changes_nothing(backend: Backend) -> None:
    """In any dim, stacked or not, whatever its shape."""
    f = backend.asarray([[k * k % 7 for k in range(i, i + 5)] for i in range(4)])
    wanted = anygrad.gradient(f, spacing=[0.5, 2.0], edge_order=2)
    for shape in ((), (1,), (5,), (1, 1), (4, 1), (1, 5), (4, 5)):
        where = backend.from_flat([1] * math.prod(shape), "bool", shape)
        keywords = {"spacing": [0.5, 2.0], "edge_order": 2, "where": where}
        results = anygrad.gradient(f, **keywords)
        backend.check(results, [backend.tolist(v) for v in wanted], like=f)
        whole = anygrad.gradient(f, stack_dim=0, **keywords)
        assert backend.tolist(whole) == [backend.tolist(v) for v in results]
        assert backend.kind(whole) == backend.kind(f)


def test_a_mask_of_nothing(backend: Backend) -> None:
    f = backend.asarray([[1.0, 2.0, 4.0]] * 3)
    for shape in ((), (3,), (3, 3)):
        where = backend.from_flat([0] * math.prod(shape), "bool", shape)
        results = anygrad.gradient(f, where=where)
        backend.check(results, [[[math.nan] * 3] * 3] * 2, like=f)


@pytest.mark.parametrize("shape", [(6,), (1, 6), (5, 1), (5, 6)])
@pytest.mark.parametrize("edge_order", [1, 2, 3])
def test_masks_broadcast(backend: Backend, shape: Any, edge_order: int) -> None:
    """Against the mask written out in full."""
    draw = random.Random(repr(shape))
    values = [[draw.randrange(-9, 10) for _ in range(6)] for _ in range(5)]
    flat = [draw.random() < 0.7 for _ in range(math.prod(shape))]
    full = [
        [
            flat[(i if shape[0] == 5 else 0) * shape[-1] + j % shape[-1]]
            for j in range(6)
        ]
        for i in range(5)
    ]
    f = backend.asarray(filled(values, full, math.nan))
    where = backend.from_flat(flat, "bool", shape)
    results = anygrad.gradient(f, where=where, edge_order=edge_order)
    columns = [
        expected(list(c), range(5), list(v), edge_order, uneven=False)
        for c, v in zip(zip(*values, strict=True), zip(*full, strict=True), strict=True)
    ]
    along_0 = [list(row) for row in zip(*columns, strict=True)]
    along_1 = [
        expected(r, range(6), v, edge_order, uneven=False)
        for r, v in zip(values, full, strict=True)
    ]
    backend.check(results, [along_0, along_1], like=f)


def test_a_hole_of_one_point(backend: Backend) -> None:
    """It has a central value on a step, and none on coordinates, which name it."""
    f = backend.asarray([0.0, 1.0, math.nan, 9.0, 16.0])
    valid = [True, True, False, True, True]
    where = mask(backend, valid)
    (result,) = anygrad.gradient(f, where=where)
    backend.check((result,), [[1, 1, 4, 7, 7]], like=f)
    x = backend.asarray([0.0, 1.0, 2.0, 3.0, 4.0])
    (result,) = anygrad.gradient(f, spacing=[x], where=where)
    backend.check((result,), [[1, 1, math.nan, 7, 7]], like=f)
    (result,) = anygrad.gradient(f, where=where, edge_order=2)
    backend.check((result,), [[1, 1, 4, 7, 7]], like=f)


def test_a_valid_nan_stays(backend: Backend) -> None:
    """A formula is chosen by the mask, never by the values."""
    f = backend.asarray([1.0, 2.0, math.nan, 5.0, 7.0, math.inf, math.inf])
    where = mask(backend, [True, True, True, True, False, True, True])
    with quietly(backend):
        (result,) = anygrad.gradient(f, where=where)
    nan, inf = math.nan, math.inf
    backend.check((result,), [[1, nan, 1.5, nan, inf, nan, nan]], like=f)


@pytest.mark.parametrize("grid", ["step", "coordinates"])
def test_every_dtype(backend: Backend, dtype: str, grid: str) -> None:
    """Integers give floats, so that there is a NaN; complex ones have it, too."""
    values, valid = [9, 1, 4, 100, 7, 3], [True, True, True, False, True, False]
    f = backend.asarray(values, dtype)
    single = "float16" in dtype
    x = backend.asarray(list(range(6)), dtype if single else "float32")
    spacing: Any = 1.0 if grid == "step" else [x]
    where = mask(backend, valid)
    (result,) = anygrad.gradient(f, spacing=spacing, where=where)
    (plain,) = anygrad.gradient(f, spacing=spacing)
    assert backend.dtype_name(result) == backend.dtype_name(plain)
    got = backend.tolist(result)
    assert got[:3] == [-8.0, -2.5, 3.0]
    assert [math.isnan(v.real) for v in got[3:]] == [grid != "step", True, True]
    assert grid != "step" or got[3] == 1.5


def test_wide_integers_next_to_a_hole(backend: Backend) -> None:
    """They are subtracted before they are rounded, as ever."""
    big = 2**62 if backend.integer == "int64" else 2**30
    f = backend.asarray([big, big + 1, -big, big + 4, big + 7], backend.integer)
    where = mask(backend, [True, True, False, True, True])
    (result,) = anygrad.gradient(f, where=where)
    backend.check((result,), [[1, 1, 1.5, 3, 3]], like=f, dtype=backend.default)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_coordinates_of_invalid_samples(backend: Backend, garbage: float) -> None:
    """Where nothing lies beyond the ends, they do not matter to the values."""
    values = [[0.0, 1, 4, 9, 16, 25, 36, 49]] * 2
    valid = [[False, True, True, True, False, False, True, True]] * 2
    x = filled([[0.0, 1, 2, 3, 4, 5, 6, 7]] * 2, valid, garbage)
    f, x = backend.asarray(filled(values, valid, garbage)), backend.asarray(x)
    where = mask(backend, valid)
    with quietly(backend):
        (result,) = anygrad.gradient(f, spacing=[x], dim=1, where=where)
    nan = math.nan
    backend.check((result,), [[[nan, 3, 4, 5, nan, nan, 13, 13]] * 2], like=f)


@pytest.mark.parametrize("grid", ["step", "coordinates", "per point"])
def test_large_arrays(
    library: Backend, grid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut into blocks, across the axis, by who does so; also by several threads."""
    monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
    n, wide, draw = 40, 6000, random.Random(9)
    values = [draw.randrange(-9, 10) for _ in range(n)]
    valid = [draw.random() < 0.8 for _ in range(n)]
    spacing, x = spacing_of(library, grid, n, wide)
    wanted = expected(values, x, valid, 2, uneven=grid != "step")
    rows = library.from_flat(values * wide, library.real, (wide, n))
    full = library.from_flat(valid * wide, "bool", (wide, n))
    limit, scales = 8 * library.epsilon(library.real), [200] * n
    for where, workers in ((full, 1), (full[:1, :], 2)):
        with anygrad.set_workers(workers):
            result = anygrad.derivative(rows, spacing=spacing, where=where)
        lines = library.tolist(result)
        assert len(lines) == wide
        for line in {repr(line): line for line in lines}.values():
            assert oracle.difference(line, wanted, limit, scales) is None
    if grid == "per point":
        return
    columns = library.from_flat(
        [v for v in values for _ in range(wide)], "int32", (n, wide)
    )
    (result,) = anygrad.gradient(
        columns,
        dim=0,
        spacing=[spacing],
        edge_order=2,
        where=mask(library, [[v] for v in valid]),
    )
    for k in (0, wide - 1):
        limit = 8 * library.epsilon(library.default)
        line = library.tolist(result[:, k])
        assert oracle.difference(line, wanted, limit, [200] * n) is None


def test_no_points_across(library: Backend) -> None:
    f = library.asarray([], shape=(3, 0))
    where = library.from_flat([1] * 3, "bool", (3, 1))
    (result,) = anygrad.gradient(f, dim=0, where=where)
    assert tuple(result.shape) == (3, 0)
