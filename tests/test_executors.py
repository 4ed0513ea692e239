"""Executors decide where and in how many pieces a plan runs, never what it computes."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic, _records
from anygrad._executors import in_numpy, in_torch
from anygrad._executors.played import forms, preparing
from backends import Backend
from planning import plan_of

# Each executor, with every layout of memory that it may meet.
pytestmark = pytest.mark.forms(
    *("numpy", "numpy-read-only", "numpy-Fortran", "numpy-reversed"),
    *("torch", "torch-requires-grad", "dask-uneven", "cupy", "cupy-device1"),
)

#: From a few points to several of the blocks that executors cut arrays into, along
#: short axes and long ones.
SHAPES = [
    (2,),
    (3,),
    (150_000,),
    (500, 300),
    (300, 500),
    (3, 50_000),
    (50_000, 3),
    (40_000, 2, 2),
    (70, 40, 60),
    (9, 5, 3, 7, 70),
]


@pytest.fixture(autouse=True)
def several_blocks(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut arrays of these sizes into several blocks, as much larger ones are."""
    monkeypatch.setattr(forms, "MOST_UNRECORDED", -1)
    monkeypatch.setattr(_records, "MOST_UNPREPARED", -1)
    if backend.library == "numpy":
        monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
        cut = in_smaller_blocks(in_numpy._ops())
        monkeypatch.setattr(in_numpy, "_ops", lambda: cut)
    if backend.library == "torch":
        cut = in_smaller_blocks(in_torch._ops(True))
        monkeypatch.setattr(in_torch, "_ops", lambda on_cpu: cut)
        monkeypatch.setattr(in_torch, "_in_numpy", lambda: None)


def in_smaller_blocks(ops: Any) -> Any:
    return ops._replace(block_bytes=2**16, scratch_bytes=2**15)


def agnostic(
    backend: Backend, f: Any, function: str = "gradient", **keywords: Any
) -> tuple[Any, ...]:
    """Return what the agnostic run makes of the same plan."""
    with backend.current_device(f):
        plan = plan_of(function, f, **keywords)
        return _agnostic.run(f, plan, plan.namespace)


def integers(backend: Backend, shape: tuple[int, ...], dtype: str) -> Any:
    draw = random.Random(3)
    count = math.prod(shape)
    values = draw.choices(range(-99, 100), k=count)
    return backend.from_flat(values, dtype, shape)


def assert_equal(backend: Backend, got: Any, wanted: Any, tolerance: float) -> None:
    """Hold two large arrays to each other, in their library's own words."""
    assert backend.kind(got) == backend.kind(wanted)
    assert backend.device(got) == backend.device(wanted)
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    with backend.current_device(got):
        xp = backend.xp
        assert backend.tolist(xp.max(xp.abs(got - wanted))) <= tolerance
        assert backend.tolist(xp.all(xp.isfinite(got)))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_steps(backend: Backend, shape: tuple[int, ...]) -> None:
    """Every dim, with numbers that nothing has to round: equal to the last bit."""
    f = integers(backend, shape, "float32")
    edge_order = 2 if min(shape) > 2 else 1
    keywords = {"spacing": 0.5, "edge_order": edge_order}
    results = anygrad.gradient(f, **keywords)
    wanted = agnostic(backend, f, **keywords)
    for result, target in zip(results, wanted, strict=True):
        assert_equal(backend, result, target, 0.0)


@pytest.mark.cover(1)
@pytest.mark.parametrize("base", [0, 2**62, -(2**62), None], ids=str)
@pytest.mark.parametrize("spacing", [0.5, None], ids=["step", "coordinates"])
def test_wide_integers_in_blocks(
    backend: Backend, base: int | None, spacing: float | None
) -> None:
    """Far from zero, and some farther apart than floating numbers can tell (None)."""
    values = [(k * k) % 1009 + (base or 0) for k in range(150_000)]
    if base is None:
        values[70_000], values[70_001] = 2**63 - 1, -(2**63)
    f = backend.from_flat(values, "int64", (300, 500))
    for axis, n in enumerate(f.shape):
        x = backend.asarray([3 * k + k % 3 for k in range(n)], backend.real)
        keywords = {"spacing": [x if spacing is None else spacing], "dim": axis}
        (result,) = anygrad.gradient(f, **keywords)
        (target,) = agnostic(backend, f, **keywords)
        epsilon = float(backend.epsilon(backend.dtype_name(result)))
        with backend.current_device(f):
            error = backend.xp.abs(result - target)
            bound = 8 * epsilon * backend.xp.abs(target) + 8192 * epsilon
            assert backend.tolist(backend.xp.all(error <= bound))


SMALL = [(2,), (7,), (1, 6), (5, 4), (3, 4, 5), (2, 600)]


