"""Missing samples in every function, at every order and accuracy."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import formulas
import oracle
from anygrad._executors import in_jax
from anygrad._executors.printed import cuda
from backends import Backend
from masks import BOUNDARIES, filled, mask, quietly, spacing_of, with_period

Plane = list[list[Any]]

#: Orders, accuracies and edge orders.
KINDS = [(1, 4, 4), (2, 2, 2), (2, 2, 1), (2, 4, 3), (3, 2, 4), (4, 2, 2), (1, 6, 2)]

SHAPE = (7, 8)


def drawn(seed: Any, shape: Sequence[int], share: float) -> tuple[Plane, Plane]:
    """Return whole numbers, and which of them are valid."""
    draw = random.Random(repr(seed))
    rows, columns = shape
    values = [[draw.randrange(-9, 10) for _ in range(columns)] for _ in range(rows)]
    valid = [[draw.random() < share for _ in range(columns)] for _ in range(rows)]
    return values, valid


def lines(f: Plane, valid: Plane, axis: int, *args: Any, **kind: Any) -> Plane:
    """Return the exact derivative along an axis, None where there is none."""
    if axis == 0:
        f, valid = (list(map(list, zip(*p, strict=True))) for p in (f, valid))
    pairs = zip(f, valid, strict=True)
    found = [formulas.of_valid(r, range(len(r)), v, *args, **kind) for r, v in pairs]
    return list(map(list, zip(*found, strict=True))) if axis == 0 else found


def combined(*parts: Plane, signs: Sequence[int] = ()) -> Plane:
    """Return a sum, None where a term is."""
    signs = signs or [1] * len(parts)

    def added(*terms: Any) -> Any:
        if None in terms:
            return None
        return sum(a * sign for a, sign in zip(terms, signs, strict=True))

    return [
        [added(*terms) for terms in zip(*rows, strict=True)]
        for rows in zip(*parts, strict=True)
    ]


def as_numbers(values: Any) -> Any:
    if isinstance(values, list):
        return [as_numbers(value) for value in values]
    return math.nan if values is None else oracle.gaussian(values)


def check(backend: Backend, result: Any, f: Any, wanted: Any) -> None:
    """Hold a result to exact values, relative to the size of the terms in them."""
    shape = oracle.shape_of(wanted)
    scales = oracle.build(shape, lambda _: 4000)
    assert backend.kind(result) == backend.kind(f)
    assert backend.dtype_name(result) == backend.dtype_name(f)
    limit = 8 * backend.epsilon(backend.real)
    found = backend.tolist(result)
    assert oracle.difference(found, as_numbers(wanted), limit, scales) is None


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("grid", ["step", "coordinates"])
def test_runs_are_arrays_of_their_own(
    backend: Backend, kind: tuple[int, int, int], grid: str
) -> None:
    """A run between two holes has the numbers of an array that ends there."""
    order, accuracy, edge_order = kind
    keywords: dict[str, Any] = {"order": order, "accuracy": accuracy}
    keywords["edge_order"] = edge_order
    r = formulas.half_width(order, accuracy, grid != "step")
    n = max(edge_order + order, 2 * r) + 3
    values, _ = drawn(kind, (1, n + 2), 1.0)
    spacing, x = spacing_of(backend, grid, n + 2, 1)
    inside = [0 < k <= n for k in range(n + 2)]
    f = backend.asarray(filled(values[0], inside, math.nan))
    alone = backend.asarray(values[0][1:-1])
    own = spacing if grid == "step" else backend.asarray(x[1:-1])
    with quietly(backend):
        found = anygrad.derivative(
            f, spacing=[spacing], where=mask(backend, inside), **keywords
        )
        usual = anygrad.derivative(alone, spacing=[own], **keywords)
    backend.check((found[1:-1],), [backend.tolist(usual)], like=alone)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("boundary", BOUNDARIES[::2], ids=repr)
def test_every_order_and_accuracy(
    backend: Backend, kind: tuple[int, int, int], boundary: Any
) -> None:
    """Many masks at once, one in each row, against exact runs."""
    order, accuracy, edge_order = kind
    for grid in ("step", "coordinates"):
        n = max(edge_order + order, 2 * formulas.half_width(order, accuracy, True)) + 2
        values, valid = drawn((kind, boundary), (12, n), 0.75)
        spacing, x = spacing_of(backend, grid, n, 12)
        ends = with_period(boundary, grid, x)
        usual: dict[str, Any] = {"order": order, "accuracy": accuracy}
        uneven = grid != "step"
        wanted = [
            formulas.of_valid(f, x, ok, edge_order, ends, uneven=uneven, **usual)
            for f, ok in zip(values, valid, strict=True)
        ]
        f = backend.asarray(filled(values, valid, math.nan))
        result = anygrad.derivative(
            f,
            dim=1,
            spacing=[spacing],
            edge_order=edge_order,
            boundary=ends,
            where=mask(backend, valid),
            **usual,
        )
        check(backend, result, f, wanted)


def test_two_samples_have_a_chord(backend: Backend) -> None:
    """And three a parabola, as second derivative."""
    f = backend.asarray([0.0, 1.0, math.nan, 4.0, 9.0, 16.0])
    where = mask(backend, [True, True, False, True, True, True])
    slope = anygrad.derivative(f, where=where, accuracy=4)
    second = anygrad.derivative(f, where=where, order=2)
    nan = math.nan
    backend.check((slope,), [[1, 1, Fraction(5, 4), 4, 6, 8]], like=f)
    backend.check((second,), [[nan, nan, nan, 2, 2, 2]], like=f)


@pytest.mark.parametrize("accuracy", [2, 4])
def test_sums_have_a_hole_where_a_term_has_one(backend: Backend, accuracy: int) -> None:
    values, valid = drawn(accuracy, SHAPE, 0.8)
    f, where = backend.asarray(values), mask(backend, valid)
    given: dict[str, Any] = {"accuracy": accuracy, "edge_order": 2}
    kind = {"order": 2, "accuracy": accuracy}
    parts = [lines(values, valid, axis, 2, **kind) for axis in (0, 1)]
    result = anygrad.laplacian(f, where=where, **given)
    check(backend, result, f, combined(*parts))


@pytest.mark.parametrize("boundary", ["one_sided", "reflect", 2.0])
def test_mixed_derivatives(backend: Backend, boundary: Any) -> None:
    """The outer one reads the points where there is an inner one."""
    values, valid = drawn(boundary, SHAPE, 0.8)
    f, where = backend.asarray(values), mask(backend, valid)
    result = anygrad.hessian(f, where=where, boundary=boundary)
    seconds = [lines(values, valid, k, 2, boundary, order=2) for k in (0, 1)]
    inner = lines(values, valid, 0, 2, boundary)
    there = [[slope is not None for slope in row] for row in inner]
    slopes = [[0 if slope is None else slope for slope in row] for row in inner]
    outer_boundary = 0 if boundary == 2.0 else boundary
    mixed = lines(slopes, there, 1, 2, outer_boundary)
    check(backend, result, f, [[seconds[0], mixed], [mixed, seconds[1]]])


@pytest.mark.parametrize("own", [False, True], ids=["one mask", "a mask each"])
@pytest.mark.parametrize("vector_dim", [0, 2])
def test_vector_fields(backend: Backend, own: bool, vector_dim: int) -> None:
    """A mask with all dims has that of the components; any other is for each."""
    fields = [drawn((k, own), SHAPE, 0.8) for k in range(2)]
    values = [value for value, _ in fields]
    masks = [fields[k * own][1] for k in range(2)]
    whole: Any = masks if own else masks[0]
    if vector_dim == 2:
        values_given = _components_last(values)
        whole = _components_last(masks) if own else masks[0]
    else:
        values_given = values
    f, where = backend.asarray(values_given), mask(backend, whole)
    given: dict[str, Any] = {"vector_dim": vector_dim, "where": where}
    u, v = ([lines(values[k], masks[k], axis, 2) for axis in (0, 1)] for k in range(2))
    check(backend, anygrad.divergence(f, **given), f, combined(u[0], v[1]))
    turned = combined(v[0], u[1], signs=(1, -1))
    check(backend, anygrad.curl(f, **given), f, turned)
    result = anygrad.jacobian(f, **given)
    parts = [u, v]
    if vector_dim == 2:
        wanted = [
            [
                [[parts[c][k][i][j] for k in (0, 1)] for c in (0, 1)]
                for j in range(SHAPE[1])
            ]
            for i in range(SHAPE[0])
        ]
    else:
        wanted = parts
    check(backend, result, f, wanted)


def _components_last(parts: list[Plane]) -> list[Any]:
    return [
        [list(pair) for pair in zip(*rows, strict=True)]
        for rows in zip(*parts, strict=True)
    ]


def test_a_length_of_one_along_the_components(backend: Backend) -> None:
    """It is one mask for all of them, as without that dim."""
    fields = [drawn(k, SHAPE, 0.8) for k in range(2)]
    f, valid = backend.asarray([value for value, _ in fields]), fields[0][1]
    one = anygrad.divergence(f, where=mask(backend, valid))
    other = anygrad.divergence(f, where=mask(backend, [valid]))
    first, second = (repr(backend.tolist(found)) for found in (one, other))
    assert first == second


def test_what_is_long_is_cut(library: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would have a compiler busy runs in parts, or without, and is the same."""
    values, valid = drawn("long", SHAPE, 0.8)
    f, where = library.asarray(values), mask(library, valid)
    x = library.asarray([2.0 * k for k in range(SHAPE[1])])
    monkeypatch.setattr(in_jax, "MOST_PAIRS", 0)
    monkeypatch.setattr(cuda, "MOST_LINES", 60)
    monkeypatch.setattr(cuda, "MOST_LINES_ALONE", 60)
    second = anygrad.derivative(f, spacing=[x], order=2, where=where)
    wanted = [
        formulas.of_valid(row, range(0, 16, 2), ok, 2, order=2, uneven=True)
        for row, ok in zip(values, valid, strict=True)
    ]
    check(library, second, f, wanted)
    mixed = anygrad.hessian(f, where=where, edge_order=1)[0, 1, ...]
    inner = lines(values, valid, 0, 1)
    there = [[slope is not None for slope in row] for row in inner]
    slopes = [[0 if slope is None else slope for slope in row] for row in inner]
    check(library, mixed, f, lines(slopes, there, 1, 1))


@pytest.mark.parametrize("complex_dim", [0, 1])
@pytest.mark.parametrize("name", ["laplacian", "divergence"])
def test_integers_with_one_complex_step(
    library: Backend, name: str, complex_dim: int
) -> None:
    """What a real step divides is real, and is added to what a complex one divides."""
    values, valid = drawn("complex", (5, 6), 0.7)
    values = [values, values] if name == "divergence" else values
    spacing: list[Any] = [2.0, 2.0]
    spacing[complex_dim] = 1 + 1j
    results = []
    for dtype in ("int16", library.default):
        f = library.asarray(values, dtype)
        with quietly(library):
            results.append(
                getattr(anygrad, name)(f, spacing=spacing, where=mask(library, valid))
            )
    found, wanted = results
    assert found.dtype == wanted.dtype
    assert repr(library.tolist(found)) == repr(library.tolist(wanted))
