"""
Larger than memory: Dask and zarr
=================================

An array on disk is differentiated chunk by chunk: Dask reads a chunk with a margin of
its neighbours, and the result goes back to disk. There are never more than a few chunks
in memory.

As a script, ``python chunks.py 40000`` does the same with 40,000 rows and columns,
which are 12.8 GB.
"""

import sys
import tempfile
from pathlib import Path

import dask.array as da
import numpy as np
import zarr
from matplotlib import pyplot as plt

import anygrad

rows = int(sys.argv[1]) if len(sys.argv) == 2 and sys.argv[1].isdigit() else 600
chunk = min(rows // 3, 2000)
folder = tempfile.TemporaryDirectory()
store = Path(folder.name)

# %%
# Heights, written chunk by chunk as well.  Each chunk is computed where it is needed.

step = 6.0 / rows
y = da.arange(rows, chunks=chunk)[:, None] * step
x = da.arange(rows, chunks=chunk)[None, :] * step
height = da.sin(y) * da.cos(2 * x)
target = zarr.create_array(
    store / "height", shape=height.shape, chunks=(chunk, chunk), dtype="float64"
)
da.store(height, target, lock=False)

# %%
# The gradient of what is on disk: this computes nothing yet, and keeps the chunks.

height = da.from_zarr(store / "height")
along_y, along_x = anygrad.gradient(height, spacing=step, edge_order=2)
assert along_x.chunks == height.chunks

# Only now are they read, differentiated and written.
steepness = da.hypot(along_y, along_x)
target = zarr.create_array(
    store / "steepness", shape=height.shape, chunks=(chunk, chunk), dtype="float64"
)
da.store(steepness, target, lock=False)

# %%
# The check: across the borders of chunks, the values are those of an array in memory.

found = zarr.open_array(store / "steepness")
border = (slice(chunk - 20, chunk + 20), slice(2 * chunk - 20, 2 * chunk + 20))
around = tuple(slice(s.start - 1, s.stop + 1) for s in border)
parts = anygrad.gradient(np.asarray(height[around]), spacing=step)
expected = np.hypot(*parts)[1:-1, 1:-1]
np.testing.assert_allclose(found[border], expected, rtol=1e-12, atol=1e-12)

figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
few = max(1, rows // 300)
shown = axes.imshow(found[::few, ::few], cmap="magma", extent=(0, 6, 6, 0))
for border in range(chunk, rows, chunk) if rows < 2000 else ():
    axes.axhline(border * step, color="white", lw=0.5)
    axes.axvline(border * step, color="white", lw=0.5)
figure.colorbar(shown)
axes.set_title("steepness; the lines are borders of chunks")
folder.cleanup()
