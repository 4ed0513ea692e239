"""What bad arguments get: the message word for word, and nothing changed.

`{type}` stands for the class of the arrays and `{bool}` for the library's bool.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import anygrad
from backends import Backend

NO_ARRAY = (
    "`{name}` must be an array of a library that follows the array API standard. "
    "Got {got}. Convert it first, e.g. with `numpy.asarray`."
)
NUMERIC = "must have an integer, real floating or complex floating dtype. Got {got}."


def refused(error: type[Exception], message: str, *args: Any, **keywords: Any) -> None:
    """Hold the call to its error: this class, no other, and this text, all of it."""
    with pytest.raises(error) as caught:
        anygrad.gradient(*args, **keywords)
    assert caught.type is error
    assert str(caught.value) == message


def type_name(array: Any) -> str:
    cls = type(array)
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def matrix(backend: Backend) -> Any:
    """Return samples of shape (3, 4)."""
    return backend.asarray([[1, 2, 4, 8], [0, 5, 1, 3], [9, 9, 2, 6]])


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
        (None, "NoneType"),
        ("abc", "str"),
        (b"abc", "bytes"),
        ({}, "dict"),
        (object(), "object"),
        (list, "type"),
        (re, "module"),
        (memoryview(b"abc"), "memoryview"),
        (Fraction(1, 2), "fractions.Fraction"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_input_is_no_array(value: object, got: str) -> None:
    """Nothing is converted: in which library would the result be (trap 18)?"""
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
    refused(TypeError, f"`input` {got} Convert it first, e.g. with `astype`.", f)


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
    if place == "input":
        message = f"`input` {got} Convert it first, e.g. with `astype`."
        refused(TypeError, message, array)
    else:
        message = f"`spacing[0]` {got} Convert it to numbers first."
        refused(TypeError, message, numpy.asarray([1.0, 2.0]), spacing=[array])


def test_a_registered_dtype_of_another_package(numpy: Any) -> None:
    """NumPy's own predicate raises for dtypes that it does not know."""
    strings = numpy.asarray(["a", "b"], dtype=numpy.dtypes.StringDType())
    with pytest.raises(TypeError, match=r"^`input` must have an integer, real"):
        anygrad.gradient(strings)


# Arrays that mean more than their numbers.

MASKED = (
    "`{name}` must not be a masked array: the mask would be lost. Got "
    "numpy.MaskedArray. Fill it first, e.g. with `filled(numpy.nan)`."
)
MATRIX = (
    "`{name}` must not be a matrix: it has two dimensions whatever is cut from it. "
    "Got numpy.matrix. Convert it first, with `numpy.asarray`."
)


def test_numpy_masked_arrays_and_matrices(numpy: Any) -> None:
    f, x = numpy.arange(4.0), numpy.ma.masked_array([0.0, 1, 2, 3])
    refused(TypeError, MASKED.format(name="input"), x)
    refused(TypeError, MASKED.format(name="spacing[0]"), f, spacing=[x])
    f, x = numpy.ones((2, 2)), numpy.ones((2, 2)).view(numpy.matrix)
    refused(TypeError, MATRIX.format(name="input"), x)
    refused(TypeError, MATRIX.format(name="spacing[1]"), f, spacing=[1, x])


def test_dask_over_masked_arrays(dask: Any) -> None:
    """The chunks decide, and they are known without computing one."""
    import dask.array
    import numpy

    f = dask.array.ma.masked_greater(dask.array.arange(6, chunks=3), 4)
    with pytest.raises(TypeError, match=r"^`input` must not be a masked array"):
        anygrad.gradient(f)
    f, x = numpy.arange(6.0), numpy.ma.masked_array(numpy.arange(6.0))
    f, x = dask.array.from_array(f), dask.array.from_array(x)
    with pytest.raises(TypeError, match=r"^`spacing\[0\]` must not be a masked array"):
        anygrad.gradient(f, spacing=[x])


LABELLED = (
    "a labelled array: its labels would be lost. Got {got}. Pass its `data`, and its "
    "coordinates' `data` as `spacing`."
)
PANDAS = (
    "a pandas object: its index would be lost. Got {got}. Pass its values, with "
    "`to_numpy()`."
)

COMPRESSED = (
    "a compressed array: its slices are NumPy arrays. Got {got}. Pass its values, with "
    "`array[...]`."
)
QUANTITY = (
    "a quantity: its unit would be lost. Got {got}. Pass its `value` and give the "
    "result its unit."
)


