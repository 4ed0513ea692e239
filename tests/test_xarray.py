"""Labelled arrays: `anygrad.xarray` against exact values, and against xarray's own."""

from __future__ import annotations

import copy
import datetime
import inspect
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import anygrad

pytestmark = pytest.mark.peers


@pytest.fixture
def plane(xr: Any, numpy: Any) -> Any:
    """``2 * y + 3 * x * x`` on uneven points, with coordinates of all kinds."""
    y, x = numpy.asarray([0.0, 1.0, 3.0, 4.0]), numpy.asarray([-2.0, -1.0, 1.0, 2.0, 4])
    values = 2.0 * y[:, None] + 3.0 * x * x
    coords = {"y": y, "x": x, "name": ("y", list("abcd")), "level": 500.0}
    attributes = {"units": "m", "long_name": "height"}
    return xr.DataArray(values, coords, ("y", "x"), "z", attributes)


def test_labels_stay(plane: Any, labelled: Any, numpy: Any) -> None:
    """All but the unit, which is another one."""
    result = labelled.derivative(plane, "x", accuracy=2)
    assert result.dims == plane.dims
    assert result.name == "z"
    assert result.attrs == {"long_name": "height"}  # x has no unit
    assert plane.attrs["units"] == "m"
    assert set(result.coords) == {"y", "x", "name", "level"}
    assert numpy.allclose(result, 6.0 * plane.x, rtol=1e-14)


@pytest.mark.parametrize("function", ["derivative", "hessian", "divergence"])
def test_indexes_stay(labelled: Any, xr: Any, numpy: Any, function: str) -> None:
    """None is made where there is none, and each is of its own kind."""
    pytest.importorskip("xarray", "2025.7.1")  # which has ranges
    steps = xr.indexes.RangeIndex.linspace(0, 1, 6, dim="x")
    ranges = xr.Coordinates.from_xindex(steps)
    field = xr.DataArray(numpy.ones((2, 6)), ranges, ("y", "x"), name="u")
    bare = field.assign_coords(y=[0.0, 1.0]).drop_indexes("y")
    given = (bare, "x")
    if function == "divergence":
        given = (bare.to_dataset().assign(v=bare), ["x", "y"])
    more = {"components": ["u", "v"]} if function == "divergence" else {}
    result = getattr(labelled, function)(*given, edge_order=1, **more)
    indexes = dict(result.xindexes)
    assert type(indexes.pop("x")) is xr.indexes.RangeIndex
    assert set(indexes) <= {"row", "column"}
    assert result.name == (None if more else "u")


@pytest.mark.parametrize("edge_order", [1, 2])
def test_as_differentiate(
    plane: Any, labelled: Any, numpy: Any, edge_order: int
) -> None:
    for name in plane.dims:
        (ours,) = labelled.gradient(plane, name, edge_order=edge_order)
        theirs = plane.differentiate(name, edge_order=edge_order)
        assert numpy.allclose(ours, theirs, rtol=1e-14, atol=1e-14)


