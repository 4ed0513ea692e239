"""Quantities of several libraries: the numbers of a plain call, with its unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

import anygrad

pytestmark = pytest.mark.peers


class Family(NamedTuple):
    """A library of quantities."""

    name: str
    make: Callable[[Any, str], Any]
    unit: Callable[[str], Any]
    error: type[Exception]

    def numbers(self, quantity: Any) -> Any:
        return quantity.magnitude if self.name == "pint" else quantity.value

    def has_unit(self, quantity: Any, unit: str) -> bool:
        own = quantity.unit if self.name == "astropy" else quantity.units
        return bool(own == self.unit(unit))


def pint_family() -> Family:
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry()
    error = pint.DimensionalityError
    return Family("pint", registry.Quantity, registry.Unit, error)


def astropy_family() -> Family:
    units = pytest.importorskip("astropy.units")
    error = units.UnitConversionError
    return Family("astropy", lambda v, u: v << units.Unit(u), units.Unit, error)


def unyt_family() -> Family:
    unyt = pytest.importorskip("unyt")
    error = unyt.exceptions.UnitConversionError
    return Family("unyt", unyt.unyt_array, unyt.Unit, error)


FAMILIES = {"pint": pint_family, "astropy": astropy_family, "unyt": unyt_family}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]()


@pytest.fixture
def f(numpy: Any) -> Any:
    return numpy.random.default_rng(14).random((4, 5))


def same(family: Family, got: Any, numbers: Any, unit: str) -> bool:
    """Tell whether a quantity has exactly these numbers, and this unit."""
    is_unit = family.has_unit(got, unit)
    return is_unit and family.numbers(got).tolist() == numbers.tolist()


def test_each_dim_has_its_unit(family: Family, numpy: Any, f: Any) -> None:
    x = numpy.asarray([0.0, 1, 3, 4, 6])
    steps = [family.make(2.0, "s"), family.make(x, "m")]
    got = anygrad.gradient(family.make(f, "kg"), spacing=steps)
    wanted = anygrad.gradient(f, spacing=[2.0, x])
    for result, numbers, unit in zip(got, wanted, ("kg/s", "kg/m"), strict=True):
        assert same(family, result, numbers, unit)


def test_one_of_both_has_a_unit(family: Family, f: Any) -> None:
    got = anygrad.derivative(f, spacing=family.make(2.0, "s"), order=2)
    assert same(family, got, anygrad.derivative(f, spacing=2.0, order=2), "s**(-2)")
    (got, _) = anygrad.gradient(family.make(f, "m"))
    assert same(family, got, anygrad.gradient(f)[0], "m")


def test_two_registries(f: Any) -> None:
    """Of pint, in whose words: a unit may mean something else in another registry."""
    mine, theirs = (pint_family().make for _ in range(2))
    for given in ({"spacing": theirs(2.0, "s")}, {"boundary": theirs(2.0, "m")}):
        with pytest.raises(ValueError, match="different registries"):
            anygrad.derivative(mine(f, "m"), **given)


@pytest.mark.parametrize("name", ["laplacian", "hessian"])
def test_second_derivatives(family: Family, f: Any, name: str) -> None:
    """One unit of length for all dims, as they are added or in one array."""
    door = getattr(anygrad, name)
    steps = [family.make(1.0, "km"), family.make(500.0, "m")]
    got = door(family.make(f, "s"), spacing=steps)
    assert same(family, got, door(f, spacing=[1.0, 0.5]), "s/km**2")
    with pytest.raises(family.error):
        door(family.make(f, "s"), spacing=[steps[0], family.make(1.0, "s")])
    with pytest.raises(family.error):
        door(family.make(f, "s"), spacing=[steps[0], 1.0])


@pytest.mark.parametrize("name", ["divergence", "curl", "jacobian"])
def test_vector_fields(family: Family, numpy: Any, f: Any, name: str) -> None:
    door, field = getattr(anygrad, name), numpy.stack([f, f * f])
    got = door(family.make(field, "m"), spacing=family.make(0.5, "s"))
    assert same(family, got, door(field, spacing=0.5), "m/s")


def test_stacked_results_have_one_unit(family: Family, f: Any) -> None:
    steps = [family.make(1.0, "km"), family.make(500.0, "m")]
    got = anygrad.gradient(family.make(f, "s"), spacing=steps, stack_dim=-1)
    wanted = anygrad.gradient(f, spacing=[1.0, 0.5], stack_dim=-1)
    assert same(family, got, wanted, "s/km")


def test_values_beyond_the_ends(family: Family, f: Any) -> None:
    """Those with a unit are converted; plain ones are in that of the samples."""
    samples = family.make(f, "m")
    for given in (family.make(2.0, "km"), 2000.0, (2000.0, family.make(2.0, "km"))):
        got = anygrad.derivative(samples, boundary=given)
        assert same(family, got, anygrad.derivative(f, boundary=2000.0), "m")
    with pytest.raises(family.error):
        anygrad.derivative(samples, boundary=family.make(2.0, "s"))
    with pytest.raises(family.error):
        anygrad.derivative(f, boundary=family.make(2.0, "s"))


def test_periods(family: Family, numpy: Any, f: Any) -> None:
    x = numpy.asarray([0.0, 1, 3, 4, 6])
    wanted = anygrad.derivative(f, dim=1, spacing=[x], boundary=("periodic", 8.0))
    for period in (family.make(8e-3, "km"), 8.0):
        got = anygrad.gradient(
            family.make(f, "kg"),
            spacing=[1.0, family.make(x, "m")],
            boundary=["edge", ("periodic", period)],
        )[1]
        assert same(family, got, wanted, "kg/m")
    bad = ("periodic", family.make(8.0, "s"))
    with pytest.raises(family.error):
        anygrad.derivative(f, dim=1, spacing=family.make(x, "m"), boundary=bad)


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


def test_differences_that_are_none(f: Any) -> None:
    pint = pytest.importorskip("pint")
    power = pint.UnitRegistry().Quantity(f, "dBm")
    with pytest.raises(ValueError, match=r"^`input` must have a unit in which"):
        anygrad.derivative(power)
    got = anygrad.derivative(power.to("mW"))  # the remedy
    wanted = anygrad.derivative(power.to("mW").magnitude)
    assert got.magnitude.tolist() == wanted.tolist()


def test_two_libraries(family: Family, f: Any) -> None:
    other = FAMILIES["unyt" if family.name == "pint" else "pint"]()
    with pytest.raises(TypeError, match=r"^`spacing` must be a quantity of the same"):
        anygrad.derivative(family.make(f, "m"), spacing=other.make(2.0, "s"))


def test_other_arguments_go_along(family: Family, f: Any) -> None:
    samples = family.make(f, "m")
    keywords = {"dim": 1, "where": f > 0.2, "edge_order": 2, "dtype": "float32"}
    (got,) = anygrad.gradient(samples, **keywords)
    (wanted,) = anygrad.gradient(f, **keywords)
    assert family.numbers(got).dtype == "float32"
    assert str(family.numbers(got)) == str(wanted)  # NaN among them
    with pytest.raises(IndexError, match=r"^`dim` must lie between"):
        anygrad.gradient(samples, dim=2)
    with pytest.raises(ValueError, match=r"^`spacing` must have one entry per dim"):
        anygrad.gradient(samples, spacing=[family.make(2.0, "s")] * 3)
    with pytest.raises(TypeError, match=r"^`offsets` must not be a quantity"):
        anygrad.stencil(family.make(f[0], "m"))
    for nothing in (None, "m"):
        with pytest.raises(TypeError, match=r"^`spacing\[1\]` must be a number or an"):
            anygrad.laplacian(samples, spacing=[family.make(2.0, "s"), nothing])
    assert anygrad.gradient(samples, dim=[], spacing=[]) == ()


def test_another_unit_is_another_result(family: Family, f: Any) -> None:
    """Nothing of a unit is kept with a plan."""
    for unit in ("m", "s", "m"):
        for step, per in ((2.0, "s"), (3.0, "m")):
            got = anygrad.derivative(
                family.make(f, unit), spacing=family.make(step, per)
            )
            assert same(
                family, got, anygrad.derivative(f, spacing=step), f"{unit}/{per}"
            )
    assert type(anygrad.derivative(f, spacing=2.0)) is type(f)


@pytest.mark.parametrize("module", ["torch", "jax.numpy", "dask.array"])
def test_pint_over_other_libraries(module: str, f: Any) -> None:
    xp = pytest.importorskip(module)
    family = pint_family()
    samples = xp.asarray(f.astype("float32"))
    got = anygrad.laplacian(family.make(samples, "m"), spacing=family.make(2.0, "s"))
    wanted = anygrad.laplacian(samples, spacing=2.0)
    assert type(got.magnitude) is type(wanted)
    assert family.has_unit(got, "m/s**2")
    assert bool((got.magnitude == wanted).all())


def test_unyt_over_dask(f: Any) -> None:
    array = pytest.importorskip("dask.array")
    unyt = pytest.importorskip("unyt")
    chunked = pytest.importorskip("unyt.dask_array")
    samples = chunked.unyt_from_dask(array.from_array(f, chunks=2), unyt.m)
    got = anygrad.derivative(samples, spacing=2.0 * unyt.s)
    assert type(got) is type(samples)
    assert same(unyt_family(), got.compute(), anygrad.derivative(f, spacing=2.0), "m/s")


def test_masked_quantities(numpy: Any, f: Any) -> None:
    """Both are carried along, whichever is around the other."""
    mask = f[0] > 0.7
    wanted = anygrad.derivative(f[0], where=~mask, spacing=2.0)
    pint, astropy = pint_family(), astropy_family()
    masked = pytest.importorskip("astropy.utils.masked")
    got = anygrad.derivative(
        masked.Masked(astropy.make(f[0], "m"), mask=mask), spacing=2.0
    )
    assert astropy.has_unit(got, "m")
    assert numpy.array_equal(got.unmasked.value, wanted, equal_nan=True)
    assert numpy.array_equal(got.mask, numpy.isnan(wanted))
    got = anygrad.derivative(
        pint.make(numpy.ma.masked_array(f[0], mask=mask), "m"), spacing=2.0
    )
    assert pint.has_unit(got, "m")
    assert numpy.array_equal(got.magnitude.data, wanted, equal_nan=True)
    assert numpy.array_equal(got.magnitude.mask, numpy.isnan(wanted))


def test_columns_are_refused(numpy: Any) -> None:
    table = pytest.importorskip("astropy.table")
    column = table.Column([0.0, 1, 4], unit="m")
    with pytest.raises(TypeError, match=r"^`input` must not be a column.*`quantity`"):
        anygrad.gradient(column)
    (result,) = anygrad.gradient(column.quantity)
    assert result.unit == "m"
    with pytest.raises(TypeError, match=r"^`spacing\[0\]` must not be a column"):
        anygrad.gradient(numpy.arange(3.0), spacing=[column])
    assert anygrad.gradient(column.data)[0].tolist() == [1, 2, 3]


def test_structured_quantities_are_refused(numpy: Any, f: Any) -> None:
    units = pytest.importorskip("astropy.units")
    fields = numpy.zeros(5, dtype=[("a", float), ("b", float)])
    fields["a"] = numpy.arange(5) ** 2
    both = units.Quantity(fields, "m,s")
    refused = {"input": lambda: anygrad.gradient(both)}
    refused["spacing"] = lambda: anygrad.gradient(f, spacing=both, dim=1)
    for name, call in refused.items():
        with pytest.raises(TypeError) as caught:
            call()
        message = str(caught.value)
        assert message.startswith(f"`{name}` must not be structured. Got [('a', ")
        assert message.endswith(" Pass one of its fields, e.g. `array['a']`.")
    slopes = anygrad.gradient(both["a"])[0]
    assert slopes.unit == units.m
    assert slopes.value.tolist() == [1, 2, 4, 6, 7]


def test_labels_around_quantities(f: Any) -> None:
    """Nobody knows in which unit the coordinates are."""
    xr = pytest.importorskip("xarray")
    import anygrad.xarray

    data = xr.DataArray(pint_family().make(f, "m"), dims=("y", "x"))
    with pytest.raises(TypeError, match=r"^`data` must hold plain numbers"):
        anygrad.xarray.derivative(data, "x", spacing=1.0)
    assert str(anygrad.derivative(data.data, dim=1).units) == "meter"


@pytest.mark.parametrize("parameter", ["spacing", "boundary", "scale_factors"])
def test_quantities_beside_labels(family: Family, f: Any, parameter: str) -> None:
    """The attribute of the samples would be lost, or stand beside a unit."""
    xr = pytest.importorskip("xarray")
    import anygrad.xarray

    data = xr.DataArray(f, dims=("y", "x"), attrs={"units": "K"})
    given = {"spacing": 1.0, parameter: {"x": family.make(2.0, "m")}}
    with pytest.raises(TypeError, match=f"^`{parameter}` must hold plain numbers"):
        anygrad.xarray.gradient(data, "x", **given)


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


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("boundary", lambda q: {"boundary": q(1.0, "s")}),
        (
            "boundary",
            lambda q: {"spacing": q(1.0, "s"), "boundary": ("edge", q(1.0, "s"))},
        ),
        (
            "spacing[1]",
            lambda q: {"spacing": [q(1.0, "m"), q(1.0, "s")], "stack_dim": 0},
        ),
    ],
    ids=["value", "pair", "spacing"],
)
def test_a_note_says_which_unit_does_not_fit(
    family: Family, f: Any, name: str, given: Any
) -> None:
    with pytest.raises(family.error) as caught:
        anygrad.gradient(family.make(f, "m"), **given(family.make))
    (note,) = caught.value.__notes__
    assert note.startswith(f"`{name}` must have a unit that can become ")


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


def test_numbers_of_other_kinds() -> None:
    """Registries of pint may compute with decimals, which no array has."""
    pint, decimal = pytest.importorskip("pint"), pytest.importorskip("decimal")
    numpy = pytest.importorskip("numpy")
    registry = pint.UnitRegistry(non_int_type=decimal.Decimal)
    steps = [registry.Quantity(1, "m"), registry.Quantity(1, "km")]
    got = anygrad.laplacian(numpy.ones((4, 4)), spacing=steps)
    assert got.magnitude.tolist() == [[0.0] * 4] * 4
    with pytest.raises(TypeError, match=r"^`spacing\[1\]` must be a number"):
        anygrad.laplacian(
            numpy.ones((4, 4)),
            spacing=[steps[0], registry.Quantity(decimal.Decimal(1), "km")],
        )


@pytest.mark.parametrize("kind", ["numpy", "astropy"])
def test_masks_beside_units(family: Family, numpy: Any, f: Any, kind: str) -> None:
    """Neither is lost; pint's quantities hold masked arrays, and others are held."""
    if kind == "astropy":
        masked_class = pytest.importorskip("astropy.utils.masked").Masked
        samples = masked_class(f, mask=f > 0.8)
    else:
        samples = numpy.ma.masked_array(f, f > 0.8)
    x = numpy.asarray([0.0, 1, 3, 4, 6])
    got = anygrad.derivative(samples, spacing=family.make(x, "s"))
    wanted = anygrad.derivative(f, spacing=x, where=f <= 0.8)
    if family.name == "pint":
        assert family.has_unit(got, "1/s")
        got = got.magnitude
    else:
        inner = got.unmasked if kind == "astropy" else got.data
        assert family.has_unit(inner, "1/s")
    assert (numpy.asarray(got.mask) == numpy.isnan(wanted)).all()
    data = numpy.asarray(got.unmasked if kind == "astropy" else got.data)
    assert numpy.array_equal(data[~got.mask], wanted[~numpy.isnan(wanted)])


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


@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("module", ["torch", "jax.numpy", "dask.array"])
def test_quantities_beside_other_libraries(
    family: Family, numpy: Any, f: Any, module: str, is_masked: bool
) -> None:
    """Samples stay what they are in a quantity, or the call is refused."""
    xp = pytest.importorskip(module)
    samples = xp.asarray(f)
    if is_masked and module == "dask.array":
        samples = xp.ma.masked_array(samples, f > 0.8)
    holders = {"pint": ("torch", "jax", "dask"), "unyt": ("dask",), "astropy": ()}
    step = family.make(2.0, "s")
    if module.partition(".")[0] not in holders[family.name]:
        with pytest.raises(TypeError, match=r"^`input` must be an array that goes"):
            anygrad.derivative(samples, spacing=step)
        return
    got = anygrad.derivative(samples, spacing=step)
    assert family.has_unit(got, "1/s")
    inner = got.to_dask() if family.name == "unyt" else got.magnitude
    wanted = anygrad.derivative(samples, spacing=2.0)
    assert type(inner) is type(wanted)
    if module == "dask.array":
        inner, wanted = inner.compute(), wanted.compute()
    assert bool((inner == wanted).all())
    assert type(inner) is type(wanted)


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
