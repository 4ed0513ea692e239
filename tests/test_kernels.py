"""One kernel per call on CuPy arrays, whatever the arguments are.

The values are those of NumPy, to the last bit, and so those of the agnostic run.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

import anygrad
import launches
from launches import NAME, assert_same, layouts, numbers

record = launches.record

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
