"""Whoever breaks a promise about gradients is caught."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad import testing
from broken_gradients import BROKEN
from suite import FUNCTIONS, verdicts


@pytest.mark.parametrize(("broken", "check"), BROKEN)
def test_broken_gradients_are_caught(numpy: Any, broken: Any, check: str) -> None:
    (verdict,) = verdicts(broken, numpy, check)
    assert verdict.outcome == "broken"
    assert verdict.reason


def test_a_dropped_device_is_caught(array_api_strict: Any) -> None:
    xp = array_api_strict

    def gradient(f: Any, **keywords: Any) -> Any:
        results = anygrad.gradient(f, **keywords)
        return tuple(g.to_device(xp.Device("CPU_DEVICE")) for g in results)

    (verdict,) = verdicts(gradient, xp, "check_device_kept")
    assert verdict.outcome == "broken"


def test_edges_of_chunks_are_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, **keywords: Any) -> Any:
        return (f.map_blocks(lambda block: anygrad.gradient(block, **keywords)[0]),)

    (verdict,) = verdicts(gradient, dask.array, "check_chunks_do_not_matter")
    assert verdict.outcome == "broken"


def test_a_computed_dask_array_is_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, **keywords: Any) -> Any:
        f.max().compute()
        return anygrad.gradient(f, **keywords)

    (verdict,) = verdicts(gradient, dask.array, "check_lazy_arrays_stay_lazy")
    assert verdict.outcome == "broken"


def test_a_branch_on_values_is_caught(jax: Any) -> None:
    import jax.numpy

    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(f if f.max() > 0 else -f, **keywords)

    (verdict,) = verdicts(gradient, jax.numpy, "check_samples_can_be_traced")
    assert verdict.outcome == "broken"


def test_a_lost_derivative_is_caught(torch: Any) -> None:
    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(f.detach(), **keywords)

    name = "check_differentiable_in_the_samples"
    (verdict,) = verdicts(gradient, torch, name)
    assert verdict.outcome == "broken"


def test_coordinates_that_are_moved_are_caught(array_api_strict: Any) -> None:
    def gradient(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, list):
            spacing = [x.to_device(f.device) for x in spacing]
        return anygrad.gradient(f, spacing=spacing, **keywords)

    (verdict,) = verdicts(gradient, array_api_strict, "check_coordinates_elsewhere")
    assert verdict.outcome == "broken"


def test_refused_coordinates_in_memory_are_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, list) and not hasattr(spacing[0], "chunks"):
            raise TypeError
        return anygrad.gradient(f, spacing=spacing, **keywords)

    (verdict,) = verdicts(gradient, dask.array, "check_coordinates_in_memory")
    assert verdict.outcome == "broken"


@pytest.mark.parametrize(
    "name",
    [
        "check_differentiable_in_coordinates_per_point",
        "check_differentiable_twice_in_coordinates",
    ],
)
def test_lost_coordinates_are_caught(torch: Any, name: str) -> None:
    def gradient(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, list):
            spacing = [x.detach() for x in spacing]
        return anygrad.gradient(f, spacing=spacing, **keywords)

    (verdict,) = verdicts(gradient, torch, name)
    assert verdict.outcome == "broken"


def test_a_missing_conjugate_is_caught(torch: Any) -> None:
    """A backward written by hand, which gives the transpose and not the adjoint."""

    class Unconjugated(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, f: Any) -> Any:
            return f.clone()

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            return cotangent.conj()

    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(Unconjugated.apply(f), **keywords)

    name = "check_differentiable_with_complex_steps"
    (verdict,) = verdicts(gradient, torch, name)
    assert verdict.outcome == "broken"


def test_a_missing_forward_derivative_is_caught(torch: Any) -> None:
    class Backward(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, f: Any) -> Any:
            return f.clone()

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            return cotangent

    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(Backward.apply(f), **keywords)

    (verdict,) = verdicts(gradient, torch, "check_differentiable_forward")
    assert verdict.outcome == "broken"


@pytest.mark.once
def test_every_check_can_fail(numpy: Any) -> None:
    """One gradient raises whatever it is asked, the other returns whatever it is."""

    def raises(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def returns(*_: Any, **__: Any) -> Any:
        return (numpy.asarray([7.0, 7.0]),)

    broken = {
        verdict.name
        for function in (raises, returns)
        for verdict in testing.run_checks(
            function, numpy, functions=dict.fromkeys(FUNCTIONS, function)
        )
        if verdict.outcome == "broken"
    }
    kept = testing.run_checks(anygrad.gradient, numpy, functions=anygrad)
    assert {v.name for v in kept if v.outcome == "kept"} <= broken


def test_cupy_is_called_as_numpy_is(cupy: Any) -> None:
    f = cupy.asarray([[1.0, 2, 4], [9, 3, 7], [5, 5, 0]])
    theirs = testing.gradient_of("cupy")(f, spacing=[2.0, 0.5], dim=[1, 0])
    ours = anygrad.gradient(f, spacing=[2.0, 0.5], dim=[1, 0])
    for a, b in zip(theirs, ours, strict=True):
        assert a.tolist() == b.tolist()
