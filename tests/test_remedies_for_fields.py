"""Remedies for vector fields and on curved coordinates, followed to the letter."""

from __future__ import annotations

import re
from typing import Any

import pytest

import anygrad
from backends import Backend
from remedies import LINE, SLOPES, refusal

DOORS = [anygrad.divergence, anygrad.curl, anygrad.jacobian]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_too_few_points_of_a_field(library: Backend, door: Any) -> None:
    field = library.asarray([[[1.0] * 2] * 9] * 2)
    message = refusal(lambda: door(field), "input")
    assert "along `dim` 2 " in message
    assert message.endswith("Got shape (2, 9, 2).")
    field = library.asarray([[[1.0] * 2] * 2] * 9)
    message = refusal(lambda: door(field, vector_dim=-1, axis=(0, -2)), "input")
    assert "along `axis` -2 " in message
    assert message.endswith("Got shape (9, 2, 2).")


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_coordinates_of_a_field(library: Backend, door: Any) -> None:
    """Dims are counted in the field; one point more, or one dim too many."""
    field = library.asarray([[[1.0] * 5] * 4] * 2)
    x = library.asarray([0.0, 1, 2, 3])
    message = refusal(lambda: door(field, spacing=[1, x]), "spacing[1]")
    assert "along dimension 2 of `input`, 5 in all" in message
    per_point = library.asarray([[0.0, 1, 2, 3, 4]] * 3)
    message = refusal(lambda: door(field, spacing=[1, per_point]), "spacing[1]")
    assert "(2, 4, 5)" in message
    whole = library.asarray([[[0.0, 1, 2, 3, 4]] * 4] * 2)
    message = refusal(lambda: door(field, spacing=[1, whole]), "spacing[1]")
    assert "2 dimensions as `input`" not in message
    assert "component" in message


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_periods_of_a_field(library: Backend, door: Any) -> None:
    field = library.asarray([[[1.0] * 5] * 4] * 2)
    x = library.asarray([0.0, 1, 2, 3, 4])
    circle = ["edge", "periodic"]
    message = refusal(lambda: door(field, spacing=[1, x], boundary=circle), "boundary")
    assert "along dimension 2 of `input`" in message
    circle = ["edge", ("periodic", 5.0)]
    message = refusal(lambda: door(field, boundary=circle), "boundary")
    assert "along dimension 2 of `input`" in message


def test_one_factor_for_several_dims(numpy: Any) -> None:
    f, h = numpy.asarray([LINE] * 4), numpy.full((4, 1), 2.0)
    call = anygrad.gradient
    message = refusal(lambda: call(f, scale_factors=h), "scale_factors")
    assert "repeat it: `scale_factors=[h, h]`" in message
    assert (call(f, scale_factors=[h, h])[1] == numpy.asarray(SLOPES) / 2).all()


def test_factors_that_do_not_say_where_they_lie(numpy: Any) -> None:
    f, h = numpy.asarray([LINE] * 6), numpy.full(6, 2.0)
    call = anygrad.laplacian
    message = refusal(lambda: call(f, scale_factors=[1.0, h]), "scale_factors[1]")
    assert "with `h[:, None]` for the last but one" in message
    assert (call(f, scale_factors=[1.0, h[:, None]]) == call(f) / 4).all()


def test_covariant_derivatives(numpy: Any) -> None:
    """All four that the message names take factors."""
    f = numpy.asarray([LINE] * 6)
    keywords = {"scale_factors": [1.0, 2.0]}
    message = refusal(lambda: anygrad.hessian(f, **keywords), "scale_factors")
    names = re.findall("`([a-z]+)`", message.partition(" Call ")[2])
    assert names == ["gradient", "divergence", "curl", "laplacian"]
    for name in names:
        is_scalar = name in ("gradient", "laplacian")
        getattr(anygrad, name)(f if is_scalar else numpy.stack([f, f]), **keywords)


def test_coordinates_per_point(numpy: Any) -> None:
    """The message says what to give instead, and that works."""
    latitude = numpy.linspace(0.0, 1.0, 6)[:, None] + numpy.zeros(6)
    message = refusal(lambda: anygrad.lonlat(1.0, latitude), "latitude")
    assert "give `scale_factors` yourself" in message
    h = numpy.cos(latitude)
    (slope,) = anygrad.gradient(latitude, dim=0, spacing=0.2, scale_factors=[h])
    assert numpy.allclose(slope, 1 / h)
