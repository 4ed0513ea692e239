"""A gradient of samples in the words of the array API standard alone: a proposal.

One axis, one array: what array-api-extra could hold as it stands.
"""

from __future__ import annotations

from typing import Any, Literal

from array_api_compat import array_namespace, device


def gradient(
    x: Any,
    /,
    *,
    axis: int,
    spacing: complex | Any = 1,
    edge_order: Literal[1, 2] = 1,
    xp: Any = None,
) -> Any:
    """
    Estimate the derivative of samples along an axis by finite differences.

    Parameters
    ----------
    x : array
        Samples of a function on a grid, of a numeric dtype; at least
        ``edge_order + 1`` along `axis`.
    axis : int
        Axis along which to differentiate.
    spacing : scalar or array, optional
        The step between neighbours, as a scalar or an array of shape (); or an array of
        shape ``(x.shape[axis],)``, the coordinates of the samples, which may be uneven.
        Default: 1.
    edge_order : {1, 2}, optional
        The order of accuracy of the first and of the last value. Default: 1.
    xp : array_namespace, optional
        The standard-compatible namespace for `x`. Default: infer.

    Returns
    -------
    array
        The derivative at each sample, of the shape of `x`. It has the dtype of `x`, the
        default real floating dtype where that is of integers, and a complex one where
        `spacing` is complex.

    Notes
    -----
    Inside, it is the slope of the parabola through a sample and its two neighbours; at
    an end, of the line or the parabola through the samples that are next to it.
    """
    xp = array_namespace(x) if xp is None else xp
    _check(x, axis, spacing, edge_order, xp)
    axis %= x.ndim
    dtype = x.dtype
    if xp.isdtype(dtype, "integral"):
        dtype = _default(x, "real floating", xp)
    is_step = getattr(spacing, "ndim", 0) == 0
    steps = spacing if is_step else _differences(spacing, 0, 1, xp)
    if hasattr(steps, "dtype") and not xp.isdtype(steps.dtype, "complex floating"):
        steps = xp.astype(steps, dtype)  # the samples decide
    if not is_step:
        steps = xp.reshape(steps, (-1,) + (1,) * (x.ndim - 1 - axis))
    slopes = xp.astype(_differences(x, axis, 1, xp), dtype) / steps
    left, right = _cut(slopes, axis, None, -1), _cut(slopes, axis, 1, None)
    # By how much the parabola is steeper at its middle than the chord before it: a
    # share by the ratio of the steps, since their products may overflow.
    share = 0.5
    if not is_step:
        share = 1 / (1 + _cut(steps, 0, 1, None) / _cut(steps, 0, None, -1))
    bend = (right - left) * share
    inner = left + bend
    if is_step:  # the middle sample is not read at all
        inner = xp.astype(_differences(x, axis, 2, xp), dtype) * 0.5 / steps
    first, last = _cut(slopes, axis, None, 1), _cut(slopes, axis, -1, None)
    if edge_order == 2:
        first = first - _cut(bend, axis, None, 1)
        last = last + _cut(right - left - bend, axis, -1, None)
    return xp.concat([first, inner, last], axis=axis)


def _cut(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop), ...)]


def _differences(x: Any, axis: int, apart: int, xp: Any) -> Any:
    if xp.isdtype(x.dtype, "integral"):  # small ones would wrap
        x = xp.astype(x, _default(x, "integral", xp))
    return _cut(x, axis, apart, None) - _cut(x, axis, None, -apart)


def _default(x: Any, kind: str, xp: Any) -> Any:
    return xp.__array_namespace_info__().default_dtypes(device=device(x))[kind]


def _check(x: Any, axis: int, spacing: Any, edge_order: int, xp: Any) -> None:
    if not xp.isdtype(x.dtype, "numeric"):
        msg = f"`x` must have a numeric dtype, not {x.dtype}."
        raise TypeError(msg)
    if not -x.ndim <= axis < x.ndim:
        msg = f"`axis` must be an axis of `x`, of shape {x.shape}, not {axis}."
        raise IndexError(msg)
    if edge_order not in (1, 2):
        msg = f"`edge_order` must be 1 or 2, not {edge_order}."
        raise ValueError(msg)
    if x.shape[axis] < edge_order + 1:
        msg = f"`x` must have {edge_order + 1} samples along `axis` {axis} or more."
        raise ValueError(msg)
    shape = tuple(getattr(spacing, "shape", ()))
    if shape not in ((), (x.shape[axis],)):
        msg = f"`spacing` must have shape () or {(x.shape[axis],)}, not {shape}."
        raise ValueError(msg)
