"""Calls with scale factors in one pass over the samples: the bits of whole arrays."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import anygrad
from anygrad import _dispatch
from anygrad._executors import in_numpy, in_torch
from backends import Backend
from peaks import peak_of

pytestmark = pytest.mark.forms("numpy", "torch", "cupy")

SHAPE = 9, 12

#: By whether a factor varies along a dim: with all others it stands for a system.
FACTORS = ("numbers", "of the first", "of both", "one of each")

BOUNDARIES: list[Any] = [
    "one_sided",
    "periodic",
    ["edge", "one_sided"],
    [("reflect", "one_sided"), ("symmetric", 0.5)],
    [2.0, "symmetric"],
]

#: A mask: of one sample in seven, nothing is known.
VALID = [number % 7 != 3 for number in range(math.prod(SHAPE))]

FUNCTIONS = ("gradient", "divergence", "curl", "laplacian")


@pytest.fixture(autouse=True)
def of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have calls on few samples made in one pass, too."""
    monkeypatch.setattr(in_numpy, "LEAST_IN_ONE_PASS", 0)
    monkeypatch.setattr(in_torch, "LEAST_IN_ONE_PASS", 0)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list of whether each call was made in one pass."""
    usual, found = _dispatch.in_one_pass, list[bool]()

    def watched(samples: Any) -> Any:
        run = usual(samples)

        def wrapper(*given: Any) -> Any:
            results = run(*given)
            found.append(results is not None)
            return results

        return run and wrapper

    monkeypatch.setattr(_dispatch, "in_one_pass", watched)
    return found


def numbers(count: int) -> list[float]:
    draw = random.Random(count)
    return [draw.uniform(0.5, 2.0) for _ in range(count)]


def array(backend: Backend, shape: tuple[int, ...], dtype: str = "") -> Any:
    values = numbers(math.prod(shape))
    values = [round(value * 64) for value in values] if "int" in dtype else values
    return backend.from_flat(values, dtype or backend.real, shape)


def coordinates(backend: Backend, count: int) -> Any:
    values = list(itertools.accumulate(numbers(count)))
    return backend.from_flat(values, backend.real, (count,))


class Kind(NamedTuple):
    """A kind of call."""

    function: str
    boundary: Any
    factors: str
    on_coordinates: bool
    accuracy: int

    def __str__(self) -> str:
        return "-".join(map(str, self))


def kinds() -> list[Kind]:
    """Return some of all kinds."""
    every = itertools.product(FUNCTIONS, BOUNDARIES, FACTORS, (False, True), (2, 4))
    return [Kind(*one) for one in random.Random(7).sample(list(every), 60)]


def bits(backend: Backend, results: Any) -> list[Any]:
    each = results if isinstance(results, tuple) else (results,)
    return [(backend.dtype_name(one), repr(backend.tolist(one))) for one in each]


def on_whole_arrays(monkeypatch: pytest.MonkeyPatch, call: Any) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(_dispatch, "in_one_pass", lambda _: None)
        return call()


every_kind = pytest.mark.parametrize("kind", kinds(), ids=str)


def call_of(
    backend: Backend,
    kind: Kind,
    dtype: str = "",
    see: Callable[[Backend, Any], Any] = bits,
    turned: Callable[[Any], Any] = lambda f: f,
    **others: Any,
) -> Callable[[], Any]:
    """Return a call that returns what is seen of its results: the bits."""
    first, both = array(backend, (SHAPE[0], 1)), array(backend, SHAPE)
    factors = {
        "numbers": [1.0, 2.5],
        "of the first": [2.5, first],
        "of both": [both, both * both],
        "one of each": [first, both],
    }
    keywords: dict[str, Any] = {
        "spacing": [0.3, 0.7],
        "scale_factors": factors[kind.factors],
        "boundary": kind.boundary,
        "accuracy": kind.accuracy,
        **others,
    }
    if kind.on_coordinates:
        keywords["spacing"] = [coordinates(backend, n) for n in SHAPE]
        if kind.boundary == "periodic":
            keywords["boundary"] = [("periodic", 40.0)] * 2
    shape = SHAPE if kind.function in ("gradient", "laplacian") else (2, *SHAPE)
    if len(shape) > 2:
        keywords["vector_dim"] = 0
    f = turned(array(backend, shape, dtype))
    return lambda: see(backend, getattr(anygrad, kind.function)(f, **keywords))


@every_kind
def test_bits_of_whole_arrays(
    backend: Backend, passes: list[bool], monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """Every function, boundary and kind of factor, at the first call and the next."""
    call = call_of(backend, kind)
    wanted = on_whole_arrays(monkeypatch, call)
    assert not passes
    assert call() == call() == wanted
    assert passes == [True, True]


@pytest.mark.forms("numpy", "torch")
@pytest.mark.parametrize("nbytes", [16, 200])
@every_kind
def test_bits_in_blocks(
    backend: Backend,
    nbytes: int,
    passes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
) -> None:
    """Results are cut into blocks of so many bytes."""
    own: Any = in_numpy if backend.library == "numpy" else in_torch
    usual = own._ops(*[True] * (own is in_torch))
    cut = usual._replace(block_bytes=nbytes, scratch_bytes=nbytes)
    monkeypatch.setattr(own, "_ops", lambda *_, **__: cut)
    call = call_of(backend, kind)
    assert call() == on_whole_arrays(monkeypatch, call)
    assert passes == [True]


@pytest.mark.forms("cupy")
@pytest.mark.parametrize("kind", kinds()[::3], ids=str)
def test_bits_with_a_mask(
    backend: Backend, passes: list[bool], monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """A kernel chooses formulas at each point; with many of them it is too long."""
    call = call_of(backend, kind, where=backend.from_flat(VALID, "bool", SHAPE))
    assert call() == on_whole_arrays(monkeypatch, call)
    assert passes == [True] or kind.on_coordinates or kind.accuracy > 2


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_dtypes(
    backend: Backend,
    function: str,
    dtype: str,
    passes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Samples of other dtypes than the factors'."""
    kind = Kind(function, "symmetric", "of both", True, 2)
    call = call_of(backend, kind, dtype)
    assert call() == on_whole_arrays(monkeypatch, call)
    assert passes == [True]


