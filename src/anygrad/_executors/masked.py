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
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._executors import masked_few
from .._executors.blocks import every
from .._executors.kernels import in_order_of_memory
from .._executors.masked_rules import rules_of
from .._records import candidates, unrounded

if TYPE_CHECKING:
    from .._executors.masked_rules import Reads
    from .._executors.operations import InPlaceOps
    from .._formulas import Formula, WeightedFormula
    from .._records import Task
    from .._typing import DType, Namespace

#: Fewer samples take less time to be run through than to be chosen from.
FEWEST_SAMPLES = 2**14

#: So many points are mended together at most.
MOST_POINTS = 2**18

#: What is told of a point, and what is made at a position: together, these have less
#: memory than the result.  Else a C library gives both back to the system after each
#: call, to be zeroed again in the next.
BYTES_OF_A_POINT, BYTES_AT_A_POSITION = 6, 128

#: To mend so few positions costs as much as one.
FEWEST_POSITIONS = 2**12


class Block(NamedTuple):
    """A part of a derivative, with as many points beside it as any formula reads.

    All arrays are flat, and lie in the order of memory: what is so many points away
    along the axis is so many strides away in them.

    Attributes
    ----------
    f : array
        The samples, those beside it included.
    x : array or None
        Likewise the coordinates, where lines have their own.
    out : array
        The derivative, in the working dtype.
    shape : tuple of int
        How many lines there are in `out`, how many points of each, and the stride.
    start : int
        Where the samples begin along the axis.
    before : int
        How many of them come before those of `out`.
    """

    f: Any
    x: Any
    out: Any
    shape: tuple[int, int, int]
    start: int
    before: int


class Fits:
    """Tells at which points of a block all samples that a formula reads are valid.

    Parameters
    ----------
    valid : array
        The mask, flat, with a margin at either end.
    shape : tuple of int
        That of the block.
    margin : int
        In points along the axis.
    """

    def __init__(
        self, valid: Any, shape: tuple[int, int, int], margin: int, xp: Namespace
    ) -> None:
        self._shape, self._margin, self._xp = shape, margin, xp
        self._runs = [valid]  # where one valid sample begins, then two in a row, ...

    def __call__(self, reads: Reads) -> Any:
        found = reduce(operator.and_, [self._run(*run) for run in reads])
        if len(reads) > 1 and self._shape[0] > 1:  # what is beyond is another line's
            rows = self._xp.reshape(found, self._shape)
            rows[:, : -reads[0][0]] = False
            rows[:, self._shape[1] - sum(reads[-1]) + 1 :] = False
        return found

    def in_row(self, reads: Reads, row: int) -> Any:
        """Tell it of a row that the formula is made for."""
        runs = [self._xp.reshape(self._run(*run), self._shape) for run in reads]
        return reduce(operator.and_, [run[:, row] for run in runs])

    def _run(self, first: int, count: int) -> Any:
        """Tell whether so many samples in a row are valid, the first so far away."""
        lines, rows, stride = self._shape
        while len(self._runs) < count:
            self._runs.append(self._runs[-1][:-stride] & self._runs[-1][stride:])
            if len(self._runs) == 2 and lines > 1:  # none goes on in the next line
                self._xp.reshape(self._run(0, 2), self._shape)[:, -1] = False
        begin = (self._margin + first) * stride
        return self._runs[count - 1][begin : begin + lines * rows * stride]


class AtPoints:
    """An array as a formula sees it, at some of the points that the formula fills.

    The agnostic run asks an array for what lies so many points away from all of these;
    this answers for those at `positions`, which count through the memory of a block.
    """

    def __init__(
        self,
        array: Any,
        dtype: DType,
        positions: Any,
        formula: Formula,
        axis: int,
        stride: int,
        xp: Namespace,
    ) -> None:
        self.dtype = dtype
        self._flat = array
        self._positions = positions
        self._start = formula.start
        self._axis = axis
        self._stride = stride
        self._xp = xp
        self._taken: dict[int, Any] = {}  # neighbouring differences share a sample

    def __getitem__(self, index: Any) -> Any:
        offset = index[self._axis].start - self._start
        if offset not in self._taken:
            positions = self._positions + offset * self._stride
            taken = self._flat[positions]
            self._taken[offset] = _agnostic.prepare(taken, self.dtype, False, self._xp)
        return self._taken[offset]


