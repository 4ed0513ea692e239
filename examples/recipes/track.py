"""
Speed and acceleration of a GPS track
=====================================

A receiver notes positions when it can, so that times are uneven. They are dates, which
become seconds by one line, and these are the ``spacing`` of the positions: along the
time there is one coordinate, and the columns, east and north, are differentiated
together.
"""

import numpy as np
from matplotlib import pyplot as plt

import anygrad

random = np.random.default_rng(7)
seconds = np.sort(random.uniform(0.0, 60.0, 240)).round(3)
stamps = np.datetime64("2026-07-01T06:30") + (1e3 * seconds).astype("timedelta64[ms]")

# %%
# Times since the first one, in seconds: the differences are taken between dates, and so
# nothing is rounded.

time = (stamps - stamps[0]) / np.timedelta64(1, "s")

# %%
# The check: a stone that is thrown.  Its path is a parabola, and formulas of the
# second order are exact on it, at uneven times and at both ends.

path = np.stack([12.0 * time, 30.0 * time - 0.5 * 9.81 * time**2], axis=1)
velocity = anygrad.derivative(path, dim=0, spacing=time)
acceleration = anygrad.derivative(path, dim=0, spacing=time, order=2)
np.testing.assert_allclose(velocity[:, 0], 12.0, rtol=1e-7)
np.testing.assert_allclose(velocity[:, 1], 30.0 - 9.81 * time, rtol=1e-6, atol=1e-6)
np.testing.assert_allclose(acceleration[:, 1], -9.81, rtol=1e-4)

# %%
# A car on a bend that becomes narrower. The acceleration divides by the step twice, the
# positions and their errors alike: where they are noisy, smooth them first, as in the
# recipe on noisy data.

angle = (time / 20.0) ** 1.5
radius = 150.0 - time
track = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
velocity = anygrad.derivative(track, dim=0, spacing=time)
acceleration = anygrad.derivative(track, dim=0, spacing=time, order=2)
speed = np.hypot(*velocity.T)

# What presses the passengers to the side is across the velocity.
across = (
    velocity[:, 0] * acceleration[:, 1] - velocity[:, 1] * acceleration[:, 0]
) / speed

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
shown = left.scatter(*track.T, c=3.6 * speed, s=8, cmap="viridis")
figure.colorbar(shown, label="speed (km/h)")
left.set(xlabel="east (m)", ylabel="north (m)", aspect="equal")
right.plot(time, across, ".-", label="to the left")
right.plot(time, anygrad.derivative(speed, spacing=time), label="forwards")
right.set(xlabel="time (s)", ylabel="acceleration (m/s²)")
right.legend()
left.set_title("a bend that becomes narrower")
right.set_title("what the passengers feel")

# %%
# Where the receiver lost its satellites, no derivative should be taken across: with
# ``where``, what lies on each side is differentiated as a track of its own. A point
# without a position marks the gap.

lost = (time > 25) & (time < 32)
heard = np.where(lost[:, None], np.nan, track)
pieces = anygrad.derivative(heard, dim=0, spacing=time, where=~lost[:, None])
pieces = np.hypot(*pieces.T)
assert np.all(np.isnan(pieces) == lost)
inside = ~lost & ~np.roll(lost, 1) & ~np.roll(lost, -1)
np.testing.assert_allclose(pieces[inside], speed[inside], rtol=1e-12)

# %%
# With labels, dates need no line: ``anygrad.xarray.derivative(track, "time",
# datetime_unit="s")``, as in the recipe on a Dataset.
