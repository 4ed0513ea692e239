"""Calls that Numba compiles on torch's tensors, and on the chunks of Dask's arrays."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
import compiled_loops
from compiled_loops import Runs, agnostic, assert_same, bits, compiled

pytestmark = pytest.mark.peers

cache = compiled_loops.cache
default = compiled_loops.default
runs = compiled_loops.runs


def test_torch_tensors(runs: Runs, torch: Any, numpy: Any) -> None:
    """On the CPU, with their own dtypes, layouts and stacks."""
    plane = torch.arange(120.0).reshape(10, 12) ** 1.5
    mask = plane % 3 != 1
    calls: list[tuple[str, Any, dict[str, Any]]] = [
        ("laplacian", plane, {}),
        ("gradient", plane.T, {"stack_dim": 0}),
        ("derivative", plane, {"where": mask}),
        ("derivative", plane.to(torch.int16), {"spacing": torch.arange(12) ** 2}),
        ("hessian", plane.double(), {}),
    ]
    for function, f, keywords in calls:
        wanted = agnostic(function, f, **keywords)
        got = compiled(function, f, **keywords)
        results = got if isinstance(got, tuple) else (got,)
        for ours, theirs in zip(results, wanted, strict=True):
            assert ours.dtype is theirs.dtype
            assert bits(ours.numpy()) == bits(theirs.numpy())
    assert all(runs)
    assert len(runs) == len(calls)


def test_torch_tensors_that_are_watched(runs: Runs, torch: Any) -> None:
    """Transforms see the operations; autograd sees one, which runs forward compiled."""
    f = (torch.arange(12.0) ** 1.5).requires_grad_()
    (wanted,) = torch.autograd.grad(anygrad.derivative(f, order=2).square().sum(), f)
    assert not runs
    result = compiled("derivative", f, order=2)
    assert runs == [True]
    (got,) = torch.autograd.grad(result.square().sum(), f)
    assert torch.equal(got, wanted)
    rows = torch.stack([f.detach(), f.detach() ** 2])
    mapped = torch.func.vmap(lambda row: compiled("derivative", row))(rows)
    assert torch.equal(mapped, anygrad.derivative(rows))
    _, tangent = torch.func.jvp(lambda f: compiled("derivative", f), (rows,), (rows,))
    assert torch.equal(tangent, mapped)
    assert runs == [True]


def test_torch_dtypes_that_run_without(runs: Runs, torch: Any) -> None:
    """Those that NumPy does not have are not even offered."""
    f = torch.arange(9.0).to(torch.bfloat16)
    assert torch.equal(compiled("derivative", f), anygrad.derivative(f))
    half = f.to(torch.float16)
    assert torch.equal(compiled("derivative", half), anygrad.derivative(half))
    assert not any(runs)


def test_dask_arrays_take_it_along(runs: Runs, dask: Any, numpy: Any) -> None:
    """From where the call is made to where the chunks are computed."""
    from dask.array import from_array

    f = numpy.random.default_rng(3).standard_normal((30, 20))
    lazy = from_array(f, chunks=(11, 7))
    graph = compiled("laplacian", lazy)
    assert not runs
    assert_same(graph.compute(), agnostic("laplacian", f))
    assert runs
    assert all(runs)
    runs.clear()
    graph = anygrad.laplacian(lazy)
    with anygrad.set_compiler("numba"):
        assert_same(graph.compute(scheduler="synchronous"), agnostic("laplacian", f))
    assert not runs or all(runs)
