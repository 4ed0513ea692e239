"""Formulas: exact weights of samples, and of slopes on uneven points."""

from __future__ import annotations

import operator
import random
from collections.abc import Iterator
from fractions import Fraction
from functools import partialmethod
from typing import Any

import pytest

import formulas
from anygrad import _formulas, _uneven
from anygrad._formulas import WeightedFormula
from anygrad._scales import Scale


@pytest.mark.parametrize(
    ("offsets", "order", "numerators", "denominator"),
    [
        # B. Fornberg, Math. Comp. 51 (1988), tables 1 and 3.
        ((-1, 0, 1), 1, [-1, 0, 1], 2),
        ((-2, -1, 0, 1, 2), 1, [1, -8, 0, 8, -1], 12),
        ((-3, -2, -1, 0, 1, 2, 3), 1, [-1, 9, -45, 0, 45, -9, 1], 60),
        ((-1, 0, 1), 2, [1, -2, 1], 1),
        ((-2, -1, 0, 1, 2), 2, [-1, 16, -30, 16, -1], 12),
        ((0, 1), 1, [-1, 1], 1),
        ((0, 1, 2), 1, [-3, 4, -1], 2),
        ((0, 1, 2, 3), 1, [-11, 18, -9, 2], 6),
        ((-2, -1, 0), 1, [1, -4, 3], 2),
        ((0, 1, 2), 2, [1, -2, 1], 1),
    ],
)
def test_published_weights(
    offsets: tuple[int, ...], order: int, numerators: list[int], denominator: int
) -> None:
    assert _formulas.weights(offsets, order) == (numerators, denominator)


def slopes_as_weights(
    x: dict[int, Fraction], offsets: tuple[int, ...]
) -> dict[int, Fraction]:
    """Return the weight of each sample, from the weights of the slopes."""
    weights = dict.fromkeys(offsets, Fraction(0))
    ratios = _uneven.slope_weights(lambda i, j: x[j] - x[i], offsets)
    assert sum(ratios.values()) == 1
    for j, ratio in ratios.items():
        weights[j + 1] += ratio / (x[j + 1] - x[j])
        weights[j] -= ratio / (x[j + 1] - x[j])
    return weights


def consecutive() -> Iterator[tuple[int, ...]]:
    for first in range(-4, 1):
        for last in range(5):
            if last > first:
                yield tuple(range(first, last + 1))


@pytest.mark.parametrize("offsets", list(consecutive()), ids=repr)
def test_slope_weights_are_those_of_lagrange(offsets: tuple[int, ...]) -> None:
    """On random uneven nodes, exactly."""
    draw = random.Random(repr(offsets))
    for _ in range(5):
        nodes = sorted(draw.sample(range(1000), len(offsets)))
        x = dict(zip(offsets, map(Fraction, nodes), strict=True))
        weights = slopes_as_weights(x, offsets)
        here = nodes[offsets.index(0)]
        exact = formulas.lagrange([node - here for node in nodes], 1)
        assert [weights[k] for k in offsets] == exact


def test_slope_weights_use_ratios_only() -> None:
    """No product of two lengths: lengths of 1e200 and 1e-200 leave weights normal."""
    for unit in (1e200, 1e-200):
        x = {-1: 0.0, 0: unit, 1: 3 * unit, 2: 4 * unit}
        for offsets in ((-1, 0, 1), (0, 1, 2), (-1, 0, 1, 2)):
            ratios = _uneven.slope_weights(lambda i, j, x=x: x[j] - x[i], offsets)
            assert sum(ratios.values()) == pytest.approx(1)


@pytest.mark.parametrize("order", range(1, 7))
def test_slope_weights_of_the_mirror_image(order: int) -> None:
    """They are the same to the last bit, and of the opposite sign in even orders."""
    draw = random.Random(order)
    for count in range(order + 1, order + 8):
        for before in range(count):
            nodes = [draw.uniform(k, k + 0.9) for k in range(count)]
            x = dict(zip(range(-before, count - before), nodes, strict=True))
            image = {-k: -node for k, node in reversed(x.items())}
            weights, images = [
                _uneven.slope_weights(lambda i, j, x=x: x[j] - x[i], list(x), order)
                for x in (x, image)
            ]
            sign = 1 if order % 2 else -1
            assert weights == {-j - 1: sign * w for j, w in images.items()}


@pytest.mark.parametrize("order", range(1, 7))
def test_slope_weights_of_what_all_points_share(order: int) -> None:
    """The highest derivative is the same to the last bit, wherever the centre is."""
    draw = random.Random(order)
    nodes = [draw.uniform(k, k + 0.9) for k in range(order + 1)]
    found = [
        _uneven.slope_weights(
            lambda i, j, x=nodes[before:] + nodes[:before]: x[j] - x[i],
            range(-before, order + 1 - before),
            order,
        )
        for before in range(order + 1)
    ]
    assert all(list(one.values()) == list(found[0].values()) for one in found)


class Counted:
    """A number that counts the operations that it takes part in."""

    def __init__(self, value: Fraction, made: list[str]) -> None:
        self.value, self.made = value, made

    def _with(self, verb: str, other: Any, *, turned: bool = False) -> Counted:
        self.made.append(verb)
        pair = self.value, other.value if isinstance(other, Counted) else other
        return Counted(
            getattr(operator, verb)(*pair[:: -1 if turned else 1]), self.made
        )

    __add__ = partialmethod(_with, "add")
    __sub__ = partialmethod(_with, "sub")
    __mul__ = partialmethod(_with, "mul")
    __truediv__ = partialmethod(_with, "truediv")
    __radd__ = partialmethod(_with, "add", turned=True)
    __rsub__ = partialmethod(_with, "sub", turned=True)
    __rmul__ = partialmethod(_with, "mul", turned=True)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("centre", [0, 1, 0.5], ids=["first", "second", "middle"])
def test_operations_on_weights_grow_with_the_square_of_the_points(
    order: int, centre: float
) -> None:
    for count in range(order + 1, 16):
        before = int(centre * (count - 1)) if centre < 1 else 1
        offsets = tuple(range(-before, count - before))
        made: list[str] = []
        nodes = {j: Counted(Fraction(j * abs(j)), made) for j in offsets}
        lengths = {
            (i, j): nodes[j] - nodes[i] for i in offsets for j in offsets if i != j
        }
        made.clear()
        _uneven.slope_weights(lambda i, j, of=lengths: of[i, j], offsets, order)
        assert len(made) <= 4 * count**2


def test_no_weight_is_the_integer_one() -> None:
    """Which costs no multiplication."""
    ratios = _uneven.slope_weights(lambda i, j: Fraction(j - i), (0, 1))
    assert ratios == {0: 1}
    assert isinstance(ratios[0], int)


def test_weights_change_together_with_the_scale_that_is_made_of_them() -> None:
    """Divisors are numbers of the step."""
    formula = _formulas.formula_on((-1, 0, 1, 2), 1, start=1, stop=2)
    terms = tuple([(k + 1, k, 2.0 * k) for k in (-1, 0, 1)])
    weighted = WeightedFormula(formula, terms, Scale((3.0,), (5.0,)))
    changed = weighted.with_weights(lambda weight: -weight)
    assert changed.formula is formula
    assert changed.terms == tuple([(k + 1, k, -2.0 * k) for k in (-1, 0, 1)])
    assert changed.scale == Scale((-3.0,), (5.0,))
