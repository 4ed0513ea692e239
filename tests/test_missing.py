"""Missing samples: the first formula that fits, and what is missing never matters."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygrad
import formulas
import oracle
from anygrad import _arguments, _stencils
from backends import JAX, Backend
from oracle import Nested

BOUNDARIES: list[Any] = [
    "one_sided",
    "periodic",
    "reflect",
    "symmetric",
    "edge",
    1.5,
    ("one_sided", "reflect"),
    (-2.0, "one_sided"),
    ("symmetric", "edge"),
]

GRIDS = ["step", "0-d", "coordinates", "descending", "per point"]

#: What may stand where no sample is valid.
GARBAGE = [math.nan, math.inf, -math.inf, 1e30]


def expected(
    f: list[Any], x: list[Any], valid: list[bool], *args: Any, uneven: bool
) -> list[Any]:
    """Return the exact derivative of a line, NaN where there is none."""
    slopes = formulas.of_valid(f, x, valid, *args, uneven=uneven)
    return [math.nan if s is None else oracle.gaussian(s) for s in slopes]


def filled(values: Nested, valid: Nested, garbage: Any) -> Nested:
    """Put garbage in the place of invalid samples."""
    if isinstance(values, list):
        pairs = zip(values, valid, strict=True)
        return [filled(v, ok, garbage) for v, ok in pairs]
    return values if valid else garbage


def mask(backend: Backend, valid: Nested, shape: Any = None) -> Any:
    return backend.asarray(valid, "bool", shape)


def spacing_of(backend: Backend, grid: str, n: int, rows: int) -> tuple[Any, list[Any]]:
    """Return an entry of `spacing`, and the coordinates of one line."""
    if grid == "step":
        return -0.5, [-0.5 * k for k in range(n)]
    if grid == "0-d":
        return backend.asarray(2.0, shape=()), [2 * k for k in range(n)]
    x = list(accumulate([2 + k * k % 5 for k in range(n)]))
    if grid == "descending":
        x.reverse()
    return backend.asarray([x] * rows if grid == "per point" else x), x


def check(backend: Backend, result: Any, f: Any, wanted: list[list[Any]]) -> None:
    """Hold a result to exact values, relative to the size of the terms in them."""
    scales = [[200] * len(wanted[0])] * len(wanted)
    backend.check((result,), [wanted], like=f, scales=[scales])


@contextmanager
def quietly(backend: Backend) -> Iterator[None]:
    """Let array-api-strict divide by zero; the others say nothing by themselves."""
    with warnings.catch_warnings():
        if backend.library == "array-api-strict":
            warnings.simplefilter("ignore", RuntimeWarning)
        yield


def with_period(boundary: Any, grid: str, x: list[Any]) -> Any:
    if boundary == "periodic" and grid not in ("step", "0-d"):
        return ("periodic", abs(x[-1] - x[0]) + 3.0)
    return boundary


# Values.


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
@pytest.mark.parametrize("grid", GRIDS)
def test_every_mask_of_a_line(backend: Backend, grid: str, boundary: Any) -> None:
    """All masks of the shortest lines at once, one in each row."""
    for edge_order, n in ((1, 2), (1, 4), (2, 3), (2, 5)):
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
    edge_order = data.draw(st.sampled_from([1, 2]), "edge_order")
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
@pytest.mark.parametrize("edge_order", [1, 2])
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
    backend.check((result,), [[math.nan, math.nan, 4, math.nan, math.nan]], like=f)


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
def test_large_arrays(library: Backend, grid: str) -> None:
    """Cut into blocks, across the axis, by who does so; also by several threads."""
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


# The arguments.


@pytest.mark.forms("all")
@pytest.mark.parametrize("edge_order", [1, 2])
def test_arguments_are_never_written_to(backend: Backend, edge_order: int) -> None:
    """In any form of array; read-only ones and views of any order are welcome."""
    draw = random.Random(edge_order)
    values = [[draw.randrange(-9, 10) for _ in range(6)] for _ in range(5)]
    valid = [[draw.random() < 0.7 for _ in range(6)] for _ in range(5)]
    x = [2.0 * k for k in range(6)]
    f, where, x = backend.asarray(values), mask(backend, valid), backend.asarray(x)
    before = [repr(backend.tolist(array)) for array in (f, where, x)]
    (result,) = anygrad.gradient(
        f, spacing=[x], dim=[1], edge_order=edge_order, where=where
    )
    wanted = [
        expected(r, [2 * k for k in range(6)], v, edge_order, uneven=True)
        for r, v in zip(values, valid, strict=True)
    ]
    backend.check((result,), [wanted], like=f)
    assert [repr(backend.tolist(array)) for array in (f, where, x)] == before


def test_plans_keep_no_masks(library: Backend) -> None:
    f = library.asarray([0.0, 1.0, 4.0, 9.0])
    for valid in ([True, True, True, False], [True, False, True, True]):
        got = anygrad.derivative(f, edge_order=1, where=mask(library, valid))
        wanted = expected([0, 1, 4, 9], range(4), valid, 1, uneven=False)
        assert oracle.difference(library.tolist(got), wanted, 1e-6) is None
    kept = [task for plan in _arguments._plans.values() for task in plan.tasks]
    assert all(task.where is None for task in kept)


NO_ARRAY = "Convert it to an array of the library of `input` first."
BROADCAST = "`where` must be broadcastable to `input`, of shape (3, 4)."
FIRST_ORDER = "`where` must be None but for `order=1` and `accuracy=2`."
TO_NAN = "Set invalid samples to NaN for these: derivatives that read one are NaN."


@pytest.mark.parametrize(
    ("error", "value", "keywords", "message"),
    [
        (TypeError, True, {}, f"`where` must be a boolean array. Got True. {NO_ARRAY}"),
        (
            TypeError,
            [True, False],
            {},
            f"`where` must be a boolean array. Got [True, False]. {NO_ARRAY}",
        ),
        (ValueError, (3,), {}, f"{BROADCAST} Got shape (3,)."),
        (ValueError, (2, 4), {}, f"{BROADCAST} Got shape (2, 4)."),
        (ValueError, (1, 3, 4), {}, f"{BROADCAST} Got shape (1, 3, 4)."),
        (
            ValueError,
            (4,),
            {"accuracy": 4},
            f"{FIRST_ORDER} Got `order=1` and `accuracy=4`. {TO_NAN}",
        ),
        (
            ValueError,
            (4,),
            {"order": 2},
            f"{FIRST_ORDER} Got `order=2` and `accuracy=2`. {TO_NAN}",
        ),
    ],
)
def test_refusals(
    library: Backend, error: type[Exception], value: Any, keywords: Any, message: str
) -> None:
    f = library.from_flat(range(12), library.real, (3, 4))
    where = value
    if isinstance(value, tuple):
        where = library.from_flat([1] * math.prod(value), "bool", value)
    with pytest.raises(error) as caught:
        anygrad.derivative(f, where=where, **keywords)
    assert str(caught.value) == message


def test_too_few_points(library: Backend) -> None:
    """One-sided formulas are tried whatever the boundary."""
    f = library.asarray([[1.0, 2.0]] * 3)
    where = mask(library, [True, True])
    with pytest.raises(
        ValueError, match=r"^`input` must have at least 3 points along "
    ):
        anygrad.derivative(f, where=where, boundary="periodic")
    anygrad.derivative(f, where=where, boundary="periodic", edge_order=1)


def test_masks_of_another_dtype(library: Backend) -> None:
    f = library.asarray([1.0, 2.0, 4.0])
    for dtype in (library.real, library.integer):
        where = library.asarray([1, 1, 0], dtype)
        with pytest.raises(TypeError) as caught:
            anygrad.gradient(f, where=where)
        assert str(caught.value) == (
            f"`where` must have a boolean dtype: True for a valid sample. Got "
            f"{where.dtype}. Compare first, e.g. `where != 0`."
        )


def test_masks_on_another_device(array_api_strict: Any) -> None:
    xp = array_api_strict
    f = xp.asarray([1.0, 2.0, 4.0])
    where = xp.asarray([True, True, False], device=xp.Device("device1"))
    with pytest.raises(
        ValueError, match=r"^`where` must be on the device of `input`\."
    ):
        anygrad.gradient(f, where=where)


@pytest.mark.peers
def test_masks_of_another_library(torch: Any, numpy: Any) -> None:
    for f, where in (
        (torch.ones(3), numpy.ones(3, dtype=bool)),
        (numpy.ones(3), torch.ones(3, dtype=torch.bool)),
    ):
        with pytest.raises(TypeError, match="`where` must be an array of the same lib"):
            anygrad.gradient(f, where=where)


def test_masked_arrays_are_no_masks(numpy: Any) -> None:
    where = numpy.ma.masked_array([True, True, False], mask=[False, True, True])
    with pytest.raises(TypeError, match="`where` must not be a masked array"):
        anygrad.gradient(numpy.ones(3), where=where)


def test_no_dims(backend: Backend) -> None:
    f = backend.asarray(1.0, shape=())
    assert anygrad.gradient(f, where=mask(backend, True, ())) == ()


def test_numpy_scalars_are_masks(numpy: Any) -> None:
    (result,) = anygrad.gradient(numpy.arange(3.0), where=numpy.True_)
    assert result.tolist() == [1, 1, 1]


# The formulas.


@pytest.mark.parametrize("side", _stencils.SIDES[1:])
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("boundary", ["one_sided", "periodic", "constant", "reflect"])
def test_schemes_to_one_side(side: str, edge_order: int, boundary: str) -> None:
    """Each fills the axis; where it would leave it, the central scheme's rows stand."""
    ends = (boundary, boundary, False)
    scheme = _stencils.scheme(1, 2, edge_order, *ends, side)
    assert scheme is _stencils.scheme(1, 2, edge_order, *ends, side)
    assert scheme.points == edge_order + 1
    assert scheme.wraps == (boundary == "periodic")
    n = 7
    filled = [k for s in scheme.stencils for k in range(n)[s.start : s.stop]]
    assert filled == list(range(n))
    inside = {"forward": range(edge_order + 1), "backward": range(-edge_order, 1)}
    if boundary != "one_sided":
        assert {s.offsets for s in scheme.stencils} == {tuple(inside[side])}
        return
    central = _stencils.scheme(1, 2, edge_order, *ends)
    for stencil in scheme.stencils:
        if stencil.offsets != tuple(inside[side]):
            like = stencil._replace(start=0, stop=0)
            others = [s._replace(start=0, stop=0) for s in central.stencils]
            assert like in others


