"""Axes with fewer points than an interior wants, down to one.

The oracle repeats samples as `numpy.pad` does, which has the rules from a table of its
own: an infinite line of positions, cut.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _formulas, _schemes
from backends import JAX, Backend

SAMPLES = [3, -1, 4, 2, -5]
X = [Fraction(n, 4) for n in (0, 4, 9, 11, 16)]
MODES = ("periodic", "reflect", "symmetric", "edge", 2)
#: Each mode with itself and with the next one; all others with `--full`.
PAIRS = [
    pair
    if MODES.index(pair[1]) - MODES.index(pair[0]) in (0, 1)
    else pytest.param(pair, marks=pytest.mark.full)
    for pair in itertools.product(MODES, MODES)
    if ("periodic" in pair) == (pair == ("periodic", "periodic"))
]
PERIOD = Fraction(5)


def beyond(mode: Any, values: list[Any], count: int) -> list[Any]:
    """Return so many samples before the first one, the farthest first."""
    n = len(values)
    if mode == "periodic":
        line = [values[-k % n] for k in range(1, count + 1)]
    elif mode == "edge":
        line = values[:1] * count
    elif mode == "symmetric":
        turn = [*values, *values[::-1]]
        line = [turn[k % (2 * n)] for k in range(count)]
    elif mode == "reflect":
        turn = [*values, *values[-2:0:-1]]
        line = [turn[k % len(turn)] for k in range(1, count + 1)]
    else:
        line = [Fraction(mode)] * count
    return line[::-1]


def before(mode: Any, x: list[Fraction], count: int, period: Fraction) -> list[Any]:
    """Return the coordinates of these: mirrored as often as it takes."""
    if mode == "periodic":
        return [x[-k % len(x)] - period * -(-k // len(x)) for k in range(count, 0, -1)]
    line: list[Any] = []
    images, outside = x, mode == "symmetric"
    left = x[0] - outside * (x[1] - x[0]) / 2
    right = x[-1] + outside * (x[-1] - x[-2]) / 2
    while len(line) < count:
        images = sorted(2 * left - a for a in images)
        line += images[::-1] if outside else images[-2::-1]
        left, right = 2 * left - right, left
    return line[:count][::-1]


def extended(mode: tuple[Any, Any], values: list[Any], count: int) -> list[Any]:
    left = beyond(mode[0], values, count)
    right = beyond(mode[1], values[::-1], count)[::-1]
    return [*left, *values, *right]


def placed(mode: tuple[Any, Any], x: list[Any], count: int, period: Any) -> list[Any]:
    left = before(mode[0], x, count, period)
    mirrored = [-a for a in x[::-1]]
    right = [-a for a in before(mode[1], mirrored, count, period)[::-1]]
    return [*left, *x, *right]


def near(library: Backend, found: Any, wanted: list[Any], scale: Any) -> bool:
    limit = 64 * library.epsilon(library.dtype_name(found))
    values = library.tolist(found)
    return oracle.difference(values, wanted, limit, scale) is None


def few(library: Backend, *cases: Any) -> tuple[Any, ...]:
    """Return the first only where each is compiled for a second."""
    return cases[:1] if library.library in ("jax", "cupy") else cases


def cases(library: Backend, *orders: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Return numbers of points, with orders and accuracies."""
    points = few(library, 2, 1, 3)
    return [(n, *order) for n in points for order in few(library, *orders)]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_on_a_step(library: Backend, pair: tuple[Any, Any]) -> None:
    for points, order, accuracy in cases(library, (1, 6), (2, 4), (1, 2), (3, 2)):
        if points == 1 and "reflect" in pair:
            continue
        values: list[Any] = [Fraction(a) for a in SAMPLES[:points]]
        f = library.asarray([float(a) for a in values])
        r = _schemes.half_width(order, accuracy, uneven=False)
        weights, divisor = _formulas.weights(range(-r, r + 1), order)
        line = extended(pair, values, r)
        rows = [
            [w * a for w, a in zip(weights, line[k:], strict=False)]
            for k in range(points)
        ]
        scale = Fraction(2**order, divisor)
        wanted = [float(sum(row) * scale) for row in rows]
        sizes = [float(sum(map(abs, row)) * scale) for row in rows]
        for _ in range(2):
            found = anygrad.derivative(
                f, spacing=0.5, order=order, accuracy=accuracy, boundary=pair
            )
            assert near(library, found, wanted, [max(a, 1) for a in sizes])


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_on_coordinates(library: Backend, pair: tuple[Any, Any]) -> None:
    """As on a long axis that holds all of these points."""
    is_circle = pair == ("periodic", "periodic")
    boundary = ("periodic", float(PERIOD)) if is_circle else pair
    for points, order, accuracy in cases(library, (2, 4), (1, 4), (3, 4)):
        if points == 1 and not is_circle:
            continue
        values: list[Any] = [Fraction(a) for a in SAMPLES[:points]]
        f = library.asarray([float(a) for a in values])
        x = library.asarray([float(a) for a in X[:points]])
        r = _schemes.half_width(order, accuracy, uneven=True)
        line = [float(a) for a in extended(pair, values, r)]
        places = [float(a) for a in placed(pair, X[:points], r, PERIOD)]
        assert sorted(set(places)) == places
        given = {"order": order, "accuracy": accuracy}
        wanted = anygrad.derivative(
            library.asarray(line), spacing=library.asarray(places), **given
        )
        wanted = library.tolist(wanted)[r : r + points]
        found = anygrad.derivative(f, spacing=x, boundary=boundary, **given)
        largest = 8 * max(1.0, *map(abs, wanted))
        assert near(library, found, wanted, [largest] * points)


