"""Masked arrays: the mask is `where`, and what gets no formula is masked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _calls, _classes
from ._calls import Request
from ._records import Plan
from ._refusals import Mask


def plan(
    row: Mask, planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call on masked samples."""
    data, mask = row.data(array), row.mask(array)
    if mask is not None:
        _check_where(row, planner, array, request)
    inner = again(planner, data, **request._asdict())  # a given mask is checked by it
    valid = request.where
    if mask is not None:
        valid = ~mask if valid is None else ~mask & valid
        inner = again(planner, data, **request._replace(where=valid)._asdict())

    def run(array: Any, *_: Any) -> tuple[Any, ...]:
        data = row.data(array)
        results = inner.executor(data, inner, inner.namespace)
        missing = [None] * len(results) if valid is None else _missing(inner, data)
        pairs = zip(results, missing, strict=True)
        return tuple([row.masked(*pair, array) for pair in pairs])

    return inner._replace(executor=run)


def _missing(inner: Plan, data: Any) -> list[Any]:
    """Return where there is no formula, whatever the samples are: of zeros, it is NaN.

    The results do not say so: samples that are NaN and valid make them NaN, too.
    """
    xp = inner.namespace
    zeros = inner.executor(xp.zeros_like(data), inner, xp)
    return [xp.isnan(result) for result in zeros]


def _check_where(row: Mask, planner: Any, array: Any, request: Request) -> None:
    """Refuse masks where no formula knows which samples are valid."""
    is_usual = (request.order, request.accuracy) == (1, 2)
    if planner in _calls.WITH_WHERE and is_usual:
        return
    msg = (
        "`input` must not be a masked array but for first derivatives, by `gradient` "
        f"and `derivative`, of `accuracy=2`. Got {_classes.type_name(array)}. Fill "
        f"it first, e.g. with `{row.filled}`, integers after `astype(float)`."
    )
    raise TypeError(msg)
