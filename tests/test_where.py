"""What a bad `where` gets, word for word, and what a good one leaves alone."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _kept_plans
from backends import Backend
from masks import expected, mask


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
    kept = [task for known in _kept_plans.by_key.values() for task in known.plan.tasks]
    assert all(task.where is None for task in kept)


NO_ARRAY = "Convert it to an array of the library of `input` first."
COMPARED = (
    "Compare the samples, e.g. `input == input` where NaN marks what is missing; leave "
    "it out where all are valid."
)
BROADCAST = "`where` must be broadcastable to `input`, of shape (3, 4)."


@pytest.mark.parametrize(
    ("error", "value", "keywords", "message"),
    [
        (TypeError, True, {}, f"`where` must be a boolean array. Got True. {COMPARED}"),
        (
            TypeError,
            [True, False],
            {},
            f"`where` must be a boolean array. Got [True, False]. {NO_ARRAY}",
        ),
        (ValueError, (3,), {}, f"{BROADCAST} Got shape (3,)."),
        (ValueError, (2, 4), {}, f"{BROADCAST} Got shape (2, 4)."),
        (ValueError, (1, 3, 4), {}, f"{BROADCAST} Got shape (1, 3, 4)."),
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
    """NumPy's are constants of the call; others are not moved to the samples."""
    with pytest.raises(TypeError, match="`where` must be an array of the same lib"):
        anygrad.gradient(numpy.ones(3), where=torch.ones(3, dtype=torch.bool))
    valid = numpy.asarray([True, True, False])
    (result,) = anygrad.gradient(torch.tensor([1.0, 3.0, 9.0]), where=valid)
    assert result.tolist()[:2] == [2.0, 2.0]


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
