"""The blocks of one result: what is prepared of them, and how they are played."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .blocks import Bound
    from .operations import InPlaceOps

#: Integers up to this size are floating numbers of 64 bits, to which no other is
#: rounded.
LARGEST_EXACT = 2**53 - 1


class Piece(NamedTuple):
    """One block, and how it is played."""

    #: By which program, and by which other one if some of its integers are no
    #: floating numbers.
    bounds: list[Bound]
    #: What it reads of each operand, None for all; None where it reads all of each.
    cuts: tuple[Any, ...] | None
    #: Which of the samples there are read, where it is asked how large they are.
    looked_at: tuple[slice, ...]
    #: Where it is in the result.
    target: tuple[slice, ...]
    #: Whether it is what blocks have left near an end of their axes.
    is_end: bool = False


class Prepared(NamedTuple):
    """All blocks of a derivative, as its shape and the order of memory decide them."""

    #: For which it has been cut.
    ops: InPlaceOps
    #: Groups may be done at the same time, what is in one in its order.
    groups: Sequence[Sequence[Piece]]
    #: The only program, where it is for all as it is.
    alone: Bound | None
    #: The operands that are repeated over the lines of a block, and their axes.
    weights: tuple[tuple[int, int], ...]
    #: Of each task, as that of its `Term`.
    shares_weights: Sequence[bool]

    @property
    def pieces(self) -> list[Piece]:
        """All blocks."""
        return [piece for group in self.groups for piece in group]


class Unplayed(NamedTuple):
    """A result of which nothing is written yet."""

    known: Prepared
    #: In the order of the recording.
    operands: list[Any]
    out: Any


def play(results: Sequence[Unplayed]) -> None:
    """Write all blocks of some results.

    Those of a place come one after the other: they read the same samples, and parts of
    a stack lie in the same memory.
    """
    blocks: list[tuple[float, Callable[..., None], Sequence[Piece], Any]] = []
    for known, operands, out in results:
        if 0 in out.shape:  # of its pieces, some would be shorter than that
            continue
        if known.alone is not None:
            known.alone.play(operands, out, known.alone.indices)
            continue
        write, count = player(known, operands), len(known.groups)
        blocks += [(k / count, write, one, out) for k, one in enumerate(known.groups)]
    if blocks:
        blocks.sort(key=itemgetter(0))
        results[0].known.ops.for_each(_write, blocks)


def _write(block: tuple[float, Callable[..., None], Sequence[Piece], Any]) -> None:
    _, write, group, out = block
    for piece in group:
        write(piece, out[piece.target])


def player(known: Prepared, operands: list[Any]) -> Callable[[Piece, Any], None]:
    """Return ``write(piece, target)``, which writes a block where it is told to."""
    ops = known.ops
    known_spread: dict[Any, Any] = {}

    def write(piece: Piece, target: Any) -> None:
        read = list(operands)
        if piece.cuts is not None:
            pairs = zip(operands, piece.cuts, strict=True)
            read = [array if cut is None else array[cut] for array, cut in pairs]
        bound, *others = piece.bounds
        if others and not are_exact(read[0][piece.looked_at], ops):
            (bound,) = others
        for place, axis in () if piece.is_end else known.weights:
            lengths = tuple(target.shape)
            key = place, lengths
            if key not in known_spread:
                known_spread[key] = spread(operands[place], axis, lengths, ops)
            read[place] = known_spread[key]
        bound.play(read, target, bound.indices)

    return write


def are_exact(f: Any, ops: InPlaceOps) -> bool:
    """Tell whether wide integers are floating numbers, or have been before."""
    least, greatest = ops.extremes(f)  # type: ignore[misc]
    return least >= -LARGEST_EXACT and greatest <= LARGEST_EXACT


def spread(weights: Any, axis: int, lengths: tuple[int, ...], ops: InPlaceOps) -> Any:
    """Return weights repeated over a block of whole lines, as one run."""
    xp, missing = ops.namespace, list(weights.shape)
    missing[axis] = lengths[axis] - missing[axis]
    rest = ops.empty_like(weights, dtype=weights.dtype, shape=tuple(missing))
    rest[...] = 0
    padded = xp.concat([weights, rest], axis=axis)
    return xp.reshape(xp.broadcast_to(padded, lengths), (-1,))
