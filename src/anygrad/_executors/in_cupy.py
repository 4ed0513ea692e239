"""CuPy, on the device of the samples: one kernel for a call.

CuPy puts results on the device that is current, whatever the devices of its operands,
and launches kernels on the stream that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._records import are_short
from . import results
from .printed import cuda, kernels, on_cuda
from .printed.kernels import Runner

if TYPE_CHECKING:
    from .._records import Plan
    from .._typing import Namespace


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `cupy.ndarray`."""
    with f.device:
        is_short = not plan.is_plain and are_short(plan.tasks)
        done = None if is_short else _by_kernels(f, plan, xp)
        return _agnostic.run(f, plan, xp) if done is None else done


def run_subclass(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an array of a subclass, of whose memory nothing is known."""
    with f.device:
        return _agnostic.run(f, plan, xp)


def _by_kernels(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...] | None:
    """Return the results of a plan on the current device; None where it cannot."""
    if not plan.tasks or not f.size or not _compiles_cuda():
        return None
    plan = results.at_each_place(plan)
    made = results.empty(f, plan, _empty_like)
    runner = Runner(partial(on_cuda.launch, LAUNCHER, xp), xp)
    return made.returned if kernels.run(f, plan, made.outs, runner) else None


@lru_cache(1)
def _compiles_cuda() -> bool:
    """Tell whether this CuPy is for CUDA, not for ROCm."""
    import cupy

    return not cupy.cuda.runtime.is_hip


def _empty_like(array: Any, dtype: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a new array, in half the time that CuPy's own function takes."""
    import cupy

    if shape is None and not array.flags.c_contiguous:
        return cupy.empty_like(array, dtype=dtype)
    return cupy.empty(array.shape if shape is None else shape, dtype)


def _place(array: Any) -> on_cuda.Array:
    size = array.dtype.itemsize
    return on_cuda.Array(array.data.ptr % cuda.ACCESS, array.shape, array.strides, size)


def _compiled(text: str, _: Any) -> Any:
    import cupy

    # CuPy keeps what it compiles on the disk, and loads it on the current device.
    module = cupy.RawModule(code=text, options=("--std=c++17", *cuda.OPTIONS))
    return module.get_function(cuda.NAME)


def _call(function: Any, grid: on_cuda.Grid, given: Sequence[Any], _: Any) -> None:
    function(grid.blocks, grid.threads, tuple(given))


LAUNCHER = on_cuda.Launcher(
    place=_place,
    device=lambda array: array.device.id,
    compiled=_compiled,
    call=_call,
)
