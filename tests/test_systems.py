"""Curved coordinates by name: `spherical`, `cylindrical`, `lonlat`."""

from __future__ import annotations

import datetime
import itertools
import math
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend

#: Longitudes across the date line, and what they are without it.
ACROSS = [170.0, 175.0, -180.0, -175.0, -170.0]
ALONG = [170.0, 175.0, 180.0, 185.0, 190.0]


def numbers(backend: Backend, array: Any) -> Any:
    return list(oracle.flat(backend.tolist(array)))


def test_the_earth(backend: Backend) -> None:
    """The factors in the dims of the samples, the components eastward first."""
    latitude = [-90.0, -60.0, 0.0, 45.0, 90.0]
    grid = anygrad.lonlat(*map(backend.asarray, (ACROSS, latitude)), radius=2.0)
    assert set(grid) == {"spacing", "scale_factors", "dim"}
    assert grid["dim"] == (-1, -2)
    east, north = grid["scale_factors"]
    assert north == pytest.approx(math.radians(2.0))
    assert tuple(east.shape) == (5, 1)
    assert backend.kind(east) == backend.kind(grid["spacing"][1])
    assert backend.device(east) == backend.device(grid["spacing"][1])
    found = numbers(backend, east)
    assert found[0] == found[4] == 0  # at the poles, exactly
    wanted = [north * math.cos(math.radians(a)) for a in latitude]
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12)
    longitude, same = grid["spacing"]
    assert numbers(backend, longitude) == ALONG
    assert numbers(backend, same) == latitude


def test_the_radius_of_the_earth(library: Backend) -> None:
    _, north = anygrad.lonlat(1.0, library.asarray([0.0, 1.0]))["scale_factors"]
    assert 360 * north == pytest.approx(2 * math.pi * 6371008.7714)
    grid = anygrad.lonlat(1.0, library.asarray([0.0, 1.0]), degrees=False)
    assert grid["scale_factors"][1] == 6371008.7714
    assert grid["spacing"][0] == 1.0


@pytest.mark.parametrize(
    "given",
    [
        [0.1, 90.3, 179.9, -89.7, 0.1],
        [350.0, 355.0, 0.0, 5.0],
        [5.0, 0.0, 355.0, 350.0],
        [-170.0, -175.0, 180.0, 175.0, 170.0],
        [0.0, 180.0, 360.0],
        [0.0],
    ],
    ids=str,
)
def test_unwrapped(library: Backend, given: list[float]) -> None:
    """Whole turns are taken off, and nothing else is changed."""
    x = library.asarray(given)
    found = numbers(library, anygrad.lonlat(x, x)["spacing"][0])
    kept = numbers(library, x)
    for one, next_one in itertools.pairwise(found):
        assert not abs(next_one - one) > 180
    for one, other in zip(found, kept, strict=True):
        assert one == other or abs((one - other + 180) % 360 - 180) < 1e-3
    is_fine = all(abs(b - a) <= 180 for a, b in itertools.pairwise(given))
    assert not is_fine or found == kept
    turned = library.asarray([math.radians(a) for a in given])
    found = numbers(library, anygrad.cylindrical(x, turned)["spacing"][1])
    for one, next_one in itertools.pairwise(found):
        assert not abs(next_one - one) > math.pi + 1e-5


@pytest.mark.parametrize("missing", [math.nan, math.inf])
def test_unwrapped_beside_a_gap(library: Backend, missing: float) -> None:
    """What is no longitude, as in a row between two tracks, leaves the others be."""
    given = [missing, 170.0, 175.0, -180.0, missing, 10.0, 5.0]
    x, y = library.asarray(given), library.asarray([0.0, 1.0])
    found = numbers(library, anygrad.lonlat(x, y)["spacing"][0])
    assert found[1:4] == [170.0, 175.0, 180.0]
    assert (found[5] - 10.0) % 360 == 0
    assert found[6] == found[5] - 5.0


def test_a_field_across_the_date_line(library: Backend) -> None:
    """It has the slopes of the same field elsewhere, and without help it has not."""
    latitude = library.asarray([-10.0, 0.0, 10.0, 20.0])
    f = library.asarray([[math.sin(k * k + j) for k in range(5)] for j in range(4)])
    across, along = (
        anygrad.gradient(f, **anygrad.lonlat(library.asarray(x), latitude))[0]
        for x in (ACROSS, ALONG)
    )
    assert library.tolist(across) == library.tolist(along)
    plain = anygrad.derivative(f, spacing=library.asarray(ACROSS))
    wanted = anygrad.derivative(f, spacing=library.asarray(ALONG))
    assert library.tolist(plain) != library.tolist(wanted)


