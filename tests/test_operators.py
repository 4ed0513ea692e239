"""Divergence, curl, Laplacian, Jacobian, Hessian: identities and exact answers."""

from __future__ import annotations

import random
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend

SHAPE = (5, 6, 7)
STEPS = [0.5, 2.0, -1.0]
BOUNDARIES: list[Any] = ["one_sided", "periodic", "reflect", 0.0]


def grid(backend: Backend, shape: tuple[int, ...], value: Any) -> Any:
    """Return samples of a function of the coordinates that STEPS give."""

    def at(index: tuple[int, ...]) -> Any:
        return value(*(k * h for k, h in zip(index, STEPS, strict=False)))

    return backend.asarray(oracle.build(shape, at))


def noise(backend: Backend, shape: tuple[int, ...], dtype: str | None = None) -> Any:
    draw = random.Random(repr(shape))
    return backend.asarray(oracle.build(shape, lambda _: draw.randrange(-9, 10)), dtype)


def assert_close(backend: Backend, got: Any, wanted: Any, scale: float = 512) -> None:
    """Hold two arrays to each other; `scale` is in units of the rounding error."""
    assert backend.kind(got) == backend.kind(wanted)
    assert tuple(got.shape) == tuple(wanted.shape)
    assert backend.dtype_name(got) == backend.dtype_name(wanted)
    tolerance = scale * float(backend.epsilon(backend.dtype_name(wanted)))
    values = backend.tolist(wanted)
    targets = oracle.build(
        tuple(wanted.shape), lambda index: oracle.gaussian(oracle.at(values, index))
    )
    difference = oracle.difference(backend.tolist(got), targets, tolerance)
    assert difference is None, difference


def stack(backend: Backend, arrays: list[Any], axis: int = 0) -> Any:
    with backend.current_device(arrays[0]):
        return backend.xp.stack(arrays, axis=axis)


def test_exact_on_quadratics(backend: Backend) -> None:
    """Where the formulas are exact, at the edges too, and named dims keep order."""
    f = grid(backend, SHAPE, lambda x, y, z: x * x + 3 * x * y - y * z + 2 * z * z)
    laplacian = anygrad.laplacian(f, spacing=STEPS)
    six = grid(backend, SHAPE, lambda *_: 6)
    assert_close(backend, laplacian, six)
    hessian = anygrad.hessian(f, spacing=[STEPS[2], STEPS[0]], dim=[2, 0], stack_dim=-1)
    assert tuple(hessian.shape) == (*SHAPE, 2, 2)
    for i, j, value in ((0, 0, 4), (1, 1, 2), (0, 1, 0), (1, 0, 0)):
        wanted = grid(backend, SHAPE, lambda *_, value=value: value)
        assert_close(backend, hessian[..., i, j], wanted)


def test_fields_that_are_linear(backend: Backend) -> None:
    """With components in the middle, and a batch."""
    parts = [
        grid(backend, SHAPE, lambda x, y, z: 2 * x + 5 * y),
        grid(backend, SHAPE, lambda x, y, z: 3 * y - 7 * z),
        grid(backend, SHAPE, lambda x, y, z: x + z),
    ]
    field = stack(backend, parts, axis=1)
    keywords = {"spacing": STEPS, "vector_dim": 1}
    wanted = grid(backend, SHAPE, lambda *_: 6)
    assert_close(backend, anygrad.divergence(field, **keywords), wanted)
    curl = anygrad.curl(field, **keywords)
    assert tuple(curl.shape) == tuple(field.shape)
    for number, value in enumerate((7, -1, -5)):
        wanted = grid(backend, SHAPE, lambda *_, value=value: value)
        assert_close(backend, curl[:, number, ...], wanted)
    jacobian = anygrad.jacobian(field, **keywords)
    assert tuple(jacobian.shape) == (5, 3, 3, 6, 7)
    rows = ((2, 5, 0), (0, 3, -7), (1, 0, 1))
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            wanted = grid(backend, SHAPE, lambda *_, value=value: value)
            assert_close(backend, jacobian[:, i, j, ...], wanted)


