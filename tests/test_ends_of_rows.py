"""What is done near the ends of rows, once for several blocks."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors import in_numpy, in_torch
from anygrad._executors.played import blocked, blocks, forms, operations, preparing
from anygrad._executors.recorded import weights
from backends import Backend
from planning import plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")

SHAPES = [(90, 40), (7, 90, 40), (3, 25, 20, 9)]

KINDS: dict[str, dict[str, Any]] = {
    "accuracy": {"accuracy": 4},
    "high accuracy": {"accuracy": 8},
    "order": {"order": 2},
    "high order": {"order": 4, "accuracy": 4},
    "both ends": {"edge_order": 7},
    "periodic": {"accuracy": 6, "boundary": "periodic"},
    "reflection": {"accuracy": 6, "boundary": "reflect"},
    "a number beyond": {"accuracy": 4, "boundary": ("symmetric", 0.5)},
    "coordinates": {"accuracy": 4, "spacing": "coordinates"},
    "an array as the step": {"accuracy": 4, "spacing": "array"},
}


@pytest.fixture(name="library")
def in_small_blocks(library: Backend, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Cut small arrays as large ones are, whose axes are long."""
    name = library.id.split("-")[0]
    if name not in ("numpy", "torch"):
        pytest.skip("nothing is played")
    monkeypatch.setattr(blocks, "SHORT_AXIS", 8)
    monkeypatch.setattr(operations, "LEAST_BYTES", 64)
    monkeypatch.setattr(forms, "MOST_UNRECORDED", -1)
    # Nor do small arrays share weights on coordinates.
    monkeypatch.setattr(weights, "FEW_SAMPLES", 0)
    monkeypatch.setattr(preparing, "MOST_UNSHARED", 0)
    small = {"block_bytes": 700, "scratch_bytes": 700}
    if name == "numpy":
        monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
        of_numpy = in_numpy._ops()._replace(**small, moves=None)
        monkeypatch.setattr(in_numpy, "_ops", lambda: of_numpy)
    else:
        of_torch = in_torch._ops(True)._replace(**small)
        monkeypatch.setattr(in_torch, "_ops", lambda on_cpu: of_torch)
        monkeypatch.setattr(in_torch, "_in_numpy", lambda: None)
    return library


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that will have all groups of blocks that are played."""
    played: list[Any] = []
    play = blocked.play

    def watched(results: Any) -> None:
        played.extend([group for one in results for group in one.known.groups])
        play(results)

    monkeypatch.setattr(blocked, "play", watched)
    return played


def given_for(kind: dict[str, Any], n: int, library: Backend) -> dict[str, Any]:
    """Return the keywords of a call along an axis of some length."""
    given, draw = dict(kind), random.Random(3)
    if given.get("spacing") == "coordinates":
        steps = [draw.random() + 0.2 for _ in range(n)]
        given["spacing"] = [library.xp.cumsum(library.asarray(steps), 0)]
    elif given.get("spacing") == "array":
        given["spacing"] = library.asarray(0.3)
    return given


def samples(library: Backend, shape: tuple[int, ...], dtype: str) -> Any:
    values = [float(k * 7919 % 31 - 15) for k in range(math.prod(shape))]
    return library.from_flat(values, dtype, shape)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int32", "int64"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_same_bits(
    kind: dict[str, Any], dtype: str, library: Backend, groups: list[Any]
) -> None:
    """Along the last axis and that before it, on one thread and on three."""
    xp = library.xp
    for shape in SHAPES:
        for axis in (-1, -2):
            f = samples(library, shape, dtype)
            given = {**given_for(kind, shape[axis], library), "dim": axis}
            plan = plan_of("derivative", f, **given)
            (wanted,) = _agnostic.run(f, plan, plan.namespace)
            for workers in (1, 3):
                with anygrad.set_workers(workers):
                    found = anygrad.derivative(f, **given)
                assert found.dtype == wanted.dtype
                assert bool(xp.all(found == wanted))
    # With torch, weights are not spread over blocks, which then are no runs.
    are_runs = library.id.startswith("numpy") or "coordinates" not in kind.values()
    assert any(piece.is_end for group in groups for piece in group) == are_runs


@pytest.mark.forms("numpy")
def test_they_come_after_their_blocks(
    library: Backend, numpy: Any, groups: list[Any]
) -> None:
    """Each row is in one group, and its ends are the last that is written of it."""
    f = samples(library, (90, 40), "float64")
    anygrad.derivative(f, accuracy=4)
    assert len(groups) >= blocks.FEWEST
    order = numpy.zeros(f.shape, dtype=int)
    for group in groups:
        are_ends = [piece.is_end for piece in group]
        assert are_ends == sorted(are_ends)
        assert are_ends.count(True) == 2
        for piece in group:
            assert (order[piece.target] == 0).all() or piece.is_end
            order[piece.target] += 1
    assert (order[:, [0, 1, -2, -1]] == 2).all()
    assert (order[:, 2:-2] == 1).all()


@pytest.mark.forms("numpy")
@pytest.mark.parametrize(
    ("function", "given"),
    [
        ("derivative", {"edge_order": 1}),  # two differences are made of each row
        ("derivative", {"accuracy": 4, "dim": 0}),  # what each column has is in a block
        ("laplacian", {}),  # much around it would be read again
    ],
)
def test_few_are_done_with_their_blocks(
    function: str, given: dict[str, Any], library: Backend, groups: list[Any]
) -> None:
    f = samples(library, (90, 40), "float64")
    getattr(anygrad, function)(f, **given)
    assert len(groups) >= 2 * blocks.FEWEST
    assert all(len(group) == 1 for group in groups)


@pytest.mark.forms("numpy")
def test_so_are_those_of_short_rows(library: Backend, groups: list[Any]) -> None:
    """They are most of what is there."""
    anygrad.derivative(samples(library, (900, 8), "float64"), accuracy=2, order=2)
    assert len(groups) >= 2 * blocks.FEWEST
    assert all(len(group) == 1 for group in groups)


@pytest.mark.forms("numpy")
def test_there_are_fewer_operations(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the usual sizes of blocks, for which a call of an operation counts."""
    f, ops, counts = numpy.ones((2100, 1000)), in_numpy._ops(), Counter[str]()

    def counted(name: str, verb: Any) -> Any:
        def wrapper(*args: Any, **keywords: Any) -> Any:
            counts[name] += 1
            return verb(*args, **keywords)

        return wrapper

    def operations() -> int:
        verbs = {name: counted(name, verb) for name, verb in ops.verbs.items()}
        others = ops._replace(verbs=verbs)
        monkeypatch.setattr(in_numpy, "_ops", lambda: others)
        monkeypatch.setattr(forms, "_scores", {})
        counts.clear()
        anygrad.derivative(f, accuracy=8)
        return counts.total()

    together = operations()
    monkeypatch.setattr(preparing, "MANY_AT_ENDS", 10**6)
    assert operations() > 2 * together
