"""The examples of the reference page of `torch.gradient`, with its printed values."""

from __future__ import annotations

import ast

import pytest

import anygrad
from backends import Backend

pytestmark = pytest.mark.forms("all")

#: As printed on the page, which shows four decimals.
SQUARES = "(tensor([-3., -2., 2., 5.]),)"
UNIT_STEPS = """
(tensor([[ 9., 18., 36., 72.],
[ 9., 18., 36., 72.]]),
tensor([[ 1.0000, 1.5000, 3.0000, 4.0000],
[10.0000, 15.0000, 30.0000, 40.0000]]))
"""
STEPS_OF_TWO = """
(tensor([[ 4.5000, 9.0000, 18.0000, 36.0000],
[ 4.5000, 9.0000, 18.0000, 36.0000]]),
tensor([[ 0.5000, 0.7500, 1.5000, 2.0000],
[ 5.0000, 7.5000, 15.0000, 20.0000]]))
"""
ONE_DIM = """
(tensor([[ 1.0000, 1.5000, 3.0000, 4.0000],
[10.0000, 15.0000, 30.0000, 40.0000]]),)
"""
#: The page prints this under ``spacing=[3., 2.]``, against its own words: "the indices
#: of the innermost dimension translate to coordinates of [0, 3, 6, 9], and the indices
#: of the outermost dimension to [0, 2]".  With the steps in the order of the dims, as
#: `torch.gradient` itself takes them, they are ``[2., 3.]``.
STEPS_PER_DIM = """
(tensor([[ 4.5000, 9.0000, 18.0000, 36.0000],
[ 4.5000, 9.0000, 18.0000, 36.0000]]),
tensor([[ 0.3333, 0.5000, 1.0000, 1.3333],
[ 3.3333, 5.0000, 10.0000, 13.3333]]))
"""
#: What `torch.gradient` returns for ``spacing=[3., 2.]``.
STEPS_SWAPPED = """
(tensor([[ 3., 6., 12., 24.],
[ 3., 6., 12., 24.]]),
tensor([[ 0.5000, 0.7500, 1.5000, 2.0000],
[ 5.0000, 7.5000, 15.0000, 20.0000]]))
"""

SAMPLES = [[1, 2, 4, 8], [10, 20, 40, 80]]


def printed(text: str) -> tuple[list[float], ...]:
    return ast.literal_eval(text.replace("tensor", "").strip())


def test_squares_on_coordinates(backend: Backend) -> None:
    coordinates = (backend.asarray([-2.0, -1.0, 1.0, 4.0], "float32"),)
    values = backend.asarray([4.0, 1.0, 1.0, 16.0], "float32")
    results = anygrad.gradient(values, spacing=coordinates)
    backend.check(results, printed(SQUARES), like=values, tolerance=0)


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({}, UNIT_STEPS),
        ({"spacing": 2.0}, STEPS_OF_TWO),
        ({"dim": 1}, ONE_DIM),
        ({"spacing": [2.0, 3.0]}, STEPS_PER_DIM),
        ({"spacing": [3.0, 2.0]}, STEPS_SWAPPED),
    ],
    ids=["unit steps", "steps of two", "one dim", "steps per dim", "swapped"],
)
def test_steps(backend: Backend, keywords: dict[str, object], text: str) -> None:
    t = backend.asarray(SAMPLES, backend.integer)
    results = anygrad.gradient(t, **keywords)
    backend.check(results, printed(text), like=t, dtype=backend.default, tolerance=5e-6)


def test_explicit_coordinates(backend: Backend) -> None:
    t = backend.asarray(SAMPLES, backend.integer)
    coordinates = (
        backend.asarray([0, 2], backend.integer),
        backend.asarray([0, 3, 6, 9], backend.integer),
    )
    results = anygrad.gradient(t, spacing=coordinates)
    backend.check(
        results, printed(STEPS_PER_DIM), like=t, dtype=backend.default, tolerance=5e-6
    )
