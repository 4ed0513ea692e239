"""What is left of expressions where choices are settled.

At one position, each choice among pieces of an axis is known.  And of two choices, the
one may decide the other: a formula that is taken where all of its samples are valid
needs no zeros in the place of the missing ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._executors.nodes import Node
from .._executors.printing import only_operand


class Settling:
    """Expressions at one position, each once.

    Parameters
    ----------
    at : tuple of int
        The position along each axis.
    """

    def __init__(self, at: tuple[int, ...]) -> None:
        self.at = at
        self._nodes: dict[Any, Node] = {}
        self._known: dict[tuple[Node, frozenset[Node]], Node] = {}
        self._further: dict[tuple[Node, int], Node] = {}

    def settled(self, node: Node, true: frozenset[Node] = frozenset()) -> Node:
        """Return what a node is where some conditions hold."""
        known = self._known.get((node, true))
        if known is None:
            known = self._known[node, true] = self._settle(node, true)
        return known

    def _settle(self, node: Node, true: frozenset[Node]) -> Node:
        only = only_operand(node, self.at)
        if only is not None:
            return self.settled(only, true)
        if node.verb != "where":
            operands = [self.settled(operand, true) for operand in node.operands]
            return self._node(node.verb, operands, node, node.detail)
        condition = self.settled(node.operands[0])
        parts = _parts_of(condition)
        if parts <= true:
            return self.settled(node.operands[1], true)
        second = self.settled(node.operands[2], true)
        if condition.verb == "constant" and not condition.detail:
            return second
        first = self.settled(node.operands[1], true | parts)
        return self._choice(condition, first, second)

    def _choice(self, condition: Node, first: Node, second: Node) -> Node:
        """Return one of two values; a quotient, if they are, of what is chosen.

        A division takes as long as a dozen choices.
        """
        if first is second:
            return first
        if first.verb == "divide" and first.dtype in ("float32", "float64"):
            dividend, divisor = first.operands
            if second.verb == "divide":
                others = second.operands
            elif _is_nan(second):  # whatever it is divided by
                others = (second, divisor)
            else:
                others = ()
            if others:
                dividend = self._choice(condition, dividend, others[0])
                divisor = self._choice(condition, divisor, others[1])
                return self._node("divide", (dividend, divisor), first)
        return self._node("where", (condition, first, second), first)

    def further(self, node: Node, by: int) -> Node:
        """Return what a settled node is so many points further along the first axis."""
        if by == 0 or 0 not in node.axes:
            return node
        known = self._further.get((node, by))
        if known is None:
            operands = [self.further(operand, by) for operand in node.operands]
            detail = node.detail
            if node.verb == "load":
                array, index = detail
                places = [
                    p._replace(at=p.at + by) if p.follows and p.axis == 0 else p
                    for p in index
                ]
                detail = (array, tuple(places))
            known = self._further[node, by] = self._node(
                node.verb, operands, node, detail
            )
        return known

    def _node(
        self, verb: str, operands: Sequence[Node], like: Node, detail: Any = None
    ) -> Node:
        """Return a node in the dtype of another one, which it has come from."""
        if verb in ("constant", "number"):  # known by themselves; 0.0 == -0.0
            return like
        key = (verb, tuple(operands), like.dtype, detail)
        known = self._nodes.get(key)
        if known is None:
            known = self._nodes[key] = Node(*key)
        return known


def _parts_of(condition: Node) -> frozenset[Node]:
    """Return what must all be true for a condition to be."""
    if condition.verb != "bitwise_and" or condition.dtype != "bool":
        return frozenset([condition])
    return frozenset().union(*map(_parts_of, condition.operands))


def _is_nan(node: Node) -> bool:
    value = node.detail if node.verb == "constant" else None
    return isinstance(value, float) and math.isnan(value)
