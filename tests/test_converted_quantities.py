"""Quantities whose units are converted: angles, lengths, derived ones, and unxt's."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import anygrad
import families
from families import FAMILIES, Family, same

pytestmark = pytest.mark.peers

family = families.family
f = families.f


def test_degrees_are_differences(family: Family, f: Any) -> None:
    """What is subtracted has no offset, whatever the library calls that."""
    degree = {"pint": "degC", "unyt": "degC", "astropy": "deg_C"}[family.name]
    change = degree if family.name == "astropy" else f"delta_{degree}"
    got = anygrad.derivative(family.make(f, degree), spacing=family.make(2.0, "m"))
    assert same(family, got, anygrad.derivative(f, spacing=2.0), f"{change}/m")
    got = anygrad.derivative(family.make(f, "m"), spacing=family.make(2.0, degree))
    assert same(family, got, anygrad.derivative(f, spacing=2.0), f"m/{change}")
    if family.name == "astropy":  # it converts temperatures with an equivalency only
        return
    warm = family.make(293.15, "K")
    got = anygrad.derivative(family.make(f, degree), boundary=warm)
    close = anygrad.derivative(f, boundary=20.0)
    assert abs(family.numbers(got) - close).max() < 1e-12
    area = anygrad.laplacian(
        family.make(f, "m"),
        spacing=[family.make(1.0, "K"), family.make(2.0, degree)],
    )
    assert same(family, area, anygrad.laplacian(f, spacing=[1.0, 2.0]), "m/K**2")


def test_scale_factors_have_units(family: Family, numpy: Any, f: Any) -> None:
    """Each length is that of a factor times its entry of the spacing."""
    column = numpy.asarray([[1.0], [2.0], [3.0], [5.0]])
    factors = [family.make(2.0, "km"), family.make(1000.0 * column, "m")]
    samples = family.make(f, "kg")
    got = anygrad.gradient(samples, scale_factors=factors)
    wanted = anygrad.gradient(f, scale_factors=[2.0, 1000.0 * column])
    for result, numbers, unit in zip(got, wanted, ("kg/km", "kg/m"), strict=True):
        assert same(family, result, numbers, unit)
    total = anygrad.laplacian(samples, scale_factors=factors)
    numbers = anygrad.laplacian(f, scale_factors=[2.0, column])
    assert family.has_unit(total, "kg/km**2")
    assert family.numbers(total) == pytest.approx(numbers)
    wind = family.make(numpy.stack([f, f]), "kg")
    grid = anygrad.lonlat(10.0, column[:, 0], radius=family.make(6371.0, "km"))
    vorticity = anygrad.curl(wind, **grid)
    plain = anygrad.lonlat(10.0, column[:, 0], radius=6371.0)
    numbers = anygrad.curl(numpy.stack([f, f]), **plain)
    assert family.has_unit(vorticity, "kg/km")
    assert family.numbers(vorticity) == pytest.approx(numbers)


def test_scale_factors_of_other_dimensions(family: Family, f: Any) -> None:
    factors = [family.make(1.0, "m"), family.make(1.0, "s")]
    with pytest.raises(family.error):
        anygrad.laplacian(f, scale_factors=factors)
    one, two = anygrad.gradient(f, scale_factors=factors)
    assert family.has_unit(one, "1/m")
    assert family.has_unit(two, "1/s")


@pytest.mark.parametrize("degrees", [True, False])
def test_angles_of_coordinates(family: Family, numpy: Any, degrees: bool) -> None:
    """They are converted to the unit of the call, and unwrapped."""
    per = 1.0 if degrees else numpy.pi / 180
    longitude = numpy.asarray([170.0, 175, -180, -175])
    latitude = numpy.asarray([10.0, 20, 30])
    own = {"degrees": degrees}
    plain = anygrad.lonlat(longitude * per, latitude * per, **own)
    for unit, many in (("deg", 1.0), ("rad", numpy.pi / 180)):
        angles = [family.make(x * many, unit) for x in (longitude, latitude)]
        grid = anygrad.lonlat(*angles, **own)
        for one, other in zip(grid["spacing"], plain["spacing"], strict=True):
            assert numpy.allclose(one, other, rtol=1e-14, atol=0)
            assert type(one) is numpy.ndarray
        assert numpy.allclose(grid["scale_factors"][0], plain["scale_factors"][0])
    step = anygrad.cylindrical(latitude, family.make(2.0, "deg"), **own)
    assert step["spacing"][1] == pytest.approx(2 * per)
    with pytest.raises(family.error) as caught:
        anygrad.lonlat(10.0, family.make(latitude, "m"))
    (note,) = caught.value.__notes__
    assert note.startswith("`latitude` must be an angle, in a unit")


@pytest.mark.parametrize("name", ["gradient", "laplacian", "divergence", "curl"])
@pytest.mark.parametrize("height", ["steps", "a step", "none"])
def test_lengths_of_coordinates(
    family: Family, numpy: Any, name: str, height: str
) -> None:
    """A radius and a height have units of their own, of which results are per one."""
    radius, angles = numpy.asarray([1.0, 2, 3, 5]), numpy.asarray([10.0, 20, 30, 50])
    place = {"steps": 1000.0 * radius, "a step": 500.0, "none": None}[height]
    made = None if place is None else family.make(place, "m")
    metres = None if place is None else place / 1000.0
    in_km = family.make(radius, "km")
    grids = [
        (
            anygrad.cylindrical(in_km, angles, made, degrees=True),
            anygrad.cylindrical(radius, angles, metres, degrees=True),
        )
    ]
    if place is not None:
        ends = angles, angles
        grids.append(
            (
                anygrad.spherical(in_km, *ends, degrees=True),
                anygrad.spherical(radius, *ends, degrees=True),
            )
        )
    rank = 2 if place is None else 3
    is_field = name in ("divergence", "curl")
    shape = (rank,) * is_field + (4,) * rank
    f = numpy.random.default_rng(3).random(shape)
    door = getattr(anygrad, name)
    for grid, plain in grids:
        got, wanted = door(family.make(f, "kg"), **grid), door(f, **plain)
        if name != "gradient":
            assert family.has_unit(got, "kg/km**2" if name == "laplacian" else "kg/km")
            assert family.numbers(got) == pytest.approx(wanted, rel=1e-12)
            continue
        for k, (one, other) in enumerate(zip(got, wanted, strict=True)):
            is_height = (
                k == 2 and len(grid["scale_factors"]) == 3 and grid is grids[0][0]
            )
            assert family.has_unit(one, "kg/m" if is_height else "kg/km")
            many = 1000.0 if is_height else 1.0
            assert many * family.numbers(one) == pytest.approx(other, rel=1e-12)


def test_longitudes_of_astropy(numpy: Any) -> None:
    """They are hours of right ascension as well, and jump where they are wrapped."""
    units = pytest.importorskip("astropy.units")
    coordinates = pytest.importorskip("astropy.coordinates")
    wrapped = coordinates.Longitude([350.0, 355, 0, 5] * units.deg)
    hours = coordinates.Longitude(wrapped.to("hourangle"))
    for longitude in (wrapped, hours):
        x, _ = anygrad.lonlat(longitude, numpy.asarray([1.0, 2]))["spacing"]
        assert numpy.allclose(x, [350.0, 355, 360, 365], rtol=1e-14, atol=0)


def test_spacings_are_converted_by_a_factor(family: Family, numpy: Any, f: Any) -> None:
    """Not by the library, which may take float16 for what was int16."""
    metres, kilometres = (numpy.arange(n, dtype="int16") for n in f.shape)
    steps = [family.make(30 * metres, "m"), family.make(1000 * kilometres, "km")]
    got = anygrad.gradient(f, spacing=steps, stack_dim=0)
    wanted = anygrad.gradient(f, spacing=[30.0 * metres, 1e6 * kilometres])
    assert family.has_unit(got, "1/m")
    assert numpy.allclose(family.numbers(got), wanted, rtol=1e-14)


@pytest.mark.parametrize("name", ["astropy", "pint"])
def test_conversions_that_are_no_factors(name: str, numpy: Any, f: Any) -> None:
    """Where wavelengths become frequencies, their steps do not."""
    family = FAMILIES[name]()
    if name == "pint":
        registry = family.make(1.0, "nm")._REGISTRY
        context = partial(registry.context, "spectroscopy")
    else:
        units = pytest.importorskip("astropy.units")
        context = partial(units.set_enabled_equivalencies, units.spectral())
    for factor in (1.0, numpy.arange(1.0, 6.0)):
        steps = [family.make(1.0, "nm"), family.make(factor, "Hz")]
        with context(), pytest.raises(ValueError, match=r"^`spacing\[1\]` must have a"):
            anygrad.laplacian(f, spacing=steps)


def test_offsets_under_equivalencies(f: Any) -> None:
    """A degree is a kelvin as a step, and 274 of them as a temperature."""
    units = pytest.importorskip("astropy.units")
    with units.set_enabled_equivalencies(units.temperature()):
        steps = [1.0 * units.K, 2.0 * units.deg_C]
        got = anygrad.laplacian(f, spacing=steps)
        celsius = 20.0 * units.deg_C
        beyond = anygrad.derivative(f << units.K, boundary=celsius)
    assert got.unit == units.K**-2
    assert got.value == pytest.approx(anygrad.laplacian(f, spacing=[1.0, 2.0]))
    assert beyond.value == pytest.approx(anygrad.derivative(f, boundary=293.15))


@pytest.mark.parametrize("has_state", [False, True])
@pytest.mark.parametrize("name", ["astropy", "unyt"])
def test_derived_quantities(name: str, f: Any, has_state: bool) -> None:
    """What they carry along beside the unit would be lost, and so they are refused."""
    family = FAMILIES[name]()
    plain = family.make(f, "m")

    class Derived(type(plain)):  # type: ignore[misc]
        if has_state:

            def __array_finalize__(self, array: Any) -> None:
                super().__array_finalize__(array)
                self.epoch = getattr(array, "epoch", None)

    derived = plain.view(Derived)
    if not has_state:
        got = anygrad.derivative(derived, spacing=derived[0])
        assert same(family, got, anygrad.derivative(f, spacing=f[0]), "1")
        return
    for call in (
        lambda: anygrad.derivative(derived),
        lambda: anygrad.derivative(plain, spacing=derived[0]),
        lambda: anygrad.derivative(plain, boundary=derived[:, :1]),
    ):
        with pytest.raises(TypeError, match=r"its unit would be lost.*`value`"):
            call()


@pytest.fixture
def unxt() -> Any:
    pytest.importorskip("jax")
    return pytest.importorskip("unxt")


def call_with_a_value(f: Any, x: Any, value: Any, mask: Any) -> Any:
    """Return one derivative, with everything that a call may have beside samples."""
    ends = (value, "one_sided")
    where = None if value is None else mask
    return anygrad.derivative(f, dim=1, spacing=[x], boundary=ends, where=where)


@pytest.mark.parametrize("is_jitted", [False, True])
def test_unxt(unxt: Any, f: Any, is_jitted: bool) -> None:
    """It is over JAX; what decides of units is no operation that is traced."""
    import jax

    xp = jax.numpy
    values, x, mask = xp.asarray(f), xp.asarray([0.0, 1, 3, 4, 6]), xp.asarray(f > 0.2)
    door = jax.jit(call_with_a_value) if is_jitted else call_with_a_value
    made = unxt.Quantity
    samples, times = made(values, "m"), made(x, "s")
    got = door(samples, times, made(xp.asarray(200.0), "cm"), mask)
    wanted = door(values, x, 2.0, mask)
    assert got.unit == made(1.0, "m/s").unit
    assert xp.array_equal(got.value, wanted, equal_nan=True)
    area = anygrad.laplacian(samples, spacing=[times[1:], made(x, "ms")])
    plain = anygrad.laplacian(values, spacing=[x[1:], x * 1e-3])
    assert area.unit == made(1.0, "m/s2").unit
    assert xp.allclose(area.value, plain, rtol=1e-5)
    with pytest.raises(TypeError, match=r"^`input` must be an array that goes into"):
        anygrad.derivative(f, spacing=made(2.0, "s"))


def test_angles_of_unxt(unxt: Any, f: Any) -> None:
    """A class of angles has no slopes; a static quantity has NumPy's numbers."""
    import jax.numpy as xp

    degrees = xp.asarray([10.0, 20.0, 30.0, 50.0, 60.0])
    values, made = xp.asarray(f), unxt.Quantity
    given = {"radius": made(6371.0, "km")}
    grid = anygrad.lonlat(made(degrees, "deg"), made(degrees[:4], "deg"), **given)
    plain = anygrad.lonlat(degrees, degrees[:4], radius=6371.0)
    got, wanted = (
        anygrad.gradient(samples, **keywords)
        for samples, keywords in ((made(values, "m"), grid), (values, plain))
    )
    for one, other in zip(got, wanted, strict=True):
        assert one.unit == made(1.0, "m/km").unit
        assert xp.allclose(one.value, other, rtol=1e-6)
    angles = unxt.Angle(degrees, "deg")
    slope = anygrad.derivative(angles, spacing=unxt.quantity.StaticQuantity(2.0, "s"))
    assert type(slope) is type(made(1.0, "deg/s"))
    assert xp.array_equal(slope.value, anygrad.derivative(degrees, spacing=2.0))
