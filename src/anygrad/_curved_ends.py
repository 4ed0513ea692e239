"""What stands at the ends of a dim, for samples, scale factors and products of both.

Beyond an end, a value, a mirror image or the point at the edge stands for the samples;
nobody says what a factor is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._checks import boundary


def both(ends: Any) -> tuple[Any, Any]:
    """Return what stands at the left and at the right end of a dim."""
    return ends if boundary.is_pair(ends) else (ends, ends)


def each_end(change: Callable[[Any], Any], ends: Any) -> Any:
    """Return the boundary of a dim with a change at each of its ends."""
    if boundary.is_pair(ends):
        return change(ends[0]), change(ends[1])
    return change(ends)


def has_factors(end: Any) -> bool:
    """Tell whether factors go on beyond an end as the samples do, or neither does."""
    if isinstance(end, tuple):
        return boundary.is_period(end)
    return isinstance(end, str) and end in ("one_sided", "periodic", "ghosts")


def have_factors(ends: Any) -> bool:
    """Tell whether that is so at both ends."""
    return all(map(has_factors, both(ends)))


def of_block(end: Any) -> Any:
    """Return an end without the word for ghosts, which are cut off the results."""
    return "edge" if isinstance(end, str) and end == "ghosts" else end


def of_flux(end: Any) -> Any:
    """Return what a product has at an end; where it has nothing, it is not kept."""
    return of_block(end) if has_factors(end) else "edge"


def of_factor(end: Any) -> Any:
    """Return what a factor has at an end, where the samples have another."""
    return of_block(end) if has_factors(end) else "one_sided"
