"""CuPy, on the device of the samples: one kernel for a call.

CuPy puts results on the device that is current, whatever the devices of its operands,
and launches kernels on the stream that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._records import are_short
from .memory import OF_NUMPY
from .printed import cuda, on_cuda, variants

if TYPE_CHECKING:
    from .._curved import Composite
    from .._records import Plan
    from .._typing import Namespace


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `cupy.ndarray`."""
    is_short = not plan.is_plain and are_short(plan.tasks)
    with f.device:
        serves = plan.tasks and f.size and not is_short and _compiles_cuda()
        done = on_cuda.run(LAUNCHER, f, plan, xp) if serves else None
        return _agnostic.run(f, plan, xp) if done is None else done


def run_in_one_pass(
    f: Any, composite: Composite, plan: Plan, xp: Namespace
) -> tuple[Any, ...] | None:
    """Return the results of a call with factors; None where whole arrays serve."""
    from .recorded.composites import work_of

    if not (f.size and _compiles_cuda()):
        return None
    work = work_of(f, composite, xp, run)
    return None if work is None else on_cuda.run_composite(LAUNCHER, work, plan)


def run_subclass(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an array of a subclass, of whose memory nothing is known."""
    with f.device:
        return _agnostic.run(f, plan, xp)


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


def _place(array: Any) -> variants.Array:
    size = array.dtype.itemsize
    return variants.Array(
        array.data.ptr % variants.ACCESS, array.shape, array.strides, size
    )


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
    empty_like=_empty_like,
    memory=OF_NUMPY,
)
