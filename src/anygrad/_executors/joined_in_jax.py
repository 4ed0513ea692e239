"""How JAX puts the pieces of an axis together, and what they are made of.

Large pieces are not concatenated: along the last axis, XLA would first write them and
then copy them together, each time through memory.  Padded and selected, they are one
loop over the result, and on an axis that is sharded, without that being known, only
rows travel between devices: those of the neighbours, and in one all-reduce of two rows,
those of the edges.  In the cache, the copy costs less than the selections.

Weights on coordinates, and the rows of the edges, are put into tables first: within the
loop over the result, XLA would make them anew for each point, by some hundred
operations where they are many.

What reads neighbours only is made of the whole axis, moved by one point, where samples
may be spread: a row travels to either side, and those of the edges nowhere.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import _agnostic, _lowering
from .._records import are_short

if TYPE_CHECKING:
    from .._formulas import Formula, WeightedFormula
    from .._records import Plan, Task
    from .._typing import Namespace

#: From so many samples on, pieces are selected: fewer are concatenated in the cache.
LARGE = 2**21

#: Fewer weights cost less than to read them from a table; so do rows of fewer terms.
LEAST_WEIGHTS, LEAST_TERMS = 4, 8


def lowering_of(f: Any, plan: Plan, is_spread: bool) -> _lowering.Lowering:
    """Return how pieces are put together."""
    if are_short(plan.tasks):  # no piece is nearly all of an axis
        return CONCATENATING
    if not is_spread:
        return SELECTING_ROWS if _is_large(f) else CONCATENATING
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


def _selected_of_rows(pieces: list[Any], task: Task, xp: Namespace) -> Any:
    """Do the same, the edges made before, each once.

    Along the last axis, an edge is a number for each row, which the loop over that
    makes once as well.
    """
    from jax import lax

    formulas, axis = task.scheme.formulas, task.axis
    edges = [
        number
        for number, formula in enumerate(formulas)
        if formula.terms and number != task.scheme.interior
    ]
    is_last = axis == pieces[0].ndim - 1
    terms = sum(len(formulas[number].terms) for number in edges)
    if terms >= LEAST_TERMS and not is_last:
        table = _barrier(xp.concat([pieces[number] for number in edges], axis=axis))
        pieces = list(pieces)
        for row, number in enumerate(edges):
            pieces[number] = lax.slice_in_dim(table, row, row + 1, axis=axis)
    return _selected(pieces, task, xp)


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
        return _lowering.shifted(array, task, formula, offset)
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


def _formulas(task: Task, xp: Namespace) -> tuple[WeightedFormula, ...]:
    """Return all formulas of a task, with their weights in tables."""
    formulas = _agnostic.weighted_formulas(task, xp)
    if task.coordinates is None:
        return formulas
    return tuple([_in_a_table(weighted, xp) for weighted in formulas])


def _in_a_table(weighted: WeightedFormula, xp: Namespace) -> WeightedFormula:
    """Return a formula whose weights are made before they are read.

    A barrier alone changes nothing; what is stacked, XLA makes in a loop of its own.
    """
    found = [*[weight for *_, weight in weighted.terms], *weighted.scale.factors]
    weights = {id(weight): weight for weight in found if hasattr(weight, "dtype")}
    kinds = {(weight.shape, weight.dtype) for weight in weights.values()}
    if len(weights) < LEAST_WEIGHTS or len(kinds) > 1:
        return weighted
    ((shape, _),) = kinds
    # One per point would be read once, and be as long as the samples.
    if len(shape) < 2 or sum(length != 1 for length in shape) > 1:
        return weighted
    table = _barrier(xp.stack(list(weights.values())))
    row_of = {key: table[row] for row, key in enumerate(weights)}
    return weighted.with_weights(lambda weight: row_of.get(id(weight), weight))


CONCATENATING = _lowering.STANDARD._replace(barrier=_barrier, formulas=_formulas)
SELECTING = CONCATENATING._replace(join=_selected)
SELECTING_ROWS = CONCATENATING._replace(join=_selected_of_rows)
SHIFTING = CONCATENATING._replace(join=_put_over, shifted=_shifted)
