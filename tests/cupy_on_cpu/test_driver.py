"""The pretended driver: kernels of every kind, what is counted, devices and memory.

Without the emulation only those tests are left that need no CuPy.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from . import _emulated, _kernels, record
from ._emulated import Module

cupy = _emulated.cupy
np = _emulated.np


# Kernels of every kind.


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


# The driver.


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