@pytest.mark.parametrize(
    ("module", "name", "rule"),
    [
        ("xarray", "DataArray", LABELLED),
        ("xarray", "Variable", LABELLED),
        ("pandas", "Series", PANDAS),
        ("pandas", "DataFrame", PANDAS),
        ("pandas", "Index", PANDAS),
        ("blosc2", "NDArray", COMPRESSED),
        ("pint", "Quantity", QUANTITY.replace("value", "magnitude")),
        ("astropy.units", "Quantity", QUANTITY),
        ("unyt", "unyt_array", QUANTITY),
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


def test_torch_masked_tensors(torch: Any) -> None:
    import warnings

    from torch.masked import masked_tensor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are a prototype
        f = masked_tensor(torch.ones(3), torch.tensor([True, False, True]))
    message = (
        "`input` must not be a masked tensor: the mask would be lost. Got "
        "torch.MaskedTensor. Fill it first, with `to_tensor(float('nan'))`."
    )
    refused(TypeError, message, f)


# `dim` and `axis`.

NO_DIM = "`{word}` must be an int, or a list or tuple of ints. Got {got}."


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
        ({0}, "set"),
        (range(2), "range"),
        (slice(2), "slice"),
    ],
    ids=repr,
)
def test_dim_is_no_integer(library: Backend, dim: object, got: str, word: str) -> None:
    message = NO_DIM.format(word=word, got=got)
    refused(TypeError, message, matrix(library), **{word: dim})


@pytest.mark.parametrize("word", ["dim", "axis"])
@pytest.mark.parametrize("dim", [2, -3, 10**30])
def test_no_such_dim(library: Backend, dim: int, word: str) -> None:
    message = (
        f"`{word}` must lie between -2 and 1 for a 2-dimensional `input`. Got {dim}."
    )
    refused(IndexError, message, matrix(library), **{word: dim})
    refused(IndexError, message, matrix(library), **{word: [0, dim]})


def test_a_dim_of_nothing(library: Backend) -> None:
    message = "`dim` must be empty for a 0-dimensional `input`. Got 0."
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


@pytest.mark.parametrize("edge_order", [0, 3, -1, 10**30])
def test_edge_order_out_of_range(library: Backend, edge_order: int) -> None:
    """NumPy takes 0 and -1 for 2 (trap 8)."""
    message = f"`edge_order` must be 1 or 2. Got {edge_order}."
    refused(ValueError, message, matrix(library), edge_order=edge_order)


@pytest.mark.parametrize("edge_order", [1.5, 2.0, True, None, "2", [1]], ids=repr)
def test_edge_order_is_no_integer(library: Backend, edge_order: object) -> None:
    """NumPy takes 1.5 for 2 (trap 8)."""
    message = f"`edge_order` must be the int 1 or 2. Got {edge_order!r}."
    refused(TypeError, message, matrix(library), edge_order=edge_order)


@pytest.mark.parametrize(
    ("shape", "keywords", "text"),
    [
        ((1, 4), {}, "2 points along `dim` 0 for `edge_order=1`"),
        ((4, 1), {}, "2 points along `dim` 1 for `edge_order=1`"),
        ((4, 2), {"edge_order": 2}, "3 points along `dim` 1 for `edge_order=2`"),
        ((0, 4), {"dim": -2}, "2 points along `dim` -2 for `edge_order=1`"),
        ((4, 1), {"axis": [0, 1]}, "2 points along `axis` 1 for `edge_order=1`"),
    ],
)
def test_too_few_points(
    library: Backend, shape: tuple[int, ...], keywords: dict[str, Any], text: str
) -> None:
    f = library.asarray([0.0] * (shape[0] * shape[1]), shape=shape)
    message = f"`input` must have at least {text}. Got shape {shape}."
    refused(ValueError, message, f, **keywords)


# `spacing`.


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("kind", [list, tuple])
def test_wrong_number_of_spacings(
    library: Backend, count: int, kind: Callable[[Any], Any]
) -> None:
    """Never is one entry used for all dims (trap 7)."""
    message = f"`spacing` must have one entry per dim, 2 in all. Got {count}."
    refused(ValueError, message, matrix(library), spacing=kind([1.0] * count))


