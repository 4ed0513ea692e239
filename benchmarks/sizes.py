"""Gradients of 100 to 490,000 NumPy samples beside `numpy.gradient`: what no row has.

`python benchmarks/sizes.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn.  `--dtypes float64 int64` takes only these.
A row has a shape, a dtype and an order of memory, with a step and with coordinates:
microseconds, each the median of many rounds, and how many times as long as this
checkout's the time of `numpy.gradient` is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from calls import ROOT, medians, package

#: Lines, planes and boxes; some with a short axis, at either end.
SHAPES: list[tuple[int, ...]] = [
    *((100,), (1000,), (10_000,), (100_000,)),
    *((10, 10), (30, 30), (100, 100), (200, 200), (300, 300), (500, 500), (700, 700)),
    *((20, 20, 20), (40, 40, 40), (64, 64, 64)),
    *((20_000, 3), (3, 20_000), (4, 8, 16, 32)),
]

#: Those of which the time differs.
DTYPES = ("float64", "float32", "int64", "int32", "uint8", "float16")


def kinds(dtypes: list[str]) -> Iterator[tuple[str, Any, Any]]:
    """Return the name of each kind of call, its samples and its spacing."""
    import numpy

    numbers = numpy.random.default_rng(0)
    for dtype in dtypes:
        floating = dtype if dtype.startswith("float") else "float64"
        for shape in SHAPES:
            f = (numbers.random(shape) * 100).astype(dtype)
            grid = [numpy.cumsum(numbers.random(n) + 0.1) for n in shape]
            grid = [x.astype(floating) for x in grid]
            for order in "CF" if len(shape) > 1 else "C":
                samples = numpy.asarray(f, order=order)
                name = f"{dtype}, {' x '.join(map(str, shape))}, {order}"
                yield f"{name}, step", samples, [0.5] * len(shape)
                yield f"{name}, coordinates", samples, grid


def main() -> None:
    """Print a table."""
    import numpy

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES, choices=DTYPES)
    given = parser.parse_args()
    checkouts: dict[str, ModuleType] = {"now": package(ROOT, "anygrad_now")}
    if given.before:
        checkouts["before"] = package(given.before, "anygrad_before")
    titles = [*checkouts, "numpy.gradient", "numpy.gradient / now"]
    print(f"| work | {' | '.join(titles)} |")
    print(f"| --- {'| --- ' * len(titles)}|")
    for name, f, spacing in kinds(given.dtypes):
        calls: dict[str, Callable[[], Any]] = {
            title: partial(checkout.gradient, f, spacing=spacing)
            for title, checkout in checkouts.items()
        }
        calls["numpy.gradient"] = partial(numpy.gradient, f, *spacing)
        for call in calls.values():
            for _ in range(64):  # coordinates are at rest then
                call()
        times = medians(calls)
        shown = " | ".join([f"{time:.1f}" for time in times])
        print(f"| {name} | {shown} | {times[-1] / times[0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
