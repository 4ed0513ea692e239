"""What holds an array and passes for it, such as the variables of Flax.

A call on them is one on their arrays, from which neither what is kept nor what runs
differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._calls import Request
from ._records import Plan
from ._refusals import each_in, held_by, holds_array


def plan(
    planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call in which arrays are held."""
    inner = again(planner, held(array), **request.with_each(held)._asdict())
    if not holds_array(array):
        return inner

    def run(array: Any, *_: Any) -> tuple[Any, ...]:
        results: tuple[Any, ...] = inner.executor(held(array), inner, inner.namespace)
        return results

    return inner._replace(executor=run)


def held(given: Any) -> Any:
    """Return what is given, also in lists, with the arrays that are held."""
    return each_in(given, lambda one: held_by(one) if holds_array(one) else one)
