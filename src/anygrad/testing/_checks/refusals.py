"""What is refused, how, and with which words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ...testing import _abilities
from ...testing._arrays import (
    Gradient,
    NotApplicable,
    array,
    numbers,
    only,
    require,
)

#: Makes the samples and the keywords of a call, in a namespace.
Call: TypeAlias = Callable[[Any], tuple[Any, dict[str, Any]]]

ROW = [0, 1, 4, 9]


class Mistake(NamedTuple):
    """A call that must be refused."""

    #: The mistake, in words.
    what: str
    #: What must be raised.
    error: type[Exception]
    #: What the message must begin with.
    parameter: str
    #: Makes the samples and the keywords of the call, in a namespace.
    call: Call


def _keywords(**keywords: Any) -> Call:
    return lambda xp: (array(xp, [ROW] * 3), keywords)


def _coordinates(*values: Any) -> Call:
    return lambda xp: (array(xp, ROW), {"spacing": [array(xp, x) for x in values]})


def _booleans(xp: Any) -> Any:
    return xp.asarray([False, True, True, False], dtype=xp.bool)


WRONG_EDGE_ORDERS = [
    Mistake(f"edge_order={k}", ValueError, "edge_order", _keywords(edge_order=k))
    for k in (0, -1)
]
FRACTIONAL_EDGE_ORDER = Mistake(
    "edge_order=1.5", TypeError, "edge_order", _keywords(edge_order=1.5)
)
BOOL_EDGE_ORDER = Mistake(
    "edge_order=True", TypeError, "edge_order", _keywords(edge_order=True)
)
TOO_FEW_COORDINATES = [
    Mistake(f"{n} coordinates of 4", ValueError, "spacing", _coordinates(ROW[:n]))
    for n in (3, 1)
]
TOO_MANY_COORDINATES = Mistake(
    "5 coordinates of 4", ValueError, "spacing", _coordinates([*ROW, 10])
)
ONE_ENTRY_FOR_TWO_DIMS = Mistake(
    "one array of coordinates for two dims",
    ValueError,
    "spacing",
    lambda xp: (array(xp, [ROW] * 4), {"spacing": [array(xp, ROW)]}),
)
TOO_MANY_ENTRIES = Mistake(
    "three steps for two dims",
    ValueError,
    "spacing",
    _keywords(spacing=[1.0, 2.0, 3.0]),
)
BARE_COORDINATES = Mistake(
    "coordinates outside of a list",
    TypeError,
    "spacing",
    lambda xp: (array(xp, ROW), {"spacing": array(xp, ROW)}),
)
TOO_FEW_POINTS = [
    Mistake("one point", ValueError, "input", lambda xp: (array(xp, [3]), {})),
    Mistake(
        "two points for edge_order=2",
        ValueError,
        "input",
        lambda xp: (array(xp, [3, 4]), {"edge_order": 2}),
    ),
]
ABSENT_DIMS = [
    Mistake(f"dim={dim} of two", IndexError, "dim", _keywords(dim=dim))
    for dim in (2, -3)
]
REPEATED_DIMS = [
    Mistake(f"dim={dim} of two", ValueError, "dim", _keywords(dim=dim))
    for dim in ([1, 1], [1, -1])
]
DIMS_OF_OTHER_TYPES = [
    Mistake(f"dim={dim}", TypeError, "dim", _keywords(dim=dim)) for dim in (0.5, True)
]
BOOL_SAMPLES = Mistake(
    "bool samples", TypeError, "input", lambda xp: (_booleans(xp), {})
)
BOOL_SPACING = [
    Mistake("spacing=True", TypeError, "spacing", _keywords(spacing=True)),
    Mistake(
        "bool coordinates",
        TypeError,
        "spacing",
        lambda xp: (array(xp, ROW), {"spacing": [_booleans(xp)]}),
    ),
]
ZERO_STEP = Mistake("spacing=0.0", ValueError, "spacing", _keywords(spacing=0.0))
NAN_STEP = Mistake("spacing=nan", ValueError, "spacing", _keywords(spacing=math.nan))
TEXT_STEP = Mistake("spacing='1'", TypeError, "spacing", _keywords(spacing="1"))
LIST_OF_SAMPLES = Mistake(
    "a list of samples", TypeError, "input", lambda _: ([0.0, 1.0, 4.0], {})
)
INFINITE_STEP = Mistake(
    "spacing=inf", ValueError, "spacing", _keywords(spacing=math.inf)
)
_OTHER_TYPES: tuple[Any, ...] = ({}, [1.0, None], [1.0, [0, 1, 4, 9]])
OTHER_TYPES_AS_SPACING = [
    Mistake(f"spacing={spacing}", TypeError, "spacing", _keywords(spacing=spacing))
    for spacing in _OTHER_TYPES
]


def _misshapen(*shape: int) -> Mistake:
    def call(xp: Any) -> tuple[Any, dict[str, Any]]:
        x = xp.zeros(shape, dtype=xp.float32)
        return array(xp, [ROW] * 3), {"spacing": [x], "dim": 1}

    what = f"coordinates of shape {shape} for samples of shape (3, 4)"
    return Mistake(what, ValueError, "spacing", call)


MISSHAPEN_COORDINATES = [_misshapen(3, 3), _misshapen(2, 4), _misshapen(1, 3, 4)]


def _elsewhere(xp: Any) -> tuple[Any, dict[str, Any]]:
    """Return samples that somebody has put on a device, and coordinates on another."""
    here = array(xp, ROW)
    there = _abilities.other_device(xp, here)
    f, x = (
        xp.asarray([float(k) for k in ROW], dtype=xp.float32, device=device)
        for device in (here.device, there)
    )
    return f, {"spacing": [x]}


COORDINATES_ELSEWHERE = Mistake(
    "coordinates on another device", ValueError, "spacing", _elsewhere
)
BOTH_WORDS = Mistake("dim=0 and axis=0", TypeError, "dim", _keywords(dim=0, axis=0))

MISTAKES = (
    *WRONG_EDGE_ORDERS,
    FRACTIONAL_EDGE_ORDER,
    BOOL_EDGE_ORDER,
    *TOO_FEW_COORDINATES,
    TOO_MANY_COORDINATES,
    ONE_ENTRY_FOR_TWO_DIMS,
    TOO_MANY_ENTRIES,
    BARE_COORDINATES,
    *TOO_FEW_POINTS,
    *ABSENT_DIMS,
    *REPEATED_DIMS,
    *DIMS_OF_OTHER_TYPES,
    BOOL_SAMPLES,
    *BOOL_SPACING,
    ZERO_STEP,
    NAN_STEP,
    TEXT_STEP,
    LIST_OF_SAMPLES,
    BOTH_WORDS,
    INFINITE_STEP,
    *OTHER_TYPES_AS_SPACING,
    *MISSHAPEN_COORDINATES,
)


def error_of(function: Gradient, xp: Any, mistake: Mistake) -> Exception | None:
    """Return what a call raises at once or, if it is lazy, when it is computed."""
    samples, keywords = mistake.call(xp)
    try:
        found = function(samples, **keywords)
        for result in found if isinstance(found, (list, tuple)) else [found]:
            numbers(result)
    except NotApplicable:
        raise
    except Exception as error:  # noqa: BLE001 - of which type is another promise
        return error
    return None


def require_refused(gradient: Gradient, xp: Any, *mistakes: Mistake) -> None:
    """Fail if a call with a mistake returns."""
    for mistake in mistakes:
        error = error_of(gradient, xp, mistake)
        require(error is not None, f"{mistake.what} was accepted")


def require_refused_by_name(function: Gradient, xp: Any, *mistakes: Mistake) -> None:
    """Fail if a call with a mistake returns, or raises anything but what it should."""
    for mistake in mistakes:
        error = error_of(function, xp, mistake)
        require(error is not None, f"{mistake.what} was accepted")
        require(
            isinstance(error, mistake.error)
            and str(error).startswith(f"`{mistake.parameter}"),
            f"{mistake.what}: {type(error).__name__}, {str(error)[:60]!r}",
        )


def check_edge_order_out_of_range(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` of 0 or -1 is refused."""
    require_refused(gradient, xp, *WRONG_EDGE_ORDERS)


