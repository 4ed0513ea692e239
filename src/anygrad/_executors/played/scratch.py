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


class Free(threading.local):
    """Memory that is not in use, of each thread its own."""

    def __init__(self) -> None:
        #: From the smallest to the largest: their bytes, and the memory.
        self.by_size: tuple[list[int], list[Any]] = [], []


class Scratch:
    """Arrays for what is between, in memory of NumPy's."""

    __slots__ = ("_array", "_dtype", "_free", "_least", "_unit")

    def __init__(self, least: int = LEAST_BYTES, unit: int = UNIT) -> None:
        import numpy

        self._array, self._dtype = numpy.ndarray, numpy.dtype
        #: Arrays of fewer bytes are made each time, and memory is kept in multiples.
        self._least, self._unit = least, unit
        self._free = Free()

    def take(self, _: Any, *, dtype: Any, shape: tuple[int, ...]) -> Any:
        """Return an array of whatever values."""
        nbytes = math.prod(shape) * self._dtype(dtype).itemsize
        if nbytes < self._least:
            return self._array(shape, dtype)
        # Until it is back, there is none: not for what a handler of signals computes
        # meanwhile, and not for later calls where an interrupt ends this one.
        all_of_it, self._free.by_size = self._free.by_size, ([], [])
        sizes, free = all_of_it
        memory, place = None, bisect_left(sizes, nbytes)
        if place < len(sizes):
            del sizes[place]
            memory = free.pop(place)
        elif sizes:  # blocks at an end may have been smaller: theirs serves no more
            sizes.pop()
            free.pop()
        self._free.by_size = all_of_it
        if memory is None:
            memory = self._array(-(-nbytes // self._unit) * self._unit, "b")
        return self._array(shape, dtype, memory)

    def give(self, array: Any) -> None:
        """Keep the memory of an array, or of a part of one, that is read no more."""
        memory = array.base
        size = 0 if memory is None else memory.nbytes
        is_one = size > 0 and size % self._unit == 0
        if not is_one or size > MOST_BYTES:  # it has been small, or is large
            return
        all_of_it, self._free.by_size = self._free.by_size, ([], [])
        sizes, free = all_of_it
        if sum(sizes) + size > MOST_BYTES:
            sizes.clear()
            free.clear()
        place = bisect_left(sizes, size)
        sizes.insert(place, size)
        free.insert(place, memory)
        self._free.by_size = all_of_it
