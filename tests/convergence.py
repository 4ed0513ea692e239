"""The order at which derivatives converge, measured with 150 digits.

The public function runs on decimal numbers (`decimal_library`), on a patch of a few
points that shrinks: the error of one formula at one point is seen to fall as a power of
the step, and that power is the slope of a line through the logarithms.
"""

from __future__ import annotations

import decimal
import math
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import anygrad
import decimal_library

DIGITS = 150
STEPS = [Decimal(2) ** -exponent for exponent in (16, 17, 18, 19)]
ORDERS = (1, 2, 3, 4, 5, 6)
ACCURACIES = (2, 4, 6, 8, 10)
GRIDS = ("uniform", "stretched", "random")

#: How far each point of the uneven grid is off its place, in steps.
_draw = random.Random(7)
OFF = [Decimal(_draw.randrange(-30, 31)) / 100 for _ in range(64)]


class Function(NamedTuple):
    """Samples, and what their derivatives are."""

    value: Callable[[Decimal], Decimal]
    derivative: Callable[[Decimal, int], Decimal]


EXPONENTIAL = Function(Decimal.exp, lambda x, order: x.exp())


def _hyperbolic(x: Decimal, order: int) -> Decimal:
    return (x.exp() + (-1) ** order * (-x).exp()) / 2


#: Even about 0.
EVEN = Function(lambda x: _hyperbolic(x, 0), _hyperbolic)


def power(exponent: int) -> Function:
    """Return a function that is constant, one, to the left of 0."""

    def derivative(x: Decimal, order: int) -> Decimal:
        return math.perm(exponent, order) * x ** (exponent - order)

    return Function(lambda x: 1 + x**exponent, derivative)


def _sine(x: Decimal, order: int) -> Decimal:
    """Return a derivative of the sine of `x` turns, by its series."""
    angle, quarters = 2 * PI * x, order
    total, term, k = Decimal(0), Decimal(1), 0
    while abs(term) > Decimal(10) ** -DIGITS:
        total += (0, 1, 0, -1)[(k + quarters) % 4] * term  # the derivatives at 0
        k += 1
        term *= angle / k
    return (2 * PI) ** order * total


PI = Decimal(
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620"
    "89986280348253421170679821480865132823066"
)
PERIODIC = Function(lambda x: _sine(x, 0), _sine)


def positions(grid: str, count: int, step: Decimal) -> list[Decimal]:
    """Return coordinates; they shrink with the step."""
    if grid == "uniform":
        return [k * step for k in range(count)]
    if grid == "stretched":
        return [t + t * t for t in positions("uniform", count, step)]
    return [(k + OFF[k % len(OFF)]) * step for k in range(count)]


def errors(
    function: Function, grid: str, xs: Sequence[list[Decimal]], **keywords: Any
) -> list[list[Decimal]]:
    """Return the errors at all points, one list per set of coordinates."""
    samples = decimal_library.asarray([[function.value(a) for a in x] for x in xs])
    # A step is the same for all of an array, coordinates need not be.
    if grid == "uniform":
        results = [
            anygrad.derivative(samples[k], spacing=float(x[1] - x[0]), **keywords)
            for k, x in enumerate(xs)
        ]
    else:
        whole = anygrad.derivative(
            samples, spacing=decimal_library.asarray(xs), **keywords
        )
        results = [whole[k] for k in range(len(xs))]
    order = keywords["order"]
    return [
        [
            abs(a - function.derivative(b, order))
            for a, b in zip(r.hidden, x, strict=True)
        ]
        for r, x in zip(results, xs, strict=True)
    ]


def slope(steps: Sequence[Any], sizes: Sequence[Any]) -> float:
    """Return the order that the errors show: least squares on logarithms.

    NaN where there is no error.
    """
    if not all(sizes):
        return math.nan
    x = [float(Decimal(step).ln()) for step in steps]
    y = [float(Decimal(size).ln()) for size in sizes]
    middle = sum(x) / len(x)
    return sum((a - middle) * b for a, b in zip(x, y, strict=True)) / sum(
        (a - middle) ** 2 for a in x
    )


def of_rows(
    function: Function, grid: str, rows: Sequence[slice], count: int, **keywords: Any
) -> list[float]:
    """Return the order of the largest error among some rows, for each such group."""
    with decimal.localcontext(prec=DIGITS):
        xs = [positions(grid, count, step) for step in STEPS]
        if "symmetric" in str(keywords["boundary"]):
            xs = [[a - (3 * x[0] - x[1]) / 2 for a in x] for x in xs]
        else:
            xs = [[a - x[0] for a in x] for x in xs]
        found = errors(function, grid, xs, **keywords)
        return [slope(STEPS, [max(line[part]) for line in found]) for part in rows]


def half_width(order: int, accuracy: int, grid: str) -> int:
    """Return how many points the central formula reads to either side."""
    return (order + 1) // 2 + accuracy // 2 - 1 + (order % 2 == 0 and grid != "uniform")


def one_sided(grid: str, order: int, accuracy: int, edge_order: int) -> list[float]:
    """Return the order of each row of the left edge, and of the interior."""
    r = half_width(order, accuracy, grid)
    count = max(edge_order + order, 2 * r + 4)
    rows = [*(slice(k, k + 1) for k in range(r)), slice(r, count - r)]
    return of_rows(
        EXPONENTIAL,
        grid,
        rows,
        count,
        order=order,
        accuracy=accuracy,
        edge_order=edge_order,
        boundary="one_sided",
    )


def with_ghosts(grid: str, order: int, accuracy: int, mode: Any) -> float:
    """Return the order of the rows at the left edge, on data that fit the mode."""
    function = EVEN if mode in ("reflect", "symmetric") else power(order + accuracy)
    return at_the_edge(function, grid, order, accuracy, mode)


def at_the_edge(
    function: Function, grid: str, order: int, accuracy: int, mode: Any
) -> float:
    """Return the order of the rows that read ghosts at the left."""
    r = half_width(order, accuracy, grid)
    count = max(accuracy + order, 2 * r + 4)
    (found,) = of_rows(
        function,
        grid,
        [slice(0, r)],
        count,
        order=order,
        accuracy=accuracy,
        boundary=(mode, "one_sided"),
    )
    return found


def periodic(grid: str, order: int, accuracy: int) -> float:
    """Return the order of the largest error on a whole period."""
    counts = (64, 128)
    with decimal.localcontext(prec=DIGITS):
        steps = [1 / Decimal(count) for count in counts]
        sizes = []
        for count, step in zip(counts, steps, strict=True):
            x = positions("uniform", count, step)
            if grid == "random":
                x = [a + OFF[k % 8] * step for k, a in enumerate(x)]
            mode = "periodic" if grid == "uniform" else ("periodic", 1.0)
            found = errors(
                PERIODIC, grid, [x], order=order, accuracy=accuracy, boundary=mode
            )
            sizes.append(max(found[0]))
    return slope(steps, sizes)
