"""
Edges and ridges of an image
============================

Edges are where the gradient of the brightness is large, and dark lines where the larger
eigenvalue of the Hessian is large. Images are often arrays of ``uint8``, in which
differences would wrap; here they do not.
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.cbook import get_sample_data
from matplotlib.image import imread

import anygrad

# %%
# The check: from 250 to 5, a step of -245 in two pixels.

row = np.asarray([[250, 250, 5, 5]], dtype=np.uint8)
slope = anygrad.derivative(row, dim=1, edge_order=1, dtype="float32")
np.testing.assert_array_equal(slope, [[0.0, -122.5, -122.5, 0.0]])

# %%
# The magnitude of the gradient shows edges.  ``stack_dim=-1`` puts both derivatives of
# a pixel side by side, in one array, as functions of vectors and matrices expect it.

with get_sample_data("grace_hopper.jpg") as file:
    photograph = imread(file, format="jpg")[:470, 60:460]
brightness = photograph[..., 1]  # uint8; the eye sees the green best
gradient = anygrad.gradient(brightness, stack_dim=-1, dtype="float32", boundary="edge")
edges = np.linalg.norm(gradient, axis=-1)

# %%
# The Hessian of each pixel is a matrix of 2 x 2.  ``stack_dim=-1`` puts it last, where
# NumPy takes the eigenvalues of all at once.  A longer step, here by leaving out
# pixels, is blind to grain.

coarse = brightness[::2, ::2]
hessian = anygrad.hessian(coarse, stack_dim=-1, spacing=2, boundary="edge")
assert hessian.shape == (*coarse.shape, 2, 2)
eigenvalues = np.linalg.eigvalsh(hessian)
ridges = np.maximum(eigenvalues[..., 1], 0)

# The sum of the eigenvalues is the Laplacian.
laplacian = anygrad.laplacian(coarse, spacing=2, boundary="edge")
np.testing.assert_allclose(eigenvalues.sum(axis=-1), laplacian, atol=1e-9)

figure, panels = plt.subplots(1, 3, figsize=(9, 3.8), layout="constrained")
panels[0].imshow(brightness, cmap="gray")
panels[1].imshow(edges, cmap="gray_r", vmax=np.quantile(edges, 0.99))
panels[2].imshow(ridges, cmap="gray_r", vmax=np.quantile(ridges, 0.99))
for axes, title in zip(panels, ("brightness", "edges", "dark lines"), strict=True):
    axes.set_title(title)
    axes.set_axis_off()
