"""Samples that are cut over chunks, devices or processes.

`neighbours` tells what a part reads of others.  `strips` are what Dask's chunks cut off
for each other; `sharded`, `halos` and `explicit` are for JAX's devices, `on_mesh` and
`exchange` for torch's processes.  `margins` are rows of ghosts that are cut off.
"""
