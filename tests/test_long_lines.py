"""Coordinates of so many points that their weights are made some at a time."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad._executors.recorded import weights
from backends import Backend
from peaks import peak_of

#: Points, and lines that share their weights.
SHAPE = (2 * weights.MOST_AT_ONCE + 77, weights.FEW_LINES)

CALLS: list[dict[str, Any]] = [
    {},
    {"accuracy": 6},
    {"order": 2, "edge_order": 1},
    {"order": 3, "accuracy": 4, "boundary": ("reflect", "one_sided")},
    {"accuracy": 4, "boundary": ("periodic", 2.0**17)},
]


def samples(library: Backend, dtype: str) -> Any:
    xp = library.xp
    count = SHAPE[0] * SHAPE[1]
    numbers = xp.arange(count, dtype=library.dtype("int64")) * 7919 % 1009
    return xp.astype(xp.reshape(numbers, SHAPE), library.dtype(dtype))


def points(library: Backend, dtype: str) -> Any:
    xp = library.xp
    count = xp.arange(SHAPE[0], dtype=library.dtype("int64"))
    return xp.astype(4 * count + count * count % 3, library.dtype(dtype))


@pytest.mark.parametrize("keywords", CALLS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("of_points", ["float32", "int32"])
def test_bits(
    keywords: dict[str, Any], dtype: str, of_points: str, library: Backend
) -> None:
    """They are those of a few lines, whose weights are made with the derivative."""
    if library.library == "jax":
        pytest.skip("its bits depend on the shape")
    f, x = samples(library, dtype), points(library, of_points)
    given = {"dim": 0, "spacing": [x], **keywords}
    for dim, array in ((0, f), (1, library.xp.permute_dims(f, (1, 0)))):
        found = anygrad.derivative(array, **{**given, "dim": dim})
        few = (slice(None), slice(0, 4))[:: 1 - 2 * dim]
        alone = anygrad.derivative(array[few], **{**given, "dim": dim})
        assert bool(library.xp.all(found[few] == alone))


def test_memory(numpy: Any) -> None:
    """The distances of all points were four times the result."""
    f = numpy.ones((100_000, 16))
    x = numpy.arange(100_000.0)
    peak = peak_of(lambda: anygrad.derivative(f, dim=0, spacing=x, accuracy=8))
    assert peak < 3 * f.nbytes
