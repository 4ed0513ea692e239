"""Labelled vector fields, Jacobians and curved coordinates, the globe among them."""

from __future__ import annotations

import typing
from typing import Any

import pytest

import anygrad
import labelled_samples

pytestmark = pytest.mark.peers

plane = labelled_samples.plane


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


def test_hints_say_all_that_is_taken(labelled: Any, xr: Any) -> None:
    """Masks of fields may be Datasets, and an edge order None, as everywhere."""
    for door in (labelled.divergence, labelled.curl, labelled.jacobian):
        assert xr.Dataset in typing.get_args(typing.get_type_hints(door)["where"])
    hints = typing.get_type_hints(labelled.gradient)
    assert hints["edge_order"] == int | None
