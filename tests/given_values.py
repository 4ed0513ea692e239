"""All ways to give a number or an array that a plan must not depend on."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from backends import Backend


class Given(NamedTuple):
    """Arrays that a call on 4 x 5 samples may have."""

    #: Along the last dim.
    x: Any
    y: Any
    #: Of shape ().
    h: Any
    k: Any
    #: One number per point.
    each: Any
    #: Which samples are valid.
    mask: Any
    other: Any


def arrays(library: Backend) -> Given:
    each = library.asarray([[k * k + j for k in range(5)] for j in range(4)])
    mask = library.asarray([[1, 1, 0, 1, 1]] * 4) > 0
    return Given(
        x=library.asarray([0, 1, 3, 4, 8]),
        y=library.asarray([9, 7, 6, 2, 1]),
        h=library.asarray(0.5, shape=()),
        k=library.asarray(-3.0, shape=()),
        each=each,
        mask=mask,
        other=mask | (each > 20),
    )


class Family(NamedTuple):
    """Calls of one function that differ in nothing but numbers and arrays."""

    function: str
    keywords: dict[str, Any]
    values: Callable[[Given], list[dict[str, Any]]]


def steps(_: Given) -> list[dict[str, Any]]:
    return [{"spacing": step} for step in (2.0, 0.3, -7, 2.0)]


def spaced(*values: Any) -> Callable[[Given], list[dict[str, Any]]]:
    """Return calls on other steps and coordinates; functions make them of arrays."""
    return lambda g: [{"spacing": v(g) if callable(v) else v} for v in values]


def ends(*values: Any) -> Callable[[Given], list[dict[str, Any]]]:
    return lambda _: [{"boundary": value} for value in values]


#: All ways to give a number or an array that a plan must not depend on.
FAMILIES = {
    "a step": Family("gradient", {}, steps),
    "no step": Family("gradient", {}, spaced(1, 1.0)),
    "a step per dim": Family("gradient", {}, spaced([2, 0.3], (-7, 5.0), [3, 3])),
    "a step and none": Family("gradient", {}, spaced([2.0, 1], [0.3, 1.0])),
    "a complex step": Family("gradient", {"dim": 1}, spaced(2j, 1 + 1j, 2j)),
    "a fraction": Family("gradient", {}, spaced(Fraction(1), Fraction(2, 3))),
    "a step in an array": Family(
        "gradient", {"dim": 1}, spaced(lambda g: g.h, lambda g: g.k)
    ),
    "steps in arrays": Family(
        "gradient", {}, spaced(lambda g: [g.h, 2.0], lambda g: [g.k, 0.5])
    ),
    "coordinates": Family(
        "gradient", {"dim": 1}, spaced(lambda g: [g.x], lambda g: [g.y])
    ),
    "a coordinate per point": Family(
        "gradient", {}, spaced(lambda g: [2.0, g.each], lambda g: [3.0, g.each + g.x])
    ),
    "a step before coordinates": Family(
        "gradient", {}, spaced(lambda g: [0.3, g.x], lambda g: [5, g.y])
    ),
    "a mask": Family("gradient", {}, lambda g: [{"where": g.mask}, {"where": g.other}]),
    "a mask of a line": Family(
        "gradient",
        {"edge_order": 2},
        lambda g: [{"where": g.mask[0, ...]}, {"where": ~g.mask[0, ...]}],
    ),
    "a mask and steps": Family(
        "gradient",
        {"dim": [1]},
        lambda g: [
            {"where": g.mask, "spacing": 2.0},
            {"where": g.other, "spacing": 0.3},
        ],
    ),
    "a mask and coordinates": Family(
        "gradient",
        {"dim": 1},
        lambda g: [
            {"where": g.mask, "spacing": [g.x]},
            {"where": g.other, "spacing": [g.y]},
        ],
    ),
    "a value beyond the ends": Family("gradient", {}, ends(0.5, -2, 0.0, -0.0)),
    "a value at one end": Family(
        "gradient", {"dim": 1}, ends(("edge", 0.5), ("edge", 3), ("edge", -0.0))
    ),
    "a value at each end": Family(
        "gradient", {}, ends([(1, 2.0), (3, 4)], [(0.5, 0.5), (-1, 2)])
    ),
    "a value for one dim": Family(
        "gradient", {}, ends([1.0, "edge"], [Fraction(1, 2), "edge"])
    ),
    "a value and a step": Family(
        "gradient",
        {},
        lambda _: [
            {"boundary": 1.0, "spacing": 2.0},
            {"boundary": 3, "spacing": 0.3},
        ],
    ),
    "a value and None": Family("gradient", {"spacing": None}, ends(0.5, 3)),
    "a value before coordinates": Family(
        "gradient",
        {"boundary": [0.5, "reflect"]},
        spaced(lambda g: [0.3, g.x], lambda g: [5, g.y]),
    ),
    "a period": Family(
        "gradient",
        {},
        lambda g: [
            {"spacing": [1.0, entry], "boundary": ["edge", ("periodic", period)]}
            for entry, period in ((g.x, 9), (g.y, 9.5), (g.x, 20))
        ],
    ),
    "dims as they are counted": Family("gradient", {"dim": [-1, 0]}, steps),
    "axis": Family("gradient", {"axis": 0}, steps),
    "all in one array": Family("gradient", {"stack_dim": -1}, steps),
    "one dim": Family("derivative", {"dim": 0}, steps),
    "one dim on coordinates": Family(
        "derivative", {}, spaced(lambda g: g.x, lambda g: g.y)
    ),
    "a high order": Family("derivative", {"order": 3, "accuracy": 2}, steps),
    "a high accuracy": Family("derivative", {"accuracy": 4, "edge_order": 1}, steps),
    "a sum": Family("laplacian", {}, steps),
    "a sum on coordinates": Family(
        "laplacian", {}, spaced(lambda g: [0.5, g.each], lambda g: [2, g.each + g.x])
    ),
    "mixed derivatives": Family("hessian", {}, steps),
    "mixed derivatives on coordinates": Family(
        "hessian", {}, spaced(lambda g: [0.5, g.x], lambda g: [3.0, g.y])
    ),
    "mixed derivatives with values beyond": Family("hessian", {}, ends(0.5, 3.0, -1)),
    "a field": Family("jacobian", {"vector_dim": 0}, steps),
    "a field with values beyond": Family(
        "jacobian", {}, ends([(1, 2)] * 2, [(0, 0.5)] * 2)
    ),
    "a divergence": Family("divergence", {"vector_dim": -1}, steps),
    "a curl": Family("curl", {}, steps),
    "a curl on coordinates": Family(
        "curl", {}, spaced(lambda g: [0.5, g.x], lambda g: [3.0, g.y])
    ),
}
