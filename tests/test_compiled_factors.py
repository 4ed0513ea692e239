"""Calls with scale factors that Numba compiles as one, on tensors of torch, too."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import anygrad
import compiled_loops
from anygrad._executors import in_numpy, in_torch
from anygrad._executors.printed import in_numba
from compiled_loops import Runs, assert_same

pytestmark = pytest.mark.peers

cache = compiled_loops.cache
default = compiled_loops.default


@pytest.fixture
def composites(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Compile small calls with factors, too, and return what has become of them."""
    run, seen = in_numba.run_composite, Runs()

    def watched(*given: Any, **how: Any) -> bool:
        seen.append(run(*given, **how))
        return seen[-1]

    monkeypatch.setattr(in_numba, "run_composite", watched)
    monkeypatch.setattr(in_numpy, "LEAST_IN_ONE_PASS", 0)
    monkeypatch.setattr(in_torch, "LEAST_IN_ONE_PASS", 0)
    return seen


@pytest.mark.parametrize("has_mask", [False, True])
@pytest.mark.parametrize("function", ["gradient", "divergence", "curl", "laplacian"])
def test_factors(
    composites: Runs,
    numpy: Any,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    has_mask: bool,
) -> None:
    """A call with factors is compiled as one, on several threads, too."""
    monkeypatch.setattr(in_numba, "LEAST_SHARE", 0)
    rng = numpy.random.default_rng(2)
    shape = (12, 16) if function in ("gradient", "laplacian") else (2, 12, 16)
    f, first, both = (
        rng.random(shape),
        rng.random((12, 1)) + 1,
        rng.random((12, 16)) + 1,
    )
    keywords = {"vector_dim": 0} if len(shape) > 2 else {}
    keywords |= {"scale_factors": [first, both], "boundary": ["edge", "one_sided"]}
    keywords |= {"where": rng.random((12, 16)) > 0.1} if has_mask else {}
    wanted = getattr(anygrad, function)(f, **keywords)
    with anygrad.set_compiler("numba"), anygrad.set_workers(2):
        ours = getattr(anygrad, function)(f, **keywords)
    assert composites == [True]
    assert_same(ours, wanted if isinstance(wanted, tuple) else (wanted,))


@pytest.mark.peers
def test_factors_beside_torch_tensors(composites: Runs, numpy: Any, torch: Any) -> None:
    """They are compiled in NumPy's hands; bfloat16, which it lacks, is not."""
    f, h = torch.rand(2, 12, 16), torch.rand(12, 16) + 1
    for dtype in (torch.float32, torch.bfloat16):
        factors = [h.to(dtype), 2.0]
        call = partial(anygrad.divergence, f.to(dtype), vector_dim=0)
        with anygrad.set_compiler("numba"):
            ours = call(scale_factors=factors)
        assert torch.equal(ours, call(scale_factors=factors))
    assert composites == [True]


@pytest.mark.peers
def test_factors_under_a_default_device_of_torch(numpy: Any, torch: Any) -> None:
    """Weights that are made beforehand lie where the samples do."""
    f = torch.rand(500, 400, dtype=torch.float64)
    x, y = (torch.rand(n, dtype=torch.float64).cumsum(0) + 1 for n in f.shape)
    h = torch.rand(500, 1, dtype=torch.float64) + 1
    given = {"spacing": [x, y], "scale_factors": [h, 2.0], "accuracy": 4}
    wanted = anygrad.laplacian(f, **given)
    with anygrad.set_compiler("numba"), torch.device("meta"):
        assert torch.equal(anygrad.laplacian(f, **given), wanted)


def test_factors_of_what_is_long(
    composites: Runs, numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results that are too long together are compiled one by one."""
    monkeypatch.setattr(in_numba, "MOST_LINES", 250)
    rng = numpy.random.default_rng(3)
    f, h = rng.random((3, 8, 9, 10)), rng.random((8, 9, 10)) + 1
    given = {"scale_factors": [h, 2.0, h], "vector_dim": 0}
    wanted = anygrad.curl(f, **given)
    with anygrad.set_compiler("numba"):
        assert anygrad.curl(f, **given).tobytes() == wanted.tobytes()
    assert composites == [False, True, True, True]
