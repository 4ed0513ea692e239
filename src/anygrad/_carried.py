"""Units, masks, ghosts and scale factors: what a call has beside its numbers.

Units and masks are taken off before anything is planned, and put on the results, and
ghosts are put to the samples: what is computed is a call on plain arrays.  What has
several of these, such as masked quantities, comes here as many times.  What holds an
array is replaced by it first, and samples beside traced arrays are as if traced.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from . import _refusals
from ._calls import Request
from ._checks import boundary
from ._records import Plan
from ._unmasked import is_unmasked


def planner(array: Any, request: Request) -> Callable[..., Plan] | None:
    """Return what plans a call of which something is carried along; None for others."""
    beside = tuple(request.arrays().values())
    if _refusals.first_in((array, *beside), _refusals.holds_array) is not None:
        from . import _held

        return _held.plan
    box = _refusals.first_in(beside, _refusals.is_box)
    if box is not None:
        from . import _traced

        if _refusals.first_in(beside, _traced.is_number_in_box) is not None:
            return _traced.plan_of_arrays
        if _traced.may_be_in_box(array):
            return partial(_traced.plan, box)
    return _of_meaning(array, request)


def _of_meaning(array: Any, request: Request) -> Callable[..., Plan] | None:
    """Return what plans a call with units, masks and the like; None for others."""
    given = (request.spacing, request.boundary, request.scale_factors)
    beside = (*given, request.where)
    found = _refusals.carried(array)
    # Asked first, since most calls have none.
    has_meaning = _refusals.first_in(beside, _refusals.carried) is not None
    if has_meaning and _refusals.first_in(beside, is_unmasked) is not None:
        from . import _masks

        return _masks.plan_without
    like = array if isinstance(found, _refusals.Units) else None
    if has_meaning and like is None:
        like = _refusals.first_in(given, _refusals.is_quantity)
    if isinstance(found, _refusals.Mask) and not _is_held(found, like):
        from . import _masks

        return partial(_masks.plan, found)
    if like is not None:
        from . import _quantities

        return partial(_quantities.plan, like)
    return _of_arguments(request)


def _of_arguments(request: Request) -> Callable[..., Plan] | None:
    """Return what plans a call with ghosts or factors; None for others."""
    if boundary.brings_ghosts(request.boundary):
        from . import _given_ghosts

        return _given_ghosts.plan
    if request.scale_factors is None:
        return None
    from . import _curvilinear

    return _curvilinear.plan


def _is_held(mask: Any, like: Any) -> bool:
    """Tell whether a masked array goes into a quantity, and not the other way round."""
    if like is None:
        return False
    units: Any = _refusals.carried(like)
    return bool(mask.is_in_chunks or units.holds_masks)
