"""The libraries with arrays on a GPU: what is asked of each beside anygrad's calls.

What a library cannot tell is None, and stands as a dash in the table.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

#: Takes nothing; what it returns is held for a moment, as a user holds results.
Work = Callable[[], Any]

#: So many calls are between two events, so that the GPU never waits for the host.
TOGETHER = 8


class Library:
    """What all have in common; `open` imports the library, or raises why it cannot."""

    name = ""
    own = ""

    def __init__(self) -> None:
        self.card = ""

    def asarray(self, values: Any) -> Any:
        """Return a NumPy array's values in this library, on the GPU."""
        raise NotImplementedError

    def to_numpy(self, array: Any) -> Any:
        """Return an array as one of NumPy's."""
        raise NotImplementedError

    def dtype(self, name: str) -> Any:
        """Return a dtype of the library."""
        return name

    def like_numpy(self) -> AbstractContextManager[Any]:
        """Return a context in which integers give the dtype that NumPy gives."""
        return contextlib.nullcontext()

    def wait(self) -> None:
        """Wait until all is done."""
        raise NotImplementedError

    def copies(self, array: Any) -> list[Work]:
        """Return every way to copy an array to where it is written for the copy."""
        raise NotImplementedError

    def seconds(self, work: Work, together: int = TOGETHER) -> float:
        """Return how long some calls take, one after the other, for each of them."""
        self.wait()
        start = time.perf_counter()
        for _ in range(together):
            work()
        self.wait()
        return (time.perf_counter() - start) / together

    def peak(self, work: Work) -> int | None:
        """Return the most bytes that a call holds at once."""

    def launches(self, work: Work) -> int | None:
        """Return the number of kernels of a call, as torch's profiler sees them."""
        try:
            return _profiled(work)
        except (ImportError, RuntimeError, AssertionError):
            return None

    def waits(self, work: Work) -> bool | None:
        """Tell whether a call makes the host wait."""

    def captured(self, work: Work) -> Any:
        """Return what a captured call computes when it is played."""


def open_library(name: str, *, emulated: bool = False) -> Library:
    """Return a library, set up; an error says in a sentence why there is none."""
    return {"cupy": CuPy, "torch": Torch, "jax": JAX}[name](emulated)


def median_seconds(library: Library, work: Work, seconds: float) -> float:
    """Return the median time of a call; two are made beforehand."""
    work()
    once = library.seconds(work, 1)
    together = TOGETHER if once < seconds / TOGETHER else 1
    rounds = max(3, min(21, math.ceil(seconds / (once * together + 1e-9))))
    return statistics.median(library.seconds(work, together) for _ in range(rounds))


def _profiled(work: Work) -> int:
    import torch

    if not torch.cuda.is_available():
        msg = "no CUDA"
        raise RuntimeError(msg)
    profiler = torch.profiler
    work()
    torch.cuda.synchronize()
    with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as profile:
        work()
        torch.cuda.synchronize()
    on_gpu = [
        event.name
        for event in profile.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    ]
    return sum(not name.startswith(("Memcpy", "Memset")) for name in on_gpu)


class CuPy(Library):
    """CuPy, on a card or on the emulated driver of the tests."""

    name, own = "cupy", "cupy.gradient"

    def __init__(self, emulated: bool = False) -> None:
        self.emulation: Any = None
        if emulated:
            sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
            self.emulation = importlib.import_module("cupy_on_cpu")
            self.emulation.install()
        import cupy

        self.cupy = cupy
        cupy.cuda.runtime.getDeviceCount()
        self.card = "emulated driver"
        if not emulated:
            properties = cupy.cuda.runtime.getDeviceProperties(0)
            self.card = f"{properties['name'].decode()}, cupy {cupy.__version__}"

    def asarray(self, values: Any) -> Any:
        """Return an array on the current device."""
        return self.cupy.asarray(values)

    def to_numpy(self, array: Any) -> Any:
        """Copy to the host."""
        return self.cupy.asnumpy(array)

    def wait(self) -> None:
        """Wait for the device."""
        self.cupy.cuda.Device().synchronize()

    def copies(self, array: Any) -> list[Work]:
        """Return CuPy's kernel, and the driver's copy."""
        to = self.cupy.empty_like(array)
        stream = self.cupy.cuda.get_current_stream()
        return [
            array.copy,
            lambda: to.data.copy_from_device_async(array.data, array.nbytes, stream),
        ]

    def seconds(self, work: Work, together: int = TOGETHER) -> float:
        """Return the time between two events, on a card."""
        if self.emulation:
            return super().seconds(work, together)
        start, stop = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        start.record()
        for _ in range(together):
            work()
        stop.record()
        stop.synchronize()
        elapsed = self.cupy.cuda.get_elapsed_time(start, stop)
        return float(elapsed) / 1e3 / together

    def peak(self, work: Work) -> int:
        """Count what the memory pool hands out and gets back."""

        class Counter(self.cupy.cuda.MemoryHook):
            name = "Counter"
            held = most = 0

            def malloc_postprocess(self, **given: Any) -> None:
                self.held += given["mem_size"]
                self.most = max(self.most, self.held)

            def free_postprocess(self, **given: Any) -> None:
                self.held -= given["mem_size"]

        with Counter() as counter:
            work()
        return int(counter.most)

    def launches(self, work: Work) -> int | None:
        """Count the kernels on the emulated driver itself."""
        if not self.emulation:
            return super().launches(work)
        work()
        with self.emulation.record() as recording:
            work()
        return len(recording.launches)

    def waits(self, work: Work) -> bool | None:
        """Tell it on the emulated driver; on a card, a capture would fail by it."""
        if not self.emulation:
            return None
        work()
        with self.emulation.record() as recording:
            work()
        return bool(recording.synchronisations)

    def captured(self, work: Work) -> Any:
        """Capture a call on a stream of its own, whose memory has been filled."""
        if self.emulation:
            return None
        with self.cupy.cuda.Stream(non_blocking=True) as stream:
            work()
            stream.synchronize()
            stream.begin_capture()
            try:
                results = work()
            finally:
                graph = stream.end_capture()
            graph.launch(stream)
            stream.synchronize()
        return results


