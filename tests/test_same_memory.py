"""Tensors on the CPU in NumPy's hands: as torch's own way, on threads or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic, _dispatch, _workers
from anygrad._executors import in_numpy, in_torch, same_memory, translated
from anygrad._executors.played import spaces
from planning import plan_of

#: More than one thread computes, in several blocks.
SHAPE = (700, 800)

pytestmark = pytest.mark.peers  # a session of the matrix has torch alone


def calls(torch: Any) -> list[dict[str, Any]]:
    coordinates = torch.arange(SHAPE[1], dtype=torch.float64) ** 1.1
    mask = torch.rand(SHAPE) > 0.1
    lines = torch.rand((SHAPE[0], 1))
    return [
        {"spacing": 0.3},
        {"spacing": coordinates},
        {"where": mask},
        {"boundary": (lines, lines)},
        {"boundary": (lines, lines), "where": mask},
        {"boundary": "periodic", "spacing": torch.tensor(0.5)},
    ]


@pytest.fixture(params=[1, 2])
def threads(torch: Any, request: pytest.FixtureRequest) -> Any:
    """As many threads of torch: with one, large tensors are NumPy's, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def are_the_largest(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Take few samples for so many that threads have blocks of their own to do.

    Return a list of how many threads did what NumPy was asked for.
    """
    monkeypatch.setattr(same_memory, "MANY_BYTES", 0)
    monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
    monkeypatch.setattr(in_torch, "LEAST_IN_ONE_PASS", 0)
    found = []

    def watched(usual: Any, *given: Any) -> Any:
        found.append(_workers.get_workers())
        return usual(*given)

    for name in ("run", "write_in_one_pass"):
        usual = getattr(in_numpy, name)
        monkeypatch.setattr(in_numpy, name, partial(watched, usual))
    return found


def test_the_guide_says_which_are_the_largest() -> None:
    guide = Path(__file__).parents[1] / "docs" / "guide" / "torch.md"
    words = f"at least {same_memory.MANY_BYTES / 2**20:g} MiB per thread"
    assert words in guide.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", range(6))
def test_the_largest_tensors(
    torch: Any, threads: int, are_the_largest: list[int], number: int
) -> None:
    """The bits of the agnostic run, from as many threads as torch has."""
    torch.manual_seed(0)
    keywords, f = calls(torch)[number], torch.rand(SHAPE)
    result = anygrad.derivative(f, dim=1, **keywords)
    assert are_the_largest == [threads]
    plan = plan_of("derivative", f, dim=1, **keywords)
    (wanted,) = _agnostic.run(f, plan, plan.namespace)
    assert result.isnan().equal(wanted.isnan())
    assert result.nan_to_num().equal(wanted.nan_to_num())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "float16"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("function", ["gradient", "divergence", "curl", "laplacian"])
def test_the_largest_tensors_with_factors(
    torch: Any,
    threads: int,
    are_the_largest: list[int],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    order: tuple[int, int],
    dtype: str,
) -> None:
    """The bits of whole tensors; those of 16 bits torch rounds, many at once."""
    torch.manual_seed(0)
    count = 1 if function in ("gradient", "laplacian") else 2
    samples = (torch.rand((count, *SHAPE)) * 100).to(getattr(torch, dtype))
    f = samples if count == 2 else samples[0]
    f = f.permute(*range(f.ndim - 2), *[k + f.ndim - 2 for k in order])
    n, m = f.shape[-2:]
    wide = torch.float64 if dtype in ("float64", "int64") else torch.float32
    factors = [torch.ones((n, 1), dtype=wide), torch.rand((n, m), dtype=wide) + 1]
    coordinates = torch.cumsum(torch.rand(m, dtype=wide) + 0.1, 0)

    def call() -> Any:
        keywords: Any = {"spacing": [0.5, coordinates], "scale_factors": factors}
        result = getattr(anygrad, function)(f, **keywords)
        return result if isinstance(result, tuple) else (result,)

    found = call()
    assert dtype == "float16" or are_the_largest == [threads]
    monkeypatch.setattr(_dispatch, "in_one_pass", lambda _: None)
    assert all(map(torch.equal, found, call()))


@pytest.mark.parametrize(
    ("number", "dtype"), [*[(k, "float32") for k in range(6)], (1, "int64")]
)
@pytest.mark.usefixtures("threads")
def test_large_tensors(torch: Any, number: int, dtype: str) -> None:
    """The bits of the agnostic run, in any order of memory."""
    torch.manual_seed(0)
    keywords = calls(torch)[number]
    whole = (torch.rand((SHAPE[1], SHAPE[0])) * 100).to(getattr(torch, dtype))
    f = whole.T if number % 2 else whole.T.contiguous()
    result = anygrad.derivative(f, dim=1, **keywords)
    plan = plan_of("derivative", f, dim=1, **keywords)
    (wanted,) = _agnostic.run(f, plan, plan.namespace)
    assert result.dtype == wanted.dtype
    assert result.isnan().equal(wanted.isnan())
    assert result.nan_to_num().equal(wanted.nan_to_num())


def test_large_tensors_are_numpys_on_one_thread(torch: Any, threads: int) -> None:
    """On several, torch makes up for what its operations take longer to call."""
    f = torch.ones(SHAPE)
    plan = plan_of("gradient", f)
    found = same_memory.InNumPy().run(f, plan, plan.namespace)
    assert (found is not None) == (threads == 1)


@pytest.mark.usefixtures("threads")
def test_large_tensors_of_16_bits_stay(torch: Any) -> None:
    """NumPy would convert them one by one."""
    in_numpy = same_memory.InNumPy()
    for n, is_there in ((2**10, True), (2**15, False)):
        f = torch.ones(n, dtype=torch.float16)
        plan = plan_of("gradient", f)
        found = in_numpy.run(f, plan, plan.namespace)
        assert (found is not None) == is_there


@pytest.mark.parametrize("shape", [(50,), (9, 11), (70, 80)])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_few_tensors_of_16_bits(torch: Any, dtype: str, shape: Any) -> None:
    """Converted and rounded by torch, they are what the agnostic run makes of them."""
    draw = torch.Generator().manual_seed(0)
    f = (torch.rand(shape, generator=draw) * 100).to(getattr(torch, dtype))
    x = torch.rand(shape[-1], generator=draw).cumsum(0)
    for samples in (f, f.T if f.ndim > 1 else f[::2]):
        for keywords in (
            {"spacing": 0.3},
            {"spacing": 70.0, "edge_order": 2},
            {"dim": -1, "spacing": [x[: samples.shape[-1]]], "dtype": f.dtype},
            {"dim": -1, "spacing": [x[: samples.shape[-1]].double()]},
            {"boundary": (1.5, "reflect"), "dim": 0, "spacing": f[-1:].sum()},
            {"accuracy": 4, "dtype": torch.float32},
        ):
            plan = plan_of("gradient", samples, **keywords)
            wanted = _agnostic.run(samples, plan, plan.namespace)
            for _ in range(4):
                found = anygrad.gradient(samples, **keywords)
                for result, target in zip(found, wanted, strict=True):
                    assert result.dtype == target.dtype
                    assert result.equal(target)


def test_few_wide_integers_are_not_rounded_twice(torch: Any) -> None:
    """To a dtype of 16 bits, which NumPy would round to otherwise than torch."""
    f = torch.tensor([0, 2**53 + 1, 2**53 + 3, 2**60 + 7, 5])
    plan = plan_of("gradient", f, dtype=torch.float16, spacing=2.0**50)
    (wanted,) = _agnostic.run(f, plan, plan.namespace)
    for _ in range(3):
        (result,) = anygrad.gradient(f, dtype=torch.float16, spacing=2.0**50)
        assert result.equal(wanted)


def test_masks_of_calls_that_stay_in_part(torch: Any) -> None:
    """NumPy has all dtypes of the first dim, and not those of the second."""
    f, x = torch.rand((8, 9)), torch.arange(9.0).to(torch.bfloat16)
    keywords = {"spacing": [1.0, x], "where": f > 0.2}
    plan = plan_of("gradient", f, **keywords)
    wanted = _agnostic.run(f, plan, plan.namespace)
    for _ in range(2):
        for result, other in zip(anygrad.gradient(f, **keywords), wanted, strict=True):
            assert result.isnan().equal(other.isnan())
            assert result.nan_to_num().equal(other.nan_to_num())


@pytest.mark.parametrize("n", [100, 2**18])
@pytest.mark.usefixtures("threads")
def test_memory_stays_resizable(torch: Any, n: int) -> None:
    """It does not after `torch.Tensor.numpy`."""
    f = torch.ones(n)
    for _ in range(3):
        (result,) = anygrad.gradient(f)
    for tensor in (f, result):
        tensor.resize_(2 * n)


def test_zeros_without_memory(torch: Any) -> None:
    """Slopes that autograd knows to be zero are none that NumPy could read."""
    nothing = torch._efficientzerotensor((4, 5))
    for keywords in ({}, {"boundary": "periodic"}, {"accuracy": 4}):
        (result,) = anygrad.gradient(nothing, dim=1, **keywords)
        assert result.equal(torch.zeros(4, 5))
    assert anygrad.gradient(torch.rand(3, 0), dim=0)[0].shape == (3, 0)


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("tracked", [False, True], ids=["constant", "trained"])
def test_memory_that_has_been_freed(torch: Any, count: int, tracked: bool) -> None:
    """Its slopes were zero; torch's own gradient says what is wrong."""
    f = torch.rand(5, 6, dtype=torch.float64)
    for _ in range(count):
        anygrad.gradient(f)
    freed = f.clone().requires_grad_(tracked)
    freed.untyped_storage().resize_(0)
    for function in (torch.gradient, anygrad.gradient):
        with pytest.raises(RuntimeError, match="out of bounds for storage of size 0"):
            function(freed)