@pytest.mark.parametrize("shape", SMALL, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("step", [1.0, 0.25, -3.0])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_small_arrays_again(
    backend: Backend, shape: tuple[int, ...], step: float, edge_order: int
) -> None:
    """What the first call has kept serves other samples, with a NaN among them."""
    dim = [k for k, n in enumerate(shape) if n > edge_order]
    keywords = {"spacing": step, "dim": dim, "edge_order": edge_order}
    f = integers(backend, shape, "float32")
    anygrad.gradient(f, **keywords)
    with backend.current_device(f):
        g = backend.xp.where(f == backend.xp.max(f), f * math.nan, f + 1)
    again = anygrad.gradient(g, **keywords)
    for result, target in zip(again, agnostic(backend, g, **keywords), strict=True):
        assert result.dtype == target.dtype
        assert repr(backend.tolist(result)) == repr(backend.tolist(target))


@pytest.mark.parametrize("shape", SMALL, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("edge_order", [1, 2])
def test_small_arrays_with_coordinates_again(
    backend: Backend, shape: tuple[int, ...], edge_order: int
) -> None:
    """What a call has kept serves other samples and coordinates of the same shapes."""
    dim = [k for k, n in enumerate(shape) if n > edge_order]
    f = integers(backend, shape, backend.real)
    for power in (1.0, 1.5):
        spacing = [
            backend.asarray([(k + 1) ** power for k in range(shape[axis])])
            for axis in dim
        ]
        keywords = {"spacing": spacing, "dim": dim, "edge_order": edge_order}
        results, wanted = (
            anygrad.gradient(f, **keywords),
            agnostic(backend, f, **keywords),
        )
        for result, target in zip(results, wanted, strict=True):
            tolerance = float(4096 * backend.epsilon(backend.real))
            assert_equal(backend, result, target, tolerance)


@pytest.mark.cover(1)
@pytest.mark.parametrize("kind", ["1-D", "1-D, weights before blocks", "per point"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_coordinates(
    backend: Backend,
    shape: tuple[int, ...],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "before" in kind:
        monkeypatch.setattr(preparing, "MOST_UNSHARED", 0)
    f = integers(backend, shape, backend.real)
    edge_order = 2 if min(shape) > 2 else 1
    for axis, n in enumerate(shape):
        steps = [1 + k % 3 for k in range(n)]
        x = [sum(steps[:k]) if n < 100 else 3 * k + k % 3 for k in range(n)]
        coordinates = backend.asarray(x)
        if kind == "per point":
            line = tuple(n if k == axis else 1 for k in range(len(shape)))
            with backend.current_device(f):
                coordinates = backend.xp.reshape(coordinates, line) + f / 1024
        keywords = {"spacing": [coordinates], "dim": axis, "edge_order": edge_order}
        (result,) = anygrad.gradient(f, **keywords)
        (target,) = agnostic(backend, f, **keywords)
        assert_equal(
            backend, result, target, float(4096 * backend.epsilon(backend.real))
        )


def test_every_dtype(backend: Backend, dtype: str) -> None:
    """Dtypes that are converted on the way, in more than one block."""
    f = (
        integers(backend, (300, 400), dtype)
        if "u" not in dtype[:1]
        else (backend.from_flat([k % 251 for k in range(120_000)], dtype, (300, 400)))
    )
    x = backend.asarray([3 * k + k % 3 for k in range(300)], "float32")
    for axis, entry in ((0, 2.0), (1, 2.0), (0, x)):
        keywords = {"spacing": [entry], "dim": axis}
        (result,) = anygrad.gradient(f, **keywords)
        (target,) = agnostic(backend, f, **keywords)
        name = backend.dtype_name(result)
        assert_equal(backend, result, target, float(1024 * backend.epsilon(name)))


def test_small_tensors_beside_a_dtype_of_torch_alone(torch: Any) -> None:
    """NumPy has no words for one dim, so it does none; what is kept says whose."""
    f = torch.arange(35.0).reshape(5, 7) ** 2
    rows, columns = torch.arange(5.0), torch.arange(7.0).to(torch.bfloat16)
    for _ in range(3):
        for spacing in ([rows, columns], [2.0, columns], [rows, 0.5]):
            results = anygrad.gradient(f, spacing=spacing)
            plan = plan_of("gradient", f, spacing=spacing)
            wanted = _agnostic.run(f, plan, plan.namespace)
            for result, target in zip(results, wanted, strict=True):
                assert torch.allclose(result, target, rtol=1e-6)


FIELDS = [(2, 150, 300), (3, 40, 50, 60), (3, 9, 7, 900), (2, 30_000, 5)]


@pytest.mark.cover(1)
@pytest.mark.parametrize("boundary", ["one_sided", "periodic", 2.0])
@pytest.mark.parametrize("shape", FIELDS, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("name", ["divergence", "curl", "laplacian"])
def test_sums_of_derivatives(
    backend: Backend, name: str, shape: tuple[int, ...], boundary: Any
) -> None:
    """Written block by block, with one scale for all terms and with several."""
    field = integers(backend, shape, backend.real)
    f = field[0, ...] if name == "laplacian" else field
    x = backend.asarray([3 * k + k % 3 for k in range(shape[1])])
    steps = [0.5, -2.0, 0.25][: len(shape) - 2]
    for spacing in (0.5, [x, *steps] if boundary != "periodic" else [3.0, *steps]):
        keywords = {"spacing": spacing, "boundary": boundary}
        result = getattr(anygrad, name)(f, **keywords)
        (target,) = agnostic(backend, f, name, **keywords)
        assert_equal(
            backend, result, target, float(4096 * backend.epsilon(backend.real))
        )
