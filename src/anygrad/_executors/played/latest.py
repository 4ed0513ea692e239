"""The weights of the latest call, for the next one on the same coordinates.

To make them for all lines takes as long as all else with some 100,000 samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._classes import is_array

if TYPE_CHECKING:
    from ..._records import Task
    from .operations import InPlaceOps

#: Of so many bytes of coordinates, weights are kept: to make more takes little of the
#: time of the many lines that share them.
MOST_BYTES = 2**16


class Grid(NamedTuple):
    """What a call had along an axis."""

    #: The bits of its coordinates, and its period, or the bits of that.
    bits: list[Any]
    #: Of all formulas; None where they have not been made once for all lines.
    weights: list[Any] | None = None


def weights_of(
    task: Task, ops: InPlaceOps, make: Callable[[Task], list[Any]]
) -> list[Any]:
    """Return the weights of a task: those of the latest call, if that had its grid.

    Others are made of a copy, because another thread may write to the caller's arrays
    meanwhile, who may bring the former grid in a later call.
    """
    bits = _bits_of(task, ops)
    if bits is None:
        return make(task)
    latest = _latest(task)
    if latest is not None and latest.bits == bits and latest.weights is not None:
        return latest.weights
    x, period = _copied(task.coordinates, ops), _copied(task.period, ops)
    own = task._replace(coordinates=x, period=period)
    weights = make(own)
    _keep(task, Grid(_bits_of(own, ops) or [], weights))
    return weights


def _copied(value: Any, ops: InPlaceOps) -> Any:
    if not is_array(value):
        return value
    own = ops.empty_like(value, dtype=value.dtype)
    own[...] = value
    return own


def comes_again(task: Task, ops: InPlaceOps) -> bool:
    """Tell whether a grid is that of the latest call; if not, it is from now on."""
    bits = _bits_of(task, ops)
    if bits is None:
        return False
    latest = _latest(task)
    if latest is not None and latest.bits == bits:
        return True
    _keep(task, Grid(bits))
    return False


def _bits_of(task: Task, ops: InPlaceOps) -> list[Any] | None:
    """Return the bits of what weights are made of; None where nothing is kept."""
    x: Any = task.coordinates
    if task.kept is None or ops.bits is None or x.nbytes > MOST_BYTES:
        return None
    return [ops.bits(one) if is_array(one) else one for one in (x, task.period)]


def _latest(task: Task) -> Grid | None:
    place = task.kept and task.kept.find("weights")
    return place.made if place else None


def _keep(task: Task, grid: Grid) -> None:
    """Keep what a call had, if there is room for it."""
    kept: Any = task.kept
    if kept.account.has_room():
        place = kept.beside("weights")
        place.keep(grid)
        place.grow(sum([len(one) for one in grid.bits if isinstance(one, bytes)]))
