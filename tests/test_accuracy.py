"""The bound on the rounding error that `docs/guide/numbers.md` states."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import anygrad
import formulas
import oracle
from backends import Backend
from dtypes import FORMATS

#: In units in the last place of the largest term of the formula.
AT_MOST = 5

GUIDE = Path(__file__).parent.parent / "docs" / "guide" / "numbers.md"


def unit_of(size: Fraction, digits: int) -> Fraction:
    """Return the unit in the last place of a number of so many binary digits."""
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    return Fraction(2) ** (exponent + 1 - digits)


def worst(
    got: list[float], f: list[float], coordinate: Any, edge_order: int, digits: int
) -> float:
    """Return the largest error of real results, in those units."""
    kind: dict[str, Any] = {"edge_order": edge_order, "of_terms": list}
    terms = formulas.partial(f, 0, coordinate, **kind)
    errors = [0.0]
    for value, row in zip(got, terms, strict=True):
        parts = [term.real for term in row]
        largest = max(map(abs, parts))
        if largest:
            error = abs(Fraction(value) - sum(parts))
            errors.append(float(error / unit_of(largest, digits)))
    return max(errors)


def uneven(rng: random.Random, count: int, ratio: float) -> list[float]:
    steps = [rng.uniform(1, 2) * rng.choice([1.0, ratio]) for _ in range(count)]
    return list(itertools.accumulate(steps))


@pytest.mark.forms("numpy", "strict", "torch", "jax-x64", "dask", "cupy")
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    ("size", "scale", "ratio", "offset"),
    [
        (1.0, 1.0, 3.0, 0.0),
        (1e-300, 1.0, 3.0, 0.0),
        (1e300, 1.0, 3.0, 0.0),
        (1.0, 1e-150, 3.0, 0.0),
        (1.0, 1e150, 3.0, 0.0),
        (1.0, 1.0, 1e6, 0.0),
        (1.0, 1.0, 1e12, 0.0),
        (1.0, 1.0, 3.0, 1.7e9),
    ],
)
def test_error_in_float64(
    backend: Backend,
    size: float,
    scale: float,
    ratio: float,
    offset: float,
    edge_order: int,
) -> None:
    """On steps that differ by a lot, at magnitudes near both ends of the range."""
    rng = random.Random(7)
    f = [rng.uniform(-1, 1) * size for _ in range(40)]
    x = [offset + scale * a for a in uneven(rng, 40, ratio)]
    arrays = backend.asarray(f, "float64"), backend.asarray(x, "float64")
    (result,) = anygrad.gradient(arrays[0], spacing=[arrays[1]], edge_order=edge_order)
    got = backend.tolist(result)
    assert worst(got, f, oracle.along(0, x), edge_order, 53) <= AT_MOST


@pytest.mark.parametrize("edge_order", [1, 2])
def test_error_in_every_dtype(library: Backend, edge_order: int) -> None:
    """On a step that no dtype holds exactly, and on coordinates."""
    rng = random.Random(8)
    for dtype in (*library.reals, *library.halves):
        f = library.asarray([rng.uniform(-1, 1) for _ in range(40)], dtype)
        x = library.asarray(uneven(rng, 40, 3.0), dtype)
        digits, _ = FORMATS[dtype]
        for spacing, coordinate in (
            (0.1, oracle.steps(0, 0.1)),
            ([x], oracle.along(0, library.tolist(x))),
        ):
            stored = library.tolist(f)
            (result,) = anygrad.gradient(f, spacing=spacing, edge_order=edge_order)
            got = library.tolist(result)
            assert worst(got, stored, coordinate, edge_order, digits) <= AT_MOST


def test_the_guide_states_this_bound() -> None:
    page = GUIDE.read_text(encoding="utf-8")
    assert f"at most {AT_MOST} units in the last place" in page
