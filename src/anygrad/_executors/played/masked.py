"""Derivatives of which some samples are missing, in blocks whose masks are looked at.

At most points the first formula fits, as if nothing were missing: all samples are
differentiated that way, fast, and what it makes of missing ones is mended block by
block, while that is in the cache.  Which formula a point gets is told from bools, which
are small, and it is run at the points that want it.  A one-sided end is as if all
samples beyond it were missing; near ends with ghosts, where formulas are others row by
row, the lines are run through as short arrays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _agnostic
from ..._lowering import index_along, part_of
from ..._records import candidates
from .holes import KnownMasks, Mask
from .masked_rules import rules_of

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Task
    from .holes import Holes
    from .operations import InPlaceOps

#: So many samples, times how many formulas there are to choose from, take less time to
#: be run through with each of them; on coordinates twice as many.
MOST_RUN_THROUGH = 120_000

#: So many points are mended together at most.
MOST_POSITIONS = 2**15


class Block(NamedTuple):
    """A part of a derivative, with the samples that its formulas read, as if flat."""

    #: The samples, those beside it included, and likewise the coordinates, if all
    #: have their own.  Else they are of the whole axis, or None.
    f: Any
    x: Any
    #: The derivative, in the working dtype.
    out: Any
    #: How many lines there are in `out`, how many points of each, and the stride.
    shape: tuple[int, int, int]
    #: Where `out` begins along the axis, and how many samples come before it.
    start: int
    before: int


def is_run_through(f: Any, task: Task) -> bool:
    """Tell whether each formula is run at all points: of few samples."""
    if task.where is None:
        return False
    if task.inner is not None and not is_run_through(f, task.inner):
        return False
    count: int = math.prod(f.shape) * (1 + len(task.alternatives))
    most = MOST_RUN_THROUGH if task.coordinates is None else 2 * MOST_RUN_THROUGH
    return count < most


def with_whole_mask(task: Task, out: Any, ops: InPlaceOps) -> Task:
    """Return a task whose mask, if there is one, has the shape of the result."""
    where = task.where
    if where is None or where.shape == out.shape:
        return task
    return task._replace(where=ops.namespace.broadcast_to(where, out.shape))


class Mender:
    """Mends the blocks of a derivative where samples are missing."""

    def __init__(self, f: Any, task: Task, kept: Kept | None, ops: InPlaceOps) -> None:
        self.f, self.task = f, task
        self.xp, self.ops = ops.namespace, ops
        self.known_masks = KnownMasks(kept, self.xp)
        _, *self.others = candidates(task)
        schemes = (task.scheme, *[one.scheme for one in self.others])
        self.rules = rules_of(schemes, task.coordinates is not None)
        x = task.coordinates
        self.is_on_line = x is not None and math.prod(x.shape) == x.shape[task.axis]

    def mend(self, target: tuple[slice, ...], out: Any) -> None:
        """Replace what the first formula has made of missing samples in a block.

        The block is `out`, and `target` its place.
        """
        axis, length = self.task.axis, self.f.shape[self.task.axis]
        rows, margin = target[axis], self.rules.margin
        start, stop = max(rows.start - margin, 0), min(rows.stop + margin, length)
        cut = _with_rows(target, axis, slice(start, stop))
        valid = part_of(self.task.where, cut)
        if not self.xp.all(valid):
            self._mend_rows(target, cut, valid, out)
        is_inside = margin <= rows.start <= rows.stop <= length - margin
        if any(self.rules.ghosts) and not is_inside:
            self._mend_ends(target, out)

    def _mend_rows(
        self, target: tuple[slice, ...], cut: tuple[slice, ...], valid: Any, out: Any
    ) -> None:
        """Replace the rows of a block that are not near an end with ghosts."""
        if target != cut and math.prod(out.shape[: self.task.axis]) > 1:
            # Lines that are cut are made with what is beside them, as if they were not.
            shape = tuple([rows.stop - rows.start for rows in cut])
            whole = self.ops.empty_like(out, dtype=out.dtype, shape=shape)
            own = tuple(
                [
                    slice(t.start - c.start, t.stop - c.start)
                    for t, c in zip(target, cut, strict=True)
                ]
            )
            whole[own] = out
            self._mend_rows(cut, cut, valid, whole)
            out[...] = whole[own]
            return
        xp, axis, x = self.xp, self.task.axis, self.task.coordinates
        lengths, start = tuple(out.shape), target[axis].start
        stride = math.prod(lengths[axis + 1 :])
        shape = math.prod(lengths[:axis]), lengths[axis], stride
        before = (start - cut[axis].start) * stride
        place = tuple([(rows.start, rows.stop) for rows in target])
        holes = self.known_masks.find(place, valid)
        if holes is None:
            mask = self._mask(valid, self.f[cut].shape, shape, start, before)
            holes = mask.holes(self.rules)
            self.known_masks.note(place, mask.valid, holes)
        f, mended = xp.reshape(self.f[cut], (-1,)), xp.reshape(out, (-1,))
        if x is not None:
            if not self.is_on_line:
                x = xp.broadcast_to(part_of(x, cut), self.f[cut].shape)
            x = xp.reshape(x, (-1,))
        self._fill(holes, Block(f, x, mended, shape, start, before))
        if not self.ops.memory.is_contiguous(out):
            out[...] = xp.reshape(mended, lengths)

    def _mask(
        self,
        valid: Any,
        whole: tuple[int, ...],
        shape: tuple[int, int, int],
        start: int,
        before: int,
    ) -> Mask:
        """Return a block's mask, which is given with as much beside it as there is."""
        xp, margin = self.xp, self.rules.margin
        beside, length = margin * shape[-1], self.f.shape[self.task.axis]
        padded = (math.prod(shape) + 2 * beside,)
        run = self.ops.empty_like(valid, dtype=valid.dtype, shape=padded)
        first, last = beside - before, beside - before + math.prod(whole)
        run[:first], run[last:] = False, False
        own = xp.reshape(run[first:last], whole)
        own[...] = valid
        return Mask(own, [run], shape, margin, start, length, xp)

    def _fill(self, holes: Holes, block: Block) -> None:
        """Write NaN where no formula fits, and what others make where one does."""
        nowhere = holes.nowhere
        if nowhere.dtype != self.xp.bool:
            nowhere = self._wide(nowhere)
        block.out[nowhere] = math.nan
        for number, *both in holes.fills:
            for start in range(0, both[0].shape[0], MOST_POSITIONS):
                part = slice(start, start + MOST_POSITIONS)
                positions, stands = [self._wide(one[part]) for one in both]
                self._run_at(positions, stands, number, block)

    def _wide(self, positions: Any) -> Any:
        """Return positions as arrays are indexed by: others would be converted oftener.

        Those that are kept have half the bytes.
        """
        return self.xp.astype(positions, self.xp.int64, copy=False)

    def _run_at(self, positions: Any, stands: Any, number: int, block: Block) -> None:
        """Write at some positions what a formula makes where it stands."""
        xp, rules, (lines, count, stride) = self.xp, self.rules, block.shape
        task, (scheme, offsets) = self.others[number], rules.near[number]
        precision, beside = task.precision, xp.reshape(xp.arange(*offsets), (-1, 1))
        f = block.f[stands + (beside * stride + block.before)]
        f = _agnostic.prepare(f, precision.samples, precision.wide_samples, xp)
        x = block.x
        if x is not None:
            if self.is_on_line:
                stands = stands // stride if stride > 1 else stands
                stands = stands % count if lines > 1 else stands
                x = x[stands + (beside + block.start)]
            else:
                x = x[stands + (beside * stride + block.before)]
        task = task._replace(axis=0, scheme=scheme, coordinates=x)
        number = scheme.interior
        weighted = _agnostic.weighted_formula(task, number, xp)
        (block.out[positions],) = _agnostic.weighted_sum(f, task, number, weighted, xp)

    def _mend_ends(self, target: tuple[slice, ...], out: Any) -> None:
        """Replace the rows of a block that are near an end.

        Both ends make a short array together: what reads the other end finds it there.
        """
        xp, axis, margin, task = self.xp, self.task.axis, self.rules.margin, self.task
        length, strip = self.f.shape[axis], 2 * margin
        ends = [slice(0, strip), slice(max(length - strip, strip), length)]

        def at_ends(array: Any) -> Any:
            parts = [part_of(array, _with_rows(target, axis, end)) for end in ends]
            return xp.concat(parts, axis=axis)

        valid = at_ends(_agnostic.along(task.where, axis, length, xp))
        if xp.all(valid):
            return
        x = None if task.coordinates is None else at_ends(task.coordinates)
        short = task._replace(where=valid, coordinates=x)
        values = _agnostic.derivative(at_ends(self.f), short, xp)
        for own in (slice(0, margin), slice(length - margin, length)):
            start = target[axis].start
            first, last = max(own.start, start), min(own.stop, target[axis].stop)
            if first < last:
                moved = values.shape[axis] - length if own.start else 0
                rows = index_along(axis, slice(first + moved, last + moved))
                there = index_along(axis, slice(first - start, last - start))
                out[there] = values[rows]


def _with_rows(cut: tuple[slice, ...], axis: int, rows: slice) -> tuple[slice, ...]:
    """Return the cut with other rows along an axis."""
    return (*cut[:axis], rows, *cut[axis + 1 :])
