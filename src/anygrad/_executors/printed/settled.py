"""What is left of expressions where choices are settled.

At one position, each choice among pieces of an axis is known.  And of two choices, the
one may decide the other: a formula that is taken where all of its samples are valid
needs no zeros in the place of the missing ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..recorded.nodes import Node, Tape, nodes_of, only_operand


class Known(NamedTuple):
    """What is known of conditions."""

    #: Those that hold.
    true: frozenset[Node] = frozenset()
    #: Of each of these, some does not.
    false: frozenset[frozenset[Node]] = frozenset()


NOTHING = Known()


class Settling:
    """Expressions at one position, each once."""

    def __init__(self, at: tuple[int, ...], tape: Tape | None = None) -> None:
        #: The position along each axis.
        self.at = at
        #: Where they are written down: those of several positions that share one are
        #: the same node where they compute the same in the same way.
        self._tape = tape or Tape(None)
        self._known: dict[tuple[Node, Known], Node] = {}

    def settled(self, node: Node, known: Known = NOTHING) -> Node:
        """Return what a node is where it is known what some conditions are."""
        found = self._known.get((node, known))
        if found is None:
            found = self._known[node, known] = self._settle(node, known)
        return found

    def _settle(self, node: Node, known: Known) -> Node:
        only = only_operand(node, self.at)
        if only is not None:
            return self.settled(only, known)
        if node.verb != "where":
            operands = [self.settled(operand, known) for operand in node.operands]
            return self._tape.node(node.verb, operands, node.dtype, node.detail)
        condition, (_, first, second) = self.settled(node.operands[0]), node.operands
        parts = _parts_of(condition)
        if parts <= known.true:
            return self.settled(first, known)
        if any(map(parts.issuperset, known.false)) or _is_false(condition):
            return self.settled(second, known)
        return self._choice(
            condition,
            self.settled(first, known._replace(true=known.true | parts)),
            self.settled(second, known._replace(false=known.false | {parts})),
        )

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
                return self._tape.node("divide", (dividend, divisor), first.dtype)
        return self._tape.node("where", (condition, first, second), first.dtype)

    def first_choices(self, results: Sequence[Node]) -> tuple[list[Node], list[Node]]:
        """Return what must hold for the first of all choices to be taken.

        And what is left of the results then.
        """
        chosen = nodes_of(results, _first_operands)
        found = [_parts_of(n.operands[0]) for n in chosen if n.verb == "where"]
        if not found:  # as of most calls, which have no masks
            return [], list(results)
        parts = frozenset().union(*found)
        # In an order that is the same in each process: texts are kept by what they are.
        in_order = [node for node in nodes_of(results) if node in parts]
        conditions = sorted(in_order, key=lambda node: str(node.detail))
        return conditions, [self.settled(node, Known(parts)) for node in results]

    def further(self, node: Node, by: int) -> Node:
        """Return what a settled node is so many points further along the first axis."""
        return self._tape.placed(node, 0, 0, by)


def _parts_of(condition: Node) -> frozenset[Node]:
    """Return what must all be true for a condition to be."""
    if condition.verb != "bitwise_and" or condition.dtype != "bool":
        return frozenset([condition])
    return frozenset().union(*map(_parts_of, condition.operands))


def _first_operands(node: Node) -> Sequence[Node]:
    return node.operands[1:2] if node.verb == "where" else node.operands


def _is_false(node: Node) -> bool:
    return node.verb == "constant" and not node.detail


def _is_nan(node: Node) -> bool:
    value = node.detail if node.verb == "constant" else None
    return isinstance(value, float) and math.isnan(value)
