"""What a call computes: small frozen records, made once and then only read."""

from __future__ import annotations

from typing import NamedTuple

from anygrad._precision import Precision
from anygrad._stencils import Scale, Scheme
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
    scales : tuple of Scale
        For a step: what each stencil of the scheme is scaled with.
    coordinates : array or None
        For coordinates: of the samples' number of dimensions, so that they broadcast.
    """

    axis: int
    scheme: Scheme
    precision: Precision
    scales: tuple[Scale, ...]
    coordinates: Array | None


class Plan(NamedTuple):
    """All that a call computes: one task per dim, in the order of the dims."""

    tasks: tuple[Task, ...]
