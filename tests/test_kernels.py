"""One kernel per call on CuPy arrays: which, how many, and what they may read at once.

The values are those of NumPy, to the last bit, and so those of the agnostic run.
"""

from __future__ import annotations

import itertools
import math
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import hypothesis
import hypothesis.strategies as st
import pytest

import anygrad
import cupy_on_cpu
from anygrad._executors.printed import cuda, on_cuda, variants
from anygrad._executors.printed.variants import Variant
from anygrad._executors.recorded import tape
from anygrad._executors.recorded.nodes import Range
from anygrad._executors.recorded.tape import Recording
from planning import plan_of

NAME = "anygrad_kernel"

#: Calls of every kind: the function, the shape and the keywords.  What stands for
#: coordinates is the axis along which they lie.
CALLS: tuple[tuple[str, tuple[int, ...], dict[str, Any]], ...] = (
    ("gradient", (8, 16), {"spacing": 0.3}),
    ("gradient", (9,), {"edge_order": 2}),
    ("gradient", (5, 6, 8), {}),
    ("gradient", (2, 3, 4, 8), {"dim": (0, 3)}),
    ("gradient", (8, 16), {"stack_dim": -1}),
    ("derivative", (12, 16), {"dim": 1, "accuracy": 8}),
    ("derivative", (12, 16), {"dim": 0, "accuracy": 8}),
    ("derivative", (9, 8), {"order": 3, "accuracy": 4, "dim": 0}),
    ("derivative", (8, 16), {"dim": 1, "boundary": "periodic", "accuracy": 4}),
    ("derivative", (8, 16), {"dim": 0, "boundary": "reflect", "order": 2}),
    ("derivative", (8, 16), {"dim": 1, "boundary": 2.5, "order": 2}),
    ("laplacian", (5, 6, 8), {"spacing": 0.1}),
    ("laplacian", (10, 12), {"accuracy": 8}),
    ("divergence", (3, 4, 5, 8), {"vector_dim": 0}),
    ("divergence", (4, 5, 8, 3), {"vector_dim": -1}),
    ("curl", (3, 4, 5, 8), {"vector_dim": 0}),
    ("jacobian", (2, 4, 8), {"vector_dim": 0}),
    ("hessian", (6, 8), {}),
)


#: On a card, nothing is counted, and the values are what is tested.
UNCOUNTED = SimpleNamespace(
    launches=ANY, synchronisations=ANY, device_to_host=ANY, compilations=ANY
)


@pytest.fixture
def record(cupy: Any) -> Any:
    """Return the recorder of the emulated driver; on a card, one that likes all."""
    if cupy_on_cpu.installed():
        return cupy_on_cpu.record
    return lambda: nullcontext(UNCOUNTED)


@pytest.fixture
def count(cupy: Any) -> Any:
    """Return the recorder, where what it has recorded is more than compared."""
    if not cupy_on_cpu.installed():
        pytest.skip("what is asked of a real driver is not counted")
    return cupy_on_cpu.record


def numbers(shape: tuple[int, ...], dtype: str) -> Any:
    """Return samples that are not even, NaN and infinity among them."""
    numpy = pytest.importorskip("numpy")
    samples = numpy.random.default_rng(math.prod(shape)).normal(size=shape) * 50
    if numpy.dtype(dtype).kind == "f":
        samples.flat[[0, 3, -2]] = numpy.nan, numpy.inf, -0.0
    return abs(samples).astype(dtype) if dtype == "uint8" else samples.astype(dtype)


