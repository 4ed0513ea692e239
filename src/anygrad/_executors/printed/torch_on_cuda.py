"""One kernel per call on torch tensors on a GPU, where `cuda.core` is installed.

torch has no public way to compile and launch a kernel that is as fast as one of its own
operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..._records import Plan, all_tasks
from .. import huge_pages
from ..memory import OF_TORCH
from . import cuda, on_cuda, variants

if TYPE_CHECKING:
    from ..._typing import Namespace
    from ..recorded.composites import Work


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...] | None:
    """Return the results of a plan on a tensor on a GPU; None where it cannot."""
    if not plan.tasks or f.numel() == 0 or not _has_launcher():
        return None
    if any(task.precision.result.is_complex for task in all_tasks(plan)):
        return None  # C++ has no complex numbers without CuPy's headers
    with _on_device_of(f):
        return on_cuda.run(LAUNCHER, f, plan, xp)


def run_composite(work: Work, plan: Plan) -> tuple[Any, ...] | None:
    """Return the results of a composite by one kernel; None where it cannot."""
    if work.f.numel() == 0 or not _has_launcher():
        return None
    if work.composite.grid.dtype.is_complex:
        return None
    with _on_device_of(work.f):
        return on_cuda.run_composite(LAUNCHER, work, plan)


def _on_device_of(tensor: Any) -> AbstractContextManager[Any]:
    """Make the device of a tensor the current one, for the driver, too."""
    import torch
    from cuda.bindings import driver
    from cuda.core import Device

    index = tensor.device.index
    is_current = index == torch.cuda.current_device()
    # torch tells the driver at a launch of its own: the threads of autograd, and those
    # of users, may have come here without one.
    if is_current and int(driver.cuCtxGetCurrent()[1]) == 0:
        Device(index).set_current()
    return nullcontext() if is_current else torch.cuda.device(tensor.device)


@lru_cache(1)
def _has_launcher() -> bool:
    """Tell whether there is `cuda.core`, and a torch that is for CUDA, not for ROCm.

    Older ones have neither these names nor a cache on the disk.
    """
    import torch

    try:
        from cuda.core import utils
    except ImportError:
        return False
    is_new = hasattr(utils, "FileStreamProgramCache")
    return is_new and torch.version.cuda is not None


def _place(tensor: Any) -> variants.Array | None:
    if tensor.is_neg():  # a view whose numbers are yet to be negated
        return None
    size = tensor.element_size()
    return variants.Array(
        tensor.data_ptr() % variants.ACCESS,
        tuple(tensor.shape),
        tuple([size * step for step in tensor.stride()]),
        size,
    )


def _compiled(text: str, device: Any) -> Any:
    import torch

    architecture = architecture_of(*torch.cuda.get_device_capability(device))
    with _allowed_to_load():
        kernel = compiled_for(architecture, text).get_kernel(cuda.NAME)
        _load(kernel)
    return kernel


def _load(kernel: Any) -> None:
    """Have the driver load a kernel, which else it does when that is launched.

    There, one that it is too old for would be an error of the user's call.
    """
    from cuda.bindings import driver

    status, _ = driver.cuKernelGetFunction(kernel.handle)
    if int(status):
        msg = f"the driver does not load the kernel: {status.name}"
        raise RuntimeError(msg)


def architecture_of(major: int, minor: int) -> str:
    """Return what to compile for, for a card that the compiler may not know.

    Machine code serves later cards of its first number.
    """
    from cuda.bindings import nvrtc

    _, known = nvrtc.nvrtcGetSupportedArchs()
    fitting = [a for a in known if 10 * major <= a <= 10 * major + minor]
    return f"sm_{max(fitting, default=10 * major + minor)}"


@contextmanager
def _allowed_to_load() -> Iterator[None]:
    """Let a call that is captured load a kernel, as it lets torch take memory.

    Else the driver would refuse, and the capture would be lost.
    """
    from cuda.bindings import driver

    exchange = driver.cuThreadExchangeStreamCaptureMode
    _, before = exchange(driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED)
    try:
        yield
    finally:
        exchange(before)


def compiled_for(architecture: str, text: str) -> Any:
    """Return machine code, from the disk if it has been compiled before."""
    from cuda.core import Program, ProgramOptions
    from cuda.core.utils import FileStreamProgramCache

    # Headers are none of the options: what reads other files is kept on no disk.
    options = ProgramOptions(std="c++17", arch=architecture, fma=False)
    # There may be no home, or one that nothing can be written to, or a full disk.
    with suppress(OSError, RuntimeError):
        cache = FileStreamProgramCache()
        return Program(text, "c++", options).compile("cubin", cache=cache)
    return Program(text, "c++", options).compile("cubin")


def _call(kernel: Any, grid: on_cuda.Grid, given: Sequence[Any], f: Any) -> None:
    """Launch a kernel on torch's current stream, to which its memory belongs."""
    import torch
    from cuda.core import LaunchConfig, launch

    stream = _stream(torch.cuda.current_stream(f.device).cuda_stream)
    pointers = [a.data_ptr() if isinstance(a, torch.Tensor) else a for a in given]
    config = LaunchConfig(grid=grid.blocks, block=grid.threads)
    launch(stream, config, kernel, *pointers)


@lru_cache(64)
def _stream(handle: int) -> Any:
    """Return a stream as `cuda.core` takes it: to make one takes 4 microseconds."""
    from cuda.core import Stream

    return Stream.from_handle(handle)


LAUNCHER = on_cuda.Launcher(
    place=_place,
    device=lambda tensor: tensor.device,
    compiled=_compiled,
    call=_call,
    empty_like=huge_pages.empty_like,
    memory=OF_TORCH,
)
