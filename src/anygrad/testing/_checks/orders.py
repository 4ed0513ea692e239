"""Accuracies beyond the second, and derivatives beyond the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

from ...testing import _abilities, _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    complex_,
    epsilon,
    need,
    need_keyword,
    numbers,
    only,
    require,
    require_dtype,
    require_numbers,
)
from ...testing._checks.grids import COORDINATES, SAMPLES
from ...testing._checks.refusals import LINE, keywords, require_refused_by_name
from ...testing._oracle import Index, Nested

#: Samples and coordinates of so many points that edges of any formula leave some.
LONG = [*SAMPLES, 6, 5, 3, 5, 8, 9, 7, 9]
LONG_COORDINATES = [*COORDINATES, 14, 15, 18, 19, 21, 22, 25, 27]

#: Orders and accuracies of derivatives for which seven points are enough.
KINDS = ((1, 2), (1, 4), (1, 6), (2, 2), (2, 4), (3, 2), (3, 4), (4, 2))


def close(result: Any, wanted: Nested) -> None:
    """Hold an array to numbers whose terms may be much larger than they are."""
    require_numbers(result, wanted, tolerance=1024 * epsilon(result))


def of_line(
    coordinate: Callable[[Index], Any], samples: Nested = SAMPLES, **kind: Any
) -> Nested:
    """Return the exact derivative of a line of samples."""
    return _formulas.partial(samples, 0, coordinate, **kind)


def grids(
    xp: Any, x: list[int] = COORDINATES
) -> Iterator[tuple[Any, Callable[[Index], Any], bool]]:
    """Return a step and coordinates: the entry, what it means, is it uneven."""
    yield 0.5, _oracle.steps(0, 0.5), False
    yield array(xp, x), _oracle.along(0, x), True


def polynomial(degree: int, order: int, x: Any) -> Fraction:
    """Return a derivative of a polynomial that has all powers up to its degree."""
    return sum(
        (
            math.perm(k, order) * Fraction(x) ** (k - order) / 2**k
            for k in range(order, degree + 1)
        ),
        Fraction(0),
    )


# The keyword `accuracy`.


def check_accuracy_of_two_is_usual(gradient: Gradient, xp: Any) -> None:
    """`accuracy=2` is what is done without it, to the last bit."""
    f = array(xp, SAMPLES)
    need_keyword(gradient, f, accuracy=2)
    for entry, _, _ in grids(xp):
        usual = numbers(only(gradient, f, spacing=[entry]))
        found = numbers(only(gradient, f, spacing=[entry], accuracy=2))
        require(found == usual, f"{found} where {usual} was wanted")


def check_accuracy_inside(gradient: Gradient, xp: Any) -> None:
    """With `accuracy` 4 and 6, inner points read two and three points to each side."""
    f = array(xp, LONG)
    need_keyword(gradient, f, accuracy=2)
    for accuracy, cut in ((4, 2), (6, 3)):
        for entry, coordinate, _ in grids(xp, LONG_COORDINATES):
            wanted = of_line(coordinate, LONG, accuracy=accuracy)
            result = only(gradient, f, spacing=[entry], accuracy=accuracy)
            close(result[cut:-cut], wanted[cut:-cut])


def check_accuracy_near_the_edges(gradient: Gradient, xp: Any) -> None:
    """Row `i` from an edge reads the first ``max(edge_order + 1, 2 i + 1)`` points."""
    kinds = ((4, 1), (4, 2), (4, 3), (4, 4), (6, 1), (6, 5))
    require_edges(gradient, xp, kinds)


def require_edges(
    gradient: Gradient, xp: Any, kinds: Iterable[tuple[int, int]]
) -> None:
    """Fail if a line is wrong anywhere, with an `accuracy` and an `edge_order`."""
    f = array(xp, SAMPLES)
    need_keyword(gradient, f, accuracy=2)
    for accuracy, edge_order in kinds:
        keywords: dict[str, Any] = {"accuracy": accuracy, "edge_order": edge_order}
        for entry, coordinate, _ in grids(xp):
            wanted = of_line(coordinate, **keywords)
            close(only(gradient, f, spacing=[entry], **keywords), wanted)


def check_accuracy_on_polynomials(gradient: Gradient, xp: Any) -> None:
    """An `accuracy` of p makes polynomials of degree p exact, with such edges too."""
    need_keyword(gradient, array(xp, SAMPLES), accuracy=2)
    for p in (4, 6):
        f = array(xp, [polynomial(p, 0, x) for x in COORDINATES])
        keywords = {"accuracy": p, "edge_order": p}
        result = only(gradient, f, spacing=[array(xp, COORDINATES)], **keywords)
        close(result, [polynomial(p, 1, x) for x in COORDINATES])


def check_accuracy_with_a_coordinate_per_point(gradient: Gradient, xp: Any) -> None:
    """Coordinates of every point go with any `accuracy`."""
    samples, x = [LONG, LONG[::-1]], [LONG_COORDINATES, LONG_COORDINATES[::-1]]
    f = array(xp, samples)
    need_keyword(gradient, f, accuracy=2)
    wanted = _formulas.partial(samples, 1, _oracle.per_point(x), accuracy=4)
    result = only(gradient, f, spacing=[array(xp, x)], dim=1, accuracy=4)
    close(result[:, 2:-2], [row[2:-2] for row in wanted])


def check_accuracy_of_each_dim(gradient: Gradient, xp: Any) -> None:
    """One `accuracy` goes for all dims, with the spacing of each."""
    samples = [[a * b for a in LONG] for b in LONG]
    f = array(xp, samples)
    need_keyword(gradient, f, accuracy=2)
    x, steps = _oracle.along(0, LONG_COORDINATES), _oracle.steps(1, 2)
    found = gradient(f, spacing=[array(xp, LONG_COORDINATES), 2.0], accuracy=4)
    for axis, coordinate in enumerate((x, steps)):
        wanted = _formulas.partial(samples, axis, coordinate, accuracy=4)
        inner = [row[2:-2] for row in wanted[2:-2]]
        close(found[axis][2:-2, 2:-2], inner)


def check_accuracy_of_constants(gradient: Gradient, xp: Any) -> None:
    """The derivative of a constant is 0 to the last bit, at any `accuracy`."""
    f = array(xp, [0.1] * len(LONG))
    need_keyword(gradient, f, accuracy=2)
    for entry, _, _ in grids(xp, LONG_COORDINATES):
        result = only(gradient, f, spacing=[entry], accuracy=6, edge_order=6)
        require_numbers(result, [0] * len(LONG), tolerance=0)


def check_accuracy_of_large_integers(gradient: Gradient, xp: Any) -> None:
    """At any `accuracy`, integers beyond float64 are subtracted before rounding."""
    need(xp, "int64")
    f = array(xp, [2**53 + k for k in range(9)], "int64")
    need_keyword(gradient, f, accuracy=2)
    close(only(gradient, f, accuracy=4, edge_order=4), [1] * 9)


def check_accuracy_and_nan(gradient: Gradient, xp: Any) -> None:
    """With `accuracy=4` and a step, a NaN touches two neighbours, not its own place."""
    samples = [3, 1, 4, 1, math.nan, 9, 2, 6, 5]
    f = array(xp, samples)
    need_keyword(gradient, f, accuracy=2)
    values = numbers(only(gradient, f, accuracy=4))
    found = [k for k in range(2, 7) if math.isnan(values[k])]
    require(found == [2, 3, 5, 6], f"touched are {found}, not [2, 3, 5, 6]")


def check_accuracy_refused(gradient: Gradient, xp: Any) -> None:
    """An `accuracy` that is not 2, 4, 6 and so on, or too high, is refused by name."""
    need_keyword(gradient, array(xp, LINE), accuracy=2)
    require_refused_by_name(
        gradient,
        xp,
        *(keywords(ValueError, "accuracy", accuracy=p) for p in (0, 1, 3, -2)),
        *(keywords(TypeError, "accuracy", accuracy=p) for p in (4.0, True, None, "4")),
        keywords(ValueError, "input", accuracy=8),
        keywords(ValueError, "input", accuracy=6, edge_order=6),
    )


def check_edges_beyond_the_accuracy(gradient: Gradient, xp: Any) -> None:
    """An `edge_order` may be above the `accuracy`, and None is the default."""
    require_edges(gradient, xp, ((2, 3), (2, 6), (4, 5)))
    f = array(xp, SAMPLES)
    usual = numbers(only(gradient, f))
    require_numbers(only(gradient, f, edge_order=None), usual, tolerance=0)


# The function `derivative`.


def check_derivative_is_one_array(derivative: Gradient, xp: Any) -> None:
    """A derivative is an array of the library, shape and dtype of the samples."""
    f = array(xp, [SAMPLES] * 2, "float32")
    result = derivative(f, order=2)
    require(type(result) is type(f), f"{type(result).__qualname__} is no array")
    require(tuple(result.shape) == (2, 7), f"shape {tuple(result.shape)}")
    require_dtype(xp, result, "float32")


def check_derivative_orders(derivative: Gradient, xp: Any) -> None:
    """A step goes with derivatives of any order and accuracy."""
    f = array(xp, LONG)
    for order, accuracy in KINDS:
        kind: dict[str, Any] = {"order": order, "accuracy": accuracy}
        wanted = of_line(_oracle.steps(0, 0.5), LONG, **kind)
        result = derivative(f, spacing=0.5, **kind)
        cut = _formulas.half_width(order, accuracy, uneven=False)
        close(result[cut:-cut], wanted[cut:-cut])


def check_derivative_on_polynomials(derivative: Gradient, xp: Any) -> None:
    """Order m and accuracy p are exact on degree m + p - 1, on uneven grids too."""
    x = [a / 16 for a in LONG_COORDINATES]
    for order, accuracy in KINDS:
        degree = order + accuracy - 1
        f = array(xp, [polynomial(degree, 0, a) for a in x])
        result = derivative(f, spacing=array(xp, x), order=order, accuracy=accuracy)
        wanted = [polynomial(degree, order, a) for a in x]
        require_numbers(result, wanted, tolerance=2**18 * epsilon(result))


def check_derivative_near_the_edges(derivative: Gradient, xp: Any) -> None:
    """Order m reads the first ``max(edge_order + m, 2 i + 1)`` points at row `i`."""
    f = array(xp, SAMPLES)
    need_keyword(derivative, f, edge_order=2)
    for order, accuracy, edge_order in ((1, 4, 1), (2, 4, 1), (2, 4, 3), (3, 2, 1)):
        kind: dict[str, Any] = {"order": order, "accuracy": accuracy}
        kind["edge_order"] = edge_order
        wanted = of_line(_oracle.steps(0, 0.5), **kind)
        close(derivative(f, spacing=0.5, **kind), wanted)


def check_derivative_between_even_and_uneven(derivative: Gradient, xp: Any) -> None:
    """On coordinates, formulas of even orders read one point more to either side."""
    f, coordinate = array(xp, LONG), _oracle.along(0, LONG_COORDINATES)
    for order, accuracy in ((2, 2), (2, 4), (4, 2)):
        kind: dict[str, Any] = {"order": order, "accuracy": accuracy}
        cut = _formulas.half_width(order, accuracy, uneven=True)
        wanted = of_line(coordinate, LONG, **kind, uneven=True)[cut:-cut]
        result = derivative(f, spacing=array(xp, LONG_COORDINATES), **kind)[cut:-cut]
        require_numbers(result, wanted, tolerance=2**14 * epsilon(result))


def check_derivative_along_the_last_dim(derivative: Gradient, xp: Any) -> None:
    """A derivative is along the last dim, or along the `dim` or `axis` named."""
    samples = [[a * b * b for a in SAMPLES] for b in COORDINATES[:5]]
    f = array(xp, samples)
    calls: tuple[tuple[int, dict[str, Any]], ...] = (
        *((1, {}), (0, {"dim": 0}), (0, {"dim": -2})),
        *((0, {"axis": 0}), (1, {"axis": -1})),
    )
    for axis, words in calls:
        wanted = _formulas.partial(samples, axis, _oracle.steps(axis, 1), order=2)
        close(derivative(f, order=2, **words), wanted)


def check_derivative_of_the_first_order(derivative: Gradient, xp: Any) -> None:
    """A derivative without an order is the first, with edges as good as the inside."""
    f = array(xp, SAMPLES)
    for entry, coordinate, _ in grids(xp):
        wanted = of_line(coordinate)
        close(derivative(f, spacing=entry), wanted)


def check_derivative_of_steps_that_are_arrays(derivative: Gradient, xp: Any) -> None:
    """A step that is an array of shape () is raised to the order."""
    wanted = of_line(_oracle.steps(0, 0.5), order=3)
    result = derivative(array(xp, SAMPLES), spacing=array(xp, 0.5), order=3)
    close(result[2:-2], wanted[2:-2])


def check_derivative_of_complex_steps(derivative: Gradient, xp: Any) -> None:
    """A complex step is raised to the order, and makes the result complex."""
    name = complex_(xp)
    result = derivative(array(xp, SAMPLES), spacing=2j, order=2)
    require_dtype(xp, result, name)
    close(result, of_line(_oracle.steps(0, 2j), order=2))


def check_derivative_of_integers(derivative: Gradient, xp: Any) -> None:
    """Integers are subtracted without wrapping, for any order."""
    wanted = xp.asarray([0.0]).dtype
    samples = [200, 0, 200, 0, 200, 100]
    f = array(xp, samples, "uint8")
    result = derivative(f, order=2)
    require(result.dtype == wanted, f"{result.dtype} where {wanted} was wanted")
    close(result, of_line(_oracle.steps(0, 1), samples, order=2))


def check_derivative_of_a_constant(derivative: Gradient, xp: Any) -> None:
    """All derivatives of a constant are 0 to the last bit."""
    f = array(xp, [0.1] * 7)
    for entry, _, _ in grids(xp):
        for order in (1, 2, 3):
            result = derivative(f, spacing=entry, order=order)
            require_numbers(result, [0] * 7, tolerance=0)


def check_derivative_and_nan(derivative: Gradient, xp: Any) -> None:
    """In a second derivative, a NaN touches its own place and its neighbours."""
    f = array(xp, [3, 1, 4, 1, math.nan, 9, 2, 6, 5])
    values = numbers(derivative(f, order=2))
    found = [k for k, value in enumerate(values) if math.isnan(value)]
    require(found == [3, 4, 5], f"touched are {found}, not [3, 4, 5]")


def check_derivative_of_long_coordinates(derivative: Gradient, xp: Any) -> None:
    """Second derivatives on coordinates of 3e15 are right in float32."""
    scale = 3e15
    f = array(xp, SAMPLES, "float32")
    x = array(xp, [scale * a for a in COORDINATES], "float32")
    coordinate = _oracle.along(0, numbers(x))
    wanted = of_line(coordinate, order=2, uneven=True)
    result = derivative(f, spacing=x, order=2)
    require_numbers(result, wanted, tolerance=2**14 * epsilon(result))


def check_derivative_stays_lazy(derivative: Gradient, xp: Any) -> None:
    """A derivative of lazy samples computes nothing, and keeps the chunks."""
    f = _abilities.in_chunks(array(xp, SAMPLES), (3, 4))
    with _abilities.forbidden_computation(f):
        result = derivative(f, order=2, accuracy=4)
    require(result.chunks == f.chunks, f"chunks {result.chunks}, not {f.chunks}")
    wanted = of_line(_oracle.steps(0, 1), order=2, accuracy=4)
    close(result, wanted)


def check_derivative_can_be_traced(derivative: Gradient, xp: Any) -> None:
    """A compiled function may give the samples and coordinates of a derivative."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    call = _abilities.compiled(lambda f, x: derivative(f, spacing=x, order=3), f)
    coordinate = _oracle.along(0, COORDINATES)
    close(call(f, x), of_line(coordinate, order=3))


