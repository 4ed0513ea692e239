"""Calls that Numba compiles: the bits of the agnostic run, whatever is given."""

from __future__ import annotations

import itertools
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygrad
import compiled_loops
from anygrad._executors.printed import in_numba, missing_beyond
from anygrad._executors.recorded import nodes, tape
from compiled_loops import Runs, agnostic, assert_same, compiled
from planning import plan_of

pytestmark = pytest.mark.peers

cache = compiled_loops.cache
default = compiled_loops.default
plane = compiled_loops.plane
runs = compiled_loops.runs


# What is compiled.


def test_layouts(runs: Runs, plane: Any, numpy: Any) -> None:
    """Each way to lie in memory, none of which is copied or written to."""
    read_only = plane.copy()
    read_only.flags.writeable = False
    arrays = [read_only, numpy.asfortranarray(plane), plane[::-1, ::3]]
    arrays += [plane[1::2, ::-1], plane.T, numpy.broadcast_to(plane[0], (9, 31))]
    arrays += [numpy.broadcast_to(plane[:, :1], (23, 4)), plane[:0], plane[:, :0]]
    arrays += [plane[:1], plane[:, 1:2]]
    for f in arrays:
        before = f.tobytes()
        dim = 0 if f.shape[1] < 2 else 1
        result = compiled("derivative", f, dim=dim, order=2)
        assert_same(result, agnostic("derivative", f, dim=dim, order=2))
        plain = anygrad.derivative(f, dim=dim, order=2)
        assert result.size == 0 or result.strides == plain.strides
        assert result.flags.writeable
        assert f.tobytes() == before
    assert all(runs)


def test_numbers_and_arrays_of_a_call(runs: Runs, plane: Any, numpy: Any) -> None:
    """Steps and values of every kind, of few forms."""
    line = numpy.ascontiguousarray(plane[0])
    steps = [0.3, 3, 10**30, numpy.float32(0.3), numpy.int8(3), 5e-324, 1e300, 1e-300]
    steps += [-2.0, numpy.asarray(0.3), numpy.asarray(-7.0), 2**53 + 1]
    for step in steps:
        result = compiled("derivative", line, spacing=step)
        assert_same(result, agnostic("derivative", line, spacing=step))
    for value in (0, -0.0, 2**53 + 1, 10**30, numpy.float32(0.1), math.nan, 1e308):
        result = compiled("derivative", line, boundary=value)
        assert_same(result, agnostic("derivative", line, boundary=value))
    single = line.astype(numpy.float32)
    for value in (2**60 + 2**36 + 1, 0.1, 1e300):
        result = compiled("derivative", single, boundary=value)
        assert_same(result, agnostic("derivative", single, boundary=value))
    assert all(runs)


def test_complex_numbers(runs: Runs, plane: Any, numpy: Any) -> None:
    f = plane[:2] + 1j * plane[2:4]
    for samples, keywords in [
        (f, {"spacing": 0.5 - 2j}),
        (plane[0], {"spacing": 2j}),
        (f.astype(numpy.complex64), {"boundary": 1 - 1j}),
    ]:
        result = compiled("derivative", samples, **keywords)
        assert_same(result, agnostic("derivative", samples, **keywords))
    assert all(runs)


def test_stacks_and_several_results(runs: Runs, plane: Any) -> None:
    """Of a Hessian, mixed derivatives stand at two places."""
    assert_same(compiled("hessian", plane), agnostic("hessian", plane))
    keywords = {"stack_dim": 1, "dim": (1, 0)}
    result = compiled("gradient", plane, **keywords)
    assert_same(result, agnostic("gradient", plane, **keywords))
    assert runs == [True, True]


