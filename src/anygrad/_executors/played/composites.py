"""Several derivatives, and products and quotients around them, in one pass of blocks.

A whole array of each derivative, product and sum would go to memory and come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._curved import Execution
from ..._kept import remember
from ..._records import Plan
from .. import results
from ..memory import is_in_order
from ..recorded.composites import examples_like
from . import blocks, preparing, scores
from .pieces import Prepared, play
from .scores import Recorder, Score, Term

if TYPE_CHECKING:
    from ..._curved import Composite
    from ..._typing import Namespace
    from ..recorded.composites import Met
    from .operations import InPlaceOps

#: The recordings of all results, by form.
_scores: dict[Any, tuple[Score, ...]] = {}


def run(
    f: Any, composite: Composite, met: Met, plan: Plan, xp: Namespace, ops: InPlaceOps
) -> tuple[Any, ...] | None:
    """Return the results of a composite, which meets these beside the samples.

    None where samples do not lie in the order of their axes.
    """
    made = results.empty(f, composite.rounded(plan), ops.empty_like)
    if not all(is_in_order(out, ops.memory) for out in made.outs):
        return None
    out = made.outs[0]
    items = [
        _terms(item, out, ops) if type(item) is Plan else item for item in met.items
    ]
    operands = _operands_of(f, items, xp)
    for score, out in zip(_scores_of(f, composite, items, xp), made.outs, strict=True):
        play(_prepared(score, composite, operands, out, xp, ops), operands, out, xp)
    return made.copy()


def _terms(plan: Plan, out: Any, ops: InPlaceOps) -> list[Term]:
    return [Term(task, preparing.shares_weights(out, task, ops)) for task in plan.tasks]


def _operands_of(f: Any, items: Sequence[Any], xp: Namespace) -> list[Any]:
    """Return the samples and all operands of a recording, in its order."""
    operands = [f]
    for item in items:
        if type(item) is list:
            for task, is_shared in item:
                operands += scores.operands_of(task, is_shared, xp)
        else:
            operands.append(item)
    return operands


def _scores_of(
    f: Any, composite: Composite, items: Sequence[Any], xp: Namespace
) -> tuple[Score, ...]:
    """Return the recording of each result."""
    met = [
        tuple([term.form for term in item])
        if type(item) is list
        else scores.form_of(item)
        for item in items
    ]
    form = (xp, f.dtype, f.ndim, composite.form, tuple(met))
    known = _scores.get(form)
    if known is None:
        known = remember(_scores, form, _recorded(f, composite, items, xp))
    return known


def _recorded(
    f: Any, composite: Composite, items: Sequence[Any], xp: Namespace
) -> tuple[Score, ...]:
    recorder, terms = Recorder(f, xp), iter([i for i in items if type(i) is list])
    execution = Execution(
        recorder.xp,
        lambda array, _: recorder.run(array, next(terms)),
        examples_like(f, composite, xp),
        recorder.symbol,
    )
    return recorder.scores(composite.results(recorder.f, execution))


def _prepared(
    score: Score,
    composite: Composite,
    operands: Sequence[Any],
    out: Any,
    xp: Namespace,
    ops: InPlaceOps,
) -> Prepared:
    """Cut a result into blocks."""
    limit = None
    if ops.block_bytes is not None:
        itemsize = xp.empty((0,), dtype=composite.grid.dtype).dtype.itemsize
        limit = max(ops.scratch_bytes // itemsize, 1)
    shape = tuple(out.shape)
    found = list(blocks.cut_into_blocks(shape, score.edges, limit))
    bound = blocks.binder(score, shape, False, False, xp, ops)
    axis = composite.grid.vector_axis
    pieces = preparing.in_pieces(found, [bound], axis, operands)
    return Prepared(ops, pieces, preparing.alone(pieces), (), ())
