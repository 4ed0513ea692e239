"""Large tensors in huge pages of memory.

Linux gives new memory page by page, when it is first touched, and with pages of 4 KiB
that takes several times as long as to fill them.  NumPy asks for pages of 2 MiB for its
arrays of some size; torch does so only where `THP_MEM_ALLOC_ENABLE` is set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

#: For so many bytes and more, as NumPy does.
LEAST_BYTES = 2**22


def empty_like(f: Any, dtype: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a new tensor on the device of another, and in its layout or of a shape."""
    import torch

    if shape is None:
        tensor = torch.empty_like(f, dtype=dtype)
    else:
        tensor = f.new_empty(shape, dtype=dtype)
    if tensor.nbytes >= LEAST_BYTES and tensor.is_cpu:
        _asking()(tensor.data_ptr(), tensor.nbytes)
    return tensor


@cache
def _asking() -> Callable[[int, int], None]:
    """Return ``ask(address, nbytes)``, which does nothing where there is no advice."""
    import ctypes
    import mmap

    huge = getattr(mmap, "MADV_HUGEPAGE", None)
    madvise = None if huge is None else getattr(ctypes.CDLL(None), "madvise", None)
    if madvise is None:
        return lambda *_: None
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def ask(address: int, nbytes: int) -> None:
        start = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE  # pages of its own only
        # It is advice: where the system takes none, nothing is lost.
        madvise(start, address + nbytes - start, huge)

    return ask