class Torch(Library):
    """torch on CUDA."""

    name, own = "torch", "torch.gradient"

    def __init__(self, emulated: bool = False) -> None:
        import torch

        if emulated or not torch.cuda.is_available():
            msg = f"torch {torch.__version__} finds no GPU that CUDA can use"
            raise RuntimeError(msg)
        self.torch = torch
        self.card = f"{torch.cuda.get_device_name()}, torch {torch.__version__}, "
        try:
            self.card += f"cuda.core {importlib.import_module('cuda.core').__version__}"
        except ImportError:
            self.card += "no cuda.core"

    def asarray(self, values: Any) -> Any:
        """Return a tensor on the GPU."""
        return self.torch.from_numpy(values).to("cuda")

    def to_numpy(self, array: Any) -> Any:
        """Copy to the host."""
        return array.detach().cpu().numpy()

    def dtype(self, name: str) -> Any:
        """Return torch's dtype."""
        return getattr(self.torch, name)

    @contextlib.contextmanager
    def like_numpy(self) -> Iterator[None]:
        """Set the default dtype for a while."""
        before = self.torch.get_default_dtype()
        self.torch.set_default_dtype(self.torch.float64)
        try:
            yield
        finally:
            self.torch.set_default_dtype(before)

    def wait(self) -> None:
        """Wait for the device."""
        self.torch.cuda.synchronize()

    def copies(self, array: Any) -> list[Work]:
        """Return a clone, and a copy into a tensor that is there."""
        to = self.torch.empty_like(array)
        return [array.clone, lambda: to.copy_(array)]

    def seconds(self, work: Work, together: int = TOGETHER) -> float:
        """Return the time between two events."""
        event = self.torch.cuda.Event
        start, stop = event(enable_timing=True), event(enable_timing=True)
        start.record()
        for _ in range(together):
            work()
        stop.record()
        stop.synchronize()
        return float(start.elapsed_time(stop)) / 1e3 / together

    def peak(self, work: Work) -> int:
        """Ask torch's allocator."""
        cuda = self.torch.cuda
        cuda.synchronize()
        before = cuda.memory_allocated()
        cuda.reset_peak_memory_stats()
        work()
        cuda.synchronize()
        return int(cuda.max_memory_allocated() - before)

    def waits(self, work: Work) -> bool:
        """Let torch raise where the host waits."""
        work()
        self.torch.cuda.set_sync_debug_mode("error")
        try:
            work()
        except RuntimeError as error:
            if "synchroniz" not in str(error):
                raise
            return True
        finally:
            self.torch.cuda.set_sync_debug_mode("default")
        return False

    def captured(self, work: Work) -> Any:
        """Capture a call, after some on a side stream, as torch asks for."""
        cuda = self.torch.cuda
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for _ in range(3):
                work()
        cuda.current_stream().wait_stream(side)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            results = work()
        graph.replay()
        cuda.synchronize()
        return results


class JAX(Library):
    """JAX on a GPU, whose times are the host's: it has no events."""

    name, own = "jax", "jax.numpy.gradient"

    def __init__(self, emulated: bool = False) -> None:
        import os

        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        import jax

        if emulated or jax.default_backend() != "gpu":
            msg = f"jax {jax.__version__} finds no GPU"
            raise RuntimeError(msg)
        jax.config.update("jax_enable_x64", True)
        self.jax = jax
        self.latest: Any = None
        self.card = f"{jax.devices()[0].device_kind}, jax {jax.__version__}"

    def asarray(self, values: Any) -> Any:
        """Return an array on the default device, which is the GPU."""
        return self.jax.numpy.asarray(values)

    def dtype(self, name: str) -> Any:
        """Return JAX's dtype."""
        return getattr(self.jax.numpy, name)

    def to_numpy(self, array: Any) -> Any:
        """Copy to the host."""
        import numpy

        return numpy.asarray(array)

    def wait(self) -> None:
        """Wait for the latest results: the device takes calls in their order."""
        self.jax.block_until_ready(self.latest)

    def seconds(self, work: Work, together: int = TOGETHER) -> float:
        """Return the time of the host until the last results are there."""

        def remembered() -> None:
            self.latest = work()

        return super().seconds(remembered, together)

    def copies(self, array: Any) -> list[Work]:
        """Return a negation: XLA need not copy."""
        negated = self.jax.jit(lambda a: -a)
        return [lambda: negated(array), lambda: -array]
