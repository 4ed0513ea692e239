"""Blocks play the recording of the one algorithm, whatever their size."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import anygrad
import fuzz
from anygrad import _agnostic
from anygrad._executors import in_numpy, in_torch
from anygrad._executors.played import blocked, forms, pieces, scores
from anygrad._kept import Met
from backends import Backend
from planning import plan_of
from test_same_bits import assert_same, bits, random_call

pytestmark = [
    pytest.mark.forms("numpy", "numpy-Fortran", "torch"),
    pytest.mark.usefixtures("kept_at_once"),
]

#: So many calls are made of each form and size.
CALLS = 40


@pytest.fixture(autouse=True)
def recorded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the first call of a form played, too, however small it is."""
    monkeypatch.setattr(forms, "MOST_UNRECORDED", -1)


@pytest.fixture(params=[16, 96])
def tiny_blocks(
    request: pytest.FixtureRequest, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut arrays into blocks of a few bytes: each end of an axis is near the other."""
    size = request.param

    def cut(ops: Any) -> Any:
        return ops._replace(block_bytes=size, scratch_bytes=size)

    if backend.library == "numpy":
        monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
        of_numpy = cut(in_numpy._ops())
        monkeypatch.setattr(in_numpy, "_ops", lambda: of_numpy)
    else:
        of_torch = cut(in_torch._ops(True))
        monkeypatch.setattr(in_torch, "_ops", lambda on_cpu: of_torch)
        monkeypatch.setattr(in_torch, "_in_numpy", lambda: None)


@pytest.mark.usefixtures("tiny_blocks")
def test_any_call_in_tiny_blocks(backend: Backend) -> None:
    """The bits of the agnostic run, at the first call and from what it has kept."""
    tried = 0
    for number in range(CALLS):
        call = random_call(backend, number)
        if call is None:
            continue
        for workers in (1, 2):
            with anygrad.set_workers(workers):
                result = fuzz.outcome(call.function, call.f, call.keywords)
            if not isinstance(result, Exception):  # a step that fits no dtype
                assert_same(backend, call, result)
                tried += 1
    assert tried > CALLS // 2


@pytest.mark.usefixtures("tiny_blocks")
def test_formulas_that_read_to_one_side(backend: Backend) -> None:
    """As among those beside holes: a block may read more behind than is before it."""
    f = backend.asarray([[float(k * k % 11), float(k)] for k in range(70)])
    for accuracy in (2, 4):
        keywords = {"dim": 0, "where": f != 1.0, "accuracy": accuracy}
        plan = plan_of("derivative", f, **keywords)
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        result = anygrad.derivative(f, **keywords)
        assert bits(backend, result) == bits(backend, wanted)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Have all that is recorded, or written of it, counted."""
    found: list[Any] = []

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **keywords: Any) -> Any:
            found.append(function)
            return function(*args, **keywords)

        return wrapper

    monkeypatch.setattr(scores, "record", counted(scores.record))
    monkeypatch.setattr(scores, "Writer", counted(scores.Writer))
    monkeypatch.setattr(forms, "_scores", {})
    return found


@pytest.mark.forms("numpy")
def test_another_shape_or_step_records_nothing(numpy: Any, recorded: list[Any]) -> None:
    """Nor do other coordinates, other numbers at the ends, or another divisor."""
    calls: list[Callable[[int], Any]] = [
        lambda n: anygrad.gradient(numpy.ones((n, n + 1)), spacing=1 / n),
        lambda n: anygrad.gradient(numpy.ones(n), spacing=[numpy.arange(float(n))]),
        lambda n: anygrad.gradient(numpy.ones(n), spacing=n, boundary=float(n)),
        lambda n: anygrad.laplacian(numpy.ones((n, n)), spacing=(0.3, 1e-200 * n)),
    ]
    for call in calls:
        call(20)
        first = len(recorded)
        call(21)
        call(37)
        assert len(recorded) == first


