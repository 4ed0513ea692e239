"""What is refused, how, and with which words."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
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
from ...testing._oracle import Nested

#: Makes the samples and the keywords of a call, in a namespace.
Call: TypeAlias = Callable[[Any], tuple[Any, dict[str, Any]]]

#: Holds a gradient to a promise, in a namespace.
Check: TypeAlias = Callable[[Gradient, Any], None]

ROW = [0, 1, 4, 9]
LINE = [*ROW, 16, 25]


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


#: Those of this file, which two checks are about as well: how they are refused.
MISTAKES: list[Mistake] = []


def refuses(*mistakes: Mistake) -> Callable[[Check], Check]:
    """Return what makes a check of its promise: each of the calls is refused."""
    MISTAKES.extend(mistakes)

    def held(promise: Check) -> Check:
        @wraps(promise)
        def check(gradient: Gradient, xp: Any) -> None:
            require_refused(gradient, xp, *mistakes)

        return check

    return held


def keywords(
    error: type[Exception], parameter: str, samples: Nested = LINE, **given: Any
) -> Mistake:
    """Return a mistake in the keywords of a call."""
    what = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return Mistake(what, error, parameter, lambda xp: (array(xp, samples), given))


def _given(error: type[Exception], **keyword: Any) -> Mistake:
    """Return a mistake in one keyword of a call on two dims."""
    (parameter,) = keyword
    return keywords(error, parameter, [ROW] * 3, **keyword)


def _dims(error: type[Exception], *dims: Any) -> list[Mistake]:
    """Return mistakes in the dims of such a call."""
    return [_given(error, dim=dim)._replace(what=f"dim={dim} of two") for dim in dims]


def _coordinates(*values: Any) -> Mistake:
    """Return a mistake in the number of coordinates."""
    x = list(values)
    return Mistake(
        f"{len(x)} coordinates of {len(ROW)}",
        ValueError,
        "spacing",
        lambda xp: (array(xp, ROW), {"spacing": [array(xp, x)]}),
    )


def _misshapen(*shape: int) -> Mistake:
    """Return a mistake in the shape of coordinates."""

    def call(xp: Any) -> tuple[Any, dict[str, Any]]:
        x = xp.zeros(shape, dtype=xp.float32)
        return array(xp, [ROW] * 3), {"spacing": [x], "dim": 1}

    what = f"coordinates of shape {shape} for samples of shape (3, 4)"
    return Mistake(what, ValueError, "spacing", call)


def _booleans(xp: Any) -> Any:
    return xp.asarray([False, True, True, False], dtype=xp.bool)


def _elsewhere(xp: Any) -> tuple[Any, dict[str, Any]]:
    """Return samples that somebody has put on a device, and coordinates on another."""
    here = array(xp, ROW)
    there = _abilities.other_device(xp, here)
    f, x = (
        xp.asarray([float(k) for k in ROW], dtype=xp.float32, device=device)
        for device in (here.device, there)
    )
    return f, {"spacing": [x]}


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


@refuses(_given(ValueError, edge_order=0), _given(ValueError, edge_order=-1))
def check_edge_order_out_of_range(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` of 0 or -1 is refused."""


