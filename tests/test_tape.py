"""The form of a call, and its recording, before a text is printed of it."""

from __future__ import annotations

from typing import Any

import pytest

from anygrad._executors.printed import cuda, loops, variants
from anygrad._executors.printed.printing import Scope
from anygrad._executors.recorded import tape, weights
from anygrad._executors.recorded.nodes import (
    LENGTH,
    Node,
    Tape,
    TooLong,
    interiors,
    nodes_of,
)
from anygrad._executors.recorded.symbols import Words, symbol_of_array
from planning import plan_of
from recordings import call, form, record


def shown(node: Node) -> str:
    """Return a node as a formula; `b0[i+1]` is the sample behind the position."""
    if node.verb == "load":
        array, index = node.detail
        parts = [f"{'ijk'[p.axis]}{p.at:+}" if p.follows else f"{p.at}" for p in index]
        return f"b{array}[{', '.join(parts)}]"
    if node.verb in ("number", "constant"):
        return f"{node.verb[0]}{node.detail}"
    return f"{node.verb}({', '.join(map(shown, node.operands))})"


# The form.


def test_the_same_form(numpy: Any) -> None:
    """Whatever the lengths, the steps and the values beyond the ends are."""
    f, other = numpy.zeros((9, 7)), numpy.ones((8, 40))
    assert form("laplacian", f, spacing=0.3) == form("laplacian", other, spacing=0.7)
    x, y = numpy.arange(7.0), numpy.arange(40.0) ** 2
    assert form("derivative", f, spacing=x) == form("derivative", other, spacing=y)
    for one, two in [(0.0, 7.5), (-1.0, float("nan"))]:
        known = form("derivative", f, boundary=one)
        assert known == form("derivative", other, boundary=two)
        assert hash(known) == hash(form("derivative", other, boundary=two))
    steps = [numpy.asarray(0.3), numpy.asarray(7.0)]
    assert form("derivative", f, spacing=steps[0]) == form(
        "derivative", f, spacing=steps[1]
    )


def test_another_form(numpy: Any) -> None:
    """All that decides which operations there are."""
    f = numpy.zeros((9, 7))
    x = numpy.arange(7.0)
    calls: list[tuple[str, Any, dict[str, Any]]] = [
        ("derivative", f, {}),
        ("derivative", f, {"dim": 0}),
        ("derivative", f, {"spacing": 1j}),
        ("derivative", f, {"spacing": numpy.asarray(0.3)}),
        ("derivative", f, {"spacing": numpy.asarray(3)}),
        ("derivative", f, {"spacing": x}),
        ("derivative", f, {"spacing": x.astype("f4")}),
        ("derivative", f, {"spacing": numpy.broadcast_to(x, (9, 7))}),
        ("derivative", f, {"order": 2}),
        ("derivative", f, {"accuracy": 4}),
        ("derivative", f, {"edge_order": 1}),
        ("derivative", f, {"boundary": "periodic"}),
        ("derivative", f, {"boundary": 0.0}),
        ("derivative", f, {"where": f == 0}),
        ("derivative", f, {"where": f[:1] == 0}),
        ("derivative", f, {"dtype": numpy.float32}),
        ("derivative", f[0], {}),
        ("derivative", f.astype("f4"), {}),
        ("derivative", f.astype("i4"), {}),
        ("derivative", f.astype("c16"), {}),
        ("gradient", f, {}),
        ("laplacian", f, {}),
        ("hessian", f, {}),
    ]
    forms = [form(function, f, **keywords) for function, f, keywords in calls]
    assert len(set(forms)) == len(forms)


def test_operands_are_counted_once(numpy: Any) -> None:
    """Coordinates of several dims may be one array, and the samples their own."""
    x = numpy.arange(7.0)
    known, operands = call("derivative", x, spacing=x).form()
    assert operands.arrays[0] is x
    assert len(operands.arrays) == len(known.arrays)
    assert known.arrays[0] == tape.Array(x.dtype, (True,))


# The recording.


