"""Quantities of several libraries: the numbers of a plain call, with its unit."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
import families
from families import FAMILIES, Family, astropy_family, pint_family, same, unyt_family

pytestmark = pytest.mark.peers

family = families.family
f = families.f


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
