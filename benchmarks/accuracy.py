"""Errors of gradients, in units in the last place, against 50 digits.

    python benchmarks/accuracy.py            # the table of docs/guide/numbers.md

The samples and the coordinates are taken as they are stored; the reference is the
derivative of Lagrange's polynomial through them, in mpmath.  The unit is that of the
largest term of the formula: where the terms cancel, no computation in the dtype can
keep more digits than they have.
"""

from __future__ import annotations

import argparse
import math
import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import mpmath
import numpy as np
import torch

import anygrad

DIGITS = 50
POINTS = 200

#: Digits of the significand.
SIGNIFICAND = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


class Case(NamedTuple):
    """Samples, and coordinates or a step for them."""

    name: str
    dtype: str
    samples: list[float]
    grid: list[float] | float


# Inputs.


def uneven(rng: random.Random, count: int, ratio: float) -> list[float]:
    """Return coordinates whose neighbouring steps differ by up to a ratio."""
    position, result = 0.0, []
    for k in range(count):
        result.append(position)
        position += rng.uniform(1, 2) * (ratio if k % 2 else 1.0)
    return result


def cases(points: int = POINTS) -> list[Case]:
    """Return all inputs; they are the same in each run."""
    rng = random.Random(7)
    smooth = [rng.uniform(-1, 1) for _ in range(points)]
    grid = uneven(rng, points, 3.0)
    result = [
        Case("step 0.1", dtype, smooth, 0.1)
        for dtype in ("bfloat16", "float16", "float32", "float64")
    ]
    result += [
        Case("coordinates", dtype, smooth, grid)
        for dtype in ("float16", "float32", "float64")
    ]
    for size in (1e-300, 1e-150, 1e150, 1e300):
        samples = [a * size for a in smooth]
        result.append(Case(f"samples of {size:.0e}", "float64", samples, grid))
    for size in (1e-150, 1e150):
        coordinates = [a * size for a in grid]
        result.append(
            Case(f"coordinates of {size:.0e}", "float64", smooth, coordinates)
        )
    for size in (1e-30, 1e30):
        coordinates = [a * size for a in grid]
        result.append(
            Case(f"coordinates of {size:.0e}", "float32", smooth, coordinates)
        )
    for ratio in (1e3, 1e6, 1e12):
        coordinates = uneven(rng, points, ratio)
        result.append(Case(f"steps 1 : {ratio:.0e}", "float64", smooth, coordinates))
    epoch = [1.7e9 + a for a in grid]
    result.append(Case("seconds since 1970", "float64", smooth, epoch))
    large = [1e6 + a for a in smooth]
    result.append(Case("samples 1e6 + a", "float64", large, grid))
    return result


# The reference.


def reference(f: Sequence[float], x: Any) -> tuple[list[Any], list[Any]]:
    """Return the derivatives and the largest terms of their formulas."""
    with mpmath.workdps(DIGITS):
        n = len(f)
        nodes = [mpmath.mpf(a) for a in x]
        values, sizes = [], []
        for i in range(n):
            first, last = max(0, i - 1), min(n - 1, i + 1)
            terms = _terms(f, nodes, i, range(first, last + 1))
            values.append(mpmath.fsum(terms))
            sizes.append(max(map(abs, terms)))
    return values, sizes


def _terms(f: Sequence[float], x: Sequence[Any], i: int, points: range) -> list[Any]:
    """Return weights times differences of samples from that at the point itself."""
    terms = []
    for j in points:
        if j == i:
            continue
        weight = 1 / (x[j] - x[i])
        for k in points:
            if k not in (i, j):
                weight *= (x[i] - x[k]) / (x[j] - x[k])
        terms.append(weight * (mpmath.mpf(f[j]) - mpmath.mpf(f[i])))
    return terms


