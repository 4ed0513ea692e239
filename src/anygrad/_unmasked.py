"""Masked arrays that have no mask, as netCDF4 reads whatever has no missing values.

Beside the samples they are plain arrays: there is nothing to lose.  That is told by the
mask itself, not by its values.
"""

from __future__ import annotations

from typing import Any

from ._refusals import Mask, carried


def is_unmasked(value: Any) -> bool:
    """Tell whether a value is a masked array without a mask."""
    row = carried(value)
    if not isinstance(row, Mask) or row.has_state(value):
        return False
    return row.mask(value) is None


def unmasked(given: Any) -> Any:
    """Return what is given, also in lists, with the data of what has no mask."""
    if type(given) in (list, tuple):
        return type(given)(map(unmasked, given))
    row: Any = carried(given)
    return row.data(given) if is_unmasked(given) else given
