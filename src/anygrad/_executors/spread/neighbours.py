"""What a chunk of an axis that is cut reads of its neighbours.

Ends exist at the ends of the array only: the formulas of a whole axis run on what a
chunk reads, and the rows that are not its own are dropped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from ..._records import Plan, Task, halo_of

#: Some rows, from where to where: a slice that Dask need not look into.
Span: TypeAlias = tuple[int, int]


#: ``execute(chunk, plan)`` returns the results of a plan on what a chunk reads.
Execute: TypeAlias = Callable[[Any, Plan], tuple[Any, ...]]


class Window(NamedTuple):
    """What one chunk along the axis reads."""

    #: The chunks along the axis, and what is read of each, from where to where.
    parts: tuple[tuple[int, Span], ...]
    #: The same samples, as starts and stops along the whole axis.
    spans: tuple[Span, ...]
    #: Which of their rows are the chunk's own.
    rows: Span


def windows_of(chunks: Sequence[int], *tasks: Task) -> list[Window]:
    """Return what each chunk along the axis reads for some tasks; for none, itself."""
    stops = list(accumulate(chunks))
    left, right, points, is_ring = halo_of(*tasks)
    length, windows = stops[-1], []
    for stop, size in zip(stops, chunks, strict=True):
        start = stop - size
        first, last = max(start - left, 0), min(stop + right, length)
        # Near an end of the array, a short chunk reads as far as the edge does.
        last = min(max(last, first + points), length)
        first = max(min(first, last - points), 0)
        spans, before = [(first, last)], start - first
        # Where the edges read each other, the other end is put behind or before: a
        # position that counts from there then leads to the same sample.
        if is_ring and last < length and start < left:
            spans.append((length - left, length))
        elif is_ring and first > 0 and stop > length - right:
            spans.insert(0, (0, right))
            before += right
        if len(spans) > 1 and spans[0][1] >= spans[1][0]:  # none is there twice
            spans, before = [(0, length)], start
        parts = tuple(
            part for span in spans for part in _overlaps(stops, chunks, *span)
        )
        windows.append(Window(parts, tuple(spans), (before, before + size)))
    return windows


def _overlaps(
    stops: Sequence[int], chunks: Sequence[int], first: int, last: int
) -> Iterator[tuple[int, Span]]:
    for number in range(bisect_right(stops, first), len(stops)):
        start, size = stops[number] - chunks[number], chunks[number]
        if start >= last:
            return
        if size:
            yield number, (max(first - start, 0), min(last - start, size))