@pytest.mark.parametrize("count", [1, 20])
def test_tensors_that_stand_for_others(torch: Any, count: int) -> None:
    """Torch's functional tensors, which are of no other class: they were read as 0."""
    f, x = torch.rand(5, 6, dtype=torch.float64), torch.arange(6.0) ** 2
    calls: tuple[Callable[[Any], Any], ...] = (
        lambda f: anygrad.derivative(f, spacing=[x]),
        lambda f: anygrad.laplacian(f, boundary="edge"),
        lambda f: anygrad.derivative(f, where=f > 0.1).nan_to_num(),
    )
    for call in calls:
        for _ in range(count):
            wanted = call(f)
        shell = torch._to_functional_tensor(f)
        torch._enable_functionalization(reapply_views=True)
        try:
            result = call(shell)
            torch._sync(result)
        finally:
            torch._disable_functionalization()
        assert torch._from_functional_tensor(result).equal(wanted)


@pytest.mark.parametrize("stack_dim", [None, 0])
@pytest.mark.usefixtures("kept_at_once")
def test_a_dim_with_a_dtype_that_numpy_lacks(torch: Any, stack_dim: int | None) -> None:
    """What is kept with the other dim is torch's, too: it ended in a TypeError."""
    f = torch.arange(42.0).reshape(6, 7) ** 2
    half = torch.arange(7.0, dtype=torch.bfloat16)
    for where in (None, f != 16):
        keywords = {"spacing": [0.5, half], "where": where, "stack_dim": stack_dim}
        for _ in range(3):
            results = anygrad.gradient(f, **keywords)
            plan = plan_of("gradient", f, **keywords)
            assert not isinstance(plan.tasks[0].kept.made, translated.Translated)
            wanted = _agnostic.run(f, plan, plan.namespace)
            results = results if stack_dim is None else (results,)
            for ours, theirs in zip(results, wanted, strict=True):
                assert ours.nan_to_num().equal(theirs.nan_to_num())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("has_grid", [False, True])
@pytest.mark.usefixtures("kept_at_once")
def test_tensors_between_are_made_again_on_one_thread(
    torch: Any, threads: int, dtype: str, has_grid: bool
) -> None:
    """With the bits of the agnostic run, for other samples and coordinates."""
    torch.manual_seed(1)
    shape = 1000, 200
    assert same_memory.FEW_SAMPLES < 200_000 < same_memory.FEW_FOR_ONE_THREAD
    for number in (1, 2, 3, 4, 5, 6):
        f = (torch.rand(shape) * 100).to(getattr(torch, dtype))
        f = f.T.contiguous().T if number == 3 else f
        grid = [torch.cumsum(torch.rand(n) + 0.1, 0) for n in shape]
        spacing = grid if has_grid else 0.5 + number
        found = anygrad.gradient(f, spacing=spacing)
        plan = plan_of("gradient", f, spacing=spacing)
        wanted = _agnostic.run(f, plan, plan.namespace)
        assert all(map(torch.equal, found, wanted))
    if (dtype, has_grid) in (("float32", True), ("int64", False)):  # others are large
        assert bool(spaces.place_of(plan, None)) == (threads == 1)
