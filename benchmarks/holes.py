"""Calls with `where` on arrays within the cache, beside the same calls without.

`python benchmarks/holes.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn.  `--library numpy` or `torch`, which has
one thread with `OMP_NUM_THREADS=1`, and `--length 1000`, that of both dims, say what is
measured.  Holes are in clusters, a fifth of the samples, or scattered, so many of a
hundred.  A row has the milliseconds of a call without, and how many times as long it
takes with each mask: the same one at all calls, or with `--changing` another at each.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, product, repeat
from types import ModuleType
from typing import Any

from calls import maker, options, packages, timed

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


#: So many masks in turn are another at each call, of two checkouts, too: no executor
#: knows as many.
MANY = 9


def masks(
    length: int, asarray: Callable[[Any], Any], *, are_changing: bool
) -> dict[str, Iterator[Any]]:
    """Return the masks of all calls by what is missing, none the first."""
    import numpy

    numbers, shape = numpy.random.default_rng(0), (length, length)
    waves = numpy.sin(numpy.arange(length) / 30.0)
    height = waves[:, None] + waves
    found = {"clusters": height < numpy.quantile(height, 0.8)}
    for percent in SCATTERED:
        found[f"{percent} %"] = numbers.random(shape) >= percent / 100
    count = MANY if are_changing else 1
    every = {
        name: cycle([asarray(numpy.roll(mask, 3 * k, axis=0)) for k in range(count)])
        for name, mask in found.items()
    }
    return {"no mask": repeat(None), **every}


def with_next(
    function: Callable[..., Any], f: Any, wheres: Iterator[Any], given: dict[str, Any]
) -> Any:
    """Call a function with the next mask."""
    return function(f, where=next(wheres), **given)


def times(calls: Sequence[Callable[[], Any]]) -> list[float]:
    """Return the median milliseconds of some calls, all timed in turn."""
    for call in calls:  # the first ones record, and keep what they have made
        timed(call, 12)
    rounds = [[timed(call, 1) / 1e3 for call in calls] for _ in range(ROUNDS)]
    return list(map(statistics.median, zip(*rounds, strict=True)))


def rows(
    checkouts: dict[str, ModuleType],
    length: int,
    asarray: Callable[[Any], Any],
    *,
    are_changing: bool,
) -> Iterator[list[str]]:
    """Return the cells of each row: of a checkout each, in turn."""
    import numpy

    numbers = numpy.random.default_rng(1)
    wheres = masks(length, asarray, are_changing=are_changing)
    x = numpy.cumsum(numbers.random(length) + 0.5)
    yield ["work", "", *wheres]
    yield ["---"] * (2 + len(wheres))
    for dtype, (function, keywords) in product(("float32", "float64"), KINDS):
        f = asarray(numbers.random((length, length)).astype(dtype))
        given = dict(keywords)
        if "spacing" in given:
            given["spacing"] = asarray(x.astype(dtype))
        found = []
        for name, where in wheres.items():
            calls = [
                partial(with_next, getattr(one, function), f, where, given)
                for one in checkouts.values()
            ]
            found.append((name, times(calls)))
        words = [f"{name}={value}" for name, value in keywords.items()]
        (_, without), *others = found
        for number, title in enumerate(checkouts):
            ratios = [f"{times[number] / without[number]:.1f}" for _, times in others]
            name = ", ".join([dtype, function, *words])
            yield [name, title, f"{without[number]:.2f} ms", *ratios]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = options(__doc__, length=1000)
    parser.add_argument("--library", choices=["numpy", "torch"], default="numpy")
    parser.add_argument("--changing", action="store_true", help="each time another")
    given = parser.parse_args(arguments)
    checkouts, asarray = packages(given.before), maker(given.library)
    for cells in rows(checkouts, given.length, asarray, are_changing=given.changing):
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
