"""Every remedy in a message works when it is followed to the letter."""

from __future__ import annotations

import ctypes
import datetime
import importlib
import math
import re
import warnings
from array import array
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import array_api_compat
import pytest

import anygrad
from backends import Backend

LINE = [0.0, 1, 4, 9, 16, 25]
SLOPES = [1.0, 2, 4, 6, 8, 9]
NODES = [0.0, 1, 2, 3, 4, 5]


def refusal(call: Callable[[], Any], parameter: str) -> str:
    """Return the message of a call, which begins with the name of a parameter."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"`{parameter}` "), message
    return message


def test_anything_but_an_array(numpy: Any) -> None:
    message = refusal(lambda: anygrad.gradient(LINE), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(LINE))[0].tolist() == SLOPES


# Arrays that mean more than their numbers.


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


# Dtypes.


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


def seconds_by(message: str, t: Any, numpy: Any) -> Any:
    """Return what a message makes of dates."""
    (text,) = re.findall(r"`(\(t - [^`]+)`", message)
    return eval(text, {"t": t, "numpy": numpy})


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
def test_objects_that_are_dates(numpy: Any, place: str) -> None:
    """One message says all that is to be done."""
    first = datetime.datetime(2024, 2, 28, 23, 59, 58)
    seconds = [datetime.timedelta(seconds=v) for v in LINE]
    t = numpy.asarray([first + length for length in seconds])
    message = check_times(numpy, t, place)
    follow_times(numpy, seconds_by(message, t, numpy), place)


@pytest.mark.peers
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_dates_of_pandas_in_an_array(numpy: Any, zone: str | None) -> None:
    """An array of dates with a zone is one of objects, of which none is subtracted."""
    import pandas

    times = [pandas.Timestamp(2e9 + 2 * v, unit="s", tz=zone) for v in NODES]
    t = numpy.asarray(pandas.Series(times).astype(object))
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.derivative(f, spacing=t), "spacing")
    x = seconds_by(message, t, numpy)
    result = anygrad.derivative(f, spacing=x, edge_order=1)
    assert result.tolist() == [slope / 2 for slope in SLOPES]


@pytest.mark.peers
def test_months_of_pandas(numpy: Any) -> None:
    import pandas

    t = pandas.period_range("2026-01", periods=6, freq="M")
    message = refusal(lambda: anygrad.gradient(t), "input")
    assert "`to_timestamp()`" in message
    message = refusal(lambda: anygrad.gradient(t.to_timestamp()), "input")
    assert "`(t - t.min()) / numpy.timedelta64(1, 's')`" in message


def test_symbols_of_fx(torch: Any) -> None:
    """They can be called and have every attribute, and tell none of them."""
    from torch.fx.experimental.proxy_tensor import make_fx

    call, f = lambda f: anygrad.derivative(f, edge_order=1), torch.tensor(LINE)
    message = refusal(lambda: torch.fx.symbolic_trace(call), "input")
    assert "`torch.export.export` or `make_fx`" in message
    assert make_fx(call)(f)(f).tolist() == SLOPES


@pytest.mark.parametrize("what", ["input", "step", "steps", "value"])
def test_delayed_values(dask: Any, numpy: Any, what: str) -> None:
    """They have every attribute, and tell none of them yet."""
    import dask.array
    from dask import delayed

    value, f = delayed(2.0), numpy.asarray(LINE)
    name, call = {
        "input": ("input", anygrad.derivative),
        "step": ("spacing", lambda v: anygrad.derivative(f, spacing=v)),
        "steps": ("spacing[0]", lambda v: anygrad.gradient(f, spacing=[v])),
        "value": ("boundary", lambda v: anygrad.derivative(f, boundary=v)),
    }[what]
    message = refusal(lambda: call(value), name)
    assert "`dask.array.from_delayed(value, shape, dtype)`" in message
    step = dask.array.from_delayed(value, (), float)
    halves = anygrad.derivative(dask.array.asarray(f), spacing=step, edge_order=1)
    assert halves.compute().tolist() == [slope / 2 for slope in SLOPES]


START = "2024-02-28T23:59:58"


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_dates(numpy: Any, place: str, unit: str) -> None:
    """The message says how they become seconds."""
    seconds = numpy.asarray([0, 1, 4, 9, 16, 25]).astype("timedelta64[s]")
    t = (numpy.datetime64(START) + seconds).astype(f"datetime64[{unit}]")
    message = check_times(numpy, t, place)
    assert "`(t - t[0]) / numpy.timedelta64(1, 's')`" in message
    follow_times(numpy, (t - t[0]) / numpy.timedelta64(1, "s"), place)


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_lengths_of_time(numpy: Any, place: str, unit: str) -> None:
    t = numpy.asarray([0, 1, 4, 9, 16, 25]).astype("timedelta64[s]")
    t = t.astype(f"timedelta64[{unit}]")
    message = check_times(numpy, t, place)
    assert "/ numpy.timedelta64(1, 's')`" in message
    follow_times(numpy, t / numpy.timedelta64(1, "s"), place)


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
@pytest.mark.parametrize("unit", ["M", "Y", "3M"])
def test_months_and_years(numpy: Any, place: str, unit: str) -> None:
    """They have no length in seconds, and NumPy does not divide them by one."""
    lengths = numpy.asarray([0, 1, 4, 9, 16, 25]).astype(f"timedelta64[{unit}]")
    months = {"M": 1, "Y": 12, "3M": 3}[unit]
    for t, remedy in (
        (lengths, "t / numpy.timedelta64(1, 'M')"),
        (numpy.datetime64("2000", unit) + lengths, "(t - t[0]) / numpy.timedelta64"),
    ):
        message = check_times(numpy, t, place)
        assert f"to `{remedy}" in message
        (text,) = re.findall(r"to `([^`]+)`", message)
        counted = eval(text, {"numpy": numpy, "t": t})
        follow_times(numpy, counted / months, place)


def check_times(numpy: Any, t: Any, place: str) -> str:
    if place == "input":
        return refusal(lambda: anygrad.gradient(t), place)
    return refusal(lambda: anygrad.gradient(numpy.ones(6), spacing=[t]), place)


def follow_times(numpy: Any, seconds: Any, place: str) -> None:
    if place == "input":
        assert anygrad.gradient(seconds)[0].tolist() == SLOPES
    else:
        (result,) = anygrad.gradient(2 * seconds, spacing=[seconds])
        assert result.tolist() == [2] * 6


def test_a_length_of_time_as_step(numpy: Any) -> None:
    f = numpy.asarray(LINE)
    step = numpy.timedelta64(2, "s")
    message = refusal(lambda: anygrad.gradient(f, spacing=step), "spacing")
    assert "/ numpy.timedelta64(1, 's')`" in message
    (result,) = anygrad.gradient(f, spacing=step / numpy.timedelta64(1, "s"))
    assert result.tolist() == [slope / 2 for slope in SLOPES]


def test_a_length_of_time_of_python(library: Backend) -> None:
    f = library.asarray(LINE)
    step = datetime.timedelta(seconds=2)
    message = refusal(lambda: anygrad.gradient(f, spacing=step), "spacing")
    assert "`total_seconds()`" in message
    (result,) = anygrad.gradient(f, spacing=step.total_seconds())
    assert library.tolist(result) == [slope / 2 for slope in SLOPES]


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


def test_a_step_in_an_array_of_one(library: Backend) -> None:
    f, step = library.asarray(LINE), library.asarray([2.0])
    message = refusal(lambda: anygrad.derivative(f, spacing=step), "spacing")
    assert "For a step, give it as a number." in message
    result = anygrad.derivative(f, spacing=float(step[0]), edge_order=1)
    assert library.tolist(result) == [slope / 2 for slope in SLOPES]


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


def test_a_mask_that_is_masked(numpy: Any) -> None:
    """What is not known of a mask is not valid."""
    f = numpy.asarray(LINE)
    where = numpy.ma.masked_array(f >= 0, mask=f == 25)
    message = refusal(lambda: anygrad.gradient(f, where=where), "where")
    assert "`filled(False)`" in message
    (result,) = anygrad.gradient(f, where=where.filled(False))
    assert result[:5].tolist() == [*SLOPES[:4], 7.0]
    assert numpy.isnan(result[5])


@pytest.mark.peers
@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("kind", ["DatetimeIndex", "TimedeltaIndex", "Series", "part"])
def test_times_of_pandas(numpy: Any, kind: str, zone: str | None) -> None:
    """One message says all that is to be done, where no label is 0, too."""
    pandas = pytest.importorskip("pandas")
    t = pandas.date_range("2026-10-25", periods=6, freq="2s", tz=zone)
    made = {
        "TimedeltaIndex": lambda t: t - t[0],
        "Series": pandas.Series,
        "part": lambda t: pandas.Series(t, index=range(6, 12)),
    }
    t = made.get(kind, lambda t: t)(t)
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.derivative(f, spacing=t), "spacing")
    conversion, taken = re.findall(r"`([^`]+)`", message)[1:]
    numbers = eval(conversion, {"t": t, "numpy": numpy})
    x = eval(f"numbers.{taken}", {"numbers": numbers})
    result = anygrad.derivative(f, spacing=x, edge_order=1)
    assert result.tolist() == [slope / 2 for slope in SLOPES]


@pytest.mark.peers
def test_times_of_astropy(numpy: Any) -> None:
    time = pytest.importorskip("astropy.time")
    f = numpy.asarray(LINE)
    dates = time.Time(60_000.0 + 2.0 * numpy.asarray(NODES), format="mjd")
    for t, since in ((dates, lambda t: (t - t[0]).to("s")), (dates - dates[0], None)):
        message = refusal(lambda t=t: anygrad.derivative(f, spacing=t), "spacing")
        assert f"`{'(t - t[0])' if since else 't'}.to('s')`" in message
        x = since(t) if since else t.to("s")
        result = anygrad.derivative(f, spacing=x, edge_order=1)
        assert (result * x[1]).value == pytest.approx(SLOPES, rel=1e-12)


def test_dates_of_python_in_a_list(numpy: Any) -> None:
    """Each refusal leads to the next step, and the last step to a result."""
    f = numpy.asarray(LINE)
    start = datetime.datetime(2024, 2, 28, 23, 59, 58)
    dates = [start + datetime.timedelta(seconds=2 * k) for k in range(6)]
    message = refusal(lambda: anygrad.gradient(f, spacing=[dates]), "spacing[0]")
    assert "Convert it to an array first" in message
    t = numpy.asarray(dates)
    message = refusal(lambda: anygrad.gradient(f, spacing=[t]), "spacing[0]")
    (result,) = anygrad.gradient(f, spacing=[seconds_by(message, t, numpy)])
    assert result.tolist() == [slope / 2 for slope in SLOPES]


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


# Arguments.


def test_a_stack_of_nothing(library: Backend) -> None:
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, dim=(), stack_dim=0), "stack_dim")
    assert "must be None" in message
    assert anygrad.gradient(f, dim=(), stack_dim=None) == ()


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


def test_both_dim_and_axis(library: Backend) -> None:
    f = library.asarray(LINE)
    message = refusal(lambda: anygrad.gradient(f, dim=0, axis=0), "dim")
    assert "Give one of them." in message
    for word in ("dim", "axis"):
        assert library.tolist(anygrad.gradient(f, **{word: 0})[0]) == SLOPES


def test_offsets_of_floats(numpy: Any) -> None:
    offsets = [-0.5, 0.0, 0.5]
    message = refusal(lambda: anygrad.stencil(offsets), "offsets")
    assert "with `fractions.Fraction`, or put them into an array" in message
    assert anygrad.stencil([Fraction(offset) for offset in offsets]) == (-1, 0, 1)
    assert anygrad.stencil(numpy.asarray(offsets)).tolist() == [-1, 0, 1]


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


# Arrays of another kind.


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


# Masks.


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


# Lengths that Dask does not know.


def unknown(numpy: Any) -> tuple[Any, Any]:
    """Return samples of which Dask does not know the number of rows, and the same."""
    import dask.array

    values = (numpy.arange(7)[:, None] + 1.0) * numpy.arange(6.0) ** 2
    f = dask.array.from_array(values, chunks=(3, 4))
    return f[f[:, 1] > 2.5], values[2:]


@pytest.mark.parametrize("door", ["gradient", "stencil"])
def test_lengths_that_dask_does_not_know(dask: Any, door: str) -> None:
    import numpy

    f, known = unknown(numpy)
    if door == "gradient":
        message = refusal(lambda: anygrad.gradient(f, dim=0), "input")
        call = lambda f: anygrad.gradient(f, dim=0)[0]  # noqa: E731
    else:
        message = refusal(lambda: anygrad.stencil(f.T), "offsets")
        call = lambda f: anygrad.stencil(f.T)  # noqa: E731
        f, known = f[:, 1:2], known[:, 1:2]
    assert "`compute_chunk_sizes()`" in message
    f.compute_chunk_sizes()
    assert call(f).compute().tolist() == call(known).tolist()


def test_second_derivatives_along_a_dim_that_is_known(dask: Any) -> None:
    """The others need not be: rows that were chosen by their values."""
    import numpy

    f, known = unknown(numpy)
    result = anygrad.hessian(f, dim=1)
    scale = numpy.arange(3.0, 8)[:, None] * numpy.ones(6)
    assert result.compute().tolist() == [[(2 * scale).tolist()]]
    gradient = anygrad.gradient(f, dim=[1], stack_dim=0)
    assert gradient.compute().shape == (1, *known.shape)


def test_jacobians_along_a_dim_that_is_known(dask: Any) -> None:
    import dask.array
    import numpy

    f, known = unknown(numpy)
    field = dask.array.stack([f, 2 * f], allow_unknown_chunksizes=True)
    result = anygrad.jacobian(field, dim=[2], edge_order=1).compute()
    slopes = numpy.gradient(known, axis=1)
    assert numpy.allclose(
        result, numpy.stack([slopes, 2 * slopes])[:, None], rtol=1e-14
    )


@pytest.mark.parametrize("dtype", ["timedelta64[s]", "datetime64[s]", "bool"])
def test_dask_arrays_that_are_no_numbers(dask: Any, dtype: str) -> None:
    """Refused as NumPy's are, before anything is computed, also in a list."""
    import dask.array
    import numpy

    t = dask.array.from_array(numpy.asarray([0, 1, 1, 0]).astype(dtype), chunks=2)
    f = dask.array.ones(4, chunks=2)
    found = f"Got {numpy.dtype(dtype)}."
    assert found in refusal(lambda: anygrad.gradient(t), "input")
    assert found in refusal(lambda: anygrad.laplacian(t), "input")
    assert found in refusal(lambda: anygrad.gradient(f, spacing=[t]), "spacing[0]")
    assert found in refusal(lambda: anygrad.stencil(t), "offsets")
    message = refusal(lambda: anygrad.gradient(f, spacing=t[1]), "spacing")
    assert found in message


