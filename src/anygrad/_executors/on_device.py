"""The agnostic run on the device of the samples, for CuPy.

CuPy puts results on the device that is current, whatever the devices of its operands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _agnostic

if TYPE_CHECKING:
    from .._records import Plan
    from .._typing import Namespace


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan with the device of `f` as the current one."""
    with f.device:
        return _agnostic.run(f, plan, xp)
