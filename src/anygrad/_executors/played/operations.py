"""The operations of a library that write in place, for blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..._typing import Namespace
    from ..memory import Memory
    from .scratch import Scratch
    from .spaces import Moves


#: A small array is not cut into smaller blocks.
LEAST_BYTES = 2**19


class InPlaceOps(NamedTuple):
    """The operations of a library that write in place."""

    #: In which its arrays are computed with.
    namespace: Namespace
    #: By the standard's names: ``verb(a, b, out=out)``, or of one operand; without
    #: `out`, they make an array.  There is a "reciprocal", too, where no numbers but
    #: only arrays can be divided; and ``choose(condition, a, out=out)`` writes what
    #: is chosen of an array, and leaves the rest.
    verbs: Mapping[str, Callable[..., Any]]
    #: ``empty_like(f, dtype=dtype, shape=None)``: not filled, in the memory order of
    #: `f`, or of a shape of its own.
    empty_like: Callable[..., Any]
    #: ``turned(f, dtype)``: a copy in which the last axis is the slowest.
    turned: Callable[[Any, Any], Any]
    #: Memory for what lives no longer than a block; None where it is made each time.
    scratch: Scratch | None
    #: How its arrays lie.
    memory: Memory
    #: ``extremes(f)``: the least and the greatest of integers, as Python's; None
    #: where looking at values would wait for a device.
    extremes: Callable[[Any], tuple[int, int]] | None
    #: ``bits(array)``: what tells the values of a short array from all others; None
    #: where looking at values would wait for a device.
    bits: Callable[[Any], bytes] | None
    #: How small calls are made again on the same memory; None where they are not.
    moves: Moves | None
    #: How large a block of the result should be; None for no blocks.
    block_bytes: int | None
    #: How large it should be if it has scratch arrays of its size beside it.
    scratch_bytes: int
    #: Whether a smaller array has smaller blocks, too: not where each operation on a
    #: block is shared by threads, which wait for each other after it.
    cuts_small_arrays: bool
    #: Weights are spread over a block where a loop would be shorter than this, or
    #: than twice if they vary within it; 0 for never.
    short_loop: int
    #: ``for_each(function, blocks)``: one after the other, or on several threads.
    for_each: Callable[[Callable[[Any], None], Iterable[Any]], None]

    def points_within(
        self, nbytes: int, itemsize: int, samples: int, fewest: int
    ) -> int | None:
        """Return how many points a block of so many bytes has; None for all.

        Of a result with so many samples there are so many blocks, or more, if these are
        not too small.
        """
        if self.block_bytes is None:
            return None
        if self.cuts_small_arrays:
            nbytes = min(nbytes, max(samples // fewest * itemsize, LEAST_BYTES))
        return max(nbytes // itemsize, 1)


def one_by_one(function: Callable[[Any], None], blocks: Iterable[Any]) -> None:
    """Do the blocks one after the other."""
    for block in blocks:
        function(block)
