"""Real CuPy on a machine without a GPU, for tests.

CuPy stays as it is installed; the CUDA driver under it is pretended, with two
devices, and its kernels are compiled for the CPU. Call `install` before anything
imports CuPy:

>>> import cupy_on_cpu
>>> if cupy_on_cpu.unavailable_reason() is None:
...     cupy = cupy_on_cpu.install()

`record` then tells what a piece of code asked of the driver:

>>> with cupy_on_cpu.record() as recording:
...     total = cupy.arange(5) + 1
>>> recording.synchronisations
0

See ``README.md`` beside this file for how it works and what it cannot show.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from . import _compiler, _driver, _kernels, _tables
from ._availability import CUPY_VERSION, gpu_present
from ._availability import unavailable_reason as _environment_reason
from ._recording import Recording

__all__ = [
    "CUPY_VERSION",
    "Recording",
    "gpu_present",
    "install",
    "installed",
    "record",
    "unavailable_reason",
]

#: Where the installed emulation is kept: with the tables that it replaced, so
#: that this package may be imported under two names.
_RUNTIME = "cupy_backends.cuda.api.runtime"
_DRIVER = "cupy_backends.cuda.api.driver"
_ATTRIBUTE = "_cupy_on_cpu"


class _Emulation:
    """What is there after `install`."""

    def __init__(self, cupy: ModuleType, driver: _driver.Driver) -> None:
        self.cupy = cupy
        self.driver = driver
        self.compiler = _kernels.KernelCompiler(cupy)


def _emulation() -> Any:
    """Return the installed emulation or None."""
    return getattr(sys.modules.get(_RUNTIME), _ATTRIBUTE, None)


def installed() -> bool:
    """Return whether the CuPy of this process runs on the CPU.

    Returns
    -------
    bool
        True after `install`.
    """
    return _emulation() is not None


def unavailable_reason() -> str | None:
    """Return why `install` cannot do its work here.

    Does not import CuPy.

    Returns
    -------
    str or None
        A sentence that can be given as the reason of a skipped test, and None
        if `install` can be called.
    """
    if installed():
        return None
    reason = _environment_reason()
    if reason is None and _RUNTIME in sys.modules:
        return (
            "CuPy was imported before cupy_on_cpu.install() was called, and can no "
            "longer be moved to the CPU in this process."
        )
    return reason


def install() -> ModuleType:
    """Import CuPy so that it runs on the CPU, with two pretended devices.

    Calling it again does nothing.

    Returns
    -------
    module
        The module ``cupy``.

    Raises
    ------
    RuntimeError
        If it is not possible: see `unavailable_reason`.
    """
    if installed():
        cupy: ModuleType = _emulation().cupy
        return cupy
    reason = unavailable_reason()
    if reason is not None:
        raise RuntimeError(reason)
    driver = _driver.Driver(_compiler.build_driver())
    entries = driver.entries()
    # The runtime module copies addresses from the driver module: so that first.
    _tables.replace(importlib.import_module(_DRIVER), "driver", entries)
    runtime = importlib.import_module(_RUNTIME)
    _tables.replace(runtime, "runtime", entries)
    cupy = importlib.import_module("cupy")
    # CUB's reductions and scans are machine code for GPUs.
    cupy._core.set_reduction_accelerators([])
    cupy._core.set_routine_accelerators([])
    if _compiler.checks_accesses():
        # Memory from a pool is rounded up, and other arrays lie beside it.
        cupy.cuda.set_allocator(None)
    _settle_cuda_headers(cupy)
    emulation = _Emulation(cupy, driver)
    cupy.cuda.compiler._compile_with_cache_cuda = emulation.compiler
    setattr(runtime, _ATTRIBUTE, emulation)
    return cupy


def _settle_cuda_headers(cupy: ModuleType) -> None:
    """Make CuPy content without the headers of CUDA, which need not be installed.

    It looks for them before the first kernel, and keeps what it found.
    """
    pathfinder: Any = importlib.import_module("cuda.pathfinder")
    find = pathfinder.find_nvidia_header_directory
    pathfinder.find_nvidia_header_directory = lambda name: str(_compiler.HEADERS)
    try:
        cupy._core.core.assemble_cupy_compiler_options(())
    finally:
        pathfinder.find_nvidia_header_directory = find


@contextlib.contextmanager
def record() -> Iterator[Recording]:
    """Record what the code in a ``with`` block asks of the pretended driver.

    Yields
    ------
    Recording
        The names of the launched kernels, and the counts of the copies and of
        the times that the host had to wait.

    Raises
    ------
    RuntimeError
        If the emulation is not installed.
    """
    emulation = _emulation()
    if emulation is None:
        raise RuntimeError("record() needs the emulation: call install() first")
    recording = Recording(emulation.driver, lambda: emulation.compiler.compiled)
    try:
        yield recording
    finally:
        recording.end()
