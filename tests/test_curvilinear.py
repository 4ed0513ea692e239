"""Curved coordinates: `scale_factors`, exactly where formulas are, and their order."""

from __future__ import annotations

import math
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend
from curved_samples import field, is_close, line, samples, worst

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
