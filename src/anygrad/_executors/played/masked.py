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
import operator
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _agnostic
from ..._lowering import index_along, part_of
from ..._records import candidates, of_valid
from .masked_rules import rules_of

if TYPE_CHECKING:
    from ..._records import Task
    from ..._typing import Namespace
    from .masked_rules import Reads
    from .operations import InPlaceOps

#: So many samples, times how many formulas there are to choose from, take less time to
#: be run through with each of them; on coordinates twice as many.
MOST_RUN_THROUGH = 120_000

#: So many points are told of together at most, and so many mended.
MOST_POINTS, MOST_POSITIONS = 2**18, 2**15

#: Where so many points or more are missing for each that is mended, they lie together,
#: and to write by bools takes less time than by positions.
FEW_PER_EDGE = 4


class Block(NamedTuple):
    """A part of a derivative, with as many points beside it as any formula reads.

    All arrays are flat, and lie in the order of memory: what is so many points away
    along the axis is so many strides away in them.
    """

    #: The samples, those beside it included, and likewise the coordinates, if all
    #: have their own.  Else they are of the whole axis, or None.
    f: Any
    x: Any
    #: The derivative, in the working dtype.
    out: Any
    #: Where one valid sample begins, then two in a row, and so on: with a margin at
    #: either end, and beyond the ends of the axis, all are missing.
    runs: list[Any]
    #: How many lines there are in `out`, how many points of each, and the stride.
    shape: tuple[int, int, int]
    #: In points.
    margin: int
    #: Where `out` begins along the axis, and how many samples come before it.
    start: int
    before: int
    #: The namespace of the arrays.
    xp: Namespace

    def in_rows(self, array: Any) -> Any:
        """Return an array like `out`, by lines, rows and strides."""
        return self.xp.reshape(array, self.shape)

    def run(self, first: int, count: int) -> Any:
        """Tell whether so many samples in a row are valid, the first so far away."""
        lines, rows, stride = self.shape
        while len(self.runs) < count:
            self.runs.append(self.runs[-1][:-stride] & self.runs[-1][stride:])
            if len(self.runs) == 2 and lines > 1:  # none goes on in the next line
                self.in_rows(self.run(0, 2))[:, -1] = False
        begin = (self.margin + first) * stride
        return self.runs[count - 1][begin : begin + lines * rows * stride]

    def fits(self, reads: Reads) -> Any:
        """Tell at which points all samples that a formula reads are valid."""
        found = reduce(operator.and_, [self.run(*run) for run in reads])
        if len(reads) > 1 and self.shape[0] > 1:  # what is beyond is another line's
            rows = self.in_rows(found)
            rows[:, : -reads[0][0]] = False
            rows[:, self.shape[1] - sum(reads[-1]) + 1 :] = False
        return found

    def fits_in_row(self, reads: Reads, row: int) -> Any:
        """Tell it of a row that the formula is made for."""
        runs = [self.in_rows(self.run(*run))[:, row] for run in reads]
        return reduce(operator.and_, runs)


def is_run_through(f: Any, task: Task) -> bool:
    """Tell whether each formula is run at all points: of few samples."""
    if task.where is None or task.inner is not None:
        return False
    count: int = math.prod(f.shape) * (1 + len(task.alternatives))
    most = MOST_RUN_THROUGH if task.coordinates is None else 2 * MOST_RUN_THROUGH
    return count < most


def with_whole_mask(task: Task, out: Any, xp: Namespace) -> Task:
    """Return a task whose mask has the shape of the result."""
    where = task.where
    if where.shape == out.shape:
        return task
    return task._replace(where=xp.broadcast_to(where, out.shape))


