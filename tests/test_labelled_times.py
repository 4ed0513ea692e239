"""Labelled arrays along dates, lengths of time, and around the globe."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import pytest

import anygrad
import labelled_samples

pytestmark = pytest.mark.peers

plane = labelled_samples.plane


@pytest.mark.parametrize("kind", ["datetime64[ns]", "timedelta64[ns]", "cftime"])
def test_times(xr: Any, numpy: Any, labelled: Any, kind: str) -> None:
    """Seconds since 1970 keep their differences; without a unit there is no answer."""
    hours = numpy.asarray([0, 1, 3, 4, 8])
    if kind == "cftime":
        pytest.importorskip("cftime")
        import datetime

        import cftime

        start = cftime.DatetimeNoLeap(2026, 2, 28, 20)
        times: Any = [start + datetime.timedelta(hours=int(h)) for h in hours]
    elif kind.startswith("datetime"):
        times = numpy.datetime64("2026-02-28T20", "s") + hours * numpy.timedelta64(
            1, "h"
        )
    else:
        times = (hours * numpy.timedelta64(1, "h")).astype(kind)
    line = xr.DataArray(60.0 * hours, {"time": times}, "time", "height")
    for unit, rate in (("h", 60.0), ("m", 1.0), ("s", 1.0 / 60.0), ("D", 1440.0)):
        result = labelled.derivative(line, "time", datetime_unit=unit)
        assert numpy.allclose(result, rate, rtol=1e-14)
        theirs = line.differentiate("time", datetime_unit=unit)
        assert numpy.allclose(result, theirs, rtol=1e-9)
    with pytest.raises(ValueError, match=r"`datetime_unit` must be given.*'s'"):
        labelled.derivative(line, "time")
    with pytest.raises(ValueError, match=r"`datetime_unit` must be one of.*'Y'"):
        labelled.derivative(line, "time", datetime_unit="Y")


@pytest.mark.parametrize("stored", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_centuries(xr: Any, numpy: Any, labelled: Any, stored: str, unit: str) -> None:
    """More nanoseconds than an int64 holds, and times that are not known."""
    years = ["1700-01-01", "1800-01-01", "1900-01-01", "2200-01-01", "NaT"]
    times = numpy.asarray(years, f"datetime64[{stored}]")
    days = numpy.asarray([0.0, 36524, 73048, 182621, 0])
    per_day = {"D": 1, "s": 86_400, "ns": 86_400 * 10**9}[unit]
    line = xr.DataArray(days * per_day, {"time": times}, "time")
    result = labelled.derivative(line, "time", datetime_unit=unit, edge_order=1)
    assert numpy.allclose(result[:3], 1.0, rtol=1e-14)
    assert numpy.isnan(result[4])


def test_around_the_globe(xr: Any, numpy: Any, labelled: Any) -> None:
    longitude = numpy.arange(0.0, 360.0, 30.0)
    f = xr.DataArray(numpy.cos(numpy.radians(longitude)), {"lon": longitude}, "lon")
    boundary = {"lon": ("periodic", 360.0)}
    result = labelled.derivative(f, "lon", boundary=boundary)
    wanted = anygrad.derivative(
        f.values, spacing=[longitude], boundary=("periodic", 360.0)
    )
    assert result.values.tolist() == wanted.tolist()


def test_dates_of_a_time_zone(plane: Any, labelled: Any) -> None:
    """The clocks go forward in between; hours are as long as ever."""
    import pandas

    days = pandas.date_range("2026-03-28", periods=plane.sizes["x"], tz="Europe/Paris")
    given = {"datetime_unit": "h"}
    found = labelled.derivative(plane.assign_coords(x=days), "x", **given)
    utc = plane.assign_coords(x=days.tz_convert(None).to_numpy())
    assert (found.values == labelled.derivative(utc, "x", **given).values).all()
    assert found.indexes["x"].equals(days)


@pytest.mark.parametrize(
    "made",
    [
        lambda np: np.timedelta64(36, "h"),
        lambda np: datetime.timedelta(days=1.5),
        lambda np: __import__("pandas").Timedelta(hours=36),
        lambda np: __import__("xarray").DataArray(np.timedelta64(36, "h")),
    ],
    ids=["numpy", "python", "pandas", "xarray"],
)
def test_lengths_of_time(
    plane: Any, labelled: Any, numpy: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are steps and periods, in the unit of the derivative."""
    monkeypatch.setitem(sys.modules, "cf_units", None)  # which writes it otherwise
    given = {"datetime_unit": "h"}
    found = labelled.derivative(plane, "x", spacing=made(numpy), **given)
    assert (found == labelled.derivative(plane, "x", spacing=36.0)).all()
    assert found.attrs.get("units", "hour").startswith(("hour", "m"))
    times = numpy.datetime64("2026-11-28") + numpy.timedelta64(6, "h") * numpy.arange(5)
    dated = plane.assign_coords(x=times)
    found = labelled.derivative(dated, "x", boundary=("periodic", made(numpy)), **given)
    wanted = labelled.derivative(dated, "x", boundary=("periodic", 36.0), **given)
    assert (found == wanted).all()


def test_dates_of_python(plane: Any, labelled: Any, numpy: Any) -> None:
    days = [datetime.date(2026, 11, k) for k in (1, 2, 4, 5, 7)]
    dated = plane.assign_coords(x=("x", numpy.asarray(days, dtype=object)))
    wanted = labelled.derivative(plane, "x", spacing=numpy.asarray([0.0, 1, 3, 4, 6]))
    assert (labelled.derivative(dated, "x", datetime_unit="D") == wanted).all()
