"""Masked arrays: the mask is `where`, and what gets no formula is masked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._calls import Request
from ._checks import ghosts, input
from ._lowering import index_along, with_dims
from ._records import Plan
from ._refusals import Mask
from ._unmasked import unmasked


def plan(
    row: Mask, planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call on masked samples."""
    if row.has_state(array):
        input.refuse_meaning(array, row.namespace, "input")
    data, mask = row.data(array), row.mask(array)
    if mask is not None:
        ghosts.check_masked(request.boundary)
    inner = again(planner, data, **request._asdict())  # a given mask is checked by it
    valid = request.where
    if mask is not None:
        valid = ~mask if valid is None else ~mask & _as_samples(valid, inner)
        inner = again(planner, data, **request._replace(where=valid)._asdict())

    def run(array: Any, *_: Any) -> tuple[Any, ...]:
        data = row.data(array)
        results = inner.executor(data, inner, inner.namespace)
        missing = [None] * len(results) if valid is None else _missing(inner, data)
        pairs = zip(results, missing, strict=True)
        return tuple([row.masked(*pair, array) for pair in pairs])

    return inner._replace(executor=run)


def plan_without(
    planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call beside masked arrays of which nothing is masked."""
    return again(planner, array, **request.with_each(unmasked)._asdict())


def _as_samples(valid: Any, inner: Plan) -> Any:
    """Return a mask that broadcasts with the samples, all components included."""
    components = [task.component for task in inner.tasks if task.component is not None]
    if not components or valid.ndim > inner.ndim:
        return valid
    return with_dims(valid, inner.ndim)[index_along(components[0][0], None)]


def _missing(inner: Plan, data: Any) -> list[Any]:
    """Return where there is no formula, whatever the samples are: of zeros, it is NaN.

    The results do not say so: samples that are NaN and valid make them NaN, too.
    """
    xp = inner.namespace
    zeros = inner.executor(xp.zeros_like(data), inner, xp)
    return [xp.isnan(result) for result in zeros]