def test_two_dims_and_a_batch(backend: Backend) -> None:
    """The scalar curl; the batch is whatever is not named."""
    field = noise(backend, (2, 4, 5, 3))
    keywords = {"spacing": [0.5, 2.0], "dim": [1, 2]}
    curl = anygrad.curl(field, **keywords)
    first, second = field[0, ...], field[1, ...]
    (along_0,) = anygrad.gradient(second, spacing=0.5, dim=0, edge_order=2)
    (along_1,) = anygrad.gradient(first, spacing=2.0, dim=1, edge_order=2)
    with backend.current_device(field):
        assert_close(backend, curl, along_0 - along_1)
    divergence = anygrad.divergence(field, **keywords)
    (along_0,) = anygrad.gradient(first, spacing=0.5, dim=0, edge_order=2)
    (along_1,) = anygrad.gradient(second, spacing=2.0, dim=1, edge_order=2)
    with backend.current_device(field):
        assert_close(backend, divergence, along_0 + along_1)


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=repr)
def test_identities(library: Backend, boundary: Any) -> None:
    """No curl in a gradient, no divergence in a curl; the Hessian is symmetric."""
    f = noise(library, SHAPE)
    linear = boundary if boundary != 0.0 else "periodic"
    keywords = {"spacing": STEPS, "accuracy": 4, "edge_order": 2, "boundary": linear}
    gradient = anygrad.gradient(f, stack_dim=0, **keywords)
    largest = 400 * float(library.epsilon(library.real)) * 512
    for value in oracle.flat(library.tolist(anygrad.curl(gradient, **keywords))):
        if linear != "reflect":  # a derivative is odd: its mirror image is not it
            assert abs(value) <= largest
    field = noise(library, (3, *SHAPE))
    curl = anygrad.curl(field, **keywords)
    if linear != "reflect":
        divergence = anygrad.divergence(curl, **keywords)
        for value in oracle.flat(library.tolist(divergence)):
            assert abs(value) <= largest
    hessian = anygrad.hessian(f, spacing=STEPS, boundary=boundary)
    laplacian = anygrad.laplacian(f, spacing=STEPS, boundary=boundary)
    for i in range(3):
        for j in range(i):
            one, other = hessian[i, j, ...], hessian[j, i, ...]
            assert library.tolist(one) == library.tolist(other)
    with library.current_device(f):
        trace = hessian[0, 0, ...] + hessian[1, 1, ...] + hessian[2, 2, ...]
    assert_close(library, laplacian, trace)


@pytest.mark.parametrize(
    "boundary", [1.5, [(1.5, 1.5)] * 3, [("edge", 1.5), 1.5, "edge"]]
)
def test_constants_that_go_on(backend: Backend, boundary: Any) -> None:
    """The ghosts of a first derivative are not those of the samples."""
    f = grid(backend, (4, 5, 6), lambda *_: 1.5)
    hessian = anygrad.hessian(f, spacing=STEPS, boundary=boundary)
    assert not any(oracle.flat(backend.tolist(hessian)))


def test_coordinates(backend: Backend) -> None:
    """1-D, and one per point of a component."""
    x = [0, 1, 3, 4, 7]
    y = [0, 2, 3, 5, 6, 9]
    values = [[a * a + 2 * a * b for b in y] for a in x]
    f = backend.asarray(values)
    per_point = backend.asarray([list(y) for _ in x])
    spacing = [backend.asarray(x), per_point]
    wanted = backend.asarray([[2] * len(y)] * len(x))
    assert_close(backend, anygrad.laplacian(f, spacing=spacing), wanted, 8192)
    field = stack(backend, [f, f])
    divergence = anygrad.divergence(field, spacing=spacing)
    wanted = backend.asarray([[4 * a + 2 * b for b in y] for a in x])
    assert_close(backend, divergence, wanted, 8192)


def test_half_precision_is_rounded_once(library: Backend, half: str) -> None:
    """Terms that a sum in 16 bits would lose."""
    f = library.asarray([[0, 2048, 4096], [1, 2049, 4098], [3, 2050, 4100]], half)
    result = anygrad.laplacian(f, boundary="edge")
    assert library.dtype_name(result) == half
    exact = library.asarray(library.tolist(f), "float32")
    wanted = library.tolist(anygrad.laplacian(exact, boundary="edge"))
    again = library.tolist(library.asarray(wanted, half))
    assert library.tolist(result) == again


