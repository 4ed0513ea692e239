"""Memory for what lives no longer than a block, kept for the next one.

An allocator gives the end of its memory back to the system as soon as enough of it is
free, and gets it anew in the next call, page by page: at 500 x 500 points, that takes
five times as long as the work.
"""

from __future__ import annotations

import math
import threading
from typing import Any

#: Arrays of fewer bytes are nothing that an allocator gives back to the system.
LEAST_BYTES = 2**14

#: The sizes of what is kept are multiples of it, because shapes differ by a few rows.
UNIT = 2**16

#: A thread keeps no more bytes; where it needs more at once, it forgets what it has.
MOST_BYTES = 2**22


class Scratch(threading.local):
    """Memory of NumPy's that is not in use, of each thread its own."""

    def __init__(self, least: int = LEAST_BYTES, unit: int = UNIT) -> None:
        import numpy

        self._numpy = numpy
        #: Arrays of fewer bytes are made each time, and memory is kept in multiples.
        self._least, self._unit = least, unit
        self._free: dict[int, list[Any]] = {}
        self._held = 0

    def take(self, _: Any, *, dtype: Any, shape: tuple[int, ...]) -> Any:
        """Return an array of whatever values."""
        array = self._numpy.ndarray
        nbytes = math.prod(shape) * self._numpy.dtype(dtype).itemsize
        if nbytes < self._least:
            return array(shape, dtype)
        size = -(-nbytes // self._unit) * self._unit
        free = self._free.get(size)
        if not free:
            return array(shape, dtype, array(size, "b"))
        self._held -= size
        return array(shape, dtype, free.pop())

    def give(self, array: Any) -> None:
        """Keep the memory of an array, or of a part of one, that is read no more."""
        memory = array.base
        size = 0 if memory is None else memory.nbytes
        is_one = size > 0 and size % self._unit == 0
        if not is_one or size > MOST_BYTES:  # it has been small, or is large
            return
        if self._held + size > MOST_BYTES:
            self._free.clear()
            self._held = 0
        self._free.setdefault(size, []).append(memory)
        self._held += size
