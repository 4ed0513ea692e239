"""The doors for labelled arrays beside xarray's own, MetPy's and xgcm's.

On the elevation of the Jacksboro fault, which Matplotlib ships, and on wind made of it.
"""

from __future__ import annotations

from typing import Any

import metpy.calc
import numpy as np  # noqa: TID253 - not collected with the others
import pytest
import xarray as xr
from matplotlib import cbook
from metpy.units import units
from xgcm import Grid

import anygrad.xarray

#: Metres between the rows, and between the columns.
STEPS = {"y": 30.0, "x": 25.0}

#: So far apart are values that differ by their rounding only, beside the largest.
ROUNDING = 1e-13


@pytest.fixture(scope="module")
def elevation() -> xr.DataArray:
    """Return elevations in metres over distances in metres."""
    values = cbook.get_sample_data("jacksboro_fault_dem.npz")["elevation"]
    coords = {
        dim: (dim, np.arange(length) * STEPS[dim], {"units": "m"})
        for dim, length in zip(STEPS, values.shape, strict=True)
    }
    return xr.DataArray(
        values.astype(float), coords, dims=tuple(STEPS), attrs={"units": "m"}
    )


@pytest.fixture(scope="module")
def uneven(elevation: xr.DataArray) -> xr.DataArray:
    """Return them at other distances: a third less after each second one."""
    moved = {
        dim: (
            dim,
            elevation[dim].values - step / 3 * (np.arange(n) % 2),
            {"units": "m"},
        )
        for (dim, step), n in zip(STEPS.items(), elevation.shape, strict=True)
    }
    return elevation.assign_coords(moved)


@pytest.fixture(scope="module")
def wind(elevation: xr.DataArray) -> xr.Dataset:
    """Return a field of two components, in metres per second."""
    draw = np.random.default_rng(0)
    parts = {
        name: elevation.copy(data=draw.normal(size=elevation.shape).cumsum(axis))
        for name, axis in (("u", 1), ("v", 0))
    }
    for part in parts.values():
        part.attrs["units"] = "m/s"
    return xr.Dataset(parts)


def check(ours: xr.DataArray, theirs: Any) -> None:
    """Hold both to the same values, and to the same unit where they have one."""
    wanted = theirs.metpy.dequantify() if hasattr(theirs, "metpy") else theirs
    bound = ROUNDING * float(np.abs(wanted).max())
    assert ours.dims == wanted.dims
    np.testing.assert_allclose(ours.values, wanted.values, rtol=0.0, atol=bound)
    if "units" in wanted.attrs:
        assert units.Unit(ours.attrs["units"]) == units.Unit(wanted.attrs["units"])


@pytest.mark.parametrize("dim", STEPS)
def test_differentiate_of_xarray(uneven: xr.DataArray, dim: str) -> None:
    ours = anygrad.xarray.derivative(uneven, dim, edge_order=1)
    theirs = uneven.differentiate(dim)
    theirs.attrs = {}
    check(ours, theirs)


@pytest.mark.parametrize("dim", STEPS)
def test_first_derivative_of_metpy(uneven: xr.DataArray, dim: str) -> None:
    theirs = metpy.calc.first_derivative(uneven.metpy.quantify(), axis=dim)
    check(anygrad.xarray.derivative(uneven, dim, edge_order=2), theirs)


@pytest.mark.parametrize("dim", STEPS)
def test_second_derivative_of_metpy(elevation: xr.DataArray, dim: str) -> None:
    """On even steps: on uneven points, MetPy's has the first order, and ours two."""
    theirs = metpy.calc.second_derivative(elevation.metpy.quantify(), axis=dim)
    keywords = {"order": 2, "edge_order": 1, "spacing": STEPS[dim]}
    ours = anygrad.xarray.derivative(elevation, dim, **keywords)
    ours.attrs["units"] = "1/m"  # a step that is a number has no unit
    check(ours, theirs)


def test_gradient_of_metpy(uneven: xr.DataArray) -> None:
    theirs = metpy.calc.gradient(uneven.metpy.quantify(), axes=list(STEPS))
    ours = anygrad.xarray.gradient(uneven, list(STEPS), edge_order=2)
    for one, other in zip(ours, theirs, strict=True):
        check(one, other)


