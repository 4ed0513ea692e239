"""What is prepared of a derivative: its recording, and the blocks of its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..._precision import working
from ..recorded import weights
from . import blocks, forms, latest, operations
from .pieces import Piece, Prepared

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Task
    from ..._typing import DType
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
#: is little beside a result where a block has a scratch array of its size, or several.
FEWEST_WITH_ONE, FEWEST_WITH_SCRATCH = 32, 96

#: No number has more bytes: few samples are one block, whatever their dtype.
WIDEST = 16

#: From so many differences near the ends of rows on, to come once for several blocks
#: takes less time than in each of them: these are many operations on few samples.
MANY_AT_ENDS = 6

#: More blocks are not kept: the time to cut them is nothing to that of their work.
MOST_PIECES = 256


def shares_weights(
    out: Any, task: Task, ops: InPlaceOps, *, comes_again: bool = False
) -> bool:
    """Tell whether the weights on coordinates are made once for all lines."""
    if task.where is not None or task.coordinates is None:
        return False
    if comes_again:
        return True
    samples, formulas = math.prod(out.shape), task.scheme.formulas
    if _are_many(out, task, ops) and samples > weights.FEW_SAMPLES:
        return weights.are_shared(samples, task)
    on_line = weights.are_on_line(task)
    return on_line and max([len(one.offsets) for one in formulas]) > MANY_POINTS


def come_again(out: Any, tasks: Sequence[Task], ops: InPlaceOps) -> bool:
    """Tell whether weights that the latest call has made would serve this one.

    Where each call has another grid, blocks make them faster than they are made for it.
    """
    if tasks[0].where is not None or ops.bits is None:
        return False
    samples = math.prod(out.shape)
    on_lines = [task for task in tasks if task.coordinates is not None]
    if not all(
        weights.are_shared(samples, task) and not _are_many(out, task, ops)
        for task in on_lines
    ):
        return False
    # Of all of them, the next call will ask for this one's.
    again = [latest.comes_again(task, ops) for task in on_lines]
    return bool(again) and all(again)


def _are_many(out: Any, task: Task, ops: InPlaceOps) -> bool:
    """Tell whether weights are rather made once for all lines of so many samples."""
    is_large = math.prod(out.shape) > MOST_UNSHARED
    return is_large or _loop(out, task) < ops.short_loop


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
        recorded.insert(0, forms.score_of(f, narrow, ops.namespace))
    is_cut, edges = len(found) > 0, recorded[0].edges
    if not is_cut:
        limit = most_points(f, terms, ops)
        found = list(blocks.cut_into_blocks(shape, edges, limit))
    spread, count = recorded[0].weights, 1
    in_one_run = _can_be_runs(f, terms, out, ops) and all(
        blocks.is_one_run(block, shape)
        and all(block[axis] == (0, shape[axis]) for _, axis in spread)
        for block in found
    )
    if in_one_run and not is_cut and _has_much_at_ends(terms):
        count = blocks.most_together(found, shape, edges)
    binders = [
        blocks.binder(one, shape, in_one_run, ops, leaves_ends=count > 1)
        for one in recorded
    ]
    component = None if task.component is None else task.component[0]
    grouped = blocks.grouped(found, count, shape, edges)
    groups = in_pieces(grouped, binders, component, operands)
    spread = spread if in_one_run else ()
    are_shared = [term.shares_weights for term in terms]
    return Prepared(ops, groups, alone(groups, spread), spread, are_shared)


def kept_by(ops: InPlaceOps, kept: Kept | None) -> Prepared | None:
    """Return what has been prepared; None for what another executor has made."""
    made = None if kept is None else kept.made
    return made if isinstance(made, Prepared) and made.ops is ops else None


def keep(known: Prepared, kept: Kept | None) -> None:
    """Keep what has been prepared for the calls to come, if there is a place for it."""
    if kept is not None and len(known.pieces) <= MOST_PIECES:
        kept.keep(known)


def in_pieces(
    groups: Sequence[blocks.Group],
    binders: Sequence[Callable[[blocks.Block, bool], Bound]],
    component: int | None,
    operands: Sequence[Any],
) -> list[list[Piece]]:
    """Return blocks with how they are played, and with what they read of operands."""
    is_alone = len(groups) == 1 and len(groups[0].blocks) == 1
    found = []
    for group in groups:
        pieces = []
        for number, block in enumerate([*group.blocks, *group.ends]):
            is_end = number >= len(group.blocks)
            bounds, cuts = [bound(block, is_end) for bound in binders], None
            if not is_alone:  # which reads all
                cuts = blocks.cuts_of(operands, component, bounds[0], block)
            looked_at = blocks.with_components(bounds[0].reads, component)
            target = tuple([slice(*extent) for extent in block])
            pieces.append(Piece(bounds, cuts, looked_at, target, is_end))
        found.append(pieces)
    return found


def alone(
    groups: Sequence[Sequence[Piece]], spread: Sequence[Any] = ()
) -> Bound | None:
    """Return the only program, where it is for all operands as they are."""
    first, *others = groups[0]
    is_alone = len(groups) == 1 and not others and not spread
    return first.bounds[0] if is_alone and len(first.bounds) == 1 else None


def most_points(f: Any, terms: Sequence[Term], ops: InPlaceOps) -> int | None:
    """Return how many points a block should have; None for all."""
    if ops.block_bytes is None:
        return None
    samples, nbytes, fewest = math.prod(f.shape), ops.scratch_bytes, FEWEST_WITH_SCRATCH
    if samples * WIDEST <= min(ops.block_bytes, nbytes // 2, operations.LEAST_BYTES):
        return None
    task, dtype = terms[0].task, working(terms[0].task.precision)
    if dtype != task.precision.result:  # scratch arrays are wider than the result
        nbytes //= 2
    elif f.dtype == dtype and len(terms) == 1 and task.coordinates is None:
        if len(task.scheme.formulas[task.scheme.interior].terms) == 1:
            nbytes, fewest = ops.block_bytes, blocks.FEWEST
        elif task.where is None:
            fewest = FEWEST_WITH_ONE
    return ops.points_within(nbytes, itemsize_of(dtype, ops), samples, fewest)


def itemsize_of(dtype: DType, ops: InPlaceOps) -> int:
    """Return how many bytes a number of a dtype has."""
    empty = ops.namespace.empty((0,), dtype=dtype)
    return int(empty.dtype.itemsize)  # a class has none


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
