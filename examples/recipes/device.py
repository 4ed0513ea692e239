"""
A field on a GPU: CuPy and torch
================================

Results are computed where the samples are, and stay there. This recipe takes a GPU if
there is one, through CuPy and through torch; without one, torch's tensors on the CPU
show the same call.
"""

import numpy as np
from matplotlib import pyplot as plt

import anygrad


def on_devices():
    """Yield a name, what brings values to a device, and what brings them back."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    yield (
        "torch",
        lambda values: torch.asarray(values, device=device),
        lambda tensor: tensor.cpu().numpy(),
    )
    try:
        import cupy

        cupy.cuda.runtime.getDeviceCount()
    except Exception:  # noqa: BLE001  # no CuPy, no driver, or no GPU
        return
    yield "cupy", cupy.asarray, cupy.asnumpy


# %%
# A potential of two charges in a plane; the field is what falls most steeply.

x, y = np.linspace(-3.0, 3.0, 901), np.linspace(-2.0, 2.0, 601)
potential = 0
for charge, place in ((1.0, -1.0), (-1.0, 1.0)):
    potential = potential + charge / np.sqrt((x - place) ** 2 + y[:, None] ** 2 + 0.09)
expected = anygrad.gradient(potential, spacing=[y, x], edge_order=2)

# %%
# Samples go to the device once.  Coordinates may stay NumPy arrays: they are constants
# of the call.  On a GPU the call only starts the work: to measure its time, wait for it
# by ``torch.cuda.synchronize()`` or the stream's ``synchronize()``.

for name, put, get in on_devices():
    samples = put(potential)
    falling = anygrad.gradient(samples, spacing=[y, x], edge_order=2)
    print(f"{name}: {type(falling[0]).__module__}, {falling[0].device}")
    # The check: the same numbers as NumPy's, up to rounding.
    for found, wanted in zip(falling, expected, strict=True):
        assert found.device == samples.device
        np.testing.assert_allclose(get(found), wanted, rtol=1e-9, atol=1e-9)

figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
axes.contourf(x, y, potential, 31, cmap="RdBu_r")
along_y, along_x = map(get, falling)
axes.streamplot(x, y, -along_x, -along_y, color="C7", density=1.2, linewidth=0.7)
axes.set_aspect("equal")
axes.set_title("potential and field of two charges")
