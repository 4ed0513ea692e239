"""Arrays without values: what the agnostic run does to them is written down.

A symbol has the shape and the dtype of an array, and in the place of its elements the
expression of any one of them, in terms of its position.  Slicing moves the position
from which an operand is read, so that what is written down in the end are operations on
single elements, and nothing of it is an array.

The words are those of the standard: names of functions, and of methods of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .nodes import Node, Place, Tape, Weak

if TYPE_CHECKING:
    from ..._typing import DType


def symbol_of_array(
    tape: Tape, place: int, shape: tuple[int, ...], dtype: DType
) -> Symbol:
    """Return the symbol for an array; its axes of length one are broadcast."""
    index = tuple([Place(axis, n != 1, 0) for axis, n in enumerate(shape)])
    return Symbol(tape, tape.node("load", (), dtype, (place, index)), shape, dtype)


class Symbol:
    """What stands for an array while a recording is made."""

    __slots__ = ("dtype", "node", "shape", "tape")

    def __init__(
        self, tape: Tape, node: Node, shape: Sequence[int], dtype: DType
    ) -> None:
        #: Where it is written down what is done to it.
        self.tape = tape
        #: Any one element of it.
        self.node = node
        #: As if each axis that may have any length had `LENGTH`.
        self.shape = tuple(shape)
        #: Of its namespace.
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> Symbol:
        """Return a part: slices with a step of one, and whole numbers."""
        node, shape, axis = self.node, list(self.shape), 0
        for cut in key if isinstance(key, tuple) else (key,):
            if cut is Ellipsis:
                break  # nothing of `_agnostic` has more behind it
            if isinstance(cut, slice):
                start, stop, _ = cut.indices(shape[axis])
                node = self.tape.placed(node, axis, axis, start)
                shape[axis] = max(stop - start, 0)
                axis += 1
                continue
            node = self.tape.placed(node, axis, None, cut)
            for number in range(axis + 1, len(shape)):
                node = self.tape.placed(node, number, number - 1, 0)
            del shape[axis]
        return Symbol(self.tape, node, shape, self.dtype)

    def broadcast_to(self, shape: Sequence[int]) -> Symbol:
        """Return the same elements, repeated along axes of length one."""
        if not self.shape:
            return Symbol(self.tape, self.node, shape, self.dtype)
        node = self.node
        for axis, (length, wanted) in enumerate(zip(self.shape, shape, strict=True)):
            if length != wanted:
                node = self.tape.placed(node, axis, None, 0)
        return Symbol(self.tape, node, shape, self.dtype)

    def astype(self, dtype: DType) -> Symbol:
        """Return the same values in another dtype."""
        if dtype == self.dtype:
            return self
        node = self.tape.node("astype", (self.node,), dtype)
        return Symbol(self.tape, node, self.shape, dtype)

    def __neg__(self) -> Symbol:
        return _elementwise("negative", self)


def _elementwise(verb: str, *given: Any) -> Symbol:
    """Return a function of elements, its operands in one dtype and of one shape."""
    symbols = [one for one in given if isinstance(one, Symbol)]
    tape, dtype = symbols[0].tape, symbols[0].dtype
    for other in symbols[1:]:
        if other.dtype != dtype:
            dtype = tape.namespace.result_type(dtype, other.dtype)
    for number in given:
        if isinstance(number, Weak) and number.is_complex:
            dtype = tape.namespace.result_type(dtype, tape.namespace.complex64)
    shape = _common_shape([symbol.shape for symbol in symbols])
    nodes = [_as_node(one, tape, dtype, shape) for one in given]
    return Symbol(tape, tape.node(verb, nodes, dtype), shape, dtype)


def _as_node(given: Any, tape: Tape, dtype: DType, shape: tuple[int, ...]) -> Node:
    if isinstance(given, Symbol):
        return given.broadcast_to(shape).astype(dtype).node
    if isinstance(given, Weak):
        return tape.node("number", (), dtype, given.place)
    return tape.node("constant", (), dtype, given)


def _common_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return what shapes broadcast to; those of single numbers have no say."""
    axes = zip(*[shape for shape in shapes if shape], strict=True)
    return tuple([0 if 0 in lengths else max(lengths) for lengths in axes])


def _method(verb: str) -> tuple[Callable[..., Symbol], Callable[..., Symbol]]:
    """Return the methods of an operator, for a symbol at its left and at its right."""
    return (
        lambda self, other: _elementwise(verb, self, other),
        lambda self, other: _elementwise(verb, other, self),
    )


#: The operators of arrays that `_agnostic` uses.
OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "rshift": "bitwise_right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
}

for _name, _verb in OPERATORS.items():
    _left, _right = _method(_verb)
    setattr(Symbol, f"__{_name}__", _left)
    setattr(Symbol, f"__r{_name}__", _right)


class Words:
    """The standard's functions on symbols; its dtypes are those of the arrays."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tape.namespace, name)

    @staticmethod
    def astype(array: Symbol, dtype: DType) -> Symbol:
        """Return an array in another dtype."""
        return array.astype(dtype)

    @staticmethod
    def broadcast_to(array: Symbol, shape: tuple[int, ...]) -> Symbol:
        """Return an array in another shape."""
        return array.broadcast_to(shape)

    @staticmethod
    def abs(array: Symbol) -> Symbol:
        """Return elements without their signs."""
        return _elementwise("abs", array)

    @staticmethod
    def bitwise_right_shift(array: Symbol, count: int) -> Symbol:
        """Return integers without their last bits."""
        return _elementwise("bitwise_right_shift", array, count)

    @staticmethod
    def where(condition: Symbol, first: Symbol, second: Symbol) -> Symbol:
        """Return elements of one array or of the other."""
        shape = _common_shape([condition.shape, first.shape, second.shape])
        parts = [part.broadcast_to(shape).node for part in (condition, first, second)]
        node = condition.tape.node("where", parts, first.dtype)
        return Symbol(condition.tape, node, shape, first.dtype)

    @staticmethod
    def full_like(array: Symbol, value: Any, dtype: DType | None = None) -> Symbol:
        """Return an array that has the same number everywhere."""
        dtype = array.dtype if dtype is None else dtype
        node = array.tape.node("constant", (), dtype, value)
        return Symbol(array.tape, node, array.shape, dtype)

    def zeros_like(self, array: Symbol, dtype: DType | None = None) -> Symbol:
        """Return an array of zeros."""
        return self.full_like(array, 0, dtype)

    @staticmethod
    def concat(arrays: Sequence[Symbol], axis: int) -> Symbol:
        """Return arrays one after the other."""
        there = [array for array in arrays if array.shape[axis]]
        tape, dtype = there[0].tape, there[0].dtype
        nodes: list[Node] = []
        starts: list[int] = []
        end = 0
        for array in there:
            nodes.append(tape.placed(array.node, axis, axis, -end))
            starts.append(end)
            end += array.shape[axis]
        shape = (*there[0].shape[:axis], end, *there[0].shape[axis + 1 :])
        node = nodes[0]
        if len(nodes) > 1:
            node = tape.node("pieces", nodes, dtype, (axis, tuple(starts[1:])))
        return Symbol(tape, node, shape, dtype)
