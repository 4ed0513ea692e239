"""Several derivatives, and products and quotients around them, in one pass of blocks.

A whole array of each derivative, product and sum would go to memory and come back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._kept import remember
from ..._records import Plan
from . import blocks, preparing, scores
from .pieces import Prepared, Unplayed, play
from .scores import Recorder, Score, Term

if TYPE_CHECKING:
    from ..._curved import Composite
    from ..recorded.composites import Work
    from .operations import InPlaceOps

#: The recordings of all results, by form.
_scores: dict[Any, tuple[Score, ...]] = {}


def write(work: Work, outs: Sequence[Any], ops: InPlaceOps) -> bool:
    """Write the results of a composite."""
    items = [
        _terms(item, outs[0], ops) if type(item) is Plan else item
        for item in work.items
    ]
    operands = _operands_of(work, items, ops)
    results = []
    for score, out in zip(_scores_of(work, items), outs, strict=True):
        prepared = _prepared(score, work.composite, operands, out, ops)
        results.append(Unplayed(prepared, operands, out))
    play(results)
    return True


def _terms(plan: Plan, out: Any, ops: InPlaceOps) -> list[Term]:
    return [Term(task, preparing.shares_weights(out, task, ops)) for task in plan.tasks]


def _operands_of(work: Work, items: Sequence[Any], ops: InPlaceOps) -> list[Any]:
    """Return the samples and all operands of a recording, in its order."""
    operands = [work.f]
    for item in items:
        is_terms = type(item) is list
        operands += scores.operands_of(item, ops) if is_terms else [item]
    return operands


def _scores_of(work: Work, items: Sequence[Any]) -> tuple[Score, ...]:
    """Return the recording of each result."""
    met = [
        tuple([term.form for term in item])
        if type(item) is list
        else scores.form_of(item)
        for item in items
    ]
    f, composite = work.f, work.composite
    kind = composite.form, work.only
    form = (work.namespace, f.dtype, f.ndim, kind, tuple(met))
    known = _scores.get(form)
    if known is None:
        recorder = Recorder(f, work.namespace)
        made = recorder.scores(work.results_on(recorder, items))
        known = remember(_scores, form, made)
    return known


def _prepared(
    score: Score,
    composite: Composite,
    operands: Sequence[Any],
    out: Any,
    ops: InPlaceOps,
) -> Prepared:
    """Cut a result into blocks."""
    shape, axis = tuple(out.shape), composite.grid.vector_axis
    itemsize = preparing.itemsize_of(composite.grid.dtype, ops)
    limit = ops.points_within(
        ops.scratch_bytes, itemsize, math.prod(shape), preparing.FEWEST_WITH_SCRATCH
    )
    found = list(blocks.cut_into_blocks(shape, score.edges, limit))
    bound = blocks.binder(score, shape, False, ops)
    each = blocks.grouped(found, 1, shape, score.edges)
    groups = preparing.in_pieces(each, [bound], axis, operands)
    return Prepared(ops, groups, preparing.alone(groups), (), ())