@refuses(_given(TypeError, edge_order=1.5))
def check_fractional_edge_order(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` of 1.5 is refused, not rounded."""


@refuses(_given(TypeError, edge_order=True))
def check_bool_edge_order(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` of True is refused."""


@refuses(_coordinates(*ROW[:3]), _coordinates(*ROW[:1]))
def check_too_few_coordinates(gradient: Gradient, xp: Any) -> None:
    """Fewer coordinates than points are refused, a single one too."""


@refuses(_coordinates(*ROW, 10))
def check_too_many_coordinates(gradient: Gradient, xp: Any) -> None:
    """More coordinates than points are refused."""


@refuses(
    Mistake(
        "one array of coordinates for two dims",
        ValueError,
        "spacing",
        lambda xp: (array(xp, [ROW] * 4), {"spacing": [array(xp, ROW)]}),
    )
)
def check_one_entry_for_two_dims(gradient: Gradient, xp: Any) -> None:
    """One array of coordinates is not used for two dims."""


@refuses(
    _given(ValueError, spacing=[1.0, 2.0, 3.0])._replace(
        what="three steps for two dims"
    )
)
def check_too_many_entries(gradient: Gradient, xp: Any) -> None:
    """More entries of `spacing` than dims are refused."""


@refuses(
    Mistake(
        "coordinates outside of a list",
        TypeError,
        "spacing",
        lambda xp: (array(xp, ROW), {"spacing": array(xp, ROW)}),
    )
)
def check_bare_coordinates(gradient: Gradient, xp: Any) -> None:
    """Coordinates that are not in a list are refused."""


@refuses(
    keywords(ValueError, "input", [3])._replace(what="one point"),
    keywords(ValueError, "input", [3, 4], edge_order=2)._replace(
        what="two points for edge_order=2"
    ),
)
def check_too_few_points(gradient: Gradient, xp: Any) -> None:
    """One point, or two for edges of the second order, are refused."""


@refuses(*_dims(IndexError, 2, -3))
def check_absent_dims(gradient: Gradient, xp: Any) -> None:
    """A dim that the samples have not is refused."""


@refuses(*_dims(ValueError, [1, 1], [1, -1]))
def check_repeated_dims(gradient: Gradient, xp: Any) -> None:
    """A dim that is named twice is refused, from the front and the back too."""


@refuses(_given(TypeError, dim=0.5), _given(TypeError, dim=True))
def check_dims_of_other_types(gradient: Gradient, xp: Any) -> None:
    """A `dim` of 0.5 or of True is refused."""


@refuses(Mistake("bool samples", TypeError, "input", lambda xp: (_booleans(xp), {})))
def check_bool_samples(gradient: Gradient, xp: Any) -> None:
    """Samples of dtype bool are refused."""


@refuses(
    _given(TypeError, spacing=True),
    Mistake(
        "bool coordinates",
        TypeError,
        "spacing",
        lambda xp: (array(xp, ROW), {"spacing": [_booleans(xp)]}),
    ),
)
def check_bool_spacing(gradient: Gradient, xp: Any) -> None:
    """A bool as step, and coordinates of dtype bool, are refused."""


@refuses(_given(ValueError, spacing=0.0))
def check_zero_step(gradient: Gradient, xp: Any) -> None:
    """A step of 0 is refused."""


@refuses(_given(ValueError, spacing=math.nan))
def check_step_that_is_no_number(gradient: Gradient, xp: Any) -> None:
    """A step of NaN is refused."""


@refuses(_given(ValueError, spacing=math.inf))
def check_infinite_step(gradient: Gradient, xp: Any) -> None:
    """An infinite step is refused."""


@refuses(
    _given(TypeError, spacing={}),
    _given(TypeError, spacing=[1.0, None]),
    _given(TypeError, spacing=[1.0, ROW]),
)
def check_other_types_as_spacing(gradient: Gradient, xp: Any) -> None:
    """A dictionary as spacing, None as a step and a list of coordinates are refused."""


@refuses(_misshapen(3, 3), _misshapen(2, 4), _misshapen(1, 3, 4))
def check_misshapen_coordinates(gradient: Gradient, xp: Any) -> None:
    """Coordinates of a shape that does not fit the samples are refused."""


def check_coordinates_elsewhere(gradient: Gradient, xp: Any) -> None:
    """Coordinates on another device are refused."""
    what = "coordinates on another device"
    require_refused(gradient, xp, Mistake(what, ValueError, "spacing", _elsewhere))


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


@refuses(_given(TypeError, spacing="1"))
def check_text_as_step(gradient: Gradient, xp: Any) -> None:
    """Text as step is refused."""


@refuses(
    Mistake("a list of samples", TypeError, "input", lambda _: ([0.0, 1.0, 4.0], {}))
)
def check_list_of_samples(gradient: Gradient, xp: Any) -> None:
    """A list of samples is refused: it has no library and no dtype."""


@refuses(
    keywords(TypeError, "dim", [ROW] * 3, dim=0, axis=0)._replace(
        what="dim=0 and axis=0"
    )
)
def check_dim_and_axis(gradient: Gradient, xp: Any) -> None:
    """`dim` and `axis` together are refused."""


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