def test_a_period_does_not_unwrap(library: Backend) -> None:
    """A gap of more than half a period is a gap: 2 to 20 o'clock are 18 hours."""
    hours = library.asarray([0.0, 2.0, 20.0, 22.0])
    f = library.asarray([0.0, 2.0, 20.0, 22.0])
    found = library.tolist(
        anygrad.derivative(f, spacing=hours, boundary=("periodic", 24.0))
    )
    assert found[1:3] == [1.0, 1.0]


def test_spheres_and_balls(library: Backend) -> None:
    r, theta = ([1.0, 2.0], [0.0, 30.0, 90.0, 180.0])
    degree = math.radians(1.0)
    arrays = [library.asarray(a) for a in (r, theta)]
    grid = anygrad.spherical(*arrays, 0.5, degrees=True)
    assert grid["dim"] == (-3, -2, -1)
    one, along, around = grid["scale_factors"]
    assert one == 1.0
    assert tuple(along.shape) == (2, 1, 1)
    assert numbers(library, along) == pytest.approx([degree, 2 * degree])
    assert tuple(around.shape) == (2, 4, 1)
    sines = [0.0, 0.5, 1.0, 0.0]
    wanted = [a * s * degree for a in r for s in sines]
    assert numbers(library, around) == pytest.approx(wanted, rel=1e-6, abs=0)
    grid = anygrad.spherical(2.0, arrays[1], 0.5, degrees=True, dim=(-1, -2))
    along, around = grid["scale_factors"]
    assert along == 2 * degree
    assert tuple(around.shape) == (1, 4)
    assert numbers(library, around) == pytest.approx(wanted[4:], rel=1e-6, abs=0)
    radians = library.asarray([0.5, 1.0])
    around = anygrad.spherical(2.0, radians, 0.5)["scale_factors"][1]
    wanted = [2 * math.sin(0.5), 2 * math.sin(1.0)]
    assert numbers(library, around) == pytest.approx(wanted, rel=1e-6)


def test_cylinders_and_planes(library: Backend) -> None:
    r, z = (library.asarray(a) for a in ([1, 2, 4], [0.0, 3.0]))
    grid = anygrad.cylindrical(r, 0.1, z, dim=[-1, -2, -3])
    assert grid["dim"] == (-1, -2, -3)
    assert grid["scale_factors"][::2] == [1.0, 1.0]
    assert tuple(grid["scale_factors"][1].shape) == (1, 1, 3)
    assert numbers(library, grid["scale_factors"][1]) == [1.0, 2.0, 4.0]
    assert grid["spacing"][1] == 0.1
    assert len(anygrad.cylindrical(r, 0.1, 2.0)["spacing"]) == 3
    plane = anygrad.cylindrical(r, library.asarray([350.0, 10.0]), degrees=True)
    assert plane["dim"] == (-2, -1)
    assert numbers(library, plane["spacing"][1]) == [350.0, 370.0]
    assert len(plane["scale_factors"]) == 2


def test_integers_become_floating(library: Backend) -> None:
    x = library.asarray([170, 175, -180], library.integer)
    grid = anygrad.lonlat(x, library.asarray([0, 60, 90], library.integer), radius=1.0)
    assert numbers(library, grid["spacing"][0]) == [170.0, 175.0, 180.0]
    assert library.dtype_name(grid["scale_factors"][0]) == library.default


WRONG: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("lonlat", {"latitude": [0.0, 1.0]}, TypeError, "`latitude` must be an array"),
    ("lonlat", {"latitude": 1.0}, TypeError, "`latitude` must be an array"),
    ("lonlat", {"longitude": [0.0]}, TypeError, "`longitude` must be a number or an"),
    ("lonlat", {"latitude": "plane"}, ValueError, "`latitude` must be a 1-dimensional"),
    ("lonlat", {"longitude": "plane"}, ValueError, "`longitude` must be a 1-dimension"),
    ("lonlat", {"latitude": "bool"}, TypeError, "`latitude` must have an integer or"),
    ("lonlat", {"latitude": "complex"}, TypeError, "`latitude` must have an integer"),
    ("lonlat", {"radius": "big"}, TypeError, "`radius` must be a number"),
    ("lonlat", {"radius": set}, TypeError, "`radius` must be an array of a"),
    ("lonlat", {"radius": 10**400}, ValueError, "`radius` must be finite"),
    (
        "lonlat",
        {"degrees": "no"},
        TypeError,
        "`degrees` must be True or False. Got 'no'.",
    ),
    ("lonlat", {"degrees": "line"}, TypeError, "`degrees` must be True or False."),
    ("spherical", {"radius": {1.0}}, TypeError, "`radius` must be an array of a"),
    ("lonlat", {"radius": True}, TypeError, "`radius` must be a number"),
    ("lonlat", {"radius": 2j}, TypeError, "`radius` must be real. Got 2j."),
    ("cylindrical", {"height": 1j}, TypeError, "`height` must be real. Got 1j."),
    ("lonlat", {"radius": "line"}, ValueError, "`radius` must be a number. Got an arr"),
    ("lonlat", {"dim": 1}, TypeError, "`dim` must be a list or tuple of ints. Got 1"),
    ("lonlat", {"dim": (-1.0, -2)}, TypeError, "`dim` must be a list or tuple of ints"),
    ("lonlat", {"dim": (0, 1)}, ValueError, "`dim` must name 2 dims, each once and by"),
    ("lonlat", {"dim": (-1, -1)}, ValueError, "`dim` must name 2 dims, each once"),
    ("lonlat", {"dim": (-1,)}, ValueError, "`dim` must name 2 dims, each once"),
    ("spherical", {"radius": 0}, ValueError, "`radius` must be finite and not zero"),
    ("spherical", {"radius": math.nan}, ValueError, "`radius` must be finite and not"),
    ("spherical", {"radius": None}, TypeError, "`radius` must be a number or an array"),
    ("spherical", {"radius": "plane"}, ValueError, "`radius` must be a 1-dimensional"),
    ("spherical", {"inclination": 1.0}, TypeError, "`inclination` must be an array"),
    ("spherical", {"dim": (-1, -2)}, ValueError, "`dim` must name 3 dims, each once"),
    ("cylindrical", {"radius": 1.0}, TypeError, "`radius` must be an array"),
    ("cylindrical", {"height": "x"}, TypeError, "`height` must be a number or an"),
]


