"""The text that is printed of a recorded call, run as plain Python."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from anygrad import _agnostic
from anygrad._executors import results
from anygrad._executors.printed import in_numba, loops, numba_language
from anygrad._executors.printed.settled import Settling
from anygrad._executors.recorded import tape, weights
from anygrad._executors.recorded.nodes import LENGTH, TooLong, interior, nodes_of
from planning import plan_of
from recordings import record


class Anything:
    """What a text asks of Numba; its decorator leaves the function as it is."""

    def __getattr__(self, name: str) -> Anything:
        return self

    def __call__(self, *_: Any, **options: Any) -> Any:
        return (lambda function: function) if options.get("nogil") else self


def chosen(condition: Any, first: Any, second: Any) -> Any:
    return first if condition else second


def played(
    function: str, f: Any, *, shares_weights: bool = False, **keywords: Any
) -> tuple[Any, ...]:
    """Return what the printed loops give, without Numba."""
    import numpy

    plan = plan_of(function, f, **keywords)

    def weights_of(task: Any) -> Any:
        return weights.made(task, plan.namespace) if shares_weights else None

    whole = tape.Call(f, plan, plan.namespace)
    known, operands = whole.form(weights_of)
    recording = whole.record(known, operands)
    made = results.empty(f, plan, numpy.empty_like)
    layouts = "".join(map(in_numba._layout, (*operands.arrays, *made.outs)))
    text = loops.text_of(recording, layouts, 5000)
    assert text is not None
    for words in ("import numba\n", numba_language.SELECT, numba_language.ACCESS):
        text = text.replace(words, "")
    namespace: dict[str, Any] = {
        "numba": Anything(),
        "select": chosen,
        "read": operator.getitem,
        "write": operator.setitem,
    }
    exec(text, namespace)
    numbers = numpy.asarray(operands.as_floats())
    rows = made.outs[0].shape[0]
    with numpy.errstate(all="ignore"):
        for start, stop in [(0, rows // 2), (rows // 2, rows)]:  # as threads share it
            namespace["kernel"](start, stop, numbers, *operands.arrays, *made.outs)
    return made.copy()


def assert_same(
    numpy: Any, got: tuple[Any, ...], function: str, f: Any, **keywords: Any
) -> None:
    """Hold results to those of the agnostic run, zeros and infinities with signs."""
    plan = plan_of(function, f, **keywords)
    with numpy.errstate(all="ignore"):
        wanted = _agnostic.run(f, plan, plan.namespace)
    for ours, theirs in zip(got, wanted, strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        if ours.dtype.kind == "c":  # these are within rounding
            assert numpy.allclose(ours, theirs, rtol=1e-5)
        else:
            assert numpy.array_equal(ours, theirs, equal_nan=True)
            holes = numpy.isnan(ours)
            signs = numpy.signbit(ours) == numpy.signbit(theirs)
            assert (signs | holes).all()


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("derivative", {"spacing": 0.3}),
    ("derivative", {"spacing": 3, "dim": 0, "boundary": "periodic"}),
    ("derivative", {"order": 3, "accuracy": 4, "boundary": "reflect"}),
    ("derivative", {"accuracy": 6, "edge_order": 1, "dim": 0}),
    ("derivative", {"spacing": "x"}),
    ("derivative", {"spacing": "x", "order": 2, "boundary": "symmetric"}),
    ("derivative", {"spacing": "x", "boundary": ("periodic", 99.0)}),
    ("derivative", {"spacing": "points", "accuracy": 4, "boundary": "edge"}),
    ("derivative", {"spacing": "wide"}),
    ("derivative", {"where": "mask"}),
    ("derivative", {"where": "mask", "spacing": "x"}),
    ("derivative", {"where": "line", "dim": 0}),
    ("derivative", {"boundary": -0.0}),
    ("derivative", {"boundary": float("nan"), "accuracy": 4}),
    ("gradient", {"stack_dim": 1, "spacing": 0.7}),
    ("gradient", {"where": "mask", "boundary": ["periodic", "one_sided"]}),
    ("laplacian", {"accuracy": 4}),
    ("hessian", {"spacing": 0.1}),
    ("hessian", {"accuracy": 4, "boundary": "periodic"}),
]


@pytest.fixture
def samples(numpy: Any) -> Any:
    f = numpy.random.default_rng(0).standard_normal((9, 10))
    f[3, 4], f[8, 0], f[0, 9], f[2, 2] = numpy.nan, numpy.inf, -0.0, 1e308
    return f


@pytest.mark.parametrize(("function", "keywords"), CALLS)
def test_text(
    numpy: Any, samples: Any, function: str, keywords: dict[str, Any]
) -> None:
    """Bit for bit the agnostic run, signed zeros and infinities too."""
    x = numpy.arange(10.0) ** 1.5
    made = {
        "x": x,
        "points": x + samples[1:2] * 0.01,
        "wide": numpy.arange(10) ** 3 + 2**60,
        "mask": numpy.abs(samples) < 1,
        "line": numpy.abs(samples[:1]) < 1,
    }
    given = {
        word: made.get(value, value) if isinstance(value, str) else value
        for word, value in keywords.items()
    }
    got = played(function, samples, **given)
    assert_same(numpy, got, function, samples, **given)


@pytest.mark.parametrize("dtype", ["f4", "i1", "u1", "i4", "i8", "u8", "c8", "c16"])
def test_text_for_dtypes(numpy: Any, dtype: str) -> None:
    draw = numpy.random.default_rng(4)
    if dtype[0] in "iu":
        limits = numpy.iinfo(dtype)
        f = draw.integers(limits.min, limits.max, (5, 6), dtype, endpoint=True)
    else:
        f = draw.standard_normal((5, 6)).astype(dtype)
        f = f * (1 - 2j) if dtype[0] == "c" else f
    result = numpy.complex64 if dtype[0] == "c" else numpy.float32
    single = {"boundary": 3, "dtype": numpy.dtype(result)}
    for keywords in ({}, single):
        got = played("derivative", f, **keywords)
        assert_same(numpy, got, "derivative", f, **keywords)


def test_text_for_vectors(numpy: Any) -> None:
    draw = numpy.random.default_rng(6)
    for function, shape in [("curl", (4, 5, 6, 3)), ("divergence", (5, 6, 2))]:
        f = draw.standard_normal(shape)
        got = played(function, f, vector_dim=-1)
        assert_same(numpy, got, function, f, vector_dim=-1)


@pytest.mark.parametrize("shape", [(3, 3), (1, 4), (0, 5), (4, 3)])
def test_text_on_short_axes(numpy: Any, shape: tuple[int, int]) -> None:
    """Where there is no interior, and where edges are all there is."""
    f = numpy.random.default_rng(7).standard_normal(shape)
    for keywords in ({}, {"order": 2, "edge_order": 1}, {"boundary": "periodic"}):
        got = played("derivative", f, **keywords)
        assert_same(numpy, got, "derivative", f, **keywords)


@pytest.mark.parametrize("short", [0, loops.SHORT])
def test_text_of_rows_as_one_run(
    numpy: Any, monkeypatch: pytest.MonkeyPatch, short: int
) -> None:
    """Short rows of an array are one run, if nothing is the same in all or in one."""
    monkeypatch.setattr(loops, "SHORT", short)
    shape, draw = (5, 6, 7), numpy.random.default_rng(8)
    f, where = draw.standard_normal(shape), draw.random(shape) > 0.2
    x, line = numpy.cumsum(draw.random(shape[2]) + 0.5), draw.random((1, shape[1], 1))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("derivative", {"where": where, "dim": 1}),
        ("derivative", {"boundary": line, "dim": 0}),
        ("derivative", {"boundary": line, "dim": 0, "where": where}),
        ("laplacian", {"spacing": [1, 1, x], "boundary": ["periodic", "edge", 0]}),
        ("laplacian", {"where": where}),
    ]
    for function, keywords in calls:
        for samples in (f, f[:, ::-1]):
            got = played(function, samples, **keywords)
            assert_same(numpy, got, function, samples, **keywords)


def test_choices_that_others_settle(numpy: Any) -> None:
    """A formula that all its samples are valid for reads them as they are."""
    f, where = numpy.ones((4, 9)), numpy.ones((4, 9), bool)
    recording = record("derivative", f, where=where)
    (node,) = recording.results
    settled = Settling(interior(2)).settled(node)
    choices = [node for node in nodes_of([settled]) if node.verb == "where"]
    assert choices
    assert all(choice.operands[0].verb == "bitwise_and" for choice in choices)


def test_quotients_are_chosen_before_they_are_made(numpy: Any) -> None:
    """One division at a point, however many formulas there are."""
    f, where = numpy.ones((4, 9)), numpy.ones((4, 9), bool)
    (node,) = record("derivative", f, where=where, order=2, spacing=0.3).results
    settled = Settling(interior(2)).settled(node)
    verbs = [node.verb for node in nodes_of([settled])]
    assert verbs.count("divide") == 1
    assert settled.verb == "divide"


def test_choices_that_are_none(numpy: Any) -> None:
    """At an end, formulas that leave the axis, or that have failed, are not there."""
    f, where = numpy.ones((4, 9)), numpy.ones((4, 9), bool)
    (node,) = record("derivative", f, where=where, spacing=0.3).results
    found = {
        at: [n.verb for n in nodes_of([Settling((LENGTH // 2, at)).settled(node)])]
        for at in (0, LENGTH // 2)
    }
    assert found[0].count("where") < found[LENGTH // 2].count("where")


def test_texts_do_not_vary(numpy: Any) -> None:
    """They are found again on the disk by what they are."""
    f, line = numpy.ones((9, 9)), numpy.arange(9).reshape(1, 9) % 4 > 0
    texts = set()
    for _ in range(5):
        recording = record("hessian", f, where=line, edge_order=1)
        alone = recording._replace(results=recording.results[1:2])
        texts.add(loops.text_of(alone, "CCC", 5000))
    assert len(texts) == 1


def test_the_short_way(numpy: Any) -> None:
    """Parts of rows of which no sample is missing, and parts of which one is."""
    f = numpy.random.default_rng(3).standard_normal((5, 200))
    where = numpy.ones(f.shape, bool)
    where[1:3, 90], where[4] = False, False
    for keywords in ({}, {"order": 2}, {"order": 2, "dim": 0}):
        given = {"where": where, "spacing": 0.3, **keywords}
        got = played("derivative", f, **given)
        assert_same(numpy, got, "derivative", f, **given)


@pytest.mark.parametrize(
    ("function", "keywords"),
    [
        ("derivative", {"order": 2}),
        ("derivative", {"order": 3, "boundary": ("periodic", 99.0)}),
        ("derivative", {"accuracy": 4, "boundary": 1.5, "where": True}),
        ("hessian", {}),
        ("laplacian", {"where": True}),
    ],
)
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8"])
def test_weights_as_operands(
    numpy: Any, function: str, keywords: dict[str, Any], dtype: str
) -> None:
    """Weights that all lines share are made before, to the same bits."""
    draw = numpy.random.default_rng(4)
    f = (9 * draw.standard_normal((9, 10))).astype(dtype)
    x = [numpy.cumsum(draw.random(n) + 0.3) for n in f.shape]
    given = {**keywords, "spacing": x if function != "derivative" else x[1]}
    if "where" in given:
        given["where"] = draw.random(f.shape) > 0.2
    got = played(function, f, shares_weights=True, **given)
    assert_same(numpy, got, function, f, **given)


def test_texts_that_are_not_printed(numpy: Any) -> None:
    """Of dtypes that Numba does not have, and of too many lines."""
    f = numpy.zeros((5, 6))
    with pytest.raises(TooLong):
        loops.text_of(record("laplacian", f), "CC", 5)
    assert loops.text_of(record("laplacian", f), "CC", 500) is not None
    half = record("derivative", f.astype("f2"))
    assert loops.text_of(half, "CC", 500) is None
