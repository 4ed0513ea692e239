"""
The wave equation, step by step
===============================

A drum is struck off its middle: ``u_tt = c**2 * laplacian(u)``, with a rim that does
not move. In time, the step is the leapfrog; in space, it is one call.
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.animation import FuncAnimation, PillowWriter

import anygrad

points, length, speed = 81, 1.0, 1.0
step = length / (points - 1)
pause = 0.5 * step / speed  # of time; longer than step / sqrt(2), it would explode


def advance(now, before):
    """Return the next state, from this one and the one before."""
    pull = anygrad.laplacian(now, spacing=step, boundary=0.0)
    later = 2 * now - before + (speed * pause) ** 2 * pull
    later[[0, -1], :] = later[:, [0, -1]] = 0  # the rim
    return later


# %%
# The check: a standing wave keeps its shape, and its frequency is known exactly, for
# the differences too.

x = np.linspace(0.0, length, points)
shape = np.sin(2 * np.pi * x)[:, None] * np.sin(np.pi * x)
squares = np.sin(np.pi * step) ** 2 + np.sin(np.pi * step / 2) ** 2
angle = 2 * np.arcsin(speed * pause / step * np.sqrt(squares))
before, now = shape * np.cos(angle), shape
for number in range(1, 200):
    before, now = now, advance(now, before)
    np.testing.assert_allclose(now, shape * np.cos(number * angle), atol=1e-9)

# %%
# The stroke.

drum = np.exp(-((x[:, None] - 0.35) ** 2 + (x - 0.4) ** 2) / 0.004)
drum[[0, -1], :] = drum[:, [0, -1]] = 0
states = [drum, drum]
while len(states) < 240:
    states.append(advance(states[-1], states[-2]))

figure, axes = plt.subplots(figsize=(4, 4), layout="constrained")
image = axes.imshow(drum, cmap="RdBu_r", vmin=-0.35, vmax=0.35, extent=(0, 1, 0, 1))
axes.set_axis_off()


def show(frame):
    """Draw every fourth state."""
    image.set_data(states[4 * frame])
    return [image]


animation = FuncAnimation(figure, show, frames=len(states) // 4)
animation.save("drum.gif", writer=PillowWriter(fps=20), dpi=60)
plt.close(figure)
