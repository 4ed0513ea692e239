"""What the tests of `where` share: masks and grids, and what is right under them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import formulas
import oracle
from backends import Backend
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