def test_integers(library: Backend, integer: str) -> None:
    """They become floating numbers; differences never wrap."""
    f = library.asarray([[0, 100, 0], [100, 0, 100], [7, 1, 100]], integer)
    floating = library.asarray(library.tolist(f))
    for function in (anygrad.laplacian, anygrad.hessian, anygrad.jacobian):
        result = function(f, boundary="symmetric")
        assert library.dtype_name(result) == library.default
        wanted = library.tolist(function(floating, boundary="symmetric"))
        numbers = zip(
            oracle.flat(library.tolist(result)), oracle.flat(wanted), strict=True
        )
        assert all(a == b for a, b in numbers)


def test_complex_grids(library: Backend) -> None:
    """A mixed derivative is complex if one of its steps or coordinates is."""
    f = library.asarray([[1, 2, 4, 9], [3, 5, 2, 0], [0, 1, 7, 3], [4, 4, 1, 2]])
    z = library.asarray([0, 1, 3, 4], library.complex)
    for spacing in ([2j, 0.5], [z, 0.5], [0.5, z]):
        hessian = anygrad.hessian(f, spacing=spacing)
        assert library.dtype_name(hessian) == library.complex
        (along_0,) = anygrad.gradient(f, spacing=spacing[:1], dim=0, edge_order=2)
        (mixed,) = anygrad.gradient(along_0, spacing=spacing[1:], dim=1, edge_order=2)
        with library.current_device(f):
            wanted = library.xp.astype(mixed, hessian.dtype)
        assert_close(library, hessian[0, 1, ...], wanted)


def test_grids_of_two_kinds(backend: Backend) -> None:
    """A mixed derivative has the arrays of its inner one, also beside a number."""
    f = noise(backend, (6, 7), backend.real)
    x = backend.asarray([0.0, 1, 3, 4, 8, 9], backend.real)
    for first in (x, backend.asarray(0.5, backend.real)):
        found = anygrad.hessian(f, spacing=[first, 2.0])
        inner = anygrad.derivative(f, dim=0, spacing=first)
        mixed = anygrad.derivative(inner, dim=1, spacing=2.0)
        assert_close(backend, found[0, 1, ...], mixed)
        assert_close(backend, found[1, 0, ...], mixed)


def test_digits_of_the_widest_dim(backend: Backend) -> None:
    """What ends in one array is computed in one dtype, and not only rounded to it."""
    if "float64" not in backend.dtypes:
        return
    f = noise(backend, (6, 7), "float32")
    x = backend.asarray([0.0, 1, 3, 4, 8, 9], "float64")
    with backend.current_device(f):
        wide = backend.xp.astype(f, backend.xp.float64)
    spacing = [x, 0.1]
    for call in (
        lambda f: anygrad.gradient(f, spacing=spacing, stack_dim=0),
        lambda f: anygrad.laplacian(f, spacing=spacing),
    ):
        assert_close(backend, call(f), call(wide))


def test_large_steps_do_not_make_sums_overflow(backend: Backend) -> None:
    f = [[[0.0] * 9 for _ in range(9)] for _ in range(9)]
    f[4][4][4] = 1e38
    found = anygrad.laplacian(backend.asarray(f, "float32"), spacing=1e3)
    assert backend.tolist(found)[4][4][4] == pytest.approx(-6e32, rel=1e-5)


@pytest.mark.parametrize("door", [anygrad.laplacian, anygrad.hessian])
def test_too_few_points_in_words_of_the_function(library: Backend, door: Any) -> None:
    """It has no `order` of which a message could speak."""
    f = library.asarray([0.0, 1, 4])
    text = "at least 4 points along `dim` 0 for a derivative of order 2, `edge_order=2`"
    with pytest.raises(ValueError, match=f"^`input` must have {text}. Got shape"):
        door(f)
    assert door(f, edge_order=1).shape[-1] == 3
