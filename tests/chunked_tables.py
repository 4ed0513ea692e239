"""Dask's arrays as tests want them: tables and coordinates in chunks of all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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