def test_what_is_long_is_cut(
    runs: Runs, plane: Any, numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into results, and these into an inner and an outer derivative."""
    monkeypatch.setattr(in_numba, "FEW_LINES", 150)
    monkeypatch.setattr(in_numba, "_kernels", {})
    f = plane[:9, :8]
    assert_same(compiled("hessian", f), agnostic("hessian", f))
    kept = [function is not None for function in in_numba._kernels.values()]
    assert kept.count(True) >= 3  # of parts
    assert runs[-1] is True
    monkeypatch.setattr(in_numba, "MOST_LINES", 10)
    monkeypatch.setattr(in_numba, "_kernels", {})
    assert_same(compiled("laplacian", f), agnostic("laplacian", f))
    assert runs[-1] is False


@pytest.mark.parametrize("most_lines", [None, 300])
def test_sums_of_real_and_complex_terms(
    runs: Runs, numpy: Any, monkeypatch: pytest.MonkeyPatch, most_lines: int | None
) -> None:
    """Where they are cut, each term of integers is written in its own dtype."""
    monkeypatch.setattr(in_numba, "MOST_LINES", most_lines or in_numba.MOST_LINES)
    monkeypatch.setattr(in_numba, "_kernels", {})
    f = numpy.arange(3 * 6 * 7 * 8).reshape(3, 6, 7, 8) ** 2 % 99
    x, y, z = [numpy.cumsum(numpy.arange(1, n + 1)) for n in f.shape[1:]]
    for spacing in ([x, y, z * 1j], [x * 1j, y, z], [x, y * (1 - 2j), 0.5]):
        found = compiled("divergence", f, spacing=spacing)
        assert_same(found, agnostic("divergence", f, spacing=spacing))
    for spacing in ([x, y * 1j], [x * 1j, y]):
        given: dict[str, Any] = {"spacing": spacing, "dim": (1, 2)}
        found = compiled("curl", f[:2], **given)
        assert_same(found, agnostic("curl", f[:2], **given))
    assert runs == [True] * 5


def test_weights_of_what_is_long_are_made_beforehand(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two ways to make them, the second is taken where the first is too long."""
    monkeypatch.setattr(in_numba, "MOST_LINES", 400)
    rng = numpy.random.default_rng(4)
    f, x = rng.random((400, 400)), numpy.cumsum(rng.random(400) + 0.5)
    keywords: dict[str, Any] = {"spacing": x, "dim": 1, "order": 3, "accuracy": 4}
    kernels: list[Any] = []
    usual = in_numba._compiled

    def watched(*given: Any, **how: Any) -> Any:
        kernels.append(usual(*given, **how))
        return kernels[-1]

    monkeypatch.setattr(in_numba, "_compiled", watched)
    result = compiled("derivative", f, **keywords)
    assert_same(result, agnostic("derivative", f, **keywords))
    assert [kernel is None for kernel in kernels] == [True, False]


def test_quotients_by_complex_zeros(runs: Runs, plane: Any, numpy: Any) -> None:
    """Numba raises an error there, also where another formula is chosen."""
    for dtype in ("complex64", "complex128"):
        f = (plane + 1j * plane[::-1]).astype(dtype)
        x = (numpy.arange(f.shape[1]) * (1 + 0.5j)).astype(dtype)
        holes = numpy.ones(f.shape, bool)
        holes[2:, 3], holes[4] = False, False
        for order in (1, 2):
            given = {"spacing": x, "where": holes, "order": order}
            (wanted,) = agnostic("derivative", f, **given)
            found = compiled("derivative", f, **given)
            assert found.dtype == dtype
            assert numpy.isnan(found).tobytes() == numpy.isnan(wanted).tobytes()
            assert_same(numpy.nan_to_num(found), (numpy.nan_to_num(wanted),))
        x[5] = x[4]
        (wanted,) = agnostic("derivative", f, spacing=x)
        found = compiled("derivative", f, spacing=x)
        assert not numpy.isfinite(wanted).all()
        assert numpy.isfinite(found).tobytes() == numpy.isfinite(wanted).tobytes()
    assert all(runs)


def test_nothing_is_asked_for(runs: Runs, numpy: Any) -> None:
    for f in (numpy.asarray(3.0), numpy.ones(4)):
        assert compiled("gradient", f, dim=[]) == ()
    assert runs == [True, True]


def test_workers(runs: Runs, numpy: Any) -> None:
    """Rows are shared, as few as there are."""
    for shape in [(300, 400), (3, 40_000)]:
        f = numpy.random.default_rng(2).standard_normal(shape)
        wanted = agnostic("derivative", f, order=2)
        for workers in (1, 2, 4):
            with anygrad.set_workers(workers):
                assert_same(compiled("derivative", f, order=2), wanted)
    assert all(runs)


@pytest.mark.parametrize("rest", [(9, 7), (600,)])
def test_rows_made_at_once(
    runs: Runs, numpy: Any, monkeypatch: pytest.MonkeyPatch, rest: tuple[int, ...]
) -> None:
    """Planes, and long rows: any number of them, in shares that end anywhere."""
    monkeypatch.setattr(in_numba, "LEAST_SHARE", 1)
    for count in (4, 5, 6, 7, 9, 10, 23):
        f = numpy.random.default_rng(count).standard_normal((count, *rest))
        wanted = agnostic("laplacian", f)
        for workers in (1, 2):
            with anygrad.set_workers(workers):
                assert_same(compiled("laplacian", f), wanted)
    assert all(runs)


# Missing samples.


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own folder")
@pytest.mark.parametrize(
    ("function", "keywords", "serve"),
    [
        ("derivative", {"dim": 0}, True),
        ("gradient", {"accuracy": 4, "edge_order": 4}, True),
        ("laplacian", {"spacing": "x"}, True),
        ("laplacian", {"boundary": "reflect"}, False),
        ("hessian", {}, False),
    ],
)
def test_where_ends_are_as_if_samples_were_missing(
    function: str, keywords: dict[str, Any], serve: bool
) -> None:
    """One-sided ends of one axis each; with ghosts, rows have formulas of their own."""
    import numpy

    f = numpy.random.default_rng(0).random((12, 13))
    if "spacing" in keywords:
        keywords = {"spacing": [numpy.arange(n) ** 1.5 for n in f.shape]}
    plan = plan_of(function, f, where=f > 0.1, **keywords)
    call = tape.Call(f, plan, plan.namespace)
    recording = call.record(*call.form())
    ranges = nodes.interiors(recording.results, f.ndim)
    found = missing_beyond.serve_everywhere(recording.results, ranges)
    assert found is serve


@pytest.mark.parametrize("dim", [0, 1])
def test_all_masks_of_short_axes(runs: Runs, dim: int) -> None:
    """At each point, ends and holes may be so near, to both sides."""
    import numpy

    draw = numpy.random.default_rng(0)
    for length in range(3, 10):
        masks = numpy.array(list(itertools.product([False, True], repeat=length)))
        masks = masks if dim else numpy.ascontiguousarray(masks.T)
        f = draw.random(masks.shape)
        keywords = {"dim": dim, "edge_order": 2, "where": masks}
        got = compiled("derivative", f, **keywords)
        assert_same(got, agnostic("derivative", f, **keywords))
    assert runs == [True] * 7


# The whole space.

#: Of every kind that a formula can be of, few: each is compiled once for two layouts.
FORMS: list[tuple[str, dict[str, Any]]] = [
    ("derivative", {}),
    ("derivative", {"order": 2, "accuracy": 4, "boundary": "periodic"}),
    ("derivative", {"accuracy": 4, "edge_order": 1, "spacing": "x"}),
    ("derivative", {"where": "mask", "spacing": "x"}),
    ("gradient", {"where": "mask"}),
    ("laplacian", {"boundary": "number"}),
]
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]

