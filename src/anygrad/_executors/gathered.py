"""Small arrays: a derivative as one difference of two gathered copies.

On a small array, an operation costs the time to call it, and a program of slices calls
many.  Where each point of the result is one difference, scaled, the whole result is
``(f[upper] - f[lower]) * factors``, or by divisors: four calls, whatever the dim and
the edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .._executors.programs import Program
    from .._executors.steps import Verbs
    from .._typing import Namespace

#: Beyond so many samples, gathering takes longer than calling.
MOST_SAMPLES = 2048


class Gathered(NamedTuple):
    """One difference per point of the result.

    Attributes
    ----------
    take : callable
        ``take(f, positions)``.
    upper, lower : array of int
        Which samples are subtracted, counted through memory.
    factors, divisors : array or None
        What the differences are multiplied with and divided by; None for one.
    """

    take: Callable[[Any, Any], Any]
    upper: Any
    lower: Any
    factors: Any
    divisors: Any


def gather(program: Program, f: Any, xp: Namespace, verbs: Verbs) -> Gathered | None:
    """Return what a program for samples in order reads and divides by.

    None if it is not one difference per point, or not for a small array.
    """
    count = math.prod(f.shape)
    steps = [step for piece in (*program.pieces, program.at_last) for step in piece]
    if verbs.take is None or not 0 < count <= MOST_SAMPLES:
        return None
    if any(len(step.terms) > 1 or step.terms[0][2] is not None for step in steps):
        return None
    if any(len((*step.scale.factors, *step.scale.divisors)) > 1 for step in steps):
        return None
    if not all(isinstance(step.terms[0][1], tuple) for step in steps):  # a constant
        return None
    positions = xp.reshape(xp.arange(count), f.shape)
    upper, lower = xp.zeros_like(positions), xp.zeros_like(positions)
    factors, divisors = xp.ones_like(f), xp.ones_like(f)
    for step in steps:
        ((above, below, _),) = step.terms
        for array, values in (
            (upper, _laid(positions, step.flat)[above]),
            (lower, _laid(positions, step.flat)[below]),
            (factors, math.prod(step.scale.factors)),
            (divisors, math.prod(step.scale.divisors)),
        ):
            _laid(array, step.flat)[step.target] = values
    return Gathered(
        verbs.take,
        upper,
        lower,
        factors if any(step.scale.factors for step in steps) else None,
        divisors if any(step.scale.divisors for step in steps) else None,
    )


def _laid(array: Any, flat: bool) -> Any:
    return array.reshape(-1) if flat else array


def run(gathered: Gathered, f: Any, verbs: Verbs, out: Any = None) -> Any:
    """Return the derivative of samples that lie in order, in `out` if that is given."""
    take, upper, lower, factors, divisors = gathered
    result = take(f, upper)
    result = verbs.subtract(result, take(f, lower), out=result if out is None else out)
    if factors is not None:
        verbs.multiply(result, factors, out=result)
    if divisors is not None:
        verbs.divide(result, divisors, out=result)
    return result
