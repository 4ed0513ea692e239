"""
Currents of a Dataset: dates, names and units
=============================================

Where the sea stands higher, water does not flow down, but around: along the lines of
equal height, as the wind does around a high. An ``xarray.Dataset`` knows where and when
its values are; ``anygrad.xarray`` takes steps, dates and units from there.
"""

from functools import partial

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt

import anygrad.xarray

GRAVITY = 9.81  # m/s²
CORIOLIS = 1e-4  # 1/s, in middle latitudes

# %%
# The height of the sea around two eddies that grow, every six hours; and land, where
# there is none.

times = np.datetime64("2026-07-01T00", "h") + 6 * np.arange(9)
days = xr.DataArray(np.arange(9) / 4, {"time": times}, "time")
y = xr.DataArray(np.arange(-150e3, 151e3, 5e3), dims="y", attrs={"units": "m"})
x = xr.DataArray(np.arange(-250e3, 251e3, 5e3), dims="x", attrs={"units": "m"})
y, x = (axis.assign_coords({axis.dims[0]: axis}) for axis in (y, x))


def eddy(east, north, width):
    return np.exp(-(((x - east) ** 2 + (y - north) ** 2) / (2 * width**2)))


rising = 0.2 * eddy(-100e3, 0.0, 50e3) - 0.15 * eddy(90e3, 30e3, 40e3)  # metres a day
land = y < -90e3 - 40e3 * np.cos(x / 80e3)
height = (days * rising).where(~land).transpose("time", "y", "x")
height.attrs = {"long_name": "height of the sea", "units": "m"}
sea = xr.Dataset({"height": height})

# %%
# The currents are the slopes, turned by a right angle. At the coast, where samples are
# NaN, formulas read to the other side, by ``skipna``.

d_y, d_x = anygrad.xarray.gradient(sea.height, ["y", "x"], skipna=True)
sea["u"] = -GRAVITY / CORIOLIS * d_y
sea["v"] = GRAVITY / CORIOLIS * d_x
sea["rise"] = anygrad.xarray.derivative(sea.height, "time", datetime_unit="D")

# %%
# Two checks. The height grows by the same each day, so that its derivative is exact, in
# metres per day and not per nanosecond. And what flows around does not diverge: the
# derivatives along both dims can be exchanged, and away from the coast nothing is left
# but rounding.

np.testing.assert_allclose(
    sea.rise, rising.where(~land).broadcast_like(height), atol=1e-15
)
divergence = anygrad.xarray.divergence(sea, ["x", "y"], components=["u", "v"])
vorticity = anygrad.xarray.curl(sea, ["x", "y"], components=["u", "v"])
open_sea = {"y": slice(-30e3, 140e3), "x": slice(-240e3, 240e3)}
rounding = abs(divergence.sel(open_sea)).max() / abs(vorticity.sel(open_sea)).max()
assert rounding < 1e-12
print(f"divergence per vorticity: {float(rounding):.0e}")

# %%
# All variables are differentiated one by one, and groups, each by itself, by
# ``groupby``: the days here, or the tracks of many animals in one column.

rate = partial(anygrad.xarray.derivative, dim="time", datetime_unit="D")
all_of_them = sea.assign({name: rate(sea[name]) for name in sea})
np.testing.assert_array_equal(all_of_them.height, sea.rise)
first_days = sea.height.isel(time=slice(0, 8))
by_days = first_days.groupby("time.date").map(
    anygrad.xarray.derivative, args=("time",), datetime_unit="D"
)
np.testing.assert_allclose(by_days, sea.rise[:8], atol=1e-15)

last = sea.isel(time=-1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for axes, field, label in (
    (left, last.height, "height of the sea (m)"),
    (right, 1e5 * vorticity.isel(time=-1), "vorticity (1e-5/s)"),
):
    most = float(abs(field).max())
    drawn = axes.pcolormesh(
        field.x / 1e3, field.y / 1e3, field, cmap="RdBu_r", vmin=-most, vmax=most
    )
    figure.colorbar(drawn, label=label, shrink=0.8)
    axes.set(facecolor="tan", xlabel="east (km)", ylabel="north (km)", aspect="equal")
few = last.isel(x=slice(0, None, 5), y=slice(0, None, 5))
left.quiver(few.x / 1e3, few.y / 1e3, few.u, few.v, scale=8)
