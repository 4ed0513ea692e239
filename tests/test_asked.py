"""The table of *Often asked*: what is passed in the place of what one has."""

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
