"""How the points of a formula are read from arrays, and its pieces put together.

The standard has the words for it, but for what a compiler has to be told; other
executors have other ways, which give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._formulas import Formula
    from ._records import Task
    from ._typing import Array, Namespace

#: The first and the last point of an axis.
START, END = slice(0, 1), slice(-1, None)


class Lowering(NamedTuple):
    """How a compiler is told what the standard has no words for."""

    #: ``join(pieces, task, xp)`` puts the pieces of an axis, first to last, together.
    join: Callable[[list[Any], Task, Namespace], Any]
    #: ``barrier(array)`` returns it; a compiler must not combine the operations before
    #: it with those after it, as in ``(a / b) / c == a / (b * c)``.
    barrier: Callable[[Any], Any]
    #: ``shifted(array, task, formula, offset)`` returns what lies `offset` points from
    #: those that the formula fills, of the samples or a mask; or from all points of the
    #: axis, if `join` takes such pieces.
    shifted: Callable[[Any, Task, Formula, int], Any]
    #: ``formulas(task, xp)`` returns them with their weights; None where these follow
    #: from the task.
    formulas: Callable[[Task, Namespace], Any] | None = None
    #: ``filled(f, valid, xp)`` returns samples of which those that are missing are
    #: numbers.  A NaN that is only dropped from the result would still be in its
    #: derivative, because zero times NaN is NaN.
    filled: Callable[[Any, Any, Namespace], Any] = lambda f, valid, xp: xp.where(
        valid, f, xp.zeros_like(f)
    )


def index_along(axis: int, *cuts: Any) -> tuple[Any, ...]:
    """Return an index that cuts an axis, and those after it, and leaves all others."""
    return (*(slice(None),) * axis, *cuts, ...)


def with_dims(array: Any, ndim: int) -> Any:
    """Return an array of so many dims, or of more: new ones are the first."""
    missing = ndim - array.ndim
    return array[(*(None,) * missing, ...)] if missing > 0 else array


def part_of(array: Any, cuts: Sequence[slice]) -> Any:
    """Return a part of an array that broadcasts, along the axes on which it varies."""
    pairs = zip(cuts, array.shape, strict=False)
    return array[(*[slice(None) if n == 1 else cut for cut, n in pairs], ...)]


def shifted(array: Array, task: Task, formula: Formula, offset: int) -> Any:
    """Return what lies `offset` points from each point that the formula fills."""
    return array[index_along(task.axis, points(formula, offset))]


def points(formula: Formula, offset: int) -> slice:
    """Return the slice of points that the formula fills, moved by `offset`."""
    # A formula that ends at the end of the axis counts its stop from there: 0 is the
    # end itself, which a slice calls None.
    stop = (formula.stop or 0) + offset
    return slice(formula.start + offset, stop or None)


#: As the standard says it.
STANDARD = Lowering(
    join=lambda pieces, task, xp: xp.concat(pieces, axis=task.axis),
    barrier=lambda array: array,
    shifted=shifted,
)
