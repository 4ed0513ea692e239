"""Units of labels that were wrong without a word: right now, or refused."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import labelled_samples
from labelled_samples import parts

pytestmark = pytest.mark.peers

line = labelled_samples.line


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


@pytest.mark.parametrize(
    ("reader", "rate", "fast"),
    [
        ("cf_units", "s-1", "1000 s-1"),
        ("pint", "1 / second", "kilometer / meter / second"),
    ],
)
def test_a_rate_is_no_frequency(
    line: Any,
    labelled: Any,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    rate: str,
    fast: str,
) -> None:
    """UDUNITS writes "Hz" for the unit of a divergence, which is "s-1" in CF."""
    pytest.importorskip(reader)
    monkeypatch.setitem(sys.modules, {"pint": "cf_units"}.get(reader, "pint"), None)
    line.x.attrs["units"] = "m"
    for unit, wanted in (("m s-1", rate), ("km s-1", fast)):
        slope = labelled.derivative(line.assign_attrs(units=unit), "x")
        assert slope.attrs["units"] == wanted


def test_a_unit_of_time_that_is_no_word(line: Any, labelled: Any, numpy: Any) -> None:
    dates = numpy.datetime64("2000-01-01", "s") + numpy.arange(8)
    dated = line.assign_coords(x=dates)
    with pytest.raises(ValueError, match="`datetime_unit` must be one of"):
        labelled.derivative(dated, "x", datetime_unit=["s"])


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
