"""Small arrays: a derivative as one difference of two gathered copies.

On a small array, an operation costs the time to call it, and a program of slices calls
many.  Where each point of the result is one difference, scaled, the whole result is
``(f[upper] - f[lower]) * factors``, or by divisors: four calls, whatever the dim and
the edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .._schemes import StepScales

if TYPE_CHECKING:
    from .._executors.programs import Program
    from .._executors.steps import InPlaceOps
    from .._scales import Scale
    from .._schemes import Scheme
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
    shares : array
        One over the denominator of each point's formula: powers of two.
    denominator : int
        That of the first formula of the scheme.
    latest : LatestScaling
        What the step of the latest call has made of the shares.
    """

    take: Callable[[Any, Any], Any]
    upper: Any
    lower: Any
    shares: Any
    denominator: int
    latest: LatestScaling


class LatestScaling:
    """The numbers of the latest step: the same step often comes again.

    Attributes
    ----------
    scaling : tuple or None
        The scales of the formulas, with what the differences are multiplied with, or
        divided by, and the operation for that.  It is replaced as a whole, so that
        threads may meet.
    nbytes : int
        How many bytes it may hold.
    """

    __slots__ = ("nbytes", "scaling")

    def __init__(self, nbytes: int) -> None:
        self.scaling: tuple[Sequence[Scale], Any, Any] | None = None
        self.nbytes = nbytes


def gather(
    program: Program, scheme: Scheme, f: Any, xp: Namespace, ops: InPlaceOps
) -> Gathered | None:
    """Return what a program for samples in order reads.

    None if it is not one difference per point, or not for a small array.
    """
    count = math.prod(f.shape)
    steps = [step for piece in (*program.pieces, program.at_last) for step in piece]
    if ops.take is None or not 0 < count <= MOST_SAMPLES:
        return None
    if any(len(step.terms) > 1 or step.terms[0][2] is not None for step in steps):
        return None
    if not all(isinstance(step.terms[0][1], tuple) for step in steps):  # a constant
        return None
    if any(d & (d - 1) for d in scheme.denominators):  # shares would be rounded
        return None
    if xp.isdtype(f.dtype, "complex floating"):  # one times an infinity may be NaN
        return None
    positions = xp.reshape(xp.arange(count), f.shape)
    upper, lower = xp.zeros_like(positions), xp.zeros_like(positions)
    shares = xp.ones_like(f)
    for step in steps:
        ((above, below, _),) = step.terms
        for array, values in (
            (upper, _laid(positions, step.flat)[above]),
            (lower, _laid(positions, step.flat)[below]),
            (shares, 1.0 / scheme.formulas[step.number].denominator),
        ):
            _laid(array, step.flat)[step.target] = values
    denominator = scheme.formulas[0].denominator
    return Gathered(
        ops.take, upper, lower, shares, denominator, LatestScaling(f.nbytes)
    )


def _laid(array: Any, flat: bool) -> Any:
    return array.reshape(-1) if flat else array


def run(
    gathered: Gathered,
    scales: Sequence[Scale],
    f: Any,
    ops: InPlaceOps,
    out: Any = None,
) -> Any:
    """Return the derivative of samples that lie in order, in `out` if that is given.

    None for a step whose scales are not single numbers.
    """
    take, upper, lower, _, _, latest = gathered
    scaling = latest.scaling
    if scaling is None or scaling[0] is not scales:
        scaling = _scaling(gathered, scales, ops)
        if scaling is None:
            return None
        latest.scaling = scaling
    _, numbers, scale = scaling
    result = take(f, upper)
    result = ops.subtract(result, take(f, lower), out=result if out is None else out)
    scale(result, numbers, out=result)
    return result


def _scaling(gathered: Gathered, scales: Sequence[Scale], ops: InPlaceOps) -> Any:
    """Return what the differences are scaled with: that of one formula, shared out."""
    shares, denominator = gathered.shares, gathered.denominator
    if type(scales) is StepScales:
        factor, divisor = scales.factor(denominator), scales.power
    else:
        if any(len((*scale.factors, *scale.divisors)) > 1 for scale in scales):
            return None
        factors, divisors = scales[0]
        factor = None if divisors else (*factors, 1.0)[0]
        divisor = (*divisors, 1.0)[0] / denominator
    if factor is None:
        return scales, ops.divide(divisor, shares), ops.divide
    return scales, ops.multiply(shares, factor * denominator), ops.multiply
