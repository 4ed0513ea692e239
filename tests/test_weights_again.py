"""Weights on coordinates are made again for other coordinates only, and then always."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors import same_memory
from anygrad._executors.played import latest, scores
from planning import plan_of

#: Enough samples for threads of torch, and lines that share their weights.
SHAPE = 4000, 150

pytestmark = pytest.mark.usefixtures("kept_at_once")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list of the tasks for which weights have been made."""
    found = list[Any]()
    usual = scores.weights_of

    def watched(task: Any, xp: Any) -> Any:
        found.append(task)
        return usual(task, xp)

    monkeypatch.setattr(scores, "weights_of", watched)
    return found


def assert_right(found: Any, f: Any, **keywords: Any) -> None:
    """Hold a derivative along the last axis to the agnostic run."""
    plan = plan_of("derivative", f, **keywords)
    (wanted,) = _agnostic.run(f, plan, plan.namespace)
    assert bool((found == wanted).all())


def grid(xp: Any, power: float) -> Any:
    return xp.arange(SHAPE[1], dtype=xp.float64) ** power


def repeated(xp: Any, f: Any, made: list[Any]) -> None:
    """Call on coordinates that stay, are changed where they are, and are others."""
    x = grid(xp, 1.2)
    for count, power in ((1, None), (1, None), (2, 1.3), (2, None), (3, 1.2)):
        if power is not None:
            x[...] = grid(xp, power)  # the array stays, and what is in it does not
        assert_right(anygrad.derivative(f, spacing=x), f, spacing=x)
        assert len(made) == count
    assert_right(anygrad.derivative(f, spacing=x + 0), f, spacing=x)
    assert len(made) == 3  # equal ones serve
    for count, period in ((4, 500.0), (4, 500.0), (5, 600.0)):
        keywords: Any = {"spacing": x, "boundary": ("periodic", period)}
        assert_right(anygrad.derivative(f, **keywords), f, **keywords)
        assert len(made) == count
    with pytest.raises(AssertionError):  # which would tell if any of them were wrong
        assert_right(anygrad.derivative(f, spacing=x), f, spacing=grid(xp, 1.1))


def test_of_arrays(numpy: Any, made: list[Any]) -> None:
    repeated(numpy, numpy.random.default_rng(0).random(SHAPE), made)


@pytest.mark.peers
@pytest.mark.parametrize("threads", [1, 2])
def test_of_tensors(torch: Any, made: list[Any], threads: int) -> None:
    assert 2 * same_memory.MANY_BYTES > 4_800_000
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        repeated(torch, torch.rand(SHAPE, dtype=torch.float64), made)
    finally:
        torch.set_num_threads(before)


@pytest.mark.peers
def test_of_a_dtype_that_numpy_lacks(torch: Any, made: list[Any]) -> None:
    f, before = torch.rand(SHAPE, dtype=torch.float64), torch.get_num_threads()
    x = torch.arange(SHAPE[1]).to(torch.bfloat16)
    torch.set_num_threads(2)
    try:
        for count, left in ((1, 0.0), (1, 0.0), (2, -1.0)):
            x[0] = left
            assert_right(anygrad.derivative(f, spacing=x), f, spacing=x)
            assert len(made) == count
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "of", [pytest.param("torch", marks=pytest.mark.peers), "numpy"]
)
def test_of_fewer(of: str, numpy: Any, made: list[Any]) -> None:
    """Blocks make them for a grid that is there for the first time."""
    xp = pytest.importorskip(of)
    values = numpy.random.default_rng(0).random((400, 400))
    f, xs = xp.asarray(values), [xp.arange(400) ** power for power in (1.2, 1.3)]
    for number, count in ((0, 0), (0, 1), (0, 1), (1, 1), (0, 1), (0, 2), (1, 2)):
        x = xs[number]
        assert_right(anygrad.derivative(f, spacing=x), f, spacing=x)
        assert len(made) == count
    turned = xp.asarray(values.T.copy()).T
    for _ in range(3):
        assert_right(anygrad.derivative(turned, spacing=xs[0]), turned, spacing=xs[0])
        assert len(made) == 2  # blocks make them, in whose order nothing is kept
    made.clear()
    for count in (0, 2, 2):
        keywords: Any = {"spacing": xs, "edge_order": 2}
        plan = plan_of("laplacian", f, **keywords)
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        assert bool((anygrad.laplacian(f, **keywords) == wanted).all())
        assert len(made) == count


def test_zeros_of_either_sign_are_others(numpy: Any, made: list[Any]) -> None:
    """Their differences are equal, and what is divided by these is not."""
    f, x = numpy.random.default_rng(0).random(SHAPE), grid(numpy, 1.0)
    anygrad.derivative(f, spacing=x)
    x[0] = -0.0
    anygrad.derivative(f, spacing=x)
    assert len(made) == 2


@pytest.mark.parametrize(
    "of", [pytest.param("torch", marks=pytest.mark.peers), "numpy"]
)
def test_coordinates_that_are_written_to_meanwhile(
    of: str, numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another thread: what is made of them then is not that of the former ones."""
    xp: Any = pytest.importorskip(of)
    f = xp.asarray(numpy.random.default_rng(0).random(SHAPE))
    x, usual = grid(xp, 1.2), scores.weights_of

    def late(task: Any, xp: Any) -> Any:
        x[...] = grid(xp, 1.3)
        return usual(task, xp)

    with monkeypatch.context() as patch:
        patch.setattr(scores, "weights_of", late)
        anygrad.derivative(f, spacing=x)
    for power in (1.2, 1.3):
        x[...] = grid(xp, power)
        assert_right(anygrad.derivative(f, spacing=x), f, spacing=x)


def test_long_coordinates_are_not_kept(numpy: Any, made: list[Any]) -> None:
    f = numpy.random.default_rng(0).random((100, 9000))
    x = numpy.arange(9000.0) ** 1.1
    assert x.nbytes > latest.MOST_BYTES
    for count in (1, 2, 3):
        assert_right(anygrad.derivative(f, spacing=x), f, spacing=x)
        assert len(made) == count
