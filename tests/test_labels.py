"""Labels and units that were wrong without a word: right now, or refused."""

from __future__ import annotations

import datetime
import math
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.peers


@pytest.fixture
def line(xr: Any, numpy: Any) -> Any:
    """The square of kilometres."""
    x = numpy.arange(8.0)
    return xr.DataArray(x**2, {"x": x}, "x", "f", {"units": "K"})


def parts(line: Any) -> tuple[Any, Any, Any]:
    return line.isel(x=slice(1, 7)), line.isel(x=[0]), line.isel(x=[7])


@pytest.mark.parametrize("is_lazy", [False, True])
def test_ghosts_beside_other_coordinates(
    line: Any, labelled: Any, is_lazy: bool
) -> None:
    """A coordinate in metres has the name of the one in kilometres."""
    metres = (1000.0 * line.x).drop_vars("x")
    line = line.assign_coords(metres=metres)
    line = line.chunk(x=2) if is_lazy else line
    own, *others = parts(line)
    ends = tuple([("ghosts", part) for part in others])
    wanted = 2.0 * own.x
    for spacing, unit in ((None, 1.0), (own.x, 1.0), (own.x.copy(), 1.0)):
        found = labelled.derivative(own, "x", spacing=spacing, boundary=ends)
        assert (found == wanted / unit).all()
    for spacing in ("metres", own.metres):
        found = labelled.derivative(own, "x", spacing=spacing, boundary=ends)
        assert abs(1000.0 * found - wanted).max() < 1e-12
    for spacing in (1000.0 * own.x, 2.0 * own.metres):
        with pytest.raises(ValueError, match="must have the coordinates of its ghosts"):
            labelled.derivative(own, "x", spacing=spacing, boundary=ends)
    ends = tuple([("ghosts", part, 1000.0 * part.x) for part in others])
    found = labelled.derivative(own, "x", spacing=1000.0 * own.x, boundary=ends)
    assert abs(1000.0 * found - wanted).max() < 1e-12


def test_ghosts_across_the_date_line(xr: Any, labelled: Any, numpy: Any) -> None:
    """Longitudes of the samples are unwrapped, those of the ghosts are not."""
    lon = [170.0, 175.0, -180.0, -175.0, -170.0, -165.0]
    coords = {"lat": [0.0, 1.0, 2.0], "lon": lon}
    wave = xr.DataArray(numpy.ones((3, 6)) * numpy.arange(6.0), coords, ("lat", "lon"))
    own, east = wave.isel(lon=slice(0, 5)), wave.isel(lon=[5])
    grid = labelled.lonlat(own.lon, own.lat)
    ends = {"lon": ("one_sided", ("ghosts", east))}
    with pytest.raises(ValueError, match="must have the coordinates of its ghosts"):
        labelled.gradient(own, **grid, boundary=ends)
    ends = {"lon": ("one_sided", ("ghosts", east, east.lon + 360.0))}
    found, _ = labelled.gradient(own, **grid, boundary=ends)
    whole, _ = labelled.gradient(wave, **labelled.lonlat(wave.lon, wave.lat))
    assert numpy.allclose(found, whole.isel(lon=slice(0, 5)), rtol=1e-12)


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


def test_coordinates_of_one_component(xr: Any, labelled: Any, numpy: Any) -> None:
    """Those of the first were taken for all."""
    places = numpy.asarray([[0.0, 1, 2, 3], [0, 2, 4, 6]])
    values = numpy.ones((2, 4, 3))
    field = xr.DataArray(values, {"X": (("c", "x"), places)}, ("c", "x", "y"))
    given: dict[str, Any] = {"vector_dim": "c"}
    for more in (
        {"spacing": {"x": "X", "y": 1.0}},
        {"spacing": 1.0, "scale_factors": {"x": "X"}},
    ):
        with pytest.raises(ValueError, match=r"none but those of the data|no dims but"):
            labelled.divergence(field, ["x", "y"], **given, **more)


