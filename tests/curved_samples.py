"""Samples on curved coordinates, and how far results are from what is exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import oracle
from backends import Backend

OF_SCALARS = ("gradient", "laplacian")
OF_VECTORS = ("divergence", "curl")

#: Each kind of call is compiled anew, which takes a second: few are enough.
COMPILED = ("jax", "cupy")

#: Boundaries of two dims: what has factors beyond its ends, and what has not.
BOUNDARIES: list[Any] = [
    "one_sided",
    "periodic",
    "symmetric",
    [("reflect", 2.0), "edge"],
    ["one_sided", ("one_sided", -1.0)],
]


def samples(backend: Backend, value: Callable[..., float], *lines: list[float]) -> Any:
    """Return samples of a function of coordinates."""
    shape = tuple(map(len, lines))
    return backend.asarray(
        oracle.build(
            shape, lambda k: value(*(x[i] for x, i in zip(lines, k, strict=True)))
        )
    )


def field(backend: Backend, values: Any, *lines: list[float]) -> Any:
    """Return samples of a vector field, components first."""
    parts = [samples(backend, value, *lines) for value in values]
    with backend.current_device(parts[0]):
        return backend.xp.stack(parts)


def worst(backend: Backend, got: Any, wanted: Any) -> float:
    """Return the largest difference of two arrays."""
    pairs = zip(
        oracle.flat(backend.tolist(got)),
        oracle.flat(backend.tolist(wanted)),
        strict=True,
    )
    return max(abs(a - b) for a, b in pairs)


def is_close(backend: Backend, got: Any, wanted: Any, roundings: float = 512) -> bool:
    """Tell whether two arrays are alike, and their numbers nearly the same."""
    assert backend.kind(got) == backend.kind(wanted)
    assert backend.device(got) == backend.device(wanted)
    assert backend.dtype_name(got) == backend.dtype_name(wanted)
    assert tuple(got.shape) == tuple(wanted.shape)
    largest = max(map(abs, oracle.flat(backend.tolist(wanted))))
    limit = roundings * float(backend.epsilon(backend.dtype_name(wanted)))
    return worst(backend, got, wanted) <= limit * max(largest, 1.0)


def line(start: float, stop: float, count: int) -> list[float]:
    """Return coordinates, slightly uneven."""
    steps = [k / (count - 1) for k in range(count)]
    return [start + (stop - start) * (s + 0.05 * math.sin(3 * s)) for s in steps]
