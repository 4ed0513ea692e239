"""Remedies for numbers that are none, or are written otherwise, to the letter."""

from __future__ import annotations

import ctypes
import datetime
import importlib
import re
from array import array
from collections import deque
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

import anygrad
from backends import Backend
from remedies import LINE, NODES, SLOPES, refusal

LENGTH = datetime.timedelta(seconds=6)


@pytest.mark.parametrize(
    ("value", "remedy", "made"),
    [
        (LENGTH, "`total_seconds()`", LENGTH.total_seconds()),
        (Decimal(6), "`float`", float(Decimal(6))),
    ],
    ids=["timedelta", "Decimal"],
)
def test_numbers_that_are_none(
    library: Backend, value: Any, remedy: str, made: float
) -> None:
    """As a step, a period, and a value beyond an end."""
    f, x = library.asarray(LINE), library.asarray(NODES)
    for parameter, call in (
        ("spacing", lambda v: anygrad.gradient(f, spacing=v)),
        ("spacing[0]", lambda v: anygrad.gradient(f, spacing=[v])),
        ("boundary", lambda v: anygrad.gradient(f, boundary=(v, "edge"))),
        (
            "boundary",
            lambda v: anygrad.gradient(f, spacing=[x], boundary=("periodic", v)),
        ),
    ):
        assert remedy in refusal(partial(call, value), parameter)
        call(made)


def test_a_step_in_an_array_of_one(library: Backend) -> None:
    f, step = library.asarray(LINE), library.asarray([2.0])
    message = refusal(lambda: anygrad.derivative(f, spacing=step), "spacing")
    assert "For a step, give it as a number." in message
    result = anygrad.derivative(f, spacing=float(step[0]), edge_order=1)
    assert library.tolist(result) == [slope / 2 for slope in SLOPES]


def test_a_complex_value_beyond_real_samples(library: Backend) -> None:
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, boundary=2j), "boundary")
    assert "Convert `input` to a complex dtype first." in message
    g = library.asarray(LINE, library.complex)
    (result,) = anygrad.gradient(g, boundary=2j)
    assert library.tolist(result)[0] == (1 - 2j) / 2


def test_a_step_out_of_range(library: Backend) -> None:
    f = library.asarray(LINE, "float32")
    call = anygrad.derivative
    message = refusal(lambda: call(f, spacing=1e-160, order=2), "spacing")
    assert "Convert `input` to a wider dtype, or scale the steps." in message
    scaled = call(f, spacing=1e-10, order=2)
    assert library.tolist(scaled) == pytest.approx([2e20] * 6, rel=1e-5)
    if "float64" in library.dtypes:
        wide = library.asarray([value * 1e-100 for value in LINE], "float64")
        result = library.tolist(call(wide, spacing=1e-140, order=2))
        assert result == pytest.approx([2e180] * 6, rel=1e-12)


@pytest.mark.parametrize("accuracy", [-1, 0, 1, 3, 5])
def test_accuracies_between_two(library: Backend, accuracy: int) -> None:
    """Each of those that are named is one, for all functions."""
    f = library.asarray([[float(k * n) for k in range(9)] for n in range(9)])
    for call in (anygrad.gradient, anygrad.derivative, anygrad.laplacian):
        message = refusal(lambda call=call: call(f, accuracy=accuracy), "accuracy")
        named = message.rpartition(": take ")[2].rstrip(".").split(" or ")
        assert named
        for number in named:
            call(f, accuracy=int(number))


def test_offsets_of_floats(numpy: Any) -> None:
    offsets = [-0.5, 0.0, 0.5]
    message = refusal(lambda: anygrad.stencil(offsets), "offsets")
    assert "with `fractions.Fraction`, or put them into an array" in message
    assert anygrad.stencil([Fraction(offset) for offset in offsets]) == (-1, 0, 1)
    assert anygrad.stencil(numpy.asarray(offsets)).tolist() == [-1, 0, 1]


