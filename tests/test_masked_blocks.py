"""Missing samples in large arrays: the blocks whose masks are looked at."""

from __future__ import annotations

import math
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors.played import masked
from backends import Backend
from peaks import peak_of
from planning import plan_of

#: More samples than are run through as a whole, and than a block has.
SHAPE = (611, 523)

KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"spacing": 0.3},
    {"spacing": -7.0, "boundary": "periodic"},
    {"spacing": [2.0, 3.0], "boundary": ["reflect", 0.5]},
    {"edge_order": 2, "dim": [1, 0]},
    {"boundary": "symmetric", "stack_dim": 0},
    {"accuracy": 6, "edge_order": 2, "dim": 0},
)


@pytest.fixture(params=("scattered", "runs", "all", "none", "lines", "one column"))
def mask(request: pytest.FixtureRequest) -> Any:
    """Masks as they occur, as NumPy has them."""
    numpy = pytest.importorskip("numpy")
    rng = numpy.random.default_rng(11)
    if request.param == "scattered":
        return rng.random(SHAPE) > 0.2
    if request.param == "runs":
        return numpy.sin(numpy.arange(SHAPE[0] * SHAPE[1]) ** 1.1 / 9).reshape(
            SHAPE
        ) > -numpy.linspace(0.0, 1.0, SHAPE[1])
    if request.param == "lines":
        return rng.random((SHAPE[0], 1)) > 0.3
    if request.param == "one column":
        return rng.random(SHAPE[1]) > 0.3
    return numpy.full(SHAPE, request.param == "all")


def samples(library: Backend, dtype: str) -> Any:
    """Whole numbers: all differences of theirs are exact in all dtypes."""
    count = SHAPE[0] * SHAPE[1]
    values = [float(k * 7919 % 101) for k in range(count)]
    return library.from_flat(values, dtype, SHAPE)


def on_device(mask: Any, library: Backend) -> Any:
    """Return a mask as the library's own, beside its samples."""
    return library.from_flat(mask.ravel().tolist(), "bool", mask.shape)


@pytest.fixture(name="library")
def in_memory(library: Backend) -> Backend:
    """Libraries whose executors may look at the values."""
    if library.id.split("-")[0] not in ("numpy", "torch"):
        pytest.skip("its values are not looked at")
    return library


def check(function: str, f: Any, library: Backend, **kind: Any) -> None:
    """Compare with the agnostic run: all bits, the places of NaN included."""
    xp = library.xp
    found = getattr(anygrad, function)(f, **kind)
    plan = plan_of(function, f, **kind)
    wanted = _agnostic.run(f, plan, plan.namespace)
    results = found if isinstance(found, tuple) else (found,)
    for got, expected in zip(results, wanted, strict=True):
        assert got.dtype == expected.dtype
        nan = xp.isnan(expected)
        assert bool(xp.all(xp.isnan(got) == nan))
        zero = xp.zeros_like(expected)
        there, other = xp.where(nan, zero, got), xp.where(nan, zero, expected)
        assert bool(xp.all(there == other))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_steps(kind: dict[str, Any], mask: Any, library: Backend) -> None:
    f, where = samples(library, "float64"), on_device(mask, library)
    assert f.shape[0] * f.shape[1] * 5 > 2 * masked.MOST_RUN_THROUGH
    check("gradient", f, library, where=where, **kind)


def test_coordinates(mask: Any, library: Backend) -> None:
    xp = library.xp
    f, where = samples(library, "float32"), on_device(mask, library)
    x, y = (
        xp.cumsum(library.asarray([1.0 + k * 37 % 11 for k in range(n)]), 0)
        for n in SHAPE
    )
    grid = xp.reshape(x, (-1, 1)) * 0.5 + xp.reshape(y, (1, -1)) * 2.0
    for spacing in ([x, y], [grid, 0.5]):
        kind = {"spacing": spacing, "edge_order": 2}
        check("gradient", f, library, where=where, **kind)
    for order, edge_order in ((2, 2), (2, 1), (3, 1)):
        kind = {"order": order, "edge_order": edge_order, "dim": 1, "spacing": [y]}
        check("derivative", f, library, where=where, **kind)
    turns = {"spacing": [x, y], "boundary": ("periodic", 1e5)}
    check("gradient", f, library, where=where, **turns)


@pytest.mark.parametrize("shape", [(8, 75_000), (37, 72, 144)], ids=str)
@pytest.mark.parametrize(
    "kind",
    [{}, {"spacing": 0.3, "accuracy": 4}, {"boundary": "periodic"}, {"spacing": None}],
    ids=str,
)
def test_sums_of_lines_that_are_cut(
    shape: tuple[int, ...], kind: dict[str, Any], library: Backend
) -> None:
    """An axis before is short, and whole in each block: blocks have parts of lines."""
    numpy, count = pytest.importorskip("numpy"), math.prod(shape)
    values = [float(k * 7919 % 101) for k in range(count)]
    f = library.from_flat(values, "float64", shape)
    where = on_device(numpy.random.default_rng(5).random(shape) > 0.2, library)
    if "spacing" in kind and kind["spacing"] is None:
        steps = [[1.0 + k * 37 % 11 for k in range(n)] for n in shape]
        grid = [library.xp.cumsum(library.asarray(s), axis=0) for s in steps]
        kind = {"spacing": grid}
    for part in (where, where[..., :1], where[:1, ...]):
        check("laplacian", f, library, where=part, **kind)
    field = library.xp.stack([f + k for k in range(len(shape))])
    check("divergence", field, library, where=where, **kind)


