"""
Fields with their channels last
===============================

Simulations and networks keep the components of a vector in the last dim, or colours, or
one field per batch. ``dim`` says which dims are space, and ``vector_dim`` where the
components are; nothing is transposed or copied.
"""

import numpy as np
from matplotlib import pyplot as plt

import anygrad

# %%
# Two components last: the wind (u, v) on rows y and columns x.  ``dim`` names the dim
# of the first component first: u goes along the columns.

y, x = np.linspace(-2.0, 2.0, 81), np.linspace(-3.0, 3.0, 121)
grid = {"spacing": [x, y], "dim": (1, 0), "vector_dim": -1}
turning = np.stack(np.broadcast_arrays(-y[:, None], x), axis=-1)

# The check: what turns like a wheel has a curl of 2 everywhere, and no divergence.
np.testing.assert_allclose(anygrad.curl(turning, **grid), 2.0, rtol=1e-12)
np.testing.assert_allclose(anygrad.divergence(turning, **grid), 0.0, atol=1e-12)

# %%
# Two counter-rotating vortices.

field = np.zeros((y.size, x.size, 2))
for centre, sense in ((-1.0, 1.0), (1.0, -1.0)):
    away = np.stack(np.broadcast_arrays(x - centre, y[:, None]), axis=-1)
    fall = np.exp(-np.sum(away**2, axis=-1, keepdims=True))
    field += sense * fall * np.stack([-away[..., 1], away[..., 0]], axis=-1)
curl = anygrad.curl(field, accuracy=4, **grid)

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
shown = axes.contourf(x, y, curl, np.linspace(-2, 2, 21), cmap="RdBu_r", extend="both")
figure.colorbar(shown, label="curl")
few = slice(None, None, 6)
axes.quiver(x[few], y[few], field[few, few, 0], field[few, few, 1])
axes.set_aspect("equal")
axes.set_title("two vortices, and their curl")

# %%
# A batch of colour images, in the order of networks for NumPy and JAX: image, row,
# column, channel.  Dims that are not named are batches.

images = np.random.default_rng(0).random((4, 16, 20, 3))
rows, columns = anygrad.gradient(images, dim=(1, 2))
assert rows.shape == images.shape
one = anygrad.gradient(images[2, :, :, 1])
np.testing.assert_array_equal(columns[2, :, :, 1], one[1])
