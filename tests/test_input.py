"""What a bad `input` gets, word for word."""

from __future__ import annotations

import re
import sys
import types
from fractions import Fraction
from typing import Any

import pytest

import anygrad
from backends import Backend
from refusals import BY_ASARRAY, NO_ARRAY, NUMBERS, NUMERIC, cast, matrix, refused

# The input.


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ([1.0, 2.0], "list"),
        ((1.0, 2.0), "tuple"),
        (range(4), "range"),
        (3.0, "float"),
        (3, "int"),
        (2j, "complex"),
        (True, "bool"),
        (memoryview(b"abc"), "memoryview"),
        (Fraction(1, 2), "fractions.Fraction"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_input_is_no_array(value: object, got: str) -> None:
    """Nothing is converted: in which library would the result be (trap 18)?"""
    refused(TypeError, BY_ASARRAY.format(name="input", got=got), value)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "NoneType"),
        ("abc", "str"),
        (b"abc", "bytes"),
        ({}, "dict"),
        (object(), "object"),
        (re, "module"),
    ],
    ids=["None", "str", "bytes", "dict", "object", "module"],
)
def test_input_is_nothing_that_becomes_an_array(value: object, got: str) -> None:
    refused(TypeError, NO_ARRAY.format(name="input", got=got), value)


def test_input_is_missing() -> None:
    with pytest.raises(TypeError, match=r"missing 1 required positional .* 'input'"):
        anygrad.gradient()


