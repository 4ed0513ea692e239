"""The words of Python, as Numba understands them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..recorded.nodes import straight_nodes
from .printing import OPERATORS, Language, Scope

if TYPE_CHECKING:
    from ..recorded.nodes import Index, Node, Place
    from ..recorded.tape import Recording

#: What a module says before its function.
HEAD = """\
import numba
from numpy import (
    bool_ as bool, complex64, complex128, empty, float32, float64,
    int8, int16, int32, int64, uint8, uint16, uint32, uint64,
)

"""

#: Of a conditional expression, Numba makes branches, and a load becomes part of the one
#: that needs it: vectors of such loads take twice as long as loads and a choice.
SELECT = """\
@numba.extending.intrinsic
def select(context, condition, first, second):
    def choice(context, builder, signature, values):
        return builder.select(*values)
    return first(condition, first, second), choice

"""

#: By a complex zero, Numba divides nothing, whatever its options say: it raises an
#: error, for numbers that nobody chooses, too.  This is its own way for all others.
QUOTIENT = """\
@numba.njit(error_model="numpy")
def quotient(first, second):
    a, b, c, d = first.real, first.imag, second.real, second.imag
    if abs(c) < abs(d):
        ratio = c / d
        size = d + c * ratio
        return complex((a * ratio + b) / size, (b * ratio - a) / size)
    if c == 0:
        return complex(a / abs(c), b / abs(c))
    ratio = d / c
    size = c + d * ratio
    return complex((a + b * ratio) / size, (b - a * ratio) / size)

"""

#: Else, LLVM asks before each loop whether what is written is read, too, or makes no
#: vectors if there is much to ask.  Nothing of a call's results is.
ACCESS = """\
def place_in(context, builder, array, values):
    data = context.make_array(array)(context, builder, values[0]).data
    return context.data_model_manager[array.dtype], builder.gep(data, [values[1]])

def say(module, access, own, other):
    domain = module.add_metadata(["anygrad"])
    for word, name in (("alias.scope", own), ("noalias", other)):
        scope = module.add_metadata([name, domain])
        access.set_metadata(word, module.add_metadata([scope]))

@numba.extending.intrinsic
def read(context, array, number):
    def load(context, builder, signature, values):
        model, place = place_in(context, builder, array, values)
        value = builder.load(place)
        say(builder.module, value, "read", "written")
        return model.from_data(builder, value)
    return array.dtype(array, number), load

@numba.extending.intrinsic
def write(context, array, number, value):
    def store(context, builder, signature, values):
        model, place = place_in(context, builder, array, values)
        done = builder.store(model.as_data(builder, values[2]), place)
        say(builder.module, done, "written", "read")
        return context.get_dummy_value()
    return numba.void(array, number, array.dtype), store

