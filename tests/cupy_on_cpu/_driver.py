"""The pretended driver: ``driver.cpp``, compiled and loaded."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A function of the driver that CuPy calls.

    Attributes
    ----------
    module : str
        ``"runtime"`` or ``"driver"``, and ``""`` for none.
    name : str
        Its name there.
    signature : str
        Its type, such as ``"intptr_t (size_t, int)"``.
    address : int
        Where it is.
    """

    module: str
    name: str
    signature: str
    address: int


class Driver:
    """The loaded library.

    Parameters
    ----------
    path : pathlib.Path
        The shared library.
    """

    def __init__(self, path: Path) -> None:
        library = ctypes.PyDLL(str(path))
        self._list_entries = library.list_entries
        self._list_entries.restype = ctypes.py_object
        self._read_counters = library.read_counters
        self._read_counters.restype = ctypes.py_object
        self._read_launches = library.read_launches
        self._read_launches.restype = ctypes.py_object
        self._read_launches.argtypes = [ctypes.c_size_t, ctypes.c_size_t]

    def entries(self) -> list[Entry]:
        """Return the functions that stand for those of CUDA."""
        return [Entry(*row) for row in self._list_entries()]

    def counters(self) -> dict[str, int]:
        """Return what was counted since the start of the process."""
        counted: dict[str, int] = self._read_counters()
        return counted

    def launches(self, first: int, last: int) -> list[str]:
        """Return the names of the kernels that were launched.

        Parameters
        ----------
        first, last : int
            The range, counted from the start of the process.
        """
        names: list[str] = self._read_launches(first, last)
        return names
