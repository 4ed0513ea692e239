"""What bad orders, accuracies, boundaries and dims get, word for word."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from backends import Backend
from word_for_word import MODES, refused


@pytest.mark.parametrize(
    ("error", "keywords", "message"),
    [
        (TypeError, {"order": 1.5}, "`order` must be a positive int. Got 1.5."),
        (TypeError, {"order": True}, "`order` must be a positive int. Got True."),
        (ValueError, {"order": 0}, "`order` must be a positive int. Got 0."),
        (
            TypeError,
            {"accuracy": 2.0},
            "`accuracy` must be an even int, 2 or more. Got 2.0.",
        ),
        (
            ValueError,
            {"accuracy": 3},
            (
                "`accuracy` must be an even int, 2 or more. Got 3. Central "
                "formulas have "
                "even accuracies only: take 2 or 4."
            ),
        ),
        (
            ValueError,
            {"accuracy": 0},
            (
                "`accuracy` must be an even int, 2 or more. Got 0. Central "
                "formulas have "
                "even accuracies only: take 2."
            ),
        ),
        (  # before any formula is made: that would take for ever
            ValueError,
            {"accuracy": 10**9},
            (
                "`input` must have at least 1000000001 points along `dim` -1 for "
                "`accuracy=1000000000`, `edge_order=1000000000`. Got shape (4, 5)."
            ),
        ),
        (
            ValueError,
            {"accuracy": 4, "edge_order": 0},
            "`edge_order` must be a positive int or None. Got 0.",
        ),
        (
            TypeError,
            {"accuracy": 4, "edge_order": 1.0},
            "`edge_order` must be a positive int or None. Got 1.0.",
        ),
        (
            TypeError,
            {"dim": [0, 1]},
            ("`dim` must be one int. Got [0, 1]. Call `gradient` for several dims."),
        ),
        (
            TypeError,
            {"axis": (1,)},
            "`axis` must be one int. Got (1,). Call `gradient` for several dims.",
        ),
        (
            TypeError,
            {"dim": 0, "axis": 1},
            (
                "`dim` and `axis` are two words for one argument. Got dim=0 "
                "and axis=1. "
                "Give one of them."
            ),
        ),
        (
            TypeError,
            {"boundary": ["edge"]},
            (
                "`boundary` must be one mode or a pair of them. Got ['edge']. Lists "
                "are for several dims."
            ),
        ),
        (
            ValueError,
            {"boundary": "wrap"},
            (
                f"`boundary` must be one of {MODES}, or a number or an array. "
                "Got 'wrap'. Do you mean 'periodic'?"
            ),
        ),
        (
            TypeError,
            {"boundary": None},
            (
                f"`boundary` must be one of {MODES}, or a number or an array. "
                "Got None. Write 'one_sided', the default."
            ),
        ),
        (
            TypeError,
            {"boundary": ("edge", True)},
            f"`boundary` must be one of {MODES}, or a number or an array. Got True.",
        ),
        (
            TypeError,
            {"boundary": 1j},
            (
                "`boundary` must be real for a real `input`. Got 1j. Convert "
                "`input` to a "
                "complex dtype first."
            ),
        ),
        (
            ValueError,
            {"boundary": ("edge", "edge", "edge")},
            (
                "`boundary` must be a mode, a pair (left, right) of them, or "
                "('periodic', "
                "period). Got ('edge', 'edge', 'edge')."
            ),
        ),
        (
            ValueError,
            {"boundary": (("periodic", 3.0), "edge")},
            (
                "`boundary` must be a mode, a pair (left, right) of them, or "
                "('periodic', period). Got (('periodic', 3.0), 'edge')."
            ),
        ),
        (
            ValueError,
            {"boundary": ("edge", "periodic")},
            (
                "`boundary` must be 'periodic' at both ends or at none. "
                "Got ('edge', 'periodic')."
            ),
        ),
        (
            ValueError,
            {"boundary": ("periodic", 3.0)},
            (
                "`boundary` must not have a period for a step, along dimension 1 of "
                "`input`. Got 3.0. The period is the step times the number of points: "
                "write 'periodic'. Leave out a last point that repeats the first one. "
                "For steps along some dims only, write a list with one entry per dim."
            ),
        ),
        (
            TypeError,
            {"boundary": ("periodic", None)},
            "`boundary` must have a real number or an array as its period. Got None.",
        ),
        (
            ValueError,
            {"boundary": ("periodic", -360.0)},
            (
                "`boundary` must have a positive, finite period. Got -360.0. It is a "
                "length: it has no sign, even where the coordinates descend."
            ),
        ),
        (
            ValueError,
            {"order": 3, "accuracy": 4},
            (
                "`input` must have at least 7 points along `dim` -1 for a derivative "
                "of order 3, `accuracy=4`, `edge_order=4`. Got shape (4, 5)."
            ),
        ),
        (
            ValueError,
            {"boundary": ("edge", "one_sided"), "accuracy": 10, "edge_order": 1},
            (
                "`input` must have at least 10 points along `dim` -1 for "
                "`accuracy=10`, `edge_order=1`. Got shape (4, 5)."
            ),
        ),
        (
            ValueError,
            {"order": 2, "spacing": 1e300},
            (
                "`spacing` must be in the range of the dtype that `input` is "
                "differentiated in, {dtype}. Got 1e+300. Convert `input` to a wider "
                "dtype, or scale the steps."
            ),
        ),
    ],
)
def test_derivative(
    library: Backend, error: type[Exception], keywords: Any, message: str
) -> None:
    f = library.asarray([[1, 2, 4, 8, 16]] * 4, "float32")
    message = message.replace("{dtype}", str(f.dtype))
    refused(error, message, anygrad.derivative, f, keywords)


def test_arrays_as_boundaries(library: Backend) -> None:
    """They are values for each line, so that those of each point are none."""
    f = library.asarray([1, 2, 4, 8])
    for ends in (f, (f, f), (f, "edge"), ("edge", f), [f]):
        with pytest.raises(
            ValueError,
            match=r"^`boundary` must be a scalar or broadcastable to `input`",
        ):
            anygrad.gradient(f, boundary=ends)


@pytest.mark.parametrize(
    ("error", "keywords", "message"),
    [
        (
            ValueError,
            {"boundary": ["edge"]},
            (
                "`boundary` must be one mode, or a list with one entry per "
                "dim, 2 in all. "
                "Got 1."
            ),
        ),
        (
            ValueError,
            {"boundary": ("edge", 2.0)},
            (
                "`boundary` must not be a bare pair for 2 dims. Got ('edge', 2.0). For "
                "the left and the right end of every dim, write `[('edge', 2.0)] * 2`; "
                "for one entry per dim, `['edge', 2.0]`."
            ),
        ),
        (
            ValueError,
            {"boundary": ("edge", "edge", "edge")},
            (
                "`boundary` must be a mode, a pair (left, right) of them, or "
                "('periodic', period). Got ('edge', 'edge', 'edge'). For one entry per "
                "dim, write a list."
            ),
        ),
        (
            ValueError,
            {"boundary": "eedge"},
            (
                f"`boundary` must be one of {MODES}, or a number or an array. "
                "Got 'eedge'. Do you mean 'edge'?"
            ),
        ),
        (
            ValueError,
            {"boundary": ["edge", "Wrap"]},
            (
                f"`boundary[1]` must be one of {MODES}, or a number or an array. "
                "Got 'Wrap'. Do you mean 'periodic'?"
            ),
        ),
        (TypeError, {"stack_dim": "0"}, "`stack_dim` must be an int. Got '0'."),
        (
            IndexError,
            {"stack_dim": 3},
            "`stack_dim` must lie between -3 and 2 for a 2-dimensional `input`. Got 3.",
        ),
        (
            ValueError,
            {"stack_dim": 0, "dim": ()},
            "`stack_dim` must be None where there is nothing to stack. Got no dims.",
        ),
    ],
)
def test_gradient(
    library: Backend, error: type[Exception], keywords: Any, message: str
) -> None:
    f = library.asarray([[1, 2, 4, 8]] * 3)
    refused(error, message, anygrad.gradient, f, keywords)


def test_steps_whose_powers_are_out_of_range(library: Backend) -> None:
    """Their factors divide one by one."""
    f = library.asarray([0, 1e-30, 4e-30, 9e-30], "float32")
    result = anygrad.derivative(f, spacing=1e-25, order=2)
    assert library.tolist(result) == pytest.approx([2e20] * 4, rel=1e-5)
