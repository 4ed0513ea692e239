"""Memory for what lives no longer than a block, kept for the next one.

An allocator gives the end of its memory back to the system as soon as enough of it is
free, and gets it anew in the next call, page by page: at 500 x 500 points, that takes
five times as long as the work.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
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
        #: By size, the sizes apart.
        self._free: list[Any] = []
        self._sizes: list[int] = []

    def take(self, _: Any, *, dtype: Any, shape: tuple[int, ...]) -> Any:
        """Return an array of whatever values."""
        array = self._numpy.ndarray
        nbytes = math.prod(shape) * self._numpy.dtype(dtype).itemsize
        if nbytes < self._least:
            return array(shape, dtype)
        place = bisect_left(self._sizes, nbytes)
        if place < len(self._sizes):
            del self._sizes[place]
            return array(shape, dtype, self._free.pop(place))
        if self._sizes:  # blocks at an end may have been smaller: theirs serves no more
            self._sizes.pop()
            self._free.pop()
        return array(shape, dtype, array(-(-nbytes // self._unit) * self._unit, "b"))

    def give(self, array: Any) -> None:
        """Keep the memory of an array, or of a part of one, that is read no more."""
        memory = array.base
        size = 0 if memory is None else memory.nbytes
        is_one = size > 0 and size % self._unit == 0
        if not is_one or size > MOST_BYTES:  # it has been small, or is large
            return
        if sum(self._sizes) + size > MOST_BYTES:
            self._sizes.clear()
            self._free.clear()
        place = bisect_left(self._sizes, size)
        self._sizes.insert(place, size)
        self._free.insert(place, memory)
