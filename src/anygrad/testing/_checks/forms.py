"""Arrays in less usual forms and places, and what else must not make a difference."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ...testing import _abilities, _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    complex_,
    halves,
    has,
    need,
    numbers,
    only,
    require,
    require_dtype,
    require_numbers,
    results,
)
from ...testing._checks.grids import COORDINATES, SAMPLES, exact, inside

#: Coordinates of two lines of samples, a coordinate for each point.
CURVED = [COORDINATES, [0, 2, 3, 7, 8, 10, 11]]

#: What changes of the samples, or of the coordinates, and what is read of the result.
CHANGES = [[1, 0, 2, 1, 3, 0, 1], [0, 1, 1, 2, 0, 3, 1]]
FACTORS = [[0, 1, 2, 0, 1, 2, 0], [0, 3, 0, 1, 1, 1, 0]]


def check_views(gradient: Gradient, xp: Any) -> None:
    """Samples and coordinates may be every other element of larger arrays, turned."""
    large = array(xp, [[a, 99] for a in SAMPLES])
    f = xp.permute_dims(large, (1, 0))[0, :]
    x = array(xp, [a for b in COORDINATES for a in (b, 99)])[::2]
    for spacing, coordinate in (
        (0.5, _oracle.steps(0, 0.5)),
        ([x], _oracle.along(0, COORDINATES)),
    ):
        inside(only(gradient, f, spacing=spacing), exact(coordinate))


def check_read_only_arrays(gradient: Gradient, xp: Any) -> None:
    """Samples and coordinates that cannot be written to are as good as others."""
    f, x = (_abilities.read_only(array(xp, v)) for v in (SAMPLES, COORDINATES))
    result = only(gradient, f, spacing=[x])
    inside(result, exact(_oracle.along(0, COORDINATES)))


def check_coordinates_in_memory(gradient: Gradient, xp: Any) -> None:
    """Arrays in chunks may have coordinates of the library that the chunks are of."""
    f = array(xp, SAMPLES)
    x = _abilities.in_memory(f, [float(a) for a in COORDINATES])
    inside(only(gradient, f, spacing=[x]), exact(_oracle.along(0, COORDINATES)))


def check_other_dims_of_one_point(gradient: Gradient, xp: Any) -> None:
    """A dim that is not differentiated may have a single point."""
    result = only(gradient, array(xp, [[a] for a in SAMPLES]), dim=0)
    require(tuple(result.shape) == (7, 1), f"shape {tuple(result.shape)}")
    inside(result[:, 0], exact(_oracle.steps(0, 1)))


def check_calls_do_not_depend_on_each_other(gradient: Gradient, xp: Any) -> None:
    """What was asked before, on another grid, changes nothing."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    calls: list[tuple[Any, Any]] = [
        (2.0, _oracle.steps(0, 2)),
        ([x], _oracle.along(0, COORDINATES)),
        (0.5, _oracle.steps(0, 0.5)),
    ]
    for spacing, coordinate in (*calls, *reversed(calls)):
        inside(only(gradient, f, spacing=spacing), exact(coordinate))


