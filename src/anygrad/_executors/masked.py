"""Derivatives of which some samples are missing, in blocks whose masks are looked at.

At most points the first formula fits, as if nothing were missing: all samples are
differentiated that way, fast, and what it makes of missing ones is mended block by
block, while that is in the cache.  Which formula a point inside of the axis gets is
told from bools, which are small; it is run at those points, or at all if many want it.
Near the ends, the lines that have holes there are run through, as short arrays.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic, _formulas
from .._executors import masked_ends, masked_few
from .._executors.blocks import every
from .._executors.kernels import in_order_of_memory
from .._kept import Account, Kept
from .._records import candidates, unrounded

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._formulas import Formula, WeightedFormula
    from .._records import Task
    from .._schemes import Scheme
    from .._typing import DType, Namespace

#: Fewer samples take less time to be run through than to be chosen from.
FEWEST_SAMPLES = 2**14

#: Formulas are run at all points of a block if one in so many wants each.
MANY = 32

#: Their values have so small a part of the memory of the result that a C library does
#: not give both back to the system after each call, to be zeroed again in the next.
ROOMS = 4


class Reads(NamedTuple):
    """Which samples beside a point a formula reads.

    Attributes
    ----------
    left, right : int
        How many in a row to the left of it, and to the right.
    itself : bool
        Whether its own is read.
    """

    left: int
    right: int
    itself: bool


class Block(NamedTuple):
    """A part of a derivative, with as many points beside it as any formula reads.

    All lie in the order of their axes: what is so many points away along the axis is so
    many steps away in memory.

    Attributes
    ----------
    f, valid, out : array
        The samples, the mask, and the derivative, in the working dtype.
    x : array or None
        The coordinates.
    start : int
        Where it begins along the axis.
    stride : int
        How far apart in memory neighbours along the axis are.
    inside : slice
        What is mended, in memory; where lines end in it, not what is beside them.
    """

    f: Any
    valid: Any
    out: Any
    x: Any
    start: int
    stride: int
    inside: slice

    def beside(self, run: Any, offset: int) -> Any:
        """Return of a run through memory what lies so many points from each inside."""
        moved = offset * self.stride
        return run[self.inside.start + moved : self.inside.stop + moved]

    def unbroken(self, run: Any, reach: int) -> list[Any]:
        """Tell of each point inside whether none, one, and so on beside it are valid.

        A negative reach is to the left; None is everywhere.
        """
        step = 1 if reach > 0 else -1
        found: list[Any] = [None]
        for offset in range(step, reach + step, step):
            beside = self.beside(run, offset)
            found.append(beside if found[-1] is None else found[-1] & beside)
        return found


class AtPoints:
    """An array as a formula sees it, at some of the points that the formula fills.

    The agnostic run asks an array for what lies so many points away from all of these;
    this answers for those at `positions`, which count through memory.
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
        self._stride = math.prod(array.shape[axis + 1 :])
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
    mender = Mender(f, task, out, xp, ops, write)
    write(f, candidates(task)[:1], xp, ops, out, mender.mend)
    masked_ends.replace(f, task, out, mender.margin, xp, ops)
    return whole


