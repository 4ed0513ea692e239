"""What bad dims and edges get, word for word, and what goes for all that is refused."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

import anygrad
from backends import Backend
from refusals import matrix, refused, type_name

#: Python does not write as many digits.
LONG = 10**5000


@pytest.mark.parametrize(
    "name", ["spacing", "dim", "accuracy", "edge_order", "order", "boundary", "where"]
)
def test_ints_that_cannot_be_shown(library: Backend, name: str) -> None:
    for given in (LONG, -LONG, -LONG - 1):
        with pytest.raises((TypeError, ValueError, IndexError), match=r"^`") as caught:
            anygrad.derivative(matrix(library), **{name: given})
        assert "an int of 16610 bits" in str(caught.value)


def test_others_that_cannot_be_shown(library: Backend) -> None:
    for name, given, got in (
        ("spacing", Fraction(1, LONG), "Fraction"),
        ("order", range(LONG), "range"),
        ("order", [LONG], r"\[an int of 16610 bits\]"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` .*{got}"):
            anygrad.derivative(matrix(library), **{name: given})
    with pytest.raises(ValueError, match=r"^`workers` .* Got an int of 16610 bits"):
        anygrad.set_workers(-LONG)
    with pytest.raises(ValueError, match=r"^`offsets` .*`order=an int of 16610 bits`"):
        anygrad.stencil([0, 1], order=LONG)


# `dim` and `axis`.

NO_DIM = "`{word}` must be an int, or a list, tuple or range of ints. Got {got}."


@pytest.mark.parametrize("word", ["dim", "axis"])
@pytest.mark.parametrize(
    ("dim", "got"),
    [
        (True, "True"),
        (False, "False"),
        (1.0, "1.0"),
        ("0", "'0'"),
        ([0, None], "[0, None]"),
        ((0, 1.5), "(0, 1.5)"),
        ([True], "[True]"),
        ([[0]], "[[0]]"),
        (slice(2), "slice"),
    ],
    ids=repr,
)
def test_dim_is_no_integer(library: Backend, dim: object, got: str, word: str) -> None:
    message = NO_DIM.format(word=word, got=got)
    refused(TypeError, message, matrix(library), **{word: dim})


@pytest.mark.parametrize("word", ["dim", "axis"])
def test_dims_in_another_collection(library: Backend, word: str) -> None:
    for dims in ({0, 1}, {0: "y", 1: "x"}.keys()):
        got = NO_DIM.format(word=word, got=type(dims).__name__)
        message = f"{got} Convert it first, e.g. with `tuple`."
        refused(TypeError, message, matrix(library), **{word: dims})
        assert len(anygrad.gradient(matrix(library), **{word: tuple(dims)})) == 2


@pytest.mark.parametrize("word", ["dim", "axis"])
@pytest.mark.parametrize("dim", [True, 1.0, "x"], ids=repr)
def test_one_dim_that_is_no_integer(library: Backend, dim: object, word: str) -> None:
    """A derivative takes no list of them, which is refused."""
    message = f"`{word}` must be an int. Got {dim!r}."
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        anygrad.derivative(matrix(library), **{word: dim})


def test_what_holds_no_integers(library: Backend) -> None:
    """A list of it is refused as well."""
    message = NO_DIM.format(word="dim", got=type_name(matrix(library)))
    refused(TypeError, message, matrix(library), dim=matrix(library))


@pytest.mark.parametrize("word", ["dim", "axis"])
@pytest.mark.parametrize("dim", [2, -3, 10**30])
def test_no_such_dim(library: Backend, dim: int, word: str) -> None:
    message = (
        f"`{word}` must lie between -2 and 1 for a 2-dimensional `input`. Got {dim}."
    )
    refused(IndexError, message, matrix(library), **{word: dim})
    refused(IndexError, message, matrix(library), **{word: [0, dim]})


def test_a_dim_of_nothing(library: Backend) -> None:
    message = "`input` must have the dimension `dim` 0. Got shape ()."
    refused(IndexError, message, library.asarray(1.0), dim=0)


@pytest.mark.parametrize("dim", [[0, 0], (1, -1), [-2, 1, 0]], ids=repr)
@pytest.mark.parametrize("word", ["dim", "axis"])
def test_a_dim_named_twice(library: Backend, dim: object, word: str) -> None:
    message = (
        f"`{word}` must name each dimension once. Got {dim} for a 2-dimensional "
        "`input`."
    )
    refused(ValueError, message, matrix(library), **{word: dim})


@pytest.mark.parametrize(("dim", "axis"), [(0, 1), (0, 0), ([0], (1,))])
def test_both_dim_and_axis(library: Backend, dim: object, axis: object) -> None:
    message = (
        "`dim` and `axis` are two words for one argument. Got "
        f"dim={dim} and axis={axis}. Give one of them."
    )
    refused(TypeError, message, matrix(library), dim=dim, axis=axis)


# `edge_order`.


@pytest.mark.parametrize("edge_order", [0, -1, -(10**30)])
def test_edge_order_out_of_range(library: Backend, edge_order: int) -> None:
    """NumPy takes 0 and -1 for 2 (trap 8)."""
    message = f"`edge_order` must be a positive int or None. Got {edge_order}."
    refused(ValueError, message, matrix(library), edge_order=edge_order)


@pytest.mark.parametrize("edge_order", [1.5, 2.0, True, "2", [1]], ids=repr)
def test_edge_order_is_no_integer(library: Backend, edge_order: object) -> None:
    """NumPy takes 1.5 for 2 (trap 8)."""
    message = f"`edge_order` must be a positive int or None. Got {edge_order!r}."
    refused(TypeError, message, matrix(library), edge_order=edge_order)


@pytest.mark.parametrize(
    ("shape", "keywords", "text"),
    [
        ((1, 4), {}, "2 points along `dim` 0 for `edge_order=1`"),
        ((4, 1), {}, "2 points along `dim` 1 for `edge_order=1`"),
        ((4, 2), {"edge_order": 2}, "3 points along `dim` 1 for `edge_order=2`"),
        ((4, 9), {"edge_order": 4}, "5 points along `dim` 0 for `edge_order=4`"),
        ((0, 4), {"dim": -2}, "2 points along `dim` -2 for `edge_order=1`"),
        ((4, 1), {"axis": [0, 1]}, "2 points along `axis` 1 for `edge_order=1`"),
    ],
)
def test_too_few_points(
    library: Backend, shape: tuple[int, ...], keywords: dict[str, Any], text: str
) -> None:
    f = library.asarray([0.0] * (shape[0] * shape[1]), shape=shape)
    message = f"`input` must have at least {text}. Got shape {shape}."
    word = "axis" if "axis" in keywords else "dim"
    message += f" To leave this dim out, name others in `{word}`."
    refused(ValueError, message, f, **keywords)


def test_too_few_points_along_all_dims(library: Backend) -> None:
    f = library.asarray([0.0, 0.0], shape=(1, 2))
    message = "`input` must have at least 3 points along `dim` 0 for `edge_order=2`."
    refused(ValueError, f"{message} Got shape (1, 2).", f, edge_order=2)


# Whatever is refused.


def test_a_refused_call_changes_nothing(library: Backend) -> None:
    f, x = matrix(library), library.asarray([0, 1, 3, 7])
    spacing, dims = [1.0, x], [0, 1, 5]
    with pytest.raises(IndexError):
        anygrad.gradient(f, spacing=spacing, dim=dims)
    with pytest.raises(ValueError, match="coordinate per point"):
        anygrad.gradient(f, spacing=spacing, dim=[1, 0])
    assert spacing[0] == 1.0
    assert spacing[1] is x
    assert dims == [0, 1, 5]
    assert library.tolist(f) == library.tolist(matrix(library))
    assert library.tolist(x) == [0, 1, 3, 7]


def test_all_is_refused_before_anything_is_computed(library: Backend) -> None:
    """The last of many dims is wrong, and no time goes into the first ones."""
    f = library.asarray([0.0] * 8, shape=(2, 2, 2, 1))
    with pytest.raises(ValueError, match="along `dim` 3 for"):
        anygrad.gradient(f, dim=[0, 1, 2, 3])


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_arrays_are_no_ints(library: Backend, shape: tuple[int, ...]) -> None:
    """Their values are not looked at: Dask would compute them."""
    values = 1 if shape == () else [1] * shape[0]
    array = library.asarray(values, library.integer)
    shown = type_name(array)
    hint = " Convert it first, with `tolist()`." if hasattr(array, "tolist") else ""
    refused(
        TypeError,
        f"`dim` must be an int, or a list, tuple or range of ints. Got {shown}.{hint}",
        matrix(library),
        dim=array,
    )
    message = f"`dim` must be an int. Got {shown}.{'' if shape else hint}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        anygrad.derivative(matrix(library), dim=array)
    if hint and shape != (3,):  # which names one dim three times
        (result,) = anygrad.gradient(matrix(library), dim=array.tolist())
        (wanted,) = anygrad.gradient(matrix(library), dim=1)
        assert library.tolist(result) == library.tolist(wanted)
    refused(
        TypeError,
        f"`edge_order` must be a positive int or None. Got {shown}.",
        matrix(library),
        edge_order=array,
    )


def toy_without(monkeypatch: pytest.MonkeyPatch, beginning: str) -> Any:
    """Return a library that lacks what has names that begin so."""
    import toy_library

    everything = toy_library.Namespace.__getattr__

    def without(self: Any, name: str) -> Any:
        if name.startswith(beginning):
            raise AttributeError(name)
        return everything(self, name)

    monkeypatch.setattr(toy_library.Namespace, "__getattr__", without)
    return toy_library


def test_no_word_on_dtypes(
    array_api_strict: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Namespaces tell which dtypes they have since the standard of 2023 only."""
    import numpy

    toy = toy_without(monkeypatch, "__array_namespace_info__")
    f = toy.Array(array_api_strict.asarray([0, 1, 4, 9]))
    for given in (1.0, numpy.arange(4.0)):
        result = anygrad.derivative(f, spacing=given)
        assert result.dtype == array_api_strict.float64
        assert result.hidden._array.tolist() == [0, 2, 4, 6]
    grid = anygrad.lonlat(f, toy.namespace.asarray([10, 20]))
    assert grid["scale_factors"][0].dtype == array_api_strict.float64