# Laziness and derivatives.


def test_chunks_of_every_size(dask: Any) -> None:
    """At the seams, and around the seam of a periodic axis, as in one chunk."""
    import dask.array
    import numpy

    draw = numpy.random.default_rng(3)
    f, where = draw.normal(size=(3, 9)), draw.random((3, 9)) < 0.7
    x = numpy.cumsum(draw.integers(1, 5, 9)) * 1.0
    f[~where] = math.nan
    grids: list[Any] = [("step", 0.5, b) for b in BOUNDARIES]
    grids += [("x", [x], with_period(b, "coordinates", list(x))) for b in BOUNDARIES]
    with dask.config.set(scheduler="synchronous"):
        for size, edge_order in product(range(1, 10), (1, 2)):
            lazy = dask.array.from_array(f, chunks=(2, size))
            for _, spacing, ends in grids:
                keywords = {"dim": 1, "spacing": spacing, "edge_order": edge_order}
                keywords["boundary"] = [ends]
                (wanted,) = anygrad.gradient(f, where=where, **keywords)
                for valid in (where, dask.array.from_array(where, chunks=(3, 4))):
                    (result,) = anygrad.gradient(lazy, where=valid, **keywords)
                    assert result.chunks == lazy.chunks
                    assert result.dtype == wanted.dtype
                    assert result.compute().tobytes() == wanted.tobytes()


