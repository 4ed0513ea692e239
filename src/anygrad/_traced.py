"""Arrays of NumPy's beside what the package autograd traces, whose boxes hold such.

As a box, they have the namespace in which autograd sees each operation.
"""

from __future__ import annotations

from typing import Any

from ._libraries import is_exact, library_of, namespace_of
from ._refusals import is_box, replaced


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


def as_arrays(given: Any) -> Any:
    """Return what is given, also in lists, with arrays for numbers that are traced."""
    import numpy

    one = numpy.ones(())
    return replaced(given, is_number_in_box, lambda number: number * one)
