"""Which of the ways to print a recording serves arrays as they lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..recorded.nodes import Range, interiors, nodes_of, straight_nodes
from .cuda_language import SIZES
from .printing import is_for_all_rows

if TYPE_CHECKING:
    from ..recorded.nodes import Node
    from ..recorded.tape import Recording

#: A memory access of a thread is that long at most.
ACCESS = 16

#: So many results a thread makes where they do not lie side by side.
APART = 4

#: What is read and made of several rows is held in registers, of so many bytes; with
#: more, fewer threads would be there to wait for memory.
MOST_BYTES_HELD = 448

#: Where points divide, all of it is read before the first division, and each of these
#: takes registers, too.
MOST_BYTES_HELD_TO_DIVIDE = 256

#: Nor do several rows take more operations than these: their compilation takes longer
#: than half a second, and there are no registers left for many threads.
MOST_AT_ONCE = 1000

#: Fewer rows are made one by one, because the first and the last are no interior.
LEAST_ROWS = 64

#: Positions in memory beyond it take more than 32 bits; some are past the ends.
MOST_NARROW = 2**31 - 2**26


class Array(NamedTuple):
    """How an array lies in memory."""

    #: Of its first element; where that begins within 16 bytes is enough.
    address: int
    #: The strides are in bytes.
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    #: Of an element, in bytes.
    size: int

    @property
    def steps(self) -> list[int]:
        """The strides, in elements.

        One along an axis of one point leads nowhere, and may be of any size: where an
        array is a part of a large one, it may take more bits than all positions.
        """
        pairs = zip(self.shape, self.strides, strict=True)
        return [stride // self.size if n > 1 else 0 for n, stride in pairs]


class Variant(NamedTuple):
    """What is printed in more than one way."""

    #: How many results that lie side by side a thread makes; 1 where they do not.
    lanes: int
    #: Whether positions in memory have more than 32 bits.
    is_wide: bool
    #: In how many rows that follow each other it makes them.
    rows: int = 1

    @property
    def is_apart(self) -> bool:
        """Whether the results of a thread have a distance between them."""
        return self.lanes == 1

    @property
    def columns(self) -> int:
        """How many results of a row a thread makes."""
        return APART if self.is_apart else self.lanes

    def left(self, edge: Range) -> int:
        """Return how many points at the start of a row are none of the interior."""
        return (
            edge.start if self.is_apart else -(-edge.start // self.lanes) * self.lanes
        )


class Traits(NamedTuple):
    """What there is to know of a recording to choose a variant and a grid for it."""

    #: The arrays that follow the last axis, each with its own axis for that.
    followers: Sequence[tuple[int, int]]
    #: From the first to the last row that a result reads of each array.
    heights: Sequence[int]
    #: How many operations a row takes for all its points, in the interior.
    of_rows: int
    #: How many each of its points takes.
    of_points: int
    #: Whether some of that are divisions.
    divides: bool
    #: How many results there are, and the bytes of the longest dtype.
    results: int
    size: int
    #: How many points of a row are none of its interior.
    edge: Range
    #: Whether something is computed for all rows at once.
    has_tables: bool


def traits_of(recording: Recording) -> Traits:
    """Return what choosing asks of a recording; it is asked again for each shape."""
    last, results = recording.ndim - 1, recording.results
    straight = list(straight_nodes(results, recording.ndim))
    axes = [node.axes for node in straight if node.operands]
    return Traits(
        followers=sorted(_followers(results, last)),
        heights=_heights(straight, last),
        of_rows=sum(bool(a) and last not in a for a in axes),
        # What depends on the last axis alone is the same in all rows.
        of_points=sum(last in a and (a != {last} or last == 0) for a in axes),
        divides=any(node.verb == "divide" and last in node.axes for node in straight),
        results=len(results),
        # What has none, as float8, is not printed.
        size=max(SIZES.get(name, 0) for name in recording.dtypes),
        edge=interiors(results, recording.ndim)[last],
        has_tables=any(is_for_all_rows(node, last) for node in straight),
    )


def _followers(results: Sequence[Node], last: int) -> set[tuple[int, int]]:
    loads = [node for node in nodes_of(results) if node.verb == "load"]
    return {
        (node.detail[0], own)
        for node in loads
        for own, place in enumerate(node.detail[1])
        if place.follows and place.axis == last
    }


def _heights(straight: Sequence[Node], last: int) -> list[int]:
    read: dict[Any, set[int]] = {}
    for node in straight:
        if node.verb == "load" and {last - 1, last} <= node.axes:
            array, index = node.detail
            others = [p for p in index if not p.follows or p.axis < last - 1]
            at = {place.axis: place.at for place in index if place.follows}
            read.setdefault((array, tuple(others)), set()).add(at[last - 1])
    return [max(rows) - min(rows) for rows in read.values()]


def variant_of(
    traits: Traits, arrays: Sequence[Array], outs: Sequence[Array]
) -> Variant | None:
    """Return the variant for arrays; None where strides are no whole elements."""
    both = (*arrays, *outs)
    if any(stride % array.size for array in both for stride in array.strides):
        return None
    extents = [
        sum((n - 1) * abs(step) for n, step in zip(a.shape, a.steps, strict=True))
        for a in both
    ]
    lanes = ACCESS // max([out.size for out in outs])
    shape = outs[0].shape
    along_last = [(arrays[number], own) for number, own in traits.followers]
    along_last += [(out, len(shape) - 1) for out in outs]
    while lanes > 1 and not all(_fits(a, own, lanes) for a, own in along_last):
        lanes //= 2
    variant = Variant(lanes, max(extents) >= MOST_NARROW)
    if len(shape) < 2 or shape[-2] < LEAST_ROWS:
        return variant
    return variant._replace(rows=rows_of(traits, variant.columns))


def _fits(array: Array, own: int, lanes: int) -> bool:
    """Tell whether so many elements can be read at once, wherever they begin."""
    at_once = min(lanes * array.size, ACCESS)
    if array.strides[own] != array.size or array.address % at_once:
        return False
    lengths = zip(array.shape, array.strides, strict=True)
    return all(
        stride % at_once == 0
        for axis, (length, stride) in enumerate(lengths)
        if axis != own and length > 1
    )


def rows_of(traits: Traits, columns: int) -> int:
    """Return how many rows share their loads, as far as there are registers."""
    if not any(traits.heights):
        return 1
    work = traits.of_rows + columns * traits.of_points
    most = MOST_BYTES_HELD_TO_DIVIDE if traits.divides else MOST_BYTES_HELD
    for rows in (4, 2):
        held = sum(height + rows for height in traits.heights) + rows * traits.results
        is_held = held * columns * traits.size <= most
        if is_held and rows * work <= MOST_AT_ONCE:
            return rows
    return 1
