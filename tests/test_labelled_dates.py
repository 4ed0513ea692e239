"""Dates among labels that were wrong without a word: right now, or refused."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest

import labelled_samples
from labelled_samples import parts

pytestmark = pytest.mark.peers

line = labelled_samples.line

KINDS: dict[str, Any] = {
    "numbers": lambda np, pd: np.arange(8.0),
    "dates": lambda np, pd: np.datetime64("1970-01-01", "s") + np.arange(8),
    "times": lambda np, pd: np.timedelta64(1, "s") * np.arange(8),
    "zone": lambda np, pd: pd.date_range("1970", periods=8, freq="s", tz="UTC"),
}


@pytest.mark.parametrize("ghosts", KINDS)
@pytest.mark.parametrize("samples", KINDS)
def test_ghosts_of_another_kind_of_time(
    line: Any, labelled: Any, numpy: Any, samples: str, ghosts: str
) -> None:
    """Dates and lengths of time do not count from one point on."""
    pandas = pytest.importorskip("pandas")
    own, _, _ = parts(line.assign_coords(x=KINDS[samples](numpy, pandas)))
    other = line.assign_coords(x=KINDS[ghosts](numpy, pandas)).isel(x=[7])
    given = {"boundary": ("one_sided", ("ghosts", other)), "datetime_unit": "s"}
    if samples == ghosts:
        found = labelled.derivative(own, "x", **given)
        assert numpy.allclose(found, 2.0 * numpy.arange(1, 7))
        return
    with pytest.raises(TypeError, match="`boundary` along 'x' must have coordinates"):
        labelled.derivative(own, "x", **given)


@pytest.mark.parametrize("units", ["hours since 1970-01-01", "hours", "hr", "H"])
def test_times_that_are_numbers(line: Any, labelled: Any, xr: Any, units: str) -> None:
    """A derivative per hour is none per second."""
    line = line.assign_coords(x=("x", line.x.values, {"units": units}))
    for given in ({}, {"datetime_unit": "h"}):
        found = labelled.derivative(line, "x", **given)
        assert (found == 2.0 * line.x).all()
    with pytest.raises(ValueError, match=r"`datetime_unit` must be None.*decode_cf"):
        labelled.derivative(line, "x", datetime_unit="s")
    # Beside times, it is the unit of these.
    both = (line * xr.DataArray([1.0, 2.0, 3.0], dims="t")).assign_coords(
        t=line.x.values[:3].astype("timedelta64[s]")
    )
    assert len(labelled.gradient(both, datetime_unit="s")) == 2
    if units in ("hr", "H"):
        return
    dataset = line.to_dataset().drop_attrs(deep=False)
    del dataset.f.attrs["units"]
    decoded = xr.decode_cf(dataset, decode_timedelta=True)
    found = labelled.derivative(decoded.f, "x", datetime_unit="s")
    assert abs(3600.0 * found.values - 2.0 * line.x.values).max() < 1e-9


@pytest.mark.parametrize("name", ["time", "times", "lead"])
@pytest.mark.parametrize("chunks", [1, 5, (1, 7, 4)])
def test_lazy_times(
    xr: Any, labelled: Any, numpy: Any, dask: Any, name: str, chunks: Any
) -> None:
    """Times that are no index stay in chunks, too, also those of ghosts."""

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("something is computed")

    days = numpy.cumsum(numpy.arange(1, 13)) * numpy.timedelta64(24, "h")
    times = numpy.datetime64("2000-01-01", "s") + days
    hours = numpy.arange(5) * numpy.timedelta64(1, "h")
    data = xr.Dataset(
        {"u": (("obs", "y"), numpy.sin(numpy.arange(60.0)).reshape(12, 5))},
        {
            "time": ("obs", times),
            "times": (("obs", "y"), times[:, None] + hours),
            "lead": ("obs", days),
        },
    )
    given = {"spacing": name, "datetime_unit": "h"}
    lazy = data.chunk(obs=chunks, y=2)
    wanted = labelled.derivative(data.u, "obs", **given)
    with dask.config.set(scheduler=fail):
        found = labelled.derivative(lazy.u, "obs", **given)
        part, ghosts = (lazy.u.isel(obs=slice(*ends)) for ends in ((4, 9), (9, 11)))
        ends = ("one_sided", ("ghosts", ghosts))
        of_part = labelled.derivative(part, "obs", boundary=ends, **given)
    assert found.chunks == lazy.u.chunks
    assert (found == wanted).all()
    assert numpy.allclose(of_part[1:], wanted[5:9], rtol=1e-12)
    # Samples in memory go with times that are not.
    given["spacing"] = lazy[name]
    assert (labelled.derivative(data.u, "obs", **given) == wanted).all()


@pytest.mark.parametrize("is_lazy", [False, True])
def test_no_lines_with_times(
    xr: Any, labelled: Any, numpy: Any, is_lazy: bool, dask: Any
) -> None:
    times = numpy.zeros((4, 0), "datetime64[s]")
    data = xr.DataArray(numpy.ones((4, 0)), {"t": (("x", "y"), times)}, ("x", "y"))
    data = data.chunk() if is_lazy else data
    given = {"spacing": "t", "datetime_unit": "s"}
    assert labelled.derivative(data, "x", **given).shape == (4, 0)


@pytest.mark.parametrize("resolution", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("is_lazy", [False, True])
def test_dates_after_one_that_is_missing(
    xr: Any, labelled: Any, numpy: Any, dask: Any, resolution: str, is_lazy: bool
) -> None:
    """They are counted from the first one that there is, not from NaT."""
    seconds = numpy.asarray([0, 1, 2, 4, 5, 7])
    dates = numpy.datetime64("2026-07-01", resolution) + seconds.astype("m8[s]")
    dates[[0, 4]] = "NaT"
    for times in (dates, dates - dates[1], numpy.full(6, "NaT", dates.dtype)):
        f = xr.DataArray(3.0 * seconds, {"t": ("obs", times)}, "obs")
        data = f.chunk(obs=2) if is_lazy else f
        coordinate = data.t.chunk(obs=2) if is_lazy else data.t
        found = labelled.derivative(
            data, "obs", spacing=coordinate, datetime_unit="s", where=f.t.notnull()
        )
        inside = [3.0, 3.0, 3.0] if numpy.isfinite(found).any() else [math.nan] * 3
        assert found.values[1:4] == pytest.approx(inside, rel=1e-6, nan_ok=True)
        assert numpy.isnan(found.values[[0, 4, 5]]).all()


def dates_of_objects(numpy: Any) -> dict[str, Any]:
    pandas, cftime = pytest.importorskip("pandas"), pytest.importorskip("cftime")
    day = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    days = [day + datetime.timedelta(days=k) for k in range(8)]
    naive = [day.replace(tzinfo=None) for day in days]
    cf = [cftime.datetime(2000, 1, 1 + k) for k in range(8)]
    return {
        "aware": days,
        "stamps": [pandas.Timestamp(day) for day in days],
        "cftime": cf,
        "mixed": [day.date() for day in naive[:4]] + naive[4:],
        "calendars": [*cf[:7], cftime.datetime(2000, 1, 8, calendar="noleap")],
        "hours of days": [day.time() for day in days],
    }


@pytest.mark.parametrize("kind", ["aware", "stamps"])
def test_dates_that_are_objects(
    line: Any, labelled: Any, numpy: Any, kind: str
) -> None:
    values = numpy.empty(8, object)
    values[:] = dates_of_objects(numpy)[kind]
    dated = line.assign_coords(t=("x", values))
    found = labelled.derivative(dated, "x", spacing="t", datetime_unit="D")
    assert (found.values == 2.0 * line.x.values).all()


@pytest.mark.parametrize("kind", ["mixed", "calendars", "hours of days"])
def test_dates_that_are_none(line: Any, labelled: Any, numpy: Any, kind: str) -> None:
    values = numpy.empty(8, object)
    values[:] = dates_of_objects(numpy)[kind]
    dated = line.assign_coords(t=("x", values))
    with pytest.raises(TypeError, match=r"^`spacing` along 'x' must") as caught:
        labelled.derivative(dated, "x", spacing="t", datetime_unit="D")
    if kind != "hours of days":
        told = str(caught.value)
        assert repr(values[0]) in told
        assert repr(values[4 if kind == "mixed" else 7]) in told


@pytest.mark.parametrize("gap", ["None", "NaN", "NaT"])
@pytest.mark.parametrize("kind", ["aware", "cftime"])
@pytest.mark.parametrize("place", [0, 3])
def test_objects_that_are_no_dates(
    line: Any, labelled: Any, numpy: Any, gap: str, kind: str, place: int
) -> None:
    """A gap among objects is as NaT among dates, wherever it stands."""
    pandas = pytest.importorskip("pandas")
    values, stamps = numpy.empty(8, object), numpy.empty(8, "M8[s]")
    values[:] = dates_of_objects(numpy)[kind]
    stamps[:] = numpy.datetime64("2000-01-01", "s") + numpy.arange(8) * 86400
    values[place] = {"None": None, "NaN": math.nan, "NaT": pandas.NaT}[gap]
    stamps[place] = "NaT"
    dated = line.assign_coords(t=("x", values), s=("x", stamps))
    found, wanted = (
        labelled.derivative(
            dated, "x", spacing=name, datetime_unit="D", where=dated.s.notnull()
        )
        for name in ("t", "s")
    )
    assert found.equals(wanted)
    assert int(found.isnull().sum()) == 1


@pytest.mark.parametrize(
    ("units", "fits"),
    [(None, True), ("hours", True), ("hours since 1970-01-01", True), ("m", False)],
)
def test_lengths_of_time_as_periods_of_numbers(
    line: Any, labelled: Any, numpy: Any, units: Any, fits: bool
) -> None:
    attributes = {} if units is None else {"units": units}
    line = line.assign_coords(x=("x", line.x.values, attributes))
    given = {"datetime_unit": "h"}
    ends = ("periodic", numpy.timedelta64(8 * 60, "m"))
    dates = numpy.datetime64("2000-01-01", "h") + numpy.arange(8)
    dated = line.assign_coords(x=("x", dates, {"units": "UTC"}))
    labelled.derivative(dated, "x", boundary=ends, **given)
    if fits:
        found = labelled.derivative(line, "x", boundary=ends, **given)
        wanted = labelled.derivative(line, "x", boundary=("periodic", 8.0), **given)
        assert (found == wanted).all()
        return
    with pytest.raises(TypeError, match="`boundary` along 'x' must have a period in"):
        labelled.derivative(line, "x", boundary=ends, **given)


@pytest.mark.parametrize("kind", ["dates", "zone"])
@pytest.mark.parametrize("is_lazy", [False, True])
def test_dates_without_labels(
    line: Any, labelled: Any, numpy: Any, kind: str, is_lazy: bool
) -> None:
    pandas = pytest.importorskip("pandas")
    dates = KINDS[kind](numpy, pandas)
    data = line.chunk(x=3) if is_lazy else line
    found = labelled.derivative(data, "x", spacing=dates, datetime_unit="s")
    assert found.equals(labelled.derivative(data, "x", spacing=1.0))
    with pytest.raises(ValueError, match="because `spacing` along 'x' holds times"):
        labelled.derivative(data, "x", spacing=dates)
    with pytest.raises(ValueError, match="`spacing` along 'x' must have the labels"):
        labelled.derivative(data, "x", spacing=dates[:4], datetime_unit="s")
