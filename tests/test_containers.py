"""What holds numbers and is no array: what its refusal says works to the letter.

Libraries that are not among the tested ones are pretended, by the names of their
classes and what these have.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import anygrad
from remedies import LINE, SLOPES, refusal


class Pretended:
    """Numbers as a foreign class has them, with a hole that is no number."""

    def __init__(self, array: Any, mask: Any) -> None:
        self.array, self.mask, self.unit = array, mask, 2.0
        self.quantity = self.values = self.data = array
        self.attrs = {"_FillValue": array[2]}

    def __getitem__(self, key: Any) -> Any:
        return self.array if key == "name" else self.array[key]

    def result(self) -> Any:
        return self.array

    to_numpy = toarray = todense = core_data = core_points = result

    def collect(self) -> Any:
        return self

    read = collect

    def to_dask_array(self, *, lengths: bool) -> Any:
        return self.array


@pytest.mark.parametrize(
    ("module", "name", "remedy"),
    [
        ("pandas.core", "ExtensionArray", "array.to_numpy()"),
        ("pint_pandas.core", "PintArray", "array.quantity"),
        ("polars.lazy", "LazyFrame", "array.collect().to_numpy()"),
        ("dask.dataframe", "Series", "array.to_dask_array(lengths=True)"),
        ("dask.dataframe", "DataFrame", "array.to_dask_array(lengths=True)"),
        ("distributed.client", "Future", "array.result()"),
        ("scipy.sparse._base", "sparray", "array.toarray()"),
        ("scipy.sparse._base", "spmatrix", "array.toarray()"),
        ("cupyx.scipy.sparse._base", "spmatrix", "array.toarray()"),
        ("jax.experimental.sparse._base", "JAXSparse", "array.todense()"),
        ("iris.cube", "Cube", "array.core_data()"),
        ("iris.coords", "Coord", "array.core_points()"),
        ("scipp", "DataArray", "array.values"),
        ("awkward", "Array", "awkward.to_numpy(array)"),
        ("tiledb", "Array", "array[...]"),
        ("tensorstore", "TensorStore", "array.read().result()"),
        ("scipy.io", "netcdf_variable", "array[...]"),
        ("netCDF4._netCDF4", "_Variable", "array[...]"),
        ("netCDF4._netCDF4", "Dataset", "array['name'][...]"),
        ("zarr.core.group", "Group", "array['name'][...]"),
        ("h5py._hl.group", "Group", "array['name'][...]"),
        ("h5netcdf.core", "Group", "array['name'][...]"),
    ],
)
def test_what_has_the_numbers(numpy: Any, module: str, name: str, remedy: str) -> None:
    f = numpy.asarray(LINE)
    cls = type(name, (Pretended,), {"__module__": module})
    derived = type("Derived", (cls,), {})
    for array in (cls(f, None), derived(f, None)):
        message = refusal(lambda array=array: anygrad.gradient(array), "input")
        named = re.findall(r"`([^`]+)`", message)
        assert remedy in named or remedy.removeprefix("array.") in named
        passed = eval(remedy, {"array": array, "awkward": Pretended})
        assert anygrad.gradient(passed)[0].tolist() == SLOPES
        entry = numpy.asarray(LINE)
        refusal(lambda a=array, f=entry: anygrad.gradient(f, spacing=[a]), "spacing[0]")


def test_data_with_a_mask(numpy: Any) -> None:
    """`numpy.asarray` would take for samples what is masked."""
    f, mask = numpy.asarray(LINE), numpy.asarray([0, 0, 1, 0, 0, 0], bool)
    wanted = [1.0, 1.0, 4.0, 7.0, 8.0, 9.0]
    cls = type("NDData", (Pretended,), {"__module__": "astropy.nddata"})
    array = cls(f, mask)
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "`where=~array.mask`" in message
    (result,) = anygrad.gradient(array.data * array.unit, where=~array.mask)
    assert result.tolist() == [2 * slope for slope in wanted]
    cls = type("BaseVariable", (Pretended,), {"__module__": "h5netcdf.core"})
    array = cls(f, mask)
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "`where=values != array.attrs['_FillValue']`" in message
    values = array[...]
    where = values != array.attrs["_FillValue"]
    assert anygrad.gradient(values, where=where)[0].tolist() == wanted


@pytest.mark.peers
def test_coordinates_in_a_frame(numpy: Any) -> None:
    """They have a length, and none of them is a number."""
    coordinates = pytest.importorskip("astropy.coordinates")
    degrees = pytest.importorskip("astropy.units").deg
    places = coordinates.SkyCoord(LINE * degrees, LINE * degrees)
    for array in (places, places.icrs.frame):
        message = refusal(lambda array=array: anygrad.gradient(array), "input")
        assert "e.g. `array.ra`" in message
        assert anygrad.gradient(array.ra)[0].value == pytest.approx(SLOPES)


@pytest.mark.peers
def test_columns_with_a_mask(numpy: Any) -> None:
    """Their `quantity` has no mask, and the numbers that it hides."""
    astropy, masked = pytest.importorskip("astropy.table"), "astropy.utils.masked"
    column = astropy.MaskedColumn(LINE, unit="m", mask=[0, 0, 1, 0, 0, 0])
    message = refusal(lambda: anygrad.gradient(column), "input")
    assert "`astropy.utils.masked.Masked(array.quantity, array.mask)`" in message
    wanted = [1.0, 1.0, 4.0, 7.0, 8.0, 9.0]
    assert anygrad.gradient(column.data)[0].tolist() == wanted
    quantity = pytest.importorskip(masked).Masked(column.quantity, column.mask)
    (result,) = anygrad.gradient(quantity)
    assert result.unmasked.value.tolist() == wanted
    assert str(result.unit) == "m"


@pytest.mark.peers
def test_columns_of_pandas(numpy: Any) -> None:
    """What is no number says what becomes one: bins have their middles."""
    pandas = pytest.importorskip("pandas")
    bins = pandas.IntervalIndex.from_breaks([0, 2, 4, 8])
    for given in (bins, bins.array):
        message = refusal(lambda given=given: anygrad.gradient(given), "input")
        assert "`mid`" in message
        assert "`to_numpy()`" in message
        assert anygrad.gradient(given.mid.to_numpy())[0].tolist() == [2.0, 2.5, 3.0]
    days = pandas.date_range("2026-01-01", periods=3).array
    message = refusal(lambda: anygrad.gradient(days), "input")
    assert "`(t - t[0]) / numpy.timedelta64(1, 's')`" in message
    seconds = numpy.asarray((days - days[0]) / numpy.timedelta64(1, "s"))
    assert anygrad.gradient(seconds)[0].tolist() == [86400.0] * 3
    for values in (pandas.Categorical(LINE), pandas.arrays.SparseArray(LINE)):
        message = refusal(lambda values=values: anygrad.gradient(values), "input")
        assert "`to_numpy()`" in message
        assert anygrad.gradient(values.to_numpy())[0].tolist() == SLOPES


@pytest.mark.peers
def test_tables_of_pandas_with_holes(numpy: Any) -> None:
    """Columns of several dtypes become objects, of which `astype` makes no floats."""
    pandas = pytest.importorskip("pandas")
    whole = pandas.Series([3, 1, None, 1, 5], dtype="Int64")
    table = pandas.DataFrame({"whole": whole, "real": [0.5, 1.0, 2.0, 4.0, 8.0]})
    message = refusal(lambda: anygrad.gradient(table), "input")
    assert "`to_numpy(float, na_value=numpy.nan)`" in message
    values = table.to_numpy(float, na_value=numpy.nan)
    valid = values == values  # noqa: PLR0124
    (found,) = anygrad.gradient(values, dim=0, where=valid)
    assert found[:, 0].tolist() == [-2, -2, 0, 4, 4]


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["column", "array", "objects"])
def test_masks_of_pandas_with_holes(numpy: Any, kind: str) -> None:
    """Whether a sample is valid that may be or not, is not known: it is none."""
    pandas = pytest.importorskip("pandas")
    f = numpy.asarray(LINE)
    column = pandas.Series([1, 1, None, 1, 1, 1], dtype="Int64") > 0
    mask = {"column": column, "array": column.array, "objects": column.to_numpy()}[kind]
    message = refusal(lambda: anygrad.gradient(f, where=mask), "where")
    if kind == "column":  # whose values are refused, too, if some are missing
        message = refusal(lambda: anygrad.gradient(f, where=mask.to_numpy()), "where")
    assert "`to_numpy(bool, na_value=False)`" in message
    where = column.to_numpy(bool, na_value=False)
    assert where.tolist() == [True, True, False, True, True, True]
    assert anygrad.gradient(f, where=where)[0].tolist()[2:3] == [4.0]


def test_masks_of_objects(numpy: Any) -> None:
    """None is not equal to 0, and marks no valid sample all the same."""
    f = numpy.asarray(LINE)
    mask = numpy.asarray([True, True, None, True, True, True])
    message = refusal(lambda: anygrad.gradient(f, where=mask), "where")
    assert "`where == True`" in message
    where = mask == True  # noqa: E712 - as the message says
    wanted = numpy.asarray([True, True, False, True, True, True])
    (found,) = anygrad.gradient(f, where=where)
    assert found.tolist() == anygrad.gradient(f, where=wanted)[0].tolist()


def test_lines_in_an_array(numpy: Any) -> None:
    """Columns of lists, of pandas and others, become arrays of arrays."""
    lines = numpy.empty(2, dtype=object)
    lines[:] = [numpy.asarray(LINE), numpy.asarray(LINE)]
    message = refusal(lambda: anygrad.gradient(lines, dim=-1), "input")
    assert "arrays in it with `numpy.stack`" in message
    (found,) = anygrad.gradient(numpy.stack(lines), dim=-1)
    assert found.tolist() == [SLOPES, SLOPES]


def test_a_file_of_several_arrays(numpy: Any, tmp_path: Path) -> None:
    numpy.savez(tmp_path / "lines.npz", name=numpy.asarray(LINE))
    with numpy.load(tmp_path / "lines.npz") as array:
        message = refusal(lambda: anygrad.gradient(array), "input")
        assert "`array['name'][...]`" in message
        assert anygrad.gradient(array["name"][...])[0].tolist() == SLOPES


def test_a_file_of_netcdf(numpy: Any) -> None:
    """What it is asked for it looks for among its attributes on the disk."""

    def attribute(self: Any, name: str) -> Any:
        raise KeyError(name)

    module = {"__module__": "netCDF4._netCDF4", "__getattr__": attribute}
    array = type("Dataset", (Pretended,), module)(numpy.asarray(LINE), None)
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "`array['name'][...]`" in message


def test_sparse_arrays_of_jax(jax: Any) -> None:
    sparse = pytest.importorskip("jax.experimental.sparse")
    f = jax.numpy.asarray(LINE)
    array = sparse.BCOO.fromdense(f)
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "`todense()`" in message
    assert anygrad.gradient(array.todense())[0].tolist() == SLOPES


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["bins", "months"])
def test_labels_that_are_columns_of_pandas(numpy: Any, kind: str) -> None:
    xarray = pytest.importorskip("xarray")
    pandas = pytest.importorskip("pandas")
    from anygrad.xarray import derivative

    index = {
        "bins": pandas.IntervalIndex.from_breaks([0, 2, 4, 8]),
        "months": pandas.period_range("2026-01", periods=3, freq="M"),
    }[kind]
    data = xarray.DataArray([1.0, 5.0, 11.0], {"x bins": index}, "x bins")
    with pytest.raises(TypeError, match="`spacing` along 'x bins'") as caught:
        derivative(data, "x bins", edge_order=1)
    (text,) = re.findall(r"or `(data[^`]+)`", str(caught.value))
    given = {"datetime_unit": None if kind == "bins" else "D", "edge_order": 1}
    found = derivative(eval(text, {"data": data}), "x bins", **given)
    wanted = {"bins": [2.0, 2.0, 2.0], "months": [4 / 31, None, 6 / 28]}[kind]
    assert found[0] == pytest.approx(wanted[0])
    assert found[2] == pytest.approx(wanted[2])


def test_quantized_tensors(torch: Any) -> None:
    """`to` makes no numbers of them."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are to be removed
        f = torch.quantize_per_tensor(torch.tensor(LINE), 0.5, 0, torch.quint8)
    message = refusal(lambda: anygrad.gradient(f), "input")
    assert "`dequantize()`" in message
    assert anygrad.gradient(f.dequantize())[0].tolist() == SLOPES