def test_units(plane: Any, labelled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pint is there, the unit is that of the derivative; else there is none."""
    pytest.importorskip("pint")
    monkeypatch.setitem(sys.modules, "cf_units", None)  # which writes them otherwise
    for name in plane.dims:
        plane[name].attrs["units"] = "s"
    per_second, per_square = ("meter / second", "meter / second ** 2")
    assert labelled.derivative(plane, "x").attrs["units"] == per_second
    assert labelled.derivative(plane, "x", order=2).attrs["units"] == per_square
    assert labelled.laplacian(plane).attrs["units"] == per_square
    assert labelled.hessian(plane).attrs["units"] == per_square
    field = plane.to_dataset().assign(w=(2.0 * plane).assign_attrs(plane.attrs))
    along = {"dim": ["x", "y"], "components": ["z", "w"]}
    assert labelled.divergence(field, **along).attrs["units"] == per_second
    assert labelled.curl(field, **along).attrs["units"] == per_second
    plane.attrs["units"] = "no unit at all"
    assert "units" not in labelled.derivative(plane, "x").attrs
    plane.attrs["units"] = "m"
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "pint", None)
        assert "units" not in labelled.derivative(plane, "x").attrs
    plane.y.attrs["units"] = "km"
    assert labelled.gradient(plane)[0].attrs["units"] == "meter / kilometer"
    assert "units" not in labelled.hessian(plane).attrs
    with pytest.raises(
        ValueError, match=r"`dim` must be of one unit.*'y': 'km', 'x': 's'"
    ):
        labelled.laplacian(plane)


def test_names_decide(plane: Any, labelled: Any) -> None:
    """The order of the dims does not matter."""
    down, across = labelled.gradient(plane, ["y", "x"])
    other_across, other_down = labelled.gradient(plane.T, ["x", "y"])
    assert down.identical(other_down.transpose("y", "x"))
    assert across.identical(other_across.transpose("y", "x"))
    assert [r.name for r in labelled.gradient(plane)] == ["z", "z"]


def test_spacing_by_name(plane: Any, labelled: Any, xr: Any, numpy: Any) -> None:
    """A step, another coordinate, one of all dims, and a DataArray."""
    bare = plane.drop_vars(["x", "y"])
    given = bare.assign_coords(
        far=("x", 10.0 * plane.x.values),
        grid=(("x", "y"), plane.x.values[:, None] + 0.0 * plane.y.values),
    )
    wanted = 6.0 * plane.x.values + 0.0 * plane.y.values[:, None]
    along = {"accuracy": 2, "edge_order": 2}
    for spacing, unit in (
        ("far", 10.0),
        ({"x": "far"}, 10.0),
        ("grid", 1.0),
        (given.grid, 1.0),
        (given.grid.T * 2.0, 2.0),
        (plane.x.values / 2.0, 0.5),
    ):
        result = labelled.derivative(given, "x", spacing=spacing, **along)
        assert numpy.allclose(result, wanted / unit, rtol=1e-13), spacing
    line = xr.DataArray([0.0, 2.0, 4.0], dims="t")
    with pytest.raises(
        ValueError, match=r"`spacing` must be given along 't'.*'t': 1\.0"
    ):
        labelled.derivative(line, "t")
    assert labelled.derivative(line, "t", spacing=0.5).values.tolist() == [4.0] * 3


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


def test_missing(plane: Any, labelled: Any, numpy: Any) -> None:
    """NaN, a mask with some of the dims, a name, and both together."""
    holes = plane.where(plane.x != 1.0)
    valid = (plane.x != 1.0).rename("valid")
    by_nan = labelled.gradient(holes, ["y", "x"], skipna=True)
    by_mask = labelled.gradient(plane, ["y", "x"], where=valid)
    named = plane.assign_coords(valid=valid)
    by_name = labelled.gradient(named, ["y", "x"], where="valid")
    wanted = anygrad.gradient(
        plane.values,
        spacing=[plane.y.values, plane.x.values],
        where=numpy.broadcast_to(valid.values, plane.shape),
    )
    for results in (by_nan, by_mask, by_name):
        for result, values in zip(results, wanted, strict=True):
            assert numpy.array_equal(result, values, equal_nan=True)
    both = labelled.gradient(holes, "x", skipna=True, where=plane.y > 0.0)[0]
    assert bool(both.isel(y=0).isnull().all())
    assert both.isel(y=slice(1, None)).equals(by_nan[1].isel(y=slice(1, None)))


def test_second_derivatives(plane: Any, labelled: Any, numpy: Any) -> None:
    assert numpy.allclose(labelled.laplacian(plane, accuracy=2), 6.0, rtol=1e-12)
    second = labelled.hessian(plane, ["x", "y"], new_dims=("i", "j"))
    assert second.dims == ("i", "j", "y", "x")
    assert numpy.allclose(second.sel(i="x", j="x"), 6.0, rtol=1e-12)
    assert numpy.allclose(second.sel(i="x", j="y"), 0.0, atol=1e-12)
    assert second.attrs == {"long_name": "height"}
    with pytest.raises(ValueError, match="`new_dims` must be two names"):
        labelled.hessian(plane, new_dims=("x", "y"))


def wind(xr: Any, plane: Any) -> Any:
    """Return ``(x * y, 3 * x, x + y)`` on three dims."""
    x, y = plane.x, plane.y
    z = xr.DataArray([0.0, 2.0, 3.0], dims="z", coords={"z": [0.0, 2.0, 3.0]})
    one = xr.ones_like(z)
    return xr.Dataset({"u": x * y * one, "v": 3.0 * x, "w": (x + y) * one})


def test_vector_fields(plane: Any, labelled: Any, xr: Any, numpy: Any) -> None:
    """Of a Dataset, by names; of an array, by the name of the dim of components."""
    field = wind(xr, plane)
    flat = field[["u", "v"]].isel(z=0)
    along = {"components": ["u", "v"]}
    divergence = labelled.divergence(flat, ["x", "y"], **along)
    assert numpy.allclose(divergence - plane.y, 0.0, atol=1e-13)
    vorticity = labelled.curl(flat, ["x", "y"], **along)
    assert numpy.allclose(vorticity - (3.0 - plane.x), 0.0, atol=1e-13)
    array = xr.concat([flat.u.broadcast_like(flat), flat.v.broadcast_like(flat)], "c")
    for place in (0, 2):
        moved = array.transpose(*["c", "y", "x"][place:], *["c", "y", "x"][:place])
        found = labelled.divergence(moved, ["x", "y"], vector_dim="c")
        assert numpy.allclose(found - divergence, 0.0, atol=1e-13)
    names = ["u", "v", "w"]
    whirl = labelled.curl(field, ["x", "y", "z"], components=names)
    assert list(whirl) == names
    assert whirl.u.name == "u"
    assert numpy.allclose(whirl.u, 1.0)
    assert numpy.allclose(whirl.v, -1.0)
    assert numpy.allclose(whirl.w - (3.0 - plane.x), 0.0, atol=1e-13)


def test_lazy(plane: Any, labelled: Any, dask: Any, numpy: Any) -> None:
    """Chunks stay chunks, and nothing is computed before it is asked for."""

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("something is computed")

    chunked = plane.chunk({"y": 2, "x": 3})
    holes = plane.where(plane.x != 1.0)
    with dask.config.set(scheduler=fail):
        lazy = labelled.gradient(chunked, ["y", "x"])
        masked = labelled.gradient(holes.chunk({"y": 2}), "x", skipna=True)
        flat = labelled.laplacian(chunked, accuracy=2)
    assert all(result.chunks == chunked.chunks for result in (*lazy, flat))
    for result, wanted in zip(lazy, labelled.gradient(plane, ["y", "x"]), strict=True):
        assert numpy.allclose(result.compute(), wanted, rtol=1e-14)
    wanted = labelled.gradient(holes, "x", skipna=True)[0]
    assert numpy.allclose(masked[0].compute(), wanted, rtol=1e-14, equal_nan=True)


def test_lazy_results_have_the_name_of_the_data(labelled: Any, dask: Any) -> None:
    """None, where several variables come in: never one of Dask's."""
    import dask.array
    import xarray

    f = dask.array.ones((4, 4), chunks=2)
    wind = xarray.Dataset({"u": (("y", "x"), f), "v": (("y", "x"), f)})
    given: Any = {"components": ["u", "v"], "spacing": 1.0}
    assert labelled.curl(wind, ["x", "y"], **given).name is None
    assert labelled.divergence(wind, ["x", "y"], **given).name is None
    assert labelled.laplacian(wind.u, spacing=1.0).name == "u"


@pytest.mark.parametrize("radius", [None, 2.0])
@pytest.mark.parametrize("degrees", [True, False])
def test_lonlat(labelled: Any, numpy: Any, radius: Any, degrees: bool) -> None:
    """As for bare arrays, also across the date line, and with dims in another order."""
    import xarray

    given = {"degrees": degrees} | ({} if radius is None else {"radius": radius})
    unit = 1.0 if degrees else numpy.pi / 180
    lon = unit * numpy.asarray([170.0, 175.0, -180.0, -175.0])
    lat = unit * numpy.asarray([50.0, 51.0, 53.0, 54.0])
    f = numpy.random.default_rng(0).random((2, 4, 4))
    wind = xarray.Dataset(
        {"u": (("lat", "lon"), f[0]), "v": (("lat", "lon"), f[1])},
        {"lat": lat, "lon": lon},
    )
    grid = labelled.lonlat(wind.lon, wind.lat, **given)
    bare = anygrad.lonlat(lon, lat, **given)
    for data in (wind, wind.transpose("lon", "lat")):
        for name in ("curl", "divergence"):
            found = getattr(labelled, name)(data, components=["u", "v"], **grid)
            wanted = getattr(anygrad, name)(f, **bare)
            assert numpy.array_equal(found.transpose("lat", "lon"), wanted)
            assert found.lon.equals(wind.lon)
        found = labelled.laplacian(data.u, **grid)
        assert numpy.array_equal(
            found.transpose("lat", "lon"), anygrad.laplacian(f[0], **bare)
        )
    slopes = labelled.gradient(wind.u, **grid)
    for found, wanted in zip(slopes, anygrad.gradient(f[0], **bare), strict=True):
        assert numpy.array_equal(found, wanted)


def test_lonlat_keeps_chunks(labelled: Any, dask: Any, numpy: Any) -> None:
    import xarray

    wave = xarray.DataArray(
        dask.array.ones((4, 6, 8), chunks=(1, 6, 4)),
        {"lat": numpy.arange(6.0), "lon": numpy.arange(8.0)},
        ("time", "lat", "lon"),
    )
    found = labelled.laplacian(wave, **labelled.lonlat(wave.lon, wave.lat))
    assert found.chunks == wave.chunks
    assert float(abs(found).max()) == 0.0


def test_lonlat_of_no_coordinates(labelled: Any, numpy: Any) -> None:
    import xarray

    line = xarray.DataArray([0.0, 1.0, 2.0], dims="lat")
    with pytest.raises(TypeError) as caught:
        labelled.lonlat(numpy.arange(3.0), line)
    assert str(caught.value) == (
        "`longitude` must be an xarray.DataArray. Got numpy.ndarray. Take the "
        "coordinate of the data, or `anygrad.lonlat` for bare arrays."
    )
    with pytest.raises(ValueError, match="`latitude` must have one dim"):
        labelled.lonlat(line, line * line.rename(lat="lon"))


@pytest.mark.parametrize(
    ("name", "attributes", "word"),
    [
        ("lat", {}, "lat"),
        ("Latitude", {"units": "degrees"}, "Latitude"),
        ("y", {"units": "degrees_north"}, "degrees_north"),
        (None, {"standard_name": "latitude"}, "latitude"),
    ],
)
def test_lonlat_in_the_wrong_order(
    xr: Any, labelled: Any, name: Any, attributes: Any, word: str
) -> None:
    """Dims go by their names, so that no length would tell."""
    line = xr.DataArray([0.0, 1.0, 2.0], dims="y", name=name, attrs=attributes)
    other = xr.DataArray([0.0, 1.0, 2.0], dims="x", attrs={"units": "degrees_east"})
    labelled.lonlat(other, line)
    with pytest.raises(ValueError, match=f"`longitude` must not be called '{word}'"):
        labelled.lonlat(line, other)
    with pytest.raises(ValueError, match="be called 'degrees_east'"):
        labelled.lonlat(xr.DataArray([0.0, 1.0], dims="z"), other)


MISTAKES: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "a name that is no dim": (
        lambda a, f: a.derivative(f, "X"),
        ValueError,
        r"`dim` must name dims of the data, \('y', 'x'\). Got 'X'",
    ),
    "a name that is nearly one": (
        lambda a, f: a.gradient(f.rename(x="longitude"), ["longitde"]),
        ValueError,
        "Do you mean 'longitude'",
    ),
    "a coordinate along a dim": (
        lambda a, f: a.derivative(f.assign_coords(miles=0.6 * f.x), "miles"),
        ValueError,
        r"Got 'miles'. Along 'x', with `spacing='miles'`\?",
    ),
    "a coordinate along none": (
        lambda a, f: a.derivative(f.assign_coords(day=1), "day"),
        ValueError,
        r"Got 'day'\.$",
    ),
    "a dim twice": (
        lambda a, f: a.laplacian(f, ["x", "x"]),
        ValueError,
        "`dim` must name each dim once",
    ),
    "an array": (
        lambda a, f: a.derivative(f.values, "x"),
        TypeError,
        "`data` must be an xarray.DataArray. Got numpy.ndarray",
    ),
    "a coordinate of words": (
        lambda a, f: a.derivative(f, "y", spacing="name"),
        TypeError,
        "`spacing` along 'y' must be numbers or dates. Got the coordinate 'name'",
    ),
    "a coordinate that is not there": (
        lambda a, f: a.derivative(f, "y", spacing="height"),
        ValueError,
        "`spacing` must name coordinates of the data",
    ),
    "a coordinate of another dim": (
        lambda a, f: a.derivative(f, "y", spacing="x"),
        ValueError,
        "`spacing` along 'y' must have this dim",
    ),
    "a boundary of no dim": (
        lambda a, f: a.gradient(f, "x", boundary={"lon": "periodic"}),
        ValueError,
        r"`boundary` must have names of the dims \['x'\]. Got 'lon'",
    ),
    "a bare pair for two dims": (
        lambda a, f: a.gradient(f, ["x", "y"], boundary=("reflect", "edge")),
        ValueError,
        r"bare pair.*`dict.fromkeys\(\['x', 'y'\], \('reflect', 'edge'\)\)`.*a mapping",
    ),
    "a mask of numbers": (
        lambda a, f: a.gradient(f, "x", where=f),
        TypeError,
        "`where` must be a DataArray of bools. Got float64",
    ),
    "a mask with a dim more": (
        lambda a, f: a.gradient(f, "x", where=(f > 0).expand_dims("t")),
        ValueError,
        "`where` must have no dims but those of the data",
    ),
    "a mask that is not there": (
        lambda a, f: a.gradient(f, "x", where="valid"),
        ValueError,
        "`where` must be a DataArray, or name a coordinate",
    ),
    "a mask without labels": (
        lambda a, f: a.gradient(f, "x", where=f.values > 0),
        TypeError,
        "`where` must be a DataArray of bools. Got numpy.ndarray",
    ),
    "a new dim that is a coordinate": (
        lambda a, f: a.hessian(f, "x", new_dims=("row", "level")),
        ValueError,
        "`new_dims` must be two names that none of .*'level'.* is",
    ),
    "no components": (
        lambda a, f: a.divergence(f.to_dataset(), ["x", "y"]),
        TypeError,
        r"`components` must be a list of the names of variables.*\['z'\]",
    ),
    "components that are not there": (
        lambda a, f: a.divergence(f.to_dataset(), ["x", "y"], components=["z", "w"]),
        ValueError,
        "`components` must be names of variables.*Got 'w'",
    ),
    "components of two units": (
        lambda a, f: a.curl(
            f.to_dataset().assign(w=f.assign_attrs(units="km")),
            ["x", "y"],
            components=["z", "w"],
        ),
        ValueError,
        "`components` must be of one unit.*'z': 'm', 'w': 'km'",
    ),
    "no dim of components": (
        lambda a, f: a.curl(f, ["x", "y"]),
        TypeError,
        "`vector_dim` must name the dim of the components",
    ),
    "dims without an order": (
        lambda a, f: a.curl(f.to_dataset(), {"x", "y"}, components=["z", "z"]),
        TypeError,
        "`dim` must be a list of the names of dims, one per component",
    ),
    "components without an order": (
        lambda a, f: a.curl(f.to_dataset(), ["x", "y"], components={"z"}),
        TypeError,
        "`components` must be a list",
    ),
    "components that are too few": (
        lambda a, f: a.curl(f.to_dataset(), ["x", "y"], components=["z"]),
        ValueError,
        r"`components` must be one per dim of \['x', 'y'\]. Got \['z'\]",
    ),
    "components of an array": (
        lambda a, f: a.curl(f, ["x", "y"], components=["z"], vector_dim="x"),
        TypeError,
        "`components` must be None for a DataArray.*`vector_dim`",
    ),
    "a dim of components of a Dataset": (
        lambda a, f: a.curl(f.to_dataset(), ["x", "y"], vector_dim="y"),
        TypeError,
        "`vector_dim` must be None for a Dataset.*`components`",
    ),
    "the dim of components as one of space": (
        lambda a, f: a.divergence(f, ["x", "y"], vector_dim="y"),
        ValueError,
        "`dim` must not name `vector_dim`. Got 'y'",
    ),
    "a number of a dim": (
        lambda a, f: a.derivative(f, 1),
        ValueError,
        "Got 1. Do you mean 'x'",
    ),
    "several dims for one": (
        lambda a, f: a.derivative(f, ["x"]),
        ValueError,
        "Give one name; `gradient` takes several",
    ),
    "a tuple of what is no name": (
        lambda a, f: a.derivative(f, ("x", [1.0])),
        ValueError,
        "`dim` must name dims of the data.*Give one name",
    ),
    "a list of spacings": (
        lambda a, f: a.gradient(f, spacing=[1.0, 2.0]),
        TypeError,
        "`spacing` must be one entry for every dim.*Write `{'y': ..., 'x': ...}`",
    ),
    "a tuple of spacings": (
        lambda a, f: a.gradient(f, spacing=(1.0, 2.0)),
        TypeError,
        "`spacing` must be one entry for every dim.*Write `{'y': ..., 'x': ...}`",
    ),
    "a list of boundaries": (
        lambda a, f: a.gradient(f, boundary=["edge", "reflect"]),
        TypeError,
        "`boundary` must be one entry for every dim.*Got \\['edge', 'reflect'\\]",
    ),
    "coordinates that are too few": (
        lambda a, f: a.gradient(f, ["y", "x"], spacing={"x": f.x.values[:2]}),
        ValueError,
        "`spacing` along 'x' must have one coordinate per point along dim 'x', 5 in",
    ),
    "a dim that is too short": (
        lambda a, f: a.derivative(f.isel(x=[0]), "x"),
        ValueError,
        r"`data` must have at least 3 points along `dim` 'x' .* Got shape \(4, 1\)",
    ),
    "a circle without a length": (
        lambda a, f: a.gradient(f, boundary={"x": "periodic"}),
        ValueError,
        "period of the coordinates along dim 'x'.*a mapping with one per dim",
    ),
    "values along the dim itself": (
        lambda a, f: a.derivative(f, "x", boundary=f.x),
        ValueError,
        r"`boundary` along 'x' must have one value.*dims \('x',\).*`isel\({'x': 0}\)`",
    ),
    "values of other lines": (
        lambda a, f: a.derivative(f, "x", boundary=f.y.assign_coords(y=f.y + 1)),
        ValueError,
        "`boundary` along 'x' must have the labels of the data.*join='inner'",
    ),
    "values with a dim more": (
        lambda a, f: a.derivative(f, "x", boundary=f.y.expand_dims("t")),
        ValueError,
        "`boundary` along 'x' must have no dims but those of the data",
    ),
    "ghosts without a coordinate": (
        lambda a, f: a.derivative(
            f, "x", boundary=(("ghosts", f.isel(x=[0]).drop_vars("x")), "edge")
        ),
        ValueError,
        r"`boundary` must have the coordinates of its ghosts",
    ),
    "ghosts with a dim less": (
        lambda a, f: a.derivative(f, "x", boundary=(("ghosts", f.y), "edge")),
        ValueError,
        r"`boundary` along 'x' must have ghosts with the dims of the data.*\('y',\)",
    ),
    "a length of time without a unit": (
        lambda a, f: a.derivative(f, "x", spacing=datetime.timedelta(1)),
        ValueError,
        "`datetime_unit` must be given, because `spacing` along 'x' has a length of",
    ),
    "no field": (
        lambda a, f: a.curl(f.values, ["x", "y"]),
        TypeError,
        "`data` must be an xarray.Dataset or xarray.DataArray",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(plane: Any, labelled: Any, mistake: str) -> None:
    call, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=message):
        call(labelled, plane)


def test_labels_that_differ(plane: Any, labelled: Any) -> None:
    """A mask of other points is no mask of these."""
    other = (plane > 0).assign_coords(x=plane.x + 1.0)
    with pytest.raises(ValueError, match="align"):
        labelled.gradient(plane, "x", where=other)


def test_the_plain_doors_say_where_to_go(plane: Any, labelled: Any) -> None:
    with pytest.raises(TypeError, match=r"labelled array.*`anygrad\.xarray`"):
        anygrad.gradient(plane)
    with pytest.raises(TypeError, match=r"labelled array.*`anygrad\.xarray`"):
        anygrad.divergence(plane.to_dataset())


def test_scale_factors(xr: Any, labelled: Any, numpy: Any) -> None:
    """By the names of dims: numbers, arrays with labels, and coordinates."""
    latitude, longitude = numpy.linspace(-60.0, 60.0, 7), numpy.arange(0.0, 360.0, 45.0)
    u = numpy.cos(numpy.radians(latitude))[:, None] * numpy.ones(8)
    winds = {
        "u": (("lat", "lon"), u, {"units": "m/s"}),
        "v": (("lat", "lon"), numpy.sin(u), {"units": "m/s"}),
    }
    data = xr.Dataset(winds, {"lat": latitude, "lon": longitude}).transpose("lon", ...)
    degree = 6371008.7714 * numpy.pi / 180
    lengths = degree * numpy.cos(numpy.deg2rad(data.lat))
    factors = {"lat": degree, "lon": lengths}
    dims, given = ["lon", "lat"], {"scale_factors": factors}
    stacked = numpy.stack([data.u.data, data.v.data])
    grid = anygrad.lonlat(longitude, latitude, dim=(-2, -1))
    for name in ("curl", "divergence"):
        function = getattr(labelled, name)
        found = function(data, dims, components=["u", "v"], **given)
        wanted = getattr(anygrad, name)(stacked, **grid)
        assert found.dims == ("lon", "lat")
        assert "units" not in found.attrs
        assert numpy.allclose(found, wanted, rtol=1e-12, atol=0)
        cell = data.assign_coords(cell=lengths)
        named = {"scale_factors": {**factors, "lon": "cell"}}
        same = function(cell, dims, components=["u", "v"], **named)
        assert found.equals(same.drop_vars("cell"))
    found = labelled.laplacian(data.u, dims, **given)
    wanted = anygrad.laplacian(data.u.data, **grid)
    assert numpy.allclose(found, wanted, rtol=1e-12, atol=0)
    (east,) = labelled.gradient(data.u, "lon", scale_factors={"lon": lengths})
    wanted = anygrad.gradient(data.u.data, **grid)[0]
    assert numpy.allclose(east, wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("factors", "error", "words"),
    [
        ([1.0, 2.0], TypeError, "`scale_factors` must be a mapping from the names"),
        ({"z": 1.0}, ValueError, "`scale_factors` must have names of the dims"),
        ({"x": "size"}, ValueError, "`scale_factors` must name coordinates of the"),
        ({"x": "array"}, TypeError, "does not say along which dims it lies"),
        ({"x": "other"}, ValueError, "must have no dims but those of the data"),
    ],
    ids=str,
)
def test_scale_factors_that_are_none(
    plane: Any, labelled: Any, xr: Any, numpy: Any, factors: Any, error: Any, words: str
) -> None:
    arrays = {
        "array": numpy.ones(5),
        "other": xr.DataArray(numpy.ones(3), dims="t"),
    }
    if isinstance(factors, dict):
        factors = {k: arrays.get(str(v), v) for k, v in factors.items()}
    with pytest.raises(error) as caught:
        labelled.laplacian(plane, scale_factors=factors)
    assert words in str(caught.value)


def test_missing_samples_in_all_doors(xr: Any, labelled: Any, numpy: Any) -> None:
    """Each as its plain door: of several components, each has its own mask."""
    rng = numpy.random.default_rng(4)
    values = numpy.where(
        rng.random((2, 6, 7)) < 0.8, rng.normal(size=(2, 6, 7)), numpy.nan
    )
    u, v = (xr.DataArray(part, dims=("y", "x")) for part in values)
    where, given = ~numpy.isnan(values), {"spacing": 1.0, "skipna": True}
    for name in ("laplacian", "hessian"):
        found = getattr(labelled, name)(u, ["y", "x"], **given)
        wanted = getattr(anygrad, name)(values[0], where=where[0])
        assert numpy.array_equal(found.values, wanted, equal_nan=True)
    field = xr.Dataset({"v": v, "u": u})
    for name in ("divergence", "curl"):
        door = getattr(labelled, name)
        found = door(field, ["y", "x"], components=["v", "u"], **given)
        wanted = getattr(anygrad, name)(values[::-1], where=where[::-1])
        assert numpy.array_equal(found.values, wanted, equal_nan=True)
    one = xr.DataArray(where[0], dims=("y", "x"))
    found = labelled.divergence(
        field.fillna(0.0), ["y", "x"], components=["v", "u"], spacing=1.0, where=one
    )
    wanted = anygrad.divergence(numpy.nan_to_num(values[::-1]), where=where[0])
    assert numpy.array_equal(found.values, wanted, equal_nan=True)


def test_values_beyond_the_ends_of_each_line(
    plane: Any, labelled: Any, numpy: Any
) -> None:
    """The names say across which dims they lie, whatever their order."""
    cube = plane.expand_dims(t=[0.0, 1.0, 5.0]).transpose("y", "x", "t") + plane.y**2
    left, right = cube.isel(x=0) - 1.0, 2.0 * cube.isel(x=-1).T
    for values in (left, left.T, left.variable):
        found = labelled.derivative(cube, "x", boundary=(values, right))
        ends = (left.values[:, None], right.T.values[:, None])
        x = cube.x.values
        plain = anygrad.derivative(cube.values, dim=1, spacing=x, boundary=ends)
        assert (found.values == plain).all()
    found = labelled.gradient(cube, ["x", "y"], boundary={"x": cube.y, "y": cube.x[0]})
    (plain, _) = anygrad.gradient(
        cube.values,
        dim=(1, 0),
        spacing=[x, cube.y.values],
        boundary=[cube.y.values[:, None, None], float(cube.x[0])],
    )
    assert (found[0].values == plain).all()
    period = 10.0 + cube.y
    found = labelled.derivative(cube, "x", boundary=("periodic", period))
    ends = ("periodic", period.values[:, None, None])
    plain = anygrad.derivative(cube.values, dim=1, spacing=x, boundary=ends)
    assert (found.values == plain).all()


def test_values_beyond_the_ends_of_a_field(
    plane: Any, labelled: Any, numpy: Any
) -> None:
    """One for each line of all components, and a dim of these makes them their own."""
    field = plane.to_dataset(name="u").assign(v=2.0 * plane)
    given = {"components": ["u", "v"], "spacing": 1.0}
    found = labelled.divergence(field, ["x", "y"], boundary={"x": plane.y}, **given)
    both = numpy.stack([field.u, field.v])
    ends = [plane.y.values[:, None], "one_sided"]
    plain = anygrad.divergence(both, dim=(2, 1), boundary=ends)
    assert (found.values == plain).all()


@pytest.mark.parametrize("kind", ["numbers", "dates", "step"])
def test_ghosts_with_labels(
    plane: Any, labelled: Any, numpy: Any, xr: Any, kind: str
) -> None:
    """The parts of an array, each with the next one's samples, are the whole."""
    whole = plane.assign_coords(x=plane.x.values) + plane.y**2
    given: dict[str, Any] = {"spacing": 1.0} if kind == "step" else {}
    if kind == "dates":
        days = (plane.x.values * 24).astype("timedelta64[h]")
        whole = whole.assign_coords(x=numpy.datetime64("2026-11-28") + days)
        given = {"datetime_unit": "D"}
    wanted = labelled.derivative(whole, "x", **given)
    own, before, after = (
        whole.isel(x=part) for part in (slice(1, 4), slice(0, 1), slice(4, 5))
    )
    for turned in (False, True):
        ends = (("ghosts", before.T if turned else before), ("ghosts", after))
        found = labelled.derivative(own, "x", boundary=ends, **given)
        assert numpy.allclose(found, wanted.isel(x=slice(1, 4)), rtol=1e-14)
    if kind != "step":  # or coordinates of their own
        ends = (("ghosts", before.values, before.x.values), ("ghosts", after, after.x))
        found = labelled.derivative(own, "x", boundary=ends, **given)
        assert numpy.allclose(found, wanted.isel(x=slice(1, 4)), rtol=1e-14)


def test_ghosts_of_masked_samples(plane: Any, labelled: Any, xr: Any) -> None:
    """They have no part of the mask; the remedy leads to the derivatives wanted."""
    holes = plane.where(plane.x != 2.0)
    own, before = holes.isel(x=slice(1, None)), holes.isel(x=[0])
    ends = (("ghosts", before), "one_sided")
    with pytest.raises(ValueError, match=r"Put them into `data`.*cut their rows off"):
        labelled.derivative(own, "x", boundary=ends, skipna=True)
    both = xr.concat([before, own], "x")
    found = labelled.derivative(both, "x", skipna=True).isel(x=slice(1, None))
    whole = labelled.derivative(holes, "x", skipna=True)
    assert found.equals(whole.isel(x=slice(1, None)))


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


def test_a_list_of_one_entry(plane: Any, labelled: Any) -> None:
    """It says along which dim, where there is one, as for the plain doors."""
    x = plane.x
    for spacing in (2.0, x, x.values):
        given = {"spacing": [spacing], "boundary": ["reflect"]}
        (found,) = labelled.gradient(plane, "x", **given)
        given = {"spacing": spacing, "boundary": "reflect"}
        assert found.equals(labelled.gradient(plane, "x", **given)[0])
        found = labelled.derivative(plane, "x", spacing=(spacing,))
        assert found.equals(labelled.derivative(plane, "x", spacing=spacing))


def test_a_step_with_labels(plane: Any, labelled: Any) -> None:
    found = labelled.derivative(plane, "x", spacing=plane.x[1] - plane.x[0])
    assert (found == labelled.derivative(plane, "x", spacing=1.0)).all()


def test_keywords_of_the_plain_doors(labelled: Any) -> None:
    """All but those that names and labels stand for."""
    for name in labelled.__all__:
        plain = inspect.signature(getattr(anygrad, name)).parameters
        own = inspect.signature(getattr(labelled, name)).parameters
        left_out = {"input", "axis", "stack_dim"}
        left_out |= {"dim"} if name == "lonlat" else set()  # which coordinates know
        assert set(plain) - set(own) <= left_out


def test_a_dtype_of_the_result(plane: Any, labelled: Any, xr: Any) -> None:
    field = xr.Dataset({"u": plane, "v": plane})
    vectors: dict[str, Any] = {"components": ["u", "v"]}
    for name, data, given in (
        ("derivative", plane, {"dim": plane.dims[0]}),
        ("gradient", plane, {}),
        ("laplacian", plane, {}),
        ("hessian", plane, {}),
        ("divergence", field, {"dim": plane.dims, **vectors}),
        ("curl", field, {"dim": plane.dims, **vectors}),
        ("jacobian", field.to_dataarray("c"), {"vector_dim": "c"}),
    ):
        call = partial(
            getattr(labelled, name), data, spacing=1.0, edge_order=1, **given
        )
        usual, found = call(), call(dtype="float32")
        if name == "gradient":
            usual, found = usual[0], found[0]
        assert found.dtype == "float32"
        assert found.identical(usual.astype("float32"))
    with pytest.raises(TypeError, match=r"^`dtype` must be None, or a real or complex"):
        labelled.laplacian(plane, spacing=1.0, dtype=int)


@pytest.mark.parametrize(
    ("door", "parameter", "given"),
    [
        ("hessian", "new_dims", None),
        ("hessian", "new_dims", [["row"], "column"]),
        ("hessian", "new_dims", ("row",)),
        ("hessian", "new_dims", (1, 2)),
        ("laplacian", "skipna", [1, 2]),
        ("curl", "components", [["u"], "v"]),
        ("curl", "boundary", ()),
        ("curl", "components", []),
        ("jacobian", "components", []),
        ("jacobian", "components", "u"),
        ("jacobian", "new_dim", "x"),
        ("jacobian", "new_dim", ("row", "column")),
        ("jacobian", "new_dim", None),
        ("laplacian", "where", "Dataset"),
    ],
)
def test_nonsense_is_refused_by_name(
    plane: Any, labelled: Any, xr: Any, door: str, parameter: str, given: Any
) -> None:
    is_field = door in ("curl", "jacobian")
    given = plane.to_dataset() if given == "Dataset" else given
    data = xr.Dataset({"u": plane, "v": plane}) if is_field else plane
    keywords: dict[str, Any] = {"spacing": 1.0, "edge_order": 1, "dim": plane.dims}
    keywords |= {"components": ["u", "v"]} if is_field else {}
    with pytest.raises((TypeError, ValueError), match=rf"^`{parameter}` "):
        getattr(labelled, door)(data, **{**keywords, parameter: given})


@pytest.mark.parametrize("is_lazy", [False, True])
def test_jacobian(
    plane: Any, labelled: Any, xr: Any, numpy: Any, is_lazy: bool, dask: Any
) -> None:
    """Each row is a gradient, with the labels, name and unit of its variable."""
    u, v = plane.assign_attrs(long_name="u"), 2.0 * plane.y * plane.x
    v.attrs = {"units": "K", "long_name": "v"}
    field = xr.Dataset({"u": u, "v": v.transpose("x", "y")})
    field = field.chunk(y=3) if is_lazy else field
    names = ["x", "y"]
    found = labelled.jacobian(field, names, components=["u", "v"])
    assert isinstance(found, xr.Dataset)
    assert list(found) == ["u", "v"]
    for name in found:
        row = found[name]
        assert row.dims[0] == "column"
        assert list(row.column.values) == names
        slopes = labelled.gradient(field[name], names, edge_order=2)
        for slope, dim in zip(slopes, names, strict=True):
            wanted = slope.transpose(*row.dims[1:])
            assert row.sel(column=dim, drop=True).identical(wanted)
        assert row.attrs == slopes[0].attrs
        assert (row.chunks is not None) == is_lazy


def test_jacobian_along_a_dim(plane: Any, labelled: Any, xr: Any, numpy: Any) -> None:
    """The new dim follows that of the components, of which there may be any number."""
    names = xr.IndexVariable("part", ["a", "b", "c"])
    field = xr.concat([plane, 2.0 * plane, plane.x + 0.0 * plane], names)
    field = field.transpose("y", "part", "x").assign_attrs(plane.attrs)
    found = labelled.jacobian(field, vector_dim="part", new_dim="along")
    assert found.dims == ("y", "part", "along", "x")
    assert list(found.part.values) == ["a", "b", "c"]
    assert list(found.along.values) == ["y", "x"]
    wanted = anygrad.jacobian(
        field.values,
        vector_dim=1,
        dim=(0, 2),
        spacing=[plane.y.values, plane.x.values],
    )
    assert numpy.array_equal(found, wanted)
    slope = labelled.jacobian(field, "x", vector_dim="part", spacing=1.0)
    assert slope.sizes["column"] == 1


@pytest.mark.parametrize("new_dim", ["x", "level", ["row"], None])
def test_jacobian_with_a_dim_that_is_taken(
    plane: Any, labelled: Any, new_dim: Any
) -> None:
    field = plane.to_dataset().assign_coords({None: 1.0} if new_dim is None else {})
    with pytest.raises(
        (TypeError, ValueError), match=r"^`new_dim` must be a name that"
    ):
        labelled.jacobian(field, components=["z"], new_dim=new_dim)
    with pytest.raises(ValueError, match=r"^`components` must name each variable once"):
        labelled.jacobian(field, components=["z", "z"])


@pytest.mark.parametrize(
    "door", ["derivative", "gradient", "laplacian", "hessian", "divergence", "jacobian"]
)
def test_results_share_nothing_that_can_be_written_to(
    plane: Any, labelled: Any, numpy: Any, door: str
) -> None:
    """What is done to the labels of a result leaves the samples' as they are."""
    height = plane.assign_coords(
        there=(("y", "x"), numpy.ones(plane.shape), {"a": [1]})
    )
    height.x.attrs["flags"] = [1]
    height.attrs["history"] = ["made"]
    height.encoding["dtype"] = "int16"
    field = height.expand_dims(part=2) if door in ("divergence", "jacobian") else height
    before = field.copy(deep=True)
    kept = copy.deepcopy([v.attrs for v in (field, *field.coords.variables.values())])
    dims, along = ["y", "x"], {"vector_dim": "part"} if field is not height else {}
    given = {"edge_order": 1, **along}
    found = getattr(labelled, door)(field, "x" if not along else dims, **given)
    found = found[0] if door == "gradient" else found
    assert not found.encoding
    found.there.values[:] = 0.0
    found.there.attrs["a"].append(2)
    found.x.attrs["units"] = "km"
    found.x.attrs["flags"].append(2)
    found.attrs["history"].append("changed")
    found["level"] = 2.0
    assert numpy.array_equal(field.there, before.there)
    assert [v.attrs for v in (field, *field.coords.variables.values())] == kept


@pytest.mark.parametrize("door", ["derivative", "gradient", "divergence", "skipna"])
def test_samples_on_a_disk_are_read_once(
    plane: Any, labelled: Any, xr: Any, numpy: Any, door: str
) -> None:
    """Also where xarray keeps nothing of what it has read."""
    reads = []

    class OnDisk(xr.backends.BackendArray):
        def __init__(self, values: Any) -> None:
            self.values, self.shape, self.dtype = values, values.shape, values.dtype

        def __getitem__(self, key: Any) -> Any:
            reads.append(key)
            return self.values[key.tuple]

    from xarray.core import indexing

    field = plane.expand_dims(part=2)
    lazy = indexing.LazilyIndexedArray(OnDisk(field.values.copy()))
    field = xr.DataArray(xr.Variable(field.dims, lazy), field.coords)
    given: dict[str, Any] = {"vector_dim": "part"} if door == "divergence" else {}
    if door == "skipna":
        door, given = "derivative", {"skipna": True}
    dim = "x" if door == "derivative" else ["y", "x"]
    reads.clear()
    getattr(labelled, door)(field, dim, **given)
    assert len(reads) == 1


@pytest.mark.parametrize("door", ["hessian", "jacobian"])
def test_no_scale_factors_of_curved_coordinates(
    plane: Any, labelled: Any, door: str
) -> None:
    """Their grid is refused with the reason, and not as a word that is unknown."""
    field = plane.expand_dims(part=2) if door == "jacobian" else plane
    given: dict[str, Any] = {"vector_dim": "part"} if door == "jacobian" else {}
    grid = labelled.lonlat(plane.x, plane.y.drop_attrs())
    with pytest.raises(ValueError, match=r"^`scale_factors` must be None for `jac"):
        getattr(labelled, door)(field, edge_order=1, **given, **grid)


@pytest.mark.parametrize("door", ["derivative", "curl", "jacobian"])
def test_trees_of_datasets(plane: Any, labelled: Any, xr: Any, door: str) -> None:
    """They are told what to do with each of their datasets, which works."""
    field = plane.to_dataset(name="u").assign(v=plane)
    tree = xr.DataTree.from_dict({"/": field, "/deeper": 2.0 * field})
    with pytest.raises(TypeError, match=r"DataTree\. .*`data\.map_over_datasets\("):
        getattr(labelled, door)(tree, "x" if door == "derivative" else ["x", "y"])

    def slopes(data: Any) -> Any:
        if door == "derivative":
            return data.assign({n: labelled.derivative(data[n], "x") for n in data})
        found = getattr(labelled, door)(data, ["x", "y"], components=["u", "v"])
        return found if door == "jacobian" else found.to_dataset(name="curl")

    found = tree.map_over_datasets(slopes)
    assert found["deeper"].to_dataset().identical(slopes(2.0 * field))
