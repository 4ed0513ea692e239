"""How JAX puts the pieces of an axis together, and what they are made of.

Large pieces are not concatenated: along the last axis, XLA would first write them and
then copy them together, each time through memory.  Padded and selected, they are one
loop over the result, and on an axis that is sharded, without that being known, only
rows travel between devices: those of the neighbours, and in one all-reduce of two rows,
those of the edges.  In the cache, the copy costs less than the selections.

What reads neighbours only is made of the whole axis, moved by one point, where samples
may be spread: a row travels to either side, and those of the edges nowhere.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import _lowering
from .._records import are_short

if TYPE_CHECKING:
    from .._formulas import Formula
    from .._records import Plan, Task
    from .._typing import Namespace

#: From so many samples on, pieces are selected: fewer are concatenated in the cache.
LARGE = 2**21


def lowering_of(f: Any, plan: Plan, is_spread: bool) -> _lowering.Lowering:
    """Return how pieces are put together."""
    if are_short(plan.tasks):  # no piece is nearly all of an axis
        return CONCATENATING
    if not is_spread:
        return SELECTING if _is_large(f) else CONCATENATING
    is_simple = all(
        task.coordinates is None and task.where is None and task.inner is None
        for task in plan.tasks
    )
    return SHIFTING if is_simple else SELECTING


def _is_large(f: Any) -> bool:
    """Tell whether pieces of several axes are better selected; of unknown size, yes."""
    if not all(isinstance(length, int) for length in f.shape):
        return True
    return bool(f.ndim > 1 and math.prod(f.shape) >= LARGE)


def _selected(pieces: list[Any], task: Task, xp: Namespace) -> Any:
    """Put the pieces together in one loop: pad the interior, select the edges."""
    formulas, number = task.scheme.formulas, task.scheme.interior
    start, stop = formulas[number].start, formulas[number].stop or 0
    whole = padded(pieces[number], task.axis, start, -stop)
    return _with_edges(whole, pieces, task, xp)


def _with_edges(whole: Any, pieces: list[Any], task: Task, xp: Namespace) -> Any:
    """Put the rows of the edges where they belong, of pieces of one row or of all."""
    from jax import lax

    formulas, number = task.scheme.formulas, task.scheme.interior
    position = lax.broadcasted_iota("int32", whole.shape, task.axis)
    length = whole.shape[task.axis]
    for formula, piece in zip(formulas, pieces, strict=True):
        if formula.terms and formula is not formulas[number]:
            row = formula.start if formula.start >= 0 else length + formula.start
            whole = xp.where(position == row, piece, whole)
    return whole


def padded(array: Any, axis: int, before: Any, after: Any) -> Any:
    """Return an array with zeros at both ends of an axis, or less of it if negative."""
    from jax import lax

    margins = [(0, 0, 0)] * array.ndim
    margins[axis] = (before, after, 0)
    return lax.pad(array, array.dtype.type(0), margins)


def _put_over(pieces: list[Any], task: Task, xp: Namespace) -> Any:
    """Put pieces together of which that of the interior may be as long as the axis."""
    number = task.scheme.interior
    if not _is_shifted(task, task.scheme.formulas[number]):
        return _selected(pieces, task, xp)
    return _with_edges(pieces[number], pieces, task, xp)


def _shifted(array: Any, task: Task, formula: Formula, offset: int) -> Any:
    """Return all of the axis moved by an offset, for what reads neighbours only."""
    if not _is_shifted(task, formula):
        return _lowering.shifted(array, task.axis, formula, offset)
    # Beyond an end is the other one, as for any index.
    if formula.start >= 0 and formula.start + offset < 0:
        offset += array.shape[task.axis]
    elif formula.start < 0 and (formula.stop or 0) + offset > 0:
        offset -= array.shape[task.axis]
    return padded(array, task.axis, -offset, offset) if offset else array


def _is_shifted(task: Task, formula: Formula) -> bool:
    """Tell whether a formula, and that of the interior, read neighbours only."""
    inside = task.scheme.formulas[task.scheme.interior]
    return all(-1 <= j <= 1 for j in (*formula.offsets, *inside.offsets))


def _barrier(array: Any) -> Any:
    """Keep a factor and a divisor apart: each is a normal number, their quotient not.

    Only steps at the ends of the range of a dtype have both.
    """
    from jax import lax

    return lax.optimization_barrier(array)


CONCATENATING = _lowering.STANDARD._replace(barrier=_barrier)
SELECTING = CONCATENATING._replace(join=_selected)
SHIFTING = CONCATENATING._replace(join=_put_over, shifted=_shifted)