@pytest.mark.parametrize(
    ("units", "degrees", "fits"),
    [
        ("degrees_east", True, True),
        ("degrees", False, False),
        ("°", False, False),
        ("radians", True, False),
        ("rad", True, False),
        ("radian", False, True),
        ("m", True, False),
        ("kilometers", False, False),
        ("1", True, True),
        (None, False, True),
    ],
)
def test_units_of_angles(
    xr: Any, labelled: Any, units: Any, degrees: bool, fits: bool
) -> None:
    attributes = {} if units is None else {"units": units}
    lon = xr.DataArray([0.0, 0.5, 1.0], dims="lon", attrs=attributes)
    lat = xr.DataArray([0.0, 0.5, 1.0], dims="lat")
    if fits:
        assert labelled.lonlat(lon, lat, degrees=degrees)["dim"] == ["lon", "lat"]
        return
    with pytest.raises(ValueError, match=rf"`longitude` must be in .*{units!r}"):
        labelled.lonlat(lon, lat, degrees=degrees)


def test_a_sum_of_which_one_unit_is_unknown(line: Any, xr: Any, labelled: Any) -> None:
    pytest.importorskip("pint")
    rows = xr.DataArray([1.0, 2.0, 3.0, 4.0], {"y": [0, 1, 2, 3]}, "y")
    plane = line * rows
    plane = plane.assign_attrs(units="K")
    plane.x.attrs["units"] = "m"
    assert "units" not in labelled.laplacian(plane).attrs
    assert "units" in labelled.laplacian(plane, "x").attrs
    plane.y.attrs["units"] = "m"
    assert "units" in labelled.laplacian(plane).attrs
    bare = plane.assign_attrs(units="K")
    bare.attrs.clear()
    field = xr.Dataset({"u": plane, "v": bare})
    assert "units" not in labelled.curl(field, ["x", "y"], components=["u", "v"]).attrs


@pytest.mark.parametrize("unit", ["#", "(m", "m (of water", "'", "9**", "K]"])
def test_units_that_nobody_can_read(
    line: Any, labelled: Any, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    """Pint reads them as Python reads code, and fails as Python does."""
    monkeypatch.setitem(sys.modules, "cf_units", None)  # which can read some
    line.attrs["units"], line.x.attrs["units"] = unit, "m"
    assert "units" not in labelled.derivative(line, "x").attrs


@pytest.mark.parametrize(
    ("units", "wanted"),
    [
        (("m s-1", "m"), "1 / second"),
        (("W m-2", "degrees_north"), "watt / degree / meter ** 2"),
        (("kg m-2 s-1", "s"), "kilogram / meter ** 2 / second ** 2"),
        (("mol mol-1", "hPa"), "1 / hectopascal"),
        (("K", "degrees_east"), "kelvin / degree"),
        (("m3/s", "m2"), "meter / second"),
        (("degC d-1", "km"), "delta_degree_Celsius / day / kilometer"),
        (("m a-1", "m"), None),  # years, which pint takes for ares
        (("kg H2O", "m"), None),
        (("1e-3", "m"), None),
    ],
    ids=str,
)
def test_units_as_udunits_writes_them(
    line: Any,
    labelled: Any,
    monkeypatch: pytest.MonkeyPatch,
    units: tuple[str, str],
    wanted: str | None,
) -> None:
    """So they stand in most files, and pint reads a difference, or nothing."""
    pytest.importorskip("pint")
    monkeypatch.setitem(sys.modules, "cf_units", None)
    line.attrs["units"], line.x.attrs["units"] = units
    assert labelled.derivative(line, "x").attrs.get("units") == wanted


@pytest.mark.parametrize("unit", ["deg C", "degree K", "mgal", "a", "ppt", "kg/a"])
def test_units_that_pint_reads_otherwise(
    line: Any, labelled: Any, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    """A file's ``deg C`` are no coulombs, and its parts per thousand no pints."""
    monkeypatch.setitem(sys.modules, "cf_units", None)
    for units in ((unit, "m"), ("m", unit)):
        line.attrs["units"], line.x.attrs["units"] = units
        found = labelled.derivative(line, "x").attrs.get("units", "")
        assert not set(found.split()) & {"coulomb", "pint", "gallon", "year"}
        assert not found.endswith(("gallon", "year", "pint"))
    line.attrs["units"], line.x.attrs["units"] = "A", "m"
    assert labelled.derivative(line, "x").attrs["units"] == "ampere / meter"


@pytest.mark.parametrize("reader", ["pint", "cf_units"])
@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        ("degC", {"delta_degree_Celsius", "K"}),
        ("hours since 1970-01-01", {"hour", "h"}),
        ("dBm", {None}),
        ("R", {None}),
    ],
)
def test_units_of_changes(
    line: Any,
    labelled: Any,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    unit: str,
    wanted: set[Any],
) -> None:
    """Per a pure number, a slope is no temperature, and no level."""
    pytest.importorskip(reader)
    monkeypatch.setitem(sys.modules, {"pint": "cf_units"}.get(reader, "pint"), None)
    line.attrs["units"], line.x.attrs["units"] = unit, "1"
    found = labelled.derivative(line, "x").attrs.get("units")
    assert found in wanted or (unit == "R" and reader == "cf_units")


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


