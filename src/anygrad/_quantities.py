"""Quantities: their numbers go in, and the unit of a derivative is put on the results.

Coordinates, steps and periods mean differences, so an offset, as degrees Celsius have,
is of no matter.  Values beyond the ends are samples, and keep theirs.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import _calls, _classes, _refusals
from ._calls import Request
from ._checks import boundary
from ._checks.wording import by_dtype, shown
from ._classes import is_array
from ._records import Plan
from ._refusals import Units

#: From so far off, an offset takes no digits of a difference; a power of two takes none
#: of a multiple.
FAR = 2**20


class Family(NamedTuple):
    """The quantities of one call: all of one library."""

    #: How they are taken apart, and made.
    row: Units
    #: One of the quantities.
    like: Any

    def has(self, value: Any, name: str) -> bool:
        """Tell whether a value is such a quantity; refuse those of another library."""
        if type(value) is type(self.like):
            return True
        found = _refusals.carried(value)
        if found is not self.row and isinstance(found, Units):
            msg = (
                f"`{name}` must be a quantity of the same library as others of the "
                f"call. Got {_classes.type_name(value)} beside "
                f"{_classes.type_name(self.like)}. Convert one of them first."
            )
            raise TypeError(msg)
        return found is self.row

    def unit(self, value: Any, name: str) -> Any:
        """Return a unit, as it is; for plain numbers, that of no dimension."""
        if not self.has(value, name):
            return self.no_unit()
        return self._unit_of_all(value, name)

    def no_unit(self) -> Any:
        """Return the unit of plain numbers."""
        unit = self.change(self._unit_of_all(self.like, "spacing"), "spacing")
        return unit / unit

    def _unit_of_all(self, quantity: Any, name: str) -> Any:
        """Return the unit of a quantity; refuse those with a unit for each field."""
        dtype = getattr(quantity, "dtype", None)
        if getattr(dtype, "names", None):
            msg = f"`{name}` must not be structured. Got {dtype}. {by_dtype(dtype)}"
            raise TypeError(msg)
        return self.row.unit(quantity)

    def change(self, unit: Any, name: str) -> Any:
        """Return the unit of differences; refuse units that have none, as dBm."""
        one, two = (self._made(n, unit) for n in (1.0, 2.0))
        change = two - one
        if abs(float(self.row.magnitude(change)) - 1) > 1e-6:
            msg = (
                f"`{name}` must have a unit in which the differences of quantities are "
                f"those of their numbers. Got {unit}. Convert it first, with `to`."
            )
            raise ValueError(msg)
        return self.row.unit(change)

    def _made(self, plain: Any, unit: Any) -> Any:
        """Return a quantity of what has no unit; a number may get one of its own."""
        is_number = isinstance(plain, numbers.Complex)
        made = (is_number and self.row.of_number) or self.row.quantity
        return made(plain, unit, self.like)

    def plain(self, value: Any, name: str) -> Any:
        """Return a value without its unit."""
        return self.row.magnitude(value) if self.has(value, name) else value

    def numbers(self, value: Any, own: Any, wanted: Any, name: str) -> Any:
        """Return the numbers of a sample that is in a unit, in another one.

        That is refused by the library, in its words, where dimensions differ; a note
        says what of the call it is about.
        """
        plain = self.plain(value, name)
        if own == wanted or not _is_value(plain):
            return plain
        quantity = self._made(plain, own)
        try:
            return self.row.magnitude(quantity.to(wanted))
        except Exception as error:
            error.add_note(f"`{name}` must have a unit that can become {wanted}.")
            raise

    def differences(self, value: Any, own: Any, wanted: Any, name: str) -> Any:
        """Return the numbers of a step or of coordinates, in another unit of these.

        As a multiple: what a library makes of offsets is of no matter, and what it
        makes of reciprocals, as of a frequency that becomes a wavelength, is refused.
        """
        plain = self.plain(value, name)
        if own == wanted or not _is_value(plain):
            return plain

        def slope(start: int) -> float:
            """Return what one unit becomes, between a number and twice that."""
            ends = start, 2 * start
            first, last = (float(self.numbers(n, own, wanted, name)) for n in ends)
            return (last - first) / start

        factor = slope(FAR)
        if not abs(slope(1) - factor) <= 1e-6 * abs(factor):
            msg = (
                f"`{name}` must have a unit of which {wanted} is a multiple. Got "
                f"{own}. Convert it first, with `to`."
            )
            raise ValueError(msg)
        return plain * factor


def _is_value(plain: Any) -> bool:
    """Tell whether something is a number or an array; what is none is refused later."""
    return isinstance(plain, numbers.Complex) or hasattr(plain, "ndim")


class Spaced(NamedTuple):
    """The spacing of a call in numbers, and the unit of each entry."""

    given: Any
    units: list[Any]


def plan(
    like: Any, planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call on the numbers of quantities."""
    row: Any = _refusals.carried(like)
    family = Family(row, like)
    unit = family.unit(array, "input")
    of_change = family.change(unit, "input")
    is_apart = planner is _calls.gradient and request.stack_dim is None
    has_factors = type(request.scale_factors) in (list, tuple)
    spaced = _spaced(family, request.spacing, is_apart=is_apart or has_factors)
    beyond = _boundary(family, request.boundary, unit, spaced.units)
    has_unit = family.has(array, "input")
    if not has_unit and is_array(array) and not row.can_hold(array):
        msg = (
            f"`input` must be an array that goes into the quantities of the call. Got "
            f"{_classes.type_name(array)} beside {_classes.type_name(like)}. Pass "
            "their numbers and give the result its unit."
        )
        raise TypeError(msg)
    plain = request._replace(spacing=spaced.given, boundary=beyond)
    if has_factors:
        factors, pers = request.scale_factors, spaced.units
        spaced = _factors(family, factors, pers, is_apart=is_apart)
        plain = plain._replace(scale_factors=spaced.given)
    _refuse_misplaced(plain)
    take_off = row.magnitude if has_unit else lambda samples: samples
    inner = again(planner, take_off(array), **plain._asdict())
    order = operator.index(_calls.ORDERS.get(planner, request.order))
    units = [of_change / per**order for per in spaced.units]

    def with_units(results: Sequence[Any], _: Any) -> tuple[Any, ...]:
        pairs = zip(results, _of_each(units, len(results)), strict=True)
        return tuple([row.quantity(*pair, family.like) for pair in pairs])

    return inner.around(take_off, with_units)


