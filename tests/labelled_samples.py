"""Samples with labels, for the fixtures of tests."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def plane(xr: Any, numpy: Any) -> Any:
    """``2 * y + 3 * x * x`` on uneven points, with coordinates of all kinds."""
    y, x = numpy.asarray([0.0, 1.0, 3.0, 4.0]), numpy.asarray([-2.0, -1.0, 1.0, 2.0, 4])
    values = 2.0 * y[:, None] + 3.0 * x * x
    coords = {"y": y, "x": x, "name": ("y", list("abcd")), "level": 500.0}
    attributes = {"units": "m", "long_name": "height"}
    return xr.DataArray(values, coords, ("y", "x"), "z", attributes)


@pytest.fixture
def line(xr: Any, numpy: Any) -> Any:
    """The square of kilometres."""
    x = numpy.arange(8.0)
    return xr.DataArray(x**2, {"x": x}, "x", "f", {"units": "K"})


def parts(line: Any) -> tuple[Any, Any, Any]:
    return line.isel(x=slice(1, 7)), line.isel(x=[0]), line.isel(x=[7])
