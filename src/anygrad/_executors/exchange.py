"""What processes of torch send each other of an axis that is cut over them.

A process gets, of each other one, the rows that its own formulas read, and nothing
else.  On the way back of autograd the same goes backwards: what flows into these rows
returns to where they are from, and is added there; and so on, however often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .neighbours import Span, Window

#: `torch.autograd.Function` for both directions, made when the first tensor comes.
_functions: list[Any] = []


class Cut(NamedTuple):
    """An axis that is cut, as one process sees it.

    Attributes
    ----------
    place : int
        The number of the part that is here.
    lengths : sequence of int
        Of all parts.
    windows : sequence of Window
        What each part reads.
    ranks : sequence of int
        The process that has each part.
    group : ProcessGroup or None
        Where these processes meet; None is the group of all.
    """

    place: int
    lengths: Sequence[int]
    windows: Sequence[Window]
    ranks: Sequence[int]
    group: Any

    @property
    def is_still(self) -> bool:
        """Whether each part reads itself alone."""
        windows = enumerate(self.windows)
        return all(of == number for number, window in windows for of, _ in window.parts)

    def around(self, part: Any, axis: int) -> Any:
        """Return what is read of an array that is cut along an axis."""
        if self.is_still:
            return part
        if not _functions:
            _functions[:] = [_make_function()]  # threads may meet here
        return _functions[0].apply(part, self, axis, False)

    def within(self, whole: Any, axis: int) -> Any:
        """Return what is read of an array that each process has as a whole."""
        import torch

        spans = self.windows[self.place].spans
        pieces = [whole.narrow(axis, start, stop - start) for start, stop in spans]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=axis)

    def gathered(self, part: Any, axis: int) -> Any:
        """Return a part between the rows that are read of others."""
        import torch

        sent = {
            number: torch.cat([_rows(part, axis, cut) for cut in cuts], dim=axis)
            for number, cuts in self._asked_of_this().items()
        }
        asked, here = self._asked_of_others(), self.windows[self.place].parts
        received = self._swapped(part, axis, sent, asked)
        strips = {
            number: iter(received[number].split(_counts(cuts), dim=axis))
            for number, cuts in asked.items()
        }
        pieces = [
            _rows(part, axis, cut) if number == self.place else next(strips[number])
            for number, cut in here
        ]
        return torch.cat(pieces, dim=axis)

    def returned(self, slopes: Any, axis: int) -> Any:
        """Return what a part gets of what all that read it have got."""
        import torch

        here = self.windows[self.place].parts
        pieces = slopes.split(_counts([cut for _, cut in here]), dim=axis)
        found: dict[int, list[Any]] = {}
        for (number, _), piece in zip(here, pieces, strict=True):
            found.setdefault(number, []).append(piece)
        sent = {number: torch.cat(of, dim=axis) for number, of in found.items()}
        own = sent.pop(self.place, None)
        readers = self._asked_of_this()
        received = self._swapped(slopes, axis, sent, readers)
        if own is not None:
            received[self.place] = own
            readers[self.place] = self._read(self.place, self.place)
        total = _like(slopes, axis, self.lengths[self.place]).zero_()
        for number in sorted(received):
            strips = received[number].split(_counts(readers[number]), dim=axis)
            for cut, strip in zip(readers[number], strips, strict=True):
                _rows(total, axis, cut).add_(strip)
        return total

    def _asked_of_this(self) -> dict[int, list[Span]]:
        """Return what each other part reads of this one, if anything."""
        others = [k for k in range(len(self.windows)) if k != self.place]
        asked = {number: self._read(number, self.place) for number in others}
        return {number: cuts for number, cuts in asked.items() if cuts}

    def _asked_of_others(self) -> dict[int, list[Span]]:
        """Return what this part reads of each other one, if anything."""
        others = {of for of, _ in self.windows[self.place].parts} - {self.place}
        return {of: self._read(self.place, of) for of in sorted(others)}

    def _read(self, number: int, of: int) -> list[Span]:
        """Return what one part reads of another."""
        return [cut for k, cut in self.windows[number].parts if k == of]

    def _swapped(
        self, like: Any, axis: int, sent: dict[int, Any], asked: dict[int, list[Span]]
    ) -> dict[int, Any]:
        """Send to others, and return the rows that are asked of each."""
        from torch.distributed import P2POp, batch_isend_irecv, irecv, isend

        received = {
            number: _like(like, axis, sum(_counts(cuts)))
            for number, cuts in asked.items()
        }
        travels = [
            P2POp(travel, _bytes(message.contiguous()), self.ranks[number], self.group)
            for travel, messages in ((isend, sent), (irecv, received))
            for number, message in messages.items()
            if message.numel()
        ]
        for work in batch_isend_irecv(travels) if travels else ():
            work.wait()
        return received


def _counts(cuts: Sequence[Span]) -> list[int]:
    return [stop - start for start, stop in cuts]


def _rows(array: Any, axis: int, cut: Span) -> Any:
    start, stop = cut
    return array.narrow(axis, start, stop - start)


def _like(array: Any, axis: int, length: int) -> Any:
    """Return a new tensor of another length along an axis."""
    return array.new_empty([*array.shape[:axis], length, *array.shape[axis + 1 :]])


def _bytes(message: Any) -> Any:
    """Return the memory of a tensor as what any backend can send, of any dtype."""
    import torch

    return message.view(-1).view(torch.uint8)


def _make_function() -> Any:
    import torch

    class Exchange(torch.autograd.Function):  # type: ignore[misc]
        """What is read of a part and of others; on the way back, what returns."""

        @staticmethod
        def forward(ctx: Any, rows: Any, cut: Cut, axis: int, is_back: bool) -> Any:
            ctx.rest = cut, axis, not is_back
            return (cut.returned if is_back else cut.gathered)(rows, axis)

        @staticmethod
        def backward(ctx: Any, slopes: Any) -> Any:
            return Exchange.apply(slopes, *ctx.rest), None, None, None

    return Exchange
