"""Every remedy in a message works when it is followed to the letter."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest

import anygrad
from backends import Backend
from remedies import LINE, NODES, SLOPES, refusal


def test_anything_but_an_array(numpy: Any) -> None:
    message = refusal(lambda: anygrad.gradient(LINE), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(LINE))[0].tolist() == SLOPES


def test_lists_beyond_an_end(numpy: Any) -> None:
    f = numpy.asarray([LINE] * 2)
    values = [[1.0], [2.0]]
    for end in (lambda v: v, lambda v: ("ghosts", v)):
        call = partial(anygrad.derivative, f)
        message = refusal(partial(call, boundary=(end(values), "edge")), "boundary")
        assert "Convert it to an array first." in message
        result = call(boundary=(end(numpy.asarray(values)), "edge"))
        assert result[:, 0].tolist() == [0.0, -0.5]


def test_a_list_of_coordinates(numpy: Any) -> None:
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, spacing=NODES), "spacing")
    assert "Coordinates are an array, e.g. `[numpy.asarray(x)]`." in message
    (result,) = anygrad.gradient(f, spacing=[numpy.asarray(NODES)])
    assert result.tolist() == SLOPES


def test_a_mask_that_is_masked(numpy: Any) -> None:
    """What is not known of a mask is not valid."""
    f = numpy.asarray(LINE)
    where = numpy.ma.masked_array(f >= 0, mask=f == 25)
    message = refusal(lambda: anygrad.gradient(f, where=where), "where")
    assert "`filled(False)`" in message
    (result,) = anygrad.gradient(f, where=where.filled(False))
    assert result[:5].tolist() == [*SLOPES[:4], 7.0]
    assert numpy.isnan(result[5])


def test_a_stack_of_nothing(library: Backend) -> None:
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, dim=(), stack_dim=0), "stack_dim")
    assert "must be None" in message
    assert anygrad.gradient(f, dim=(), stack_dim=None) == ()


def test_both_dim_and_axis(library: Backend) -> None:
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, dim=0, axis=0), "dim")
    assert "Give one of them." in message
    for word in ("dim", "axis"):
        assert library.tolist(anygrad.gradient(f, **{word: 0})[0]) == SLOPES


def test_bare_coordinates_of_a_line(library: Backend) -> None:
    f, x = library.asarray(LINE), library.asarray(NODES)
    message = refusal(lambda: anygrad.gradient(f, spacing=x), "spacing")
    assert "`spacing=[x]`" in message
    assert library.tolist(anygrad.gradient(f, spacing=[x])[0]) == SLOPES


def test_bare_coordinates_of_several_dims(library: Backend) -> None:
    """One entry is not enough there, and the message does not lead to it."""
    f, x = library.asarray([LINE] * 6), library.asarray(NODES)
    message = refusal(lambda: anygrad.gradient(f, spacing=x), "spacing")
    assert "`spacing=[x]`" not in message
    assert "one entry per dim, 2 in all" in message
    for spacing in ([1, x], [x, x]):
        assert library.tolist(anygrad.gradient(f, spacing=spacing)[1]) == [SLOPES] * 6


def test_coordinates_in_a_list_of_numbers(library: Backend) -> None:
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, spacing=[NODES]), "spacing[0]")
    assert "Convert it to an array first." in message
    (result,) = anygrad.gradient(f, spacing=[library.asarray(NODES)])
    assert library.tolist(result) == SLOPES


def test_coordinates_of_a_circle(library: Backend) -> None:
    f, x = library.asarray([0.0, 1, 0, -1]), library.asarray([0.0, 1, 2, 3])
    call = anygrad.derivative
    message = refusal(lambda: call(f, spacing=x, boundary="periodic"), "boundary")
    assert "Write ('periodic', period)." in message
    result = call(f, spacing=x, boundary=("periodic", 4.0))
    assert library.tolist(result) == [1, 0, -1, 0]
    message = refusal(lambda: call(f, boundary=("periodic", 4.0)), "boundary")
    assert "write 'periodic'." in message
    assert library.tolist(call(f, boundary="periodic")) == [1, 0, -1, 0]


@pytest.mark.parametrize("boundary", ["periodic", ("periodic", 4.0)], ids=repr)
def test_circles_with_a_step_and_with_coordinates(
    library: Backend, boundary: Any
) -> None:
    """What is right along one dim is wrong along the other: each needs an entry."""
    f, x = library.asarray([[0.0, 1, 0, -1]] * 4), library.asarray([0.0, 1, 2, 3])
    message = refusal(
        lambda: anygrad.gradient(f, spacing=[1, x], boundary=boundary), "boundary"
    )
    assert "a list with one entry per dim" in message
    both = ["periodic", ("periodic", 4.0)]
    _, result = anygrad.gradient(f, spacing=[1, x], boundary=both)
    assert library.tolist(result) == [[1, 0, -1, 0]] * 4


def test_a_value_for_each_line(library: Backend) -> None:
    f, values = library.asarray([[0.0, 1, 4]] * 2), library.asarray([0.0, 2])
    message = refusal(lambda: anygrad.derivative(f, boundary=values), "boundary")
    assert "write e.g. `values[:, None]`" in message
    result = anygrad.derivative(f, boundary=(values[:, None], "edge"))
    assert library.tolist(result) == [[0.5, 2, 1.5], [-0.5, 2, 1.5]]


def test_samples_beyond_an_end(library: Backend) -> None:
    """One remedy after the other, until the call is right."""
    f, x = library.asarray([0.0, 1, 4]), library.asarray([0.0, 1, 2])
    before, places = library.asarray([2.0, 1]), library.asarray([-2.0, -1])
    call = anygrad.derivative
    message = refusal(lambda: call(f, spacing=x, boundary=before), "boundary")
    assert "write `('ghosts', samples)` for that end" in message
    ghosts: tuple[Any, ...] = ("ghosts", before)
    message = refusal(lambda: call(f, spacing=x, boundary=ghosts), "boundary")
    assert "Write a pair, e.g. `(('ghosts', samples), 'one_sided')`" in message
    pair: Any = (ghosts, "one_sided")
    message = refusal(lambda: call(f, spacing=x, boundary=pair), "boundary")
    assert "Write `('ghosts', samples, coordinates)`." in message
    pair = (("ghosts", before, places), "one_sided")
    result = call(f, spacing=x, boundary=pair)
    assert library.tolist(result)[:2] == [0, 2]
    message = refusal(lambda: call(f, boundary=pair), "boundary")
    assert "Write `('ghosts', samples)`." in message
    result = call(f, boundary=(ghosts, "one_sided"))
    assert library.tolist(result)[:2] == [0, 2]


def test_a_mask_that_is_no_array(library: Backend) -> None:
    f, mask = library.asarray(LINE), [True] * 5 + [False]
    message = refusal(lambda: anygrad.gradient(f, where=mask), "where")
    assert "Convert it to an array of the library of `input` first." in message
    where = library.make(mask, "bool", (6,))
    (result,) = anygrad.gradient(f, where=where)
    assert library.tolist(result)[:5] == [1, 2, 4, 6, 7]


def test_a_mask_of_numbers(library: Backend) -> None:
    f, where = library.asarray(LINE), library.asarray([1, 1, 1, 1, 1, 0], "int32")
    message = refusal(lambda: anygrad.gradient(f, where=where), "where")
    assert "Compare first, e.g. `where != 0`." in message
    (result,) = anygrad.gradient(f, where=where != 0)
    assert library.tolist(result)[:5] == [1, 2, 4, 6, 7]


def test_a_mask_of_indices(library: Backend, numpy: Any) -> None:
    f, indices = library.asarray(LINE), [0, 1, 2, 3, 4]
    mask = numpy.zeros(f.shape, bool)
    mask[indices] = True
    array = library.asarray(indices, library.integer)
    for where in (indices, array, (array,), (numpy.asarray(indices),), slice(0, 5)):
        message = refusal(lambda where=where: anygrad.gradient(f, where=where), "where")
        assert "`mask = numpy.zeros(input.shape, bool)`" in message
        assert "`mask[indices] = True`" in message
    (result,) = anygrad.gradient(f, where=mask)
    assert library.tolist(result)[:5] == [1, 2, 4, 6, 7]


def test_a_mask_by_a_word(library: Backend) -> None:
    f = library.asarray([*LINE[:5], math.nan])
    message = refusal(lambda: anygrad.gradient(f, where="valid"), "where")
    assert "e.g. `input == input` where NaN marks what is missing" in message
    (result,) = anygrad.gradient(f, where=f == f)  # noqa: PLR0124
    assert library.tolist(result)[:5] == [1, 2, 4, 6, 7]


def test_one_step_in_a_list(library: Backend) -> None:
    """It might be the step of one dim whose others are forgotten."""
    f = library.asarray([LINE, LINE])
    message = refusal(lambda: anygrad.gradient(f, spacing=[2.0]), "spacing")
    assert "give it without a list" in message
    for result, wanted in zip(
        anygrad.gradient(f, spacing=2.0),
        anygrad.gradient(f, spacing=[2.0, 2.0]),
        strict=True,
    ):
        assert library.tolist(result) == library.tolist(wanted)


def test_a_batch_of_one(library: Backend) -> None:
    """Images of torch have dims of a batch and of channels before those of space."""
    f = library.asarray([LINE] * 6, shape=(1, 1, 6, 6))
    message = refusal(lambda: anygrad.laplacian(f), "input")
    assert message.endswith("To leave this dim out, name others in `dim`.")
    assert tuple(anygrad.laplacian(f, dim=(-2, -1)).shape) == (1, 1, 6, 6)


def test_references(jax: Any) -> None:
    """They are JAX's arrays that may be written to."""
    if not hasattr(jax, "new_ref"):
        pytest.skip("this JAX names them otherwise")
    held = jax.new_ref(jax.numpy.asarray(LINE))
    for parameter, call in (
        ("input", lambda: anygrad.gradient(held)),
        ("spacing[0]", lambda: anygrad.gradient(held[...], spacing=[held])),
    ):
        assert "with `array[...]`" in refusal(call, parameter)
    (result,) = anygrad.gradient(held[...])
    assert result.tolist() == SLOPES