@pytest.mark.forms("numpy")
def test_a_small_call_records_nothing(
    numpy: Any, recorded: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take ten times as long, and there may be no other of its form."""
    monkeypatch.setattr(forms, "MOST_UNRECORDED", 900)
    monkeypatch.setattr(forms, "_met", Met())
    for n, is_recorded in ((17, False), (19, True), (31, True)):
        x, f = numpy.arange(float(n)) ** 2, numpy.ones((n, n))
        (first,) = anygrad.gradient(f, dim=0, spacing=[x])
        assert bool(recorded) is is_recorded
        (again,) = anygrad.gradient(f, dim=0, spacing=[x])
        assert (first == again).all()
    recorded.clear()
    anygrad.gradient(numpy.ones((31, 31)), edge_order=2)
    assert recorded


@pytest.mark.forms("numpy")
def test_a_long_recording_waits(
    numpy: Any, recorded: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside holes on coordinates it takes a hundred times as long as the call."""
    monkeypatch.setattr(forms, "MOST_UNRECORDED", 2**17)
    monkeypatch.setattr(forms, "_met", Met())
    f, where = numpy.arange(36.0) ** 2, numpy.arange(36) % 9 > 0
    given = {"where": where, "accuracy": 4, "spacing": numpy.arange(36.0) ** 1.5}
    results = [anygrad.derivative(f, **given) for _ in range(3)]
    assert not recorded
    results += [anygrad.derivative(f, **given) for _ in range(30)]
    assert recorded
    assert len({result.tobytes() for result in results}) == 1


@pytest.mark.forms("numpy")
def test_what_terms_share_is_computed_once(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The differences of samples, those of coordinates and their reciprocals."""
    f, x = numpy.ones(50), numpy.arange(50.0) ** 2
    anygrad.gradient(f)
    ops, counts = in_numpy._ops(), Counter[str]()

    def counted(name: str, verb: Any) -> Any:
        def wrapper(*args: Any, **keywords: Any) -> Any:
            counts[name] += 1
            return verb(*args, **keywords)

        return wrapper

    verbs = {name: counted(name, verb) for name, verb in ops.verbs.items()}
    others = ops._replace(verbs=verbs)
    monkeypatch.setattr(in_numpy, "_ops", lambda: others)
    monkeypatch.setattr(forms, "_scores", {})
    anygrad.gradient(f, spacing=[x])
    # Neighbours and next neighbours of x, and neighbours of f; 1 / h, and two ratios;
    # two weights and their products, and one product at each edge.
    assert counts == {"subtract": 3, "divide": 3, "multiply": 6, "add": 1}


@pytest.mark.forms("numpy")
def test_integers_far_apart_in_one_block_only(numpy: Any) -> None:
    """Blocks are narrow or wide on their own; the bits are those of wide ones."""
    f = numpy.arange(60_000, dtype="int64").reshape(200, 300) + 2**60
    f[3, 4], f[150, 7] = -(2**62), 2**62
    for axis in (0, 1):
        (result,) = anygrad.gradient(f, dim=axis, spacing=0.5)
        upper = numpy.take(f, range(2, f.shape[axis]), axis).astype(object)
        lower = numpy.take(f, range(f.shape[axis] - 2), axis).astype(object)
        inner = numpy.take(result, range(1, f.shape[axis] - 1), axis)
        assert (inner == (upper - lower).astype(float)).all()


@pytest.mark.forms("numpy")
def test_each_order_of_memory_keeps_its_blocks(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of samples in order are runs through memory, whatever comes between."""
    played, play = [], blocked.play

    def watched(results: Any) -> None:
        played.extend([one.known.groups for one in results])
        play(results)

    monkeypatch.setattr(blocked, "play", watched)
    f = numpy.ones((2800, 12))  # more than are made again
    for _ in range(2):
        anygrad.derivative(f)
        anygrad.derivative(f[::-1])
    assert played[2] is played[0] is not played[1]
    assert played[3] is played[1]
    played.clear()
    for _ in range(2):
        anygrad.derivative(f.T[::-1])
        anygrad.derivative(f[::-1, ::2].T)
    assert played[2] is played[0] is not played[1]
    assert played[3] is played[1]


@pytest.mark.forms("numpy")
def test_scratch_arrays_are_let_go(numpy: Any) -> None:
    """A program keeps no array of a call."""
    f = numpy.ones((300, 400))
    x = numpy.cumsum(f, axis=0)
    before = sys.getrefcount(f), sys.getrefcount(x)
    anygrad.gradient(f, dim=0, spacing=[x], accuracy=4)
    assert (sys.getrefcount(f), sys.getrefcount(x)) == before


@pytest.mark.forms("numpy")
def test_weights_that_are_negated_where_they_are(numpy: Any) -> None:
    """NumPy negates float32 wrongly where what it writes has a stride."""
    f = numpy.arange(45.0, dtype="float32").reshape(3, 3, 5) ** 2
    x = numpy.broadcast_to(numpy.asarray([34.0, 27, 19, 10, 6]), (1, 3, 5))
    keywords = {"dim": -1, "boundary": 1.0, "edge_order": 2}
    (result,) = anygrad.gradient(f, spacing=[x.astype("float32")], **keywords)
    (wanted,) = anygrad.gradient(f, spacing=[x.astype("float64")], **keywords)
    numpy.testing.assert_allclose(result, wanted, rtol=1e-5)


def test_wide_integers_in_vector_fields(library: Backend) -> None:
    """What is looked at are the points that are read, of all components."""
    rows = [[0] * 4] * 5 + [[2**62 + 16 * k] * 4 for k in range(4)]
    v = library.asarray([rows, [[0] * 4] * 9], dtype="int64")
    found = library.tolist(anygrad.divergence(v, dim=[1, 2], edge_order=1))
    assert [row[0] for row in found[6:]] == [16.0] * 3


def test_the_shortest_axes_again(library: Backend) -> None:
    """No point is inside of them; the second call may go another way."""
    for n in (4, 6):
        f = library.asarray([float(k) for k in range(n)])
        for step in (1, 2.0, 2.0):
            (found,) = anygrad.gradient(f, accuracy=n, spacing=step)
            assert library.tolist(found) == pytest.approx([1 / step] * n)


@pytest.mark.forms("numpy")
@pytest.mark.parametrize(
    "call",
    [
        lambda f: anygrad.gradient(f, accuracy=4, dim=(0, 1)),
        lambda f: anygrad.gradient(f, stack_dim=-1, dim=(1, 0)),
        lambda f: anygrad.jacobian(f, vector_dim=-1),
    ],
    ids=["gradient", "stacked", "jacobian"],
)
def test_blocks_of_a_place_come_one_after_the_other(
    call: Any, numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all results, since they read the same samples."""
    places: list[tuple[int, float]] = []
    player = pieces.player

    def watched(known: Any, operands: Any) -> Any:
        write, number = player(known, operands), next(numbers)
        count = len(known.pieces)

        def noted(piece: Any, out: Any) -> None:
            places.append((number, known.pieces.index(piece) / count))
            write(piece, out)

        return noted

    f = numpy.arange(1_280_000.0).reshape(640, 1000, 2) ** 2
    call(f)
    wanted = call(f)
    numbers = itertools.count()
    monkeypatch.setattr(pieces, "player", watched)
    assert numpy.array_equal(call(f), wanted)
    assert len({number for number, _ in places}) == next(numbers) > 1
    assert [place for _, place in places] == sorted([place for _, place in places])
    assert len({place for _, place in places}) >= 4
