"""What bad dims of vectors and bad components of fields get, word for word."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from backends import Backend
from word_for_word import refused


@pytest.mark.parametrize(
    ("error", "function", "keywords", "message"),
    [
        (
            ValueError,
            anygrad.laplacian,
            {"dim": ()},
            "`dim` must name at least one dimension. Got none.",
        ),
        (
            TypeError,
            anygrad.curl,
            {"vector_dim": 0.0},
            "`vector_dim` must be an int. Got 0.0.",
        ),
        (
            IndexError,
            anygrad.divergence,
            {"vector_dim": 3},
            "`vector_dim` must name a dimension of `input`, which has 3. Got 3.",
        ),
        (
            ValueError,
            anygrad.divergence,
            {"dim": [1]},
            (
                "`input` must have one component per dim along `vector_dim` "
                "0, 1 in all. "
                "Got shape (3, 4, 5)."
            ),
        ),
        (
            ValueError,
            anygrad.jacobian,
            {"dim": [0, 1]},
            (
                "`dim` must not name `vector_dim`. Got 0 for both. The components of a "
                "field have no distance from each other."
            ),
        ),
        (
            ValueError,
            anygrad.curl,
            {"axis": 1},
            "`axis` must name two or three dims for a curl. Got 1.",
        ),
    ],
)
def test_vectors(
    library: Backend,
    error: type[Exception],
    function: Any,
    keywords: Any,
    message: str,
) -> None:
    f = library.asarray([[[1, 2, 4, 8, 16]] * 4] * 3)
    refused(error, message, function, f, keywords)


def test_a_field_without_components(library: Backend) -> None:
    f = library.asarray([], shape=(0, 4))
    refused(
        ValueError,
        "`input` must have components along `vector_dim` 0. Got shape (0, 4).",
        anygrad.jacobian,
        f,
        {},
    )


def test_constants_of_a_complex_field(library: Backend) -> None:
    f = library.asarray([1, 2, 4], library.complex)
    result = anygrad.derivative(f, boundary=(2j, 0))
    assert library.tolist(result) == [1 - 1j, 1.5, -1]
