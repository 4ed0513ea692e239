"""Tensors of torch as NumPy's arrays of the same memory.

`tensor.numpy()` does so, too, but from then on torch may not resize that memory, which
is the caller's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def dtypes() -> dict[Any, Any]:
    """Return NumPy's name for each dtype of torch's that it has."""
    import numpy
    import torch

    names = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
    names += ["float16", "float32", "float64", "complex64", "complex128", "bool"]
    known = [name for name in names if hasattr(torch, name)]
    return {getattr(torch, name): numpy.dtype(name) for name in known}


def viewing(dtypes: dict[Any, Any]) -> Callable[[Any], Any]:
    """Return ``view(tensor)``, for tensors on the CPU and of these dtypes."""
    import ctypes

    from numpy import ndarray

    class Memory(ctypes.c_char * sys.maxsize):  # type: ignore[misc]
        """All from an address on; it holds the tensor that has it."""

        __slots__ = ("tensor",)

    def view(tensor: Any) -> Any:
        if tensor.is_conj() or tensor.is_neg():
            tensor = tensor.resolve_conj().resolve_neg()
        dtype, memory = dtypes[tensor.dtype], Memory.from_address(tensor.data_ptr())
        memory.tensor = tensor
        if tensor.is_contiguous():
            return ndarray(tensor.shape, dtype, memory)
        strides = [stride * dtype.itemsize for stride in tensor.stride()]
        return ndarray(tensor.shape, dtype, memory, 0, strides)

    return view