def test_packed_samples(xr: Any, labelled: Any, numpy: Any) -> None:
    """The slope of what is unpacked is the unpacked slope."""
    packing = {"scale_factor": 0.5, "add_offset": 273.0}
    packed = xr.Dataset(
        {"f": ("x", numpy.asarray([0, 2, 4, 8], "int16"), packing)}, {"x": range(4)}
    )
    slope = labelled.derivative(packed.f, "x").to_dataset(name="f")
    wanted = labelled.derivative(xr.decode_cf(packed).f, "x")
    assert numpy.allclose(xr.decode_cf(slope).f, wanted, rtol=1e-6)


def test_ranges_of_samples(line: Any, labelled: Any) -> None:
    """Readers of netCDF would mask all slopes that no sample could be."""
    ranges = {"valid_min": 180.0, "valid_max": 330.0, "actual_range": [201.5, 310.0]}
    line.attrs = {"long_name": "temperature", "valid_range": [180.0, 330.0], **ranges}
    assert labelled.derivative(line, "x").attrs == {"long_name": "temperature"}
    assert "valid_range" in line.attrs


def test_what_says_which_quantity_it_is(line: Any, labelled: Any, xr: Any) -> None:
    """A reader that looks for the air temperature would find its slope."""
    line.attrs |= {"standard_name": "air_temperature", "cell_methods": "time: mean"}
    line.attrs |= {"units_metadata": "temperature: on_scale", "missing_value": 0.0}
    line.attrs["ancillary_variables"] = "standard_error"
    field = line.expand_dims(y=[0.0, 1.0, 2.0, 3.0])
    for found in (
        labelled.derivative(line, "x"),
        *labelled.gradient(field),
        labelled.hessian(line),
        labelled.laplacian(field),
        labelled.divergence(field.isel(y=[0]), ["x"], vector_dim="y"),
    ):
        assert set(found.attrs) - {"units"} <= {"cell_methods"}
    assert line.attrs["standard_name"] == "air_temperature"
    # What fills holes would make some of slopes that are zero.
    flat = labelled.derivative(line, "x").to_dataset(name="f")
    assert float(xr.decode_cf(flat).f[0]) == 0.0


@pytest.mark.parametrize("place", ["spacing", "where", "factor", "value", "lonlat"])
def test_lazy_labels_beside_samples_in_memory(
    line: Any, labelled: Any, xr: Any, dask: Any, place: str
) -> None:
    """As large as the samples at most, they are computed, and so is the result."""
    rows = xr.DataArray([1.0, 2.0, 4.0, 9.0], {"y": [0.0, 1.0, 2.0, 3.0]}, "y")
    plane = (line * rows).transpose("y", "x")
    other = (plane + line.x + 1.0).rename("other")

    def found(other: Any) -> Any:
        return {
            "spacing": lambda: labelled.derivative(plane, "x", spacing=other),
            "where": lambda: labelled.derivative(plane, "x", where=other > 3.0),
            "factor": lambda: labelled.gradient(plane, scale_factors={"x": other})[1],
            "value": lambda: labelled.derivative(plane, "x", boundary=other[:, 0]),
            "lonlat": lambda: labelled.laplacian(
                plane, **labelled.lonlat(other[0], other[:, 0])
            ),
        }[place]()

    result, wanted = found(other.chunk(x=3)), found(other)
    assert result.chunks is None
    assert result.identical(wanted)


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


