"""Gradients of 100 to 490,000 NumPy samples beside `numpy.gradient`: what no row has.

`python benchmarks/sizes.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn.  `--dtypes float64 int64` takes only these.
`--once` measures calls whose shape has not been met: of the shape and of others with
some more points, each once.
A row has a shape, a dtype and an order of memory, with a step and with coordinates:
microseconds, each the median of many rounds, and how many times as long as this
checkout's the time of `numpy.gradient` is.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from calls import medians, packages, timed

#: Lines, planes and boxes; some with a short axis, at either end.
SHAPES: list[tuple[int, ...]] = [
    *((100,), (1000,), (10_000,), (100_000,)),
    *((10, 10), (30, 30), (100, 100), (200, 200), (300, 300), (500, 500), (700, 700)),
    *((20, 20, 20), (40, 40, 40), (64, 64, 64)),
    *((20_000, 3), (3, 20_000), (4, 8, 16, 32)),
]

#: Those of which the time differs.
DTYPES = ("float64", "float32", "int64", "int32", "uint8", "float16")


#: So many shapes are met once; the first few tell what there is to know of them all.
SHAPES_ONCE, FIRST = 40, 3


class Given(NamedTuple):
    """What a call is about."""

    samples: Any
    spacing: list[Any]


def kinds(
    shapes: Iterable[tuple[int, ...]], dtype: str
) -> Iterator[tuple[str, list[Given]]]:
    """Return the name of each kind of call, and a call on each shape."""
    import numpy

    numbers = numpy.random.default_rng(0)
    floating = dtype if dtype.startswith("float") else "float64"
    arrays, grids = [], []
    for shape in shapes:
        arrays.append((numbers.random(shape) * 100).astype(dtype))
        grid = [numpy.cumsum(numbers.random(n) + 0.1) for n in shape]
        grids.append([x.astype(floating) for x in grid])
    ndim = arrays[0].ndim
    for order in "CF" if ndim > 1 else "C":
        samples = [numpy.asarray(f, order=order) for f in arrays]
        steps = [[0.5] * ndim] * len(arrays)
        name = f"{dtype}, {' x '.join(map(str, arrays[0].shape))}, {order}"
        yield f"{name}, step", list(map(Given, samples, steps))
        yield f"{name}, coordinates", list(map(Given, samples, grids))


def again(calls: dict[str, Callable[..., Any]], given: Given) -> list[float]:
    """Return the median times of calls that come again and again."""
    made = {title: partial(call, *given) for title, call in calls.items()}
    for call in made.values():
        for _ in range(64):  # coordinates are at rest then
            call()
    return medians(made)


def once(calls: dict[str, Callable[..., Any]], given: list[Given]) -> list[float]:
    """Return the median times of calls on shapes that are met for the first time."""
    found = []
    for call in calls.values():
        times = [timed(partial(call, *one), 1) for one in given]
        found.append(statistics.median(times[FIRST:]))
    return found


def main() -> None:
    """Print a table."""
    import numpy

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES, choices=DTYPES)
    parser.add_argument("--once", action="store_true", help="shapes that are not met")
    given = parser.parse_args()
    checkouts = packages(given.before)
    titles = [*checkouts, "numpy.gradient", "numpy.gradient / now"]
    print(f"| work | {' | '.join(titles)} |")
    print(f"| --- {'| --- ' * len(titles)}|")
    calls: dict[str, Callable[..., Any]] = {
        title: lambda f, spacing, to=checkout: to.gradient(f, spacing=spacing)
        for title, checkout in checkouts.items()
    }
    calls["numpy.gradient"] = lambda f, spacing: numpy.gradient(f, *spacing)
    for dtype, shape in itertools.product(given.dtypes, SHAPES):
        more = range(SHAPES_ONCE if given.once else 1)
        shapes = [(shape[0] + number, *shape[1:]) for number in more]
        for name, each in kinds(shapes, dtype):
            times = once(calls, each) if given.once else again(calls, each[0])
            shown = " | ".join([f"{time:.1f}" for time in times])
            print(f"| {name} | {shown} | {times[-1] / times[0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
