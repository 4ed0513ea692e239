"""What flows back through a derivative, gathered: the transposed weighted sum.

A derivative is linear in the samples.  Where a formula reads ``weight * (f[upper] -
f[lower])``, the slope at its point times the weight is added to `upper` and taken from
`lower`.  So all of it follows from the formulas, whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _lowering, _schemes
from ._checks.integers import index

if TYPE_CHECKING:
    from ._formulas import WeightedFormula
    from ._lowering import Lowering
    from ._records import Task
    from ._schemes import Recipe, Scheme
    from ._typing import Namespace


class Part(NamedTuple):
    """What some samples get."""

    #: From which sample to which.
    start: int
    stop: int
    #: An array as long as that.
    term: Any
    #: Whether it is taken from them.
    is_subtracted: bool


def gathered(
    slopes: Any,
    task: Task,
    formulas: Sequence[WeightedFormula],
    xp: Namespace,
    lowering: Lowering,
) -> Any:
    """Return what the samples get of slopes at the points of the derivative."""
    parts = list(_parts(slopes, task, formulas))
    known = {0, slopes.shape[task.axis]}.union(*[part[:2] for part in parts])
    pieces = []
    for start, stop in pairwise(sorted(known)):
        piece = None
        for part in parts:
            if part.start <= start and stop <= part.stop:
                term = _cut(part.term, task.axis, start - part.start, stop - part.start)
                piece = _added(piece, term, is_subtracted=part.is_subtracted)
        if piece is None:
            piece = xp.zeros_like(_cut(slopes, task.axis, start, stop))
        pieces.append(piece)
    return lowering.join(pieces, task, xp)


def _parts(
    slopes: Any, task: Task, formulas: Sequence[WeightedFormula]
) -> Iterator[Part]:
    """Return what the samples get, in the order in which it is added."""
    length = slopes.shape[task.axis]
    for formula, terms, (factors, divisors) in formulas:
        scaled = _lowering.shifted(slopes, task, formula, 0)
        for factor in factors:
            scaled = scaled * factor
        for divisor in divisors:
            scaled = scaled / divisor
        for upper, lower, weight in terms:
            term = scaled if weight is None else scaled * weight
            for offset, is_subtracted in ((upper, False), (lower, True)):
                if isinstance(offset, int):  # else it is the constant of a boundary
                    points = _lowering.points(formula, offset)
                    start, stop, _ = points.indices(length)
                    if start < stop:
                        yield Part(start, stop, term, is_subtracted)


def _cut(array: Any, axis: int, start: int, stop: int) -> Any:
    if (start, stop) == (0, array.shape[axis]):
        return array
    return array[_lowering.index_along(axis, slice(start, stop))]


def _added(total: Any, term: Any, *, is_subtracted: bool) -> Any:
    if total is None:
        return -term if is_subtracted else term
    return total - term if is_subtracted else total + term


def of(task: Task, *, is_compiled: bool = False) -> Task:
    """Return the transposed task; of a mixed derivative, the outer one comes first.

    It has no component, but the samples that it fills are of one.
    """
    make = _compiled if is_compiled else _schemes.remembered
    if task.inner is None:
        return _alone(task, make)
    outer, inner = _alone(task, make), _alone(task.inner, make)
    return inner._replace(inner=outer._replace(sign=0), sign=task.sign)


def _compiled(recipe: Recipe) -> Scheme:
    """Return a scheme for what compiles this.

    To that, ints of plans are symbols as soon as two calls differ in them.
    """
    order, accuracy, edge_order = map(index, recipe[:3])
    return _schemes.made(
        recipe._replace(order=order, accuracy=accuracy, edge_order=edge_order)
    )


def _alone(task: Task, make: Callable[[Recipe], Scheme]) -> Task:
    recipe = task.scheme.recipe
    recipe = recipe._replace(is_transposed=not recipe.is_transposed)
    ends, kept = task.constants, task.kept
    return task._replace(
        scheme=make(recipe),
        constants=None if ends is None else (0.0, 0.0),  # what is linear in the samples
        component=None,
        inner=None,
        kept=None if kept is None else kept.beside(),
    )
