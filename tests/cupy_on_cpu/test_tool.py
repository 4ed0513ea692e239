"""Tests of `cupy_on_cpu` itself.

Without the emulation only those are left that need no CuPy.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from . import (
    _availability,
    _compiler,
    _kernels,
    install,
    installed,
    record,
    unavailable_reason,
)

# Any: CuPy and NumPy are not there when the types are checked.
Module = Any

DTYPES = (
    "bool",
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
FLOATS = ("float16", "float32", "float64", "complex64", "complex128")
INTEGERS = tuple(name for name in DTYPES if "int" in name)


@pytest.fixture
def cupy() -> Module:
    if not installed() and (reason := unavailable_reason()) is not None:
        pytest.skip(reason)
    return install()


@pytest.fixture
def np(cupy: Module) -> Module:
    import numpy

    return numpy


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, warnings being errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def assert_same(actual: Any, expected: Any, what: object = "") -> None:
    """Compare an array of CuPy with one of NumPy, of the same dtype."""
    import numpy

    tolerance = {
        "float16": 1e-3,
        "float32": 1e-6,
        "complex64": 1e-6,
        "float64": 1e-14,
        "complex128": 1e-14,
    }.get(str(expected.dtype), 0)
    assert actual.dtype == expected.dtype, what
    numpy.testing.assert_allclose(
        actual.get(), expected, rtol=tolerance, err_msg=str(what)
    )


# ----------------------------------------------------------------------------
# Whether it can run
# ----------------------------------------------------------------------------


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A place where all is well: what is installed there, to be changed."""
    found = {"cupy-cuda13x": "14.2.0"}

    def version(name: str) -> str:
        if name not in found:
            raise importlib.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(_availability, "gpu_present", lambda: False)
    monkeypatch.setattr(_compiler, "find_command", lambda: ["g++"])
    return found


def test_available_where_all_is_there(versions: dict[str, str]) -> None:
    assert _availability.unavailable_reason() is None


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({}, "neither"),
        ({"cupy-cuda12x": "13.6.0"}, "cupy-cuda12x 13.6.0"),
        (
            {"cupy-cuda12x": "14.2.0", "cupy-cuda13x": "14.2.0"},
            "cupy-cuda12x 14.2.0, cupy-cuda13x 14.2.0",
        ),
    ],
)
def test_unavailable_with_other_versions(
    versions: dict[str, str], installed: dict[str, str], words: str
) -> None:
    versions.clear()
    versions.update(installed)
    reason = _availability.unavailable_reason()
    assert reason == (
        "The emulation needs cupy-cuda12x or cupy-cuda13x in version 14.2.0, one of "
        f"them; installed: {words}."
    )


def test_unavailable_without_a_compiler(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_compiler, "find_command", lambda: None)
    assert "needs a C++ compiler" in str(_availability.unavailable_reason())


