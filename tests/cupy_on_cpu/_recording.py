"""Counting what a piece of code asks of the pretended driver."""

from __future__ import annotations

from collections.abc import Callable

from ._driver import Driver


def _count(name: str, what: str) -> property:
    """Return a property that gives one of the counts."""

    def read(recording: Recording) -> int:
        return recording.counts()[name]

    return property(read, doc=f"The number of {what}.")


class Recording:
    """What the driver was asked for since the recording began.

    Reads live until the recording ends, and stays as it is from then on.

    Parameters
    ----------
    driver : Driver
        The pretended driver.
    compiled : callable
        Returns the number of modules compiled since the start of the process.
    """

    def __init__(self, driver: Driver, compiled: Callable[[], int]) -> None:
        self._driver = driver
        self._compiled = compiled
        self._first = self._read()
        self._last: dict[str, int] | None = None

    def _read(self) -> dict[str, int]:
        return {**self._driver.counters(), "compilations": self._compiled()}

    def end(self) -> None:
        """End the recording; a second call does nothing."""
        if self._last is None:
            self._last = self._read()

    def counts(self) -> dict[str, int]:
        """Return all counts, by the names of the properties.

        Returns
        -------
        dict of str to int
            With ``launches`` as the number of launches.
        """
        last = self._read() if self._last is None else self._last
        return {name: last[name] - first for name, first in self._first.items()}

    @property
    def launches(self) -> list[str]:
        """The names of the kernels that were launched, in order."""
        last = self._read() if self._last is None else self._last
        return self._driver.launches(self._first["launches"], last["launches"])

    synchronisations = _count("synchronisations", "times that the host had to wait")
    host_to_device = _count("host_to_device", "copies from the host to a device")
    device_to_host = _count("device_to_host", "copies from a device to the host")
    device_to_device = _count("device_to_device", "copies on or between devices")
    fills = _count("fills", "times that memory was set to one byte")
    compilations = _count("compilations", "modules compiled and not found in the cache")

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={value}" for name, value in self.counts().items())
        return f"<Recording: {counts}>"
