"""Masks that come again: what they have told is there, and is theirs alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

import anygrad
from anygrad import _agnostic, _kept
from anygrad._executors import in_numpy
from anygrad._executors.played import holes
from anygrad._executors.played.holes import Seen
from backends import Backend
from planning import plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")

SHAPE = (300, 290)

#: Of a first call, nothing is recorded; the next one has a trace taken, then all.
FEW = 4


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have room for what is kept, however much other tests have had kept."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 2**40)


@pytest.fixture(name="draws")
def of_numpy(library: Backend) -> Any:
    """Return NumPy, where an executor may look at the values."""
    if library.id.split("-")[0] not in ("numpy", "torch"):
        pytest.skip("its values are not looked at")
    return pytest.importorskip("numpy")


def masks(draws: Any) -> list[Any]:
    """Return masks with single holes, with large ones, and all but the same."""
    draw = draws.random.default_rng(7)
    clusters = draws.ones(SHAPE, dtype=bool)
    clusters[40:90, 100:180] = False
    moved = draws.roll(clusters, 1, axis=1)  # as many of each kind, elsewhere
    single = draw.random(SHAPE) > 0.1
    other = single.copy()
    other[200, 200] ^= True
    return [clusters, moved, single, other, draw.random(SHAPE) > 0.5]


def wanted(function: str, f: Any, **kind: Any) -> tuple[Any, ...]:
    plan = plan_of(function, f, **kind)
    found: tuple[Any, ...] = _agnostic.run(f, plan, plan.namespace)
    return found


def check(library: Backend, function: str, f: Any, **kind: Any) -> None:
    """Compare with the agnostic run: all bits, the places of NaN included."""
    xp = library.xp
    found = getattr(anygrad, function)(f, **kind)
    results = found if isinstance(found, tuple) else (found,)
    for got, expected in zip(results, wanted(function, f, **kind), strict=True):
        nan = xp.isnan(expected)
        assert bool(xp.all(xp.isnan(got) == nan))
        assert bool(xp.all(nan | (got == expected)))


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("derivative", {"dim": 1}),
        ("derivative", {"dim": 0, "order": 2, "accuracy": 4}),
        ("derivative", {"spacing": "coordinates"}),
        ("derivative", {"boundary": "periodic"}),
        ("laplacian", {}),
        ("hessian", {"spacing": 0.3}),
    ],
    ids=str,
)
def test_masks_in_any_order(
    function: str,
    kind: dict[str, Any],
    library: Backend,
    draws: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With other samples each time, in two orders of memory, on one thread or more."""
    monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
    draw, xp = random.Random(3), library.xp
    f = library.asarray(draws.random.default_rng(1).random(SHAPE).tolist())
    if kind.get("spacing") == "coordinates":
        steps = draws.random.default_rng(2).random(SHAPE[1]) + 0.1
        kind = {"spacing": [xp.cumsum(library.asarray(steps.tolist()), 0)]}
    given = [xp.asarray(library.asarray(m.tolist()) > 0) for m in masks(draws)]
    turned = xp.asarray(xp.matrix_transpose(f), copy=True)
    orders = [f, xp.matrix_transpose(turned)]
    for count in range(5):
        where = draw.choice(given)
        for _ in range(draw.choice([1, 2, FEW])):
            samples = orders[count % 2] * draw.choice([1.0, -3.0])
            with anygrad.set_workers(draw.choice([1, 3])):
                check(library, function, samples, where=where, **kind)


def test_a_mask_that_changes_in_place(library: Backend, draws: Any) -> None:
    """It is the values that count."""
    f = library.asarray(draws.random.default_rng(1).random(SHAPE).tolist())
    where = library.xp.asarray(library.asarray(masks(draws)[0].tolist()) > 0)
    for row in (5, 50, 299):
        for _ in range(FEW):
            check(library, "derivative", f, where=where)
        where[row, 30:60] = False


@pytest.fixture(name="seen")
def what_is_kept() -> Callable[..., tuple[list[Any], int]]:
    def of(f: Any, **kind: Any) -> tuple[list[Any], int]:
        (task,) = plan_of("derivative", f, **kind).tasks
        kept = task.kept.beside("mended").beside("holes")
        parts = (kept.made or {}).values()
        return [one for latest in parts for one in latest], kept.size

    return of


def test_what_is_kept(numpy: Any, seen: Any) -> None:
    """Of a mask that came once a trace, and no more than there is room for."""
    f = numpy.random.default_rng(1).random(SHAPE)
    first, _, second, *_ = masks(numpy)
    kind = {"spacing": 0.77}
    anygrad.derivative(f, where=first, **kind)
    anygrad.derivative(f, where=second, **kind)
    made, size = seen(f, where=first, **kind)
    assert made
    assert size == 0
    assert not any(isinstance(one, Seen) for one in made)
    for _ in range(FEW):
        anygrad.derivative(f, where=first, **kind)
    made, size = seen(f, where=first, **kind)
    known = [one for one in made if isinstance(one, Seen)]
    assert (known[0].mask == first).all()
    assert size == sum([one.nbytes for one in known])
    assert f.nbytes // 8 < size < f.nbytes
    draw = numpy.random.default_rng(5)
    for _ in range(holes.MOST_MASKS):
        assert seen(f, where=first, **kind)[1] == size
        anygrad.derivative(f, where=draw.random(SHAPE) > draw.random(), **kind)
    assert seen(f, where=first, **kind)[1] == 0


def test_masks_in_turn(numpy: Any, seen: Any) -> None:
    """As those of a grid whose components stand between its points."""
    f, kind = numpy.random.default_rng(1).random(SHAPE), {"spacing": 0.79}
    wheres = masks(numpy)[: holes.MOST_MASKS]
    for _ in range(FEW):
        for where in wheres:
            anygrad.derivative(f, where=where, **kind)
    made, _ = seen(f, where=wheres[0], **kind)
    assert all(isinstance(one, Seen) for one in made)
    assert len(made) == len(wheres)
    with mock.patch.object(holes.Mask, "holes") as told:
        for where in wheres:
            anygrad.derivative(f, where=where, **kind)
    assert not told.called


def test_no_more_than_there_is_room_for(
    numpy: Any, seen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    f = numpy.random.default_rng(1).random(SHAPE)
    where = masks(numpy)[2]
    monkeypatch.setattr(holes, "MOST_BYTES", 1000)
    for _ in range(FEW):
        anygrad.derivative(f, where=where, dim=0)
    made, size = seen(f, where=where, dim=0)
    assert made
    assert size == 0


def test_masks_that_are_written_to_meanwhile(
    library: Backend, draws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another thread: what has been told of one is not what the other tells."""
    f = library.asarray(draws.random.default_rng(1).random(SHAPE).tolist())
    _, _, one, other, _ = masks(draws)
    before, then = [library.asarray(m.tolist()) > 0 for m in (one, other)]
    where, usual = library.xp.asarray(before, copy=True), holes.Mask.holes

    def with_writing(mask: Any, rules: Any) -> Any:
        found = usual(mask, rules)
        where[...] = then
        return found

    for _ in range(FEW):
        where[...] = before
        with monkeypatch.context() as patch:
            patch.setattr(holes.Mask, "holes", with_writing)
            anygrad.derivative(f, where=where)
    for mask in (then, before):
        check(library, "derivative", f, where=mask)
