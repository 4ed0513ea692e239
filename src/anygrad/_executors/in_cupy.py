"""Blocks for CuPy: one block, on the device of the samples.

CuPy puts results on the device that is current, whatever the devices of its operands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anygrad._executors import blocked

if TYPE_CHECKING:
    from anygrad._plan import Plan
    from anygrad._typing import Namespace

_verbs: list[blocked.Verbs] = []


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `cupy.ndarray`."""
    if not _verbs:
        _verbs.append(_make_verbs())
    with f.device:
        return blocked.run(f, plan, xp, _verbs[0])


def _make_verbs() -> blocked.Verbs:
    import cupy

    return blocked.Verbs(
        empty_like=cupy.empty_like,
        subtract=cupy.subtract,
        multiply=cupy.multiply,
        divide=cupy.true_divide,
        add=cupy.add,
        strides=lambda a: a.strides,
        transpose=lambda a, axes: a.transpose(axes),
        is_contiguous=lambda a: a.flags.c_contiguous,
        block_bytes=None,
        for_each=blocked.one_by_one,
    )
