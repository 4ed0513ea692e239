"""
Slope and aspect of a landscape
===============================

How steep is the ground, and which way does it face? Heights on a grid of longitudes and
latitudes are differentiated in metres per metre; as the meridians converge towards the
pole, each point has a coordinate of its own along its row.
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.cbook import get_sample_data

import anygrad

EARTH_RADIUS = 6_371_009.0  # metres


def slope_and_aspect(height, longitude, latitude):
    """Return the slope in degrees, and the compass bearing of the way down."""
    north = EARTH_RADIUS * np.radians(latitude)
    parallel = EARTH_RADIUS * np.cos(np.radians(latitude))
    east = parallel[:, None] * np.radians(longitude - longitude.mean())
    d_north, d_east = anygrad.gradient(height, spacing=[north, east], edge_order=2)
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

# Along a meridian the distance to the middle one changes, and so do the heights. On the
# middle one itself, there is nothing of it.
slope, aspect = slope_and_aspect(plane, longitude, latitude)
middle = longitude.size // 2
np.testing.assert_allclose(slope[:, middle], np.degrees(np.arctan(0.3)), rtol=1e-9)
np.testing.assert_allclose(aspect[:, middle], 45.0, rtol=1e-9)

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
