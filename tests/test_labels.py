"""Labels that were wrong without a word: right now, or refused."""

from __future__ import annotations

from typing import Any

import pytest

import labelled_samples
from labelled_samples import parts

pytestmark = pytest.mark.peers

line = labelled_samples.line


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
