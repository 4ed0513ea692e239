"""The table of *Frequently asked*: what is passed in the place of what one has."""

from __future__ import annotations

import datetime
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import anygrad

pytestmark = pytest.mark.peers

PAGE = Path(__file__).parent.parent / "docs" / "guide" / "asked.md"
ROW = re.compile(r"^\| ([^|`]+?),? ?(?:`.*)? \| .*?`([^`]+)`.* \|$", re.MULTILINE)
TEXT = PAGE.read_text(encoding="utf-8")
TABLE = dict(ROW.findall(TEXT.partition("## What do I pass")[2].partition("\n## ")[0]))

NUMBERS = [0.0, 1.0, 4.0, 9.0]


def passed(what: str, **names: Any) -> Any:
    """Return what the page says to pass, for what somebody has."""
    import numpy

    return eval(TABLE[what], {"numpy": numpy, "anygrad": anygrad, **names})


def test_lists() -> None:
    result = anygrad.derivative(passed("a list, a range", values=NUMBERS))
    assert result.tolist() == [0, 2, 4, 6]


def test_what_is_asked_for_one_by_one() -> None:
    whole = {value: value for value in NUMBERS}
    what = "values of a dict, a generator"
    for values in (whole.values(), whole.keys(), (value for value in NUMBERS)):
        result = anygrad.derivative(passed(what, values=values))
        assert result.tolist() == [0, 2, 4, 6]


def test_losses() -> None:
    import torch

    losses = [torch.tensor(value, requires_grad=True) for value in NUMBERS]
    what = "numbers of another library in a list, as losses of PyTorch"
    slopes = anygrad.derivative(passed(what, torch=torch, losses=losses))
    assert slopes.tolist() == [0, 2, 4, 6]


def test_images() -> None:
    import numpy

    image = pytest.importorskip("PIL.Image")
    pixels = numpy.asarray([NUMBERS] * 3, dtype="uint8")
    f = passed("an image of Pillow", image=image.fromarray(pixels))
    assert anygrad.derivative(f).tolist() == [[0, 2, 4, 6]] * 3
    keywords = eval(f"dict({TABLE['images of shape']})")
    rows, columns = anygrad.gradient(pixels[None, None], **keywords)
    assert not rows.any()
    assert columns.tolist() == [[[[1, 2, 4, 5]] * 3]]


def test_grids() -> None:
    import numpy

    f, grid = numpy.asarray([NUMBERS] * 3), numpy.mgrid[:3, :4]
    _, slopes = anygrad.gradient(f, spacing=passed("the grids of", grid=grid))
    assert slopes.tolist() == [[1, 2, 4, 5]] * 3
    axes = numpy.arange(4.0), numpy.arange(3.0)
    names = dict(zip(("longitude", "latitude"), numpy.meshgrid(*axes), strict=True))
    found = passed("latitudes and longitudes of", **names)
    assert [a.tolist() for a in found] == [a.tolist() for a in axes]
    anygrad.gradient(f, **anygrad.lonlat(*found))


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_dates_of_pandas(zone: str | None) -> None:
    import numpy
    import pandas

    dates = pandas.date_range("2026-07-01", periods=4, freq="2s", tz=zone)
    column = pandas.Series(dates, index=[4, 5, 6, 7])
    for t in (dates, column, column[1:]):
        stamps = passed("dates of pandas, with a time zone or without", t=t)
        seconds = passed("dates", t=stamps)
        f = numpy.asarray(NUMBERS[: len(t)])
        slopes = anygrad.derivative(f, spacing=seconds)
        assert slopes.tolist() == [0, 1, 2, 3][: len(t)]


def test_times() -> None:
    import numpy

    start = datetime.datetime(2026, 7, 1)
    dates = [start + datetime.timedelta(seconds=2 * k) for k in range(4)]
    stamps = passed("dates of Python, in a list", dates=dates)
    assert stamps.dtype == "datetime64[us]"
    lengths = stamps - stamps[0]
    f = numpy.asarray(NUMBERS)
    for what, t in (("dates", stamps), ("lengths of time", lengths)):
        seconds = passed(what, t=t)
        assert anygrad.derivative(f, spacing=seconds).tolist() == [0, 1, 2, 3]


