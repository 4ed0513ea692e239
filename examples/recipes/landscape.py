"""
Slope and aspect of a landscape
===============================

How steep is the ground, and which way does it face? Heights on a grid of longitudes and
latitudes are differentiated in metres per metre; as the meridians converge towards the
pole, each point has a coordinate of its own along its row. Cells without a height,
which files mark by a number such as -9999, are left out by ``where``.
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.cbook import get_sample_data

import anygrad

EARTH_RADIUS = 6_371_009.0  # metres


def slope_and_aspect(height, longitude, latitude, where=None):
    """Return the slope in degrees, and the compass bearing of the way down."""
    north = EARTH_RADIUS * np.radians(latitude)
    parallel = EARTH_RADIUS * np.cos(np.radians(latitude))
    east = parallel[:, None] * np.radians(longitude - longitude.mean())
    d_north, d_east = anygrad.gradient(
        height, spacing=[north, east], edge_order=2, where=where
    )
    slope = np.degrees(np.arctan(np.hypot(d_east, d_north)))
    return slope, (np.degrees(np.arctan2(d_east, d_north)) + 180) % 360


# %%
# The check: a plane that rises 30 metres per 100 towards the south-west.

latitude = np.linspace(36.5, 36.2, 31)  # rows from north to south
longitude = np.linspace(-84.4, -84.1, 41)
north = EARTH_RADIUS * np.radians(latitude)[:, None]
east = (
    EARTH_RADIUS
    * np.cos(np.radians(latitude))[:, None]
    * np.radians(longitude - longitude.mean())
)
plane = -0.3 * np.sqrt(0.5) * east - 0.3 * np.sqrt(0.5) * north

# Along a meridian, the distance to the middle one changes, and with it the heights, but
# not along the middle one itself.
slope, aspect = slope_and_aspect(plane, longitude, latitude)
middle = longitude.size // 2
np.testing.assert_allclose(slope[:, middle], np.degrees(np.arctan(0.3)), rtol=1e-9)
np.testing.assert_allclose(aspect[:, middle], 45.0, rtol=1e-9)

# Holes change nothing on a plane: next to them, formulas read to the other side. There
# is no slope where there is no height, and where too few cells are left between holes.

nodata = -9999.0
holes = np.zeros(plane.shape, bool)
holes[10:14, 8:12] = holes[20, :] = True
pierced = np.where(holes, nodata, plane)
whole, _ = slope_and_aspect(plane, longitude, latitude)
slope, _ = slope_and_aspect(pierced, longitude, latitude, pierced != nodata)
assert np.all(np.isnan(slope) == holes)
np.testing.assert_allclose(slope[~holes], whole[~holes], rtol=1e-2)
np.testing.assert_allclose(slope[~holes[:, middle], middle], np.degrees(np.arctan(0.3)))

# %%
# The hills along the Jacksboro fault in Tennessee, which come with matplotlib.  The
# file has the outer edges of its cells.

with get_sample_data("jacksboro_fault_dem.npz") as file:
    height = file["elevation"]
    rows, columns = height.shape
    longitude = float(file["xmin"]) + float(file["dx"]) * (np.arange(columns) + 0.5)
    latitude = float(file["ymax"]) - float(file["dy"]) * (np.arange(rows) + 0.5)

slope, aspect = slope_and_aspect(height, longitude, latitude)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
shown = left.pcolormesh(longitude, latitude, slope, cmap="magma_r", rasterized=True)
figure.colorbar(shown, label="degrees")
shown = right.pcolormesh(longitude, latitude, aspect, cmap="twilight", rasterized=True)
figure.colorbar(shown, label="compass bearing")
for axes in (left, right):
    axes.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    axes.locator_params(nbins=4)
left.set_title("how steep the ground is")
right.set_title("where it faces")

# %%
# Note that integers, 16 bits wide in the file, are subtracted without wrapping.

print(
    height.dtype, "->", slope.dtype, f"steepest: {slope[1:-1, 1:-1].max():.1f} degrees"
)

# %%
# A radar sees no ground in its shadow: from the south-east and 15 degrees above the
# horizon, what lies steeper than that on the far side. Its map has a number there.

shadow = np.cos(np.radians(aspect - 315)) * np.tan(np.radians(slope)) > np.tan(
    np.radians(15)
)
seen = np.where(shadow, -9999, height)
wrong, _ = slope_and_aspect(seen, longitude, latitude)
right, _ = slope_and_aspect(seen, longitude, latitude, where=seen != -9999)

figure, (left, middle) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axes, shown in ((left, wrong), (middle, right)):
    axes.set_facecolor("lightgray")
    drawn = axes.pcolormesh(
        longitude, latitude, shown, cmap="magma_r", vmax=40, rasterized=True
    )
    axes.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    axes.locator_params(nbins=4)
figure.colorbar(drawn, label="degrees")
left.set_title("-9999 taken for a height")
middle.set_title("left out, by where")
steep = np.isfinite(right).mean()
print(f"without ground: {shadow.mean():.0%}; with a slope: {steep:.0%}")