def assert_same(ours: Any, expected: Any) -> None:
    """Bits, but for those that NaN may have."""
    numpy = pytest.importorskip("numpy")
    ours = ours if isinstance(ours, tuple) else (ours,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for one, other in zip(ours, expected, strict=True):
        assert one.dtype == other.dtype
        numpy.testing.assert_array_equal(one.get(), other)
        signs = [numpy.signbit(a) & ~numpy.isnan(a) for a in (one.get(), other)]
        numpy.testing.assert_array_equal(*signs)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "float16"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_call_is_one_launch(cupy: Any, record: Any, call: Any, dtype: str) -> None:
    name, shape, keywords = call
    samples = numbers(shape, dtype)
    expected = getattr(anygrad, name)(samples, **keywords)
    function = getattr(anygrad, name)
    function(cupy.asarray(samples), **keywords)
    with record() as recording:
        ours = function(cupy.asarray(samples), **keywords)
    if (dtype, keywords.get("accuracy"), name) != ("int64", 8, "laplacian"):
        assert recording.launches == [NAME]  # else one per term: the text is long
    assert recording.synchronisations == recording.device_to_host == 0
    assert_same(ours, expected)


@pytest.mark.parametrize("function", ["gradient", "divergence", "curl"])
def test_factors_are_in_the_launch(cupy: Any, record: Any, function: str) -> None:
    """Products and quotients, too; what is done to samples needs nothing between."""
    numpy = pytest.importorskip("numpy")
    rng = numpy.random.default_rng(1)
    shape = (12, 16) if function == "gradient" else (2, 12, 16)
    f, along, both = (
        rng.random(shape),
        rng.random((12, 1)) + 1,
        rng.random((12, 16)) + 1,
    )
    keywords = {} if function == "gradient" else {"vector_dim": 0}
    call = partial(getattr(anygrad, function), spacing=[0.1, 0.2], **keywords)
    expected = call(f, scale_factors=[along, both])
    there = [cupy.asarray(along), cupy.asarray(both)]
    with record() as recording:
        ours = call(cupy.asarray(f), scale_factors=there)
    assert recording.launches == [NAME]
    assert recording.synchronisations == recording.device_to_host == 0
    assert_same(ours, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_coordinates_and_masks(
    cupy: Any, record: Any, dtype: str, edge_order: int
) -> None:
    numpy = pytest.importorskip("numpy")
    samples = numbers((8, 12), dtype)
    rng = numpy.random.default_rng(3)
    x = [numpy.cumsum(rng.random(n) + 0.1).astype(dtype) for n in (8, 12)]
    mask = rng.random((8, 12)) > 0.3
    for spacing in (x, [x[0], 0.3], [numpy.add.outer(*x), 1.0]):
        for where in (None, mask, mask[:, :1]):
            keywords = {"edge_order": edge_order}
            expected = anygrad.gradient(
                samples, spacing=spacing, where=where, **keywords
            )
            keywords["where"] = None if where is None else cupy.asarray(where)
            entries = [
                cupy.asarray(s) if isinstance(s, numpy.ndarray) else s for s in spacing
            ]
            with record() as recording:
                ours = anygrad.gradient(
                    cupy.asarray(samples), spacing=entries, **keywords
                )
            assert recording.launches == [NAME]
            assert_same(ours, expected)


def layouts(cupy: Any, samples: Any) -> dict[str, Any]:
    """Return arrays of the same values that lie in memory in several ways."""
    rows, columns = samples.shape
    wide = cupy.zeros((rows, columns + 8), samples.dtype)
    wide[:, 4:-4] = samples
    odd = cupy.zeros((rows, columns + 7), samples.dtype)
    odd[:, 3:-4] = samples
    every_other = cupy.zeros((rows, 2 * columns), samples.dtype)
    every_other[:, ::2] = samples
    return {
        "C": cupy.ascontiguousarray(samples),
        "Fortran": cupy.ascontiguousarray(samples.T).T,
        "aligned rows": wide[:, 4:-4],
        "rows that begin anywhere": odd[:, 3:-4],
        "every other": every_other[:, ::2],
        "reversed": cupy.ascontiguousarray(samples[::-1, ::-1])[::-1, ::-1],
    }


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("columns", [16, 15])
def test_layouts_are_no_copies(
    cupy: Any, record: Any, dtype: str, columns: int
) -> None:
    samples = numbers((6, columns), dtype)
    expected = anygrad.gradient(samples, spacing=0.7, stack_dim=0)
    for name, array in layouts(cupy, cupy.asarray(samples)).items():
        with record() as recording:
            ours = anygrad.gradient(array, spacing=0.7, stack_dim=0)
        assert recording.launches == [NAME], name
        assert_same(ours, expected)


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


@pytest.mark.parametrize(
    ("word", "accuracy", "rows"),
    [("", 8, 4), ("spacing", 2, 4), ("spacing", 6, 2), ("spacing", 8, 1)],
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


@pytest.mark.parametrize("what", ["too long", "no compiler"])
def test_without_a_kernel(
    cupy: Any, count: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The call is right all the same; only what is broken warns, and once."""
    monkeypatch.setattr(on_cuda, "_kernels", {})
    if what == "too long":
        monkeypatch.setattr(cuda, "MOST_LINES", 1)
        monkeypatch.setattr(cuda, "MOST_LINES_ALONE", 1)
    else:
        monkeypatch.setattr(cuda, "text_of", lambda *_: "this is no C++")
    samples = numbers((7, 8), "float64")
    expected = anygrad.laplacian(samples)
    if what == "no compiler":
        with pytest.warns(RuntimeWarning, match="^CUDA cannot compile this call"):
            anygrad.laplacian(cupy.asarray(samples))
    with count() as recording:
        ours = anygrad.laplacian(cupy.asarray(samples))
    assert NAME not in recording.launches
    assert_same(ours, expected)


@pytest.mark.parametrize(
    ("name", "shape", "most"),
    [
        ("hessian", (12, 14), 700),
        ("hessian", (12, 14), 200),
        ("laplacian", (12, 14), 200),
        ("curl", (3, 6, 7, 8), 200),
        ("jacobian", (2, 6, 7), 100),
    ],
)
def test_long_texts_become_several_kernels(
    cupy: Any,
    count: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shape: tuple[int, ...],
    most: int,
) -> None:
    """One per result, one per term of a sum, two for a mixed derivative."""
    monkeypatch.setattr(on_cuda, "_kernels", {})
    monkeypatch.setattr(cuda, "MOST_LINES", most)
    function, samples = getattr(anygrad, name), numbers(shape, "float64")
    accuracy = 4 if len(shape) == 2 else 2
    expected = function(samples, accuracy=accuracy)
    with count() as recording:
        ours = function(cupy.asarray(samples), accuracy=accuracy)
    assert 2 <= recording.launches.count(NAME) <= 6
    assert_same(ours, expected)


def test_long_sums_of_real_and_complex_terms(
    cupy: Any, count: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each term of integers has memory of its own dtype, and so of its own size."""
    numpy = pytest.importorskip("numpy")
    monkeypatch.setattr(on_cuda, "_kernels", {})
    monkeypatch.setattr(cuda, "MOST_LINES", 40)
    samples = numpy.arange(3 * 6 * 7 * 8).reshape(3, 6, 7, 8) ** 2 % 99
    x, y, z = [numpy.arange(n) ** 2 for n in samples.shape[1:]]
    for spacing in ([x, y, z * 1j], [x * 1j, y, z]):
        expected = anygrad.divergence(samples, spacing=spacing)
        there = [cupy.asarray(array) for array in spacing]
        with count() as recording:
            ours = anygrad.divergence(cupy.asarray(samples), spacing=there)
        assert recording.launches.count(NAME) == 3
        error = numpy.abs(cupy.asnumpy(ours) - expected).max()
        assert error <= 1e-13 * numpy.abs(expected).max()


@pytest.mark.parametrize(
    ("name", "keywords", "kernels"),
    [
        ("derivative", {"accuracy": 8}, 1),
        ("derivative", {"accuracy": 8, "order": 2, "dim": 0}, 1),
        ("derivative", {"accuracy": 6, "where": True}, 1),
        ("laplacian", {"accuracy": 8}, 2),
    ],
    ids=str,
)
def test_long_texts_that_cannot_be_cut(
    cupy: Any, count: Any, name: str, keywords: dict[str, Any], kernels: int
) -> None:
    """They are compiled all the same: by operations, there are thousands of kernels."""
    numpy = pytest.importorskip("numpy")
    samples, x = numbers((24, 24), "float64"), numpy.arange(24.0) ** 1.5
    spacing: Any = [x, x] if name == "laplacian" else x
    if "where" in keywords:
        keywords, spacing = {**keywords, "where": numpy.arange(24) % 9 != 5}, 0.3
    function = partial(getattr(anygrad, name), spacing=spacing)
    expected = function(samples, **keywords)
    if "where" in keywords:
        keywords = {**keywords, "where": cupy.asarray(keywords["where"])}
    with count() as recording:
        ours = function(cupy.asarray(samples), **keywords)
    assert recording.launches.count(NAME) == kernels
    assert_same(ours, expected)


def test_another_step_or_shape_compiles_nothing(cupy: Any, record: Any) -> None:
    """By all of these steps is divided; a reciprocal would make another form."""
    one, other = cupy.ones((5, 8)), cupy.ones((9, 12))
    anygrad.laplacian(one, spacing=0.3, boundary=1.5)
    with record() as recording:
        anygrad.laplacian(other, spacing=(0.6, 2.4), boundary=-2.5)
    assert recording.compilations == 0
    assert recording.launches == [NAME]


def test_halves_of_doubles_are_rounded_once(cupy: Any) -> None:
    """To single precision and on, the first one would become 2."""
    numpy = pytest.importorskip("numpy")
    samples = numpy.asarray([[0.0, 1 + 2.0**-11 + 2.0**-40, 0.0, 0.0]] * 2)
    keywords = {"dim": 1, "dtype": "float16"}
    ours = anygrad.derivative(cupy.asarray(samples), **keywords)
    assert_same(ours, anygrad.derivative(samples, **keywords))
    assert ours[0, 0].get() == 2 + 2.0**-9


@hypothesis.given(st.data())
def test_any_sizes(cupy: Any, data: st.DataObject) -> None:
    """Of whatever divides into threads or not, along any dim."""
    shape = tuple(data.draw(st.lists(st.integers(2, 40), min_size=1, max_size=3)))
    samples = numbers((64,), "float32")
    samples = samples[[k * 7 % 64 for k in range(math.prod(shape))]].reshape(shape)
    step = data.draw(st.floats(-8, 8).filter(lambda h: abs(h) > 0.01))
    ours = anygrad.gradient(cupy.asarray(samples), spacing=step)
    assert_same(ours, anygrad.gradient(samples, spacing=step))
