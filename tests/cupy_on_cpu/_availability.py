"""Whether the emulation can run here, found out without importing CuPy."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import platform
import sys

from . import _compiler

#: The driver tables that are replaced are no public interface of CuPy.
CUPY_VERSION = "14.2.0"
CUPY_DISTRIBUTIONS = ("cupy-cuda12x", "cupy-cuda13x")
#: Machines that wheels of CuPy exist for.
MACHINES = ("x86_64", "aarch64")


def installed_cupy() -> dict[str, str]:
    """Return the versions of the installed distributions of CuPy.

    Returns
    -------
    dict of str to str
        From the name of a distribution to its version.
    """
    versions = {}
    for name in CUPY_DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def unavailable_reason() -> str | None:
    """Return why the emulation cannot run here.

    Returns
    -------
    str or None
        A sentence, and None where the emulation can run.
    """
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return (
            "CuPy is emulated on Linux on x86-64 and AArch64 only, and this is "
            f"{sys.platform} on {platform.machine()}."
        )
    installed = installed_cupy()
    if list(installed.values()) != [CUPY_VERSION]:
        found = [f"{name} {version}" for name, version in installed.items()]
        return (
            f"The emulation needs {' or '.join(CUPY_DISTRIBUTIONS)} in version "
            f"{CUPY_VERSION}, one of them; installed: {', '.join(found) or 'neither'}."
        )
    if _compiler.find_command() is None:
        return (
            "The emulation needs a C++ compiler, and there is neither g++ nor "
            "clang++, nor does the variable CXX name one."
        )
    if gpu_present():
        return "A GPU is present, so that CuPy needs no emulation."
    return None


@functools.cache
def gpu_present() -> bool:
    """Return whether there is a CUDA driver with a device.

    Asks the driver itself, so that CuPy stays unimported.

    Returns
    -------
    bool
        True if the driver reports one device or more.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return False
    except (OSError, AttributeError):
        return False
    return count.value > 0
