"""What is remembered from call to call never shows: plans, programs, precisions."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _kept, _kept_plans
from anygrad._executors.played import spaces
from backends import JAX, Backend
from planning import plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")

SAMPLES = [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]]


def test_equal_arguments_of_other_kinds(library: Backend) -> None:
    """True equals 1 and 2 equals 2 + 0j, and they are no more the same for that."""
    f = library.asarray(SAMPLES)
    for _ in range(2):
        first = anygrad.gradient(f, spacing=2, dim=1, edge_order=1)
        wanted = oracle.derivative(SAMPLES, 1, oracle.steps(1, 2), 1)
        library.check(first, [wanted], like=f)
        for keywords in (
            {"spacing": True, "dim": 1},
            {"spacing": [True], "dim": 1},
            {"spacing": 2, "dim": True},
            {"spacing": 2, "dim": [True]},
            {"spacing": 2, "dim": 1.0},
            {"spacing": 2, "dim": 1, "edge_order": True},
            {"spacing": 2, "dim": 1, "edge_order": 1.0},
        ):
            with pytest.raises(TypeError):
                anygrad.gradient(f, **keywords)
        for step in (2 + 0j, [2 + 0j]):
            results = anygrad.gradient(f, spacing=step, dim=1)
            library.check(results, [wanted], like=f, dtype=library.complex)


def test_arguments_that_differ_in_one_thing(library: Backend) -> None:
    """Each call in turn with all others, twice."""
    f = library.asarray(SAMPLES)
    calls = list(itertools.product((0, 1), (1, 0.5, -3), (1, 2)))
    for axis, step, edge_order in calls * 2:
        results = anygrad.gradient(f, spacing=step, dim=axis, edge_order=edge_order)
        wanted = oracle.derivative(SAMPLES, axis, oracle.steps(axis, step), edge_order)
        library.check(results, [wanted], like=f)


def test_shapes_and_dtypes_in_turn(library: Backend) -> None:
    for _ in range(2):
        for columns, dtype in itertools.product(
            (3, 4), ("float32", library.real, "int8")
        ):
            samples = [row[:columns] for row in SAMPLES]
            f = library.asarray(samples, dtype)
            wanted = oracle.derivative(samples, 1, oracle.steps(1, 1), 2)
            results = anygrad.gradient(f, dim=1, edge_order=2)
            result = library.default if dtype == "int8" else dtype
            library.check(results, [wanted], like=f, dtype=result)


def test_layouts_in_turn(numpy: Any) -> None:
    """The same shape and dtype, another memory: and back again."""
    plain = numpy.asarray(SAMPLES, dtype="float64")
    turned = numpy.asarray(SAMPLES, dtype="float64", order="F")
    gaps = numpy.zeros((6, 8))
    gaps[::2, ::2] = plain
    swapped = plain.astype(plain.dtype.newbyteorder())
    wanted = [oracle.derivative(SAMPLES, k, oracle.steps(k, 3), 1) for k in (0, 1)]
    forms = [plain, turned, gaps[::2, ::2], plain[::-1][::-1], swapped]
    for f in itertools.chain(*itertools.permutations(forms, 2)):
        results = anygrad.gradient(f, spacing=3)
        for result, target in zip(results, wanted, strict=True):
            assert oracle.difference(result.tolist(), target, 1e-15) is None


def test_only_so_much_is_remembered(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound, no more than the plan that came last, with what it holds."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 2**17)
    for n in range(1303, 1400):  # lengths that no other test has
        f = numpy.arange(float(n)) ** 2
        for _ in range(3):  # what is called again is prepared further
            (result,) = anygrad.gradient(f, spacing=float(n))
            assert result[1] == 4 / (2 * n)
        held = [known.account.held for known in _kept_plans.by_key.values()]
        assert sum(held) == _kept_plans.held.held
        assert sum(held) <= 2**17 + held[-1]
        assert 0 < max(held) < 2**17


@pytest.mark.forms("numpy")
def test_plans_in_use_keep_their_place(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory in which calls are made again waits for plans that nobody asks for."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 2**18)
    monkeypatch.setattr(_kept, "PATIENCE", 8)
    samples = [numpy.arange(float(n)) for n in (10_007, 10_009, 10_011, 10_013)]

    def is_made_again(f: Any) -> bool:
        place = spaces.place_of(plan_of("gradient", f), None)
        return bool(place and place.made)

    for _ in range(40):
        for f in samples:
            anygrad.gradient(f)
    first = [is_made_again(f) for f in samples]
    assert True in first
    assert False in first
    for _ in range(40):
        for f in samples:
            anygrad.gradient(f)
    assert [is_made_again(f) for f in samples] == first
    (f,) = [f for f, is_there in zip(samples, first, strict=True) if not is_there][:1]
    for _ in range(40):
        anygrad.gradient(f)
    assert is_made_again(f)


def test_plans_are_bounded(library: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes; the oldest go first, with what executors keep for them."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 2**14)
    f = library.asarray([1.0] * 90)
    first = plan_of("gradient", f[:20]).tasks[0].kept
    assert first is not None
    for n in range(21, 90):
        anygrad.gradient(f[:n])
        held = [known.account.held for known in _kept_plans.by_key.values()]
        assert sum(held) == _kept_plans.held.held <= 2**14 + held[-1]
    again = plan_of("gradient", f[:20]).tasks[0].kept
    assert again is not first
    before = _kept_plans.held.held
    first.keep((1, 2, 3))  # a thread may be at work on what has been forgotten
    assert _kept_plans.held.held == before
    again.keep((1, 2, 3))
    assert _kept_plans.held.held > before
    again.keep(None)
    assert _kept_plans.held.held == before


def test_a_plan_above_the_bound_serves_its_call(
    library: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept alone, so that the next call need not make it again."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 1)
    for n in (13, 14):
        f = library.asarray([float(k) for k in range(n)])
        for _ in range(2):
            (result,) = anygrad.gradient(f, spacing=0.5)
            assert library.tolist(result) == [2.0] * n
        assert len(_kept_plans.by_key) == 1


def test_many_threads(numpy: Any) -> None:
    """Plans and programs are made and used by all of them at once."""
    shapes = [(n, m) for n in range(3, 11) for m in range(3, 11)]

    def call(number: int) -> bool:
        f = numpy.full(shapes[number % len(shapes)], 2.0)
        f[0] = 0
        down, along = anygrad.gradient(f, spacing=0.5)
        return (down[0] == 4).all() and (down[2:] == 0).all() and not along.any()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(call, range(20 * len(shapes))))


def test_the_default_dtype_may_change(torch: Any) -> None:
    f = torch.tensor([0, 1, 4])
    before = torch.get_default_dtype()
    try:
        for dtype in (torch.float64, torch.float32, torch.float64):
            torch.set_default_dtype(dtype)
            assert anygrad.gradient(f)[0].dtype == dtype
            assert anygrad.gradient(f.to(torch.float16))[0].dtype == torch.float16
    finally:
        torch.set_default_dtype(before)


def test_the_default_precision_may_change(jax: Any) -> None:
    import jax.numpy as jnp

    f = jnp.asarray([0, 1, 4], dtype="int32")
    for name in ("float64", "float32", "float64"):
        with JAX("", x64=name == "float64").active():
            assert anygrad.gradient(f)[0].dtype == name
            assert anygrad.gradient(f.astype("float32"))[0].dtype == "float32"


def test_devices_in_turn(array_api_strict: Any) -> None:
    """The dtype that integers get is that of their device."""
    xp = array_api_strict
    for _ in range(2):
        for name, dtype in (
            ("CPU_DEVICE", xp.float64),
            ("device2", xp.float32),
            ("no_float64", xp.float32),
            ("device1", xp.float64),
        ):
            f = xp.asarray([0, 1, 4], dtype=xp.int32, device=xp.Device(name))
            (result,) = anygrad.gradient(f)
            assert result.dtype == dtype
            assert result.device == f.device


@pytest.mark.parametrize("keywords", [{"edge_order": 2}, {"accuracy": 4}], ids=str)
def test_weights_are_freed_at_once(numpy: Any, keywords: dict[str, int]) -> None:
    """They are as large as the samples; nobody has to look for cycles."""
    f = numpy.ones((100, 100))
    x = numpy.arange(100.0)[:, None] + f
    for _ in range(4):  # records, and has the memory of blocks
        anygrad.gradient(f, dim=0, spacing=[x], **keywords)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        anygrad.gradient(f, dim=0, spacing=[x], **keywords)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert kept < f.nbytes / 4
