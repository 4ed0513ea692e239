"""Edges of any order, and dims by a range."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import anygrad
from backends import Backend


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize(("order", "edge_order"), [(1, 1), (1, 3), (1, 6), (2, 4)])
def test_polynomials_are_exact_at_the_edge(
    library: Backend, order: int, edge_order: int, uneven: bool
) -> None:
    """Those of the degree ``edge_order + order - 1``, and none of the next."""
    x = [0, 1, 3, 4, 6, 7, 8, 10] if uneven else list(range(8))
    x = [Fraction(a, 8) for a in x]
    for degree in (edge_order + order - 1, edge_order + order):
        f = library.asarray([float(a**degree) for a in x])
        spacing: Any = library.asarray([float(a) for a in x]) if uneven else 0.125
        result = anygrad.derivative(
            f, spacing=spacing, order=order, edge_order=edge_order
        )
        first = library.tolist(result)[0]
        wanted = {1: float(degree == 1), 2: 2.0 * (degree == 2)}[order]
        is_exact = abs(first - wanted) < 1e-4
        assert is_exact == (degree < edge_order + order)


def test_none_is_the_default(library: Backend) -> None:
    f = library.asarray([[0, 1, 4, 2], [1, 5, 3, 7], [2, 2, 9, 4]])
    for given, usual in zip(
        anygrad.gradient(f, edge_order=None), anygrad.gradient(f), strict=True
    ):
        assert library.tolist(given) == library.tolist(usual)
    assert library.tolist(anygrad.laplacian(f, edge_order=None, dim=1)) == (
        library.tolist(anygrad.laplacian(f, edge_order=2, dim=1))
    )


def test_a_range_of_dims(library: Backend) -> None:
    f = library.asarray([[[0, 1, 4], [1, 5, 3]], [[2, 2, 9], [8, 6, 1]]])
    for _ in range(2):
        given = anygrad.gradient(f, dim=range(2, -1, -2))
        wanted = anygrad.gradient(f, dim=(2, 0))
        assert list(map(library.tolist, given)) == list(map(library.tolist, wanted))
    total = anygrad.laplacian(f, axis=range(2, 3), edge_order=1, boundary="edge")
    assert tuple(total.shape) == tuple(f.shape)
    with pytest.raises(TypeError, match=r"^`dim` must be one int. Got range\(0, 2\)."):
        anygrad.derivative(f, dim=range(2))