def check_no_warnings(gradient: Gradient, xp: Any) -> None:
    """An ordinary call warns of nothing."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for spacing in (0.5, [x]):
            numbers(only(gradient, f, spacing=spacing))
    require(not caught, f"a warning: {caught[0].message if caught else ''}")


# Dtypes.


def check_each_dim_has_its_own_dtype(gradient: Gradient, xp: Any) -> None:
    """The coordinates of one dim do not promote the derivative along another."""
    need(xp, "float32", "float64")
    f, x = array(xp, [SAMPLES] * 3, "float32"), array(xp, COORDINATES, "float64")
    for result, name in zip(
        results(gradient, f, spacing=[2.0, x]), ("float32", "float64"), strict=True
    ):
        require_dtype(xp, result, name)


def check_complex_samples_promote(gradient: Gradient, xp: Any) -> None:
    """Coordinates in float64 make the derivative of complex64 samples complex128."""
    need(xp, "complex64", "complex128", "float64")
    f, x = array(xp, SAMPLES, "complex64"), array(xp, COORDINATES, "float64")
    require_dtype(xp, only(gradient, f, spacing=[x]), "complex128")


def check_half_precision_is_rounded_once(gradient: Gradient, xp: Any) -> None:
    """In 16 bits, a quotient is the nearest number that there is."""
    samples = [1, 2, 4, 7, 5]
    wanted = _formulas.slope(samples, 0, _oracle.steps(0, 3), 1)
    for name in halves(xp):
        result = only(gradient, array(xp, samples, name), spacing=3.0)
        nearest = numbers(array(xp, [complex(a).real for a in wanted], name))
        require_numbers(result[1:-1], nearest[1:-1], tolerance=0)


def check_half_precision_coordinates(gradient: Gradient, xp: Any) -> None:
    """In 16 bits, steps of 300 work, although products of steps overflow."""
    for name in halves(xp):
        x = array(xp, [300 * a for a in COORDINATES[:6]], name)
        f = array(xp, SAMPLES[:6], name)
        stored = _oracle.along(0, numbers(x))
        wanted = _formulas.slope(SAMPLES[:6], 0, stored, 1)
        require_numbers(only(gradient, f, spacing=[x])[1:-1], wanted[1:-1])


# Numbers that are none.


def check_nan_in_coordinates(gradient: Gradient, xp: Any) -> None:
    """A coordinate of NaN touches its own place and its neighbours, and no others."""
    f, n = array(xp, SAMPLES), len(SAMPLES)
    for place in range(2, n - 2):  # whatever the edges read
        x = [math.nan if k == place else a for k, a in enumerate(COORDINATES)]
        found = numbers(only(gradient, f, spacing=[array(xp, x)]))
        touched = [k for k, value in enumerate(found) if math.isnan(value)]
        edges = {0} if place == 2 else {n - 1} if place == n - 3 else set()
        wrong = set(touched) - edges != {place - 1, place, place + 1}
        require(not wrong, f"NaN in {touched} for a coordinate of NaN at {place}")


# Derivatives of derivatives.


def inner(result: Any, factors: Any) -> Any:
    """Return the exact inner product of an array with nested lists."""
    pairs = zip(_oracle.flat(numbers(result)), _oracle.flat(factors), strict=True)
    return _oracle.sum_of(_oracle.gaussian(a) * _oracle.gaussian(b) for a, b in pairs)


def read(coordinate: Callable[[Any], Any], samples: Any) -> Any:
    """Return what is read of the exact derivative along the second dim."""
    answer = _formulas.slope(samples, 1, coordinate, 1)
    pairs = zip(numbers_of(answer), _oracle.flat(FACTORS), strict=True)
    return _oracle.sum_of(a * _oracle.gaussian(b) for a, b in pairs)


def numbers_of(answer: Any) -> list[Any]:
    """Return the exact numbers of nested lists, in order."""
    if isinstance(answer, list):
        return [number for item in answer for number in numbers_of(item)]
    return [answer]


def require_close(found: Any, wanted: Any, xp: Any) -> None:
    """Hold one number to the right one."""
    limit = 1e-10 if has(xp, "float64") else 1e-4
    difference = _oracle.difference([complex(found)], [complex(wanted)], limit)
    require(difference is None, str(difference))


def moving(coordinate: Callable[[Any], Any], samples: Any) -> Any:
    """Return how what is read changes as the coordinates do, by `CHANGES`.

    By a central difference in exact arithmetic: its error is far below a rounding.
    """
    h = Fraction(1, 10**9)
    ends = []
    for sign in (1, -1):

        def moved(index: Any, step: Fraction = sign * h) -> Any:
            change = _oracle.gaussian(step) * _oracle.gaussian(
                _oracle.at(CHANGES, index)
            )
            return _oracle.gaussian(coordinate(index)) + change

        ends.append(read(moved, samples))
    return (ends[0] - ends[1]) / (2 * h)


def check_differentiable_in_coordinates_per_point(gradient: Gradient, xp: Any) -> None:
    """The result can be differentiated in coordinates of every point."""
    samples = [SAMPLES, SAMPLES[::-1]]
    f, x, factors = (array(xp, values) for values in (samples, CURVED, FACTORS))

    def call(x: Any) -> Any:
        return xp.sum(only(gradient, f, spacing=[x], dim=1) * factors)

    found = _abilities.derivative(call, x)
    wanted = moving(_oracle.per_point(CURVED), samples)
    require_close(inner(found, CHANGES), wanted, xp)


def check_differentiable_twice_in_coordinates(gradient: Gradient, xp: Any) -> None:
    """The derivative in the coordinates can be differentiated in them again."""
    f, x, factors = (array(xp, v) for v in (SAMPLES, COORDINATES, FACTORS[0]))

    def call(c: Any) -> Any:  # 1 / c times what is read: its second derivative is 2
        return xp.sum(only(gradient, f, spacing=[c * x]) * factors)

    found = _abilities.derivative(call, array(xp, 1.0), times=2)
    slope = _formulas.slope(SAMPLES, 0, _oracle.along(0, COORDINATES), 1)
    pairs = zip(slope, FACTORS[0], strict=True)
    wanted = _oracle.sum_of(a * _oracle.gaussian(2 * b) for a, b in pairs)
    require_close(inner(found, 1), wanted, xp)


def check_differentiable_forward(gradient: Gradient, xp: Any) -> None:
    """Forward differentiation in the samples is the same formula again."""
    f, direction = array(xp, SAMPLES), array(xp, CHANGES[0])
    found = _abilities.pushed_forward(
        lambda f: only(gradient, f, spacing=0.5), f, direction
    )
    inside(found, exact(_oracle.steps(0, 0.5), samples=CHANGES[0]))


def check_differentiable_with_complex_steps(gradient: Gradient, xp: Any) -> None:
    """With a complex step, reverse differentiation conjugates the formula."""
    f = array(xp, SAMPLES, complex_(xp))
    factors = array(xp, FACTORS[0], complex_(xp))
    found = _abilities.adjoint(
        lambda f: only(gradient, f, spacing=complex(0, 2)), f, factors
    )
    # The formula is that of a step of 2 times -j, so its adjoint has +j.
    slope = _formulas.slope(CHANGES[0], 0, _oracle.steps(0, 2), 1)
    pairs = zip(slope, FACTORS[0], strict=True)
    wanted = _oracle.sum_of(a * _oracle.gaussian(1j * b) for a, b in pairs)
    require_close(inner(found, CHANGES[0]), wanted, xp)
