"""Masked arrays of which nothing is masked, as netCDF4 reads what misses nothing.

Beside the samples they are plain arrays: there is nothing to lose.  NumPy's functions
make a mask for all of them, so that its values must be asked for; they are in memory.
"""

from __future__ import annotations

from typing import Any

from ._refusals import Mask, carried, replaced


def is_unmasked(value: Any) -> bool:
    """Tell whether a value is a masked array of which nothing is masked."""
    row = carried(value)
    if not isinstance(row, Mask) or row.is_in_chunks or row.has_state(value):
        return False
    mask = row.mask(value)
    return mask is None or not mask.any()


def unmasked(given: Any) -> Any:
    """Return what is given, also in lists, with the data of what is unmasked."""
    return replaced(given, is_unmasked, _data)


def _data(masked: Any) -> Any:
    row: Any = carried(masked)
    return row.data(masked)
