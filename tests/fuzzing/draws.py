"""Numbers and coordinates at random."""

from __future__ import annotations

import itertools
import random
from typing import Any

from dtypes import COMPLEX, FORMATS, REAL_OF


def number(rng: random.Random, dtype: str, scale: float) -> Any:
    """Return a number of about the size of `scale` that a dtype can hold or round."""
    if "int" in dtype:
        bits = int(dtype.removeprefix("u").removeprefix("int"))
        least, most = (
            (0, 2**bits - 1)
            if dtype.startswith("u")
            else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        if rng.random() < 0.2:
            return rng.choice([least, most, least + 1, most - 1])
        return max(least, min(most, rng.randint(-100, 100)))
    if dtype in COMPLEX:
        real = REAL_OF[dtype]
        return complex(number(rng, real, scale), number(rng, real, scale))
    value = rng.choice([rng.uniform(-1, 1), rng.randint(-8, 8) / 8, rng.gauss(0, 1)])
    return value * scale


def scale_for(rng: random.Random, *dtypes: str, times: int = 1) -> float:
    """Return a power of two that leaves a margin to the ends of all the dtypes.

    `times` is how often numbers of this size are multiplied.
    """
    reals = [REAL_OF.get(name, name) for name in dtypes]
    reach = min(-FORMATS.get(name, (53, -1022))[1] for name in reals)
    reach = reach // 3 if rng.random() < 0.3 else min(3, reach // 4)
    reach //= 1 if times == 1 else 2 * times
    return 2.0 ** rng.randint(-reach, reach)


def coordinates(rng: random.Random, n: int, dtype: str, scale: float) -> list[Any]:
    """Return coordinates in one direction, with steps of very different lengths."""
    uneven = rng.choice([0, 1, 3])
    steps = [rng.uniform(1, 3) * 10 ** rng.uniform(0, uneven) for _ in range(n)]
    x: list[Any] = list(itertools.accumulate(steps))
    if "int" in dtype:
        bits = int(dtype.removeprefix("u").removeprefix("int"))
        longest = 9 if n < 12 else 1
        x = list(itertools.accumulate(rng.randint(1, longest) for _ in range(n)))
        start = rng.choice([0, 2 ** (bits - 1) - 1 - x[-1] if x else 0])
        x = [a + start for a in x]
        scale = 1
    if rng.random() < 0.5:
        x.reverse()
    if dtype in COMPLEX:
        turn = complex(1, rng.uniform(-1, 1))
        return [complex(a) * turn * scale for a in x]
    return [a * scale for a in x]