def check_fractional_edge_order(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` of 1.5 is refused, not rounded."""
    require_refused(gradient, xp, FRACTIONAL_EDGE_ORDER)


def check_bool_edge_order(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` of True is refused."""
    require_refused(gradient, xp, BOOL_EDGE_ORDER)


def check_too_few_coordinates(gradient: Gradient, xp: Any) -> None:
    """Fewer coordinates than points are refused, a single one too."""
    require_refused(gradient, xp, *TOO_FEW_COORDINATES)


def check_too_many_coordinates(gradient: Gradient, xp: Any) -> None:
    """More coordinates than points are refused."""
    require_refused(gradient, xp, TOO_MANY_COORDINATES)


def check_one_entry_for_two_dims(gradient: Gradient, xp: Any) -> None:
    """One array of coordinates is not used for two dims."""
    require_refused(gradient, xp, ONE_ENTRY_FOR_TWO_DIMS)


def check_too_many_entries(gradient: Gradient, xp: Any) -> None:
    """More entries of `spacing` than dims are refused."""
    require_refused(gradient, xp, TOO_MANY_ENTRIES)


def check_bare_coordinates(gradient: Gradient, xp: Any) -> None:
    """Coordinates that are not in a list are refused."""
    require_refused(gradient, xp, BARE_COORDINATES)


def check_too_few_points(gradient: Gradient, xp: Any) -> None:
    """One point, or two for edges of the second order, are refused."""
    require_refused(gradient, xp, *TOO_FEW_POINTS)


def check_absent_dims(gradient: Gradient, xp: Any) -> None:
    """A dim that the samples have not is refused."""
    require_refused(gradient, xp, *ABSENT_DIMS)


def check_repeated_dims(gradient: Gradient, xp: Any) -> None:
    """A dim that is named twice is refused, from the front and the back too."""
    require_refused(gradient, xp, *REPEATED_DIMS)


def check_dims_of_other_types(gradient: Gradient, xp: Any) -> None:
    """A `dim` of 0.5 or of True is refused."""
    require_refused(gradient, xp, *DIMS_OF_OTHER_TYPES)


def check_bool_samples(gradient: Gradient, xp: Any) -> None:
    """Samples of dtype bool are refused."""
    require_refused(gradient, xp, BOOL_SAMPLES)


def check_bool_spacing(gradient: Gradient, xp: Any) -> None:
    """A bool as step, and coordinates of dtype bool, are refused."""
    require_refused(gradient, xp, *BOOL_SPACING)


def check_zero_step(gradient: Gradient, xp: Any) -> None:
    """A step of 0 is refused."""
    require_refused(gradient, xp, ZERO_STEP)


def check_step_that_is_no_number(gradient: Gradient, xp: Any) -> None:
    """A step of NaN is refused."""
    require_refused(gradient, xp, NAN_STEP)


def check_infinite_step(gradient: Gradient, xp: Any) -> None:
    """An infinite step is refused."""
    require_refused(gradient, xp, INFINITE_STEP)


def check_other_types_as_spacing(gradient: Gradient, xp: Any) -> None:
    """A dictionary as spacing, None as a step and a list of coordinates are refused."""
    require_refused(gradient, xp, *OTHER_TYPES_AS_SPACING)


def check_misshapen_coordinates(gradient: Gradient, xp: Any) -> None:
    """Coordinates of a shape that does not fit the samples are refused."""
    require_refused(gradient, xp, *MISSHAPEN_COORDINATES)


def check_coordinates_elsewhere(gradient: Gradient, xp: Any) -> None:
    """Coordinates on another device are refused."""
    require_refused(gradient, xp, COORDINATES_ELSEWHERE)


def check_masked_samples(gradient: Gradient, xp: Any) -> None:
    """Masked samples are refused, or no number of the result comes from one."""
    found = []
    for value in (1, 50):
        f = _abilities.masked(array(xp, [0, value, 4, 9]))
        try:
            found.append(_abilities.unmasked(only(gradient, f)))
        except Exception:  # noqa: BLE001 - of which type is another promise
            return
    require(len(found[0]) == 4, f"{found[0]} for 4 samples")
    require(found[0] == found[1], f"{found[1]} where {found[0]} was wanted")


def check_text_as_step(gradient: Gradient, xp: Any) -> None:
    """Text as step is refused."""
    require_refused(gradient, xp, TEXT_STEP)


def check_list_of_samples(gradient: Gradient, xp: Any) -> None:
    """A list of samples is refused: it has no library and no dtype."""
    require_refused(gradient, xp, LIST_OF_SAMPLES)


def check_dim_and_axis(gradient: Gradient, xp: Any) -> None:
    """`dim` and `axis` together are refused."""
    require_refused(gradient, xp, BOTH_WORDS)


def check_types_of_errors(gradient: Gradient, xp: Any) -> None:
    """What is refused is a TypeError, a ValueError or an IndexError, as documented."""
    for mistake in MISTAKES:
        error = error_of(gradient, xp, mistake)
        require(
            error is None or isinstance(error, mistake.error),
            f"{mistake.what}: {type(error).__name__}, not {mistake.error.__name__}",
        )


def check_errors_begin_with_the_parameter(gradient: Gradient, xp: Any) -> None:
    """The message of a refusal begins with the name of the parameter, in backticks."""
    for mistake in MISTAKES:
        error = error_of(gradient, xp, mistake)
        require(
            error is None or str(error).startswith(f"`{mistake.parameter}"),
            f"{mistake.what}: the message is {str(error)[:60]!r}",
        )
