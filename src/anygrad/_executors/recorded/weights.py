"""Weights on coordinates that all lines share: made once for a call, as one array.

They are operands then, in the place of the coordinates: hundreds of operations that
need not be recorded, printed and compiled, and are done on a line only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ... import _agnostic, _lowering
from ..._lowering import index_along
from ..._records import candidates
from .nodes import LENGTH, Place
from .symbols import Symbol

if TYPE_CHECKING:
    from ..._formulas import WeightedFormula
    from ..._records import Task
    from ..._schemes import Scheme
    from ..._typing import Namespace
    from .nodes import Tape

#: Weights are made once for all lines if there are so many lines,
FEW_LINES = 16

#: and more samples than these.
FEW_SAMPLES = 2**17

#: Of more points, weights are made some at a time: the distances of all points of a
#: formula are dozens of arrays.
MOST_AT_ONCE = 2**13


#: What stands for the coordinates of a task, by scheme: what has been made of them.
Formulas: TypeAlias = "dict[Scheme, tuple[WeightedFormula, ...]]"


class Weights(NamedTuple):
    """The weights of all formulas that a task may take."""

    #: An array: a row for each weight that a formula of a scheme has, and a column for
    #: each point of the axis.
    table: Any
    #: With numbers of rows in the place of weights.
    formulas: Formulas
    #: The axis that the columns lie along, and how many there are.
    axis: int
    ndim: int

    def on_tape(self, tape: Tape, place: int) -> Formulas:
        """Return the formulas where the table is an operand, with symbols."""

        def read(row: int, points: range) -> Symbol:
            index = Place(0, False, row), Place(self.axis, True, points.start)
            shape = [1] * self.ndim
            shape[self.axis] = len(points)
            dtype = self.table.dtype
            node = tape.node("load", (), dtype, (place, index))
            return Symbol(tape, node, shape, dtype)

        def symbolic(weighted: WeightedFormula) -> WeightedFormula:
            points = range(LENGTH)[weighted.formula.start : weighted.formula.stop]
            return weighted.with_weights(lambda row: read(row, points))

        return {
            scheme: tuple(map(symbolic, formulas))
            for scheme, formulas in self.formulas.items()
        }


def weighted_formulas(task: Task, xp: Namespace) -> Sequence[WeightedFormula]:
    """Return all formulas of a task on coordinates of a line, with their weights."""
    x: Any = task.coordinates
    scheme = task.scheme
    if x.shape[task.axis] <= MOST_AT_ONCE or scheme.recipe.is_transposed:
        return _agnostic.weighted_formulas(task, xp)
    spans = _agnostic.spans_of(task, xp)
    return [
        _interior(task, xp)
        if number == scheme.interior
        else _agnostic.weighted_formula(task, number, xp, spans)
        for number in range(len(scheme.formulas))
    ]


def _interior(task: Task, xp: Namespace) -> WeightedFormula:
    """Return the formula of most points, with weights that are put together."""
    x: Any = task.coordinates
    axis, number = task.axis, task.scheme.interior
    formula = task.scheme.formulas[number]
    # So many points are read beside those that it fills.
    margin = formula.start - (formula.stop or 0)
    like = x[index_along(axis, slice(margin, None))]
    rows: Any = None
    wholes: list[Any] = []
    for start in range(0, like.shape[axis], MOST_AT_ONCE):
        stop = start + MOST_AT_ONCE
        read = x[index_along(axis, slice(start, stop + margin))]
        part = task._replace(coordinates=read)
        own: list[Any] = []
        weighted = _agnostic.weighted_formula(part, number, xp)
        rows = weighted.with_weights(partial(_row, own, 0))
        for row, weight in enumerate(own):
            if not start:
                wholes.append(xp.empty_like(like, dtype=weight.dtype))
            wholes[row][index_along(axis, slice(start, stop))] = weight
    found: WeightedFormula = rows.with_weights(wholes.__getitem__)
    return found


def formulas_of(task: Task, xp: Namespace) -> tuple[WeightedFormula, ...]:
    """Return the formulas of a task with their weights, which it may have already."""
    made: Any = task.coordinates
    if isinstance(made, dict):
        formulas: tuple[WeightedFormula, ...] = made[task.scheme]
        return formulas
    return _agnostic.weighted_formulas(task, xp)


#: How a task is run of which this has been made.
IN_THEIR_PLACE = _lowering.STANDARD._replace(formulas=formulas_of)


def are_shared(samples: int, task: Task) -> bool:
    """Tell whether so many samples share the weights on coordinates, by many lines."""
    x: Any = task.coordinates
    if not are_on_line(task) or samples <= FEW_SAMPLES:
        return False
    return bool(math.prod(x.shape) * FEW_LINES <= samples)


def are_on_line(task: Task) -> bool:
    """Tell whether all lines have the same weights on coordinates."""
    x = task.coordinates
    if x is None or task.precision.is_complex_by_grid:
        return False
    is_line = math.prod(x.shape) == x.shape[task.axis]
    return is_line and not getattr(task.period, "ndim", 0)


def made(task: Task, xp: Namespace) -> Weights:
    """Return the weights of a task, and which row each of them is."""
    parts: list[list[tuple[slice, Any]]] = []
    formulas = {}
    for candidate in candidates(task):
        first, found = len(parts), []
        for weighted in weighted_formulas(candidate, xp):
            own: list[Any] = []
            found.append(weighted.with_weights(partial(_row, own, first)))
            parts += [[] for _ in range(first + len(own) - len(parts))]
            points = slice(weighted.formula.start, weighted.formula.stop)
            for row, weight in enumerate(own, first):
                parts[row].append((points, weight))
        formulas[candidate.scheme] = tuple(found)
    x: Any = task.coordinates
    table = xp.zeros((len(parts), x.shape[task.axis]), dtype=parts[0][0][1].dtype)
    for row, pairs in enumerate(parts):
        for points, weight in pairs:
            table[row, points] = xp.reshape(weight, (-1,))
    return Weights(table, formulas, task.axis, x.ndim)


def _row(own: list[Any], first: int, weight: Any) -> int:
    """Return which row a weight is: one that a scale has several times is one."""
    for row, known in enumerate(own, first):
        if known is weight:
            return row
    own.append(weight)
    return first + len(own) - 1


def pairs_of(tasks: Iterable[Task]) -> int:
    """Return how long it is what makes the weights on coordinates.

    Each formula has weights of its own there, made of all pairs of its points.
    """
    return sum(
        len(formula.offsets) ** 2
        for task in tasks
        if task.coordinates is not None
        for candidate in candidates(task)
        for formula in candidate.scheme.formulas
    )