#: Of steps whose square is a normal number.
STEPS = st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100)


@pytest.mark.parametrize(("function", "keywords"), FORMS)
@given(draw=st.data())
def test_the_same_bits(
    numpy: Any, function: str, keywords: dict[str, Any], draw: st.DataObject
) -> None:
    """As the agnostic run, whatever the values, the shape and the layout are."""
    keywords = dict(keywords)
    shape = draw.draw(st.tuples(st.integers(7, 12), st.integers(7, 12)))
    integers = st.integers(0, 2**32 - 1)
    generator = numpy.random.default_rng(draw.draw(integers))
    f = generator.standard_normal(shape) * 10.0 ** draw.draw(st.integers(-300, 300))
    odd = draw.draw(st.lists(st.sampled_from(SPECIAL)))
    for value in odd:
        f[generator.integers(shape[0]), generator.integers(shape[1])] = value
    if keywords.get("spacing") == "x":
        x = numpy.cumsum(generator.uniform(0.1, 9, shape[1]))
        keywords["spacing"] = x * draw.draw(st.floats(1e-9, 1e9))
    else:
        keywords["spacing"] = draw.draw(STEPS)
    if "where" in keywords:
        keywords["where"] = generator.random(shape) > draw.draw(st.floats(0, 1))
    if keywords.get("boundary") == "number":
        keywords["boundary"] = draw.draw(st.floats())
    if draw.draw(st.booleans()):
        f = numpy.asfortranarray(f)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_numba, "pays", lambda f, plan: True)
        result = compiled(function, f, **keywords)
    assert_same(result, agnostic(function, f, **keywords))