@pytest.mark.peers
@pytest.mark.parametrize("name", ["Hour", "Day", "Week", "MonthEnd", "YearBegin"])
def test_offsets_of_pandas(numpy: Any, name: str) -> None:
    """Those of hours are numbers of seconds, and those of months are not."""
    pandas = pytest.importorskip("pandas")
    f, x, offset = (
        numpy.asarray(LINE),
        numpy.arange(6.0),
        getattr(pandas.offsets, name)(2),
    )
    is_fixed = name in ("Hour", "Day")
    step = "offset.nanos / 1e9"  # of days, pandas 3.0 makes no `Timedelta`
    dates = "pandas.date_range(start, periods=n, freq=offset).to_numpy()"
    for parameter, call in (
        ("spacing", lambda: anygrad.gradient(f, spacing=offset)),
        ("spacing[0]", lambda: anygrad.gradient(f, spacing=[offset])),
        (
            "boundary",
            lambda: anygrad.derivative(f, spacing=x, boundary=("periodic", offset)),
        ),
    ):
        message = refusal(call, parameter)
        assert (step if is_fixed else dates) in message
    start, n = pandas.Timestamp("2020-01-01"), f.size
    names = {"pandas": pandas, "numpy": numpy, "offset": offset, "start": start, "n": n}
    if is_fixed:
        seconds = eval(step, names)
        (slopes,) = anygrad.gradient(f, spacing=seconds)
        assert (slopes * seconds).tolist() == pytest.approx(SLOPES)
        return
    names["t"] = eval(dates, names)
    coordinates = eval("(t - t[0]) / numpy.timedelta64(1, 's')", names)
    period = eval("(start + offset - start).total_seconds()", names)
    anygrad.derivative(f, spacing=coordinates)
    anygrad.derivative(f, spacing=coordinates, boundary=("periodic", 6 * period))


@pytest.mark.parametrize("name", ["pytensor.Variable", "casadi.MX", "casadi.SX"])
def test_symbols_without_values(numpy: Any, name: str) -> None:
    module, _, name = name.partition(".")
    array = type(name, (Pretended,), {"__module__": module})(numpy.ones(3), None)
    message = refusal(lambda: anygrad.gradient(array), "input")
    assert "Evaluate it first" in message
    refusal(lambda: anygrad.gradient(numpy.ones(3), spacing=[array]), "spacing[0]")