def test_small_recordings(numpy: Any) -> None:
    """Pieces begin near the start, or near the end, which is a multiple of a length."""
    recording = record("derivative", numpy.zeros(6), boundary="periodic", spacing=3.0)
    (node,) = recording.results
    first, middle, last = node.operands
    assert node.verb == "pieces"
    assert node.detail == (0, (1, LENGTH - 1))
    assert shown(middle) in (
        "divide(subtract(b0[i+1], b0[i-1]), n0)",
        "multiply(subtract(b0[i+1], b0[i-1]), n0)",
    )
    assert f"b0[i{LENGTH - 1:+}]" in shown(first)
    assert f"b0[i{1 - LENGTH:+}]" in shown(last)
    assert (recording.ndim, recording.is_complex) == (1, (False,))


def test_what_does_not_depend_on_an_axis(numpy: Any) -> None:
    """Weights of one axis's coordinates are the same along the others."""
    f, x = numpy.zeros((6, 5)), numpy.arange(6.0)
    (node,) = record("derivative", f, spacing=x, dim=0).results

    def loads(node: Node) -> set[tuple[int, frozenset[int]]]:
        found = {(node.detail[0], node.axes)} if node.verb == "load" else set()
        return found.union(*map(loads, node.operands))

    assert loads(node) == {(0, frozenset({0, 1})), (1, frozenset({0}))}


def test_shared_parts_are_one(numpy: Any) -> None:
    """The same sample, converted for two dims, is converted once."""
    one, two = record("gradient", numpy.zeros((6, 5), "f2")).results

    def conversions(node: Node) -> set[Node]:
        own = {node} if node.verb == "astype" and node.dtype == "float32" else set()
        return own.union(*map(conversions, node.operands))

    assert conversions(one) & conversions(two)


def test_one_place_of_what_has_been_joined(numpy: Any) -> None:
    """It is that of the piece which is there, and no choice by position."""
    tape = Tape(numpy)
    whole = symbol_of_array(tape, 0, (LENGTH,), numpy.dtype("f8"))
    joined = Words(tape).concat([whole[3:5], -whole[2:]], axis=0)
    assert joined[1].node is whole[4].node
    assert joined[2].node is (-whole[2]).node


def test_interiors(numpy: Any) -> None:
    """As wide as all results have room for."""
    recording = record("laplacian", numpy.zeros((9, 8)), accuracy=4, spacing=0.5)
    ranges = interiors(recording.results, 2)
    assert [tuple(known) for known in ranges] == [(2, 2), (2, 2)]
    recording = record("derivative", numpy.zeros((9, 8)), dim=0)
    ranges = interiors(recording.results, 2)
    assert [tuple(known) for known in ranges] == [(1, 1), (0, 0)]


def test_which_weights_are_shared(numpy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of many lines, which do not differ from line to line."""
    f, x = numpy.zeros((40, 8)), numpy.arange(8.0)

    def are_shared(f: Any, **keywords: Any) -> bool:
        return weights.are_shared(f.size, plan_of("derivative", f, **keywords).tasks[0])

    assert not are_shared(f, spacing=x)
    monkeypatch.setattr(weights, "FEW_SAMPLES", 100)
    assert are_shared(f, spacing=x)
    assert not are_shared(f, spacing=0.5)
    assert not are_shared(f[:9], spacing=x)
    assert not are_shared(f, spacing=numpy.broadcast_to(x, f.shape))
    assert not are_shared(f, spacing=x * 1j)


def test_what_is_too_long_is_given_up_early(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To record and print all of it may take a hundred times as long."""
    f, most, counts = numpy.zeros((9, 9)), 300, [0]
    keywords = {"accuracy": 4, "where": f == 0.0}
    whole = record("hessian", f, **keywords)
    assert sum(1 for _ in nodes_of(whole.results)) > 5 * most
    again = call("hessian", f, **keywords)
    known, operands = again.form()
    write = Scope.add

    def counted(scope: Scope, line: str, **kind: bool) -> None:
        counts[0] += 1
        write(scope, line, **kind)

    monkeypatch.setattr(Scope, "add", counted)
    with pytest.raises(TooLong):
        again.record(known, operands, most)
    with pytest.raises(TooLong):
        loops.text_of(whole, "C" * (2 + len(whole.results)), most)
    with pytest.raises(TooLong):
        cuda.text_of(whole, variants.Variant(1, False), most)
    assert 2 * most <= counts[0] <= 8 * most
