"""Derivatives by formulas of many points on large JAX arrays, by milliseconds.

`python benchmarks/wide.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn.  `--length 2048` is that of both dims.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from calls import options, packages, timed

#: How often a call is timed.
ROUNDS = 9

#: The function, its keywords, and whether it is on coordinates.
KINDS: list[tuple[str, dict[str, Any], bool]] = [
    ("derivative", {"dim": 0}, True),
    ("derivative", {"dim": 0, "accuracy": 8}, False),
    ("derivative", {"dim": 1, "accuracy": 8}, False),
    ("derivative", {"dim": 0, "accuracy": 8}, True),
    ("derivative", {"dim": 1, "accuracy": 8}, True),
    ("derivative", {"dim": 0, "order": 2, "accuracy": 4}, True),
    ("derivative", {"dim": 1, "order": 2, "accuracy": 4}, True),
    ("laplacian", {}, False),
    ("laplacian", {"accuracy": 4}, False),
    ("laplacian", {}, True),
    ("laplacian", {"accuracy": 4}, True),
]


def waiting(function: Callable[..., Any], f: Any, **keywords: Any) -> Any:
    """Return the result of a call, which has been computed."""
    return function(f, **keywords).block_until_ready()


def rows(checkouts: dict[str, ModuleType], length: int) -> Iterator[list[str]]:
    """Return the kinds of work, each with the times of first calls and of others."""
    import jax
    import numpy

    random = numpy.random.default_rng(0)
    f = jax.numpy.asarray(random.normal(size=(length, length)))
    x = jax.numpy.asarray(numpy.cumsum(random.uniform(0.5, 1.5, length)))
    for name, keywords, is_uneven in KINDS:
        spacing = 0.3 if not is_uneven else [x, x] if name == "laplacian" else x
        calls = [
            partial(waiting, getattr(one, name), f, spacing=spacing, **keywords)
            for one in checkouts.values()
        ]
        firsts = [f"{timed(call, 1) / 1e6:.1f}" for call in calls]
        rounds = [[timed(call, 1) / 1e3 for call in calls] for _ in range(ROUNDS)]
        times = [f"{statistics.median(each):.1f}" for each in zip(*rounds, strict=True)]
        words = [name, *[f"{word} {value}" for word, value in keywords.items()]]
        work = ", ".join([*words, "coordinates" if is_uneven else "step"])
        yield [work, *times, *firsts]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    import jax

    parser = options(__doc__, length=2048)
    given = parser.parse_args(arguments)
    checkouts = packages(given.before)
    titles = [*checkouts, *[f"{title}, first call" for title in checkouts]]
    print(f"| work | {' | '.join(titles)} |")
    print(f"| --- {'| --- ' * len(titles)}|")
    with jax.enable_x64(True):
        for row in rows(checkouts, given.length):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
