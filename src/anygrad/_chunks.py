"""The chunks of samples, and arrays beside these in the same ones."""

from __future__ import annotations

from typing import Any

from ._records import Field


def in_chunks(array: Any, wanted: Any, left_out: int | None = None) -> Any:
    """Return an array in the chunks of the samples, so that these stay as they are.

    Only what is as long is cut so; one axis may be left out.  What is repeated along an
    axis has one chunk there: Dask broadcasts none beside empty ones.
    """
    changes: dict[int, tuple[int, ...]] = {}
    pairs = zip(getattr(array, "chunks", ()), wanted, strict=False)
    for k, (old, new) in enumerate(pairs):
        if sum(new) == sum(old):  # if they are known
            if k != left_out and old != new:
                changes[k] = new
        elif len(old) > 1 == sum(old):
            changes[k] = (1,)
    return array.rechunk(changes) if changes else array


def chunks_of(field: Field) -> Any:
    """Return the chunks of what is differentiated; those of no library are none."""
    chunks = getattr(field.samples.array, "chunks", ())
    if field.vector_axis is None or not chunks:
        return chunks
    return (*chunks[: field.vector_axis], *chunks[field.vector_axis + 1 :])
