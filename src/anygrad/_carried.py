"""Units, masks, ghosts and scale factors: what a call has beside its numbers.

Units and masks are taken off before anything is planned, and put on the results, and
ghosts are put to the samples: what is computed is a call on plain arrays.  What has
several of these, such as masked quantities, comes here as many times.  What others
stand for is replaced first: a variable by the array that it holds, a masked array of
which nothing is masked by its data, and samples and numbers beside arrays that the
package autograd traces by arrays that it traces, too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from . import _refusals
from ._calls import Request
from ._checks import boundary
from ._records import Plan
from ._unmasked import is_unmasked, unmasked

#: Returns what stands for a value, or for each in a list.
Change: TypeAlias = Callable[[Any], Any]


def planner(array: Any, request: Request) -> Callable[..., Plan] | None:
    """Return what plans a call of which something is carried along; None for others."""
    beside = tuple(request.arrays().values())
    if _refusals.first_in((array, *beside), _refusals.holds_array) is not None:
        return _of_others(_held, _held)
    box = _refusals.first_in(beside, _refusals.is_box)
    if box is not None:
        from . import _traced

        if _refusals.first_in(beside, _traced.is_number_in_box) is not None:
            return _of_others(_same, _traced.as_arrays)
        if _traced.may_be_in_box(array):
            return _of_others(partial(_traced.traced, box=box), _same)
    return _of_meaning(array, request)


def _of_others(of_samples: Change, of_arrays: Change) -> Callable[..., Plan]:
    """Return what plans a call as one on what stands for its samples and its arrays."""

    def plan(
        planner: Any, array: Any, request: Request, again: Callable[..., Plan]
    ) -> Plan:
        there = request.with_each(of_arrays)._asdict()
        return again(planner, of_samples(array), **there).around(of_samples)

    return plan


def _held(given: Any) -> Any:
    """Return what is given, also in lists, with the arrays that are held."""
    return _refusals.replaced(given, _refusals.holds_array, _refusals.held_by)


def _same(given: Any) -> Any:
    return given


def _of_meaning(array: Any, request: Request) -> Callable[..., Plan] | None:
    """Return what plans a call with units, masks and the like; None for others."""
    given = (request.spacing, request.boundary, request.scale_factors)
    beside = (*given, request.where)
    found = _refusals.carried(array)
    # Asked first, since most calls have none.
    has_meaning = _refusals.first_in(beside, _refusals.carried) is not None
    if has_meaning and _refusals.first_in(beside, is_unmasked) is not None:
        return _of_others(_same, unmasked)
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
