"""What is prepared of a derivative: its recording, and the blocks of its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..._precision import working
from ..recorded import weights
from . import blocks, forms, replayed, scores
from .pieces import Piece, Prepared

if TYPE_CHECKING:
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

#: What threads are to share is cut into as many blocks as in `blocks.py`, or that there
#: is little beside a result where a block has a scratch array of its size, or several,
FEWEST_WITH_ONE, FEWEST_WITH_SCRATCH = 32, 80

#: if these are not smaller.
LEAST_BYTES = 2**19

#: No number has more bytes: few samples are one block, whatever their dtype.
WIDEST = 16

#: From so many differences near the ends of rows on, to come once for several blocks
#: takes less time than in each of them: these are many operations on few samples.
MANY_AT_ENDS = 6

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
    is_cut, edges = len(found) > 0, recorded[0].edges
    if not is_cut:
        limit = most_points(f, terms, xp, ops)
        found = list(blocks.cut_into_blocks(shape, edges, limit))
    is_whole, in_one_run = len(found) == 1, _can_be_runs(f, terms, out, ops)
    if in_one_run and not is_whole:
        in_one_run = all(
            blocks.is_one_run(block, shape)
            and all(block[axis] == (0, shape[axis]) for _, axis in recorded[0].weights)
            for block in found
        )
    is_kept = replayed.is_kept([term.task for term in terms], out, ops)
    kind = shape, in_one_run, is_kept, xp, ops
    component = None if task.component is None else task.component[0]
    spread = recorded[0].weights if in_one_run else ()
    if is_whole:
        bounds = [blocks.bound_to_all(one, *kind) for one in recorded]
        groups = [[_piece(found[0], bounds, component, None)]]
    else:
        count = 1
        if in_one_run and not is_cut and _has_much_at_ends(terms):
            count = blocks.most_together(found, shape, edges)
        binders = [blocks.binder(one, *kind, leaves_ends=count > 1) for one in recorded]
        groups = [
            in_pieces(group, binders, component, operands)
            for group in blocks.grouped(found, count, shape, edges)
        ]
    are_shared = [term.shares_weights for term in terms]
    return Prepared(ops, groups, alone(groups, spread), spread, are_shared)


def in_pieces(
    group: blocks.Group,
    binders: Sequence[Callable[..., Bound]],
    component: int | None,
    operands: Sequence[Any],
) -> list[Piece]:
    """Return blocks with how they are played, and with what they read of operands."""
    pieces = []
    for found, is_end in ((group.blocks, False), (group.ends, True)):
        for block in found:
            bounds = [bound(block, is_end=is_end) for bound in binders]
            piece = _piece(block, bounds, component, operands)
            pieces.append(piece._replace(is_end=is_end))
    return pieces


def alone(
    groups: Sequence[Sequence[Piece]], spread: Sequence[Any] = ()
) -> Bound | None:
    """Return the only program, where it is for all operands as they are."""
    if len(groups) > 1 or len(groups[0]) > 1 or spread:
        return None
    (piece,) = groups[0]
    return piece.bounds[0] if len(piece.bounds) == 1 and piece.cuts is None else None


def _piece(
    block: blocks.Block,
    bounds: list[Bound],
    component: int | None,
    operands: Sequence[Any] | None,
) -> Piece:
    """Return a block, which reads parts of operands if these are given."""
    cuts: tuple[Any, ...] | None = None
    if operands is not None:
        cuts = blocks.cuts_of(operands, component, bounds[0], block)
    return Piece(
        bounds,
        cuts,
        blocks.with_components(bounds[0].reads, component),
        tuple([slice(*extent) for extent in block]),
    )


def most_points(
    f: Any, terms: Sequence[Term], xp: Namespace, ops: InPlaceOps
) -> int | None:
    """Return how many points a block should have; None for all."""
    if ops.block_bytes is None:
        return None
    samples, least = math.prod(f.shape), min(ops.scratch_bytes // 2, LEAST_BYTES)
    if samples * WIDEST <= min(ops.block_bytes, least):
        return None
    task, dtype = terms[0].task, working(terms[0].task.precision)
    nbytes, fewest = ops.scratch_bytes, FEWEST_WITH_SCRATCH
    if dtype != task.precision.result:  # scratch arrays are wider than the result
        nbytes //= 2
    elif f.dtype == dtype and len(terms) == 1 and task.coordinates is None:
        if len(task.scheme.formulas[task.scheme.interior].terms) == 1:
            nbytes, fewest = ops.block_bytes, blocks.FEWEST
        elif task.where is None:
            fewest = FEWEST_WITH_ONE
    return _most_of(samples, fewest, nbytes, dtype, xp, ops)


def most_with_scratch(
    samples: int, nbytes: int, dtype: DType, xp: Namespace, ops: InPlaceOps
) -> int:
    """Return how many points a block should have that has scratch arrays beside it."""
    return _most_of(samples, FEWEST_WITH_SCRATCH, nbytes, dtype, xp, ops)


def _most_of(
    samples: int,
    fewest: int,
    nbytes: int,
    dtype: DType,
    xp: Namespace,
    ops: InPlaceOps,
) -> int:
    most = points_in(nbytes, dtype, xp)
    if not ops.cuts_small_arrays:
        return most
    return min(most, max(samples // fewest, points_in(LEAST_BYTES, dtype, xp)))


def points_in(nbytes: int, dtype: DType, xp: Namespace) -> int:
    """Return how many numbers there are in so many bytes; one at least."""
    itemsize = int(xp.empty((0,), dtype=dtype).dtype.itemsize)  # a class has none
    return max(nbytes // itemsize, 1)


def _has_much_at_ends(terms: Sequence[Term]) -> bool:
    """Tell whether what is done near the ends of rows takes long in each block.

    For sums, samples around those near the ends are read, too, which takes as long.
    """
    if len(terms) > 1:
        return False
    scheme = terms[0].task.scheme
    counts = [len(formula.terms) for formula in scheme.formulas]
    return sum(counts) - counts[scheme.interior] >= MANY_AT_ENDS


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
