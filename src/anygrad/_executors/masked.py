"""Derivatives of which some samples are missing, in blocks whose masks are looked at.

At most points the first formula fits, as if nothing were missing: all samples are
differentiated that way, fast, and what it makes of missing ones is replaced.  Inside of
the axis, the valid samples to either side of a point, counted on bools, which are
small, say which formula it gets; that is then run at those points only that want it.
Near the ends, the lines that have holes there are run through, as short arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .. import _agnostic, _formulas
from .._executors import masked_ends
from .._executors.blocks import every
from .._records import candidates, unrounded

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._formulas import Formula
    from .._records import Task
    from .._schemes import Scheme
    from .._typing import Namespace

#: ``differentiate(f, task, xp, ops)`` returns a derivative of valid samples.
Differentiate: TypeAlias = Callable[..., Any]

#: Rows are cut where there are so many times as many as stand beside them.
MANY_MARGINS = 8

#: Fewer samples take less time to be run through than to be chosen from.
FEWEST_SAMPLES = 2**13


class Needs(NamedTuple):
    """Which samples beside a point must be valid.

    Attributes
    ----------
    left, right, together : int
        How many in a row to the left of it, to the right, and on both sides.
    itself : bool
        Whether its own must be.
    """

    left: int
    right: int
    together: int
    itself: bool


class Choice(NamedTuple):
    """Which formula a point inside of an axis gets.

    Attributes
    ----------
    left, right : int
        How many points any formula reads to either side.
    table : tuple of int
        The number of the first candidate that fits, and how many there are where none
        does.  Its place counts whether the point itself is valid, how many to the left
        of it are valid, without a hole and up to `left`, and how many to the right.
    first, least : sequence of Needs
        What the first candidate needs, and what a point needs to have any.
    """

    left: int
    right: int
    table: tuple[int, ...]
    first: Sequence[Needs]
    least: Sequence[Needs]

    @property
    def margin(self) -> int:
        """The number of points at an end whose formulas are not in the table."""
        return max(self.left, self.right)


class Cut(NamedTuple):
    """Where a block lies: a part along an axis."""

    axis: int
    part: slice

    def of(self, array: Any) -> Any:
        """Return that part of an array that broadcasts with the samples."""
        if array is None or array.shape[self.axis] == 1:
            return array
        return array[(*every(self.axis), self.part)]


class Block(NamedTuple):
    """A part of a derivative, with all that its points read.

    Attributes
    ----------
    f, valid : array
        The samples and the mask.
    out : array
        The derivative, in the working dtype.
    tasks : sequence of Task
        The candidates, with the coordinates of the block.
    xp : module
        The namespace.
    ops : InPlaceOps
        The operations of the library.
    """

    f: Any
    valid: Any
    out: Any
    tasks: Sequence[Task]
    xp: Namespace
    ops: InPlaceOps

    def prepared(self) -> Block:
        """Return the block with its arrays made ready for choosing points."""
        task, xp = self.tasks[0], self.xp
        precision, x = task.precision, task.coordinates
        f = _agnostic.prepare(self.f, precision.samples, precision.wide_samples, xp)
        if x is not None:
            is_wide = precision.wide_coordinates
            x = _agnostic.prepare(x, precision.coordinates, is_wide, xp)
            x = self.in_order(xp.broadcast_to(x, f.shape))
        tasks = [task._replace(coordinates=x) for task in self.tasks]
        return self._replace(f=self.in_order(f), tasks=tasks)

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
        self._stride = math.prod(array.shape[axis + 1 :])
        self._take = xp.take
        self._taken: dict[int, Any] = {}  # neighbouring differences share a sample

    def __getitem__(self, index: Any) -> Any:
        offset = index[self._axis].start - self._start
        if offset not in self._taken:
            positions = self._positions + offset * self._stride
            self._taken[offset] = self._take(self._flat, positions, axis=0)
        return self._taken[offset]


def derivative(
    f: Any,
    task: Task,
    xp: Namespace,
    ops: InPlaceOps,
    differentiate: Differentiate,
) -> Any:
    """Return one derivative, in the working dtype."""
    task = unrounded(task)
    if ops.block_bytes is None or math.prod(f.shape) < FEWEST_SAMPLES:
        return _agnostic.derivative(f, task, xp)
    if task.inner is not None:
        where = _agnostic.known(f.shape, task.inner, xp)
        f = derivative(f, task.inner, xp, ops, differentiate)
        task = task._replace(inner=None, where=where)
    f = _agnostic.component(f, task)
    task = task._replace(component=None, sign=0)
    tasks = [one._replace(kept=None) for one in candidates(task)]
    choice = _choice(tuple([one.scheme for one in tasks]), task.coordinates is not None)
    out = differentiate(f, candidates(task)[0], xp, ops)

    def replace(cut: Cut) -> None:
        grid = cut.of(task.coordinates)
        parts = [one._replace(coordinates=grid) for one in tasks]
        arrays = cut.of(f), cut.of(task.where), cut.of(out)
        _replace_inside(Block(*arrays, parts, xp, ops), choice)

    if f.shape[task.axis] > 2 * choice.margin:
        ops.for_each(replace, _rows(f, task, choice) or _lines(f, task))
    masked_ends.replace(f, task, out, choice.margin, xp, ops)
    return out


@lru_cache(64)
def _choice(schemes: tuple[Scheme, ...], on_coordinates: bool) -> Choice:
    """Return which formula of several schemes a point inside of all edges gets."""
    reads = [
        _formulas.samples_read(scheme.formulas[scheme.interior], on_coordinates)
        for scheme in schemes
    ]
    needs = [
        Needs(-min(read), max(read), max(read) - min(read), 0 in read) for read in reads
    ]
    left, right = max([one.left for one in needs]), max([one.right for one in needs])
    table = [
        next(
            (
                number
                for number, (a, b, _, itself) in enumerate(needs)
                if a <= before and b <= after and (is_valid or not itself)
            ),
            len(needs),
        )
        for is_valid in (False, True)
        for before in range(left + 1)
        for after in range(right + 1)
    ]
    # Of as few points as there are, there is a formula for each place among them.
    fewest = min([one.together for one in needs if one.itself])
    least = [Needs(0, 0, fewest, itself=True)]
    least += sorted([one for one in needs if not one.itself])[:1]
    return Choice(left, right, tuple(table), needs[:1], least)


def _rows(f: Any, task: Task, choice: Choice) -> list[Cut]:
    """Return blocks along the first axis: no copies, and no long line at once.

    Empty where another axis is differentiated along, and where there are too few rows
    beside those on the margins.
    """
    count, margin = f.shape[0], choice.margin
    rows = masked_ends.BLOCK * count // math.prod(f.shape)
    if task.axis != 0 or (f.ndim > 1 and rows < MANY_MARGINS * margin):
        return []
    starts = range(margin, count - margin, rows)
    return [
        Cut(0, slice(start - margin, min(start + rows + margin, count)))
        for start in starts
    ]


def _lines(f: Any, task: Task) -> list[Cut]:
    """Return blocks of whole lines."""
    others = [k for k in range(f.ndim) if k != task.axis]
    across = max(others, key=lambda k: f.shape[k])
    extent = max(masked_ends.BLOCK * f.shape[across] // math.prod(f.shape), 1)
    starts = range(0, f.shape[across], extent)
    return [Cut(across, slice(start, start + extent)) for start in starts]


def _replace_inside(block: Block, choice: Choice) -> None:
    """Replace what the first formula has made of missing samples, but near the ends."""
    xp, axis = block.xp, block.tasks[0].axis
    if xp.all(block.valid):
        return
    valid = xp.broadcast_to(block.valid, block.f.shape)
    margin = choice.margin
    inside = (*every(axis), slice(margin, valid.shape[axis] - margin))
    left = _valid_beside(valid, axis, margin, -choice.left, xp)
    right = _valid_beside(valid, axis, margin, choice.right, xp)
    itself = valid[inside]
    has_formula, is_first = (
        _fits(needs, left, right, itself, xp) for needs in (choice.least, choice.first)
    )
    if xp.all(is_first):
        return
    block.out[inside][xp.logical_not(has_formula)] = math.nan
    others = xp.reshape(xp.logical_and(has_formula, xp.logical_not(is_first)), (-1,))
    (found,) = xp.nonzero(others)
    if not found.shape[0]:
        return

    def at_found(counts: Any) -> Any:
        flat = xp.reshape(counts, (-1,))
        return xp.astype(xp.take(flat, found, axis=0), xp.int64)

    places = at_found(itself) * (choice.left + 1) + at_found(left)
    places = places * (choice.right + 1) + at_found(right)
    table = xp.asarray(choice.table, dtype=xp.uint8, device=block.valid.device)
    numbers = xp.take(table, places, axis=0)
    positions = _outside(found, margin, axis, block.f.shape)
    block = block.prepared()
    for number, task in enumerate(block.tasks[1:], 1):
        chosen = positions[numbers == number]
        if chosen.shape[0]:
            _write_at(chosen, task, block)


def _fits(
    needs: Sequence[Needs], left: Any, right: Any, itself: Any, xp: Namespace
) -> Any:
    """Tell which points have what any of some formulas needs."""
    found: Any = None
    for before, after, together, reads_itself in needs:
        fits = xp.logical_and(left >= before, right >= after)
        if together > before + after:
            fits = xp.logical_and(fits, left + right >= together)
        if reads_itself:
            fits = xp.logical_and(fits, itself)
        found = fits if found is None else xp.logical_or(found, fits)
    return found


def _outside(found: Any, margin: int, axis: int, shape: Sequence[int]) -> Any:
    """Return positions in a block for those among its points inside of the margins."""
    stride = math.prod(shape[axis + 1 :])
    skipped, inner = margin * stride, (shape[axis] - 2 * margin) * stride
    if not math.prod(shape[:axis]) > 1:
        return found + skipped
    return found + skipped * (1 + 2 * (found // inner))


def _valid_beside(valid: Any, axis: int, margin: int, reach: int, xp: Namespace) -> Any:
    """Count the valid samples beside each point up to a hole, at most so many.

    A negative reach is to the left.
    """
    step, length = (1 if reach > 0 else -1), valid.shape[axis]
    unbroken: Any = None
    count: Any = None
    for offset in range(step, reach + step, step):
        part = slice(margin + offset, length - margin + offset)
        beside = valid[(*every(axis), part)]
        unbroken = beside if unbroken is None else xp.logical_and(unbroken, beside)
        count = xp.astype(unbroken, xp.uint8) if count is None else count + unbroken
    return count


def _write_at(positions: Any, task: Task, block: Block) -> None:
    """Write what a formula makes of the points at some positions in memory."""
    values = _values_at(positions, task, block)
    if block.ops.is_contiguous(block.out):
        block.xp.reshape(block.out, (-1,))[positions] = values
    else:
        block.out[_unravelled(positions, block.f.shape)] = values


def _values_at(positions: Any, task: Task, block: Block) -> Any:
    xp, axis, number = block.xp, task.axis, task.scheme.interior
    formula = task.scheme.formulas[number]

    def at(array: Any) -> Any:
        return AtPoints(array, positions, formula, axis, xp)

    if task.coordinates is not None:
        task = task._replace(coordinates=at(task.coordinates))
    return _agnostic.weighted_sum(at(block.f), task, number, xp)


def _unravelled(positions: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """Return the indices along each axis of points by their positions in memory."""
    along = []
    for length in reversed(shape[1:]):
        along.append(positions % length)
        positions = positions // length
    return (positions, *reversed(along))
