"""Calls with scale factors on large arrays, by milliseconds, beside those without.

`python benchmarks/curved.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn.  `--library numpy` or `torch`, `--compiler
numba` and `--length 1000`, that of both dims, say what is measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from calls import maker, options, packages, timed

#: How often a call is timed.
ROUNDS = 9

#: The function, its keywords, and of which of the grids below.
KINDS: list[tuple[str, dict[str, Any], str]] = [
    ("divergence", {}, "cylindrical"),
    ("divergence", {"boundary": ["edge", "one_sided"]}, "cylindrical"),
    ("laplacian", {}, "cylindrical"),
    ("gradient", {}, "globe"),
    ("curl", {"boundary": [("periodic", 360.0), "one_sided"]}, "globe"),
    ("laplacian", {"accuracy": 4}, "globe"),
    ("divergence", {}, "factors per point"),
    ("laplacian", {}, "factors per point"),
    ("gradient", {}, "globe with land"),
    ("divergence", {}, "globe with land"),
    ("laplacian", {}, "globe with land"),
]


def grids(package: ModuleType, length: int, asarray: Any) -> dict[str, dict[str, Any]]:
    """Return spacing and scale factors by name."""
    import numpy

    r, z = numpy.linspace(0.1, 1.0, length), numpy.linspace(0.0, 1.0, length)
    steps = [float(r[1] - r[0]), float(z[1])]
    degrees = numpy.linspace(0.0, 359.0, length), numpy.linspace(-80.0, 80.0, length)
    full = [asarray(1 + r[:, None] * z), asarray(r[:, None] + z)]
    globe = package.lonlat(*map(asarray, degrees))
    # Seas and land of some hundred points each.
    waves = numpy.sin(numpy.arange(length) / 30.0)
    is_sea = asarray(waves[:, None] + waves < 0.9)
    return {
        "cylindrical": {"spacing": steps, "scale_factors": [1.0, asarray(r[:, None])]},
        "globe": globe,
        "globe with land": {**globe, "where": is_sea},
        "factors per point": {"spacing": steps, "scale_factors": full},
    }


def calls_of(
    checkouts: dict[str, ModuleType], length: int, asarray: Any
) -> Iterator[tuple[str, list[Callable[[], Any]]]]:
    """Return the kinds of work, each with the calls that are timed, plain ones last."""
    import numpy

    random = numpy.random.default_rng(0)
    wind = asarray(random.normal(size=(2, length, length)))
    for name, keywords, kind in KINDS:
        f = wind if name in ("divergence", "curl") else wind[0]
        calls: list[Callable[[], Any]] = [
            partial(
                getattr(one, name), f, **grids(one, length, asarray)[kind], **keywords
            )
            for one in checkouts.values()
        ]
        without: Any = calls[0]
        rest = {k: v for k, v in without.keywords.items() if k != "scale_factors"}
        calls.append(partial(without.func, f, **rest))
        words = [name, *[f"{word} {value}" for word, value in keywords.items()], kind]
        yield ", ".join(words), calls


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = options(__doc__, length=1000)
    parser.add_argument("--library", choices=["numpy", "torch"], default="numpy")
    parser.add_argument("--compiler", choices=["numba"])
    given = parser.parse_args(arguments)
    checkouts = packages(given.before)
    titles = [*checkouts, "without factors"]
    print(f"| work | {' | '.join(titles)} |")
    print(f"| --- {'| --- ' * len(titles)}|")
    for work, calls in calls_of(checkouts, given.length, maker(given.library)):
        for one in checkouts.values():
            one.set_default_compiler(given.compiler)
        for call in calls:  # the first ones record, and compile
            timed(call, 2)
        rounds = [[timed(call, 1) / 1e3 for call in calls] for _ in range(ROUNDS)]
        times = [f"{statistics.median(each):.2f}" for each in zip(*rounds, strict=True)]
        print(f"| {' | '.join([work, *times])} |", flush=True)


if __name__ == "__main__":
    main()
