"""What a recording computes, each value once up to a shift.

Two terms of a formula often read the same difference of neighbours, or the same
reciprocal of a step, at points that lie apart.  In a recording these are two nodes;
here they are one value, which is read at two places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ..recorded.nodes import Node

#: How far along each axis from a point something is read.
Shift: TypeAlias = tuple[int, ...]


class Value:
    """One operation at every point."""

    __slots__ = ("axes", "detail", "dtype", "operands", "verb")

    def __init__(
        self,
        verb: str,
        operands: tuple[tuple[Value, Shift], ...],
        dtype: str,
        detail: Any,
        axes: frozenset[int],
    ) -> None:
        #: As those of a `Node`.
        self.verb = verb
        self.dtype = dtype
        self.axes = axes
        #: What it is done to, and how far from its own point that is.
        self.operands = operands
        #: As that of a node; a load is at its own point.
        self.detail = detail

    def is_constant(self, number: float) -> bool:
        """Tell whether it is this number, at every point."""
        return self.verb == "constant" and bool(self.detail == number)


class Values:
    """All values of a recording."""

    def __init__(self, ndim: int) -> None:
        self._zero: Shift = (0,) * ndim
        self._known: dict[Any, Value] = {}
        self._of_nodes: dict[Node, tuple[Value, Shift]] = {}

    def of(self, node: Node) -> tuple[Value, Shift]:
        """Return what a node is at a point: a value, read so far from there."""
        found = self._of_nodes.get(node)
        if found is None:
            found = self._of_nodes[node] = self._made(node)
        return found

    def _made(self, node: Node) -> tuple[Value, Shift]:
        verb, detail = node.verb, node.detail
        if verb == "load":
            shift = list(self._zero)
            for place in detail[1]:
                if place.follows:
                    shift[place.axis] = place.at
            at = [
                place._replace(at=0) if place.follows else place for place in detail[1]
            ]
            detail = (detail[0], tuple(at))
            return self._value(verb, (), node.dtype, detail, node.axes), tuple(shift)
        operands = [self.of(operand) for operand in node.operands]
        if verb == "multiply":
            for one, other in (operands, reversed(operands)):
                if one[0].is_constant(1) and "complex" not in node.dtype:
                    return other
        if verb in ("add", "subtract"):
            verb, operands = _without_negation(verb, operands)
        if verb == "where" and node.operands[1].verb == "pieces":
            # Each is chosen by itself: what they have in common is not taken out.
            pieces = node.operands[1]
            made = list(map(self.of, pieces.operands))
            operands[1] = self._operation("pieces", made, pieces)
        scale = _scale_of_all(operands, node.dtype) if verb == "pieces" else None
        if scale is None:
            return self._operation(verb, operands, node)
        unscaled = [_moved(value.operands[0], shift) for value, shift in operands]
        whole, base = self._operation(verb, unscaled, node)
        scaled = (whole, self._zero), (scale, self._zero)
        return self._value("multiply", scaled, node.dtype, None, node.axes), base

    def _operation(
        self, verb: str, operands: list[tuple[Value, Shift]], node: Node
    ) -> tuple[Value, Shift]:
        """Return what is done to some operands, read from its own point on."""
        detail, base = node.detail, list(self._zero)
        for axis in node.axes:
            if verb != "pieces" or detail[0] != axis:
                base[axis] = min([s[axis] for v, s in operands if axis in v.axes])
        moved = tuple([(value, _less(shift, base, value)) for value, shift in operands])
        return self._value(verb, moved, node.dtype, detail, node.axes), tuple(base)

    def _value(
        self,
        verb: str,
        operands: tuple[tuple[Value, Shift], ...],
        dtype: str,
        detail: Any,
        axes: frozenset[int],
    ) -> Value:
        # Not by equality alone: 0.0 == -0.0, and 1 == True.
        key = (verb, operands, dtype, repr(detail) if verb == "constant" else detail)
        return self._known.setdefault(key, Value(verb, operands, dtype, detail, axes))


def _less(shift: Shift, base: Sequence[int], value: Value) -> Shift:
    pairs = enumerate(zip(shift, base, strict=True))
    return tuple([a - b if axis in value.axes else 0 for axis, (a, b) in pairs])


def _moved(operand: tuple[Value, Shift], by: Shift) -> tuple[Value, Shift]:
    value, shift = operand
    return value, tuple([a + b for a, b in zip(shift, by, strict=True)])


def _scale_of_all(operands: list[tuple[Value, Shift]], dtype: str) -> Value | None:
    """Return the number of the call that all pieces end with a product with, if any.

    They are multiplied once, when they have been put together.
    """
    scales = set()
    for value, _ in operands:
        if value.verb != "multiply":
            return None
        (unscaled, _), (scale, _) = value.operands
        if scale.verb != "number" or unscaled.dtype != dtype:
            return None
        scales.add(scale)
    return scales.pop() if len(scales) == 1 else None


def _without_negation(
    verb: str, operands: list[tuple[Value, Shift]]
) -> tuple[str, list[tuple[Value, Shift]]]:
    """Turn sums and differences of what is negated into others of the same bits."""
    first, second = operands
    inner = _negated(second)
    if inner is not None:
        verb, second = "add" if verb == "subtract" else "subtract", inner
    inner = _negated(first)
    if inner is not None and verb == "add":
        return "subtract", [second, inner]
    return verb, [first, second]


def _negated(operand: tuple[Value, Shift]) -> tuple[Value, Shift] | None:
    """Return what an operand is the negative of; None for others."""
    value, shift = operand
    is_product = value.verb == "multiply" and value.operands[1][0].is_constant(-1.0)
    if not is_product and value.verb != "negative":
        return None
    return _moved(value.operands[0], shift)


def in_order(root: Value) -> list[Value]:
    """Return a value with all that it is made of, operands first."""
    found: dict[Value, None] = {}

    def visit(value: Value) -> None:
        if value not in found:
            for operand, _ in value.operands:
                visit(operand)
            found[value] = None

    visit(root)
    return list(found)
