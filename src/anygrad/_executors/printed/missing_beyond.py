"""Ends of axes, as if all samples beyond them were missing.

Each run of valid samples has the rows of an array of its own, and so has an axis whose
ends are one-sided.  Then the formulas of the interior serve at all points, if what a
mask has beyond an end is taken for false: one loop for all rows, and few choices for
what is left of them.  That is not taken for granted, but shown of each recording: what
it has near an end must be what is left there of the interior's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..recorded.nodes import LENGTH, Tape, interior, nodes_of
from .settled import Known, Settling

if TYPE_CHECKING:
    from ..recorded.nodes import Node, Range


def serve_everywhere(results: Sequence[Node], ranges: Sequence[Range]) -> bool:
    """Tell whether results with masks may have the interior's formulas anywhere."""
    parts = list(nodes_of(results))
    # Most calls have no masks, and are not to be looked through.
    if not any(map(_is_mask, parts)) or not all(map(_chooses_along_one_axis, parts)):
        return False
    at, tape = interior(len(ranges)), Tape(None)
    inner = Settling(at, tape)
    nodes = [inner.settled(node) for node in results]
    masks = [node for node in nodes_of(nodes) if _is_mask(node)]
    for axis, (start, end) in enumerate(ranges):
        for place in (*range(start), *range(LENGTH - end, LENGTH)):
            there = Settling((*at[:axis], place, *at[axis + 1 :]), tape)
            beyond = [frozenset([n]) for n in masks if _is_beyond(n, axis, place)]
            missing = Known(false=frozenset(beyond))
            for result, node in zip(results, nodes, strict=True):
                if there.settled(result) is not inner.settled(node, missing):
                    return False
    return bool(masks)


def _is_mask(node: Node) -> bool:
    """Tell whether a node reads an element of a mask."""
    return node.verb == "load" and node.dtype == "bool"


def _chooses_along_one_axis(node: Node) -> bool:
    """Tell whether a choice depends on the position along one axis at most.

    Then what is so near one end, and near the end of another axis, is so near both.
    """
    if node.verb not in ("where", "pieces"):
        return True
    axes = set()
    for part in nodes_of([node]):
        if part.verb == "pieces":
            axes.add(part.detail[0])
        elif _is_mask(part):
            axes.update([p.axis for p in part.detail[1] if p.follows and p.at])
    return len(axes) < 2


def _is_beyond(load: Node, axis: int, place: int) -> bool:
    """Tell whether an array is read beyond an end, at a position along an axis."""
    return any(
        p.follows and p.axis == axis and not 0 <= place + p.at < LENGTH
        for p in load.detail[1]
    )
