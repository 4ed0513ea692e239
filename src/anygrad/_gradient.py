"""The door: signature, documentation, three steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anygrad import _arguments, _backends
from anygrad._typing import ArrayT


def gradient(
    input: ArrayT,
    *,
    spacing: Any = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
    axis: int | Sequence[int] | None = None,
) -> tuple[ArrayT, ...]:
    """doc"""
    executor, xp = _backends.resolve(input, "input")
    plan = _arguments.plan(
        input, xp, spacing=spacing, dim=dim, axis=axis, edge_order=edge_order
    )
    return executor(input, plan, xp)