def ulps(case: Case, f: list[float], grid: Any, result: list[float]) -> float:
    """Return the largest error, in units in the last place of the largest term.

    A result of None is left out.
    """
    with mpmath.workdps(DIGITS):
        step = not isinstance(grid, list)
        x = [mpmath.mpf(grid) * k for k in range(len(f))] if step else grid
        values, sizes = reference(f, x)
        digits = SIGNIFICAND[case.dtype]
        worst = mpmath.mpf(0)
        for value, size, number in zip(values, sizes, result, strict=True):
            if size == 0 or number is None:
                continue
            if not np.isfinite(number):
                return float("inf")
            _, exponent = mpmath.frexp(size)
            unit = mpmath.ldexp(mpmath.mpf(1), exponent - digits)
            worst = max(worst, abs(mpmath.mpf(number) - value) / unit)
    return float(worst)


# Who is measured.


def in_numpy(case: Case, function: Callable[..., Any]) -> float:
    """Measure a function of NumPy arrays."""
    if case.dtype == "bfloat16":
        return float("nan")
    f = np.asarray(case.samples, dtype=case.dtype)
    grid: Any = case.grid
    if isinstance(grid, list):
        grid = np.asarray(grid, dtype=case.dtype)
    stored = grid.tolist() if isinstance(case.grid, list) else grid
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = np.asarray(function(f, grid))
    return ulps(case, f.tolist(), stored, result.tolist())


def in_torch(case: Case, function: Callable[..., Any]) -> float:
    """Measure a function of torch tensors."""
    dtype = getattr(torch, case.dtype)
    f = torch.tensor(case.samples, dtype=dtype)
    grid: Any = case.grid
    if isinstance(grid, list):
        grid = torch.tensor(grid, dtype=dtype)
    stored = grid.tolist() if isinstance(case.grid, list) else grid
    return ulps(case, f.tolist(), stored, function(f, grid).tolist())


def in_jax(case: Case, function: Callable[..., Any]) -> float:
    """Measure a function of JAX arrays."""
    import jax.numpy as jnp

    f = jnp.asarray(case.samples, dtype=case.dtype)
    grid: Any = case.grid
    if isinstance(grid, list):
        grid = jnp.asarray(grid, dtype=case.dtype)
    stored = grid.tolist() if isinstance(case.grid, list) else grid
    return ulps(case, f.tolist(), stored, function(f, grid).tolist())


def ours(f: Any, grid: Any) -> Any:
    """Return anygrad's derivative."""
    spacing = grid if isinstance(grid, float) else [grid]
    return anygrad.gradient(f, spacing=spacing)[0]


def torchs(f: Any, grid: Any) -> Any:
    """Return torch's derivative."""
    spacing = grid if isinstance(grid, float) else [grid]
    return torch.gradient(f, spacing=spacing)[0]


def jaxs(f: Any, grid: Any) -> Any:
    """Return JAX's derivative."""
    import jax.numpy as jnp

    return jnp.gradient(f, grid)


def findiffs(f: Any, grid: Any) -> Any:
    """Return findiff's derivative without the edges, which have another formula."""
    import findiff

    result = findiff.Diff(0, grid)(f).astype(object)
    result[0] = result[-1] = None
    return result


MEASURED: dict[str, Callable[[Case], float]] = {
    "anygrad, NumPy": lambda case: in_numpy(case, ours),
    "anygrad, torch": lambda case: in_torch(case, ours),
    "anygrad, JAX": lambda case: in_jax(case, ours),
    "numpy": lambda case: in_numpy(case, np.gradient),
    "torch": lambda case: in_torch(case, torchs),
    "jax": lambda case: in_jax(case, jaxs),
    "findiff": lambda case: in_numpy(case, findiffs),
}


def shown(value: float) -> str:
    """Return a number with two digits, or what stands for none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    return f"{value:.1f}" if value < 1000 else f"{value:.0e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=POINTS)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    print(f"| input | dtype | {' | '.join(MEASURED)} |")
    print("| --- " * (2 + len(MEASURED)) + "|")
    for case in cases(options.points):
        numbers = [shown(measure(case)) for measure in MEASURED.values()]
        print(f"| {case.name} | {case.dtype} | {' | '.join(numbers)} |")


if __name__ == "__main__":
    main()
