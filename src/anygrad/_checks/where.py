"""Which samples are valid: `where`."""

from __future__ import annotations

import numbers
from typing import Any

from .. import _precision
from .._records import Field, Orders
from .companion import companion, may_broadcast
from .wording import shown


def check(where: Any, field: Field, orders: Orders) -> None:
    """Refuse what is no mask of these samples, and formulas that cannot have one."""
    if isinstance(where, (numbers.Number, str, bytes, list, tuple, dict)):
        msg = (
            f"`where` must be a boolean array. Got {shown(where)}. Convert it to an "
            "array of the library of `input` first."
        )
        raise TypeError(msg)
    mask = companion(where, field, "where")
    if not _precision.is_bool(mask.dtype, mask.namespace):
        msg = (
            f"`where` must have a boolean dtype: True for a valid sample. Got "
            f"{mask.dtype}. Compare first, e.g. `where != 0`."
        )
        raise TypeError(msg)
    shape = tuple(mask.shape)
    lengths = zip(reversed(shape), reversed(tuple(field.shape)), strict=False)
    if len(shape) > field.ndim or not all(may_broadcast(a, b) for a, b in lengths):
        msg = (
            f"`where` must be broadcastable to `input`, of shape {tuple(field.shape)}. "
            f"Got shape {shape}."
        )
        raise ValueError(msg)
    if (orders.order, orders.accuracy) != (1, 2):
        msg = (
            "`where` must be None but for `order=1` and `accuracy=2`. Got "
            f"`order={orders.order}` and `accuracy={orders.accuracy}`. Set invalid "
            "samples to NaN for these: derivatives that read one are NaN."
        )
        raise ValueError(msg)
