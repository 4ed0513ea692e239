"""What lies beyond the ends of an axis: ghost points, as data.

A ghost point stands for a sample that does not exist.  Its value is that of a sample
that does, or a constant, and its coordinate follows from coordinates that exist.  A
boundary mode is one function that says so for a depth, and a row of `MODES`; the
formula at the edge stays the central one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class End(NamedTuple):
    """What has the value of a boundary: the left end of an axis, 0, or the right, 1."""

    number: int


class Ghost(NamedTuple):
    """One ghost point beyond an edge.

    Positions count from the edge inwards: 0 is the sample at the edge, and negative
    numbers count from the other end, as in any index.
    """

    #: The position whose value the ghost has; None for the constant of the boundary, or
    #: the `End` whose constant it is, where there are ghosts beyond both.
    sample: Any
    #: Pairs of positions: the ghost lies as far beyond the edge as the coordinates of
    #: the first are from those of the second, all pairs together.
    chords: tuple[tuple[int, int], ...]
    #: How many periods it lies beyond that.
    turns: int = 0

    def from_row(self, edge: int, inwards: int) -> Ghost:
        """Return it with offsets from a row in the place of positions from an edge."""

        def offset(position: int) -> int:
            return edge + inwards * position

        return Ghost(
            None if self.sample is None else offset(self.sample),
            tuple([(offset(a), offset(b)) for a, b in self.chords if a != b]),
            -inwards * self.turns,
        )


def periodic(depth: int) -> Ghost:
    """Return the sample from the other end, one period away."""
    return Ghost(-depth, ((-depth, 0),), 1)


def reflect(depth: int) -> Ghost:
    """Return the mirror image in the sample at the edge."""
    return Ghost(depth, ((0, depth),))


def symmetric(depth: int) -> Ghost:
    """Return the mirror image in the middle between the edge and its first ghost.

    On uneven coordinates, the first ghost is as far from the edge as the neighbour.
    """
    return Ghost(depth - 1, ((0, depth - 1), (0, 1)))


def edge(depth: int) -> Ghost:
    """Return the value at the edge, at the place of the mirror image."""
    return Ghost(0, ((0, depth),))


def constant(depth: int) -> Ghost:
    """Return the constant of the boundary, at the place of the mirror image."""
    return Ghost(None, ((0, depth),))


#: From the words of the public functions to the rule.  The names are `numpy.pad`'s.
MODES: dict[str, Callable[[int], Ghost]] = {
    "periodic": periodic,
    "reflect": reflect,
    "symmetric": symmetric,
    "edge": edge,
    # Beyond those that the caller brings, no rows read but such as are dropped: they
    # are as at an edge, because that takes no more points than the interior does.
    "ghosts": edge,
}

#: The boundary that has no ghosts, the one that a number stands for, and the one whose
#: ghosts are among the samples.
ONE_SIDED, CONSTANT, GHOSTS = "one_sided", "constant", "ghosts"


def rule(mode: str) -> Callable[[int], Ghost] | None:
    """Return the rule for the ghosts of a mode; None for one-sided formulas."""
    return constant if mode == CONSTANT else MODES.get(mode)


def can_be_short(left: str, right: str) -> bool:
    """Tell whether both ends have ghosts however few samples there are."""
    return not {ONE_SIDED, GHOSTS} & {left, right}


def least_points(left: str, right: str, uneven: bool) -> int:
    """Return of how many samples all ghosts can be made.

    A mirror image in the last sample needs another one; on coordinates, so does every
    length but a period.
    """
    is_mirrored = uneven and (left, right) != ("periodic", "periodic")
    return 2 if is_mirrored or "reflect" in (left, right) else 1