def test_unavailable_on_other_platforms(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "this is win32 on x86_64." in str(_availability.unavailable_reason())


def test_unavailable_where_a_gpu_is(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_availability, "gpu_present", lambda: True)
    assert "A GPU is present" in str(_availability.unavailable_reason())


@pytest.fixture
def fresh_answer() -> Iterator[None]:
    _availability.gpu_present.cache_clear()
    yield
    _availability.gpu_present.cache_clear()


@pytest.mark.parametrize(
    ("status", "devices", "present"), [(0, 2, True), (0, 0, False), (100, 0, False)]
)
def test_gpu_present_asks_the_driver(
    fresh_answer: None,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    devices: int,
    present: bool,
) -> None:
    def count(pointer: Any) -> int:
        pointer._obj.value = devices
        return 0

    library = SimpleNamespace(cuInit=lambda flags: status, cuDeviceGetCount=count)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert _availability.gpu_present() is present


def test_no_gpu_without_a_driver(
    fresh_answer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_library(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert _availability.gpu_present() is False


def test_the_compiler_of_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXX", f"'{sys.executable}' -E")
    assert _compiler.find_command() == [sys.executable, "-E"]
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert _compiler.find_command() is None


# ----------------------------------------------------------------------------
# Installing and leaving
# ----------------------------------------------------------------------------


def test_install_twice(cupy: Module) -> None:
    assert install() is cupy
    assert isinstance(cupy, ModuleType)
    assert unavailable_reason() is None
    assert cupy.is_available()


def test_install_after_cupy_is_refused(cupy: Module) -> None:
    done = run(
        """
        import cupy, cupy_on_cpu
        print(cupy_on_cpu.unavailable_reason())
        cupy_on_cpu.install()
        """
    )
    assert done.returncode == 1
    assert "CuPy was imported before cupy_on_cpu.install() was called" in done.stdout
    assert "RuntimeError: CuPy was imported before" in done.stderr


def test_looking_does_not_import_cupy(cupy: Module) -> None:
    done = run(
        """
        import sys, cupy_on_cpu
        cupy_on_cpu.unavailable_reason(), cupy_on_cpu.gpu_present()
        assert not [name for name in sys.modules if name.startswith("cupy_backends")]
        assert "cupy" not in sys.modules
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("raise ValueError('on purpose')", 1, "ValueError: on purpose\n"),
        ("sys.stdout.flush(); os._exit(5)", 5, ""),
    ],
)
def test_the_exit_is_clean(cupy: Module, end: str, code: int, words: str) -> None:
    done = run(
        f"""
        import os, sys, threading
        import cupy_on_cpu
        cupy = cupy_on_cpu.install()
        # All that CuPy may want to release at the end of the process.
        array = cupy.asarray([1.0, 2.0, 3.0]) + 1
        stream, event = cupy.cuda.Stream(), cupy.cuda.Event()
        with stream:
            total = array.sum()
            event.record()
        pinned = cupy.cuda.alloc_pinned_memory(100)
        with cupy.cuda.Device(1):
            other = cupy.ones(3)
        thread = threading.Thread(target=lambda: cupy.zeros(3) + 1)
        thread.start()
        thread.join()
        cycle = [array]
        cycle.append(cycle)
        print(float(total))
        {end}
        """
    )
    assert (done.returncode, done.stdout) == (code, "9.0\n")
    assert done.stderr.endswith(words)
    assert bool(done.stderr) == bool(words)


def test_the_headers_of_cuda_are_not_needed(cupy: Module) -> None:
    done = run(
        """
        import cuda.pathfinder
        cuda.pathfinder.find_nvidia_header_directory = lambda name: None
        import cupy_on_cpu
        print(cupy_on_cpu.install().arange(3) + 1)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1 2 3]\n", "")


def test_processes_share_a_cache(cupy: Module, tmp_path: Path) -> None:
    code = """
        import cupy_on_cpu
        cupy = cupy_on_cpu.install()
        with cupy_on_cpu.record() as recording:
            array = cupy.arange(4) * 2.5
        print(array.tolist(), recording.compilations)
        """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment[_compiler.CACHE_VARIABLE] = str(tmp_path / "new" / "cache")
    together = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in together:
        output, _ = process.communicate()
        assert process.returncode == 0
        assert output.startswith("[0.0, 2.5, 5.0, 7.5] ")
    later = run(code, **{_compiler.CACHE_VARIABLE: str(tmp_path / "new" / "cache")})
    assert later.stdout == "[0.0, 2.5, 5.0, 7.5] 0\n"
    assert not list(tmp_path.glob("**/build-*"))


# ----------------------------------------------------------------------------
# Values
# ----------------------------------------------------------------------------


def sample(np: Module, dtype: str) -> Any:
    """Return numbers that every dtype but bool can hold."""
    values = np.array([[1, 2, 5, 3], [7, 4, 0, 100]])
    if dtype.startswith("complex"):
        return (values * (1 - 0.5j)).astype(dtype)
    return (values * 0.5 if dtype.startswith("float") else values).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_there_and_back(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    device = cupy.asarray(host)
    assert isinstance(device, cupy.ndarray)
    assert_same(device, host)
    assert device.tolist() == host.tolist()
    assert cupy.asnumpy(device).dtype == host.dtype
    assert_same(device[:, ::-2], host[:, ::-2])
    assert_same(device.T.reshape(8), host.T.reshape(8))
    assert_same(cupy.ascontiguousarray(device[:, 1:]), host[:, 1:])
    assert_same(device.copy(), host)


@pytest.mark.parametrize("dtype", DTYPES)
def test_conversions(cupy: Module, np: Module, dtype: str) -> None:
    """All pairs work; a part of them is enough here, since each is a kernel."""
    place, count = DTYPES.index(dtype), len(DTYPES)
    others = {DTYPES[(place + step) % count] for step in (1, 4, 9)} | {"float16"}
    host = sample(np, dtype)
    device = cupy.asarray(host)
    for other in others:
        if dtype.startswith("complex") and not other.startswith("complex"):
            assert_same(device.real.astype(other), host.real.astype(other), other)
        else:
            assert_same(device.astype(other), host.astype(other), other)


def test_every_float16(cupy: Module, np: Module) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for wide in ("float32", "float64"):
        np.testing.assert_array_equal(
            cupy.asarray(halves).astype(wide).get(), halves.astype(wide)
        )


def test_rounding_to_float16(cupy: Module, np: Module) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    exact = halves[np.isfinite(halves)].astype(np.float64)
    with np.errstate(over="ignore"):
        midway = (exact[1:] + exact[:-1]) / 2
        for wide in (np.float32, np.float64):
            near = midway.astype(wide)
            sides = [np.nextafter(near, wide(side)) for side in (-np.inf, np.inf)]
            ends = np.array([65519, 65520, 1e30, np.inf, np.nan, -0.0, 1e-8], wide)
            values = np.concatenate([exact.astype(wide), near, *sides, ends, -ends])
            rounded = cupy.asarray(values).astype("float16").get()
            expected = values.astype(np.float16)
            np.testing.assert_array_equal(rounded, expected)
            np.testing.assert_array_equal(
                np.signbit(rounded)[:-7], np.signbit(expected)[:-7]
            )


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name != "bool"])
def test_arithmetic(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    device = cupy.asarray(host)
    a, b, x, y = device[:, 1:], device[:, :-1], host[:, 1:], host[:, :-1]
    y = y + y.dtype.type(1)
    b = b + y.dtype.type(1)
    for name in ("add", "subtract", "multiply", "true_divide"):
        expected = getattr(np, name)(x, y)
        assert_same(getattr(cupy, name)(a, b), expected, name)
        out = cupy.empty_like(a, dtype=expected.dtype)
        assert getattr(cupy, name)(a, b, out=out) is out
        assert_same(out, expected, name)
    assert_same(cupy.negative(a), np.negative(x))
    assert_same(cupy.where(a == b, a, b), np.where(x == y, x, y))
    assert_same(abs(a), abs(x))
    if not dtype.startswith("complex"):
        assert_same(cupy.less(a, b), np.less(x, y))
        assert_same(cupy.maximum(a, b), np.maximum(x, y))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    a, x = cupy.asarray(host), host
    one = x.dtype.type(1)
    for name in ("right_shift", "left_shift", "bitwise_and", "bitwise_xor"):
        assert_same(getattr(cupy, name)(a, one), getattr(np, name)(x, one), name)
    # Integers wrap around, as everywhere in CUDA.
    largest = cupy.asarray([np.iinfo(dtype).max], dtype=dtype)
    assert (largest + one).tolist() == [np.iinfo(dtype).min]


@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values(cupy: Module, np: Module, dtype: str) -> None:
    host = np.array([0.0, -0.0, 1.5, np.nan, np.inf, -np.inf], dtype)
    device = cupy.asarray(host)
    for name in ("isnan", "isfinite", "isinf"):
        assert_same(getattr(cupy, name)(device), getattr(np, name)(host), name)
    assert_same(device.min(), host.min())
    assert bool(cupy.isnan(device).any())


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "complex128"])
def test_reductions(cupy: Module, np: Module, dtype: str) -> None:
    host = sample(np, dtype)
    device = cupy.asarray(host)
    for name in ("sum", "max", "min", "any", "all"):
        for axis in (None, 0):
            actual = getattr(cupy, name)(device, axis=axis)
            assert_same(actual, np.asarray(getattr(np, name)(host, axis=axis)), name)


def test_a_reduction_of_many_elements(cupy: Module, np: Module) -> None:
    numbers = np.arange(200_000)
    assert int(cupy.asarray(numbers).sum()) == numbers.sum()
    matrix = numbers.reshape(100, 2000)
    assert_same(cupy.asarray(matrix).max(axis=0), matrix.max(axis=0))


def test_creation_and_joining(cupy: Module, np: Module) -> None:
    assert_same(cupy.full((2, 3), 7.5), np.full((2, 3), 7.5))
    assert_same(cupy.zeros(3, "int8"), np.zeros(3, "int8"))
    assert_same(cupy.arange(2, 9, 3), np.arange(2, 9, 3))
    assert_same(cupy.linspace(0, 1, 7), np.linspace(0, 1, 7))
    assert cupy.empty((0, 3)).tolist() == []
    a, x = cupy.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
    assert_same(cupy.concatenate([a, a[:, :1]], axis=1), np.hstack([x, x[:, :1]]))
    assert_same(cupy.stack([a, a], axis=-1), np.stack([x, x], axis=-1))
    assert_same(a[a > 2], x[x > 2])
    assert_same(cupy.cumsum(a), np.cumsum(x))


def test_gradient(cupy: Module, np: Module) -> None:
    f, places = np.array([[1.0, 4.0, 2.0, 8.0]] * 3), np.array([0.0, 1.0, 3.0, 4.0])
    a, positions = cupy.asarray(f), cupy.asarray(places)
    for actual, expected in zip(cupy.gradient(a), np.gradient(f), strict=True):
        assert_same(actual, expected)
    assert_same(cupy.gradient(a, positions, axis=1), np.gradient(f, places, axis=1))


def test_fresh_memory_is_not_zero(cupy: Module, np: Module) -> None:
    memory = cupy.cuda.Memory(64)
    pointer = cupy.cuda.MemoryPointer(memory, 0)
    assert bool(cupy.isnan(cupy.ndarray(8, "float64", pointer)).all())


# ----------------------------------------------------------------------------
# Kernels of every kind
# ----------------------------------------------------------------------------


def test_elementwise_kernel(cupy: Module) -> None:
    steps = cupy.ElementwiseKernel(
        "raw T x, T h", "T y", "y = (x[i + 1] - x[i]) / h", "tool_steps"
    )
    assert steps(cupy.asarray([1.0, 4.0, 9.0]), 0.5, size=2).tolist() == [6.0, 10.0]


def test_fused_functions(cupy: Module) -> None:
    def squares(a: Any) -> Any:
        return cupy.sum(a * a + 1, axis=0)

    assert cupy.fuse()(squares)(cupy.ones((3, 2))).tolist() == [6.0, 6.0]


def test_raw_kernel_on_a_grid(cupy: Module) -> None:
    kernel = cupy.RawKernel(
        r"""
        extern "C" __global__ void tool_places(int* out, int width) {
          int x = blockIdx.x * blockDim.x + threadIdx.x;
          int y = blockIdx.y * blockDim.y + threadIdx.y;
          out[y * width + x] = 100 * y + x;
        }
        """,
        "tool_places",
    )
    out = cupy.empty((2, 6), "int32")
    kernel((3, 1), (2, 2), (out, 6))
    assert out.tolist() == [[0, 1, 2, 3, 4, 5], [100, 101, 102, 103, 104, 105]]


def test_threads_wait_for_one_another(cupy: Module) -> None:
    kernel = cupy.RawKernel(
        r"""
        extern "C" __global__ void tool_reverse(float* x, float* sums) {
          extern __shared__ float other[];
          int i = threadIdx.x, n = blockDim.x;
          other[i] = x[i];
          // Warps that wait a different number of times before all wait.
          for (int k = 0; k < i / 32; ++k) __syncwarp();
          __syncthreads();
          x[i] = other[n - 1 - i];
          float sum = x[i];
          for (int step = 16; step > 0; step /= 2)
            sum += __shfl_xor_sync(0xffffffff, sum, step);
          if (__any_sync(0xffffffff, i == 40) && i % 32 == 0) sums[0] = sum;
        }
        """,
        "tool_reverse",
    )
    x, sums = cupy.arange(96, dtype="float32"), cupy.zeros(1, "float32")
    kernel((1,), (96,), (x, sums), shared_mem=96 * 4)
    assert x.tolist() == list(range(95, -1, -1))
    assert sums.tolist() == [sum(range(32, 64))]


def test_templates(cupy: Module) -> None:
    module = cupy.RawModule(
        code="template <class T> __global__ void twice(T* x) { x[threadIdx.x] *= 2; }",
        name_expressions=["twice<int>", "twice<double>"],
        options=("-std=c++17",),
    )
    x = cupy.asarray([1.5, 2.5])
    module.get_function("twice<double>")((1,), (2,), (x,))
    assert x.tolist() == [3.0, 5.0]


def test_a_failed_compilation_is_readable(cupy: Module) -> None:
    kernel = cupy.ElementwiseKernel("T x", "T y", "y = unheard_of(x)", "tool_broken")
    with pytest.raises(cupy.cuda.compiler.CompileException) as caught:
        kernel(cupy.ones(3))
    message = str(caught.value)
    assert message.startswith("'tool_broken' does not compile on the CPU:\ntool_broken")
    assert "y = unheard_of(x)" in message
    assert "unheard_of" in message.splitlines()[1]
    assert len(message.splitlines()) < 45


def test_host_source_keeps_the_lines() -> None:
    source = 'extern "C" __global__\nvoid\n  f(int n) { extern __shared__ char s[]; }'
    host = _kernels.to_host(source, ["g<int>"])
    first, second, third = host.text.splitlines()[:3]
    assert [first, second] == ['extern "C" __global__', "void"]
    assert third.startswith("  cupy_on_cpu_kernel_f(int n) { char* s = reinterpret_")
    assert host.label == "f"
    assert host.names == {"g<int>": "expression_0"}


# ----------------------------------------------------------------------------
# The driver
# ----------------------------------------------------------------------------


def test_the_recording_counts(cupy: Module, np: Module) -> None:
    a = cupy.arange(6.0)
    with record() as recording:
        (a[2:] - a[:-2]) / 2.0
        assert len(recording.launches) == 2
    a + 1  # not recorded
    assert recording.launches == [
        "cupy_subtract__float64_float64_float64",
        "cupy_true_divide__float64_float_float64",
    ]
    assert recording.synchronisations == 0
    with record() as recording:
        cupy.asarray(np.ones(3))
    assert recording.host_to_device == 1
    with record() as recording:
        a.get()
    assert (recording.device_to_host, recording.synchronisations) == (1, 1)
    with record() as recording:
        bool(a[1])
    assert (recording.device_to_host, recording.synchronisations) == (1, 1)
    b = cupy.empty_like(a)
    with record() as recording:
        cupy.copyto(b, a)
        cupy.zeros(3)
        cupy.cuda.Device().synchronize()
    assert recording.counts() == {
        "launches": 0,
        "synchronisations": 1,
        "host_to_device": 0,
        "device_to_host": 0,
        "device_to_device": 1,
        "fills": 1,
        "compilations": 0,
    }
    assert "device_to_device=1" in repr(recording)


def test_a_recording_needs_the_emulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__package__}._emulation", lambda: None)
    with (
        pytest.raises(RuntimeError, match=r"call install\(\) first"),
        record(),
    ):
        pass


