"""Labelled arrays: `anygrad.xarray` against exact values, and against xarray's own."""

from __future__ import annotations

import copy
import sys
from functools import partial
from typing import Any

import pytest

import labelled_samples

pytestmark = pytest.mark.peers

plane = labelled_samples.plane


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
