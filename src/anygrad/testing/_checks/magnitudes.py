"""Numbers that stay right where a textbook formula overflows, vanishes or cancels."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from ...testing import _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    has,
    need,
    numbers,
    only,
    real,
    require,
    require_numbers,
)
from ...testing._checks.grids import COORDINATES, SAMPLES, exact, inside

NAN, INF = math.nan, math.inf


def require_right_on(gradient: Gradient, xp: Any, x: list[Any], dtype: str) -> None:
    """Hold samples and coordinates in a dtype, as it stores them, to the exact."""
    coordinates = array(xp, x, dtype)
    result = only(gradient, array(xp, SAMPLES, dtype), spacing=[coordinates])
    inside(result, exact(_oracle.along(0, numbers(coordinates))))


def touched(result: Any) -> list[int]:
    """Return the interior places of the numbers that are not finite.

    How many points an edge reads is another promise.
    """
    values = numbers(result)[:-1]
    return [k for k, v in enumerate(values) if k and not math.isfinite(v)]


def require_touched(result: Any, wanted: list[int]) -> None:
    """Fail if other interior numbers than these are not finite."""
    found = touched(result)
    require(found == wanted, f"touched are {found}, where {wanted} were wanted")


def check_large_steps(gradient: Gradient, xp: Any) -> None:
    """Coordinates of 3e21 in float32 work, although products of steps overflow."""
    require_right_on(gradient, xp, [3e21 * k for k in COORDINATES], "float32")


def check_small_steps(gradient: Gradient, xp: Any) -> None:
    """Coordinates of 1e-23 in float32 work, although products of steps vanish."""
    require_right_on(gradient, xp, [1e-23 * k for k in COORDINATES], "float32")


def check_small_steps_in_double(gradient: Gradient, xp: Any) -> None:
    """Coordinates of 1e-170 in float64 work, although products of steps vanish."""
    need(xp, "float64")
    require_right_on(gradient, xp, [1e-170 * k for k in COORDINATES], "float64")


def check_steps_of_many_sizes(gradient: Gradient, xp: Any) -> None:
    """Neighbouring steps may differ by a factor of 1e12 (in float32, of 1e5)."""
    small = Fraction(1, 2 ** (40 if has(xp, "float64") else 17))
    x = [0, small, 1, 1 + small, 2, 3, 3 + small]
    result = only(gradient, array(xp, SAMPLES), spacing=[array(xp, x)])
    given = SAMPLES, 0, _oracle.along(0, x), 1
    require_numbers(
        result[1:-1],
        _formulas.slope(*given)[1:-1],
        scale=_formulas.magnitude(*given)[1:-1],
    )


def check_steps_that_cannot_be_doubled(gradient: Gradient, xp: Any) -> None:
    """A step may be so large that twice the step overflows."""
    samples = [2.0**120 * value for value in SAMPLES]
    result = only(gradient, array(xp, samples, "float32"), spacing=2.0**127)
    inside(result, exact(_oracle.steps(0, 2.0**127), samples=samples))


def check_epoch_seconds(gradient: Gradient, xp: Any) -> None:
    """Integer seconds since 1970, a minute apart, go with float32 samples."""
    x = [1_700_000_000 + 60 * k for k in COORDINATES]
    f, seconds = array(xp, SAMPLES, "float32"), array(xp, x, "int32")
    inside(only(gradient, f, spacing=[seconds]), exact(_oracle.along(0, x)))


def check_epoch_nanoseconds(gradient: Gradient, xp: Any) -> None:
    """Integer nanoseconds since 1970, one apart, are told apart."""
    need(xp, "int64")
    x = [1_700_000_000_000_000_000 + k for k in COORDINATES]
    f = array(xp, SAMPLES)
    result = only(gradient, f, spacing=[array(xp, x, "int64")])
    inside(result, exact(_oracle.along(0, x)))


def check_differences_before_rounding(gradient: Gradient, xp: Any) -> None:
    """Coordinates in float64 are subtracted before they meet float32 samples."""
    need(xp, "float64")
    x = [2.0**30 + k / 1024 for k in COORDINATES]
    f = array(xp, SAMPLES, "float32")
    result = only(gradient, f, spacing=[array(xp, x, "float64")])
    inside(result, exact(_oracle.along(0, x)))


def check_nan_with_steps(gradient: Gradient, xp: Any) -> None:
    """With a step, a NaN touches its neighbours and not its own place."""
    f = array(xp, [3, 1, 4, NAN, 5, 9, 2])
    require_touched(only(gradient, f), [2, 4])


def check_nan_with_coordinates(gradient: Gradient, xp: Any) -> None:
    """With uneven coordinates, a NaN touches its own place and its neighbours."""
    f, x = array(xp, [3, 1, 4, NAN, 5, 9, 2]), array(xp, COORDINATES)
    require_touched(only(gradient, f, spacing=[x]), [2, 3, 4])


def check_even_coordinates_are_coordinates(gradient: Gradient, xp: Any) -> None:
    """Even coordinates are treated as uneven ones are: no values are looked at."""
    f, x = array(xp, [3, 1, 4, NAN, 5, 9, 2]), array(xp, list(range(7)))
    require_touched(only(gradient, f, spacing=[x]), [2, 3, 4])


def check_nan_near_first_order_edges(gradient: Gradient, xp: Any) -> None:
    """An edge of the first order reads two points, and no NaN at the third."""
    f = array(xp, [3, 1, NAN, 1, NAN, 9, 2])
    values = numbers(only(gradient, f, edge_order=1))
    found = [values[0], values[-1]]
    require(found == [-2, -7], f"{found} where [-2, -7] were wanted")


def check_nan_in_one_line(gradient: Gradient, xp: Any) -> None:
    """A NaN does not reach the other lines of an array."""
    f = array(xp, [SAMPLES, [NAN] * 7, SAMPLES])
    values = numbers(only(gradient, f, dim=1))
    is_clean = all(map(math.isfinite, values[0] + values[2]))
    require(is_clean, "other lines were touched")


def check_infinities(gradient: Gradient, xp: Any) -> None:
    """An infinite sample gives infinities of the right sign at its neighbours."""
    values = numbers(only(gradient, array(xp, [3, 1, 4, INF, 5, 9, 2])))
    found = values[2:5:2]
    require(found == [INF, -INF], f"{found} where [inf, -inf] were wanted")
    require(math.isfinite(values[3]), f"{values[3]} at the place itself")


def check_equal_coordinates(gradient: Gradient, xp: Any) -> None:
    """Two equal coordinates spoil the two points that they belong to, and no others."""
    f, x = array(xp, SAMPLES), array(xp, [0, 1, 2, 2, 3, 4, 5])
    require_touched(only(gradient, f, spacing=[x]), [2, 3])


def check_too_large_is_infinite(gradient: Gradient, xp: Any) -> None:
    """A derivative beyond the range of its dtype is infinite."""
    big = 2.0**1023 if real(xp) == "float64" else 2.0**127
    f = array(xp, [0, big / 2, big, big / 2, 0])
    values = numbers(only(gradient, f, spacing=0.125))
    found = values[1::2]
    require(found == [INF, -INF], f"{found} where [inf, -inf] were wanted")