def test_a_unit_of_time_that_is_no_word(line: Any, labelled: Any, numpy: Any) -> None:
    dates = numpy.datetime64("2000-01-01", "s") + numpy.arange(8)
    dated = line.assign_coords(x=dates)
    with pytest.raises(ValueError, match="`datetime_unit` must be one of"):
        labelled.derivative(dated, "x", datetime_unit=["s"])


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


def test_units_beyond_the_ends(line: Any, labelled: Any, xr: Any) -> None:
    """Those of values, ghosts, their coordinates and periods are compared."""
    line.x.attrs["units"] = "km"
    own, first, last = parts(line)
    metres = first.assign_coords(x=("x", [0.0], {"units": "m"}))
    value = xr.DataArray(0.0, attrs={"units": "degC"})
    period = xr.DataArray(8000.0, attrs={"units": "m"})
    for data, boundary in (
        (line, value),
        (line, ("periodic", period)),
        (own, (("ghosts", first.assign_attrs(units="degC")), "one_sided")),
        (own, (("ghosts", metres), ("ghosts", last))),
    ):
        with pytest.raises(ValueError, match=r"`boundary` along 'x'.*in the unit of"):
            labelled.derivative(data, "x", boundary=boundary)
    for data, boundary, plain in (
        (line, value.assign_attrs(units="K"), 0.0),
        (line, ("periodic", (period / 1000).assign_attrs(units="km")), None),
        (line, ("periodic", 8.0), None),
    ):
        given = ("periodic", 8.0) if plain is None else plain
        wanted = labelled.derivative(line, "x", boundary=given)
        assert labelled.derivative(data, "x", boundary=boundary).equals(wanted)
    hours = line.assign_coords(x=line.x.assign_attrs(units="hours since 1970-01-01"))
    found = labelled.derivative(
        hours, "x", boundary=("periodic", xr.DataArray(8.0, attrs={"units": "hours"}))
    )
    assert (found.values == wanted.values).all()


def test_components_that_are_named_twice(
    line: Any, labelled: Any, xr: Any, numpy: Any
) -> None:
    """Of a curl with the names of its components, one would be lost."""
    coords = {name: numpy.arange(3.0) for name in "xyz"}
    one = xr.DataArray(numpy.ones((3, 3, 3)), coords)
    field = xr.Dataset({"u": one, "v": one})
    given = {"components": ["u", "v", "u"]}
    with pytest.raises(ValueError, match=r"^`components` must name each variable once"):
        labelled.curl(field, list("xyz"), **given)
    assert float(labelled.divergence(field, list("xyz"), **given).max()) == 0.0


def test_no_dims_of_labels(xr: Any, labelled: Any) -> None:
    for door in (labelled.laplacian, labelled.hessian):
        with pytest.raises(ValueError, match=r"^`dim` must name at least one"):
            door(xr.DataArray(1.0))


@pytest.mark.parametrize("dtype", ["Int64", "Float64"])
def test_arrays_of_pandas(
    line: Any, labelled: Any, xr: Any, numpy: Any, dtype: str
) -> None:
    """They are refused with a remedy that labelled arrays have."""
    pandas = pytest.importorskip("pandas")
    values = pandas.array([0, 1, 4, None, 16, 25, 36, 49], dtype=dtype)
    samples = xr.DataArray(values, {"x": line.x}, "x")
    places = line.assign_coords(X=("x", pandas.array(range(8), dtype=dtype)))
    for call in (
        lambda: labelled.derivative(samples, "x"),
        lambda: labelled.derivative(places, "x", spacing="X"),
    ):
        with pytest.raises(TypeError, match=r"with `astype\(float\)`; of samples, NaN"):
            call()
    found = labelled.derivative(samples.astype(float), "x", skipna=True)
    assert numpy.array_equal(found.isnull(), samples.isnull())
    found = labelled.derivative(places, "x", spacing=places.X.astype(float))
    assert (found == 2.0 * line.x).all()


