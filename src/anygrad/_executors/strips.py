"""What a chunk of Dask's reads of its neighbours: tasks for the strips.

A strip is named by the array that it is cut of, so that all results of a call, and all
calls, share it.
"""

from __future__ import annotations

import math
from typing import Any

from .neighbours import Window


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
