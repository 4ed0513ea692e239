"""A recording as a loop in Python, which Numba compiles.

Arrays are read row by row: a row is a view with an axis of its own, and its loop counts
with an unsigned number, because Numba makes no vectors of what might count backwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._executors.nodes import LENGTH
from .._executors.printing import (
    Language,
    Range,
    Scope,
    inside,
    interior,
    interiors,
)

if TYPE_CHECKING:
    from .._executors.nodes import Node
    from .._executors.tape import Recording

OPERATORS = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "bitwise_right_shift": "{} >> {}",
    "bitwise_and": "{} & {}",
    "bitwise_or": "{} | {}",
    "where": "{1} if {0} else {2}",
}


class Loops(Language):
    """The words of Python, as Numba understands them.

    Attributes
    ----------
    constants, numbers, rows : dict
        The names of what is made before the loops, by what it is: numbers of the form,
        numbers of the call, and the rows that the straight way reads.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self.constants: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.rows: dict[str, str] = {}

    def constant(self, node: Node) -> str:
        """Return the name of a number of the form, a global one in its dtype."""
        value = node.detail
        text = f"float('{value!r}')" if _is_special(value) else repr(value)
        text = f"{node.dtype}({text})"
        return self.constants.setdefault(text, f"C{len(self.constants)}")

    def number(self, node: Node) -> str:
        """Return a number of the call in the dtype that it takes."""
        text = f"{node.dtype}({self.number_of_call(node.detail)})"
        return self.numbers.setdefault(text, f"N{len(self.numbers)}")

    def number_of_call(self, place: int) -> str:
        """Return a number of the call: complex ones have an array of their own."""
        kind = self.recording.is_complex[place]
        own = self.recording.is_complex[:place].count(kind)
        return f"{'complex_numbers' if kind else 'numbers'}[{own}]"

    def load(self, node: Node, scope: Scope) -> str:
        """Return an element of an array, or of a row of it."""
        array, index = node.detail
        if not index:
            return f"b{array}[()]"
        if scope.row is None:
            return f"b{array}[{', '.join(map(self.place, index))}]"
        cuts = []
        for place in index:
            if place.follows and place.axis == self.last:
                start = self.place(place._replace(follows=False))
                cuts.append(f"first + {start} : last + {start}")
            else:
                cuts.append(self.place(place))
        row = f"b{array}[{', '.join(cuts)}]"
        return f"{self.rows.setdefault(row, f'r{len(self.rows)}')}[u]"

    def operation(self, node: Node, operands: Sequence[str]) -> str:
        """Return what the verb of a node gives, in its dtype."""
        if node.verb == "astype":
            return f"{node.dtype}({operands[0]})"
        if node.verb == "sign":
            (x,) = operands
            one, zero = (f"{node.dtype}({number})" for number in (1, 0))
            # Zero and NaN are their own signs.
            return f"{one} if {x} > {zero} else (-{one} if {x} < {zero} else {x})"
        text = OPERATORS[node.verb].format(*operands)
        # Of integers, Numba makes those of 64 bits.
        return f"{node.dtype}({text})" if "int" in node.dtype else text

    def assign(self, scope: Scope, _: str, name: str, value: str) -> None:
        """Write an assignment."""
        scope.add(f"{name} = {value}")

    def choose(
        self, scope: Scope, node: Node, name: str, conditions: Sequence[str]
    ) -> None:
        """Write a chain of conditions."""
        words = [f"if {conditions[0]}:"]
        words += [f"elif {condition}:" for condition in conditions[1:]]
        words.append("else:")
        for word, operand in zip(words, node.operands, strict=True):
            scope.add(word)
            inner = scope.branch(self.INDENT)
            inner.add(f"{name} = {self.value(operand, inner)}")