def test_steps() -> None:
    import numpy

    f, h = numpy.asarray([NUMBERS] * 2), numpy.asarray([0.5, 2.0])
    spacing = passed("the steps of all dims in one array", h=h)
    wanted = numpy.gradient(f, *h)
    for a, b in zip(anygrad.gradient(f, spacing=spacing), wanted, strict=True):
        assert a.tolist() == b.tolist()
    x = passed("the steps between the points", h=numpy.asarray([1.0, 2.0, 4.0]))
    assert x.tolist() == [0.0, 1.0, 3.0, 7.0]
    x = passed("a step for each line, of shape", h=h[:, None], n=4)
    wanted = anygrad.derivative(f) / h[:, None]
    assert anygrad.derivative(f, spacing=x).tolist() == wanted.tolist()


def test_sizes_of_cells() -> None:
    """As ocean models have them: the differences by the index, over the sizes."""
    import numpy

    f = numpy.asarray([NUMBERS, [2.0, 5.0, 3.0, 1.0], [0.0, 4.0, 4.0, 8.0]])
    dy, dx = 1.0 + f / 8, 2.0 - f / 16
    text = TABLE["the sizes of the cells, for each point"]
    found = anygrad.gradient(f, **eval(f"dict({text})", {"dy": dy, "dx": dx}))
    for ours, theirs, size in zip(found, numpy.gradient(f), (dy, dx), strict=True):
        numpy.testing.assert_allclose(ours, theirs / size, rtol=1e-14)


def test_labels() -> None:
    import xarray

    importlib.import_module("anygrad.xarray")
    array = xarray.DataArray(NUMBERS, {"x": [0.0, 1, 2, 3]}, "x", name="f")
    result = passed("an", dataset=array.to_dataset(), dim="x")
    assert result["f"].values.tolist() == [0, 2, 4, 6]


def test_other_libraries() -> None:
    import numpy
    import torch

    f = numpy.asarray(NUMBERS)
    x = passed("coordinates of another library, samples of NumPy", x=torch.arange(4.0))
    assert anygrad.derivative(f, spacing=x).tolist() == [0, 2, 4, 6]
    result = anygrad.derivative(torch.tensor(NUMBERS), spacing=numpy.arange(4.0))
    assert result.tolist() == [0, 2, 4, 6]


def test_bools() -> None:
    import array_api_strict

    f = array_api_strict.asarray([True, False, False])
    f = passed("samples of bool", xp=array_api_strict, f=f)
    assert anygrad.derivative(f, edge_order=1)[0] == -1


def test_numbers_for_missing_samples() -> None:
    import numpy

    f = numpy.asarray([0.0, 1.0, 4.0, -9999.0])
    text = TABLE["a number for missing samples, such as -9999"]
    result = eval(f"anygrad.derivative(f, {text})", {"anygrad": anygrad, "f": f})
    assert result[:3].tolist() == [0, 2, 4]


# What is asked for, in one call.

CALLS = re.findall(
    r"^\| ([^|]+) \| `(.+)` \|$",
    TEXT.partition("## Is there a call")[2].partition("\n## ")[0],
    re.MULTILINE,
)


def names() -> dict[str, Any]:
    """Return what the calls name: samples of 6 times 8 points, and their like."""
    import numpy
    import pint
    import xarray

    f = numpy.sin(numpy.arange(48.0)).reshape(6, 8)
    track = ("x", [0, 0, 0, 0, 1, 1, 1, 1])
    labels = {"x": numpy.arange(8.0) ** 2, "track": track}
    return {
        "anygrad": anygrad,
        "numpy": numpy,
        "f": f,
        "wind": numpy.stack([f, f**2]),
        "image": (100 * f).astype("int16"),
        "valid": f < 0.9,
        "longitude": numpy.arange(8.0),
        "latitude": numpy.arange(30.0, 36.0),
        "theta": numpy.arange(1.0, 2.0, 0.17),
        "phi": numpy.arange(8.0) / 10,
        "circles": numpy.arange(1.0, 7.0)[:, None] * numpy.arange(8.0),
        "periods": 8 * numpy.arange(1.0, 7.0)[:, None],
        "values": f[:, :1],
        "frequency": numpy.arange(1.0, 9.0),
        "spectrum": numpy.arange(1.0, 9.0) ** -2,
        "fold": f[-1:, ::-1],
        "ureg": pint.UnitRegistry(),
        "array": xarray.DataArray(f, labels, ("y", "x")),
    }


@pytest.mark.parametrize(("wanted", "call"), CALLS, ids=str)
def test_one_call(wanted: str, call: str) -> None:
    import numpy

    importlib.import_module("anygrad.xarray")
    result = eval(call, names())
    for array in result if isinstance(result, tuple) else (result,):
        values = numpy.asarray(getattr(array, "magnitude", array))
        assert numpy.isfinite(values).mean() > 0.5


def test_there_are_calls() -> None:
    assert len(CALLS) >= 14