def _refuse_misplaced(request: Request) -> None:
    """Refuse quantities that are still there: nobody takes them off where they are."""
    given = request._replace(where=None).arrays().items()
    for name, value in given:
        if _refusals.first_in(value, _refusals.is_quantity) is not None:
            msg = (
                f"`{name}` must have quantities as entries of one list, one per dim. "
                f"Got {shown(value)}."
            )
            raise TypeError(msg)


def _spaced(family: Family, spacing: Any, *, is_apart: bool) -> Spaced:
    """Return the spacing in numbers: in one unit, unless each dim may have its own."""
    is_list = type(spacing) in (list, tuple)
    entries = list(spacing) if is_list else [spacing]
    names = [f"spacing[{k}]" if is_list else "spacing" for k in range(len(entries))]
    named = list(zip(entries, names, strict=True))
    own = [family.change(family.unit(*pair), pair[1]) for pair in named]
    wanted = own if is_apart else own[:1] * len(own)
    plain = [
        family.differences(entry, unit, other, name)
        for (entry, name), unit, other in zip(named, own, wanted, strict=True)
    ]
    if is_list:
        return Spaced(plain, wanted or [family.no_unit()])
    return Spaced(plain[0], wanted)


def _of_each(units: list[Any], count: int) -> list[Any]:
    """Return so many units: that of one step goes for all dims."""
    return units if len(units) == count else units[:1] * count


def _factors(family: Family, given: Any, per: list[Any], *, is_apart: bool) -> Spaced:
    """Return scale factors in numbers, and the unit of the length along each dim.

    That is the unit of a factor times the one of its entry of `spacing`.
    """
    numbers: list[Any] = []
    lengths: list[Any] = []
    pairs = zip(given, _of_each(per, len(given)), strict=True)
    for k, (factor, one) in enumerate(pairs):
        name = f"scale_factors[{k}]"
        own = family.change(family.unit(factor, name), name)
        lengths.append(own * one if is_apart or k == 0 else lengths[0])
        numbers.append(family.differences(factor, own, lengths[k] / one, name))
    return Spaced(numbers, lengths or [family.no_unit()])


def _boundary(family: Family, given: Any, unit: Any, per: list[Any]) -> Any:
    """Return what lies beyond the ends in numbers, as plain numbers are meant, too."""
    if type(given) is list:
        pairs = zip(given, _of_each(per, len(given)), strict=True)
        return [
            _ends(family, entry, unit, one, f"boundary[{k}]")
            for k, (entry, one) in enumerate(pairs)
        ]
    return _ends(family, given, unit, per[0], "boundary")


def _ends(family: Family, given: Any, unit: Any, per: Any, name: str) -> Any:
    """Return what lies beyond the ends of one dim: values, ghosts, or a period."""
    if type(given) is not tuple:
        return _value(family, given, unit, name)
    if len(given) == 2 and boundary.is_period(given):
        return given[0], _length(family, given[1], per, name)
    if boundary.is_tagged(given):
        lengths = [_length(family, x, per, name) for x in given[2:]]
        return (given[0], _value(family, given[1], unit, name), *lengths)
    return tuple([_ends(family, entry, unit, per, name) for entry in given])


def _value(family: Family, given: Any, unit: Any, name: str) -> Any:
    """Return a sample that is given in any unit, in that of the samples."""
    if not family.has(given, name):
        return given
    return family.numbers(given, family.unit(given, name), unit, name)


def _length(family: Family, given: Any, per: Any, name: str) -> Any:
    """Return a difference that is given in any unit, in that of the spacing."""
    if not family.has(given, name):
        return given
    own = family.change(family.unit(given, name), name)
    return family.differences(given, own, per, name)