@pytest.mark.parametrize("kind", ["array", "deque"])
def test_sequences_that_are_no_lists(numpy: Any, kind: str) -> None:
    """They become arrays as lists do."""
    line: Any = array("d", LINE) if kind == "array" else deque(LINE)
    message = refusal(lambda: anygrad.gradient(line), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(line))[0].tolist() == SLOPES
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.derivative(f, boundary=line), "boundary")
    assert "Convert it to an array first." in message


@pytest.mark.parametrize("kind", ["generator", "map", "values", "keys", "set"])
def test_what_is_asked_for_one_by_one(numpy: Any, kind: str) -> None:
    """Of it, NumPy would make an array of one object."""

    def made() -> Any:
        whole = {value: value for value in LINE}
        return {
            "generator": (value for value in LINE),
            "map": map(float, LINE),
            "values": whole.values(),
            "keys": whole.keys(),
            "set": set(LINE),
        }[kind]

    f = numpy.asarray(LINE)
    for parameter, call in (
        ("input", lambda: anygrad.gradient(made())),
        ("spacing", lambda: anygrad.derivative(f, spacing=made())),
        ("spacing[0]", lambda: anygrad.gradient(f, spacing=[made()])),
    ):
        message = refusal(call, parameter)
        assert "Convert it first, e.g. with `numpy.asarray(list(values))`." in message
    whole = numpy.asarray(list(made()))
    assert sorted(whole.tolist()) == LINE
    anygrad.gradient(whole)


def test_numbers_of_c(numpy: Any) -> None:
    line = (ctypes.c_double * 6)(*LINE)
    message = refusal(lambda: anygrad.gradient(line), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(line))[0].tolist() == SLOPES


def test_numbers_in_a_list(library: Backend) -> None:
    """As losses are collected, step by step."""
    one = library.asarray(1.0, shape=())
    message = refusal(lambda: anygrad.gradient([one * v for v in LINE]), "input")
    _, name = re.findall(r"`([\w.]+)`", message)
    if name == "numpy.asarray":
        return  # NumPy's own numbers
    module, _, function = name.rpartition(".")
    stack = getattr(importlib.import_module(module), function)
    (result,) = anygrad.gradient(stack([one * v for v in LINE]))
    assert library.tolist(result) == SLOPES


def test_a_number_that_is_written_otherwise(library: Backend) -> None:
    """As text that was read from a file."""
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, spacing="2.0"), "spacing")
    assert "e.g. with `float`" in message
    (result,) = anygrad.gradient(f, spacing=float("2.0"))
    assert library.tolist(result) == [slope / 2 for slope in SLOPES]


def test_constants_of_sympy(library: Backend) -> None:
    sympy = pytest.importorskip("sympy")
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, spacing=2 * sympy.pi), "spacing")
    assert "e.g. with `float`" in message
    anygrad.gradient(f, spacing=float(2 * sympy.pi))
    symbol = sympy.Symbol("h")  # is none
    message = refusal(lambda: anygrad.gradient(f, spacing=symbol), "spacing")
    assert "float" not in message


def test_text_becomes_no_array(numpy: Any) -> None:
    for text in ("abc", b"abc", bytearray(b"abc")):
        assert "Convert" not in refusal(lambda t=text: anygrad.gradient(t), "input")


def test_numbers_are_shown_by_their_values(numpy: Any) -> None:
    """Not by their classes, which say nothing of what is wrong with them."""
    f, twice = numpy.ones((3, 4)), [numpy.int64(-1), numpy.int64(1)]
    message = refusal(lambda: anygrad.gradient(f, dim=twice), "dim")
    assert f"Got {twice!r}" in message
    field, place = numpy.ones((3, 4, 5)), numpy.int8(-1)
    message = refusal(lambda: anygrad.curl(field, vector_dim=place), "input")
    assert f"`vector_dim` {place!r}" in message


def test_a_dtype_of_many_letters(numpy: Any) -> None:
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, dtype="x" * 9999), "dtype")
    assert len(message) < 300