def test_coordinates_outside_of_a_list(library: Backend) -> None:
    """Are they the steps of the dims, or the coordinates of one (trap 26)?"""
    message = (
        "`spacing` must be a scalar, or a list or tuple with one entry per dim. Got a "
        "{rank}-dimensional array. Put coordinates into a list: `spacing=[x]`."
    )
    f = matrix(library)
    x = library.asarray([0, 1, 2, 3])
    refused(TypeError, message.format(rank=1), f, dim=1, spacing=x)
    refused(TypeError, message.format(rank=2), f, dim=1, spacing=f)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "None."),
        ("2", "'2'."),
        (b"2", "b'2'."),
        (True, "True."),
        ([0, 1, 2, 3], "[0, 1, 2, 3]. Convert it to an array first."),
        ((0, 1, 2, 3), "(0, 1, 2, 3)."),
        ({}, "dict."),
    ],
    ids=repr,
)
def test_spacing_is_no_number(library: Backend, value: object, got: str) -> None:
    message = "`{name}` must be a number or an array. Got {got}"
    f = matrix(library)
    refused(
        TypeError, message.format(name="spacing[1]", got=got), f, spacing=[1, value]
    )
    if value is not None and not isinstance(value, (list, tuple)):
        refused(TypeError, message.format(name="spacing", got=got), f, spacing=value)


@pytest.mark.parametrize(
    ("value", "got"),
    [({1, 2}, "set"), (iter([]), "list_iterator"), (Decimal(1), "decimal.Decimal")],
    ids=["set", "iterator", "Decimal"],
)
def test_spacing_is_no_array(library: Backend, value: object, got: str) -> None:
    f = matrix(library)
    refused(TypeError, NO_ARRAY.format(name="spacing", got=got), f, spacing=value)


def test_bool_spacing(library: Backend) -> None:
    f = matrix(library)
    for x, name in (
        (library.asarray([0, 1, 2, 3]) > 1, "spacing[1]"),
        (library.asarray(1) > 0, "spacing[1]"),
    ):
        got = NUMERIC.format(got=x.dtype)
        message = f"`{name}` {got} Convert it to numbers first."
        refused(TypeError, message, f, spacing=[1, x])
    message = f"`spacing` {got} Convert it to numbers first."
    refused(TypeError, message, f, spacing=x)


def test_numpy_scalars_as_spacing(numpy: Any) -> None:
    """They count as Python's numbers; those of time and truth as arrays of such."""
    f = numpy.arange(4.0)
    for step in (numpy.float64(2), numpy.float32(2), numpy.int8(2), numpy.uint64(2)):
        (result,) = anygrad.gradient(f, spacing=step)
        assert result.tolist() == [0.5] * 4
    for step, dtype in (
        (numpy.bool_(True), "bool"),
        (numpy.timedelta64(1, "s"), "timedelta64[s]"),
        (numpy.datetime64(1, "s"), "datetime64[s]"),
    ):
        got = NUMERIC.format(got=dtype)
        message = f"`spacing` {got} Convert it to numbers first."
        refused(TypeError, message, f, spacing=step)


@pytest.mark.parametrize(
    "step",
    [
        *(0, 0.0, -0.0, 0j, float("nan"), float("inf"), -float("inf")),
        *(complex(0, float("inf")), complex("nan"), 10**400, Fraction(1, 10**400)),
    ],
    ids=lambda step: repr(step)[:16],
)
def test_steps_that_are_none(library: Backend, step: Any) -> None:
    """Zero, and what is not finite (trap 24)."""
    shown = repr(step) if len(repr(step)) <= 60 else f"{repr(step)[:40]}..."
    message = f"must be finite and not zero. Got {shown}."
    f = matrix(library)
    refused(ValueError, f"`spacing` {message}", f, spacing=step)
    refused(ValueError, f"`spacing[1]` {message}", f, spacing=[1, step])


@pytest.mark.parametrize("n", [0, 1, 3, 5])
def test_coordinates_of_the_wrong_length(library: Backend, n: int) -> None:
    """torch returns a wrong constant, or a result of another length (traps 5, 6)."""
    x = library.asarray(list(range(n)), shape=(n,))
    message = (
        "`spacing[{k}]` must have one coordinate per point along dimension 1 of "
        f"`input`, 4 in all. Got shape ({n},)."
    )
    f = matrix(library)
    refused(ValueError, message.format(k=0), f, dim=1, spacing=[x])
    refused(ValueError, message.format(k=1), f, spacing=(1, x))


