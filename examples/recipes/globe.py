"""
Vorticity and divergence of wind on a sphere
============================================

On a globe, the directions east and north change from point to point, and degrees of
longitude become shorter towards the poles. ``anygrad.lonlat`` takes that into account,
and a period of 360 degrees makes the first column a neighbour of the last one.
"""

import numpy as np
from matplotlib import pyplot as plt

import anygrad

RADIUS = 6371008.7714  # metres
longitude = np.arange(0.0, 360.0, 2.5)
latitude = np.arange(-88.75, 90.0, 2.5)  # half a step off the poles
grid = anygrad.lonlat(longitude, latitude)
around = [("periodic", 360.0), "one_sided"]

# %%
# The check: a sphere that turns like the Earth. Its vorticity is twice the angular
# velocity times the sine of the latitude, it has no divergence, and formulas of a
# higher order are nearer to that.

OMEGA = 7.292e-5  # per second
east, north = np.radians(longitude)[None, :], np.radians(latitude)[:, None]
turning = np.stack([OMEGA * RADIUS * np.cos(north) + 0 * east, 0 * (east + north)])
exact = 2 * OMEGA * np.sin(north) + 0 * east
for accuracy, most in ((2, 2e-2), (4, 2e-4), (8, 1e-8)):
    vorticity = anygrad.curl(turning, **grid, boundary=around, accuracy=accuracy)
    divergence = anygrad.divergence(turning, **grid, boundary=around)
    assert np.max(np.abs(vorticity - exact)) < most * OMEGA
    assert np.max(np.abs(divergence)) < 1e-12 * OMEGA

# %%
# A Rossby-Haurwitz wave, a standard test of atmospheric models: it travels around the
# globe and keeps its shape. Its stream function is a spherical harmonic, so that the
# vorticity is known. It crosses the prime meridian, where the columns begin.

WAVES, SPEED = 4, 7.848e-6  # waves around the globe; per second
cosine, sine = np.cos(north), np.sin(north)
u = SPEED * RADIUS * cosine ** (WAVES - 1) * np.cos(WAVES * east)
u = u * (WAVES * sine**2 - cosine**2) + SPEED * RADIUS * cosine
v = -SPEED * RADIUS * WAVES * cosine ** (WAVES - 1) * sine * np.sin(WAVES * east)
wind = np.stack([u, v])

vorticity = anygrad.curl(wind, **grid, boundary=around, accuracy=8)
divergence = anygrad.divergence(wind, **grid, boundary=around, accuracy=8)
exact = 2 * SPEED * sine - SPEED * (WAVES**2 + 3 * WAVES + 2) * sine * (
    cosine**WAVES * np.cos(WAVES * east)
)
np.testing.assert_allclose(vorticity, exact, atol=2e-5 * np.max(exact))
np.testing.assert_allclose(divergence, 0.0, atol=2e-5 * np.max(exact))

# The first column is in the middle of the map, where a seam would be seen.
half = longitude.size // 2
turn = [np.roll(a, half, axis=1) for a in (1e5 * vorticity, u, v)]
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
shown = axes.pcolormesh(longitude - 180.0, latitude, turn[0], cmap="RdBu_r")
figure.colorbar(shown, label="vorticity ($10^{-5}$ per second)")
thin = (slice(2, None, 5), slice(2, None, 5))
arrows = [a[thin] for a in turn[1:]]
axes.quiver(longitude[thin[1]] - 180.0, latitude[thin[0]], *arrows, color="#7d848c")
axes.set(xlabel="longitude (°)", ylabel="latitude (°)", aspect="equal")
axes.set_title("a wave around the globe")

# %%
# A region across the date line needs no more: ``lonlat`` unwraps longitudes that jump
# from 180 to -180. For labelled arrays, ``anygrad.xarray.lonlat`` does the same.
