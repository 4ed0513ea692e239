"""Calls that are surely invalid, and calls that are odd."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import oracle
from backends import Backend
from fuzzing.calls import Call
from fuzzing.draws import number
from fuzzing.valid import own_keywords

#: Values that are right for nothing, or for one argument only.
ODD = (
    *(None, True, False, 0, -1, 3, 7, 10**400, -(10**30), 0.0, -0.0, 1.5, math.nan),
    *(math.inf, 1e-320, 1e308, 1j, 0j, complex(math.nan, 1), "", "1", "periodic"),
    *(b"x", [], (), [[]], [1, 2], (0, 0), [None], [True], ["a"], {}, {0: 1}, set()),
    *(range(3), object(), int, Ellipsis, slice(None), Decimal(1), Fraction(1, 3)),
    *([1.0] * 9, [[1.0, 2.0]], (1, [2]), NotImplemented, math, lambda: 1),
)


def odd(rng: random.Random, backend: Backend) -> Any:
    """Return something that is seldom right."""
    if rng.random() < 0.6:
        return rng.choice(ODD)
    shape = tuple(rng.choice([0, 1, 2, 3, 5]) for _ in range(rng.randint(0, 3)))
    dtype = rng.choice(backend.dtypes)
    array = backend.asarray(
        oracle.build(shape, lambda _: number(rng, dtype, 1.0)), dtype, shape
    )
    if rng.random() < 0.2:
        array = array == 0
    return rng.choice([array, [array], (array, 1), [array, array]])


def spoilt(rng: random.Random, backend: Backend, call: Call) -> tuple[bool, Any, Any]:
    """Return whether a call is surely invalid, and its samples and keywords."""
    f, keywords = call.f, dict(call.keywords)
    sure = [
        (f, {**keywords, name: value})
        for name, values in wrong_values(call).items()
        for value in rng.sample(values, min(2, len(values)))
    ]
    sure += misfits(rng, backend, call)
    if rng.random() < 0.6:
        return True, *rng.choice(sure)
    names = ["spacing", "dim", "axis", "edge_order", "accuracy", "boundary"]
    names += own_keywords(call)
    for name in rng.sample(names, rng.randint(1, 3)):
        keywords[name] = odd(rng, backend)
    if rng.random() < 0.2:
        f = odd(rng, backend)
    return False, f, keywords


def wrong_values(call: Call) -> dict[str, list[Any]]:
    """Return values that are wrong for a keyword, whatever the others are."""
    ndim = call.f.ndim
    wrong: dict[str, list[Any]] = {
        "edge_order": [0, -1, -5, 1.0, True, "1", [1]],
        "accuracy": [0, 1, 3, -2, 10**30 + 1, 2.0, True, None, "2", [2]],
        "boundary": [
            *("wrap", "", None, True, {}, (), ("edge",) * 3, ["edge"] * 9, b"edge"),
            *([("edge", "reflect"), (1.0, "edge")] if len(call.dims) > 1 else ()),
            *(("periodic", "edge"), (0, "periodic"), ("periodic", -1.0)),
        ],
        "spacing": [
            *(0, -0.0, math.nan, 0j, math.inf, True, "1", b"", {}, (1,) * 9),
            [1.0] * (len(call.dims) + 1),
        ],
    }
    if call.dims:
        wrong["accuracy"].append(10**30)
    if "order" in own_keywords(call):
        wrong["order"] = [0, -1, 10**30, 1.0, True, None, "1"]
    if "where" in own_keywords(call):
        wrong["where"] = [True, 1, 0.5, "x", b"", [True], (), {}, [[]], object()]
    if "stack_dim" in own_keywords(call):
        wrong["stack_dim"] = [ndim + 1, -ndim - 2, 10**30, 1.0, True, "0"]
    if "vector_dim" in own_keywords(call):
        wrong["vector_dim"] = [ndim, -ndim - 1, 10**30, 0.0, True, None, [0]]
    return wrong


def misfits(rng: random.Random, backend: Backend, call: Call) -> list[Any]:
    """Return samples and keywords that are surely wrong together."""
    f, keywords = call.f, call.keywords
    sure: list[tuple[Any, dict[str, Any]]] = [
        (f, {**keywords, "dim": 0, "axis": 0}),
        (f, {"dim": rng.choice([f.ndim, -f.ndim - 1, 10**20])}),
        (f, {"axis": rng.choice([1.0, "0", True, [None], {0}, [[0]]])}),
        (rng.choice(ODD), keywords),
        (f == 0, keywords),
    ]
    if f.ndim:
        sure.append((f, {"dim": [0, -f.ndim]}))
        sure.append((f[: min(1, f.shape[0]), ...], {"dim": 0}))
        if call.function != "derivative":
            sure.append((f, {"spacing": backend.asarray([0.0, 1.0, 2.0])}))
    if call.dims:
        axis = call.dims[0]
        if call.place is not None:
            axis += axis >= call.place
        wrong = backend.asarray([0.0] * (f.shape[axis] + 1))
        rest = [one.value for one in call.entries[1:]]
        sure += [
            (f, {**keywords, "spacing": [first, *rest]})
            for first in (wrong, wrong == 0, None)
        ]
    if "where" in own_keywords(call):
        sure += wrong_masks(rng, backend, call)
    if call.place is not None and call.function != "jacobian":
        doubled = backend.asarray(oracle.build((2, 2, 2), lambda _: 1), None, (2, 2, 2))
        sure.append((doubled, {"dim": [1]}))
    return sure


def wrong_masks(rng: random.Random, backend: Backend, call: Call) -> list[Any]:
    """Return samples and keywords with a mask that is surely wrong, or with others."""
    f, longer = call.f, sum(call.f.shape[-1:]) + rng.randint(2, 4)
    shape = rng.choice([(1,) * (f.ndim + 1), (longer,)])
    misshapen = backend.asarray(oracle.build(shape, lambda _: True), "bool", shape)
    wrong: list[dict[str, Any]] = [
        {"where": rng.choice([f, backend.asarray(1.0, shape=())])},
        {"where": misshapen},
    ]
    return [(f, {**call.keywords, **keywords}) for keywords in wrong]
