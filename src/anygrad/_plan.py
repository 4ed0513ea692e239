"""What a call computes: small frozen records, made once and then only read."""

from __future__ import annotations

from typing import Any, NamedTuple

from anygrad._precision import Precision
from anygrad._stencils import Formula, Scheme
from anygrad._typing import Array


class Task(NamedTuple):
    """One partial derivative.

    Attributes
    ----------
    axis : int
        Not negative.
    scheme : Scheme
        The formulas along the axis.
    precision : Precision
        The dtypes.
    formulas : tuple of Formula
        For a step that is a Python number: the stencils of the scheme, scaled.  Else
        they are empty: they hold arrays, and planning computes no array.
    step : array or None
        For a step that is an array of shape ().
    coordinates : array or None
        For coordinates: of the samples' number of dimensions, so that they broadcast.
    memo : dict or None
        Where an executor may keep what it derives from a task of Python numbers only:
        such tasks are used again, for the next samples of the same shape.
    """

    axis: int
    scheme: Scheme
    precision: Precision
    formulas: tuple[Formula, ...]
    step: Array | None
    coordinates: Array | None
    memo: dict[Any, Any] | None = None


class Plan(NamedTuple):
    """All that a call computes: one task per dim, in the order of the dims."""

    tasks: tuple[Task, ...]
