"""The attribute `units` of labelled arrays, as cf-units or pint reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple


class OfTime(NamedTuple):
    """A unit of time that has always the same length."""

    #: How UDUNITS, and so the attribute, calls it; there, "m" are metres.
    name: str
    #: How long it is.
    nanoseconds: int
    #: A pattern of what files call it, with and without a date from which on.
    words: str


#: As NumPy calls them.
OF_TIME = {
    "W": OfTime("week", 7 * 86_400 * 10**9, "weeks?"),
    "D": OfTime("day", 86_400 * 10**9, "days?|d"),
    "h": OfTime("hour", 3_600 * 10**9, "hours?|hrs?|h"),
    "m": OfTime("minute", 60 * 10**9, "minutes?|mins?"),
    "s": OfTime("s", 10**9, "seconds?|secs?|s"),
    "ms": OfTime("ms", 10**6, "milliseconds?|millisecs?|msecs?|ms"),
    "us": OfTime("us", 10**3, "microseconds?|microsecs?|us|µs"),
    "ns": OfTime("ns", 1, "nanoseconds?|nanosecs?|ns"),
}


#: What pint cannot read in any way: it takes the power of `s-1` for a difference.
NEGATIVE_POWER = re.compile(r"(?<![\w.])[^\W\d_]+-\d")

#: Degrees Celsius that all read as degrees times coulomb.
DEGREES_TIMES = re.compile(r"\bdeg\w*\s+[CFK]\b", re.IGNORECASE)

#: What pint reads otherwise than UDUNITS, by which files are written: years for ares,
#: gallons for Gal, pints for parts, nanomiles, constants for roentgen and hectobar.
MISREAD = re.compile(r"\b([kmuµ]?gal|u?a|ppt|nmile|[mu]?R|hbar)\b")

#: What pint reads in other words: the powers of `m s-1`, and degrees of longitude.
OF_UDUNITS = (
    (re.compile(r"(?<![\w.])([^\W\d_]+)(-?\d+)(?![\w.])"), r"\1**\2"),
    (re.compile(r"\bdegrees?_?(?:north|east|true|[NET])\b"), "degree"),
)


def undated(unit: Any) -> str:
    """Return the unit of lengths of time, without the date from which they count."""
    return str(unit).partition(" since ")[0]


def of_time(unit: Any) -> str | None:
    """Return how NumPy calls a unit of time, in which numbers are; None for others."""
    word = undated(unit).strip().lower()
    found = [name for name, row in OF_TIME.items() if re.fullmatch(row.words, word)]
    return found[0] if found else None


def are_one(units: Sequence[Any]) -> bool:
    """Tell whether there are not two units, as far as their names say."""
    return len({_plain(str(unit)) for unit in units if unit is not None}) <= 1


def one(parameter: str, names: Sequence[Any], units: Sequence[Any]) -> Any:
    """Return the unit of what is added, None if not of all; refuse different ones."""
    if not are_one(units):
        pairs = zip(names, units, strict=True)
        told = ", ".join([f"{name!r}: {unit!r}" for name, unit in pairs])
        msg = (
            f"`{parameter}` must be of one unit, because the derivatives are added. "
            f"Got the attributes `units` {told}. Convert them to one unit first."
        )
        raise ValueError(msg)
    return one_or_none(units)


def one_or_none(units: Sequence[Any]) -> Any:
    """Return a unit of which all are said to be, None if there is no such one."""
    return None if not units or None in units or not are_one(units) else units[0]


def shared(units: Sequence[Any]) -> Any:
    """Return the unit of all of some that are not added, None if it is not one."""
    return units[0] if len(set(map(str, units))) == 1 else None


def _plain(unit: str) -> str:
    """Return a unit without the direction, as in degrees_north."""
    return "degrees" if unit.lower().startswith(("degrees_", "degree_")) else unit


def quotient(unit: Any, per: Sequence[Any]) -> str | None:
    """Return a unit per others; None where it is not known, or nobody can read it."""
    if unit is None or None in per:
        return None
    unit, *per = [undated(one) for one in (unit, *per)]
    if any(DEGREES_TIMES.search(one) for one in (unit, *per)):
        return None
    found = _by_cf_units(unit, per)
    return _by_pint(unit, per) if found is None else found


def _by_cf_units(unit: str, per: Sequence[str]) -> str | None:
    try:
        import cf_units
    except ImportError:
        return None
    try:
        result, *others = [cf_units.Unit(one) for one in (unit, *per)]
        if result.definition and "(re " in result.definition:  # a level, such as dBZ
            return None
        for other in others:
            result = result / other
    except ValueError:
        return None
    if result.is_unknown():
        return None
    # UDUNITS calls it a frequency, and a vorticity, in "s-1", is none.
    return str(result.definition if str(result).endswith("Hz") else result)


def _by_pint(unit: str, per: Sequence[str]) -> str | None:
    try:
        import pint
    except ImportError:
        return None
    text = f"({unit})" + "".join([f" / ({other})" for other in per])
    registry = pint.get_application_registry()
    is_other = NEGATIVE_POWER.search(text)  # which fails, but not at once
    found = None if is_other else _read_by(registry, text)
    if found is not None:
        return found
    for pattern, other in OF_UDUNITS:
        text = pattern.sub(other, text)
    return _read_by(registry, text)


def _read_by(registry: Any, text: str) -> str | None:
    """Return the unit of changes that pint reads in a text."""
    if MISREAD.search(text):
        return None
    try:
        found = registry.parse_units(text, as_delta=True)
        # Of degrees per 1, that has the offset still, and of levels no such change.
        change = registry.Quantity(2.0, found) - registry.Quantity(1.0, found)
    except Exception:  # noqa: BLE001 - it reads text as Python does, and fails so
        return None
    return str(change.units) if abs(change.magnitude - 1.0) < 1e-6 else None
