"""Few samples of which some are missing: all formulas at all points, as they are kept.

The agnostic run takes a slice for each sample that a formula reads.  Here, each scheme
is differentiated as any small array is, and what all of them read of the mask is one
gathered copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ... import _agnostic, _formulas, _lowering
from ..._records import candidates
from .blocks import every

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Task
    from ..._typing import Namespace
    from .operations import InPlaceOps

#: A mask is gathered faster than it is sliced up to so many runs of memory.
MOST_RUNS = 2**15

#: What is gathered has two dims more than the mask, and older NumPy has 32 at most.
MOST_DIMS = 30


def derivative(
    f: Any, task: Task, xp: Namespace, ops: InPlaceOps, write: Callable[..., Any]
) -> Any:
    """Return what the agnostic run does; `write` differentiates valid samples."""
    kept, tasks = task.kept, []
    if kept is None:
        return _agnostic.derivative(f, task, xp)
    place = kept
    for candidate in candidates(task):
        place = place.beside()
        tasks.append(candidate._replace(kept=place))
    # By itself: another executor may have kept something for a first task of a call.
    found = _fits(task, tasks, kept.beside("reads"), f.shape[task.axis], xp)
    whole = ops.empty_like(f, dtype=task.precision.result)
    whole[...] = math.nan
    for fits, one in reversed(list(zip(found, tasks, strict=True))):
        whole = xp.where(fits, write(f, (one,), xp, ops), whole)
    return whole


def _fits(
    task: Task, tasks: Sequence[Task], kept: Kept, length: int, xp: Namespace
) -> list[Any]:
    """Tell of each task where all samples that its formulas name are valid."""
    axis = task.axis
    valid = _agnostic.along(task.where, axis, length, xp)
    if kept.made is None:
        kept.keep(_reads(tasks, length, valid.ndim - axis, xp))
    most, points, has_formula = kept.made
    runs = math.prod(valid.shape[: axis + 1]) * most * len(tasks)
    if runs > MOST_RUNS or valid.ndim > MOST_DIMS:
        return [_agnostic.fits(valid, one, xp) for one in tasks]
    gathered = xp.take(valid, points, axis=axis)
    shape = (*valid.shape[:axis], most, len(tasks), *valid.shape[axis:])
    found = xp.all(xp.reshape(gathered, shape), axis=axis) & has_formula
    return [found[(*every(axis), number)] for number in range(len(tasks))]


def _reads(
    tasks: Sequence[Task], length: int, ndim: int, xp: Namespace
) -> tuple[int, Any, Any]:
    """Return what the points of an axis, which has `ndim - 1` behind it, read of it.

    How many samples one reads at most; the first ones of all points, of each task, then
    the second ones, and so on; and whether there is a formula.
    """
    here, rows, has_formula = xp.arange(length), [], []
    for task in tasks:
        for formula in task.scheme.formulas:
            offsets = _formulas.samples_read(formula, task.coordinates is not None)
            row = [here[_lowering.points(formula, one)] for one in offsets or [0]]
            rows.append(row)
            has_formula.append(xp.full(row[0].shape, bool(offsets)))
    most = max(map(len, rows))
    reads = [row[min(k, len(row) - 1)] for k in range(most) for row in rows]
    shape = (len(tasks), length, *(1,) * (ndim - 1))
    return most, xp.concat(reads), xp.reshape(xp.concat(has_formula), shape)