class Mender:
    """Mends the blocks of a derivative where samples are missing."""

    def __init__(
        self,
        f: Any,
        task: Task,
        out: Any,
        xp: Namespace,
        ops: InPlaceOps,
        write: Callable[..., Any],
    ) -> None:
        self.f, self.task, self.out = f, task, out
        self.xp, self.ops, self.write = xp, ops, write
        first, *self.others = candidates(task)
        schemes = tuple([one.scheme for one in (first, *self.others)])
        self.reads = _reads(schemes, task.coordinates is not None)
        self.left, self.right = (
            max([one[side] for one in self.reads]) for side in (0, 1)
        )
        self.margin = max(self.left, self.right)
        self.least = _least(self.reads[1:])
        self.patterns = [_pattern(one) for one in self.others]
        # What is used again by other blocks and calls, one thread after the other.
        beside = (task.kept or Kept(Account())).beside()
        if beside.made is None:
            beside.keep((ops._replace(block_bytes=None), {}))
        self.account = beside.account
        self.uncut, self.kept = beside.made
        x, length = task.coordinates, f.shape[task.axis]
        is_line = x is not None and math.prod(x.shape) == length
        self.shares_weights = is_line and length < math.prod(f.shape)
        self.weights: dict[int, WeightedFormula] = {}
        self.room: dict[tuple[int, ...], Any] = {}

    def mend(self, target: tuple[slice, ...]) -> None:
        """Replace what the first formula has made of missing samples in a block."""
        axis, length = self.task.axis, self.f.shape[self.task.axis]
        start = max(target[axis].start - self.margin, 0)
        stop = min(target[axis].stop + self.margin, length)
        cut = (*target[:axis], slice(start, stop), *target[axis + 1 :])
        valid, out = _part(self.task.where, cut), self.out[cut]
        if stop - start <= 2 * self.margin or self.xp.all(valid):
            return
        inside = (*every(axis), slice(self.margin, stop - start - self.margin))
        if not self.xp.any(valid):
            out[inside] = math.nan
            return
        block = self._block(cut, valid, out)
        self._replace(block)
        if not self.ops.is_contiguous(out):  # what is beside may be another thread's
            out[inside] = block.out[inside]

    def _block(self, cut: tuple[slice, ...], valid: Any, out: Any) -> Block:
        shape, axis, x = tuple(out.shape), self.task.axis, None
        valid = self.xp.broadcast_to(valid, shape)
        f, valid, out = (self._in_order(one) for one in (self.f[cut], valid, out))
        if self.task.coordinates is not None:
            x = _part(self.task.coordinates, cut)
        stride = math.prod(shape[axis + 1 :])
        inside = slice(self.margin * stride, math.prod(shape) - self.margin * stride)
        return Block(f, valid, out, x, cut[axis].start, stride, inside)

    def _replace(self, block: Block) -> None:
        xp, axis, margin = self.xp, self.task.axis, self.margin
        valid, first, *others = self._run(block.valid), *self.reads
        left, right = (
            block.unbroken(valid, -self.left),
            block.unbroken(valid, self.right),
        )
        itself = block.beside(valid, 0)

        def fits(read: Reads, run: slice = slice(None)) -> Any:
            known = left[read.left], right[read.right], itself if read.itself else None
            return reduce(operator.and_, [one[run] for one in known if one is not None])

        whole = xp.empty_like(block.valid)
        rest = block.beside(self._run(whole), 0)
        xp.logical_not(fits(first), out=rest)
        for end in (slice(None, margin), slice(-margin, None)):
            whole[(*every(axis), end)] = False  # of these, the neighbours are elsewhere
        wanted = rest & reduce(operator.or_, map(fits, self.least))
        block.beside(self._run(block.out), 0)[rest ^ wanted] = math.nan
        if xp.count_nonzero(wanted) * MANY > wanted.shape[0] * len(others):
            for part, run in self._in_parts(block):
                found = [fits(read, run) for read in others]
                self._replace_many(part, wanted[run], found)
            return
        (positions,) = xp.nonzero(wanted)
        for number, read in enumerate(others):
            if positions.shape[0]:
                is_chosen = xp.take(fits(read), positions, axis=0)
                self._run_at(positions[is_chosen], number, block)
                positions = positions[~is_chosen]

    def _run(self, array: Any) -> Any:
        """Return an array as one run through memory, in the order of its axes."""
        return self.xp.reshape(array, (-1,))

    def _in_order(self, array: Any) -> Any:
        if self.ops.is_contiguous(array):
            return array
        return self.xp.reshape(self._run(array), tuple(array.shape))

    def _in_parts(self, block: Block) -> Iterator[tuple[Block, slice]]:
        """Return the parts of a block, and which run of what is inside each is."""
        shape = tuple(block.f.shape)
        overlap = 2 * self.margin if self.task.axis == 0 else 0
        line, ends = math.prod(shape[1:]), 2 * self.margin * block.stride
        parts = -(-shape[0] * line * ROOMS // math.prod(self.f.shape))
        lines = -(-(shape[0] - overlap) // parts)
        for start in range(0, shape[0] - overlap, lines):
            stop = min(start + lines + overlap, shape[0])
            cut = (slice(start, stop), *[slice(None)] * (len(shape) - 1))
            f, valid, out = block.f[cut], block.valid[cut], block.out[cut]
            x = None if block.x is None else _part(block.x, cut)
            inside = slice(ends // 2, (stop - start) * line - ends // 2)
            part = block._replace(f=f, valid=valid, out=out, x=x, inside=inside)
            yield part, slice(start * line, stop * line - ends)

    def _replace_many(self, block: Block, wanted: Any, fits: Sequence[Any]) -> None:
        """Replace points of which each takes the first formula that fits."""
        out, shape, known = block.beside(self._run(block.out), 0), block.f.shape, None
        room = self.room.pop(shape, None)
        if room is None:
            room = self.ops.empty_like(block.out, dtype=out.dtype)
        values = self._run(room)
        for number, fit in enumerate(fits):
            chosen = wanted & fit
            wanted = wanted ^ chosen
            pattern, start = self.patterns[number]
            if known is None or known[0] != pattern:
                known = pattern, start
                self._run_at_all(number, block, room)
            self.ops.put(out, chosen, block.beside(values, start - known[1]))
        self.room[shape] = room

    def _run_at_all(self, number: int, block: Block, out: Any) -> None:
        """Write what a formula makes of all samples."""
        shapes = block.f.shape, getattr(block.x, "shape", None)
        key = number, self.task.axis, shapes
        kept = self.kept.setdefault(key, Kept(self.account))
        task = self.others[number]._replace(coordinates=block.x, kept=kept)
        self.write(block.f, (task,), self.xp, self.uncut, out)

    def _run_at(self, positions: Any, number: int, block: Block) -> None:
        """Write what a formula makes of some points inside."""
        if not positions.shape[0]:
            return
        xp, axis, task = self.xp, self.task.axis, self.others[number]
        precision, interior = task.precision, task.scheme.interior
        formula, places = task.scheme.formulas[interior], positions + block.inside.start

        def seen(array: Any, dtype: DType, is_wide: bool) -> Any:
            dtype = array.dtype if is_wide else dtype
            return AtPoints(array, dtype, places, formula, axis, xp)

        f = seen(block.f, precision.samples, precision.wide_samples)
        if self.shares_weights:
            along = places // block.stride % block.f.shape[axis]
            weighted = self._weighted(number, along + (block.start - formula.start))
        else:
            if block.x is not None:
                x = xp.broadcast_to(block.x, block.f.shape)
                x = seen(x, precision.coordinates, precision.wide_coordinates)
                task = task._replace(coordinates=x)
            weighted = _agnostic.weighted_formula(task, interior, xp)
        sums = _agnostic.sum_of(f, task, interior, weighted, xp)
        self._run(block.out)[places] = sums

    def _weighted(self, number: int, points: Any) -> WeightedFormula:
        """Return a formula at some of the points that it fills.

        The weights of all are made once, and are the same on all lines.
        """
        if number not in self.weights:
            task = self.others[number]
            formula = _agnostic.weighted_formula(task, task.scheme.interior, self.xp)
            self.weights[number] = formula

        return self.weights[number].with_weights(
            lambda weights: self.xp.take(self._run(weights), points, axis=0)
        )


@lru_cache(64)
def _reads(schemes: tuple[Scheme, ...], on_coordinates: bool) -> tuple[Reads, ...]:
    """Return what the formulas read that several schemes have inside of all edges."""
    found = [
        _formulas.samples_read(scheme.formulas[scheme.interior], on_coordinates)
        for scheme in schemes
    ]
    return tuple([Reads(-min(read), max(read), 0 in read) for read in found])


@lru_cache(64)
def _least(reads: tuple[Reads, ...]) -> tuple[Reads, ...]:
    """Return those within which no other reads: where any fits, one of these does."""

    def is_within(one: Reads, other: Reads) -> bool:
        return one != other and all(map(operator.le, one, other))

    return tuple(
        [one for one in reads if not any(is_within(two, one) for two in reads)]
    )


def _pattern(task: Task) -> tuple[Any, int]:
    """Return an interior formula but for its place, and the first point that it reads.

    On coordinates, each is for itself.
    """
    formula = task.scheme.formulas[task.scheme.interior]
    if task.coordinates is not None:
        return formula, 0
    start = min([min(term[:2]) for term in formula.terms])
    terms = [(upper - start, lower - start, w) for upper, lower, w in formula.terms]
    return (terms, formula.denominator), start


def _part(array: Any, cut: Sequence[slice]) -> Any:
    """Return a part of an array that broadcasts with the samples."""
    pairs = zip(cut, array.shape, strict=True)
    return array[tuple([slice(None) if n == 1 else part for part, n in pairs])]
