"""Samples of NumPy's beside what autograd traces, whose boxes hold arrays of NumPy's.

As a box, they have the namespace in which autograd sees each operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._calls import Request
from ._libraries import is_exact, library_of, namespace_of
from ._records import Plan
from ._refusals import each_in, is_box


def plan(
    box: Any, planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call on samples that nothing traces."""
    inner = again(planner, traced(array, box), **request._asdict())

    def run(array: Any, *_: Any) -> tuple[Any, ...]:
        results: tuple[Any, ...] = inner.executor(
            traced(array, box), inner, inner.namespace
        )
        return results

    return inner._replace(executor=run)


def plan_of_arrays(
    planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call in which traced numbers have become arrays."""
    return again(planner, array, **request.with_each(as_arrays)._asdict())


def as_arrays(given: Any) -> Any:
    """Return what is given, also in lists, with arrays for numbers that are traced."""
    import numpy

    one = numpy.ones(())
    return each_in(
        given, lambda value: value * one if is_number_in_box(value) else value
    )


def traced(array: Any, box: Any) -> Any:
    """Return an array as one that is traced as a box is, of which it is no function."""
    xp = namespace_of(box)
    zero = xp.real(xp.sum(xp.reshape(box, (-1,))[:0])).astype(array.dtype)
    zeros = xp.broadcast_to(xp.reshape(zero, (1,) * array.ndim), array.shape)
    return xp.where(True, array, zeros)


def may_be_in_box(array: Any) -> bool:
    """Tell whether it is an array that such a box may hold; none of integers may."""
    library = library_of(array)
    is_own = library.is_constant and is_exact(array, library)
    return is_own and array.dtype.kind in "fc"


def is_number_in_box(value: Any) -> bool:
    """Tell whether it is a number of Python's that is traced, in one box or in more."""
    if not is_box(value):
        return False
    inner = value._value  # noqa: SLF001 - a box passes for an array of what is in it
    return type(inner) in (int, float, complex) or is_number_in_box(inner)
