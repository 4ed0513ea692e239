"""The weights of samples that lie anywhere, by Lagrange's polynomials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ._agnostic import prepare
from ._differences import difference

if TYPE_CHECKING:
    from ._precision import Precision
    from ._typing import Namespace


def weights(offsets: Any, order: int, precision: Precision, xp: Namespace) -> Any:
    """Return the weights of samples at `offsets`, which lie along the last axis.

    A weight is the derivative at 0 of Lagrange's ``l_j(s)``, as in `_formulas.weights`.
    Its factors ``(s - x[k]) / (x[j] - x[k])`` are multiplied one after the other, for
    all `j` at once, and only the coefficients of 1, s, ..., `s**m` are kept: they are
    made of ratios, and no product of distances arises that the result does not hold.

    Neville's identity, which serves the kernels, extrapolates where 0 is no point: with
    13 equal steps around it, it has lost up to 3900 units in the last place of the
    largest weight, against exact fractions, and this up to 310.
    """
    dtype, wide = precision.coordinates, precision.wide_coordinates
    x, converted = (prepare(offsets, dtype, kept, xp) for kept in (wide, False))
    coefficients: list[Any] = [1.0]
    for shift in range(1, offsets.shape[-1]):
        length = difference(x, _rotated(x, shift, xp), dtype, wide, xp)
        constant, slope = -_rotated(converted, shift, xp) / length, 1.0 / length
        lowered = [a * constant for a in coefficients]
        raised = [a * slope for a in coefficients]
        inner = [a + b for a, b in zip(lowered[1:], raised, strict=False)]
        coefficients = [lowered[0], *inner, raised[-1]][: order + 1]
    weights = coefficients[order] * float(math.factorial(order))
    return prepare(weights, precision.result, False, xp)


def _rotated(array: Any, shift: int, xp: Namespace) -> Any:
    """Return the elements of the last axis, beginning with another one."""
    pieces = [array[..., shift:], array[..., :shift]]
    return xp.concat(pieces, axis=array.ndim - 1)
