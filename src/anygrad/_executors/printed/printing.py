"""A recording as the text of a loop over points, in the words of a language.

The text has two ways.  In the interior, where each choice among pieces of an axis is
known, it is straight; everywhere else, the position decides.  What does not depend on
the position along the last axis is computed once per row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..recorded.nodes import LENGTH, TooLong, nodes_of, only_operand

if TYPE_CHECKING:
    from ..recorded.nodes import Node, Place, Range
    from ..recorded.tape import Recording


#: Operations that Python and C++ write alike, but for the name of the first.
OPERATORS = {
    "abs": "abs({})",
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "bitwise_right_shift": "{} >> {}",
    "bitwise_and": "{} & {}",
    "bitwise_or": "{} | {}",
}


class Scope:
    """Lines, and the names of what they have computed."""

    def __init__(
        self,
        indent: str,
        row: Scope | None = None,
        *,
        at: tuple[int, ...] | None = None,
        reads_first: bool = False,
    ) -> None:
        #: In order.
        self.lines: list[str] = []
        #: Where it stands what is read: among them, or before all of them.
        self.reads: list[str] = [] if reads_first else self.lines
        #: What stands before each of them.
        self.indent = indent
        #: In the interior, where that goes which does not depend on the last axis.
        self.row = row
        #: Where it is straight: a position along each axis, by which all choices are
        #: known; None where the position decides when it runs.
        self.at = at
        #: What has been computed, by node.
        self.names: dict[Node, str] = {}

    def branch(self, more: str) -> Scope:
        """Return a scope inside of this one, which knows its names."""
        inner = Scope(self.indent + more)
        inner.lines = inner.reads = self.lines
        inner.names.update(self.names)
        return inner

    def add(self, line: str, *, reads: bool = False) -> None:
        """Write a line, which computes something or only reads it."""
        (self.reads if reads else self.lines).append(self.indent + line)

    @property
    def length(self) -> int:
        """How many lines there are."""
        apart = 0 if self.reads is self.lines else len(self.reads)
        return len(self.lines) + apart


class Language:
    """How the operations are written; the languages derive from it."""

    #: The names of tables, by their numbers, and what stands for an element of one.
    TABLE, IN_TABLE = "", ""

    #: What stands before the lines of a branch, in addition.
    INDENT = "    "

    #: How the branches of a chain of conditions begin, and what one does.
    IF, ELSE_IF, ELSE, SET = "if {}:", "elif {}:", "else:", "{} = {}"

    #: How a name is given a value for good, and what the dtypes are called there.
    ASSIGN = "{name} = {value}"
    KINDS: Mapping[str, str] = {}

    def __init__(self, recording: Recording) -> None:
        #: What is printed.
        self.recording = recording
        #: The last axis.
        self.last = recording.ndim - 1
        #: The axes that the straight way goes along.
        self.within = frozenset([self.last])
        #: The names of what is computed once for all rows, such as weights on
        #: coordinates; None where each row computes its own.
        self.tables: dict[Node, str] | None = {}
        #: In a scope of more, nothing more is written; None is no bound.
        self.most_lines: int | None = None
        self._count = 0

    def constant(self, node: Node) -> str:
        """Return a number of the form."""
        raise NotImplementedError

    def number(self, node: Node) -> str:
        """Return a number of the call."""
        raise NotImplementedError

    def load(self, node: Node, scope: Scope) -> str:
        """Return an element of an array."""
        raise NotImplementedError

    def operation(self, node: Node, operands: Sequence[str], scope: Scope) -> str:
        """Return what the verb of a node gives."""
        raise NotImplementedError

    def choose(
        self, scope: Scope, node: Node, name: str, conditions: Sequence[str]
    ) -> None:
        """Write that a name has the value of one of the operands of pieces."""
        begins = [self.IF, *[self.ELSE_IF] * (len(conditions) - 1)]
        words = [word.format(c) for word, c in zip(begins, conditions, strict=True)]
        for word, operand in zip([*words, self.ELSE], node.operands, strict=True):
            scope.add(word)
            inner = scope.branch(self.INDENT)
            inner.add(self.SET.format(name, self.value(operand, inner)))

    def new_name(self) -> str:
        """Return a name that has not been used."""
        self._count += 1
        return f"v{self._count}"

    def value(self, node: Node, scope: Scope) -> str:
        """Write all that a node needs, and return what names it.

        Raises `TooLong` where a scope has too many lines.
        """
        if self.most_lines is not None and scope.length > self.most_lines:
            raise TooLong
        if node.verb == "constant":
            return self.constant(node)
        if node.verb == "number":
            return self.number(node)
        tables = self.tables if scope.row is not None else None
        if tables is not None and is_for_all_rows(node, self.last):
            name = tables.setdefault(node, self.TABLE.format(len(tables)))
            return self.IN_TABLE.format(name)
        only = None if scope.at is None else only_operand(node, scope.at)
        if only is not None:
            return self.value(only, scope)
        if scope.row is not None and self.within.isdisjoint(node.axes):
            scope = scope.row
        known = scope.names.get(node)
        if known is not None:
            return known
        if node.verb == "pieces":
            name = self.new_name()
            axis, starts = node.detail
            conditions = [f"t{axis} < {self.position(k, axis)}" for k in starts]
            self.choose(scope, node, name, conditions)
        elif node.verb == "load":
            name = self._named(node, self.load(node, scope), scope)
        else:
            operands = [self.value(operand, scope) for operand in node.operands]
            name = self._named(node, self.operation(node, operands, scope), scope)
        scope.names[node] = name
        return name

    def _named(self, node: Node, value: str, scope: Scope) -> str:
        name, kind = self.new_name(), self.KINDS.get(node.dtype)
        text = self.ASSIGN.format(kind=kind, name=name, value=value)
        scope.add(text, reads=node.verb == "load")
        return name

    def place(self, place: Place) -> str:
        """Return where an array is read along one of its own axes."""
        start = [f"t{place.axis}"] if place.follows else []
        return self._count_from(start, place.at, place.axis)

    def position(self, at: int, axis: int) -> str:
        """Return a position along an axis of the results."""
        return self._count_from([], at, axis)

    @staticmethod
    def _count_from(terms: list[str], at: int, axis: int) -> str:
        turns, rest = lengths_in(at)
        if turns:
            terms = [*terms, f"n{axis}" if turns == 1 else f"n{axis} * {turns}"]
        return _sum(terms, rest)


def lengths_in(at: int) -> tuple[int, int]:
    """Return how many lengths of an axis there are in a position, and the rest."""
    turns, rest = divmod(at + LENGTH // 2, LENGTH)
    return turns, rest - LENGTH // 2


def is_for_all_rows(node: Node, last: int) -> bool:
    """Tell whether a node is the same in each row, and takes long to compute."""
    if node.axes != {last} or last == 0:
        return False
    return any(operand.verb == "divide" for operand in nodes_of([node]))


def inside(ranges: Sequence[Range], word: str) -> str:
    """Return the conditions under which a row is in the interior of some axes."""
    texts = []
    for axis, (start, end) in enumerate(ranges):
        if start:
            texts.append(f" {word} t{axis} >= {start}")
        if end:
            texts.append(f" {word} t{axis} < n{axis} - {end}")
    return "".join(texts)


def _sum(terms: list[str], rest: int) -> str:
    text = " + ".join(terms)
    if not text:
        return str(rest)
    if rest:
        text += f" {'+' if rest > 0 else '-'} {abs(rest)}"
    return text
