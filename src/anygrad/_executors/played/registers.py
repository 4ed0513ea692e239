"""The text of a program as it is written: names, and what they stand for.

A register is a name: first those of the operands, then that of the result, then others
as they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..recorded.nodes import LENGTH
from .positions import FIRST, Cut

if TYPE_CHECKING:
    from ..recorded.nodes import Place
    from .scores import Score
    from .windows import Wanted, Window


class Text:
    """Lines, and what they read of arrays."""

    def __init__(self, score: Score, box: Window) -> None:
        self.score, self.box = score, box
        #: In order.
        self.lines: list[str] = []
        #: The indices and shapes that the block decides, in the order of their
        #: numbers.
        self.indices: dict[tuple[Any, ...], int] = {}
        #: Other things, by their names.
        self.named: dict[str, Any] = {}
        #: As that of a `Program`.
        self.reads = list(box)
        self.out = score.places
        self.known: dict[Any, int] = {}
        self._count = self.out
        self._spread = {place for place, _ in score.weights}

    def new(self) -> int:
        """Return a register that has not been used."""
        self._count += 1
        return self._count

    def assign(self, target: int, text: str) -> int:
        self.lines.append(f"r{target} = {text}")
        return target

    def index(self, cuts: tuple[Any, ...]) -> str:
        """Return the name of an index or a shape."""
        return f"i{self.indices.setdefault(cuts, len(self.indices))}"

    def name(self, name: str, named: Any) -> str:
        """Return the name of something, and let the function know it."""
        self.named[name] = named
        return name

    def constant(self, number: Any) -> int:
        """Return the register of a number of the form."""
        key = "constant", repr(number)
        if key not in self.known:
            self.known[key] = self.new()
            self.named[f"r{self.known[key]}"] = number
        return self.known[key]

    def load(self, wanted: Wanted) -> int:
        """Return the register of what is read of an array."""
        (array, places), run, window = wanted.value.detail, wanted.run, wanted.window
        if not places:
            return int(array)
        key = array, places, run, window
        if key not in self.known:
            if run is None:
                self.note(places, window)
                found = self.view(array, self.cuts_of(places, window))
            else:
                cut = Cut(run, *window[run], is_run=True)
                found = self.view(self.run(self.own(array)), (cut,))
            self.known[key] = found
        return self.known[key]

    def note(self, places: Sequence[Place], window: Window) -> None:
        """Take down how far a load reaches; runs do not leave the block."""
        for axis in {place.axis for place in places if place.follows}:
            (low, high), (first, last) = window[axis], self.reads[axis]
            self.reads[axis] = min(low, first), max(high, last)

    def cuts_of(self, places: Sequence[Place], window: Window) -> tuple[Any, ...]:
        """Return the index of a load."""
        cuts: list[Any] = []
        for place in places:
            if place.follows:
                cuts.append(Cut(place.axis, *window[place.axis]))
            elif len(places) > self.score.ndim:  # the number of a component
                cuts.append(place.at)
            else:  # an axis of one point
                cuts.append(FIRST)
        return tuple(cuts)

    def own(self, array: int) -> int:
        """Return the register of what of an array lies in the block itself."""
        key = "own", array
        if key not in self.known:
            pairs = enumerate(zip(self.box, self.score.edges, strict=True))
            cuts = [
                Cut(axis, *extent)
                if edge != (0, 0)
                and extent != (0, LENGTH)
                and array not in self._spread
                else None
                for axis, (extent, edge) in pairs
            ]
            self.known[key] = self.view(array, tuple(cuts))
        return self.known[key]

    def run(self, register: int) -> int:
        """Return the register of an array as one run."""
        key = "run", register
        if key not in self.known:
            self.known[key] = self.assign(self.new(), f"r{register}.reshape(-1)")
        return self.known[key]

    def view(self, register: int, cuts: tuple[Any, ...]) -> int:
        while cuts and cuts[-1] is None:
            cuts = cuts[:-1]
        if not cuts:
            return register
        return self.assign(self.new(), f"r{register}[{self.index(cuts)}]")