def _is_special(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


#: The options under which what is compiled is kept beside its file, or is not.
KEPT, NOT_KEPT = "cache=True", "cache=False"

#: Which dtypes there are: those of numbers of 16 bits are not among them.
DTYPES = frozenset(
    ["bool", "float32", "float64", "complex64", "complex128"]
    + [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
)

#: What Numba calls otherwise than the standard.
TYPES = {"bool": "boolean"}

#: What a module says before its function.
HEAD = """\
import numba
from numpy import (
    bool_ as bool, complex64, complex128, float32, float64,
    int8, int16, int32, int64, uint8, uint16, uint32, uint64,
)

"""

#: One row: its straight part, from `first` to `last`, its ends where they are short,
#: and what is left of it.
ROW = """\
first, last = max({begin}, {start}), min({end}, n{axis} - {rest})
if first < last{conditions}:
{row}
    for u in range(uint64(last - first)):
{straight}
{ends}
else:
    first = last = {end}
for part in range(2):
    for t{axis} in range(last if part else {begin}, {end} if part else first):
{general}"""


#: Ends of rows that have more lines are left to the general loop.
MOST_LINES_AT_ENDS = 100


def text_of(recording: Recording, layouts: str, most_lines: int) -> str | None:
    """Return the text of the module, which has a function `kernel`.

    None if it has more lines, or for dtypes that Numba does not have.  The `layouts`
    are those of the arrays and of the results, as Numba names them.

    ``kernel(start, stop, numbers, complex_numbers, b0, b1, ..., o0, o1, ...)`` fills
    the results from one position along the first axis to another.
    """
    dtypes = recording.dtypes
    if not DTYPES.issuperset(dtypes):
        return None
    printer = Loops(recording)
    last, tab = printer.last, Loops.INDENT
    row = Scope(tab, at=interior(recording.ndim))
    straight = Scope(tab * 2, row, at=interior(recording.ndim))
    general = Scope(tab * 2)
    for number, node in enumerate(recording.results):
        straight.add(f"w{number}[u] = {printer.value(node, straight)}")
        place = ", ".join([f"t{axis}" for axis in range(recording.ndim)])
        general.add(f"o{number}[{place}] = {printer.value(node, general)}")
    if len(row.lines) + len(straight.lines) + len(general.lines) > most_lines:
        return None
    outs = [f"o{k}" for k in range(len(recording.results))]
    before = "".join([f"t{axis}, " for axis in range(last)])
    row.lines += [f"{tab}{name} = {cut}" for cut, name in printer.rows.items()]
    row.lines += [f"{tab}w{out[1:]} = {out}[{before}first:last]" for out in outs]
    ranges = interiors(recording.results, recording.ndim)
    body = ROW.format(
        begin="0" if last else "start",
        end=f"n{last}" if last else "stop",
        start=ranges[last].start,
        rest=ranges[last].end,
        axis=last,
        conditions=inside(ranges[:last], "and"),
        row="\n".join(row.lines),
        straight="\n".join(straight.lines),
        ends="\n".join(_at_ends(printer, ranges[last])),
        general="\n".join(general.lines),
    )
    names = ["start", "stop", "numbers", "complex_numbers"]
    names += [f"b{k}" for k in range(len(recording.arrays))]
    lines = _decorator(recording, dtypes, layouts)
    lines.append(f"def kernel({', '.join([*names, *outs])}):")
    lengths = "".join([f"n{axis}, " for axis in range(recording.ndim)])
    lines.append(f"{tab}{lengths}= o0.shape")
    lines += [f"{tab}{name} = {text}" for text, name in printer.numbers.items()]
    for axis in range(last):
        bounds = "start, stop" if axis == 0 else f"n{axis}"
        lines.append(tab * (axis + 1) + f"for t{axis} in range({bounds}):")
    lines += [tab * (last + 1) + line for line in body.splitlines()]
    constants = [f"{name} = {text}" for text, name in printer.constants.items()]
    return HEAD + "\n".join([*constants, "", *lines, ""])


def _at_ends(printer: Loops, ends: Range) -> list[str]:
    """Return the points at both ends of a row in the interior, one by one.

    Nothing where a row is a part of an axis, or the lines are many.
    """
    last, tab, lines = printer.last, Loops.INDENT, []
    for place in (*range(ends.start), *range(LENGTH - ends.end, LENGTH)):
        scope = Scope(tab, at=(*interior(last), place))
        scope.add(f"t{last} = {printer.position(place, last)}")
        for number, node in enumerate(printer.recording.results):
            target = ", ".join([f"t{axis}" for axis in range(last + 1)])
            scope.add(f"o{number}[{target}] = {printer.value(node, scope)}")
        lines += scope.lines
    if not last or len(lines) > MOST_LINES_AT_ENDS:
        return []
    return [*lines, f"{tab}first, last = 0, n{last}"]


def _decorator(recording: Recording, dtypes: Sequence[str], layouts: str) -> list[str]:
    """Return the lines that tell Numba for which types to compile, and how."""
    count = len(recording.arrays)
    axes = [len(array.is_long) for array in recording.arrays]
    axes += [recording.ndim] * len(recording.results)
    numbers = [
        f"Array(numba.{dtype}, 1, 'C', readonly=False)"
        for dtype in ("float64", "complex128")
    ]
    arrays = []
    for number, known in enumerate(zip(dtypes, axes, layouts, strict=True)):
        dtype, ndim, layout = known
        inside = f"numba.{TYPES.get(dtype, dtype)}, {ndim}, {layout!r}"
        arrays.append(f"Array({inside}, readonly={number < count})")
    return [
        "@numba.njit(",
        "    numba.void(",
        "        numba.int64,",
        "        numba.int64,",
        *[f"        numba.types.{text}," for text in (*numbers, *arrays)],
        "    ),",
        f"    {KEPT},",
        "    nogil=True,",
        "    error_model='numpy',",
        ")",
    ]
