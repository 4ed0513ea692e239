"""Labelled arrays: what lies beyond their ends, and what is missing in them."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
import labelled_samples

pytestmark = pytest.mark.peers

plane = labelled_samples.plane


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
