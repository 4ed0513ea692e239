"""Missing samples near the ends of an axis: the lines that have some, as short arrays.

There, formulas have ghosts or none, row by row, and one end may read the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import _agnostic

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._records import Task
    from .._typing import Namespace

#: So many samples are looked at together.
BLOCK = 2**18


def replace(
    f: Any, task: Task, out: Any, margin: int, xp: Namespace, ops: InPlaceOps
) -> None:
    """Replace the points near both ends of the lines that have holes there.

    Both ends make a short array together: what reads the other end finds it there.
    """
    length, strip = f.shape[task.axis], 2 * margin
    order = [task.axis, *[k for k in range(f.ndim) if k != task.axis]]
    ends, own = [slice(0, strip), slice(length - strip, length)], slice(0, margin)
    if length <= 2 * strip:
        ends, own = [slice(None)], slice(None)

    def along_first(array: Any) -> Any:
        return xp.permute_dims(xp.broadcast_to(array, f.shape), order)

    valid, samples = along_first(task.where), along_first(f)
    target = xp.permute_dims(out, order)
    x = None if task.coordinates is None else along_first(task.coordinates)
    is_whole = [xp.all(valid[end], axis=0) for end in ends]
    has_hole = xp.logical_not(xp.logical_and(is_whole[0], is_whole[-1]))
    if not xp.any(has_hole):
        return

    def write(lines: tuple[Any, ...]) -> None:
        def at_ends(array: Any) -> Any:
            if array is None:
                return None
            parts = [array[(end, *lines)] for end in ends]
            return parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)

        arrays = {"where": at_ends(valid), "coordinates": at_ends(x)}
        values = _agnostic.derivative(
            at_ends(samples), task._replace(axis=0, **arrays), xp
        )
        if len(ends) == 1:
            target[(own, *lines)] = values
            return
        target[(slice(0, margin), *lines)] = values[:margin]
        target[(slice(length - margin, length), *lines)] = values[-margin:]

    ops.for_each(write, _some_lines(has_hole, len(ends) * strip, xp))


def _some_lines(has_hole: Any, points: int, xp: Namespace) -> Iterator[tuple[Any, ...]]:
    """Return the indices of lines that have holes, so many that they make a block."""
    if not has_hole.ndim:  # there is one line
        yield ()
        return
    indices = xp.nonzero(has_hole)
    count = max(BLOCK // points, 1)
    for start in range(0, indices[0].shape[0], count):
        yield tuple([index[start : start + count] for index in indices])
