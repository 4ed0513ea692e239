"""The door to the weights of a formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import _arguments, _stencils

if TYPE_CHECKING:
    from fractions import Fraction


def stencil(
    offsets: Sequence[int | Fraction], *, order: int = 1
) -> tuple[Fraction, ...]:
    """Return the exact weights of a finite difference formula.

    The weighted sum of samples at the offsets is the derivative at offset 0 of the
    polynomial through them: of a function, it is accurate of the order
    ``len(offsets) - order`` at least.

    Parameters
    ----------
    offsets : list or tuple of int or fractions.Fraction
        Where the samples lie, in steps, each once and in any order; 0 need not be among
        them.
    order : int, default: 1
        The order of the derivative.

    Returns
    -------
    tuple of fractions.Fraction
        One weight per offset, for a step of one.  For a step `h`, divide by
        ``h**order``.

    Raises
    ------
    TypeError
        If `offsets` is not a list or tuple of ints and fractions; if `order` is no int.
    ValueError
        If an offset is named twice; if there are not more offsets than `order`; if
        `order` is not positive.

    See Also
    --------
    derivative : Applies such formulas to samples.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced
       grids", Mathematics of Computation 51, 1988, 699-706.

    Examples
    --------
    >>> from anygrad import stencil
    >>> [str(weight) for weight in stencil([-2, -1, 0, 1, 2])]
    ['1/12', '-2/3', '0', '2/3', '-1/12']
    """
    from fractions import Fraction  # milliseconds that `import anygrad` need not take

    order = _arguments.check_stencil(offsets, order)
    # In a unit in which all of them are integers, as those of the kernels are.
    unit = math.lcm(*(offset.denominator for offset in offsets))
    numerators, denominator = _stencils.weights(
        [int(offset * unit) for offset in offsets], order
    )
    return tuple(Fraction(w * unit**order, denominator) for w in numerators)