def test_chunks_of_nothing(dask: Any) -> None:
    """They are computed, too, from as few points as the formulas need."""
    import dask.array
    import numpy

    f, where = numpy.arange(6.0) ** 2, numpy.arange(6) != 2
    with dask.config.set(scheduler="synchronous"):
        for boundary in ("one_sided", "periodic", "reflect"):
            wanted = anygrad.derivative(f, where=where, boundary=boundary)
            for sizes in ((0, 1, 0, 4, 1, 0), (0, 0, 6), (1, 1, 0, 2, 2)):
                lazy = dask.array.from_array(f, chunks=(sizes,))
                result = anygrad.derivative(lazy, where=where, boundary=boundary)
                assert result.chunks == (sizes,)
                assert result.compute().tobytes() == wanted.tobytes()


def test_masks_of_lazy_arrays(dask: Any) -> None:
    """Small ones are NumPy's or Dask's; of unknown lengths, one lies as the other."""
    import dask.array
    import numpy

    f = numpy.arange(24.0).reshape(4, 6) ** 2
    lazy = dask.array.from_array(f, chunks=(3, 1))
    with dask.config.set(scheduler="synchronous"):
        for shape in ((), (6,), (4, 1), (1, 6)):
            where = numpy.random.default_rng(5).random(shape) < 0.7
            wanted = anygrad.gradient(f, where=numpy.asarray(where))
            for valid in (numpy.asarray(where), dask.array.asarray(where)):
                results = anygrad.gradient(lazy, where=valid)
                for result, target in zip(results, wanted, strict=True):
                    assert result.compute().tobytes() == target.tobytes()
        rows = dask.array.from_array(f, chunks=(2, 4))
        some = rows[rows[:, 0] > 0]
        for valid in (some[:, :1] > 40, some % 3 != 0):
            result = anygrad.derivative(some, dim=1, edge_order=1, where=valid)
            wanted = anygrad.derivative(
                f[1:], dim=1, edge_order=1, where=valid.compute()
            )
            assert result.compute().tobytes() == wanted.tobytes()


