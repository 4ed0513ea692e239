"""Memory for what lives no longer than a block, kept for the next one.

An allocator gives the end of its memory back to the system as soon as enough of it is
free, and gets it anew in the next call, page by page: at 500 x 500 points, that takes
five times as long as the work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

#: Smaller arrays are nothing that an allocator gives back.
LEAST_BYTES = 2**15

#: So many arrays are kept, each as large as a block at most.
MOST_ARRAYS = 6


class Scratch:
    """Arrays that are not in use, each of them taken by one thread at a time.

    Parameters
    ----------
    empty_like : callable
        ``empty_like(array, dtype=..., shape=...)`` makes one.
    """

    def __init__(self, empty_like: Callable[..., Any]) -> None:
        self._empty_like = empty_like
        self._free: deque[Any] = deque(maxlen=MOST_ARRAYS)

    def take(self, like: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
        """Return an array of whatever values."""
        free = self._free
        for _ in range(len(free)):
            try:
                array = free.pop()
            except IndexError:  # another thread has been faster
                break
            if array.shape == shape and array.dtype == dtype:
                return array
            free.appendleft(array)
        return self._empty_like(like, dtype=dtype, shape=shape)

    def give(self, array: Any) -> None:
        """Keep an array that is read no more, or what it is a part of."""
        array = array if array.base is None else array.base
        if array.nbytes >= LEAST_BYTES:
            self._free.append(array)