def test_all_but_the_input_go_by_name(library: Backend) -> None:
    """So that steps and coordinates are never taken for each other (trap 26)."""
    with pytest.raises(TypeError, match="takes 1 positional argument but 2"):
        anygrad.gradient(matrix(library), 2.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'periodic'"):
        anygrad.gradient(matrix(library), periodic=True)  # trap 6


def test_bool_samples(library: Backend) -> None:
    """bool has no differences (trap 28)."""
    f = matrix(library) > 2
    got = NUMERIC.format(got=f.dtype)
    refused(TypeError, f"`input` {got} {NUMBERS.format(cast(library))}", f)


#: How what is made of numbers becomes these, by the first letters of its dtype.
REMEDIES = {
    "datetime": "Convert it first, e.g. to `(t - t[0]) / numpy.timedelta64(1, 's')`.",
    "timedelt": "Convert it first, e.g. to `t / numpy.timedelta64(1, 's')`.",
    "object": (
        "Convert it to numbers first, e.g. with `astype(float)`; arrays in it with "
        "`numpy.stack`, dates with "
        "`(t - t[:1]).astype('m8[us]') / numpy.timedelta64(1, 's')`, uncertainties "
        "with `unumpy.nominal_values`."
    ),
    "[('a', '": "Pass one of its fields, e.g. `array['a']`.",
}


@pytest.mark.parametrize(
    ("values", "dtype", "shown"),
    [
        ([1, None], "object", "object"),
        (["a", "b"], "U1", "<U1"),
        ([b"a", b"b"], "S1", "|S1"),
        ([1, 2], "M8[D]", "datetime64[D]"),
        ([1, 2], "m8[s]", "timedelta64[s]"),
        ([(1.0,), (2.0,)], [("a", "f4")], "[('a', '<f4')]"),
    ],
    ids=["object", "string", "bytes", "datetime", "timedelta", "structured"],
)
@pytest.mark.parametrize("place", ["input", "spacing"])
def test_numpy_dtypes_that_are_no_numbers(
    numpy: Any, values: list[object], dtype: Any, shown: str, place: str
) -> None:
    array = numpy.asarray(values, dtype=dtype)
    got = NUMERIC.format(got=shown)
    remedy = REMEDIES.get(shown[:8], NUMBERS.format("astype"))
    if place == "input":
        refused(TypeError, f"`input` {got} {remedy}", array)
    else:
        f = numpy.asarray([1.0, 2.0])
        refused(TypeError, f"`spacing[0]` {got} {remedy}", f, spacing=[array])


def test_a_registered_dtype_of_another_package(numpy: Any) -> None:
    """NumPy's own predicate raises for dtypes that it does not know."""
    strings = numpy.asarray(["a", "b"], dtype=numpy.dtypes.StringDType())
    with pytest.raises(TypeError, match=r"^`input` must have an integer, real"):
        anygrad.gradient(strings)


# Arrays that mean more than their numbers.

MASKED = (
    "`{name}` must not be a masked array: the mask would be lost. Got "
    "numpy.MaskedArray. Fill it first, e.g. with `filled(numpy.nan)`, integers after "
    "`astype(float)`, and a mask with `filled(False)`."
)
MATRIX = (
    "`{name}` must not be a matrix: it has two dimensions whatever is cut from it. "
    "Got numpy.matrix. Convert it first, with `numpy.asarray`."
)


def test_numpy_masked_arrays_and_matrices(numpy: Any) -> None:
    f, x = numpy.arange(4.0), numpy.ma.masked_array([0.0, 1, 2, 3], mask=[0, 0, 0, 1])
    refused(TypeError, MASKED.format(name="spacing[0]"), f, spacing=[x])
    f, x = numpy.ones((2, 2)), numpy.ones((2, 2)).view(numpy.matrix)
    refused(TypeError, MATRIX.format(name="input"), x)
    refused(TypeError, MATRIX.format(name="spacing[1]"), f, spacing=[1, x])


LABELLED = (
    "a labelled array: its labels would be lost. Got {got}. Use `anygrad.xarray`, or "
    "pass its `data`, and its coordinates' as `spacing`."
)
PANDAS = (
    "a pandas object: its index would be lost. Got {got}. Pass its values, with "
    "`to_numpy()`."
)
NULLABLE = (
    "a pandas array: its missing values are no numbers. Got {got}. Pass its values, "
    "with `to_numpy(float, na_value=numpy.nan)`, and `where=~array.isna()` for "
    "samples, and a mask with `to_numpy(bool, na_value=False)`."
)
TABLE = (
    f"{PANDAS[:-1]}, or, where some are missing, with "
    "`to_numpy(float, na_value=numpy.nan)`."
)

COMPRESSED = (
    "a compressed array: its slices are NumPy arrays. Got {got}. Pass its values, with "
    "`array[...]`."
)


@pytest.mark.parametrize(
    ("module", "name", "rule"),
    [
        ("xarray", "DataArray", LABELLED),
        ("xarray", "Variable", LABELLED),
        ("pandas", "Series", PANDAS),
        ("pandas", "DataFrame", TABLE),
        ("pandas", "Index", PANDAS),
        ("pandas", "BaseMaskedArray", NULLABLE),
        ("blosc2", "NDArray", COMPRESSED),
    ],
)
def test_wrapped_arrays(
    library: Backend,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    rule: str,
) -> None:
    """Refused by name, though most of them would pass for the array inside.

    The packages are pretended: their class is a wrapper that shows all attributes of
    the array, as theirs do.
    """

    class Wrapper:
        def __init__(self, array: Any) -> None:
            self._array = array

        def __getattr__(self, attribute: str) -> Any:
            return getattr(self._array, attribute)

    Wrapper.__module__, Wrapper.__qualname__ = module, name
    package = types.ModuleType(module)
    setattr(package, name, Wrapper)
    monkeypatch.setitem(sys.modules, module, package)
    f = matrix(library)
    text = rule.format(got=f"{module.partition('.')[0]}.{name}")
    refused(TypeError, f"`input` must not be {text}", Wrapper(f))
    refused(TypeError, f"`spacing[0]` must not be {text}", f, spacing=[Wrapper(f), 1])


def test_torch_tensors_without_strides(torch: Any) -> None:
    f = torch.eye(4).to_sparse()
    message = (
        "`{name}` must be a dense array. Got layout torch.sparse_coo. Convert it "
        "first, with `to_dense()`."
    )
    refused(TypeError, message.format(name="input"), f)
    refused(
        TypeError, message.format(name="spacing[0]"), torch.eye(4), spacing=[f], dim=0
    )


def test_nested_tensors_are_refused(torch: Any) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls them a prototype
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    with pytest.raises(TypeError, match=r"Got layout nested\. Convert it first"):
        anygrad.gradient(nested)
    message = (
        "`boundary` must be a dense array. Got layout nested. Convert it first, with "
        "`to_padded_tensor(float('nan'))`."
    )
    boundary = (("ghosts", nested), "one_sided")  # torch cannot tell their shape
    refused(TypeError, message, torch.ones(3), boundary=boundary)


def test_torch_masked_tensors(torch: Any) -> None:
    import warnings

    from torch.masked import masked_tensor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are a prototype
        f = masked_tensor(torch.ones(3), torch.tensor([True, False, True]))
    message = (
        "`input` must not be a masked tensor: the mask would be lost. Got "
        "torch.MaskedTensor. Fill it first, with `to_tensor(float('nan'))`, and one of "
        "bools with `to_tensor(False)`."
    )
    refused(TypeError, message, f)
