"""A recording as a function: how a kind of block is played.

It is straight Python: views of the arrays of a call, and operations on these.  One
writes into the result, or over an operand that nothing else reads, wherever it can;
scratch arrays live no longer than they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import setitem
from typing import TYPE_CHECKING, Any, NamedTuple

from . import positions
from .positions import FIRST, SHAPE, Cut
from .registers import Text
from .windows import START, Part, Wanted, Windows

if TYPE_CHECKING:
    from .operations import InPlaceOps
    from .scores import Score
    from .windows import Kind, Window


#: In the text, what fills an array, what has scratch arrays, and has read them, and
#: what turns an array in memory.
PUT, TAKE, GIVE, TURN = "put", "take", "give", "turn"


class Program(NamedTuple):
    """What plays a kind of block."""

    #: ``play(operands, out, indices)`` writes a block.
    play: Callable[..., None]
    #: ``bind(ends, strides)`` returns the indices of a block, and what it reads.
    bind: Callable[..., tuple[tuple[Any, ...], tuple[slice, ...]]]
    #: The block, with all that it reads of arrays around it.
    reads: list[tuple[int, int]]
    #: For shorter blocks, there is another program.
    fewest: list[int]


class Writer(Text):
    """Writes the program for a block: what is computed when, and where it stands."""

    def __init__(self, score: Score, kind: Kind, ops: InPlaceOps) -> None:
        super().__init__(score, kind.box)
        self.ops: Any = ops
        self.xp = ops.namespace
        self.windows = Windows(score.root, score.shift, kind)
        self.is_turned = kind.is_turned

    def program(self) -> Program:
        """Return all instructions."""
        self.place(self.windows.root, self.out)
        while self.lines[-1].endswith("= None"):
            self.lines.pop()  # nothing follows
        count, indices = self.score.places, range(len(self.indices))
        lines = [f"def play(operands, r{self.out}, indices):"]
        lines.append("".join([f"r{k}, " for k in range(count)]) + "= operands")
        lines.append("".join([f"i{k}, " for k in indices]) + "= indices")
        bind = positions.text_of(list(self.indices), tuple(self.reads))
        exec("\n".join(["\n    ".join([*lines, *self.lines]), *bind]), self.named)
        functions = self.named["play"], self.named["bind"]
        return Program(*functions, self.reads, self.windows.fewest)

    def load(self, wanted: Wanted) -> int:
        """Return the register of what is read; near an end of rows, of a turned copy.

        What is made of that lies as it does.
        """
        found = super().load(wanted)
        if not self.is_at_end_of_rows(wanted):
            return found
        key = TURN, found
        if key not in self.known:
            text = self.turned(found, wanted.value.dtype)
            self.known[key] = self.assign(self.new(), text)
        return self.known[key]

    def is_at_end_of_rows(self, wanted: Wanted) -> bool:
        """Tell whether several samples are read of each row, but no more than a few."""
        if not self.is_turned or wanted.value.verb != "load" or wanted.run is not None:
            return False
        axes = [place.axis for place in wanted.value.detail[1] if place.follows]
        start, stop = wanted.window[-1]
        return axes == list(range(self.score.ndim)) and 1 < stop - start < START

    def turned(self, register: int, dtype: str) -> str:
        """Return the text for a turned copy in a dtype."""
        to_dtype = self.name(f"to_{dtype}", getattr(self.xp, dtype))
        return f"{self.name(TURN, self.ops.turned)}(r{register}, {to_dtype})"

    def value(self, wanted: Wanted) -> int:
        """Return the register of what is wanted, computed or read."""
        value = wanted.value
        if value.verb == "number":
            return int(value.detail)
        if value.verb == "constant":
            return self.constant(value.detail)
        if value.verb == "load":
            return self.load(wanted)
        part: Any = self.windows.part_of(wanted)
        if not part.register:
            self.compute(part, None)
        if part.wanted.window == wanted.window:
            return int(part.register)
        key = part, wanted.window
        if key not in self.known:
            self.known[key] = self.cut(part.register, part.wanted, wanted.window)
            part.views.append(self.known[key])
        return self.known[key]

    def cut(self, register: int, whole: Wanted, window: Window) -> int:
        """Return the register of a part of a part."""
        if whole.run is not None:
            (start, stop), (origin, _) = window[whole.run], whole.window[whole.run]
            cut = Cut(whole.run, start, stop, origin, is_run=True)
            return self.view(register, (cut,))
        cuts = [
            None if here == there else Cut(axis, *there, here[0])
            for axis, (here, there) in enumerate(zip(whole.window, window, strict=True))
        ]
        return self.view(register, tuple(cuts))

    def compute(self, part: Part, target: int | None) -> None:
        """Write the instructions for a part, into the target if that is given."""
        part.register = target or 0
        verb = part.wanted.value.verb
        if verb == "pieces":
            if target is None:
                self.empty(part)
            for piece, there in self.windows.pieces(part.wanted):
                self.place(piece, self.place_of(part, piece, there))
            return
        if verb == "where":
            self.choose(part, self.empty(part) if target is None else target)
            return
        read = self.windows.read_by(part.wanted)
        if verb == "astype" and target is None and self.is_at_end_of_rows(read[0]):
            text = self.turned(super().load(read[0]), part.wanted.value.dtype)
            self.assign(self.made(part), text)
            return
        is_one = verb == "divide" and read[0].value.is_constant(1)
        if is_one and "reciprocal" in self.ops.verbs:
            verb, read = "reciprocal", read[1:]
        elif verb in ("add", "multiply") and not read[0].value.axes:
            read = read[::-1]
        carrier = None if target is None else self.carrier(part, read)
        if carrier is not None:
            self.place(carrier, target)
        operands = [target if one is carrier else self.value(one) for one in read]
        if target is None:
            target = self.reused(part, read, operands)
        self.operate(verb, part, read, operands, target)
        self.release([one for one in read if one is not carrier], target)

    def choose(self, part: Part, target: int) -> None:
        """Write the rest, and over it what is chosen, piece by piece."""
        part.register = target
        choose = self.name("choose", self.ops.verbs["choose"])
        (rest, *_) = self.windows.read_by(part.wanted)
        self.place(rest, target)
        for condition, chosen, there in self.windows.choices(part.wanted):
            if not condition.value.is_constant(False):
                given = f"r{self.value(condition)}, r{self.value(chosen)}"
                place = self.place_of(part, chosen, there)
                self.lines.append(f"{choose}({given}, out=r{place})")
            self.release([condition, chosen], target)

    def operate(
        self,
        verb: str,
        part: Part,
        read: list[Wanted],
        operands: list[Any],
        target: Any,
    ) -> None:
        """Write one operation."""
        last, given = read[-1].value, ", ".join([f"r{one}" for one in operands])
        is_scaled = last.verb == "number" and last.detail in self.score.scales
        needs_place = is_scaled or verb == "astype"
        if target is None and (needs_place or self.has_scratch_for(part)):
            target = self.empty(part)
        if is_scaled:
            self.lines.append(f"scaled = r{operands[0]}")
            for number, scaling in enumerate(("multiply", "divide")):
                name = self.name(scaling, self.ops.verbs[scaling])
                loop = f"for n in r{operands[1]}[{number}]: scaled"  # then divisors
                self.lines.append(f"{loop} = {name}(scaled, n, out=r{target})")
            # There may be no number at all; and a name for memory would hold it.
            put = self.name(PUT, setitem)
            self.lines.append(
                f"if scaled is not r{target}: {put}(r{target}, ..., scaled)"
            )
            self.lines.append("scaled = None")
        elif verb == "astype":
            self.copy(operands[0], target)
        else:
            name = self.name(verb, self.ops.verbs[verb])
            if target is None:
                self.assign(self.made(part), f"{name}({given})")
            else:
                self.lines.append(f"{name}({given}, out=r{target})")
        part.register = part.register or target

    def copy(self, source: int, target: int) -> None:
        """Have something stand in a place, too."""
        if source != target:
            put = self.name(PUT, setitem)
            self.lines.append(f"{put}(r{target}, ..., r{source})")

    def place_of(self, part: Part, piece: Wanted, there: Window) -> int:
        """Return the register of the place of a piece."""
        if piece.run is None:
            found = self.cut(part.register, part.wanted, there)
        else:
            run = self.run(part.register)
            cut = Cut(piece.run, *there[piece.run], is_run=True)
            found = self.view(run, (cut,))
            part.views.append(run)
        part.views.append(found)
        return found

    def place(self, wanted: Wanted, target: Any) -> None:
        """Have what is wanted in a place of its own."""
        part = self.windows.part_of(wanted)
        if part is None or not _is_read_once(part, wanted):
            self.copy(self.value(wanted), target)
        else:
            self.compute(part, target)
        self.release([wanted], target)

    def carrier(self, part: Part, read: list[Wanted]) -> Wanted | None:
        """Return the operand that can be computed where the result will be.

        None near an end, whose points may lie apart in memory: to write there twice
        takes longer than a scratch array does, which is small.
        """
        if _is_at_end(part):
            return None
        for wanted in read:
            found = self.windows.part_of(wanted)
            is_free = found is not None and _is_read_once(found, wanted)
            if found is not None and is_free and _are_alike(part, found):
                return wanted
        return None

    def reused(self, part: Part, read: list[Wanted], operands: list[Any]) -> int | None:
        """Return the register of an operand that may be written over."""
        parts = [self.windows.part_of(wanted) for wanted in read]
        for found, register in zip(parts, operands, strict=True):
            if found is None or not found.is_owned or found.uses > 1:
                continue
            if parts.count(found) == 1 and _are_alike(part, found):
                # What it leaves unread is lost with it.
                found.is_owned, part.is_owned = False, True
                part.is_given_back = found.is_given_back
                part.views = [found.register, *found.views]
                return int(register)
        return None

    def made(self, part: Part) -> int:
        """Return the register of a new array."""
        part.register, part.is_owned = self.new(), True
        return part.register

    def empty(self, part: Part) -> int:
        """Have an array for a part made."""
        value, run, window = part.wanted
        if self.has_scratch_for(part):
            make, part.is_given_back = self.name(TAKE, self.ops.scratch.take), True
        else:
            make = self.name("empty_like", self.ops.empty_like)
        dtype = self.name(f"to_{value.dtype}", getattr(self.xp, value.dtype))
        if run is not None:
            shape = [Cut(run, *window[run], is_run=True)]
        else:
            shape = [
                Cut(axis, *extent) if axis in value.axes else FIRST
                for axis, extent in enumerate(window)
            ]
        index = self.index((SHAPE, *shape))
        text = f"{make}(r{self.out}, dtype={dtype}, shape={index})"
        return self.assign(self.made(part), text)

    def has_scratch_for(self, part: Part) -> bool:
        """Tell whether the memory of a part is kept: not of what is few."""
        return self.ops.scratch is not None and not _is_at_end(part)

    def release(self, read: list[Wanted], target: Any) -> None:
        """Free what has been read for the last time."""
        for wanted in read:
            part = self.windows.part_of(wanted)
            if part is None:
                continue
            part.uses -= 1
            if part.uses == 0 and part.is_owned:
                if part.is_given_back:
                    give = self.name(GIVE, self.ops.scratch.give)
                    self.lines.append(f"{give}(r{part.register})")
                held = sorted({part.register, *part.views} - {target})
                self.lines.append("".join([f"r{one} = " for one in held]) + "None")


def _is_read_once(part: Part, wanted: Wanted) -> bool:
    """Tell whether a part is still to be computed, and only for this."""
    is_new = part.register == 0 and part.uses == 1
    return is_new and part.wanted.window == wanted.window


def _is_at_end(part: Part) -> bool:
    """Tell whether a part has few points, near an end of an axis."""
    extents = [part.wanted.window[axis] for axis in part.wanted.value.axes]
    return part.wanted.run is None and any(b - a < START for a, b in extents)


def _are_alike(part: Part, other: Part) -> bool:
    """Tell whether one part may stand in the memory of another."""
    one, two = part.wanted.value, other.wanted.value
    return one.dtype == two.dtype and one.axes == two.axes
