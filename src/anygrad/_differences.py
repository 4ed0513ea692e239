"""Differences, also of integers that no floating dtype holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._namespaces import shifted

if TYPE_CHECKING:
    from ._typing import DType, Namespace


def difference(upper: Any, lower: Any, dtype: DType, wide: bool, xp: Namespace) -> Any:
    """Return ``upper - lower`` in `dtype`, also for integers that `dtype` rounds.

    Integers of 64 bits are no float64, and their difference is no int64.  Their
    halves `q` and the lost bits `b` are: with ``i = 2 * q + b``, the difference is
    ``2 * (q1 - q0) + (b1 - b0)``, exact up to the conversion to `dtype`.
    """
    if not wide:
        return upper - lower
    q1, b1 = _halved(upper, xp)
    q0, b0 = _halved(lower, xp)
    return xp.astype(q1 - q0, dtype) * 2.0 + xp.astype(b1 - b0, dtype)


def _halved(integers: Any, xp: Namespace) -> tuple[Any, Any]:
    """Return ``integers // 2`` and ``integers % 2`` in a signed dtype."""
    if not xp.isdtype(integers.dtype, "unsigned integer"):
        return shifted(integers, 1, xp), integers & 1
    # torch cannot shift unsigned integers.  Their bits read as signed ones can be
    # shifted; the sign that this drags along is masked away.
    half = int(xp.iinfo(integers.dtype).max) >> 1
    signed = xp.astype(integers, getattr(xp, f"int{half.bit_length() + 1}"))
    return shifted(signed, 1, xp) & half, signed & 1
