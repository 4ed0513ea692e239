"""Mistakes with labelled arrays, each refused by the name of what is wrong."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable
from typing import Any

import pytest

import anygrad
import labelled_samples

pytestmark = pytest.mark.peers

plane = labelled_samples.plane

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
