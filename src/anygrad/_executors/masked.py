"""Derivatives of which some samples are missing, in blocks whose masks are looked at.

At most points the first formula fits, as if nothing were missing: all samples are
differentiated that way, fast, and what it makes of missing ones is replaced, block by
block.  Which formula fits where is decided on bools, which are small; the other
formulas are then run at those points only that want them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .. import _agnostic
from .._executors.blocks import every
from .._records import candidates, unrounded

if TYPE_CHECKING:
    from .._executors.steps import InPlaceOps
    from .._formulas import Formula
    from .._records import Task
    from .._typing import Namespace

#: ``differentiate(f, task, xp, ops)`` returns a derivative of valid samples.
Differentiate: TypeAlias = Callable[..., Any]

#: So many samples are looked at together.
BLOCK = 2**18

#: Rows are cut where there are so many times as many as stand beside them.
MANY_MARGINS = 8

#: Fewer samples take less time to be run through than to be chosen from.
FEWEST_SAMPLES = 2**13


class Cut(NamedTuple):
    """Where a block lies.

    Attributes
    ----------
    axis : int
        The axis that is cut.
    part : slice
        What is cut out along it.
    own : slice or None
        As of a block.
    """

    axis: int
    part: slice
    own: slice | None

    def of(self, array: Any) -> Any:
        """Return that part of an array that broadcasts with the samples."""
        if array is None or array.shape[self.axis] == 1:
            return array
        return array[(*every(self.axis), self.part)]


class Block(NamedTuple):
    """A part of a derivative.

    Attributes
    ----------
    f, valid : array
        The samples and the mask.
    out : array
        The derivative, in the working dtype.
    task : Task
        The first formula, with the coordinates of the block.
    xp : module
        The namespace.
    ops : InPlaceOps
        The operations of the library.
    own : slice or None
        Which rows along the first axis are its own; others only stand beside them.
        None is all.
    is_prepared : bool
        Whether samples and coordinates are of their working dtypes, of one shape, and
        in the order of their axes.
    """

    f: Any
    valid: Any
    out: Any
    task: Task
    xp: Namespace
    ops: InPlaceOps
    own: slice | None
    is_prepared: bool = False

    def prepared(self) -> Block:
        """Return the block with its arrays made ready for choosing points."""
        if self.is_prepared:
            return self
        task, precision, xp = self.task, self.task.precision, self.xp
        f = _agnostic.prepare(self.f, precision.samples, precision.wide_samples, xp)
        if task.coordinates is not None:
            is_wide = precision.wide_coordinates
            x = _agnostic.prepare(task.coordinates, precision.coordinates, is_wide, xp)
            x = self.in_order(xp.broadcast_to(x, f.shape))
            task = task._replace(coordinates=x)
        return self._replace(f=self.in_order(f), task=task, is_prepared=True)

    def in_order(self, array: Any) -> Any:
        """Return an array whose elements lie in the order of its axes."""
        if self.ops.is_contiguous(array):
            return array
        shape = tuple(array.shape)
        copy = self.ops.empty_like(array, dtype=array.dtype, shape=shape)
        copy[...] = array
        return copy


class AtPoints:
    """An array as a formula sees it, at some of the points that the formula fills.

    The agnostic run asks an array for what lies so many points away from all of these;
    this answers for those at `positions`, which count through memory.
    """

    def __init__(
        self, array: Any, positions: Any, formula: Formula, axis: int, xp: Namespace
    ) -> None:
        self.dtype = array.dtype
        self._flat = xp.reshape(array, (-1,))
        self._positions = positions
        self._start = formula.start
        self._axis = axis
        self._length = array.shape[axis]
        self._stride = math.prod(array.shape[axis + 1 :])
        self._take = xp.take

    def __getitem__(self, index: Any) -> Any:
        start = index[self._axis].start
        offset = start - self._start
        # Beyond an end of the axis, a position counts from the other one.
        if self._start < 0 <= start:
            offset -= self._length
        elif start < 0 <= self._start:
            offset += self._length
        return self._take(self._flat, self._positions + offset * self._stride, axis=0)


def derivative(
    f: Any,
    task: Task,
    xp: Namespace,
    ops: InPlaceOps,
    differentiate: Differentiate,
) -> Any:
    """Return one derivative, in the working dtype."""
    task = unrounded(task)
    is_small = math.prod(f.shape) < FEWEST_SAMPLES
    if ops.block_bytes is None or is_small or task.inner is not None:
        return _agnostic.derivative(f, task, xp)
    f = _agnostic.component(f, task)
    task = task._replace(component=None, sign=0)
    if task.period is not None and task.coordinates is not None:
        return _in_lines(f, task, xp, ops)
    first, *others = candidates(task)
    out = differentiate(f, first, xp, ops)

    def replace(cut: Cut) -> None:
        grid = cut.of(task.coordinates)
        part = first._replace(coordinates=grid)
        arrays = cut.of(f), cut.of(task.where), cut.of(out)
        block = Block(*arrays, part, xp, ops, cut.own)
        _replace(block, [o._replace(coordinates=grid, kept=None) for o in others])

    ops.for_each(replace, _rows(f, task) or _lines(f, task))
    return out


def _in_lines(f: Any, task: Task, xp: Namespace, ops: InPlaceOps) -> Any:
    """Return one derivative by the agnostic run on blocks of whole lines.

    Where coordinates turn, formulas ask for both ends of a line, which no chosen points
    have.  The run passes over a block a dozen times, and so reads the memory once.
    """
    out = ops.empty_like(f, dtype=task.precision.result)

    def write(cut: Cut) -> None:
        x, where = cut.of(task.coordinates), cut.of(task.where)
        part = task._replace(coordinates=x, where=where)
        cut.of(out)[...] = _agnostic.derivative(cut.of(f), part, xp)

    ops.for_each(write, _lines(f, task))
    return out


def _rows(f: Any, task: Task) -> list[Cut]:
    """Return blocks along the first axis: no copies, and no long line at once.

    Empty where another axis is differentiated along, where the ends of a line read each
    other, and where there are too few rows beside those on the margins.
    """
    schemes = [candidate.scheme for candidate in candidates(task)]
    margin = max(scheme.points for scheme in schemes)
    count = f.shape[0]
    rows = BLOCK * count // math.prod(f.shape)
    are_few = f.ndim > 1 and rows < MANY_MARGINS * margin
    if task.axis != 0 or are_few or any(scheme.wraps for scheme in schemes):
        return []
    cuts = []
    for start in range(0, count, rows):
        first, last = max(start - margin, 0), min(start + rows + margin, count)
        own = slice(start - first, start - first + rows)
        cuts.append(Cut(0, slice(first, last), own))
    return cuts


def _lines(f: Any, task: Task) -> list[Cut]:
    """Return blocks of whole lines; of a single line, all."""
    others = [k for k in range(f.ndim) if k != task.axis]
    if not others:
        return [Cut(0, slice(None), None)]
    across = max(others, key=lambda k: f.shape[k])
    extent = max(BLOCK * f.shape[across] // math.prod(f.shape), 1)
    starts = range(0, f.shape[across], extent)
    return [Cut(across, slice(start, start + extent), None) for start in starts]


def _replace(block: Block, others: list[Task]) -> None:
    """Replace what the first formula has made of missing samples."""
    xp = block.xp
    if xp.all(block.valid):
        return
    valid = block.in_order(xp.broadcast_to(block.valid, block.f.shape))
    missing = xp.logical_not(_agnostic.fits(valid, block.task, xp))
    if block.own is not None:
        missing[: block.own.start] = missing[block.own.stop :] = False
    for other in others:
        fits = xp.logical_and(_agnostic.fits(valid, other, xp), missing)
        missing = xp.logical_xor(missing, fits)
        if xp.any(fits):
            block = block.prepared()
            _write_at(fits, other._replace(coordinates=block.task.coordinates), block)
    block.out[missing] = math.nan


def _write_at(chosen: Any, task: Task, block: Block) -> None:
    """Write the derivative at the points that are chosen, formula by formula."""
    xp, axis, interior = block.xp, task.axis, task.scheme.interior
    for number, formula in enumerate(task.scheme.formulas):
        if number != interior:
            rows = (*every(axis), _agnostic.points(formula, 0))
            along = list(xp.nonzero(chosen[rows]))
            first = formula.start
            along[axis] += first if first >= 0 else first + chosen.shape[axis]
            _write_by(number, _ravelled(along, chosen.shape), task, block)
            chosen[rows] = False
    # All others at once: to look for them line by line takes five times as long.
    flat = xp.reshape(chosen, (-1,))
    for start in range(0, flat.shape[0], BLOCK):  # a single line may be a long one
        (positions,) = xp.nonzero(flat[start : start + BLOCK])
        _write_by(interior, positions + start, task, block)


def _write_by(number: int, positions: Any, task: Task, block: Block) -> None:
    """Write what one formula makes of the points at some positions in memory."""
    xp, axis, formula = block.xp, task.axis, task.scheme.formulas[number]
    if not positions.shape[0]:
        return

    def at(array: Any) -> Any:
        return AtPoints(array, positions, formula, axis, xp)

    if task.coordinates is not None:
        task = task._replace(coordinates=at(task.coordinates))
    values = _agnostic.weighted_sum(at(block.f), task, number, xp)
    if block.ops.is_contiguous(block.out):
        xp.reshape(block.out, (-1,))[positions] = values
    else:
        block.out[_unravelled(positions, block.f.shape)] = values


def _ravelled(along: Sequence[Any], shape: Sequence[int]) -> Any:
    """Return the positions in memory of points by their indices along each axis."""
    positions: Any = 0
    for place, length in zip(along, shape, strict=True):
        positions = positions * length + place
    return positions


def _unravelled(positions: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """Return the indices along each axis of points by their positions in memory."""
    along = []
    for length in reversed(shape[1:]):
        along.append(positions % length)
        positions = positions // length
    return (positions, *reversed(along))
