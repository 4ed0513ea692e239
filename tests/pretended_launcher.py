"""A launcher of kernels on torch's tensors that runs them on the CPU.

It stands in the place of `cuda.core` and of the driver, and holds what they are asked.
"""

from __future__ import annotations

import ctypes
import itertools
import subprocess
import threading
from enum import IntEnum
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

#: What a host's compiler must be told of CUDA's words.
HEAD = """\
#define __global__
#define __restrict__
#define __device__
#define __noinline__
struct count { unsigned x, y, z; };
static count blockIdx, blockDim, threadIdx, gridDim;
static inline float __int_as_float(int i) {
  union { int i; float f; } both; both.i = i; return both.f; }
static inline int __float_as_int(float f) {
  union { int i; float f; } both; both.f = f; return both.i; }
static inline double __longlong_as_double(long long i) {
  union { long long i; double f; } both; both.i = i; return both.f; }
typedef unsigned u;
extern "C" void place(u bx, u by, u bz, u tx, u ty) {
  blockIdx = {bx, by, bz}; threadIdx = {tx, ty, 0}; }
extern "C" void extent(u gx, u gy, u gz, u bx, u by) {
  gridDim = {gx, gy, gz}; blockDim = {bx, by, 1}; }
"""

STREAM = 4711


class CUresult(IntEnum):
    """What the driver says."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_NO_BINARY_FOR_GPU = 209


class Program:
    """A text that g++ compiles."""

    folder = Path()
    made: ClassVar[list[Any]] = []

    def __init__(self, text: str, kind: str, options: Any) -> None:
        assert kind == "c++"
        self.text, self.options = text, options
        self.made.append(self)

    def compile(self, target: str, cache: Any = None) -> Any:
        assert target == "cubin"
        source = self.folder / f"kernel{len(self.made)}.cpp"
        source.write_text(HEAD + self.text)
        library = source.with_suffix(".so")
        flags = ["-std=c++17", "-shared", "-fPIC", "-w", "-ffp-contract=off"]
        command = [*find_compiler(), *flags, str(source), "-o", str(library)]
        subprocess.run(command, check=True)
        return SimpleNamespace(get_kernel=partial(get_kernel, library))


def get_kernel(library: Path, name: str) -> Any:
    assert DRIVER.mode == "relaxed", "operation not permitted when stream is capturing"
    shared = ctypes.CDLL(str(library))
    kernel = SimpleNamespace(shared=shared, function=getattr(shared, name))
    kernel.handle = kernel
    kernel.is_loaded = False
    return kernel


def load(kernel: Any, status: CUresult = CUresult.CUDA_SUCCESS) -> Any:
    """Do what the driver does with a kernel that is to be loaded."""
    assert DRIVER.mode == "relaxed", "operation not permitted when stream is capturing"
    kernel.is_loaded = True
    return status, kernel.function


def find_compiler() -> list[str]:
    from cupy_on_cpu import _compiler

    return _compiler.find_command() or pytest.skip("there is no C++ compiler")


class Driver(threading.local):
    """What the driver knows in a thread; torch tells it when it launches something."""

    context = 0
    mode = "global"

    def get_current(self) -> tuple[int, int]:
        return 0, self.context

    def exchange(self, mode: str) -> tuple[int, str]:
        """Set what a capture permits this thread, and return what it has been."""
        before, self.mode = self.mode, mode
        return 0, before


DRIVER = Driver()


class Device:
    """A device that can be made the current one."""

    def __init__(self, index: int) -> None:
        self.index = index

    def set_current(self) -> None:
        DRIVER.context = 1


def launch(stream: Any, config: Any, kernel: Any, *given: Any) -> None:
    """Call a kernel for each thread of a grid."""
    assert stream == STREAM
    assert DRIVER.context, "invalid device context"
    assert kernel.is_loaded
    shared, function = kernel.shared, kernel.function
    kinds = {"int32": ctypes.c_int32, "int64": ctypes.c_int64}
    arguments = []
    for value in given:
        if isinstance(value, float):
            arguments.append(ctypes.c_double(value))
        elif type(value) is int:
            arguments.append(ctypes.c_void_p(value))
        else:
            arguments.append(kinds[value.dtype.name](int(value)))
    shared.extent(*config.grid, *config.block[:2])
    ranges = map(range, (*config.grid, *config.block[:2]))
    for place in itertools.product(*ranges):
        shared.place(*place)
        function(*arguments)
