"""Plain doors called for labelled arrays: what these refuse is said with names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from .labels import Along


def called(
    door: Callable[..., Any], data: xr.DataArray, at: Along, **given: Any
) -> Any:
    """Return what a plain door makes of the array inside, along the dims given."""
    try:
        return door(at.samples, **given)
    except (TypeError, ValueError, IndexError) as error:
        text = str(error)
        if type(error).__module__ != "builtins" or not text.startswith("`"):
            raise
        raise type(error)(_with_names(text, data.dims, at.names)) from None


def _with_names(text: str, dims: Sequence[Any], names: Sequence[Any]) -> str:
    """Return a message with names in the place of numbers."""
    for pattern, words, known in (
        (r"`(\w+)\[(\d+)\]`", "`{0}` along {1!r}", names),
        (r"`((?:vector_)?dim)` (-?\d+)", "`{0}` {1!r}", dims),
        (r"\b(dim)ension (\d+)(?: of `input`)?", "{0} {1!r}", dims),
    ):

        def named(found: re.Match[str], words: str = words, known: Any = known) -> str:
            return words.format(found[1], known[int(found[2])])

        text = re.sub(pattern, named, text)
    # What is in an array of pandas is reached by the methods of the labelled one.
    remedy = "Convert it first, with `astype(float)`; of samples, NaN goes by `skipna`."
    text = re.sub(r"Pass its values, with `to_numpy\(float.*", remedy, text)
    text = text.replace("list with one entry per dim", "mapping with one per dim")
    # The word alone is refused there, because results keep all labels.
    text = text.replace("write 'ghosts'", "cut their rows off the result")
    return text.replace("an `input`", "a `data`").replace("`input`", "`data`")
