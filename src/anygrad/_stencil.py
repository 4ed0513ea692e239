"""The door to the weights of a formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from . import _dispatch, _formulas, _precision
from ._checks import offsets as _offsets

if TYPE_CHECKING:
    from fractions import Fraction

    from ._typing import ArrayT


@overload
def stencil(  # numpydoc ignore=GL08
    offsets: Sequence[int | Fraction], *, order: int = 1
) -> tuple[Fraction, ...]: ...


@overload
def stencil(  # numpydoc ignore=GL08
    offsets: ArrayT, *, order: int = 1
) -> ArrayT: ...


def stencil(offsets: Any, *, order: int = 1) -> Any:
    """Return the weights of a finite difference formula.

    With these weights, the sum of the samples at the offsets is the derivative
    at offset 0 of the polynomial through them; for a smooth function, its
    order of accuracy is at least ``len(offsets) - order``.

    Parameters
    ----------
    offsets : list or tuple of int or fractions.Fraction, or array
        Where the samples lie, each once and in any order; 0 need not be among
        them.  In an array, along its last dimension: all others are batches.
    order : int, default: 1
        The order of the derivative, 1 or more.

    Returns
    -------
    tuple of fractions.Fraction, or array
        One weight per offset, in the order of the offsets.  For ints and
        fractions, exact fractions.  For an array, an array of the same
        library, device, shape and dtype (for integers, of the default real
        floating dtype), differentiable in the offsets.  If the offsets count
        steps of length `h`, divide by ``h**order``.

    Raises
    ------
    TypeError
        - If `offsets` is neither a list, tuple or range of ints and fractions
          nor an array of the standard, is masked or a quantity, or is
          labelled, compressed, sparse, nested, a matrix or of another class
          whose arrays carry more than their numbers, or its dtype is bool or
          not numeric.
        - If `order` is not an int.
    ValueError
        - If `offsets` is not longer than `order`, is a list or tuple that
          names an offset twice, or an array without a dimension or of unknown
          length along the last one.
        - If `order` is not positive.

    See Also
    --------
    derivative : Applies such formulas to samples.

    Notes
    -----
    Fornberg [1]_ computes the same weights by a recursion.

    The values of an array are not looked at, so a repeated offset there is no
    error: some weights are infinite or NaN then.

    The weights of an array are those of Lagrange's polynomials, made of ratios
    of distances, so that no product of distances can overflow.  Each is a sum
    of products; with up to 13 offsets in float64, in equal steps, at random,
    in steps that differ by a factor of 1e12, and far from 0, the error was at
    most 11 roundings of the sum of their absolute values.  So a weight has
    nearly all of its digits if all offsets are on one side of 0, and may lose
    some by cancellation otherwise.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on
       arbitrarily spaced grids", Mathematics of Computation 51, 1988, 699-706.

    Examples
    --------
    >>> from anygrad import stencil
    >>> [str(weight) for weight in stencil(range(-2, 3))]
    ['1/12', '-2/3', '0', '2/3', '-1/12']

    >>> import numpy as np
    >>> stencil(np.asarray([[-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]]))
    array([[-0.5,  0. ,  0.5],
           [-3. ,  4. , -1. ]])
    """
    if hasattr(offsets, "dtype"):
        return _of_array(offsets, order)
    from fractions import Fraction  # milliseconds that `import anygrad` need not take

    order = _offsets.exact(offsets, order)
    # In a unit in which all of them are integers, as those of the kernels are.
    unit = math.lcm(*(offset.denominator for offset in offsets))
    numerators, denominator = _formulas.weights(
        [int(offset * unit) for offset in offsets], order
    )
    return tuple(Fraction(w * unit**order, denominator) for w in numerators)


def _of_array(offsets: Any, order: Any) -> Any:
    samples = _dispatch.samples_of(offsets, "offsets")
    number, xp = _offsets.array(samples, order), samples.namespace
    dtype = samples.dtype
    precision = _precision.choose(dtype, dtype, False, samples.device, xp)
    with _dispatch.surroundings(samples):
        from . import _lagrange  # a call without arrays needs none of it

        return _lagrange.weights(samples.array, number, precision, xp)
