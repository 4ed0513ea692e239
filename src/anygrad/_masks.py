"""Masked arrays: the mask is `where`, and what gets no formula is masked again."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from typing import Any

from ._calls import Request
from ._checks import ghosts, input
from ._classes import is_array, is_number, ndim_of
from ._lowering import index_along, with_dims
from ._records import Plan
from ._refusals import Mask, first_in
from ._typing import Namespace


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
        request = request._replace(where=valid)
        inner = again(planner, data, **request._asdict())
    even = inner
    grid = (request.spacing, request.boundary, request.scale_factors)
    if valid is not None and first_in(grid, _may_make_nan) is not None:
        even = again(planner, data, **_evened(request, data, inner.namespace)._asdict())

    def masked(results: Sequence[Any], array: Any) -> tuple[Any, ...]:
        missing: list[Any] = [None] * len(results)
        if valid is not None:
            missing = _missing(even, row.data(array))
        pairs = zip(results, missing, strict=True)
        return tuple([row.masked(*pair, array) for pair in pairs])

    return inner.around(row.data, masked)


def _as_samples(valid: Any, inner: Plan) -> Any:
    """Return a mask that broadcasts with the samples, all components included."""
    components = [task.component for task in inner.tasks if task.component is not None]
    if not components or valid.ndim > inner.ndim:
        return valid
    return with_dims(valid, inner.ndim)[index_along(components[0][0], None)]


def _missing(even: Plan, data: Any) -> list[Any]:
    """Return where there is no formula, whatever the samples are: of zeros, it is NaN.

    The results do not say so: samples that are NaN and valid make them NaN, too, and so
    do equal coordinates and other arrays of a call, for which even ones stand here.
    """
    xp = even.namespace
    zeros = even.executor(xp.zeros_like(data), even, xp)
    return [xp.isnan(result) for result in zeros]


def _may_make_nan(value: Any) -> bool:
    """Tell whether a value of a call may make zeros NaN: those of arrays are unread."""
    return is_array(value) or (is_number(value) and cmath.isnan(value))


def _evened(request: Request, data: Any, xp: Namespace) -> Request:
    """Return a call of the same forms, in which zeros are NaN for want of a formula."""
    period = float(sum(_known(data.shape)))  # longer than coordinates that are even

    def spacing(given: Any) -> Any:
        return _even(given.shape, xp) if ndim_of(given) else 1.0

    def beyond(_: Any) -> Any:
        return 0.0

    def factor(given: Any) -> Any:
        return xp.ones_like(given) if ndim_of(given) else 1.0

    return request._replace(
        spacing=_each(request.spacing, spacing, period),
        boundary=_each(request.boundary, beyond, period),
        scale_factors=_each(request.scale_factors, factor, period),
    )


def _each(given: Any, change: Callable[[Any], Any], period: float) -> Any:
    """Return what is given with a change of its numbers and arrays, also in lists."""
    if isinstance(given, (list, tuple)):
        changed = [_each(entry, change, period) for entry in given]
        if isinstance(given, list):
            return changed
        first = given[0] if given else None
        is_periodic = isinstance(first, str) and first == "periodic"
        return ("periodic", period) if is_periodic else tuple(changed)
    return given if given is None or isinstance(given, str) else change(given)


def _even(shape: Sequence[Any], xp: Namespace) -> Any:
    """Return coordinates that increase by one along each dim."""
    places = 0.0
    for k, n in enumerate(_known(shape)):
        lengths = [n if dim == k else 1 for dim in range(len(shape))]
        places = places + xp.reshape(xp.arange(n, dtype=xp.float64), lengths)
    return places


def _known(shape: Sequence[Any]) -> list[int]:
    """Return lengths; one for a dim of unknown length, which is not differentiated."""
    return [1 if math.isnan(n) else n for n in shape]
