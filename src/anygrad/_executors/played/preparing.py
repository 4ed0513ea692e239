"""What is prepared of a derivative: its recording, and the blocks of its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..._precision import working
from ..recorded import weights
from . import blocks, forms, scores
from .pieces import Piece, Prepared

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Task
    from ..._typing import DType, Namespace
    from .blocks import Bound
    from .operations import InPlaceOps
    from .scores import Score, Term

#: On fewer samples than these, to make weights for each of the few blocks takes less
#: time than once for all lines, which is not recorded.
MOST_UNSHARED = 2**19

#: There, weights are made once for all lines if formulas have more points:
#: to record how they are made takes too long, for seven some 20 ms, once.
MANY_POINTS = 7

#: The weights of so many points, repeated over a block, leave it in the cache.
FEW_POINTS = 3

#: What threads are to share is cut into so many blocks, and into as many that there is
#: little beside a result where a block has scratch arrays of its size,
FEWEST_BLOCKS, FEWEST_WITH_SCRATCH = 4, 128

#: if these are not smaller.
LEAST_BYTES = 2**19

#: More blocks are not kept: the time to cut them is nothing to that of their work.
MOST_PIECES = 256


def operands_of(
    f: Any, tasks: Sequence[Task], are_shared: Sequence[bool], xp: Namespace
) -> list[Any]:
    """Return the samples and all operands of a recording, in its order."""
    operands = [f]
    for task, is_shared in zip(tasks, are_shared, strict=True):
        operands += scores.operands_of(task, is_shared, xp)
    return operands


def shares_weights(out: Any, task: Task, ops: InPlaceOps) -> bool:
    """Tell whether the weights on coordinates are made once for all lines."""
    if task.where is not None:
        return False
    samples, formulas = math.prod(out.shape), task.scheme.formulas
    is_many = samples > MOST_UNSHARED or _loop(out, task) < ops.short_loop
    if is_many and samples > weights.FEW_SAMPLES:
        return weights.are_shared(samples, task)
    on_line = weights.are_on_line(task)
    return on_line and max([len(one.offsets) for one in formulas]) > MANY_POINTS


def _pay_when_spread(out: Any, task: Task, ops: InPlaceOps) -> bool:
    """Tell whether weights repeated over a block take less time than loops over it."""
    if task.axis < out.ndim - 1:  # a loop has one of them
        return _loop(out, task) < ops.short_loop
    offsets = task.scheme.formulas[task.scheme.interior].offsets
    if len(offsets) <= FEW_POINTS:
        return ops.short_loop > 0
    return _loop(out, task) < 2 * ops.short_loop


def _loop(out: Any, task: Task) -> int:
    """Return how many samples in one run are differentiated alike, or along it."""
    return math.prod(out.shape[task.axis + 1 :] or out.shape[-1:])


def prepared(
    score: Score,
    operands: Sequence[Any],
    terms: Sequence[Term],
    out: Any,
    xp: Namespace,
    ops: InPlaceOps,
    found: Sequence[blocks.Block] = (),
) -> Prepared:
    """Cut a result, which lies in the order of its axes or nearly so, into blocks.

    It may be cut already.
    """
    task, shape, f = terms[0].task, tuple(out.shape), operands[0]
    recorded = [score]
    # Wide integers have two recordings, the first for those that are floating numbers.
    is_wide = task.precision.wide_samples and ops.extremes is not None
    if is_wide:
        narrow = [term.of_narrow() for term in terms]
        recorded.insert(0, forms.score_of(f, narrow, xp))
    if not found:
        limit = most_points(f, terms, xp, ops)
        found = list(blocks.cut_into_blocks(shape, recorded[0].edges, limit))
    spread = recorded[0].weights
    in_one_run = _can_be_runs(f, terms, out, ops) and all(
        blocks.is_one_run(block, shape)
        and all(block[axis] == (0, shape[axis]) for _, axis in spread)
        for block in found
    )
    binders = [blocks.binder(one, shape, in_one_run, xp, ops) for one in recorded]
    component = None if task.component is None else task.component[0]
    pieces = in_pieces(found, binders, component, operands)
    spread = spread if in_one_run else ()
    are_shared = [term.shares_weights for term in terms]
    return Prepared(ops, pieces, alone(pieces, spread), spread, are_shared)


def keep(known: Prepared, kept: Kept | None) -> None:
    """Keep what has been prepared for the calls to come, if there is a place for it."""
    if kept is not None and len(known.pieces) <= MOST_PIECES:
        kept.keep(known)


def in_pieces(
    found: Sequence[blocks.Block],
    binders: Sequence[Callable[[blocks.Block], Bound]],
    component: int | None,
    operands: Sequence[Any],
) -> list[Piece]:
    """Return blocks with how they are played, and with what they read of operands."""
    pieces = []
    for block in found:
        bounds, cuts = [bound(block) for bound in binders], None
        if len(found) > 1:  # the only block reads all
            cuts = blocks.cuts_of(operands, component, bounds[0], block)
        looked_at = blocks.with_components(bounds[0].reads, component)
        target = tuple([slice(*extent) for extent in block])
        pieces.append(Piece(bounds, cuts, looked_at, target))
    return pieces


def alone(pieces: Sequence[Piece], spread: Sequence[Any] = ()) -> Bound | None:
    """Return the only program, where it is for all operands as they are."""
    is_alone = len(pieces) == 1 and not spread and len(pieces[0].bounds) == 1
    return pieces[0].bounds[0] if is_alone else None


def most_points(
    f: Any, terms: Sequence[Term], xp: Namespace, ops: InPlaceOps
) -> int | None:
    """Return how many points a block should have; None for all."""
    precision = terms[0].task.precision
    dtype = working(precision)
    samples, is_same = math.prod(f.shape), dtype == precision.result
    if is_same and f.dtype == dtype and len(terms) == 1 and _is_plain(terms[0]):
        return most_within(ops.block_bytes, samples, dtype, xp, ops, FEWEST_BLOCKS)
    # Those of another dtype are wider than the result.
    nbytes = ops.scratch_bytes if is_same else ops.scratch_bytes // 2
    return most_within(nbytes, samples, dtype, xp, ops)


def most_within(
    nbytes: int | None,
    samples: int,
    dtype: DType,
    xp: Namespace,
    ops: InPlaceOps,
    fewest: int = FEWEST_WITH_SCRATCH,
) -> int | None:
    """Return how many points a block of so many bytes has; None for all.

    Of a result with so many `samples` there are so many blocks, or more.
    """
    if ops.block_bytes is None or nbytes is None:
        return None
    itemsize = int(xp.empty((0,), dtype=dtype).dtype.itemsize)  # a class has none
    if ops.cuts_small_arrays:
        nbytes = min(nbytes, max(samples // fewest * itemsize, LEAST_BYTES))
    return max(nbytes // itemsize, 1)


def _is_plain(term: Term) -> bool:
    """Tell whether it is one difference per point, times a number."""
    scheme = term.task.scheme
    interior = scheme.formulas[scheme.interior]
    return len(interior.terms) == 1 and term.task.coordinates is None


def _can_be_runs(f: Any, terms: Sequence[Term], out: Any, ops: InPlaceOps) -> bool:
    """Tell whether blocks may be one run through memory each."""
    if out.ndim == 1 or not all(map(ops.memory.is_contiguous, (f, out))):
        return False
    for task, is_shared in terms:
        is_run = is_shared and _pay_when_spread(out, task, ops)
        # Transposed edges read the weights of the interior, too, which stand elsewhere.
        is_run = is_run and not task.scheme.recipe.is_transposed
        if task.component is not None or not (task.coordinates is None or is_run):
            return False
        if task.where is not None:  # what is chosen near an end is not written over
            return False
    return True
