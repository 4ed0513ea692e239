"""CuPy, on the device of the samples: one kernel for a call.

CuPy puts results on the device that is current, whatever the devices of its operands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._records import are_short

if TYPE_CHECKING:
    from .._records import Plan
    from .._typing import Namespace


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `cupy.ndarray`."""
    with f.device:
        if not plan.is_plain and are_short(plan.tasks):
            return _agnostic.run(f, plan, xp)
        from .._executors import cupy_on_cuda  # imports what only a GPU needs

        done = cupy_on_cuda.run(f, plan, xp)
        return _agnostic.run(f, plan, xp) if done is None else done


def run_subclass(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an array of a subclass, of whose memory nothing is known."""
    with f.device:
        return _agnostic.run(f, plan, xp)