def test_laplacian_of_metpy(elevation: xr.DataArray) -> None:
    theirs = metpy.calc.laplacian(elevation.metpy.quantify(), axes=list(STEPS))
    ours = anygrad.xarray.laplacian(elevation, list(STEPS), edge_order=1, spacing=STEPS)
    ours.attrs["units"] = "1/m"
    check(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (anygrad.xarray.curl, metpy.calc.vorticity),
        (anygrad.xarray.divergence, metpy.calc.divergence),
    ],
)
def test_wind_of_metpy(wind: xr.Dataset, ours: Any, theirs: Any) -> None:
    along = {f"d{dim}": step * units.m for dim, step in STEPS.items()}
    wanted = theirs(wind.u, wind.v, **along, x_dim=-1, y_dim=-2)
    check(ours(wind, ["x", "y"], components=["u", "v"], edge_order=2), wanted)


#: Of the sphere on which both compute, in metres.
RADIUS = 6371008.7714


@pytest.mark.parametrize(
    ("ours", "theirs", "exact"),
    [
        (anygrad.xarray.curl, metpy.calc.vorticity, "vorticity"),
        (anygrad.xarray.divergence, metpy.calc.divergence, "sources"),
    ],
)
def test_sphere_of_metpy(ours: Any, theirs: Any, exact: str) -> None:
    """Wind of two spherical harmonics: both are near the exact values."""
    longitude, latitude = np.arange(230.0, 300.0), np.arange(20.0, 60.0)
    east, north = np.radians(longitude)[None, :], np.radians(latitude)[:, None]
    cosine, sine = np.cos(north), np.sin(north)
    # Along contours of sin(2 east) cosine**2, and across cos(3 east) cosine**3.
    u = 2 * np.sin(2 * east) * cosine * sine - 3 * np.sin(3 * east) * cosine**2
    v = 2 * np.cos(2 * east) * cosine - 3 * np.cos(3 * east) * cosine**2 * sine
    wanted = {
        "vorticity": -6 / RADIUS * np.sin(2 * east) * cosine**2,
        "sources": -12 / RADIUS * np.cos(3 * east) * cosine**3,
    }[exact]
    dims, metres = ("lat", "lon"), {"units": "m/s"}
    coords = {
        "lat": ("lat", latitude, {"units": "degrees_north"}),
        "lon": ("lon", longitude, {"units": "degrees_east"}),
    }
    parts = {"u": (dims, u, metres), "v": (dims, v, metres)}
    wind = xr.Dataset(parts, coords)
    degree = RADIUS * np.pi / 180
    factors = {"lon": degree * np.cos(np.deg2rad(wind.lat)), "lat": degree}
    found = ours(
        wind, ["lon", "lat"], components=["u", "v"], scale_factors=factors
    ).values
    sphere = {"grid_mapping_name": "latitude_longitude", "earth_radius": RADIUS}
    labelled = wind.metpy.assign_crs(**sphere)
    other = theirs(labelled.u, labelled.v).metpy.dequantify().values
    inside, largest = np.s_[1:-1, 1:-1], np.max(np.abs(wanted))
    errors = [
        float(np.max(np.abs(values - wanted)[inside]) / largest)
        for values in (found, other)
    ]
    assert errors[0] <= errors[1] < 1e-3


def test_xgcm_there_and_back(elevation: xr.DataArray) -> None:
    """Its derivative lies between the points; on a circle, the mean of two is ours."""
    line = elevation.isel(y=0, drop=True)
    n, step = line.sizes["x"], STEPS["x"]
    data = xr.Dataset({"f": line}).assign_coords(
        between=("between", line.x.values - step / 2),
        d_x=("x", np.full(n, step)),
        d_between=("between", np.full(n, step)),
    )
    grid = Grid(
        data,
        coords={"X": {"center": "x", "left": "between"}},
        padding={"X": "periodic"},
        metrics={("X",): ["d_x", "d_between"]},
        autoparse_metadata=False,
    )
    theirs = grid.interp(grid.derivative(data.f, "X"), "X")
    theirs.attrs = {}
    ours = anygrad.xarray.derivative(line, "x", spacing=step, boundary="periodic")
    check(ours, theirs)