@pytest.mark.parametrize("function", FUNCTIONS[:2] + FUNCTIONS[3:])
@pytest.mark.parametrize("boundary", ["one_sided", "edge"])
@pytest.mark.parametrize("factor", ["number", "array"])
def test_one_dim(
    backend: Backend,
    function: str,
    boundary: str,
    factor: str,
    passes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where there are no other factors, their product is one."""
    h = 2.5 if factor == "number" else array(backend, (SHAPE[0], 1))
    vector_dim = {"vector_dim": 0} if function == "divergence" else {}
    f = array(backend, (1, *SHAPE) if vector_dim else SHAPE)
    dim = {"dim": (len(f.shape) - 2,), "boundary": boundary}

    def call() -> list[Any]:
        factors = {"scale_factors": [h], **vector_dim}
        return bits(backend, getattr(anygrad, function)(f, **factors, **dim))

    assert call() == on_whole_arrays(monkeypatch, call)
    assert passes == [True]


@pytest.mark.parametrize("stack_dim", [0, -1])
def test_stacked(
    backend: Backend,
    stack_dim: int,
    passes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Results are written where they belong in one array."""
    f, h = array(backend, SHAPE), array(backend, SHAPE)

    def call() -> list[Any]:
        factors = {"scale_factors": [h, 2.0]}
        return bits(backend, anygrad.gradient(f, **factors, stack_dim=stack_dim))

    assert call() == on_whole_arrays(monkeypatch, call)
    assert passes == [True]


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize("kind", kinds()[::4], ids=str)
def test_bits_in_another_order_of_memory(
    backend: Backend,
    kind: Kind,
    order: tuple[int, ...],
    passes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Samples and results lie in memory with their axes in another order."""

    def turned(f: Any) -> Any:
        axes = [axis for axis in order if axis < len(f.shape)]
        back = [axes.index(axis) for axis in range(len(axes))]
        xp = backend.xp
        with backend.current_device(f):
            copy = xp.asarray(xp.permute_dims(f, tuple(axes)), copy=True)
            return xp.permute_dims(copy, tuple(back))

    call = call_of(backend, kind, turned=turned)
    assert call() == on_whole_arrays(monkeypatch, call)
    assert passes == [True]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_complex_numbers(
    backend: Backend,
    function: str,
    passes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bits of whole arrays, or within the bound where a compiler multiplies."""
    kind = Kind(function, "symmetric", "of both", True, 4)
    call = call_of(backend, kind, backend.complex, see=lambda _, results: results)
    ours, wanted = call(), on_whole_arrays(monkeypatch, call)
    assert passes == [True]
    if backend.library != "cupy":
        assert bits(backend, ours) == bits(backend, wanted)
        return
    xp = backend.xp
    for one, other in zip(ours, wanted, strict=True):
        with backend.current_device(one):
            error, largest = xp.max(xp.abs(one - other)), xp.max(xp.abs(other))
            assert error <= 50 * backend.epsilon(backend.real) * float(largest)


def test_what_is_left_to_whole_arrays(backend: Backend, passes: list[bool]) -> None:
    """What is complex along one dim only, dims without an interior, and masks."""
    f, h = array(backend, SHAPE), array(backend, SHAPE)
    anygrad.gradient(f, scale_factors=[h, h], spacing=[1j, 1.0])
    short = {"accuracy": 8, "boundary": "periodic"}
    anygrad.gradient(f[:2, :], scale_factors=[h[:2, :], 1.0], **short)
    assert passes == [False] * 2
    with backend.current_device(f):
        mask = f > 1.0
    anygrad.gradient(f, scale_factors=[h, h], where=mask)
    assert passes.pop() == (backend.library == "cupy")


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("boundary", ["one_sided", ["reflect", "edge", 0.0]])
def test_memory(numpy: Any, function: str, boundary: Any) -> None:
    """Beside the results: some megabytes, however large they are."""
    n = 100
    r, t = numpy.linspace(1, 2, n)[:, None, None], numpy.linspace(0.1, 3, n)
    wind = numpy.ones((3, n, n, n))
    keywords = {
        "spacing": [1 / n] * 3,
        "scale_factors": [1.0, r, r * numpy.sin(t)[:, None]],
        "boundary": boundary,
    }
    if function in ("divergence", "curl"):
        keywords["vector_dim"] = 0
    f = wind if "vector_dim" in keywords else wind[0]

    def call() -> int:
        results = getattr(anygrad, function)(f, **keywords)
        return sum([one.nbytes for one in results])

    nbytes = call()
    assert peak_of(call) - nbytes <= 8 * 2**20
