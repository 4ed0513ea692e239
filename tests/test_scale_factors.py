"""Scale factors: those that vary with nothing, and those that are none."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend
from curved_samples import BOUNDARIES, COMPILED, OF_SCALARS, OF_VECTORS, is_close, worst

# What does not vary.


@pytest.mark.parametrize("name", [*OF_SCALARS, *OF_VECTORS])
def test_factors_of_one(library: Backend, name: str) -> None:
    """As numbers and as arrays: the bits of a call without them."""
    function, shape = getattr(anygrad, name), (5, 6)
    whole = shape if name in OF_SCALARS else (2, *shape)
    is_slow = library.library in COMPILED
    cases = itertools.product(
        BOUNDARIES[-2:-1] if is_slow else BOUNDARIES,
        ["float32"] if is_slow else [library.real, "float32", library.integer],
    )
    for boundary, dtype in cases:
        draw = oracle.build(whole, lambda k: (7 * sum(k) ** 2) % 11 - 5)
        f = library.asarray(draw, dtype)
        keywords = {"spacing": [0.5, -0.3], "boundary": boundary}
        wanted = function(f, **keywords)
        arrays = [
            library.asarray(oracle.build(s, lambda _: 1)) for s in ((5, 1), shape)
        ]
        if dtype != library.real:
            arrays = [library.asarray(library.tolist(a), "int32") for a in arrays]
        for factors in ([1, 1.0], arrays):
            found = function(f, **keywords, scale_factors=factors)
            pairs = (
                zip(found, wanted, strict=True)
                if isinstance(wanted, tuple)
                else [(found, wanted)]
            )
            exact = 4 if library.library == "jax" else 0  # its compiler contracts
            assert all(is_close(library, *pair, exact) for pair in pairs)


@pytest.mark.parametrize("name", [*OF_SCALARS, *OF_VECTORS])
def test_factors_that_are_the_same_everywhere(library: Backend, name: str) -> None:
    """They are a scaled step, also beyond ends with values of their own."""
    function, shape = getattr(anygrad, name), (5, 6)
    whole = shape if name in OF_SCALARS else (2, *shape)
    f = library.asarray(oracle.build(whole, lambda k: (7 * sum(k) ** 2) % 11 - 5))
    is_slow = library.library in COMPILED
    for boundary in BOUNDARIES[-1:] if is_slow else BOUNDARIES:
        wanted = function(f, spacing=[1.0, -0.6], boundary=boundary)
        keywords = {"spacing": [0.5, -0.3], "boundary": boundary}
        full = library.asarray(oracle.build(shape, lambda _: 2))
        for h in (2, full, full[0, 0]):
            found = function(f, **keywords, scale_factors=[h, 2.0])
            pairs = (
                zip(found, wanted, strict=True)
                if isinstance(wanted, tuple)
                else [(found, wanted)]
            )
            assert all(is_close(library, *pair, 64) for pair in pairs)


def test_fluxes_are_conserved(library: Backend) -> None:
    """What leaves one cell enters another: over a closed ring, nothing is left."""
    n, step = 8, 2 * math.pi / 8
    h = [1 + 0.4 * math.sin(k * step) for k in range(n)]
    f = library.asarray([[math.cos(k * k), math.sin(3 * k)] for k in range(n)])
    factors = [1.0, library.asarray([[a] for a in h])]
    keywords = {"spacing": [step, 1.0], "boundary": "periodic", "accuracy": 2}
    with library.current_device(f):
        wind = library.xp.stack([f, f])
    rows = library.tolist(anygrad.divergence(wind, scale_factors=factors, **keywords))
    total = sum(a * value for a, row in zip(h, rows, strict=True) for value in row)
    size = sum(abs(value) for row in rows for value in row)
    assert abs(total) < 64 * float(library.epsilon(library.real)) * size


def test_values_beyond_an_end_are_those_of_the_samples(library: Backend) -> None:
    """Not of samples times factors: a rigid wall is one on curved coordinates, too."""
    radii = [1.0, 2.0, 3.0, 4.0]
    r = library.asarray(radii)
    still = library.asarray([[5.0]] * 4)
    grid = {
        "spacing": [r, 0.1],
        "scale_factors": [1.0, library.asarray([[a] for a in radii])],
    }
    ends = {"boundary": [5.0, "edge"]}
    wide = library.asarray([[5.0, 5.0]] * 4)
    none = anygrad.laplacian(wide, **grid, **ends)
    assert worst(library, none, library.asarray([[0.0, 0.0]] * 4)) < 1e-4
    with library.current_device(wide):
        flow = library.xp.stack([wide, wide * 0])
    found = library.tolist(anygrad.divergence(flow, **grid, **ends))
    assert [row[0] for row in found] == pytest.approx([5 / a for a in radii], rel=1e-4)
    assert tuple(still.shape) == (4, 1)


def test_the_same_grid_in_other_words(library: Backend) -> None:
    """A coordinate per point for one per line, a period for a step, parts for both."""
    f = library.asarray(oracle.build((5, 4), lambda k: (7 * sum(k) ** 2) % 11 - 5))
    h = library.asarray([[1.0], [2.0], [4.0], [3.0], [2.0]])
    x = library.asarray([0.0, 0.5, 1.0, 1.5, 2.0])
    around = [("periodic", 2.5), "edge"]
    full = library.asarray([[0.5 * k] * 4 for k in range(5)])
    lines = {"spacing": [x, 0.3], "scale_factors": [1.0, h], "boundary": around}
    wanted = anygrad.laplacian(f, **lines)
    found = anygrad.laplacian(f, **{**lines, "spacing": [full, 0.3]})
    assert is_close(library, found, wanted)
    if library.library in COMPILED:
        return
    with library.current_device(f):
        xp = library.xp
        parts = xp.astype(f, library.dtype(library.complex)) * (1 + 2j)
        wanted = xp.astype(wanted, library.dtype(library.complex)) * (1 + 2j)
    assert is_close(library, anygrad.laplacian(parts, **lines), wanted)


def test_of_no_dims(library: Backend) -> None:
    f = library.asarray([1.0, 2.0, 4.0])
    assert anygrad.gradient(f, dim=(), scale_factors=[]) == ()


def test_numpy_factors_go_with_any_library(numpy: Any, library: Backend) -> None:
    latitude = [-60.0, 0.0, 45.0, 60.0]
    f = library.asarray([[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]])
    own = anygrad.lonlat(30.0, library.asarray(latitude))
    constant = anygrad.lonlat(30.0, numpy.asarray(latitude, library.real))
    found, wanted = (anygrad.laplacian(f, **grid) for grid in (constant, own))
    assert is_close(library, found, wanted)


def test_a_period_for_each_line_beside_one_row_of_factors(library: Backend) -> None:
    """The slope of the factor differs from line to line, as its last step does."""
    f = library.asarray([[1.0, 5.0, 3.0], [1.0, 5.0, 3.0]])
    x = library.asarray([0.0, 1.0, 3.0])
    h = library.asarray([[1.0, 2.0, 4.0]])
    period = library.asarray([[4.0], [8.0]])
    along = {"dim": 1, "spacing": [x], "scale_factors": [h]}
    result = anygrad.laplacian(f, boundary=[("periodic", period)], **along)
    for k, length in enumerate((4.0, 8.0)):
        ends = [("periodic", length)]
        line = anygrad.laplacian(f[k : k + 1, :], boundary=ends, **along)
        assert is_close(library, result[k : k + 1, :], line)


def test_complex_coordinates_of_another_dim(library: Backend) -> None:
    """They make no other derivative complex, and nobody is warned of that."""
    f = library.asarray([[0.0, 2.0], [1.0, 5.0]])
    x = library.asarray([0, 2j], library.complex)
    y = library.asarray([0.0, 0.5])
    first, second = anygrad.gradient(f, spacing=[x, y], scale_factors=[2.0, 4.0])
    assert library.tolist(first) == [[-0.25j, -0.75j]] * 2
    assert library.dtype_name(second) == library.real
    assert library.tolist(second) == [[1.0, 1.0], [2.0, 2.0]]


# What is refused.

GOOD = {"spacing": [0.5, 2.0]}
COLUMN = [[1.0], [2.0], [3.0], [4.0]]
WRONG: list[tuple[Any, type[Exception], str]] = [
    (2.0, TypeError, "must be a list or tuple with one entry per dim, 2 in all"),
    ("array", TypeError, "must be a list or tuple with one entry per dim"),
    ([1.0], ValueError, "must have one entry per dim, 2 in all. Got 1"),
    ([1.0, 2.0, 3.0], ValueError, "2 in all. Got 3"),
    ([1.0, 0], ValueError, "scale_factors[1]` must be finite and not zero"),
    ([1.0, math.inf], ValueError, "scale_factors[1]` must be finite and not zero"),
    ([1.0, 1j], TypeError, "scale_factors[1]` must be real"),
    (
        [True, 1.0],
        TypeError,
        "scale_factors[0]` must be a number or an array. Got True",
    ),
    ([None, 1.0], TypeError, "scale_factors[0]` must be a number or an array"),
    ([1.0, [[1.0]]], TypeError, "Convert it to an array first"),
    ([1.0, "bool"], TypeError, "must have an integer or real floating dtype"),
    ([1.0, "complex"], TypeError, "Pass its real part."),
    ([1.0, "row"], ValueError, "Say along which dim it lies"),
    ([1.0, "wide"], ValueError, "broadcastable to"),
    ([1.0, "deep"], ValueError, "broadcastable to"),
]


@pytest.mark.parametrize(("given", "error", "words"), WRONG, ids=lambda x: repr(x)[:30])
def test_factors_that_are_none(
    library: Backend, given: Any, error: type[Exception], words: str
) -> None:
    arrays = {
        "array": library.asarray([COLUMN] * 4),
        "bool": library.asarray([[True]] * 4, "bool"),
        "complex": library.asarray(COLUMN, library.complex),
        "row": library.asarray([1.0, 2.0, 3.0, 4.0]),
        "wide": library.asarray([[1.0] * 2] * 4),
        "deep": library.asarray([COLUMN]),
    }
    f = library.asarray([[1.0, 2.0, 3.0, 4.0]] * 4)
    with library.current_device(f):
        wind = library.xp.stack([f, f])
    factors = arrays.get(given, given) if isinstance(given, str) else given
    if isinstance(factors, list):
        factors = [arrays.get(h, h) if isinstance(h, str) else h for h in factors]
    for name in (*OF_SCALARS, *OF_VECTORS):
        array = f if name in OF_SCALARS else wind
        with pytest.raises(error, match=r"^`scale_factors") as caught:
            getattr(anygrad, name)(array, **GOOD, scale_factors=factors)
        assert words in str(caught.value)


def test_covariant_derivatives_are_refused(library: Backend) -> None:
    f = library.asarray([[1.0, 2.0, 3.0, 4.0]] * 4)
    with library.current_device(f):
        wind = library.xp.stack([f, f])
    for function, array in ((anygrad.hessian, f), (anygrad.jacobian, wind)):
        with pytest.raises(ValueError, match="`scale_factors` must be None for"):
            function(array, scale_factors=[1.0, 2.0])
        function(array, scale_factors=None)


def test_too_few_points_for_the_slope_of_a_factor(library: Backend) -> None:
    """Where the samples are known beyond the ends, and factors are not."""
    f = library.asarray([[1.0, 2.0, 3.0, 4.0]] * 2)
    h = library.asarray([[1.0], [2.0]])
    anygrad.laplacian(f, scale_factors=[1.0, 2.0], boundary="edge")
    with pytest.raises(ValueError, match="`input` must have at least 3 points along"):
        anygrad.laplacian(f, scale_factors=[1.0, h], boundary="edge")
    # The user has given no edge order, and needs none.
    with pytest.raises(ValueError, match="`accuracy=2` and `scale_factors` that vary"):
        anygrad.laplacian(f, scale_factors=[1.0, h], boundary="edge", edge_order=1)


def test_a_factor_without_a_slope_needs_no_points(library: Backend) -> None:
    """A flux lacks the factor of its own dim, and a circulation that of the other."""
    along = {"spacing": 0.5, "boundary": "edge"}
    f = library.asarray([[1.0, 3.0]])
    h = library.asarray([2.0, 4.0])
    result = anygrad.divergence(f, scale_factors=[h], **along)
    assert library.tolist(result) == [1.0, 0.5]
    wind = library.asarray([[[0.0] * 3] * 2, [[1.0] * 3, [3.0] * 3]])
    ends = {"spacing": 0.5, "boundary": ["edge", "one_sided"]}
    result = anygrad.curl(wind, scale_factors=[h[:, None], 1.0], **ends)
    assert library.tolist(result) == [[1.0] * 3, [0.5] * 3]