@pytest.mark.parametrize("is_lazy", [False, True])
def test_datasets_beside_components(
    line: Any, labelled: Any, xr: Any, numpy: Any, is_lazy: bool
) -> None:
    """Masks, values and ghosts of a field are fields."""
    plane = (line * (line.x.rename(x="y") + 1.0)).transpose("y", "x")
    field = xr.Dataset({"u": plane, "v": -plane * plane, "w": plane}).drop_attrs()
    field = field.chunk(x=3) if is_lazy else field
    both: dict[str, Any] = {"dim": ["x", "y"], "components": ["v", "u"]}
    own, *others = parts(field)
    for door in (labelled.divergence, labelled.curl):
        ends = {"x": tuple([("ghosts", part) for part in others])}
        found, whole = door(own, boundary=ends, **both), door(field, **both)
        assert numpy.allclose(found, whole.isel(x=slice(1, 7)), rtol=1e-12)
        valid = field > 3.0
        found = door(field, where=valid, **both)
        stacked = xr.concat([field.v, field.u], "c").transpose("c", "y", "x")
        plain = door(
            stacked,
            ["x", "y"],
            vector_dim="c",
            where=xr.concat([valid.v, valid.u], "c"),
        )
        assert found.isnull().any()
        assert numpy.array_equal(found, plain, equal_nan=True)
        values = others[0].isel(x=0, drop=True)
        found = door(field, boundary={"x": (values, "edge")}, **both)
        plain = door(
            stacked,
            ["x", "y"],
            vector_dim="c",
            boundary={"x": (stacked[..., 0].drop_vars("x"), "edge")},
        )
        assert (found == plain).all()
    for word in ("where", "boundary"):
        with pytest.raises(ValueError, match=rf"^`{word}` must have the variables"):
            labelled.curl(field, **both, **{word: valid[["v", "w"]]})


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


@pytest.mark.parametrize("kind", ["strict", "bfloat16"])
def test_dtypes_that_are_not_numpys(
    xr: Any, labelled: Any, array_api_strict: Any, jax: Any, kind: str
) -> None:
    """Coordinates, masks and samples that know nothing of NumPy's kinds of dtypes."""
    xp = array_api_strict if kind == "strict" else jax.numpy
    dtype = xp.float64 if kind == "strict" else xp.bfloat16
    lists = [0.0, 1, 3, 4, 7], [0.0, 1, 9, 16, 49]
    x, f = [xp.asarray(values, dtype=dtype) for values in lists]
    samples = xr.DataArray(f, {"places": ("x", x)}, "x")
    valid = samples.copy(data=x < 5.0)
    holes = samples.copy(data=xp.where(x < 5.0, f, xp.nan * f))

    def slopes(data: Any, **given: Any) -> list[float]:
        result = labelled.derivative(data, "x", spacing="places", **given).data
        assert result.dtype == dtype
        return [round(float(result[k]), 9) for k in range(x.shape[0] - len(given))]

    assert slopes(samples) == [0.0, 2, 6, 8, 14]
    for data, given in ((samples, {"where": valid}), (holes, {"skipna": True})):
        assert slopes(data, edge_order=1, **given) == [1.0, 2, 6]
    beyond = samples.isel(x=slice(4, 5))
    ends = ("one_sided", ("ghosts", beyond))
    shorter = samples.isel(x=slice(0, 4))
    assert slopes(shorter, boundary=ends) == [0.0, 2, 6, 8]


@pytest.mark.parametrize("wrong", ["longitude", "latitude", "radius"])
def test_quantities_for_lonlat(line: Any, xr: Any, labelled: Any, wrong: str) -> None:
    """They are refused at once, and not by the call that gets the grid."""
    pint = pytest.importorskip("pint")
    unit = pint.UnitRegistry().rad
    given = {"longitude": line.x, "latitude": line.x.rename(x="y"), "radius": 1.0}
    given[wrong] = (
        1.0 * unit
        if wrong == "radius"
        else xr.DataArray(line.x.values * unit, dims=given[wrong].dims)
    )
    with pytest.raises(TypeError, match=rf"^`{wrong}` must hold plain numbers"):
        labelled.lonlat(**given)
