"""Libraries of quantities, as tests see them: what makes one, and what is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest


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