def test_two_devices(cupy: Module) -> None:
    assert cupy.cuda.runtime.getDeviceCount() == 2
    with cupy.cuda.Device(1):
        there = cupy.arange(3.0)
        assert (there + there).device.id == 1
    assert there.device.id == 1
    assert there.tolist() == [0.0, 1.0, 2.0]
    assert cupy.cuda.Device().id == 0
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="InvalidDevice"):
        cupy.cuda.Device(2).use()


def test_results_land_on_the_current_device(cupy: Module) -> None:
    """CuPy makes each result there, wherever the arguments are."""
    with cupy.cuda.Device(1):
        there = cupy.arange(3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cupy._util.PerformanceWarning)
        results = [there + there, cupy.concatenate([there, there]), there.sum()]
    assert [result.device.id for result in results] == [0, 0, 0]
    assert there[1:].device.id == 1
    assert results[0].tolist() == [0.0, 2.0, 4.0]


def test_cupy_warns_of_the_other_device(cupy: Module) -> None:
    with cupy.cuda.Device(1):
        there = cupy.arange(3.0)
    with pytest.warns(cupy._util.PerformanceWarning, match="different from the cur"):
        there + 1


def test_numpy_arrays_are_refused(cupy: Module, np: Module) -> None:
    a = cupy.ones(3)
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array"):
        np.asarray(a)
    with pytest.raises(TypeError, match="Unsupported type"):
        a + np.ones(3)


def test_streams_and_events(cupy: Module) -> None:
    stream, start, end = cupy.cuda.Stream(), cupy.cuda.Event(), cupy.cuda.Event()
    with stream:
        start.record()
        total = cupy.ones(4).sum()
        end.record()
    stream.wait_event(end)
    stream.synchronize()
    end.synchronize()
    assert (end.done, stream.done, float(total)) == (True, True, 4.0)
    assert cupy.cuda.get_elapsed_time(start, end) > 0


def test_memory_is_limited(cupy: Module) -> None:
    free, total = cupy.cuda.Device(0).mem_info
    assert free <= total
    with pytest.raises(cupy.cuda.memory.OutOfMemoryError):
        cupy.empty(total + 1, "int8")


def test_what_is_not_emulated_says_so(cupy: Module) -> None:
    with pytest.raises(RuntimeError, match="does not emulate"):
        cupy.cuda.Stream(non_blocking=True).begin_capture()
    with pytest.raises(RuntimeError, match="CUDA function graphLaunch"):
        cupy.cuda.runtime.graphLaunch(0, 0)