# The user's own field, and no component of it.

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


# Curved coordinates.


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


def test_a_batch_of_one(library: Backend) -> None:
    """Images of torch have dims of a batch and of channels before those of space."""
    f = library.asarray([LINE] * 6, shape=(1, 1, 6, 6))
    message = refusal(lambda: anygrad.laplacian(f), "input")
    assert message.endswith("To leave this dim out, name others in `dim`.")
    assert tuple(anygrad.laplacian(f, dim=(-2, -1)).shape) == (1, 1, 6, 6)


def test_numbers_of_c(numpy: Any) -> None:
    line = (ctypes.c_double * 6)(*LINE)
    message = refusal(lambda: anygrad.gradient(line), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(line))[0].tolist() == SLOPES


@pytest.mark.peers
def test_an_image_of_pillow(numpy: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    whole = image.fromarray(numpy.asarray([LINE] * 2, dtype="uint8"))
    message = refusal(lambda: anygrad.gradient(whole), "input")
    assert "Convert it first, e.g. with `numpy.asarray`." in message
    assert anygrad.gradient(numpy.asarray(whole))[1].tolist() == [SLOPES] * 2


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


@pytest.mark.parametrize("name", ["radius", "azimuth"])
def test_a_length_of_time_in_a_curved_system(numpy: Any, name: str) -> None:
    given = {"radius": 1.0, "inclination": numpy.asarray(NODES), "azimuth": 1.0}
    time = numpy.timedelta64(2, "s")
    message = refusal(lambda: anygrad.spherical(**{**given, name: time}), name)
    assert "`t / numpy.timedelta64(1, 's')`" in message
    anygrad.spherical(**{**given, name: time / numpy.timedelta64(1, "s")})


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
