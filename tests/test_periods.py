"""Periods beside coordinates: those that are refused, and those as long as the span."""

from __future__ import annotations

import math
import warnings

import pytest

import anygrad
from backends import Backend
from word_for_word import refused


def test_periods_of_coordinates(library: Backend) -> None:
    f = library.asarray([[1, 2, 4, 8]] * 3)
    x = library.asarray([0, 1, 2, 3])
    refused(
        ValueError,
        "`boundary` must have the period of the coordinates along dimension 1 of "
        "`input`. Got 'periodic'. Write ('periodic', period). Leave out a last point "
        "that repeats the first one. For steps along some dims only, write a list with "
        "one entry per dim.",
        anygrad.derivative,
        f,
        {"spacing": x, "boundary": "periodic"},
    )
    z = library.asarray([0, 1, 2, 3], library.complex)
    refused(
        ValueError,
        "`boundary` must not be periodic for complex coordinates, along dimension 1 of "
        "`input`. Got 9.0. A period is a length.",
        anygrad.derivative,
        f,
        {"spacing": z, "boundary": ("periodic", 9.0)},
    )
    zero = library.asarray(1.0, shape=())
    with pytest.raises(ValueError, match=r"^`boundary` must not have a period for a"):
        anygrad.derivative(f, spacing=zero, boundary=("periodic", 9.0))


def test_a_period_shorter_than_the_span(backend: Backend) -> None:
    """It is not compared with the coordinates: the formula takes it as it is.

    The first point is its own right neighbour's left one, so the step there has the
    other sign, and the derivatives next to it have no meaning; all others are right.
    What was called before, with a period or coordinates that fit, does not matter.
    """
    f, x = backend.asarray([1, 2, 4, 8]), [3, 2, 1, 0]
    for period, scale, wanted in [
        (4.0, 1, [3, -1.5, -3, 1.5]),
        (2.5, 1, [-27, -1.5, -3, -24]),
        (5.0, 2, [-13.5, -0.75, -1.5, -12]),
        (4.0, 1, [3, -1.5, -3, 1.5]),
        (2.5, 1, [-27, -1.5, -3, -24]),
    ]:
        coordinates = backend.asarray([scale * place for place in x])
        result = anygrad.derivative(
            f, spacing=coordinates, boundary=("periodic", period)
        )
        backend.check((result,), [wanted], like=f)


def test_a_period_as_long_as_the_span(backend: Backend) -> None:
    """The last point lies where the first one lies: no derivative there is finite."""
    f, x = backend.asarray([1, 2, 4, 8]), backend.asarray([3, 2, 1, 0])
    with warnings.catch_warnings():
        if backend.library != "numpy":  # what computes with NumPy may warn
            warnings.simplefilter("ignore", RuntimeWarning)
        result = anygrad.derivative(f, spacing=x, boundary=("periodic", 3.0))
        first, *middle, last = backend.tolist(result)
    assert middle == [-1.5, -3]
    assert not math.isfinite(first)
    assert not math.isfinite(last)


def test_no_points_have_no_span(library: Backend) -> None:
    f = library.asarray([], shape=(4, 0))
    x = library.asarray([], shape=(4, 0))
    keywords = {"dim": 0, "spacing": x, "boundary": ("periodic", 3)}
    assert tuple(anygrad.derivative(f, **keywords).shape) == (4, 0)
