"""Remedies for arrays that are no samples as they are, followed to the letter."""

from __future__ import annotations

import importlib
import re
import warnings
from fractions import Fraction
from typing import Any

import array_api_compat
import pytest

import anygrad
from backends import Backend
from remedies import LINE, NODES, SLOPES, refusal


def test_masked_coordinates(numpy: Any) -> None:
    x = numpy.ma.masked_equal(numpy.asarray([0.0, 1, 2, 3, 999, 5]), 999)
    message = refusal(
        lambda: anygrad.gradient(numpy.asarray(LINE), spacing=[x]), "spacing[0]"
    )
    assert "`filled(numpy.nan)`" in message
    (result,) = anygrad.gradient(numpy.asarray(LINE), spacing=[x.filled(numpy.nan)])
    assert result[:3].tolist() == SLOPES[:3]
    assert numpy.isnan(result[3:]).all()


def test_matrices(numpy: Any) -> None:
    f = numpy.asarray([LINE]).view(numpy.matrix)
    message = refusal(lambda: anygrad.gradient(f, dim=1), "input")
    assert "with `numpy.asarray`" in message
    assert anygrad.gradient(numpy.asarray(f), dim=1)[0].tolist() == [SLOPES]


def test_masked_tensors(torch: Any) -> None:
    from torch.masked import masked_tensor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are a prototype
        f = masked_tensor(torch.tensor(LINE), torch.tensor([True] * 5 + [False]))
        message = refusal(lambda: anygrad.gradient(f), "input")
        assert "`to_tensor(float('nan'))`" in message
        filled = f.to_tensor(float("nan"))
        where = masked_tensor(
            torch.tensor(LINE) >= 0, torch.tensor([True] * 5 + [False])
        )
        message = refusal(lambda: anygrad.gradient(filled, where=where), "where")
        assert "`to_tensor(False)`" in message
        valid = where.to_tensor(False)
    assert anygrad.gradient(filled)[0].tolist()[:4] == SLOPES[:4]
    assert anygrad.gradient(filled, where=valid)[0].tolist()[:5] == [1, 2, 4, 6, 7]


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr"])
def test_sparse_tensors(torch: Any, layout: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the second is a prototype
        f = getattr(torch.tensor([LINE]), layout)()
        message = refusal(lambda: anygrad.gradient(f, dim=1), "input")
    assert "with `to_dense()`" in message
    assert anygrad.gradient(f.to_dense(), dim=1)[0].tolist() == [SLOPES]


def test_nested_tensors(torch: Any) -> None:
    """They cannot become dense as they are: their lines have different lengths."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are a prototype
        f = torch.nested.nested_tensor([torch.tensor(LINE), torch.tensor(LINE[:4])])
        message = refusal(lambda: anygrad.gradient(f), "input")
        assert "with `to_padded_tensor(float('nan'))`" in message
        padded = f.to_padded_tensor(float("nan"))
        lines = [torch.ones(6, dtype=torch.bool), torch.ones(4, dtype=torch.bool)]
        where = torch.nested.nested_tensor(lines)
        message = refusal(lambda: anygrad.gradient(padded, where=where), "where")
        assert "with `to_padded_tensor(False)`" in message
        masks = where.to_padded_tensor(False)
    ours = anygrad.gradient(padded, dim=1, where=masks)[0]
    assert ours[1].tolist()[:4] == [1, 2, 4, 5]
    (result,) = anygrad.gradient(padded, dim=1)
    assert result[0].tolist() == SLOPES
    assert result[1].tolist()[:3] == SLOPES[:3]


@pytest.mark.parametrize(
    ("module", "name", "parts"),
    [
        ("pandas", "Series", ["to_numpy()"]),
        ("pandas", "DataFrame", ["to_numpy()"]),
        ("pandas", "Index", ["to_numpy()"]),
        ("xarray", "DataArray", ["data"]),
        ("xarray", "Variable", ["data"]),
        ("blosc2", "NDArray", ["array[...]"]),
        ("saiunit", "Quantity", ["mantissa"]),
    ],
)
def test_wrapped_arrays(numpy: Any, module: str, name: str, parts: Any) -> None:
    """What is to be passed instead is named as the (pretended) class names it."""
    f = numpy.asarray(LINE)

    class Wrapper:
        data = mantissa = f

        def to_numpy(self) -> Any:
            return f

        def __getitem__(self, key: Any) -> Any:
            return f[key]

    Wrapper.__module__, Wrapper.__qualname__ = module, name
    message = refusal(lambda: anygrad.gradient(Wrapper()), "input")
    named = re.findall(r"`([^`]+)`", message)
    (part,) = {text for text in named if text in parts}
    text = part if part.startswith("array") else f"array.{part}"
    passed = eval(text, {"array": Wrapper()})
    assert anygrad.gradient(passed)[0].tolist() == SLOPES


@pytest.mark.peers
def test_a_dataset(numpy: Any) -> None:
    """Here, and in the doors for labelled arrays, which want one array."""
    import xarray

    door = importlib.import_module("anygrad.xarray").derivative
    dataset = xarray.Dataset({"height": ("x", LINE), "depth": ("x", LINE)})
    dataset = dataset.assign_coords(x=numpy.asarray(NODES))
    message = refusal(lambda: anygrad.gradient(dataset), "input")
    assert "`anygrad.xarray` for one of its variables" in message
    message = refusal(lambda: door(dataset, "x"), "data")
    assert "one of its variables, or each, with `data.assign({name: ..." in message
    assert door(dataset["depth"], "x", edge_order=1).values.tolist() == SLOPES
    slopes = dataset.assign({k: door(dataset[k], "x", edge_order=1) for k in dataset})
    assert slopes["height"].values.tolist() == SLOPES


class OnDisk:
    """An array as h5py and Zarr have it, which counts what is read."""

    shape, ndim, dtype, chunks = (6,), 1, "float64", (2,)

    def __init__(self, numpy: Any) -> None:
        self.values, self.most = numpy.asarray(LINE), 0

    def __getitem__(self, key: Any) -> Any:
        part = self.values[key]
        self.most = max(self.most, part.size)
        return part


@pytest.mark.parametrize(
    ("module", "name", "door"),
    [("h5py._hl", "Dataset", "from_array"), ("zarr.core", "Array", "from_zarr")],
)
def test_arrays_on_disk(dask: Any, module: str, name: str, door: str) -> None:
    """They are never loaded whole, unless somebody says so."""
    import dask.array
    import numpy

    cls = type(name, (OnDisk,), {"__module__": module})
    stored = cls(numpy)
    message = refusal(lambda: anygrad.gradient(stored), "input")
    assert f"`dask.array.{door}`" in message
    assert hasattr(dask.array, door)
    (result,) = anygrad.gradient(dask.array.from_array(stored, chunks=2))
    assert result.compute().tolist() == SLOPES
    assert stored.most == 2
    message = refusal(lambda: anygrad.gradient(result, spacing=[stored]), "spacing[0]")
    assert "with `array[...]`" in message
    anygrad.gradient(result, spacing=[stored[...]])


@pytest.mark.peers
def test_variables_on_disk(numpy: Any) -> None:
    """NumPy's `asarray` would take what fills the holes of netCDF4's for samples."""

    class Variable:
        def __getitem__(self, key: Any) -> Any:
            return numpy.ma.masked_greater(LINE, 8.0)[key]

    Variable.__module__, Variable.__qualname__ = "netCDF4._netCDF4", "Variable"
    array = Variable()
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert message.endswith("e.g. all of it with `array[...]`, which has the mask.")
    (result,) = anygrad.gradient(array[...])
    assert result.tolist() == [1.0, 2.0, 3.0, None, None, None]


def test_booleans(library: Backend) -> None:
    """By the function `astype` of the standard, or by torch's method."""
    f = library.asarray(LINE) > 3
    message = refusal(lambda: anygrad.gradient(f), "input")
    xp = array_api_compat.array_namespace(f)
    is_torch = library.library == "torch"
    assert f"`{'to' if is_torch else 'astype'}`" in message
    numbers = f.to(xp.float32) if is_torch else xp.astype(f, xp.float32)
    (result,) = anygrad.gradient(numbers)
    assert library.tolist(result) == [0, 0.5, 0.5, 0, 0, 0]
    message = refusal(
        lambda: anygrad.gradient(library.asarray(LINE), spacing=[f]), "spacing[0]"
    )
    assert "Convert it to numbers first" in message


@pytest.mark.parametrize(
    "values",
    [[Fraction(v) for v in LINE], [str(v) for v in LINE]],
    ids=["object", "text"],
)
def test_objects_and_strings(numpy: Any, values: list[Any]) -> None:
    """A dtype that numbers have, as far as they are some."""
    f = numpy.asarray(values)
    message = refusal(lambda: anygrad.gradient(f), "input")
    assert "with `astype" in message
    assert anygrad.gradient(f.astype(float))[0].tolist() == SLOPES
    plain = numpy.asarray(LINE)
    refusal(lambda: anygrad.gradient(plain, spacing=[f]), "spacing[0]")


def test_symbols_of_fx(torch: Any) -> None:
    """They can be called and have every attribute, and tell none of them."""
    from torch.fx.experimental.proxy_tensor import make_fx

    call, f = lambda f: anygrad.derivative(f, edge_order=1), torch.tensor(LINE)
    message = refusal(lambda: torch.fx.symbolic_trace(call), "input")
    assert "`torch.export.export` or `make_fx`" in message
    assert make_fx(call)(f)(f).tolist() == SLOPES


def test_fields_of_a_structure(numpy: Any) -> None:
    f = numpy.rec.fromarrays([LINE, NODES], names="height,distance")
    message = refusal(lambda: anygrad.gradient(f), "input")
    assert "with `numpy.asarray`" in message
    array = numpy.asarray(f)
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "`array['height']`" in message
    assert anygrad.gradient(array["height"])[0].tolist() == SLOPES


def test_fields_that_are_no_numbers(numpy: Any) -> None:
    """The first field that is taken is named, and none where there is none."""
    array = numpy.zeros(6, [("name", "U4"), ("height", "f8")])
    array["height"] = LINE
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "`array['height']`" in message
    assert anygrad.gradient(array["height"])[0].tolist() == SLOPES
    message = refusal(lambda: anygrad.gradient(array[["name"]]), "input")
    assert message.endswith("Pass numbers instead.")


def test_keys_of_a_random_generator(jax: Any) -> None:
    key = jax.random.key(0)
    f = jax.numpy.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(jax.random.split(key)), "input")
    assert "with `jax.random.normal`" in message
    assert anygrad.gradient(jax.random.normal(key, (6,)))[0].shape == (6,)
    message = refusal(lambda: anygrad.gradient(f, spacing=key), "spacing")
    assert "with `jax.random.normal`" in message
    assert anygrad.gradient(f, spacing=jax.random.normal(key))[0].shape == (6,)