def test_coordinates_of_the_wrong_rank(library: Backend) -> None:
    f = matrix(library)
    message = (
        "`spacing[0]` must be a scalar, a 1-dimensional array of coordinates, or have "
        "2 dimensions as `input`. Got shape (1, 3, 4)."
    )
    x = library.asarray([0.0] * 12, shape=(1, 3, 4))
    refused(ValueError, message, f, dim=0, spacing=[x])
    message = (
        "`spacing[0]` must be a scalar or a 1-dimensional array of coordinates. Got "
        "shape (3, 4)."
    )
    refused(ValueError, message, library.asarray([1, 2, 4]), spacing=[f])


def test_coordinates_that_do_not_broadcast(library: Backend) -> None:
    f = matrix(library)
    for shape in ((3, 2), (3, 5), (3, 0)):
        x = library.asarray([0.0] * (shape[0] * shape[1]), shape=shape)
        message = (
            "`spacing[0]` must be broadcastable to `input`, of shape (3, 4). Got shape "
            f"{shape}."
        )
        refused(ValueError, message, f, dim=0, spacing=[x])
    for shape in ((2, 4), (1, 4), (4, 4)):
        x = library.asarray([0.0] * (shape[0] * shape[1]), shape=shape)
        message = (
            "`spacing[0]` must have one coordinate per point along dimension 0 of "
            f"`input`, 3 in all. Got shape {shape}."
        )
        refused(ValueError, message, f, dim=0, spacing=[x])


# Devices.


@pytest.mark.parametrize("kind", ["coordinates", "per point", "0-d"])
def test_two_strict_devices(array_api_strict: Any, kind: str) -> None:
    xp = array_api_strict
    values = {"coordinates": [0.0, 1, 3], "per point": [[0.0, 1, 3]], "0-d": 2.0}[kind]
    f = xp.asarray([[1.0, 2, 4]], device=xp.Device("device1"))
    x = xp.asarray(values, device=xp.Device("CPU_DEVICE"))
    message = (
        "`spacing[0]` must be on the device of `input`. Got "
        "array_api_strict.Device('CPU_DEVICE') for an `input` on "
        "array_api_strict.Device('device1'). Move one of them first, e.g. with "
        "`to_device`."
    )
    refused(ValueError, message, f, dim=1, spacing=[x])


def test_two_torch_devices(torch: Any) -> None:
    f, x = torch.ones(3), torch.arange(3.0, device="meta")
    message = (
        "`spacing[0]` must be on the device of `input`. Got {} for an `input` on {}. "
        "Move one of them first, e.g. with `to_device`."
    )
    refused(ValueError, message.format("meta", "cpu"), f, spacing=[x])
    refused(ValueError, message.format("cpu", "meta"), x, spacing=[f])


def test_two_jax_devices(jax: Any) -> None:
    """Arrays that were put somewhere stay there; others go where they are needed."""
    import jax.numpy as jnp

    first, second = jax.devices()[:2]
    f, x = jnp.ones(3), jnp.arange(3.0)
    assert anygrad.gradient(jax.device_put(f, second), spacing=[x])[0].devices() == {
        second
    }
    with pytest.raises(ValueError, match=r"^`spacing\[0\]` must be on the device of"):
        anygrad.gradient(jax.device_put(f, second), spacing=[jax.device_put(x, first)])


def test_two_cupy_devices(cupy: Any) -> None:
    with cupy.cuda.Device(1):
        x = cupy.asarray([0.0, 1, 3])
    with pytest.raises(ValueError, match=r"^`spacing\[0\]` must be on the device of"):
        anygrad.gradient(cupy.asarray([1.0, 2, 4]), spacing=[x])


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
    refused(
        TypeError,
        f"`dim` must be an int, or a list or tuple of ints. Got {shown}.",
        matrix(library),
        dim=array,
    )
    refused(
        TypeError,
        f"`edge_order` must be the int 1 or 2. Got {shown}.",
        matrix(library),
        edge_order=array,
    )


def test_no_complex_numbers(
    array_api_strict: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some libraries have none; the standard's functions are complete without."""
    import toy_library

    everything = toy_library.Namespace.__getattr__

    def without(self: Any, name: str) -> Any:
        if name.startswith("complex"):
            raise AttributeError(name)
        return everything(self, name)

    monkeypatch.setattr(toy_library.Namespace, "__getattr__", without)
    f = toy_library.Array(array_api_strict.asarray([0.0, 1.0, 4.0]))
    refused(
        TypeError,
        "`spacing` must be real, because toy_library has no complex dtypes. Got 2j.",
        f,
        spacing=2j,
    )
    (result,) = anygrad.gradient(f, spacing=toy_library.namespace.asarray(2.0))
    assert result.hidden._array.tolist() == [0.5, 1, 1.5]