@pytest.mark.parametrize("dtype", ["float16", "complex128", "int16", "int64"])
def test_dtypes(dtype: str, library: Backend) -> None:
    xp = library.xp
    f = samples(library, dtype)
    where = xp.astype(samples(library, "int64") % 13, library.dtype("int32")) > 2
    if dtype == "int64":
        f = f + 2**61
    check("gradient", f, library, where=where, spacing=0.25)


def test_layouts(library: Backend) -> None:
    """Samples that lie in another order, with gaps, and in one line."""
    xp = library.xp
    f = samples(library, "float64")
    where = xp.astype(f, library.dtype("int32")) % 7 > 0
    in_order = xp.reshape(xp.reshape(where.T, (-1,)), where.T.shape)
    for turned in (where.T, in_order):
        check("gradient", f.T, library, where=turned)
    check("gradient", f[::2, 1:], library, where=where[::2, 1:])
    few = xp.reshape(f[:-1], (5, -1))  # rows are cut, so that blocks are no runs
    check("gradient", few, library, where=xp.reshape(where[:-1], (5, -1)))
    line = xp.reshape(f, (-1,))
    check("gradient", line, library, where=xp.reshape(where, (-1,)))


@pytest.mark.parametrize("n", [9, 60, 150])
def test_calls_that_come_again(n: int, library: Backend) -> None:
    """What is kept of the first calls serves samples in either order of memory."""
    xp = library.xp
    f = samples(library, "float64")[:n, :n] + 0.0
    runs = xp.broadcast_to(xp.astype(f[0, :], library.dtype("int32")) % 5 > 0, f.shape)
    holes = xp.astype(f, library.dtype("int32")) % 7 > 0
    x = xp.cumsum(library.asarray([1.0 + k * 37 % 11 for k in range(n)]), 0)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("gradient", {"accuracy": 4 if n > 9 else 2}),
        ("derivative", {"order": 2, "spacing": [x], "dim": 0}),
    ]
    for where in (runs, holes):
        for function, kind in kinds:
            for samples_again in (f, f.T, f, f.T):
                check(function, samples_again, library, where=where, **kind)


@pytest.mark.forms("numpy")
def test_as_many_dims_as_there_may_be(numpy: Any) -> None:
    """There is no room for further ones."""
    ndim = 64 if int(numpy.__version__.partition(".")[0]) > 1 else 32
    f = numpy.arange(6.0).reshape((1,) * (ndim - 2) + (2, 3))
    mask = numpy.asarray([[True, True, True], [True, False, False]])
    for _ in range(4):  # recorded at the second, and made again from the fourth on
        result = anygrad.derivative(f, where=mask)
        assert result.shape == f.shape
        assert result.reshape(2, 3)[0].tolist() == [1.0, 1.0, 1.0]
        assert numpy.isnan(result.reshape(2, 3)[1]).all()


@pytest.mark.parametrize("n", [7, 40, 500])
def test_missing_samples_are_not_read(n: int, library: Backend) -> None:
    """Infinities and NaN among them change nothing."""
    xp = library.xp
    f = samples(library, "float64")[:n, :n]
    where = xp.astype(f, library.dtype("int32")) % 7 > 0
    for value in (float("nan"), float("inf"), -1e308):
        spoiled = xp.where(where, f, xp.full_like(f, value))
        for clean, other in zip(
            anygrad.gradient(f, where=where),
            anygrad.gradient(spoiled, where=where),
            strict=True,
        ):
            same = (clean == other) | (xp.isnan(clean) & xp.isnan(other))
            assert bool(xp.all(same))


@pytest.mark.parametrize("shape", [(1500, 1500), (130, 130, 130)])
def test_memory_of_a_sum(shape: tuple[int, ...], numpy: Any) -> None:
    """Its terms are a few blocks."""
    f = numpy.ones(shape)
    where = numpy.random.default_rng(1).random(shape) < 0.9
    peak = peak_of(lambda: anygrad.laplacian(f, where=where))
    assert peak < f.nbytes + 12 * 2**20


@pytest.mark.parametrize("dtype", ["float16", "uint8"])
def test_memory_of_what_is_rounded(dtype: str, numpy: Any) -> None:
    """Only blocks are as wide as the numbers that are computed with."""
    f = numpy.ones((2000, 2000), dtype=dtype)
    where = numpy.random.default_rng(1).random(f.shape) < 0.9
    result = numpy.dtype("float16")
    peak = peak_of(lambda: anygrad.derivative(f, where=where, dtype=result))
    assert peak < 2 * f.size + 2**23


@pytest.mark.parametrize("stack_dim", [0, 1, -1])
def test_memory_of_a_stack(stack_dim: int, numpy: Any) -> None:
    """Its parts are written where they belong."""
    f = numpy.ones((1500, 1500))
    where = numpy.random.default_rng(1).random(f.shape) < 0.9
    peak = peak_of(lambda: anygrad.gradient(f, where=where, stack_dim=stack_dim))
    assert peak < 2 * f.nbytes + 2**23


@pytest.mark.parametrize("function", ["gradient", "laplacian", "hessian"])
@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("n", [20, 250])
def test_masks_with_holes_and_without(
    function: str, dtype: str, n: int, library: Backend
) -> None:
    """What is kept for the one is not the other's, whichever comes first."""
    xp = library.xp
    f = samples(library, dtype)[:n, :n] + 0.0
    all_valid = xp.astype(xp.ones_like(f), library.dtype("bool"))
    holes = xp.astype(f, library.dtype("int32")) % 7 > 0
    for order, masks in enumerate(((all_valid, holes), (holes, all_valid))):
        for where in [mask for mask in masks for _ in range(4)] + [*masks, *masks]:
            kind = {"spacing": 0.3, "edge_order": 1 + order}
            check(function, f, library, where=where, **kind)
