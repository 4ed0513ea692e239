"""Remedies for arrays whose lengths or values Dask does not know, to the letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import anygrad
from remedies import LINE, SLOPES, refusal


@pytest.mark.parametrize("what", ["input", "step", "steps", "value"])
def test_delayed_values(dask: Any, numpy: Any, what: str) -> None:
    """They have every attribute, and tell none of them yet."""
    import dask.array
    from dask import delayed

    value, f = delayed(2.0), numpy.asarray(LINE)
    name, call = {
        "input": ("input", anygrad.derivative),
        "step": ("spacing", lambda v: anygrad.derivative(f, spacing=v)),
        "steps": ("spacing[0]", lambda v: anygrad.gradient(f, spacing=[v])),
        "value": ("boundary", lambda v: anygrad.derivative(f, boundary=v)),
    }[what]
    message = refusal(lambda: call(value), name)
    assert "`dask.array.from_delayed(value, shape, dtype)`" in message
    step = dask.array.from_delayed(value, (), float)
    halves = anygrad.derivative(dask.array.asarray(f), spacing=step, edge_order=1)
    assert halves.compute().tolist() == [slope / 2 for slope in SLOPES]


def unknown(numpy: Any) -> tuple[Any, Any]:
    """Return samples of which Dask does not know the number of rows, and the same."""
    import dask.array

    values = (numpy.arange(7)[:, None] + 1.0) * numpy.arange(6.0) ** 2
    f = dask.array.from_array(values, chunks=(3, 4))
    return f[f[:, 1] > 2.5], values[2:]


@pytest.mark.parametrize("door", ["gradient", "stencil"])
def test_lengths_that_dask_does_not_know(dask: Any, door: str) -> None:
    import numpy

    f, known = unknown(numpy)
    if door == "gradient":
        message = refusal(lambda: anygrad.gradient(f, dim=0), "input")
        call = lambda f: anygrad.gradient(f, dim=0)[0]  # noqa: E731
    else:
        message = refusal(lambda: anygrad.stencil(f.T), "offsets")
        call = lambda f: anygrad.stencil(f.T)  # noqa: E731
        f, known = f[:, 1:2], known[:, 1:2]
    assert "`compute_chunk_sizes()`" in message
    f.compute_chunk_sizes()
    assert call(f).compute().tolist() == call(known).tolist()


#: What lies beside samples of shape (5, 6), by the name that a message has for it.
BESIDE: dict[str, Callable[[Any], dict[str, Any]]] = {
    "spacing[0]": lambda rows: {"spacing": [rows[:, 0], 1.0]},
    "spacing[1]": lambda rows: {"spacing": [1.0, rows]},
    "where": lambda rows: {"where": rows > 20},
    "boundary": lambda rows: {"boundary": ["edge", (rows[:, 1:2], "edge")]},
    "scale_factors[1]": lambda rows: {"scale_factors": [1.0, rows[:, 1:2]]},
}


@pytest.mark.parametrize("name", BESIDE)
def test_lengths_of_other_arrays_that_dask_does_not_know(dask: Any, name: str) -> None:
    import dask.array
    import numpy

    rows, values = unknown(numpy)
    rows, values = rows + numpy.arange(6), values + numpy.arange(6)
    f = dask.array.from_array(values**2, chunks=3)
    message = refusal(lambda: anygrad.gradient(f, **BESIDE[name](rows)), name)
    assert message.endswith("e.g. with `compute_chunk_sizes()`.")
    results = anygrad.gradient(f, **BESIDE[name](rows.compute_chunk_sizes()))
    for result, wanted in zip(
        results, anygrad.gradient(values**2, **BESIDE[name](values)), strict=True
    ):
        assert numpy.array_equal(result.compute(), wanted, equal_nan=True)


def test_second_derivatives_along_a_dim_that_is_known(dask: Any) -> None:
    """The others need not be: rows that were chosen by their values."""
    import numpy

    f, known = unknown(numpy)
    result = anygrad.hessian(f, dim=1)
    scale = numpy.arange(3.0, 8)[:, None] * numpy.ones(6)
    assert result.compute().tolist() == [[(2 * scale).tolist()]]
    gradient = anygrad.gradient(f, dim=[1], stack_dim=0)
    assert gradient.compute().shape == (1, *known.shape)


def test_jacobians_along_a_dim_that_is_known(dask: Any) -> None:
    import dask.array
    import numpy

    f, known = unknown(numpy)
    field = dask.array.stack([f, 2 * f], allow_unknown_chunksizes=True)
    result = anygrad.jacobian(field, dim=[2], edge_order=1).compute()
    slopes = numpy.gradient(known, axis=1)
    assert numpy.allclose(
        result, numpy.stack([slopes, 2 * slopes])[:, None], rtol=1e-14
    )


@pytest.mark.parametrize("dtype", ["timedelta64[s]", "datetime64[s]", "bool"])
def test_dask_arrays_that_are_no_numbers(dask: Any, dtype: str) -> None:
    """Refused as NumPy's are, before anything is computed, also in a list."""
    import dask.array
    import numpy

    t = dask.array.from_array(numpy.asarray([0, 1, 1, 0]).astype(dtype), chunks=2)
    f = dask.array.ones(4, chunks=2)
    found = f"Got {numpy.dtype(dtype)}."
    assert found in refusal(lambda: anygrad.gradient(t), "input")
    assert found in refusal(lambda: anygrad.laplacian(t), "input")
    assert found in refusal(lambda: anygrad.gradient(f, spacing=[t]), "spacing[0]")
    assert found in refusal(lambda: anygrad.stencil(t), "offsets")
    message = refusal(lambda: anygrad.gradient(f, spacing=t[1]), "spacing")
    assert found in message