def derivative(
    f: Any,
    task: Task,
    xp: Namespace,
    ops: InPlaceOps,
    write: Callable[..., Any],
    place: Any = None,
) -> Any:
    """Return one derivative, in the working dtype, in `place` if that pays.

    ``write(f, (task,), xp, ops, out, then)`` writes that of valid samples, and calls
    ``then(target)`` when a block has been written.
    """
    task = unrounded(task)
    if ops.block_bytes is None:
        return _agnostic.derivative(f, task, xp)
    if task.inner is not None:
        where = _agnostic.known(f.shape, task.inner, xp)
        f = derivative(f, task.inner, xp, ops, write)
        task = task._replace(inner=None, where=where)
    f = _agnostic.component(f, task)
    task = task._replace(component=None, sign=0)
    if math.prod(f.shape) < FEWEST_SAMPLES:
        return masked_few.derivative(f, task, xp, ops, write)
    whole = place
    if whole is None:
        whole = ops.empty_like(f, dtype=task.precision.result)
    f, (task,), (out,) = in_order_of_memory(f, [task], [whole], ops)
    mender = Mender(f, task, out, xp, ops)
    write(f, (mender.first,), xp, ops, out, mender.mend)
    return whole


class Mender:
    """Mends the blocks of a derivative where samples are missing."""

    def __init__(
        self, f: Any, task: Task, out: Any, xp: Namespace, ops: InPlaceOps
    ) -> None:
        self.f, self.task, self.out = f, task, out
        self.xp, self.ops = xp, ops
        self.first, *self.others = candidates(task)
        schemes = (self.first.scheme, *[one.scheme for one in self.others])
        self.rules = rules_of(schemes, task.coordinates is not None)
        x, length = task.coordinates, f.shape[task.axis]
        is_line = x is not None and math.prod(x.shape) == length
        self.shares_weights = is_line and length < math.prod(f.shape)
        self.weights: dict[int, WeightedFormula] = {}
        self.nbytes = math.prod(f.shape) * out.dtype.itemsize

    def mend(self, target: tuple[slice, ...]) -> None:
        """Replace what the first formula has made of missing samples in a block."""
        lengths = [rows.stop - rows.start for rows in target]
        most = min(self.nbytes // BYTES_OF_A_POINT, MOST_POINTS)
        parts = -(-math.prod(lengths) // most)
        cut = next((k for k, n in enumerate(lengths) if n > 1), 0)
        step = -(-lengths[cut] // parts)
        first, last = target[cut].start, target[cut].stop
        for start in range(first, last, step):
            self._mend(_with_rows(target, cut, slice(start, min(start + step, last))))

    def _mend(self, target: tuple[slice, ...]) -> None:
        """Replace it in a part of a block."""
        axis, length = self.task.axis, self.f.shape[self.task.axis]
        rows, margin = target[axis], self.rules.margin
        start, stop = max(rows.start - margin, 0), min(rows.stop + margin, length)
        cut = _with_rows(target, axis, slice(start, stop))
        valid = _part(self.task.where, cut)
        if not self.xp.all(valid):
            self._mend_rows(target, cut, valid)
        is_inside = margin <= rows.start <= rows.stop <= length - margin
        if any(self.rules.ghosts) and not is_inside:
            self._mend_ends(target)

    def _mend_rows(
        self, target: tuple[slice, ...], cut: tuple[slice, ...], valid: Any
    ) -> None:
        """Replace the rows of a block that are not near an end with ghosts.

        Where it has not all rows, it has one line: whatever is before is cut first.
        """
        xp, axis, ops, x = self.xp, self.task.axis, self.ops, self.task.coordinates
        out, f = self.out[target], self.f[cut]
        shape, start = tuple(out.shape), cut[axis].start
        three = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
        before, margin = (
            (n * three[2]) for n in (target[axis].start - start, self.rules.margin)
        )
        if x is not None:
            x = None if self.shares_weights else xp.broadcast_to(_part(x, cut), f.shape)
        mended = xp.reshape(out, (-1,))
        # Beyond the ends, all are missing.
        padded = ops.empty_like(
            valid, dtype=valid.dtype, shape=(mended.shape[0] + 2 * margin,)
        )
        first, last = margin - before, margin - before + math.prod(f.shape)
        padded[:first], padded[last:] = False, False
        xp.reshape(padded[first:last], f.shape)[...] = valid
        f, x = (None if a is None else xp.reshape(a, (-1,)) for a in (f, x))
        fits = Fits(padded, three, self.rules.margin, xp)
        self._replace(Block(f, x, mended, three, start, before), fits)
        if not ops.is_contiguous(out):
            out[...] = xp.reshape(mended, shape)

    def _replace(self, block: Block, fits: Fits) -> None:
        """Replace it where the first formula does not fit."""
        wanted, rules = self._wanted(block, fits), self.rules
        most = max(self.nbytes // BYTES_AT_A_POSITION, FEWEST_POSITIONS)
        for group in rules.groups:
            chosen = wanted
            if group is not rules.groups[-1]:  # for that, all are that are left
                found = [fits(rules.others[number]) for number, _ in group]
                chosen = wanted & reduce(operator.or_, found)
                wanted ^= chosen
            positions = self.ops.positions(chosen)
            for start in range(0, positions.shape[0], most):
                self._choose(group, positions[start : start + most], block, fits)

    def _wanted(self, block: Block, fits: Fits) -> Any:
        """Tell where other formulas fit than the first; where none does, write NaN."""
        xp, rules, length = self.xp, self.rules, self.f.shape[self.task.axis]
        start, count = block.start + block.before // block.shape[2], block.shape[1]
        rest = xp.logical_not(fits(rules.first))
        rows = xp.reshape(rest, block.shape)
        for row, reads in rules.edges:
            number = (row if row >= 0 else length + row) - start
            if 0 <= number < count:
                rows[:, number] = xp.logical_not(fits.in_row(reads, number))
        if rules.ghosts[0]:
            rows[:, : max(rules.margin - start, 0)] = False
        if rules.ghosts[1]:
            rows[:, max(length - rules.margin - start, 0) :] = False
        wanted = rest & reduce(operator.or_, map(fits, rules.least))
        rest ^= wanted
        block.out[rest] = math.nan
        return wanted

    def _choose(
        self, group: Sequence[tuple[int, int]], positions: Any, block: Block, fits: Fits
    ) -> None:
        """Write at some positions what the first of a group makes that fits there."""
        places: Any = group[-1][1] * block.shape[2]
        for number, shift in reversed(group[:-1]):
            fit = fits(self.rules.others[number])[positions]
            places = places + fit * (
                shift * block.shape[2] - places
            )  # `where` is slower
        places = positions + (places + block.before)
        self._run_at(positions, places, group[0][0], block)

    def _run_at(self, positions: Any, places: Any, number: int, block: Block) -> None:
        """Write at some positions what a formula makes of some points inside."""
        xp, axis, task = self.xp, self.task.axis, self.others[number]
        precision, interior = task.precision, task.scheme.interior
        formula = task.scheme.formulas[interior]

        def seen(array: Any, dtype: DType, is_wide: bool) -> Any:
            dtype = array.dtype if is_wide else dtype
            return AtPoints(array, dtype, places, formula, axis, block.shape[2], xp)

        f = seen(block.f, precision.samples, precision.wide_samples)
        if self.shares_weights:
            lines, count, stride = block.shape
            along = places // stride if stride > 1 else places
            along = along % count if lines > 1 else along
            weighted = self._weighted(number, along + (block.start - formula.start))
        else:
            if block.x is not None:
                x = seen(block.x, precision.coordinates, precision.wide_coordinates)
                task = task._replace(coordinates=x)
            weighted = _agnostic.weighted_formula(task, interior, xp)
        sums = _agnostic.sum_of(f, task, interior, weighted, xp)
        block.out[positions] = sums

    def _weighted(self, number: int, points: Any) -> WeightedFormula:
        """Return a formula at some of the points that it fills.

        The weights of all are made once, and are the same on all lines.
        """
        if number not in self.weights:
            task = self.others[number]
            formula = _agnostic.weighted_formula(task, task.scheme.interior, self.xp)
            self.weights[number] = formula.with_weights(
                lambda weights: self.xp.reshape(weights, (-1,))
            )
        return self.weights[number].with_weights(lambda weights: weights[points])

    def _mend_ends(self, target: tuple[slice, ...]) -> None:
        """Replace the rows of a block that are near an end.

        Both ends make a short array together: what reads the other end finds it there.
        """
        xp, axis, margin, task = self.xp, self.task.axis, self.rules.margin, self.task
        length, strip = self.f.shape[axis], 2 * margin
        ends = [slice(0, strip), slice(max(length - strip, strip), length)]

        def at_ends(array: Any) -> Any:
            parts = [_part(array, _with_rows(target, axis, end)) for end in ends]
            return xp.concat(parts, axis=axis)

        valid = at_ends(_agnostic.along(task.where, axis, length, xp))
        if xp.all(valid):
            return
        x = None if task.coordinates is None else at_ends(task.coordinates)
        short = task._replace(where=valid, coordinates=x)
        values = _agnostic.derivative(at_ends(self.f), short, xp)
        for own in (slice(0, margin), slice(length - margin, length)):
            first = max(own.start, target[axis].start)
            last = min(own.stop, target[axis].stop)
            if first < last:
                moved = values.shape[axis] - length if own.start else 0
                rows = (*every(axis), slice(first + moved, last + moved))
                self.out[_with_rows(target, axis, slice(first, last))] = values[rows]


def _with_rows(cut: tuple[slice, ...], axis: int, rows: slice) -> tuple[slice, ...]:
    """Return the cut with other rows along an axis."""
    return (*cut[:axis], rows, *cut[axis + 1 :])


def _part(array: Any, cut: Sequence[slice]) -> Any:
    """Return a part of an array that broadcasts with the samples."""
    pairs = zip(cut, array.shape, strict=True)
    return array[tuple([slice(None) if n == 1 else part for part, n in pairs])]