class Mender:
    """Mends the blocks of a derivative where samples are missing."""

    def __init__(self, f: Any, task: Task, xp: Namespace, ops: InPlaceOps) -> None:
        self.f, self.task = f, task
        self.xp, self.ops = xp, ops
        self.first = of_valid(task, "mended")
        _, *self.others = candidates(task)
        schemes = (task.scheme, *[one.scheme for one in self.others])
        self.rules = rules_of(schemes, task.coordinates is not None)
        x = task.coordinates
        self.is_on_line = x is not None and math.prod(x.shape) == x.shape[task.axis]

    def mend(self, target: tuple[slice, ...], out: Any) -> None:
        """Replace what the first formula has made of missing samples in a block.

        The block is `out`, and `target` its place.
        """
        lengths = [rows.stop - rows.start for rows in target]
        parts = -(-math.prod(lengths) // MOST_POINTS)
        cut = next((k for k, n in enumerate(lengths) if n > 1), 0)
        step, first = -(-lengths[cut] // parts), target[cut].start
        for start in range(0, lengths[cut], step):
            stop = min(start + step, lengths[cut])
            rows = slice(first + start, first + stop)
            own = out[index_along(cut, slice(start, stop))]
            self._mend(_with_rows(target, cut, rows), own)

    def _mend(self, target: tuple[slice, ...], out: Any) -> None:
        """Replace it in a part of a block."""
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
        xp, axis, ops, x = self.xp, self.task.axis, self.ops, self.task.coordinates
        f, start = self.f[cut], target[axis].start
        lengths = tuple(out.shape)
        stride, margin = math.prod(lengths[axis + 1 :]), self.rules.margin
        shape = math.prod(lengths[:axis]), lengths[axis], stride
        before, beside = (start - cut[axis].start) * stride, margin * stride
        mended = xp.reshape(out, (-1,))
        padded = (mended.shape[0] + 2 * beside,)
        run = ops.empty_like(valid, dtype=valid.dtype, shape=padded)
        first, last = beside - before, beside - before + math.prod(f.shape)
        run[:first], run[last:] = False, False
        xp.reshape(run[first:last], f.shape)[...] = valid
        if x is not None:
            if not self.is_on_line:
                x = xp.broadcast_to(part_of(x, cut), f.shape)
            x = xp.reshape(x, (-1,))
        f = xp.reshape(f, (-1,))
        self._replace(Block(f, x, mended, [run], shape, margin, start, before, xp))
        if not ops.memory.is_contiguous(out):
            out[...] = xp.reshape(mended, lengths)

    def _replace(self, block: Block) -> None:
        """Replace it where the first formula does not fit."""
        positions, rules, xp = self._wanted(block), self.rules, self.xp
        for group in rules.groups:
            chosen = positions
            if group is not rules.groups[-1]:  # for that, all are that are left
                fits = [block.fits(rules.others[k])[positions] for k, _ in group]
                fit = reduce(operator.or_, fits)
                # Bools as an index take several times as long where they are random.
                chosen = positions[xp.nonzero(fit)[0]]
                positions = positions[xp.nonzero(xp.logical_not(fit))[0]]
            for start in range(0, chosen.shape[0], MOST_POSITIONS):
                part = chosen[start : start + MOST_POSITIONS]
                self._run_at(part, group, block)

    def _wanted(self, block: Block) -> Any:
        """Return where other formulas fit than the first; where none does, write NaN.

        They are positions in the block.
        """
        xp, rules, length = self.xp, self.rules, self.f.shape[self.task.axis]
        rest = xp.logical_not(block.fits(rules.first))
        rows = block.in_rows(rest)
        for row, reads in rules.edges:
            number = (row if row >= 0 else length + row) - block.start
            if 0 <= number < block.shape[1]:
                rows[:, number] = xp.logical_not(block.fits_in_row(reads, number))
        if rules.ghosts[0]:
            rows[:, : max(rules.margin - block.start, 0)] = False
        if rules.ghosts[1]:
            rows[:, max(length - rules.margin - block.start, 0) :] = False
        wanted = rest & reduce(operator.or_, map(block.fits, rules.least))
        rest ^= wanted
        (positions,) = xp.nonzero(wanted)
        if int(xp.count_nonzero(rest)) < FEW_PER_EDGE * positions.shape[0]:
            (rest,) = xp.nonzero(rest)
        block.out[rest] = math.nan
        return positions

    def _run_at(
        self, positions: Any, group: Sequence[tuple[int, int]], block: Block
    ) -> None:
        """Write at some positions what the first of a group makes that fits there."""
        xp, rules, (lines, count, stride) = self.xp, self.rules, block.shape
        places: Any = group[-1][1] * stride
        for number, shift in reversed(group[:-1]):
            fit = block.fits(rules.others[number])[positions]
            places = places + fit * (shift * stride - places)  # as `where`, but faster
        places = positions + places
        number = group[0][0]
        task, (scheme, offsets) = self.others[number], rules.near[number]
        precision, beside = task.precision, xp.reshape(xp.arange(*offsets), (-1, 1))
        f = block.f[places + (beside * stride + block.before)]
        f = _agnostic.prepare(f, precision.samples, precision.wide_samples, xp)
        x = block.x
        if x is not None:
            if self.is_on_line:
                places = places // stride if stride > 1 else places
                places = places % count if lines > 1 else places
                x = x[places + (beside + block.start)]
            else:
                x = x[places + (beside * stride + block.before)]
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
