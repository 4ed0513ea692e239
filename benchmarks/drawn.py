"""Random gradients beside `numpy.gradient` or `torch.gradient`: which take longer.

`python benchmarks/drawn.py` draws calls for a minute: shapes of one to five dims and 10
to 5,000,000 samples, dtypes, orders of memory, dims, grids and edges.  With `--library
torch`, on one thread; `--seconds N` and `--seed N` draw more and others.
It prints how many times as long as anygrad's the time of the library's own gradient is,
as percentiles of all calls, and then the calls that are the furthest behind:
microseconds, each the least of seven, in turn.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from calls import timed

import anygrad

#: Those of which the time differs.
DTYPES = ("float64", "float32", "int64", "int32", "uint8", "float16", "complex128")

#: Those that `torch.gradient` takes.
DTYPES_OF_TORCH = ("float64", "float32", "int64", "int32")

#: How samples may lie in memory.
LAYOUTS = ("C", "F", "turned", "every other", "a part")

#: From so many samples to so many, as powers of ten.
SIZES = (1.0, 6.7)

PERCENTILES = (0, 5, 25, 50, 75, 100)

#: After so many calls, a shape has a plan of its own, with what executors keep.
FIRST = 9

TIMES = 7

#: So long, in microseconds, is what is timed at once.
LEAST = 2000.0

#: So many of the calls that are behind are shown.
SHOWN = 20


class Drawn(NamedTuple):
    """A call of either."""

    samples: Any
    spacing: list[Any]
    dims: tuple[int, ...]
    edge_order: int
    text: str


class Row(NamedTuple):
    """How long a call takes here and there, in microseconds."""

    ratio: float
    ours: float
    peer: float
    text: str


def drawn(numbers: Any, dtypes: tuple[str, ...]) -> Drawn:
    """Draw a call, on NumPy's arrays."""
    import numpy

    ndim = int(numbers.choice([1, 2, 2, 3, 3, 4, 5]))
    size = 10 ** numbers.uniform(*SIZES)
    shares = numbers.dirichlet(numpy.ones(ndim))
    shape = [max(3, round(size**share)) for share in shares]
    dtype, layout = str(numbers.choice(dtypes)), str(numbers.choice(LAYOUTS))
    samples = laid_out((numbers.random(shape) * 100).astype(dtype), layout, numbers)
    count = int(numbers.integers(1, ndim + 1))
    dims = tuple(map(int, numbers.permutation(ndim)[:count]))
    edge_order, grid = int(numbers.choice([1, 2])), str(numbers.choice(["step", "x"]))
    spacing: list[Any] = [float(numbers.uniform(0.1, 3.0)) for _ in dims]
    if grid == "x":
        floating = dtype if dtype in ("float32", "float64") else "float64"
        lengths = [samples.shape[axis] for axis in dims]
        spacing = [
            numpy.cumsum(numbers.random(n) + 0.5).astype(floating) for n in lengths
        ]
    text = f"{samples.shape} {dtype} {layout}, dims {dims}, {grid}, edges {edge_order}"
    return Drawn(samples, spacing, dims, edge_order, text)


def laid_out(samples: Any, layout: str, numbers: Any) -> Any:
    """Return samples as they may lie in memory; the shape may be another."""
    import numpy

    if layout == "F":
        return numpy.asfortranarray(samples)
    if layout == "turned":
        return samples.transpose(numbers.permutation(samples.ndim))
    if layout == "every other":
        return numpy.repeat(samples, 2, axis=-1)[..., ::2]
    if layout == "a part":
        return numpy.concatenate([samples, samples])[: samples.shape[0]]
    return samples


def pair(call: Drawn, library: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a call of anygrad's, and the same of the library's own gradient."""
    f, spacing, dims, edge_order, _ = call
    keywords: Any = {"spacing": spacing, "dim": dims, "edge_order": edge_order}
    if library == "numpy":
        import numpy

        return (
            lambda: anygrad.gradient(f, **keywords),
            lambda: numpy.gradient(f, *spacing, axis=dims, edge_order=edge_order),
        )
    import torch

    tensor = torch.from_numpy(f)
    keywords["spacing"] = [
        h if isinstance(h, float) else torch.from_numpy(h) for h in spacing
    ]
    return (
        lambda: anygrad.gradient(tensor, **keywords),
        lambda: torch.gradient(tensor, **keywords),
    )


def row(call: Drawn, library: str) -> Row:
    """Return how long a call takes here and there."""
    ours, peer = pair(call, library)
    for _ in range(FIRST):
        ours()
    times = max(1, math.floor(LEAST / timed(peer, 1)))
    rounds = [(timed(ours, times), timed(peer, times)) for _ in range(TIMES)]
    here, there = map(min, zip(*rounds, strict=True))
    return Row(there / here, here, there, call.text)


def report(rows: list[Row], library: str) -> str:
    """Return percentiles of all calls, and those that are the furthest behind."""
    import numpy

    ratios = numpy.percentile([one.ratio for one in rows], PERCENTILES)
    lines = [f"{len(rows)} calls; {library}.gradient takes so many times as long:"]
    pairs = zip(PERCENTILES, ratios, strict=True)
    lines += [f"{percent:>4} % of all at most {ratio:6.2f}" for percent, ratio in pairs]
    for one in sorted(rows)[:SHOWN]:
        lines.append(f"{one.ratio:6.2f} {one.ours:9.0f} {one.peer:9.0f}  {one.text}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Draw calls, and say which take longer."""
    import numpy

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=["numpy", "torch"], default="numpy")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    dtypes = DTYPES
    if given.library == "torch":
        import torch

        torch.set_num_threads(1)
        dtypes = DTYPES_OF_TORCH
    numbers = numpy.random.default_rng(given.seed)
    stop = time.monotonic() + given.seconds
    rows: list[Row] = []
    while not rows or time.monotonic() < stop:
        rows.append(row(drawn(numbers, dtypes), given.library))
    sys.stdout.write(report(rows, given.library))


if __name__ == "__main__":
    main()