@pytest.mark.parametrize(("name", "given", "error", "words"), WRONG, ids=repr)
def test_coordinates_that_are_none(
    library: Backend, name: str, given: dict[str, Any], error: Any, words: str
) -> None:
    line = library.asarray([1.0, 2.0])
    arrays = {
        "line": line,
        "plane": library.asarray([[1.0, 2.0]]),
        "bool": library.asarray([True, False], "bool"),
        "complex": library.asarray([1.0, 2.0], library.complex),
    }
    good = {
        "lonlat": {"longitude": line, "latitude": line},
        "spherical": {"radius": line, "inclination": line, "azimuth": 0.1},
        "cylindrical": {"radius": line, "azimuth": line},
    }[name]
    given = {
        key: arrays.get(value, value) if isinstance(value, str) else value
        for key, value in given.items()
    }
    with pytest.raises(error) as caught:
        getattr(anygrad, name)(**{**good, **given})
    assert str(caught.value).startswith(words)


@pytest.mark.peers
def test_two_libraries(numpy: Any, torch: Any) -> None:
    r, theta = numpy.asarray([1.0, 2.0]), torch.asarray([0.5, 1.0])
    with pytest.raises(
        TypeError, match="`radius` must be an array of the same library"
    ):
        anygrad.spherical(r, theta, 0.1)


def test_lengths_that_dask_does_not_know(dask: Any, library: Backend) -> None:
    x = library.asarray([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="`latitude` must have a known length"):
        anygrad.lonlat(1.0, x[x > 1.0])


@pytest.mark.parametrize("parameter", ["radius", "degrees", "longitude"])
def test_nonsense_is_refused_by_name(numpy: Any, parameter: str) -> None:
    """Also what has a product with a number, or would pass for one."""
    angles = numpy.asarray([1.0, 2.0, 3.0])
    for given in (
        object(),
        {1},
        range(4),
        int,
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        numpy.asarray(None),
        numpy.datetime64("2026"),
        angles.astype(complex),
    ):
        with pytest.raises((TypeError, ValueError), match=rf"^`{parameter}` must"):
            anygrad.lonlat(**{"longitude": 1.0, "latitude": angles, parameter: given})


def test_a_radius_that_is_a_number(numpy: Any) -> None:
    angles = numpy.asarray([1.0, 2.0, 3.0])
    for given in (2, numpy.float32(2), numpy.asarray(2), numpy.asarray(2.0)):
        grid = anygrad.lonlat(1.0, angles, radius=given)
        assert grid["scale_factors"][1] == 2 * math.pi / 180
    for given in (0.0, math.inf, 10**400):
        with pytest.raises(ValueError, match=r"^`radius` must be finite and not zero"):
            anygrad.lonlat(1.0, angles, radius=given)


@pytest.mark.peers
def test_a_radius_of_another_library(numpy: Any, array_api_strict: Any) -> None:
    radius = array_api_strict.asarray(2.0)
    with pytest.raises(TypeError, match=r"^`radius` must be an array of the same lib"):
        anygrad.lonlat(1.0, numpy.asarray([1.0, 2.0]), radius=radius)


def test_angles_of_8_bits(torch: Any) -> None:
    angles = torch.asarray([1.0, 2.0]).to(torch.float8_e4m3fn)
    grid = anygrad.lonlat(angles, angles)
    assert grid["spacing"][0].dtype == torch.float32
