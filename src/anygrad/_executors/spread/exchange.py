"""What processes of torch send each other of an axis that is cut over them.

A process gets, of each other one, the rows that its own formulas read, and nothing
else.  On the way back of autograd the same goes backwards: what flows into these rows
returns to where they are from, and is added there; and so on, however often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from .neighbours import Span, Window

#: Some rows of a part, by its number.
Rows: TypeAlias = tuple[int, Span]


class Cut(NamedTuple):
    """An axis that is cut, as one process sees it."""

    #: The number of the part that is here.
    place: int
    #: Of all parts.
    lengths: Sequence[int]
    #: What each part reads.
    windows: Sequence[Window]
    #: The process that has each part.
    ranks: Sequence[int]
    #: The ProcessGroup where these processes meet; None is the group of all.
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
        return _exchange().apply(part, self, axis, False)

    def within(self, whole: Any, axis: int) -> Any:
        """Return what is read of an array that each process has as a whole."""
        import torch

        spans = self.windows[self.place].spans
        pieces = [_rows(whole, axis, span) for span in spans]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=axis)

    def moved(self, array: Any, axis: int, is_back: bool) -> Any:
        """Return a part between the rows that are read of others.

        Or, on the way back, a part with the sum of what all that read its rows have
        got for them.
        """
        import torch
        from torch.distributed import P2POp, batch_isend_irecv, irecv, isend

        spans, arrivals, travels = self.windows[self.place].spans, [], []
        length = sum([stop - start for start, stop in spans])
        total = _like(array, axis, self.lengths[self.place] if is_back else length)
        total = total.zero_() if is_back else total
        for route in self._routes():
            (source, read), (target, written) = reversed(route) if is_back else route
            if source == self.place:
                strip = _rows(array, axis, read)
                to, travel = target, isend
            elif target == self.place:
                strip = _like(array, axis, read[1] - read[0])
                to, travel = source, irecv
            else:
                continue
            if source != target and strip.numel():
                # As what any backend can send, of any dtype.
                message = strip.contiguous().view(-1).view(torch.uint8)
                travels.append(P2POp(travel, message, self.ranks[to], self.group))
            if target == self.place:
                arrivals.append((_rows(total, axis, written), strip))
        for work in batch_isend_irecv(travels) if travels else ():
            work.wait()
        for own, strip in arrivals:
            own.add_(strip) if is_back else own.copy_(strip)
        return total

    def _routes(self) -> Iterator[tuple[Rows, Rows]]:
        """Return all rows that are read, and where in which part they are put.

        All processes list them in one order: messages between two arrive in theirs.
        """
        for target, window in enumerate(self.windows):
            place = 0
            for source, (start, stop) in window.parts:
                written = place, place + stop - start
                yield (source, (start, stop)), (target, written)
                _, place = written


def _rows(array: Any, axis: int, cut: Span) -> Any:
    start, stop = cut
    return array.narrow(axis, start, stop - start)


def _like(array: Any, axis: int, length: int) -> Any:
    """Return a new tensor of another length along an axis."""
    return array.new_empty([*array.shape[:axis], length, *array.shape[axis + 1 :]])


@cache
def _exchange() -> Any:
    """Return what autograd knows of both directions, made when the first comes."""
    import torch

    class Exchange(torch.autograd.Function):  # type: ignore[misc]
        """What is read of a part and of others; on the way back, what returns."""

        @staticmethod
        def forward(ctx: Any, rows: Any, cut: Cut, axis: int, is_back: bool) -> Any:
            ctx.rest = cut, axis, not is_back
            return cut.moved(rows, axis, is_back)

        @staticmethod
        def backward(ctx: Any, slopes: Any) -> Any:
            return Exchange.apply(slopes, *ctx.rest), None, None, None

    return Exchange
