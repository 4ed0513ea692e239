"""Sums, stacks, components and mixed derivatives of few samples, made again at once."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from backends import Backend
from planning import free_spaces, plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")


@pytest.mark.forms("numpy", "torch")
@pytest.mark.parametrize("has_mask", [False, True])
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize(
    ("function", "kind", "shape"),
    [
        ("gradient", {"stack_dim": 0}, (12, 9)),
        ("gradient", {"stack_dim": -1}, (12, 9)),
        ("hessian", {"stack_dim": 1}, (12, 9)),
        ("hessian", {}, (7, 8, 9)),
        ("divergence", {"vector_dim": 0}, (2, 12, 9)),
        ("curl", {"vector_dim": -1}, (6, 7, 8, 3)),
        ("jacobian", {"vector_dim": 1}, (12, 4, 9)),
    ],
)
def test_all_results_of_a_call(
    library: Backend,
    function: str,
    kind: dict[str, Any],
    shape: tuple[int, ...],
    dtype: str,
    is_turned: bool,
    has_mask: bool,
) -> None:
    """On coordinates and on steps, with masks and without, however samples lie."""
    xp, vector_dim = library.xp, kind.get("vector_dim")
    lengths = [n for k, n in enumerate(shape) if k != (vector_dim or 0) % len(shape)]
    lengths = list(shape) if vector_dim is None else lengths
    lines = [xp.cumulative_sum(xp.arange(n) % 4 + 1.0) for n in lengths]
    size = math.prod(shape)
    for k in range(12):
        step = k // 4 + 1.0
        f = xp.astype(xp.arange(size) ** 2 % (k + 47), getattr(xp, dtype))
        f = xp.reshape(f, shape)
        if is_turned:
            axes = tuple(reversed(range(f.ndim)))
            line = xp.reshape(xp.permute_dims(f, axes), (-1,))
            f = xp.permute_dims(xp.reshape(line, tuple(reversed(shape))), axes)
        given = {"spacing": [x * step for x in lines] if k < 6 else step, **kind}
        if has_mask:
            points = xp.reshape(xp.arange(math.prod(lengths)), tuple(lengths))
            given["where"] = points % (k // 3 + 5) > 0
        plan = plan_of(function, f, **given)
        made = getattr(anygrad, function)(f, **given)
        wanted = _agnostic.run(f, plan, plan.namespace)
        made = made if isinstance(made, tuple) else (made,)
        for result, right in zip(made, wanted, strict=True):
            same = (result == right) | (xp.isnan(result) & xp.isnan(right))
            assert bool(xp.all(same))
            assert result.dtype == right.dtype
    # NumPy does so, for tensors, too.
    is_apart = (plan.stack is None and is_turned) or not find_spec("numpy")
    assert is_apart or free_spaces(plan_of(function, f, **given))
