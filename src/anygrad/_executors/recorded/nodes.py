"""What is written down of operations on arrays: expressions of single elements."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from ..._typing import DType, Namespace

#: The length of an axis that may have any: positions that count from its end are near a
#: multiple of it, and those that count from its start are small.
LENGTH = 2**40


class Place(NamedTuple):
    """Where an array is read along one of its axes."""

    #: The axis of the results that it is.
    axis: int
    #: Whether the place moves with the position along it.
    follows: bool
    #: How far from that position, or from the start.
    at: int


#: Where an element of an array is: one place for each of its axes.
Index: TypeAlias = tuple[Place, ...]


def name_of(dtype: DType) -> str:
    """Return the standard's name of a dtype, whatever library it is from."""
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    return str(name or dtype).rpartition(".")[2]


class TooLong(Exception):  # noqa: N818 - it says what is there, not what is wrong
    """Of what is recorded or printed, there is more than can be compiled."""


class Node:
    """One operation on single elements."""

    __slots__ = ("axes", "detail", "dtype", "operands", "verb")

    def __init__(
        self, verb: str, operands: tuple[Node, ...], dtype: str, detail: Any
    ) -> None:
        #: A function of the standard; "load", "number" and "constant", which have no
        #: `operands`; or "pieces", which looks at the position and chooses one of them.
        self.verb = verb
        #: What it is done to.
        self.operands = operands
        #: The standard's name of what comes out.
        self.dtype = dtype
        #: Of a load, which array and the `Index`; of a number, which one; of a
        #: constant, its value; of pieces, the axis and the position at which each but
        #: the first begins.
        self.detail = detail
        axes: set[int] = set()
        for operand in operands:
            axes |= operand.axes
        if verb == "load":
            axes.update(place.axis for place in detail[1] if place.follows)
        elif verb == "pieces":
            axes.add(detail[0])
        #: Those of which the position matters.
        self.axes: frozenset[int] = frozenset(axes)


def nodes_of(
    results: Sequence[Node],
    operands_of: Callable[[Node], Iterable[Node]] = lambda node: node.operands,
) -> Iterator[Node]:
    """Return the nodes that results are made of, each once."""
    seen: set[Node] = set()
    left = list(results)
    while left:
        node = left.pop()
        if node not in seen:
            seen.add(node)
            left.extend(operands_of(node))
            yield node


class Range(NamedTuple):
    """The interior along an axis."""

    #: Its first point.
    start: int
    #: How many points lie behind it.
    end: int


def interior(ndim: int) -> tuple[int, ...]:
    """Return a position that is in the interior of each axis."""
    return (LENGTH // 2,) * ndim


def only_operand(node: Node, at: tuple[int, ...]) -> Node | None:
    """Return which of its operands a node is at a position; None for other nodes."""
    if node.verb == "pieces":
        axis, starts = node.detail
        return node.operands[bisect_right(starts, at[axis])]
    return None


def interiors(results: Sequence[Node], ndim: int) -> list[Range]:
    """Return the points of each axis at which nodes are straight."""
    ranges = [Range(0, 0)] * ndim
    for node in straight_nodes(results, ndim):
        if node.verb == "pieces":
            axis, starts = node.detail
            before = [start for start in starts if start <= LENGTH // 2]
            after = [LENGTH - start for start in starts if start > LENGTH // 2]
            known = ranges[axis]
            ranges[axis] = Range(max([known.start, *before]), max([known.end, *after]))
    return ranges


def straight_nodes(results: Sequence[Node], ndim: int) -> Iterator[Node]:
    """Return the nodes that results are made of in the interior, each once."""
    at = interior(ndim)

    def operands(node: Node) -> Sequence[Node]:
        only = only_operand(node, at)
        return node.operands if only is None else (only,)

    return nodes_of(results, operands)


class Weak(NamedTuple):
    """A number of Python's that comes with the call: it takes the dtype of arrays."""

    #: Which one of the call's.
    place: int
    #: Whether it makes real arrays complex.
    is_complex: bool


class Tape:
    """All nodes of a recording, each once.

    Raises `TooLong` where there would be more than `most`.
    """

    def __init__(self, namespace: Namespace, most: int | None = None) -> None:
        #: In which the arrays are computed with, asked for what dtypes become.
        self.namespace = namespace
        self._most = most
        self._nodes: dict[Any, Node] = {}
        self._names: dict[DType, str] = {}  # NumPy makes them anew

    def node(
        self, verb: str, operands: Sequence[Node], dtype: DType, detail: Any = None
    ) -> Node:
        """Return the node, a known one if there is."""
        name = self._names.get(dtype)
        if name is None:
            name = self._names[dtype] = name_of(dtype)
        # Not by equality alone: 0.0 == -0.0, and 1 == True.
        shown = repr(detail) if verb == "constant" else detail
        key = (verb, tuple(map(id, operands)), name, shown)
        known = self._nodes.get(key)
        if known is None:
            if self._most is not None and len(self._nodes) >= self._most:
                raise TooLong
            known = Node(verb, tuple(operands), name, detail)
            self._nodes[key] = known
        return known

    def placed(self, node: Node, axis: int, to: int | None, by: int) -> Node:
        """Return a node that reads `by` further along `to` what it read along an axis.

        Where `to` is None, it is read at that place, whatever the position.
        """
        known: dict[int, Node] = {}

        def visit(node: Node) -> Node:
            if axis not in node.axes:
                return node
            found = known.get(id(node))
            if found is None:
                found = known[id(node)] = change(node)
            return found

        def change(node: Node) -> Node:
            detail = node.detail
            if node.verb == "load":
                array, index = detail
                there = [
                    Place(axis if to is None else to, to is not None, place.at + by)
                    if place.follows and place.axis == axis
                    else place
                    for place in index
                ]
                return self.node("load", (), node.dtype, (array, tuple(there)))
            if node.verb == "pieces" and detail[0] == axis:
                if to is None:
                    return visit(node.operands[bisect_right(detail[1], by)])
                detail = (to, tuple([start - by for start in detail[1]]))
            operands = [visit(operand) for operand in node.operands]
            return self.node(node.verb, operands, node.dtype, detail)

        return visit(node)