def test_a_word_on_dtypes_that_is_refused(array_api_strict: Any) -> None:
    """array-api-strict has that, whichever year of the standard it is set to."""
    import numpy

    with array_api_strict.ArrayAPIStrictFlags(api_version="2022.12"):
        f = array_api_strict.asarray([0, 1, 4, 9], dtype=array_api_strict.int8)
        for given in (1.0, numpy.arange(4.0)):
            result = anygrad.derivative(f, spacing=given)
            assert result.dtype == array_api_strict.float64
            assert result._array.tolist() == [0, 2, 4, 6]
        grid = anygrad.lonlat(f, array_api_strict.asarray([10, 20]))
    assert grid["scale_factors"][0].dtype == array_api_strict.float64


def test_no_complex_numbers(
    array_api_strict: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some libraries have none; the standard's functions are complete without."""
    toy = toy_without(monkeypatch, "complex")
    f = toy.Array(array_api_strict.asarray([0.0, 1.0, 4.0]))
    refused(
        TypeError,
        "`spacing` must be real, because toy_library has no complex dtypes. Got 2j.",
        f,
        spacing=2j,
    )
    (result,) = anygrad.gradient(f, spacing=toy.namespace.asarray(2.0))
    assert result.hidden._array.tolist() == [0.5, 1, 1.5]