def test_every_function_takes_a_single_layer(library: Backend) -> None:
    """As of a layer that is one of many: nothing changes across it."""
    row = [0.0, 1, 4, 2, 7, 3]
    f, field = library.asarray([row]), library.asarray([[row], [row[::-1]]])
    across, _ = anygrad.gradient(f, boundary=["edge", "one_sided"])
    assert library.tolist(across) == [[0.0] * 6]
    for boundary in ("periodic", "symmetric", "edge"):
        at: list[Any] = [boundary, "one_sided"]
        for accuracy in (2, 4):
            given: dict[str, Any] = {"accuracy": accuracy, "boundary": at}
            one = {"accuracy": accuracy, "dim": -1}
            line = library.asarray(row)
            second = anygrad.derivative(line, order=2, accuracy=accuracy)
            total = anygrad.laplacian(f, **given)
            assert near(library, total[0, ...], library.tolist(second), None)
            matrix = anygrad.hessian(f, **given)
            assert near(library, matrix[1, 1, 0, ...], library.tolist(second), None)
            assert library.tolist(matrix[0, 1, 0, ...]) == [0.0] * 6
            parts = [anygrad.derivative(field[k, ...], **one) for k in (0, 1)]
            whole = anygrad.divergence(field, **given)
            assert near(library, whole, library.tolist(parts[1]), None)
            assert near(
                library, anygrad.curl(field, **given), library.tolist(-parts[0]), None
            )
            matrix = anygrad.jacobian(field, **given)
            assert library.tolist(matrix[:, 0, ...]) == [[[0.0] * 6]] * 2


def test_each_end_has_its_value(library: Backend) -> None:
    """Numbers and arrays, also where both are in one formula."""
    f = library.asarray([[1.0], [5]])
    for values in (
        (2.0, 8.0),
        (library.asarray([[2.0]]), library.asarray([[8.0]] * 2)),
    ):
        found = anygrad.derivative(f, boundary=values)
        assert library.tolist(found) == [[3.0], [3.0]]
        found = anygrad.derivative(f, boundary=values, order=2)
        assert library.tolist(found) == [[8.0], [0.0]]


@pytest.mark.parametrize(
    ("shape", "keywords", "message"),
    [
        ((1, 3), {"boundary": ["reflect", "edge"]}, "`dim` 0 for 'reflect' in `"),
        ((1, 3), {"boundary": "reflect", "axis": -2}, "`axis` -2 for 'reflect' in"),
        (
            (1, 3),
            {"boundary": ["edge", 1], "spacing": True},
            "`dim` 0 for ghosts on co",
        ),
        ((1, 3), {}, "2 points along `dim` 0"),
        ((1, 3), {"boundary": [("edge", "one_sided"), "edge"]}, "along `dim` 0"),
        ((0, 3), {"boundary": "edge"}, "at least 1 point along `dim` 0"),
        ((2, 3), {"boundary": "edge", "accuracy": 10**30}, "`accuracy=10000"),
        ((2, 3), {"boundary": "periodic", "accuracy": 130}, "at least 130 points"),
    ],
    ids=str,
)
def test_too_few(
    library: Backend, shape: tuple[int, int], keywords: dict[str, Any], message: str
) -> None:
    f = library.from_flat([1.0] * (shape[0] * shape[1]), library.real, shape)
    if "spacing" in keywords:
        keywords = {**keywords, "spacing": [library.asarray([0.0] * n) for n in shape]}
    with pytest.raises(ValueError, match=message) as caught:
        anygrad.gradient(f, **keywords)
    assert f"Got shape {shape}." in str(caught.value)


def both(f: Any) -> Any:
    return anygrad.laplacian(f, accuracy=4, boundary=["periodic", (1.0, "edge")])


def test_torch(torch: Any) -> None:
    f = torch.tensor([[3.0, 1.0], [2, 5], [4, 0]], dtype=torch.float64)
    wanted = both(f)
    assert torch.autograd.gradcheck(both, [f.clone().requires_grad_()])
    compiled = torch.compile(both, backend="eager", fullgraph=True)
    assert torch.equal(compiled(f), wanted)
    batch = torch.stack([f, 2 * f])
    mapped = torch.func.vmap(both)(batch)
    assert torch.allclose(mapped, torch.stack([both(one) for one in batch]))


def test_jax(jax: Any) -> None:
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        f = jnp.asarray([[3.0, 1.0], [2, 5], [4, 0]])
        assert jnp.allclose(jax.jit(both)(f), both(f), rtol=1e-12)
        assert jnp.allclose(jax.jacrev(both)(f), jax.jacfwd(both)(f), rtol=1e-12)


def test_dask_keeps_its_chunks(dask: Any) -> None:
    import dask.array as da
    import numpy as np

    values = np.asarray([[3.0, 1.0], [2, 5], [4, 0]])
    for chunks in ((1, 1), (2, 2), (3, 1)):
        f = da.from_array(values, chunks=chunks)
        found = both(f)
        assert found.chunks == f.chunks
        assert (found.compute() == both(values)).all()


def test_within_a_compiler(numpy: Any) -> None:
    pytest.importorskip("numba")
    f = numpy.arange(3.0 * 2**16).reshape(3, -1)
    at: list[Any] = ["symmetric", "edge"]
    wanted = anygrad.laplacian(f, accuracy=4, boundary=at)
    with anygrad.set_compiler("numba"):
        assert (anygrad.laplacian(f, accuracy=4, boundary=at) == wanted).all()
