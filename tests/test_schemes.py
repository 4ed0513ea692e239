"""Schemes: the formulas of a whole axis, exactly."""

from __future__ import annotations

import itertools
import pickle
from fractions import Fraction
from itertools import pairwise

import pytest

from anygrad import _boundaries, _schemes
from anygrad._formulas import Formula
from anygrad._schemes import Recipe, Scheme

#: Derivative order, accuracy of the interior, accuracy of the edges.
SCHEMES = [
    (order, accuracy, edge_order)
    for order in (1, 2, 3, 4)
    for accuracy in (2, 4, 6, 8)
    for edge_order in (1, 2, 3, 4)
]


def one_sided(order: int, accuracy: int, edge_order: int) -> Scheme:
    """Return the scheme for a step, and one-sided edges."""
    ends = ("one_sided", "one_sided")
    return _schemes.remembered(Recipe(order, accuracy, edge_order, *ends, uneven=False))


def polynomial(order: int, power: int, s: Fraction) -> Fraction:
    """Return the derivative of `s**power`."""
    for lowered in range(power, power - order, -1):
        if lowered <= 0:
            return Fraction(0)
    factor = 1
    for lowered in range(power, power - order, -1):
        factor *= lowered
    return factor * s ** (power - order)


def expanded(formula: Formula) -> dict[int, Fraction]:
    """Return the weight of each sample, from the weights of the differences."""
    weights = dict.fromkeys(formula.offsets, Fraction(0))
    for upper, lower, numerator in formula.terms:
        weight = Fraction(1 if numerator is None else numerator) / formula.denominator
        weights[upper] += weight
        weights[lower] -= weight
    return weights


@pytest.mark.parametrize(("order", "accuracy", "edge_order"), SCHEMES)
def test_formulas_are_exact_on_polynomials(
    order: int, accuracy: int, edge_order: int
) -> None:
    """Each reproduces as many powers as it has points, and its order of accuracy."""
    scheme = one_sided(order, accuracy, edge_order)
    for number, formula in enumerate(scheme.formulas):
        promised = order + (accuracy if number == scheme.interior else edge_order)
        powers = range(max(promised, len(formula.offsets)))
        for power in powers:
            value = sum(
                weight * Fraction(offset) ** power
                for offset, weight in expanded(formula).items()
            )
            assert value == polynomial(order, power, Fraction(0))


@pytest.mark.parametrize(("order", "accuracy", "edge_order"), SCHEMES)
def test_schemes_cover_the_axis(order: int, accuracy: int, edge_order: int) -> None:
    """Every point is filled once, in order, and no formula reads outside."""
    scheme = one_sided(order, accuracy, edge_order)
    r = (order + 1) // 2 + accuracy // 2 - 1
    assert scheme.points == max(edge_order + order, 2 * r)
    for n in range(scheme.points, scheme.points + 9):
        filled = []
        for formula in scheme.formulas:
            for point in range(n)[formula.start : formula.stop]:
                filled.append(point)
                assert point + min(formula.offsets) >= 0
                assert point + max(formula.offsets) < n
        assert filled == list(range(n))


@pytest.mark.parametrize(("order", "accuracy", "edge_order"), SCHEMES)
def test_schemes_are_symmetric(order: int, accuracy: int, edge_order: int) -> None:
    """The right edge is the left one, mirrored; odd derivatives change sign."""
    scheme = one_sided(order, accuracy, edge_order)
    sign = (-1) ** order
    for left, right in zip(scheme.formulas, reversed(scheme.formulas), strict=True):
        mirrored = {-k: sign * weight for k, weight in expanded(left).items()}
        assert {k: w for k, w in mirrored.items() if w} == {
            k: w for k, w in expanded(right).items() if w
        }


def test_the_centre_is_not_read() -> None:
    """A central first derivative is made of differences across the centre."""
    for accuracy in (2, 4, 6, 8):
        scheme = one_sided(1, accuracy, 1)
        interior = scheme.formulas[scheme.interior]
        assert all(0 not in pair for *pair, _ in interior.terms)


def test_there_is_one_scheme_for_the_same_arguments() -> None:
    """Compiled programs are kept by schemes, and schemes are equal by their recipes."""
    assert one_sided(1, 2, 1) is one_sided(1, 2, 1)
    assert one_sided(1, 2, 1) == _schemes.made(one_sided(1, 2, 1).recipe)
    assert one_sided(1, 2, 1) != one_sided(1, 2, 2)
    assert one_sided(1, 2, 1) != one_sided(1, 2, 1).recipe
    assert len({one_sided(1, 2, 1), _schemes.made(one_sided(1, 2, 1).recipe)}) == 1
    for first, second in pairwise(one_sided(1, 2, 2).formulas):
        assert first.stop == second.start


def test_odd_derivatives_have_the_same_formulas_on_coordinates() -> None:
    """Even ones lose an accuracy there, and so need a point more at either side."""
    ends = ("one_sided", "one_sided")
    odd, even = (
        _schemes.remembered(Recipe(order, 2, 1, *ends, uneven=True)) for order in (1, 2)
    )
    assert odd == one_sided(1, 2, 1)
    assert even != one_sided(2, 2, 1)
    assert even.interior == one_sided(2, 2, 1).interior + 1


def test_a_scheme_comes_back_from_a_pickle_as_itself() -> None:
    """The recipe travels, and what is made from it is looked up again."""
    scheme = _schemes.remembered(Recipe(1, 4, 2, "edge", "one_sided", uneven=False))
    assert pickle.loads(pickle.dumps(scheme)) is scheme
    other = _schemes.made(scheme.recipe)
    assert pickle.loads(pickle.dumps(other)) == other


def test_schemes_are_bounded() -> None:
    """More kinds than are remembered, and no more are there than that."""
    modes = (_boundaries.ONE_SIDED, *_boundaries.MODES)
    recipes = (
        [
            Recipe(order, accuracy, 1, left, right, uneven=False)
            for order, accuracy in ((1, 2), (1, 4), (2, 2), (2, 4), (3, 2), (3, 4))
            for left, right in itertools.product(modes, repeat=2)
            for _ in range(2)
        ]
        + [
            Recipe(1, 6, edge_order, left, left, uneven=False)
            for edge_order in range(1, 7)
            for left in modes
        ]
        + [
            Recipe(order, accuracy, edge_order, "one_sided", right, uneven=False)
            for order in (1, 2, 3, 4)
            for accuracy in (8, 10)
            for edge_order in range(1, 9)
            for right in ("one_sided", "edge")
        ]
        + [  # as where samples are missing: all of one formula
            Recipe(1, 2, edge_order, "one_sided", "edge", uneven=False, reach=(0, 1))
            for edge_order in range(1, _schemes.MOST_SCHEMES)
        ]
    )
    assert len(set(recipes)) > _schemes.MOST_SCHEMES
    for recipe in recipes:
        assert _schemes.remembered(recipe).points >= 1
        assert _schemes.remembered.cache_info().currsize <= _schemes.MOST_SCHEMES
