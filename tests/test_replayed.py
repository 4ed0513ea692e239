"""Small calls that are made again on the same memory: each has its own values."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors import replayed
from planning import plan_of


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_other_values_each_time(numpy: Any, dtype: str) -> None:
    """And results that stay as they were, also while another thread is there."""
    calls = []
    for k in range(6):
        f = (numpy.arange(42).reshape(6, 7) ** 2 % (k + 11)).astype(dtype)
        x = numpy.arange(7, dtype="float32") ** (1 + k / 4)
        plan = plan_of("gradient", f, spacing=[x], dim=1)
        spaces = replayed.spaces_of(plan.tasks[0])
        taken = spaces.pop() if k == 5 else None
        calls.append((f, plan, anygrad.gradient(f, spacing=[x], dim=1)))
        assert spaces or k not in (3, 4)  # or before, if the form has been met
        if taken:
            spaces.append(taken)
    for f, plan, results in calls:
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        assert results[0].tobytes() == wanted.tobytes()
        assert results[0].dtype == wanted.dtype


@pytest.mark.peers
@pytest.mark.parametrize("has_coordinates", [False, True])
def test_tensors(torch: Any, has_coordinates: bool) -> None:
    """Within inference mode and without, and for a step with two numbers to a scale."""
    for k in range(6):
        with torch.inference_mode(k < 4):
            f, x = torch.arange(40.0) ** 2 % (k + 11), torch.arange(40.0) ** (1 + k / 4)
            given = [x] if has_coordinates else (3e38 if k == 5 else k + 0.3)
            plan = plan_of("gradient", f, spacing=given)
            is_there = bool(replayed.spaces_of(plan.tasks[0]))
            assert is_there or k <= 2 - (not has_coordinates)  # or before, likewise
            (result,) = anygrad.gradient(f, spacing=given)
            (wanted,) = _agnostic.run(f, plan, plan.namespace)
            assert result.equal(wanted)
            assert result.is_inference() == (k < 4)


@pytest.mark.forms("numpy")
def test_only_calls_that_are_made_again_have_memory_for_it(numpy: Any) -> None:
    """To hold it for each formula beside holes pushed other plans out."""
    f, x = numpy.ones((50, 40)), numpy.arange(40.0) ** 1.5
    masked = {"where": f > 0, "accuracy": 4}
    # Few samples that lie otherwise are copied, and are made again as others are.
    calls = [(f, masked, 20), (numpy.ones((40, 250)).T, {}, 2)]
    for samples, keywords, most in calls:
        given = {"spacing": x, "dim": -1, **keywords}
        plan = plan_of("derivative", samples, **given)
        for _ in range(5):
            anygrad.derivative(samples, **given)
        assert plan.tasks[0].kept.account.held < most * f.nbytes