@pytest.mark.peers
def test_coordinates_of_another_library(numpy: Any, torch: Any) -> None:
    f, x = numpy.asarray(LINE), torch.tensor(NODES)
    message = refusal(lambda: anygrad.gradient(f, spacing=[x]), "spacing[0]")
    assert "Convert one of them first." in message
    assert anygrad.gradient(f, spacing=[numpy.asarray(x)])[0].tolist() == SLOPES
    assert anygrad.gradient(torch.asarray(f), spacing=[x])[0].tolist() == SLOPES


def test_coordinates_on_another_device(array_api_strict: Any) -> None:
    device = array_api_strict.Device("device1")
    f = array_api_strict.asarray(LINE)
    x = array_api_strict.asarray(NODES, device=device)
    message = refusal(lambda: anygrad.gradient(f, spacing=[x]), "spacing[0]")
    assert "Move one of them first, e.g. with `to_device`." in message
    for samples, nodes in ((f, x.to_device(f.device)), (f.to_device(device), x)):
        (result,) = anygrad.gradient(samples, spacing=[nodes])
        assert result._array.tolist() == SLOPES


def test_a_tensor_on_another_device(torch: Any) -> None:
    """By torch's method for dtypes and devices."""
    f, x = torch.tensor(LINE), torch.tensor(NODES, device="meta")
    message = refusal(lambda: anygrad.gradient(f, spacing=[x]), "spacing[0]")
    assert "Move one of them first, e.g. with `to`." in message
    moved = f.to("meta")
    assert anygrad.gradient(moved, spacing=[x])[0].shape == (6,)


@pytest.mark.peers
def test_an_image_of_pillow(numpy: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    whole = image.fromarray(numpy.asarray([LINE] * 2, dtype="uint8"))
    message = refusal(lambda: anygrad.gradient(whole), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(whole))[1].tolist() == [SLOPES] * 2