"""

#: Shorter rows are put together, where they follow each other: going back for their
#: ends costs the memory its stride, which a row alone pays for by what is asked before
#: its loop, and once for each row of samples that is read.
SHORT = 256

#: How an element of an array that is one run through memory is read or written, and
#: that of a view.
READ = "read({}, {})", "{}[u]"
WRITE = "write({}, {}, {{}})", "{}[u] = {{}}"


class Loops(Language):
    """The words of Python, as Numba understands them."""

    TABLE, IN_TABLE = "table{}", "read({}, u)"

    def __init__(self, recording: Recording, layouts: str) -> None:
        super().__init__(recording)
        #: The names of what is made before the loops, by what it is: numbers of the
        #: form, and of the call.
        self.constants: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        #: Likewise, before a loop over a row: views of those that it reads, and where
        #: in memory it begins to read others.
        self.rows: dict[str, str] = {}
        #: The arrays that are read as one long row, in order.
        self.flat: dict[str, None] = {}
        #: Whether what is printed reads masks beyond the ends of axes, as false there.
        self.beyond_is_missing = False
        names = [f"b{k}" for k in range(len(recording.arrays))]
        names += [f"o{k}" for k in range(len(recording.results))]
        #: How each array lies in memory, as Numba names it, by its name.
        self.layouts = dict(zip(names, layouts, strict=True))
        nodes = straight_nodes(recording.results, recording.ndim)
        loads = [node.detail for node in nodes if node.verb == "load"]
        #: Whether rows that follow each other are one run through memory.
        self.runs_on = self._runs_on([index for _, index in loads])

    def _runs_on(self, places: Sequence[Index]) -> bool:
        """Tell whether rows that follow each other are one run through memory."""
        if not self.last or {*self.layouts.values()} != {"C"}:
            return False
        last_two = [self.last - 1, self.last]
        for index in places:
            followed = [place.axis if place.follows else None for place in index]
            is_in = [axis in last_two for axis in followed]
            if any(is_in) and followed[-2:] != last_two:
                return False
        return True

    def constant(self, node: Node) -> str:
        """Return the name of a number of the form, a global one in its dtype."""
        value = node.detail
        is_special = isinstance(value, float) and not math.isfinite(value)
        text = f"float('{value!r}')" if is_special else repr(value)
        text = f"{node.dtype}({text})"
        return self.constants.setdefault(text, f"C{len(self.constants)}")

    def number(self, node: Node) -> str:
        """Return a number of the call in the dtype that it takes."""
        is_complex = self.recording.is_complex
        first = node.detail + sum(is_complex[: node.detail])  # these are two parts each
        value = f"numbers[{first}]"
        if is_complex[node.detail]:
            value = f"complex({value}, numbers[{first + 1}])"
        text = f"{node.dtype}({value})"
        return self.numbers.setdefault(text, f"N{len(self.numbers)}")

    def load(self, node: Node, scope: Scope) -> str:
        """Return an element of an array, or of a row of it."""
        array, index = node.detail
        if not index:
            return f"b{array}[()]"
        if scope.row is None:
            text = f"b{array}[{', '.join(map(self.place, index))}]"
        else:
            text = self.in_row(f"b{array}", index)
            index = [place for place in index if place.axis != self.last]
        if self.beyond_is_missing and node.dtype == "bool":
            text = " & ".join([text, *_are_inside(index)])
        return text

    def place(self, place: Place) -> str:
        """Return where an array is read along one of its own axes, not beyond it."""
        text = super().place(place)
        if self.beyond_is_missing and place.follows and place.at:
            return f"min(max({text}, 0), n{place.axis} - 1)"
        return text

    def in_row(self, name: str, index: Index, words: tuple[str, str] = READ) -> str:
        """Return how the element of a row is read or written at which its loop is."""
        starts = [self.place(place) for place in index]
        along = [p.axis if p.follows else None for p in index].index(self.last)
        starts[along] = "first + " + self.place(index[along]._replace(follows=False))
        if self.layouts[name] == "C" and along == len(index) - 1:
            text = starts[0]
            for axis, start in enumerate(starts[1:], 1):
                text = f"({text}) * {name}.shape[{axis}] + {start}"
            self.flat[name] = None
            start = self._before_loop(f"uint64({text})")
            return words[0].format(f"flat_{name}", f"{start} + u")
        starts[along] += f" : {starts[along]} - first + last"
        return words[1].format(self._before_loop(f"{name}[{', '.join(starts)}]"))

    def _before_loop(self, text: str) -> str:
        """Return the name of what is the same along a row."""
        return self.rows.setdefault(text, self.new_name())

    def operation(self, node: Node, operands: Sequence[str], _: Scope) -> str:
        """Return what the verb of a node gives, in its dtype."""
        if node.verb == "astype":
            return f"{node.dtype}({operands[0]})"
        if node.verb == "where":
            return f"select({', '.join(operands)})"
        if node.verb == "divide" and "complex" in node.dtype:
            return f"quotient({', '.join(operands)})"
        text = OPERATORS[node.verb].format(*operands)
        # Of integers, Numba makes those of 64 bits.
        return f"{node.dtype}({text})" if "int" in node.dtype else text


def _are_inside(index: Sequence[Place]) -> list[str]:
    """Return what tells whether an element is one of the array's."""
    return [
        f"(t{p.axis} >= {-p.at})" if p.at < 0 else f"(t{p.axis} < n{p.axis} - {p.at})"
        for p in index
        if p.follows and p.at
    ]
