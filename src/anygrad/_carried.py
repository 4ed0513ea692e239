"""Units, masks and scale factors: what a call carries along beside its numbers.

It is taken off before anything is planned, and put on the results: what is computed is
a call on plain arrays.  What has both, such as masked quantities, comes here twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from . import _refusals
from ._calls import Request
from ._records import Plan


def planner(array: Any, request: Request) -> Callable[..., Plan] | None:
    """Return what plans a call of which something is carried along; None for others."""
    found = _refusals.carried(array)
    if isinstance(found, _refusals.Mask):
        from . import _masks

        return partial(_masks.plan, found)
    if found is None:
        given = (request.spacing, request.boundary, request.scale_factors)
        found = _refusals.units_in(given)
    if found is None:
        if request.scale_factors is None:
            return None
        from . import _curvilinear

        return _curvilinear.plan
    from . import _quantities

    return partial(_quantities.plan, found)