def check_derivative_is_differentiable(derivative: Gradient, xp: Any) -> None:
    """A derivative of any order can be differentiated in the samples."""
    second = partial(derivative, spacing=0.5, order=2)
    require_differentiable(second, xp, 0.5, order=2)


def require_differentiable(
    function: Gradient, xp: Any, step: float, **kind: Any
) -> None:
    """Hold a weighted sum of slopes to what the library differentiates it to."""
    factors = [1, 0, 2, -1, 0, 0, 3]
    found = _abilities.derivative(
        lambda f: xp.sum(function(f) * array(xp, factors)), array(xp, SAMPLES)
    )
    units = [[int(j == k) for k in range(7)] for j in range(7)]
    coordinate = _oracle.steps(0, step)
    rows = [_formulas.partial(unit, 0, coordinate, **kind) for unit in units]
    pairs = [zip(row, factors, strict=True) for row in rows]
    close(found, [_oracle.sum_of(a * b for a, b in pair) for pair in pairs])


def check_derivative_refusals(derivative: Gradient, xp: Any) -> None:
    """Orders that are no positive ints, several dims and too few points are refused."""
    require_refused_by_name(
        derivative,
        xp,
        *(keywords(ValueError, "order", order=m) for m in (0, -1)),
        *(keywords(TypeError, "order", order=m) for m in (1.0, True, None)),
        keywords(TypeError, "dim", dim=[0]),
        keywords(IndexError, "dim", dim=1),
        keywords(ValueError, "input", order=6),
        keywords(ValueError, "spacing", spacing=0.0),
    )
