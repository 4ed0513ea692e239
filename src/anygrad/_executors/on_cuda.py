"""Which variant of a kernel serves some arrays, and on what grid it runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .._executors import cuda
from .._executors.cuda import Variant
from .._executors.symbols import nodes_of

if TYPE_CHECKING:
    from .._executors.tape import Recording

#: So many threads are in a block.
THREADS = 128

#: The counts of a grid along its second and third axis are no larger.
MOST_BLOCKS = 2**16 - 1

#: Positions in memory beyond it take more than 32 bits; some are past the ends.
MOST_NARROW = 2**31 - 2**16


class Array(NamedTuple):
    """How an array lies in memory.

    Attributes
    ----------
    address : int
        Of its first element; where that begins within 16 bytes is enough.
    shape, strides : tuple of int
        The strides are in bytes.
    size : int
        Of an element, in bytes.
    """

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    size: int

    @property
    def steps(self) -> list[int]:
        """The strides, in elements."""
        return [stride // self.size for stride in self.strides]


class Grid(NamedTuple):
    """On how many threads a kernel runs.

    Attributes
    ----------
    blocks, threads : tuple of int
        The counts of blocks, and of threads in each.
    """

    blocks: tuple[int, int, int]
    threads: tuple[int, int, int]


def variant_of(
    recording: Recording, arrays: Sequence[Array], outs: Sequence[Array]
) -> Variant | None:
    """Return the variant for arrays; None where strides are no whole elements."""
    both = (*arrays, *outs)
    if any(stride % array.size for array in both for stride in array.strides):
        return None
    extents = [
        sum((n - 1) * abs(step) for n, step in zip(a.shape, a.steps, strict=True))
        for a in both
    ]
    lanes = cuda.ACCESS // max([out.size for out in outs])
    along_last = [(arrays[number], own) for number, own in _followers(recording)]
    along_last += [(out, recording.ndim - 1) for out in outs]
    while lanes > 1 and not all(_fits(a, own, lanes) for a, own in along_last):
        lanes //= 2
    return Variant(lanes, is_wide=max(extents) >= MOST_NARROW)


def _followers(recording: Recording) -> set[tuple[int, int]]:
    """Return the arrays that follow the last axis, each with its own axis for that."""
    last = recording.ndim - 1
    loads = [node for node in nodes_of(recording.results) if node.verb == "load"]
    return {
        (node.detail[0], own)
        for node in loads
        for own, place in enumerate(node.detail[1])
        if place.follows and place.axis == last
    }


def _fits(array: Array, own: int, lanes: int) -> bool:
    """Tell whether so many elements can be read at once, wherever they begin."""
    at_once = min(lanes * array.size, cuda.ACCESS)
    if array.strides[own] != array.size or array.address % at_once:
        return False
    lengths = zip(array.shape, array.strides, strict=True)
    return all(
        stride % at_once == 0
        for axis, (length, stride) in enumerate(lengths)
        if axis != own and length > 1
    )


def grid_of(shape: Sequence[int], variant: Variant) -> Grid:
    """Return the grid for results of a shape."""
    *others, rows, length = (1, *shape) if len(shape) < 2 else shape
    columns = -(-length // variant.lanes)
    width = min(_power_of_two(columns), THREADS)
    height = min(_power_of_two(rows), THREADS // width)
    each = width if variant.lanes > 1 else width * cuda.APART
    blocks = (
        -(-columns // each),
        min(-(-rows // height), MOST_BLOCKS),
        min(math.prod(others), MOST_BLOCKS),
    )
    return Grid(blocks, (width, height, 1))


def _power_of_two(count: int) -> int:
    """Return the least power of two that is not less."""
    return 1 << (count - 1).bit_length()