def test_masks_have_a_say_in_the_name(dask: Any) -> None:
    """Two calls that differ in the mask, or in nothing, are told apart by Dask."""
    import dask.array
    import numpy

    f = dask.array.ones(6, chunks=2)
    names = [anygrad.gradient(f, where=numpy.arange(6) != k)[0].name for k in (1, 1, 2)]
    assert names[0] == names[1] != names[2]


def penalty(f: Any, where: Any, x: Any) -> Any:
    """Return a sum over the derivatives that exist, for `where` of `HOLES`."""
    keywords = {"boundary": [("one_sided", "edge")], "edge_order": 2, "where": where}
    (slopes,) = anygrad.gradient(f, spacing=[x], **keywords)
    return slopes


HOLES = [True, True, True, False, False, True, True, True, True]


def test_jax(jax: Any) -> None:
    """Traced masks; and what is missing has no derivative, and makes none NaN."""
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        where = jnp.asarray(HOLES)
        f = jnp.where(where, jnp.arange(9.0) ** 2, jnp.nan)
        x = jnp.arange(9.0) ** 1.5
        for spacing in (0.5, x):
            wanted = penalty(f, where, spacing)
            compiled = jax.jit(penalty)(f, where, spacing)
            assert jnp.allclose(compiled, wanted, equal_nan=True, rtol=1e-12)
            many = jnp.stack([where, ~where, where | True])
            mapped = jax.vmap(penalty, (None, 0, None))(f, many, spacing)
            for row, valid in zip(mapped, many, strict=True):
                alone = penalty(f, valid, spacing)
                assert jnp.allclose(row, alone, equal_nan=True, rtol=1e-12)

            def total(f: Any, x: Any) -> Any:
                slopes = penalty(f, where, x)
                return jnp.where(jnp.isnan(slopes), 0.0, slopes**2).sum()

            in_f, in_x = jax.grad(total, (0, 1))(f, jnp.asarray(spacing))
            assert jnp.isfinite(in_f).all()
            assert jnp.isfinite(in_x).all()
            assert (in_f[3:5] == 0).all()
            step = 1e-6 * jnp.where(where, jnp.cos(jnp.arange(9.0)), 0.0)
            difference = total(f + step, spacing) - total(f - step, spacing)
            assert jnp.allclose(difference / 2, in_f @ step, rtol=1e-6)


def test_jax_masks_alone_are_traced(jax: Any) -> None:
    import jax.numpy as jnp

    f = jnp.arange(9.0) ** 2
    traced = jax.jit(lambda where: penalty(f, where, 1.0))(jnp.asarray(HOLES))
    wanted = penalty(f, jnp.asarray(HOLES), 1.0)
    assert jnp.allclose(traced, wanted, equal_nan=True)


