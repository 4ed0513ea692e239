"""What a chunk of Dask's reads of its neighbours: windows, and tasks for the strips.

A strip is named by the array that it is cut of, so that all results of a call, and all
calls, share it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from .._records import Task, halo_of, wraps


class Window(NamedTuple):
    """What one chunk along the axis reads.

    Attributes
    ----------
    parts : tuple of (int, slice)
        The chunks along the axis, and what is read of each.
    spans : tuple of (int, int)
        The same samples, as starts and stops along the whole axis.
    rows : slice
        Which of their rows are the chunk's own.
    """

    parts: tuple[tuple[int, slice], ...]
    spans: tuple[tuple[int, int], ...]
    rows: slice


def is_line(x: Any, axis: int) -> bool:
    """Tell whether coordinates or a mask broadcast along all other axes."""
    return x is None or all(n == 1 for k, n in enumerate(x.shape) if k != axis)


def pieces(
    graph: dict[Any, Any],
    array: Any,
    index: tuple[int, ...],
    read: list[tuple[int, Window]],
) -> tuple[list[Any], list[slice]]:
    """Return the keys of what a chunk reads, and what is still to be cut of them.

    Along two axes, these are rows of pieces.  Those at the corners are strips along the
    first axis, which the chunk between reads anyway, and are cut where they are used.
    """
    (axis, window), others = read[0], read[1:]
    if not others:
        return _parts(graph, array, index, window, axis), []
    ((other, across),) = others
    rows = []
    for number, cut in window.parts:
        beside = (*index[:axis], number, *index[axis + 1 :])
        if cut == slice(0, array.chunks[axis][number]):
            rows.append(_parts(graph, array, beside, across, other))
            continue
        blocks = [(*beside[:other], k, *beside[other + 1 :]) for k, _ in across.parts]
        rows.append([_cut(graph, (array.name, *b), axis, cut) for b in blocks])
    return rows, [cut for _, cut in across.parts]


def _cut(graph: dict[Any, Any], key: tuple[Any, ...], axis: int, cut: slice) -> Any:
    """Add the task for a strip, the same for all that read it; return its key."""
    name, *block = key
    strip = (f"anygrad-strip-{name}", axis, cut.start, cut.stop, *block)
    graph[strip] = (strip_of, key, axis, cut)
    return strip


def is_lazy(value: Any) -> bool:
    return hasattr(value, "dask")


def windows_of(chunks: Sequence[int], task: Task) -> list[Window]:
    """Return what each chunk along the axis reads."""
    stops = list(accumulate(chunks))
    left, right, points = halo_of(task)
    is_circle = wraps(task)
    length, windows = stops[-1], []
    for stop, size in zip(stops, chunks, strict=True):
        start = stop - size
        first, last = max(start - left, 0), min(stop + right, length)
        # Near an end of the array, a short chunk reads as far as the edge does.
        last = min(max(last, first + points), length)
        first = max(min(first, last - points), 0)
        spans = [(first, last)]
        # Where the edges read each other, the other end is put behind or before: a
        # position that counts from there then leads to the same sample.
        if is_circle and last < length and start < left:
            spans.append((length - left, length))
        elif is_circle and first > 0 and stop > length - right:
            spans.insert(0, (0, right))
        before = start - first + (right if spans[0] != (first, last) else 0)
        parts = tuple(
            part for span in spans for part in _overlaps(stops, chunks, *span)
        )
        windows.append(Window(parts, tuple(spans), slice(before, before + size)))
    return windows


def _overlaps(
    stops: Sequence[int], chunks: Sequence[int], first: int, last: int
) -> Iterator[tuple[int, slice]]:
    for number in range(bisect_right(stops, first), len(stops)):
        start, size = stops[number] - chunks[number], chunks[number]
        if start >= last:
            return
        if size:
            yield number, slice(max(first - start, 0), min(last - start, size))


def _parts(
    graph: dict[Any, Any],
    array: Any,
    index: tuple[int, ...],
    window: Window,
    axis: int,
) -> list[Any]:
    """Return the keys of what a chunk reads of `array`; add tasks for the strips."""
    keys = []
    for number, cut in window.parts:
        block = (*index[:axis], number, *index[axis + 1 :])
        key = (array.name, *block)
        if cut != slice(0, array.chunks[axis][number]):
            key = _cut(graph, key, axis, cut)
        keys.append(key)
    return keys


def of_companion(
    graph: dict[Any, Any],
    x: Any,
    index: tuple[int, ...],
    window: Window,
    axis: int,
) -> list[Any]:
    """Return what a chunk reads of coordinates or of a mask."""
    if x is None:
        return []
    if x.shape[axis] == 1:  # of a mask, that is for the whole axis
        window = window._replace(parts=((0, slice(0, 1)),), spans=((0, 1),))
    if not is_lazy(x):
        return [strip_of(x, axis, slice(*span)) for span in window.spans]
    index = tuple(
        0 if count == 1 and k != axis else i
        for k, (i, count) in enumerate(zip(index, x.numblocks, strict=True))
    )
    return _parts(graph, x, index, window, axis)


def beyond_ends(
    graph: dict[Any, Any],
    value: Any,
    index: tuple[int, ...],
    window: Window,
    axis: int,
) -> Any:
    """Return what a chunk reads of values beyond an end, or of a period."""
    if not getattr(value, "ndim", 0):
        return (value.name,) if is_lazy(value) else value
    return of_companion(graph, value, index, window, axis)


def aligned(x: Any, f: Any, axis: int) -> Any:
    """Give coordinates or a mask the chunks of the samples, but where they broadcast.

    A vector along the axis that is no Dask array stays what it is: it is small, and its
    pieces go into the tasks.
    """
    if x is None:
        return None
    if is_lazy(x):
        wanted = {
            k: (1,) if n == 1 else f.chunks[k]
            for k, n in enumerate(x.shape)
            if not math.isnan(
                n
            )  # what Dask does not know cannot be cut, and lies as in `f`
        }
        changes = {k: c for k, c in wanted.items() if x.chunks[k] != c}
        return x.rechunk(changes) if changes else x
    if is_line(x, axis):
        return x
    from dask.array import from_array

    return from_array(
        x, chunks=tuple((1,) if n == 1 else f.chunks[k] for k, n in enumerate(x.shape))
    )


def strip_of(array: Any, axis: int, cut: slice) -> Any:
    return array[(slice(None),) * axis + (cut,)]
