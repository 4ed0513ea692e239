"""Curved coordinates: `scale_factors`, exactly where formulas are, and their order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _calls, _dispatch, _kept_plans, _plans
from backends import Backend
from peaks import peak_of

OF_SCALARS = ("gradient", "laplacian")
OF_VECTORS = ("divergence", "curl")

#: Each kind of call is compiled anew, which takes a second: few are enough.
COMPILED = ("jax", "cupy")

#: Boundaries of two dims: what has factors beyond its ends, and what has not.
BOUNDARIES: list[Any] = [
    "one_sided",
    "periodic",
    "symmetric",
    [("reflect", 2.0), "edge"],
    ["one_sided", ("one_sided", -1.0)],
]


def samples(backend: Backend, value: Callable[..., float], *lines: list[float]) -> Any:
    """Return samples of a function of coordinates."""
    shape = tuple(map(len, lines))
    return backend.asarray(
        oracle.build(
            shape, lambda k: value(*(x[i] for x, i in zip(lines, k, strict=True)))
        )
    )


def field(backend: Backend, values: Any, *lines: list[float]) -> Any:
    """Return samples of a vector field, components first."""
    parts = [samples(backend, value, *lines) for value in values]
    with backend.current_device(parts[0]):
        return backend.xp.stack(parts)


def worst(backend: Backend, got: Any, wanted: Any) -> float:
    """Return the largest difference of two arrays."""
    pairs = zip(
        oracle.flat(backend.tolist(got)),
        oracle.flat(backend.tolist(wanted)),
        strict=True,
    )
    return max(abs(a - b) for a, b in pairs)


def is_close(backend: Backend, got: Any, wanted: Any, roundings: float = 512) -> bool:
    """Tell whether two arrays are alike, and their numbers nearly the same."""
    assert backend.kind(got) == backend.kind(wanted)
    assert backend.device(got) == backend.device(wanted)
    assert backend.dtype_name(got) == backend.dtype_name(wanted)
    assert tuple(got.shape) == tuple(wanted.shape)
    largest = max(map(abs, oracle.flat(backend.tolist(wanted))))
    limit = roundings * float(backend.epsilon(backend.dtype_name(wanted)))
    return worst(backend, got, wanted) <= limit * max(largest, 1.0)


RADII, ANGLES, HEIGHTS = (
    [1.0, 1.5, 2.5, 3.0],
    [0.5, 1.0, 1.25, 2.0],
    [0.0, 1.0, 3.0, 4.5],
)


# Where the formulas are exact.


def test_a_plane_that_turns(backend: Backend) -> None:
    """In polar coordinates: twice the angular velocity, no source; and `r**2`."""
    lines = (RADII, ANGLES)
    grid = anygrad.cylindrical(*map(backend.asarray, lines))
    turning = field(backend, [lambda *_: 0, lambda r, _: 3 * r], *lines)
    wanted = samples(backend, lambda *_: 6, *lines)
    assert is_close(backend, anygrad.curl(turning, **grid), wanted)
    away = field(backend, [lambda r, _: r, lambda r, a: r * a], *lines)
    wanted = samples(backend, lambda *_: 3, *lines)
    assert is_close(backend, anygrad.divergence(away, **grid), wanted)
    f = samples(backend, lambda r, a: r * r + a * a, *lines)
    wanted = samples(backend, lambda r, _: 4 + 2 / r**2, *lines)
    assert is_close(backend, anygrad.laplacian(f, **grid), wanted, 8192)
    slopes = anygrad.gradient(f, **grid, edge_order=2)
    for slope, value in zip(
        slopes, (lambda r, _: 2 * r, lambda r, a: 2 * a / r), strict=True
    ):
        assert is_close(backend, slope, samples(backend, value, *lines))


def test_around_an_axis(library: Backend) -> None:
    """Three components, in another order of dims, with a batch and components last."""
    lines = (HEIGHTS, ANGLES, RADII)
    coordinates = [library.asarray(x) for x in reversed(lines)]
    grid = anygrad.cylindrical(*coordinates, dim=(-1, -2, -3))
    helix = field(
        library,
        [lambda *_: 0, lambda z, a, r: r * (1 + z), lambda z, a, r: r * r],
        *lines,
    )
    # (d_a v_z / r - d_z v_a, d_z v_r - d_r v_z, d_r(r v_a) / r - d_a v_r / r)
    curl = anygrad.curl(helix, **grid)
    values = (
        lambda z, a, r: -r,
        lambda z, a, r: -2 * r,
        lambda z, a, r: 2 * (1 + z),
    )
    assert is_close(library, curl, field(library, values, *lines), 8192)
    with library.current_device(helix):
        last = library.xp.permute_dims(helix, (1, 2, 3, 0))
        batch = library.xp.stack([last, last])
    again = anygrad.curl(batch, vector_dim=-1, **{**grid, "dim": (3, 2, 1)})
    for k in range(3):
        assert is_close(library, again[1, ..., k], curl[k, ...])


def test_around_a_centre(library: Backend) -> None:
    """The Laplacian of `r**2` is 6, and the sources of the position are 3."""
    lines = (RADII, ANGLES, HEIGHTS)
    grid = anygrad.spherical(*map(library.asarray, lines))
    f = samples(library, lambda r, *_: r * r, *lines)
    wanted = samples(library, lambda *_: 6, *lines)
    assert is_close(library, anygrad.laplacian(f, **grid), wanted, 8192)
    away = field(library, [lambda r, *_: r, lambda *_: 0, lambda *_: 0], *lines)
    wanted = samples(library, lambda *_: 3, *lines)
    # `r**2` times the component is of the third degree.
    found = anygrad.divergence(away, **grid, accuracy=4, edge_order=3)
    assert is_close(library, found, wanted, 8192)


# The order of accuracy, at every point.


def harmonic(r: float, theta: float, phi: float) -> float:
    """Return ``r**4 Y(2, 1)``, whose Laplacian is ``(20 - 6) r**2 Y(2, 1)``."""
    return r**4 * math.sin(theta) * math.cos(theta) * math.cos(phi)


def line(start: float, stop: float, count: int) -> list[float]:
    """Return coordinates, slightly uneven."""
    steps = [k / (count - 1) for k in range(count)]
    return [start + (stop - start) * (s + 0.05 * math.sin(3 * s)) for s in steps]


def error_on_a_ball(library: Backend, count: int, accuracy: int) -> float:
    lines = (line(1.0, 2.0, count), line(0.7, 2.2, count), line(0.0, 2.0, count))
    grid = anygrad.spherical(*map(library.asarray, lines))
    found = anygrad.laplacian(
        samples(library, harmonic, *lines), **grid, accuracy=accuracy
    )
    wanted = samples(library, lambda r, *a: 14 * harmonic(r, *a) / r**2, *lines)
    return worst(library, found, wanted)


def error_of_wind(library: Backend, count: int, accuracy: int) -> float:
    """Return that of a slanted rotation: ``2 * omega`` along the normal."""
    lines = (line(-1.2, 1.2, count), [2 * math.pi * k / count for k in range(count)])
    wind = field(
        library,
        [
            lambda b, a: math.cos(b) + math.sin(b) * math.cos(a),
            lambda b, a: -math.sin(a),
        ],
        *lines,
    )
    grid = anygrad.lonlat(
        2 * math.pi / count, library.asarray(lines[0]), radius=2.0, degrees=False
    )
    ends = {"boundary": ["periodic", "one_sided"], "accuracy": accuracy}
    vorticity = anygrad.curl(wind, **grid, **ends)
    wanted = samples(
        library, lambda b, a: math.sin(b) - math.cos(b) * math.cos(a), *lines
    )
    none = samples(library, lambda *_: 0, *lines)
    return max(
        worst(library, vorticity, wanted),
        worst(library, anygrad.divergence(wind, **grid, **ends), none),
    )


@pytest.mark.parametrize("accuracy", [2, 4, 8])
@pytest.mark.parametrize("error", [error_on_a_ball, error_of_wind])
def test_the_order_of_accuracy(numpy: Any, error: Any, accuracy: int) -> None:
    """At the worst point, edges too: the error falls as ``h**accuracy``."""
    from backends import NumPy

    library = NumPy("numpy")
    counts = {2: (16, 32), 4: (14, 28), 8: (18, 26)}[accuracy]
    coarse, fine = (error(library, count, accuracy) for count in counts)
    order = math.log(coarse / fine) / math.log((counts[1] - 1) / (counts[0] - 1))
    assert order > accuracy - 0.6


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, when Dask computes
def test_at_the_poles(library: Backend) -> None:
    """No number in their rows, and one in all others."""
    latitude = library.asarray([-90.0, -45.0, 0.0, 45.0, 90.0])
    f = library.asarray(oracle.build((5, 4), lambda k: (7 * sum(k) ** 2) % 11 - 5))
    with library.current_device(f):
        wind = library.xp.stack([f, f])
    grid = anygrad.lonlat(90.0, latitude)
    results = [
        anygrad.gradient(f, **grid)[0],
        anygrad.laplacian(f, **grid),
        anygrad.divergence(wind, **grid),
        anygrad.curl(wind, **grid),
    ]
    for result in results:
        rows = library.tolist(result)
        for k, row in enumerate(rows):
            assert all(math.isfinite(value) == (0 < k < 4) for value in row)


def test_across_the_poles(library: Backend) -> None:
    """The rows beyond are those of the other meridian, with east and north turned."""
    count = 12
    latitude = [-90 + 15 * (k + 0.5) for k in range(-2, count + 2)]
    lines = ([math.radians(b) for b in latitude], [math.pi * k / 6 for k in range(12)])
    wind = field(  # what turns about an axis in the equator's plane, also beyond 90 N
        library,
        [lambda b, a: math.sin(b) * math.cos(a), lambda _, a: -math.sin(a)],
        *lines,
    )
    grid = anygrad.lonlat(30.0, library.asarray(latitude), radius=1.0)
    found = anygrad.curl(wind, **grid, boundary=["periodic", "ghosts"], accuracy=4)
    wanted = samples(library, lambda b, a: -2 * math.cos(b) * math.cos(a), *lines)
    assert worst(library, found, wanted[2:-2, ...]) < 0.05


def test_the_plain_curl_has_half_of_it(library: Backend) -> None:
    """Without the factors, a turning sphere has no more than its shear."""
    latitudes = [20.0, 25.0, 30.0, 35.0]
    cosines = [math.cos(math.radians(b)) for b in latitudes]
    east = library.asarray([[c] * 4 for c in cosines])
    with library.current_device(east):
        wind = library.xp.stack([east, library.xp.zeros_like(east)])
    grid = anygrad.lonlat(1.0, library.asarray(latitudes), radius=1.0)
    step = math.pi / 36
    plain = anygrad.curl(wind, spacing=[step, step], dim=(-1, -2))
    found = anygrad.curl(wind, **grid)
    found, plain = (library.tolist(a)[2][0] for a in (found, plain))
    assert found / plain == pytest.approx(2, abs=0.02)


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


# Dtypes, missing samples, laziness, derivatives.


def test_dtypes(backend: Backend) -> None:
    """Floating factors are promoted with the samples, numbers and integers are not."""
    f = backend.asarray(
        [[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]], "float32"
    )
    column = [[1], [2], [3], [5]]
    for dtype, wanted in (
        ("float32", "float32"),
        ("int32", "float32"),
        ("float64", "float64"),
    ):
        if dtype not in backend.dtypes:
            continue
        h = backend.asarray(column, dtype)
        assert backend.dtype_name(anygrad.laplacian(f, scale_factors=[1, h])) == wanted
        one, two = anygrad.gradient(f, scale_factors=[1, h])
        assert backend.dtype_name(one) == "float32"
        assert backend.dtype_name(two) == wanted
        same = anygrad.gradient(f, scale_factors=[1, h], stack_dim=0)
        assert backend.dtype_name(same) == wanted
        given = anygrad.laplacian(f, scale_factors=[1, h], dtype="float32")
        assert backend.dtype_name(given) == "float32"
    whole = backend.asarray(backend.tolist(f), "int32")
    found = anygrad.laplacian(whole, scale_factors=[1, 2])
    assert backend.dtype_name(found) == backend.default


def test_sixteen_bits_are_rounded_once(library: Backend, half: str) -> None:
    values = [[0, 2048, 4096], [1, 2049, 4098], [3, 2050, 4100], [2, 2052, 4096]]
    column = [[1], [3], [7], [2]]
    f, h = (library.asarray(a, half) for a in (values, column))
    f_wide, h_wide = (library.asarray(library.tolist(a), "float32") for a in (f, h))
    found = anygrad.laplacian(f, scale_factors=[h, 3.0], boundary="edge")
    assert library.dtype_name(found) == half
    wanted = anygrad.laplacian(f_wide, scale_factors=[h_wide, 3.0], boundary="edge")
    rounded = library.asarray(library.tolist(wanted), half)
    assert library.tolist(found) == library.tolist(rounded)


def test_missing_samples(library: Backend) -> None:
    """They are missing as without factors."""
    f = library.asarray([[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0]])
    valid = library.asarray(
        [[True, True, False, True], [True] * 4, [False] * 4], "bool"
    )
    h = library.asarray([[1], [2], [4]])
    found = anygrad.gradient(f, where=valid, scale_factors=[1.0, h])
    plain = anygrad.gradient(f, where=valid)
    with library.current_device(f):
        wanted = [plain[0], plain[1] / h]
    for one, other in zip(found, wanted, strict=True):
        assert repr(library.tolist(one)) == repr(library.tolist(other))


def test_missing_samples_of_one_component(library: Backend) -> None:
    """A mask may have the dim of the components, as the field has."""
    wind = library.asarray(oracle.build((2, 5, 4), lambda k: (7 * sum(k) ** 2) % 11))
    valid = library.asarray(oracle.build((2, 5, 4), lambda k: k != (1, 2, 2)), "bool")
    h = library.asarray([[1.0], [2.0], [4.0], [3.0], [5.0]])
    keywords = {"spacing": 1, "boundary": "one_sided", "dim": None, "axis": None}
    orders = {"accuracy": 2, "edge_order": 2}
    plan = _plans.plan(
        _calls.divergence,
        wind,
        where=valid,
        vector_dim=0,
        scale_factors=[1.0, h],
        **keywords,
        **orders,
    )
    (found,) = plan.executor(wind, plan, plan.namespace)
    with library.current_device(wind):
        flux = wind[0, ...] * h
    down, across = (
        anygrad.derivative(f, dim=k, where=valid[k, ...], edge_order=2)
        for k, f in enumerate((flux, wind[1, ...]))
    )
    with library.current_device(wind):
        wanted = (down + across) / h
    assert repr(library.tolist(found)) == repr(library.tolist(wanted))


@pytest.mark.parametrize(
    ("name", "boundary", "most"),
    [
        ("divergence", "one_sided", 5),
        ("curl", "one_sided", 5),
        ("laplacian", "one_sided", 5),
        ("divergence", ["reflect", "edge", 0.0], 6),
        ("curl", ["reflect", "edge", 0.0], 6),
        ("laplacian", ["reflect", "edge", 0.0], 5),
    ],
)
def test_memory_of_whole_arrays(
    numpy: Any, monkeypatch: pytest.MonkeyPatch, name: str, boundary: Any, most: int
) -> None:
    """Beside the results: so many arrays of the size of a component, as is said."""
    monkeypatch.setattr(_dispatch, "in_one_pass", lambda _: None)
    r, t = numpy.linspace(1, 2, 60), numpy.linspace(0.1, 3, 60)
    wind = numpy.ones((3, 60, 60, 60))
    factors = [1.0, r[:, None, None], r[:, None, None] * numpy.sin(t)[:, None]]
    f, keywords = (wind[0], {}) if name == "laplacian" else (wind, {"vector_dim": 0})
    call = partial(
        getattr(anygrad, name),
        f,
        spacing=[r, t, t],
        scale_factors=factors,
        boundary=boundary,
        **keywords,
    )
    for _ in range(_kept_plans.OFTEN + 2):  # until all is kept that is
        results = call().nbytes
    assert peak_of(call) - results <= most * wind[0].nbytes + 2**18


@pytest.mark.parametrize("name", ["divergence", "curl"])
def test_what_is_missing_does_not_matter(library: Backend, name: str) -> None:
    """Nor where the product rule has the sample of the point itself: there is none.

    That is so near the ends; farther inside, a flux skips its own point as ever.
    """
    h = library.asarray([[1.0], [2.0], [4.0], [3.0], [5.0]])
    holes = ((1, 2), (2, 1))
    valid = library.asarray(
        oracle.build((2, 5, 4), lambda k: k[1:] not in holes), "bool"
    )
    keywords = {"where": valid, "scale_factors": [1.0, h], "boundary": "edge"}
    found = []
    for missing in (0.0, 99.0, math.nan):
        wind = library.asarray(
            oracle.build(
                (2, 5, 4), lambda k, m=missing: sum(k) if k[1:] not in holes else m
            )
        )
        result = library.tolist(getattr(anygrad, name)(wind, **keywords))
        found.append(repr(result))
        missing_at = [math.isnan(value) for value in result[1]]
        assert missing_at == [False, False, True, False]
        assert not math.isnan(result[2][1])
    assert len(set(found)) == 1


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


def test_dask_computes_nothing(dask: Any, library: Backend) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("computed")

    f, x = (library.asarray(a) for a in ([[1, 2, 4, 9]] * 4, [1, 2, 3, 4]))
    with dask.config.set(scheduler=refuse):
        grid = anygrad.lonlat(library.asarray([0, 90, 180, 270]), x)
        for name in OF_SCALARS:
            getattr(anygrad, name)(f, **grid)


def test_jax_traces_and_differentiates(jax: Any, library: Backend) -> None:
    """In one program, in batches, and in the coordinates of the factors."""
    f = library.asarray([[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]])

    def total(last: Any) -> Any:
        latitude = jax.numpy.concatenate([library.asarray([-60.0, 0.0, 45.0]), last])
        grid = anygrad.lonlat(30.0, latitude, radius=9.0)
        return anygrad.laplacian(f, **grid).sum()

    points = library.asarray([[60.0], [60.5], [59.5]])
    totals, slopes = jax.jit(jax.vmap(jax.value_and_grad(total)))(points)
    chord = float(totals[1] - totals[2])
    assert float(slopes[0, 0]) == pytest.approx(chord, rel=2e-2)


def test_torch_differentiates(torch: Any, library: Backend) -> None:
    """In the samples and in the coordinates of the factors."""
    f = library.asarray(
        [[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]]
    ).detach()
    latitude = library.asarray([-60.0, 0.0, 45.0, 60.0]).detach()

    def found(f: Any, latitude: Any) -> Any:
        return anygrad.laplacian(f, **anygrad.lonlat(30.0, latitude, radius=1.0))

    inputs = [a.double().requires_grad_() for a in (f, latitude)]
    torch.autograd.gradcheck(found, inputs)


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
    ([1.0, "complex"], TypeError, "must have an integer or real floating dtype"),
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


@pytest.mark.parametrize("where", [False, True])
@pytest.mark.parametrize("function", OF_VECTORS)
def test_blocks_of_an_array_between_mirrors(
    library: Backend, function: str, where: bool
) -> None:
    """What stands at an end has a say near it only, and a block need not know it."""
    h = [1.0, 3.0, 2.5, 4.0, 1.5, 2.0, 3.5, 1.25, 4.5, 2.25]
    wind = [
        [[(3 * i * i + 7 * j + k) % 11 for j in range(3)] for i in range(10)]
        for k in (0, 1)
    ]
    valid = [[i != 4 or j == 0 for j in range(3)] for i in range(10)]

    def result(start: int, stop: int, *ends: Any) -> Any:
        rows = slice(start, stop)
        factor = library.asarray([[one] for one in h[rows]])
        mask = library.asarray(valid[rows], "bool") if where else None
        return getattr(anygrad, function)(
            library.asarray(
                [[[float(x) for x in row] for row in f[rows]] for f in wind]
            ),
            spacing=0.5,
            scale_factors=[factor, factor],
            boundary=[ends, "periodic"],
            where=mask,
        )

    whole = result(0, 10, "reflect", 2.0)
    first = result(0, 6, "reflect", "ghosts")
    inner = result(1, 9, "ghosts", "ghosts")
    final = result(4, 10, "ghosts", 2.0)
    margin = 2 if where else 1
    for block, start in ((first, 0), (inner, 1 + margin), (final, 4 + margin)):
        stop = start + block.shape[0]
        wanted, found = library.tolist(whole[start:stop, :]), library.tolist(block)
        assert stop in (6 - margin, 9 - margin, 10)
        for one, other in zip(oracle.flat(found), oracle.flat(wanted), strict=True):
            limit = 1e-4 if library.library == "jax" else 0
            assert abs(one - other) <= limit or (math.isnan(one) and math.isnan(other))


def test_complex_coordinates_of_another_dim(library: Backend) -> None:
    """They make no other derivative complex, and nobody is warned of that."""
    f = library.asarray([[0.0, 2.0], [1.0, 5.0]])
    x = library.asarray([0, 2j], library.complex)
    y = library.asarray([0.0, 0.5])
    first, second = anygrad.gradient(f, spacing=[x, y], scale_factors=[2.0, 4.0])
    assert library.tolist(first) == [[-0.25j, -0.75j]] * 2
    assert library.dtype_name(second) == library.real
    assert library.tolist(second) == [[1.0, 1.0], [2.0, 2.0]]
