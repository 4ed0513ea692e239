"""Calls with `where` on arrays within the cache, beside the same calls without.

`python benchmarks/holes.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn.  `--library numpy` or `torch`, which has
one thread with `OMP_NUM_THREADS=1`, and `--length 1000`, that of both dims, say what is
measured.  Holes are in clusters, a fifth of the samples, or scattered, so many of a
hundred.  A row has the milliseconds of a call without, and how many times as long it
takes with each mask.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

from calls import ROOT, package, timed

#: How often a call is timed.
ROUNDS = 15

#: How many of a hundred samples are missing, where they are scattered.
SCATTERED = (1, 10, 20, 50)

#: The function, and its keywords; "coordinates" stand for uneven points.
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("derivative", {"dim": 0}),
    ("derivative", {"dim": 1}),
    ("derivative", {"dim": 1, "spacing": "coordinates"}),
    ("derivative", {"dim": 1, "order": 2}),
    ("derivative", {"dim": 1, "accuracy": 4}),
    ("gradient", {}),
    ("laplacian", {}),
]


def masks(length: int, asarray: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the masks by what is missing, none the first."""
    import numpy

    numbers, shape = numpy.random.default_rng(0), (length, length)
    waves = numpy.sin(numpy.arange(length) / 30.0)
    height = waves[:, None] + waves
    found = {"clusters": height < numpy.quantile(height, 0.8)}
    for percent in SCATTERED:
        found[f"{percent} %"] = numbers.random(shape) >= percent / 100
    return {"no mask": None, **{name: asarray(mask) for name, mask in found.items()}}


def times(calls: dict[Any, Callable[[], Any]]) -> dict[Any, float]:
    """Return the median milliseconds of some calls, all timed in turn."""
    for call in calls.values():  # the first ones record, and keep what they have made
        timed(call, 2)
    rounds = [[timed(call, 1) / 1e3 for call in calls.values()] for _ in range(ROUNDS)]
    return dict(
        zip(calls, map(statistics.median, zip(*rounds, strict=True)), strict=True)
    )


def rows(
    checkouts: dict[str, ModuleType], length: int, asarray: Callable[[Any], Any]
) -> Iterator[list[str]]:
    """Return the cells of each row."""
    import numpy

    numbers, wheres = numpy.random.default_rng(1), masks(length, asarray)
    x = numpy.cumsum(numbers.random(length) + 0.5)
    yield ["work", "", *wheres]
    yield ["---"] * (2 + len(wheres))
    for dtype, (function, keywords) in product(("float32", "float64"), KINDS):
        f = asarray(numbers.random((length, length)).astype(dtype))
        given = dict(keywords)
        if "spacing" in given:
            given["spacing"] = asarray(x.astype(dtype))
        found = times(
            {
                (title, name): partial(getattr(one, function), f, where=where, **given)
                for title, one in checkouts.items()
                for name, where in wheres.items()
            }
        )
        words = [f"{name}={value}" for name, value in keywords.items()]
        for title in checkouts:
            without, *others = [found[title, name] for name in wheres]
            ratios = [f"{time / without:.1f}" for time in others]
            name = ", ".join([dtype, function, *words])
            yield [name, title, f"{without:.2f} ms", *ratios]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--library", choices=["numpy", "torch"], default="numpy")
    parser.add_argument("--length", type=int, default=1000, help="of both dims")
    given = parser.parse_args(arguments)
    asarray: Any = lambda array: array  # noqa: E731
    if given.library == "torch":
        import torch

        asarray = torch.from_numpy
    checkouts = {"now": package(ROOT, "anygrad_now")}
    if given.before:
        checkouts["before"] = package(given.before, "anygrad_before")
    for cells in rows(checkouts, given.length, asarray):
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
