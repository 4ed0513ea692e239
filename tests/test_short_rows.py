"""Many short rows, near whose ends what is read is turned in memory first."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors.played import blocks
from anygrad._executors.played.scores import Score
from anygrad._executors.played.windows import Kind
from backends import Backend
from planning import plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")

#: Fewer rows than are turned; and more, of which some are in several blocks.
SHAPES = [(40, 12), (700, 12), (40, 50, 9), (60_000, 9)]

KINDS: dict[str, dict[str, Any]] = {
    "a step": {"spacing": 0.3},
    "both ends": {"edge_order": 2},
    "accuracy": {"accuracy": 4},
    "order": {"order": 2},
    "periodic": {"boundary": "periodic"},
    "ghosts": {"boundary": ("symmetric", 0.5), "accuracy": 4},
    "coordinates": {"spacing": "coordinates"},
    "a mask": {"where": "mask"},
}


@pytest.fixture(name="library")
def in_blocks(library: Backend) -> Backend:
    if library.id.split("-")[0] not in ("numpy", "torch"):
        pytest.skip("nothing is played")
    return library


def arrays(kind: dict[str, Any], f: Any, library: Backend) -> dict[str, Any]:
    """Return what a call is given."""
    given, draw = dict(kind), random.Random(2)
    if "spacing" in given and given["spacing"] == "coordinates":
        steps = [draw.random() + 0.2 for _ in range(f.shape[-1])]
        given["spacing"] = [library.xp.cumsum(library.asarray(steps), 0)]
    if "where" in given:
        given["where"] = library.xp.abs(f) < 6.0
    return given


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int32", "int64"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_same_bits(kind: dict[str, Any], dtype: str, library: Backend) -> None:
    """Whether they are turned, and converted, or not; in the first call and others."""
    xp = library.xp
    for shape in SHAPES:
        if math.prod(shape) > 100_000 and dtype not in ("float32", "int32"):
            continue  # it takes long, and is as others are
        values = [float(k * 7919 % 15 - 7) for k in range(math.prod(shape))]
        f = library.from_flat(values, dtype, shape)
        given = arrays(kind, f, library)
        plan = plan_of("derivative", f, **given)
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        for _ in range(4):
            found = anygrad.derivative(f, **given)
            assert found.dtype == wanted.dtype
            nan = xp.isnan(wanted)
            assert bool(xp.all(xp.isnan(found) == nan))
            assert bool(xp.all(nan | (found == wanted)))


@pytest.mark.parametrize(
    ("shape", "is_turned"),
    [
        ((blocks.MANY_ROWS, 9), True),
        ((blocks.MANY_ROWS - 1, 9), False),
        ((blocks.MANY_ROWS, blocks.MANY_ROWS + 1), False),
        ((32, blocks.MANY_ROWS // 32, 9), True),
        ((5000,), False),
    ],
    ids=str,
)
def test_only_many_short_rows_are_turned(
    shape: tuple[int, ...],
    is_turned: bool,
    library: Backend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds: list[Kind] = []
    program = Score.program

    def watched(self: Score, kind: Kind, *given: Any) -> Any:
        kinds.append(kind)
        return program(self, kind, *given)

    monkeypatch.setattr(Score, "program", watched)
    f = library.from_flat([0.0] * math.prod(shape), "float32", shape)
    for _ in range(3):  # the first call may not be recorded
        anygrad.derivative(f, boundary=("edge", "symmetric"), order=3)
    assert kinds
    assert {kind.is_turned for kind in kinds} == {is_turned}