def test_jax_sharded(jax: Any) -> None:
    """On a mesh whose axes are part of the types: the results lie as the samples."""
    import jax.numpy as jnp

    if not hasattr(jax, "typeof"):
        pytest.skip("a JAX that has no such meshes")
    sharding = jax.sharding
    kinds = (sharding.AxisType.Explicit,)
    mesh = jax.make_mesh((2,), ("a",), axis_types=kinds)
    f = (jnp.arange(48.0) ** 2 % 7).reshape(4, 12)
    where = f != 4
    wanted = anygrad.gradient(f, where=where)
    with jax.set_mesh(mesh):
        for spec in (("a", None), (None, "a")):
            placed = sharding.NamedSharding(mesh, sharding.PartitionSpec(*spec))
            spread = jax.device_put(f, placed)
            for valid in (jax.device_put(where, placed), where):
                results = anygrad.gradient(spread, where=valid)
                for result, target in zip(results, wanted, strict=True):
                    assert result.sharding == placed
                    assert jnp.allclose(
                        jnp.asarray(result.tolist()), target, equal_nan=True
                    )


def test_torch_autograd(torch: Any) -> None:
    where = torch.tensor(HOLES)
    f = torch.arange(9.0, dtype=torch.float64) ** 2
    f = torch.where(where, f, math.nan).requires_grad_()
    x = (torch.arange(9.0, dtype=torch.float64) ** 1.5).requires_grad_()

    def total(f: Any, x: Any) -> Any:
        return penalty(f, where, x).nan_to_num(0.0)

    for spacing in (0.5, x.detach(), x):
        f.grad = None
        total(f, spacing).square().sum().backward()
        assert f.grad.isfinite().all()
        assert (f.grad[3:5] == 0).all()
    assert x.grad.isfinite().all()
    clean = torch.where(where, f, 0.0).detach().requires_grad_()
    assert torch.autograd.gradcheck(total, (clean, x))
    assert torch.autograd.gradgradcheck(total, (clean, x))
    # Autograd and func agree.
    (wanted,) = torch.autograd.grad(total(clean, x).square().sum(), clean)
    got = torch.func.grad(lambda f: total(f, x).square().sum())(clean)
    assert got.allclose(wanted)


def test_torch_vmap(torch: Any) -> None:
    where = torch.tensor(HOLES)
    many = torch.stack([where, ~where, where | True])
    f, x = torch.arange(9.0) ** 2, torch.arange(9.0) ** 1.5
    for spacing in (0.5, x):
        mapped = torch.vmap(lambda valid, h=spacing: penalty(f, valid, h))(many)
        for row, valid in zip(mapped, many, strict=True):
            assert row.allclose(penalty(f, valid, spacing), equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
@pytest.mark.parametrize("dynamic", [False, True])
def test_torch_compile(torch: Any, dynamic: bool) -> None:
    """One graph without a break."""
    torch._dynamo.reset()
    compiled = torch.compile(penalty, backend="eager", fullgraph=True, dynamic=dynamic)
    for n in (9, 7):
        where = torch.tensor(HOLES[:n])
        f, x = torch.arange(1.0 * n) ** 2, torch.arange(1.0 * n) ** 1.5
        for spacing in (0.5, x):
            wanted = penalty(f, where, spacing)
            assert compiled(f, where, spacing).allclose(wanted, equal_nan=True)


def test_torch_traces(torch: Any) -> None:
    """Programs of plain operations, for masks and shapes other than those traced."""
    from torch.fx.experimental.proxy_tensor import make_fx

    def call(f: Any, where: Any) -> Any:
        return anygrad.gradient(f, dim=1, where=where)[0]

    f, where = torch.arange(18.0).reshape(2, 9) ** 2, torch.tensor(HOLES)
    valid = torch.stack([where, ~where])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the first one
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # a look at a shape
        programs = torch.jit.trace(call, (f, valid)), make_fx(call)(f, valid)
    for program in programs:
        assert program(f, ~valid).allclose(call(f, ~valid), equal_nan=True)
    tall = torch.cat([f, f]), torch.cat([valid, ~valid])
    assert programs[0](*tall).allclose(call(*tall), equal_nan=True)


def test_torch_meta(torch: Any) -> None:
    """No value is looked at."""
    f = torch.ones(3, 4, device="meta")
    where = torch.ones(4, dtype=torch.bool, device="meta")
    results = anygrad.gradient(f, where=where)
    assert [(v.shape, v.dtype, v.device.type) for v in results] == [
        ((3, 4), torch.float32, "meta")
    ] * 2
