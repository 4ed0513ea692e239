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

#: So many points are mended together, and no more than half of all: what is told of
#: them has so small a part of the memory of the result that a C library does not give
#: both back to the system after each call, to be zeroed again in the next.
MOST_POINTS = 2**18


class Block(NamedTuple):
    """A part of a derivative, with as many points beside it as any formula reads.

    All arrays are of three axes, of which the second is that of the derivative, and lie
    in their order: what is so many points away along it is so many steps away in
    memory.

    Attributes
    ----------
    f, valid, out : array
        The samples, the mask, and the derivative, in the working dtype.
    x : array or None
        The coordinates, where lines have their own.
    start : int
        Where it begins along the axis.
    rows : slice
        What is mended of it.
    """

    f: Any
    valid: Any
    out: Any
    x: Any
    start: int
    rows: slice


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
        xp: Namespace,
    ) -> None:
        self.dtype = dtype
        self._flat = xp.reshape(array, (-1,))
        self._positions = positions
        self._start = formula.start
        self._axis = axis
        self._stride = array.shape[2]
        self._xp = xp
        self._taken: dict[int, Any] = {}  # neighbouring differences share a sample

    def __getitem__(self, index: Any) -> Any:
        offset = index[self._axis].start - self._start
        if offset not in self._taken:
            positions = self._positions + offset * self._stride
            taken = self._xp.take(self._flat, positions, axis=0)
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

    def mend(self, target: tuple[slice, ...]) -> None:
        """Replace what the first formula has made of missing samples in a block."""
        lengths = [rows.stop - rows.start for rows in target]
        most = max(min(math.prod(self.f.shape) // 2, MOST_POINTS), FEWEST_SAMPLES)
        parts = -(-math.prod(lengths) // most)
        cut = next((k for k, n in enumerate(lengths) if n > 1), 0)
        step = -(-lengths[cut] // parts)
        first, last = target[cut].start, target[cut].stop
        for start in range(first, last, step):
            self._mend(_with_rows(target, cut, slice(start, min(start + step, last))))

    def _mend(self, target: tuple[slice, ...]) -> None:
        """Replace it in a part of a block."""
        axis, length = self.task.axis, self.f.shape[self.task.axis]
        rows, (margin, ghosts) = target[axis], (self.rules.margin, self.rules.ghosts)
        start, stop = max(rows.start - margin, 0), min(rows.stop + margin, length)
        valid = _part(self.task.where, _with_rows(target, axis, slice(start, stop)))
        if not any(ghosts) and self.xp.all(valid):
            return
        first = max(rows.start, margin) if ghosts[0] else rows.start
        last = min(rows.stop, length - margin) if ghosts[1] else rows.stop
        if first < last and not self.xp.all(valid):
            self._mend_rows(target, slice(start, stop), slice(first, last), valid)
        if any(ghosts) and not margin <= rows.start <= rows.stop <= length - margin:
            self._mend_ends(target)

    def _mend_rows(
        self, target: tuple[slice, ...], read: slice, rows: slice, valid: Any
    ) -> None:
        """Replace some rows of a block; as the samples of others are read of it."""
        xp, axis = self.xp, self.task.axis
        if not xp.any(valid):
            self.out[_with_rows(target, axis, rows)] = math.nan
            return
        cut = _with_rows(target, axis, read)
        x: Any = None
        out = self.out[cut]
        shape = tuple(out.shape)
        three = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
        if self.task.coordinates is not None and not self.shares_weights:
            x = _part(self.task.coordinates, cut)
            x = xp.reshape(xp.broadcast_to(x, shape), three)
        f, valid, mended = (
            # As one run first: three axes may be a view of what lies in no order.
            xp.reshape(xp.reshape(array, (-1,)), three)
            for array in (self.f[cut], xp.broadcast_to(valid, shape), out)
        )
        within = slice(rows.start - read.start, rows.stop - read.start)
        self._replace(Block(f, valid, mended, x, read.start, within))
        if not self.ops.is_contiguous(out):  # what is beside may be another thread's
            inside = (*every(axis), within)
            out[inside] = xp.reshape(mended, shape)[inside]

    def _replace(self, block: Block) -> None:
        xp, rules, (valid, rows) = self.xp, self.rules, (block.valid, block.rows)
        left = self._unbroken(valid, -rules.left)
        right = self._unbroken(valid, rules.right)

        def fits(read: Reads, index: Any = ...) -> Any:
            known = left[read.left], right[read.right], valid if read.itself else None
            return reduce(operator.and_, [a[index] for a in known if a is not None])

        rest = xp.logical_not(fits(rules.first))
        for row, read in rules.edges:
            number = row if row >= 0 else self.f.shape[self.task.axis] + row
            number -= block.start
            if rows.start <= number < rows.stop:
                index = (slice(None), number)
                rest[index] = xp.logical_not(fits(read, index))
        rest[:, : rows.start] = False  # of these, the neighbours are elsewhere
        rest[:, rows.stop :] = False
        wanted = rest & reduce(operator.or_, map(fits, rules.least))
        block.out[rest ^ wanted] = math.nan
        (positions,) = xp.nonzero(xp.reshape(wanted, (-1,)))

        def fits_at(number: int) -> Any:
            found = xp.reshape(fits(rules.others[number]), (-1,))
            return xp.take(found, positions, axis=0)

        for group in rules.groups:
            if not positions.shape[0]:
                return
            is_last = group is rules.groups[-1]  # then all that is left is chosen
            asked = group[:-1] if is_last else group
            found = [fits_at(number) for number, _ in asked]
            moved: Any = group[-1][1]
            for (_, shift), fit in reversed(list(zip(group[:-1], found, strict=False))):
                moved = moved + fit * (shift - moved)  # as `where`, which is slower
            places = positions + moved * valid.shape[2]
            if is_last:
                self._run_at(positions, places, group[0][0], block)
                return
            chosen = reduce(operator.or_, found)
            self._run_at(positions[chosen], places[chosen], group[0][0], block)
            positions = positions[~chosen]

    def _unbroken(self, valid: Any, reach: int) -> list[Any]:
        """Tell of each point whether none, one, and so on beside it are valid.

        A negative reach is to the left; None is everywhere.  Beyond the ends, all are
        missing.
        """
        xp, stride, both = self.xp, valid.shape[2], self.ops.verbs["bitwise_and"]
        found: list[Any] = [None]
        flat = xp.reshape(valid, (-1,))
        for distance in range(1, abs(reach) + 1):
            moved = distance * stride
            here, there = slice(None, -moved), slice(moved, None)
            beyond = slice(valid.shape[1] - distance, None)
            if reach < 0:
                here, there, beyond = there, here, slice(None, distance)
            beside = xp.empty_like(flat)
            if distance == 1:
                beside[here] = flat[there]
            else:
                both(flat[there], xp.reshape(found[-1], (-1,))[here], out=beside[here])
            beside = xp.reshape(beside, valid.shape)
            beside[:, beyond] = False
            found.append(beside)
        return found

    def _run_at(self, positions: Any, places: Any, number: int, block: Block) -> None:
        """Write at some positions what a formula makes of some points inside."""
        xp, axis, task = self.xp, self.task.axis, self.others[number]
        precision, interior = task.precision, task.scheme.interior
        formula = task.scheme.formulas[interior]

        def seen(array: Any, dtype: DType, is_wide: bool) -> Any:
            dtype = array.dtype if is_wide else dtype
            return AtPoints(array, dtype, places, formula, axis, xp)

        f = seen(block.f, precision.samples, precision.wide_samples)
        if self.shares_weights:
            along = places // block.f.shape[2] % block.f.shape[1]
            weighted = self._weighted(number, along + (block.start - formula.start))
        else:
            if block.x is not None:
                x = seen(block.x, precision.coordinates, precision.wide_coordinates)
                task = task._replace(coordinates=x)
            weighted = _agnostic.weighted_formula(task, interior, xp)
        sums = _agnostic.sum_of(f, task, interior, weighted, xp)
        xp.reshape(block.out, (-1,))[positions] = sums

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
        return self.weights[number].with_weights(
            lambda weights: self.xp.take(weights, points, axis=0)
        )

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
