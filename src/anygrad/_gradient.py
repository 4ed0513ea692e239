"""The door: signature, documentation, three steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

from . import _calls, _plans
from ._calls import Request
from ._typing import Array, ArrayT

#: What one dim may be given: a step, or coordinates.
Spacing: TypeAlias = "complex | Array"

#: What may stand at the ends of one dim: a mode or a constant; one for each end; or
#: "periodic" with the period.
Mode: TypeAlias = "str | complex"
Boundary: TypeAlias = "Mode | tuple[Mode, Mode]"


@overload
def gradient(  # numpydoc ignore=GL08
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
    accuracy: int = 2,
    boundary: Boundary | list[Boundary] = "one_sided",
    where: Array | None = None,
    stack_dim: None = None,
    axis: int | Sequence[int] | None = None,
) -> tuple[ArrayT, ...]: ...


@overload
def gradient(  # numpydoc ignore=GL08
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
    accuracy: int = 2,
    boundary: Boundary | list[Boundary] = "one_sided",
    where: Array | None = None,
    stack_dim: int,
    axis: int | Sequence[int] | None = None,
) -> ArrayT: ...


def gradient(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
    accuracy: int = 2,
    boundary: Boundary | list[Boundary] = "one_sided",
    where: Array | None = None,
    stack_dim: int | None = None,
    axis: int | Sequence[int] | None = None,
) -> tuple[ArrayT, ...] | ArrayT:
    """Estimate the gradient of a function from its samples on a grid.

    The partial derivatives are estimated by finite differences: second-order accurate
    central ones in the interior, one-sided ones at the edges.  The meaning is that of
    `torch.gradient`, for an array of any library that follows the array API standard:
    the result is of the same library, on the same device, as lazy, as traced and as
    differentiable as the samples.  This is not automatic differentiation: what is
    differentiated is sampled data, not a Python function.

    Parameters
    ----------
    input : array of shape (..., n, ...), real or complex floating, or of integers
        The samples.  At least ``edge_order + 1`` along each dim that is differentiated.
    spacing : scalar, array, list or tuple of these, or None, default: 1
        Where the samples lie.  One scalar is the step along every dim.  A list or
        tuple has one entry per dim named, each of them

        - a Python number or an array of shape (): the step, which may be negative or
          complex;
        - an array of shape (n,): the coordinate of each point along the dim;
        - an array with as many dimensions as `input`, of length n along the dim, and
          broadcastable to `input`: a coordinate for each point, as on a curvilinear
          grid.

        Arrays are of the library and on the device of `input`; NumPy coordinates go
        with a Dask `input`.  Coordinates may be uneven and descending.  Their values
        are not looked at: where two neighbours are equal, the derivative is infinite
        or NaN.  None is 1.
    dim : int, or list or tuple of int, or None, default: None
        The dims to differentiate along, each once; the results, and the entries of
        `spacing`, are in this order.  None is all of them.
    edge_order : int, default: 1
        The order of accuracy of the first and the last point along a dim, from 1 to
        `accuracy`, where the boundary is one-sided.
    accuracy : int, default: 2
        The order of accuracy of the interior: 2, 4, 6 and so on.  The formulas read
        ``accuracy / 2`` points to either side.
    boundary : str, number, tuple or list, default: "one_sided"
        What lies beyond the ends of a dim; a list has one entry per dim named, each of
        them

        - ``"one_sided"``: nothing, so the formulas there read points to one side only;
        - ``"periodic"``: the other end, one step from the first point to the last; with
          coordinates, ``("periodic", period)`` with a period longer than their span;
        - ``"reflect"``, ``"symmetric"``, ``"edge"``: samples as `numpy.pad` names
          them, at mirrored coordinates;
        - a number: that value everywhere;
        - a pair (left, right) of these, except of ``"periodic"``.

        Except for ``"one_sided"``, the formula at the edges is that of the interior.
    where : array of bool or None, default: None
        Which samples are valid: broadcastable to `input`, of its library and on its
        device, or a NumPy array with a Dask `input`.  Only for ``accuracy=2``.  Values
        under False do not matter.  Where the formula of a point names one of them, the
        point gets a one-sided formula of the order `edge_order` instead, or NaN if
        there are too few valid samples for that, too.  None is: all.
    stack_dim : int or None, default: None
        Where a new dim of all results stands, in one array; None returns a tuple.
    axis : int, or list or tuple of int, or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    tuple of array, or array
        One partial derivative per dim, in one array if `stack_dim` is an int, each of
        the shape of `input`, in the unit of `input` per unit of `spacing`.  Floating
        samples keep their dtype, integer ones get the default real floating dtype of
        their library; a floating `spacing` array of coordinates is promoted with it as
        in the standard, steps are not; a complex step or coordinate makes the result
        complex.  Empty for a 0-dimensional `input` or for no dims.

    Raises
    ------
    TypeError
        If `input` is not an array of the standard, is masked, labelled, a quantity,
        sparse or nested, or its dtype is bool or not numeric; if `dim` is not of ints;
        if `edge_order`, `accuracy` or `stack_dim` is not an int; if `boundary` is
        neither a mode nor a number, or complex for a real `input`; if `spacing` or an
        entry of it is neither a number nor an array, is of another library or of such a
        dtype, or is a bare array of coordinates; if `where` is no array, is of another
        library or not of bools; if both `dim` and `axis` are given.
    ValueError
        If a dim is named twice; if `accuracy` is not even and positive; if `edge_order`
        is not between 1 and `accuracy`; if `boundary` is an unknown mode, has the wrong
        number of entries, is periodic at one end only, has a period without coordinates
        or none with them, or one that is not longer than they are (where their values
        can be read); if there are too few points, or an unknown number of them, along a
        dim; if `spacing` has the wrong number of entries; if a Python number in it is
        zero, not finite, or far out of the range of the dtype of `input`; if
        coordinates or `where` have the wrong shape or are on another device; if `where`
        is given for another `accuracy` than 2.
    IndexError
        If `input` has no such dim; if `stack_dim` is no dim of the result.

    See Also
    --------
    numpy.gradient : Positional spacing; one array instead of a tuple for one axis.
    torch.gradient : The reference; integers wrap, coordinates are not checked.
    jax.grad : The derivative of a Python function, not of samples.

    Notes
    -----
    With a step `h`, the interior is ``(f[i+1] - f[i-1]) / (2 * h)``, with an error of
    ``h**2 / 6`` times the third derivative.  With coordinates, let `s` be the slopes to
    the left and to the right neighbour, and `h` the distances to them: the interior is
    ``(h_right * s_left + h_left * s_right) / (h_left + h_right)``, which is the formula
    of `torch.gradient`, written such that no product of steps is formed [1]_.  The
    edges are the slope to the neighbour for ``edge_order=1``, and the derivative of the
    parabola through the nearest three points for ``edge_order=2``.

    Sums are formed in a working dtype that holds at least 32 bits, and 64 for integer
    samples where the device has them, and rounded once; integers, also those of 64
    bits, are subtracted without wrapping and without rounding their values first.
    A NaN affects the points whose formula reads it, and no others: with a step,
    interior points do not read their own sample.  With `where`, of the formula of
    all samples, the forward and the backward one, each point gets the first whose
    samples are all valid: so each run of valid samples is differentiated as an array of
    its own, with edges of `edge_order`, and a hole of one point has a central value on
    a step.  Points beyond the ends are as valid as the samples that they stand for.
    Coordinates of invalid samples do not matter to the values, except near ends that
    have ghosts, which are placed by them; for automatic differentiation, they must be
    distinct, finite numbers.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced
       grids", Mathematics of Computation 51, 1988, 699-706.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import gradient
    >>> gradient(np.asarray([0.0, 1.0, 4.0, 9.0]))
    (array([1., 2., 4., 5.]),)

    Samples of ``x**2`` at uneven points, with edges of the second order:

    >>> x = np.asarray([0.0, 1.0, 3.0, 4.0])
    >>> gradient(x**2, spacing=[x], edge_order=2)
    (array([0., 2., 6., 8.]),)

    The second dim only, with a step of one half:

    >>> gradient(np.asarray([[1, 2, 4], [0, 5, 5]]), dim=1, spacing=0.5)
    (array([[ 2.,  3.,  4.],
           [10.,  5.,  0.]]),)

    One sample is missing, and the last one has no neighbour:

    >>> f = np.asarray([0.0, 1.0, 4.0, 999.0, 16.0])
    >>> gradient(f, where=f < 100)
    (array([ 1.,  2.,  3.,  6., nan]),)
    """
    request = Request(
        spacing, boundary, where, dim, axis, 1, accuracy, edge_order, stack_dim
    )
    plan = _plans.plan(_calls.gradient, input, request)
    results: tuple[Any, ...] = plan.executor(input, plan, plan.namespace)
    return results if stack_dim is None else results[0]


def derivative(
    input: ArrayT,
    *,
    dim: int | None = None,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    order: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary = "one_sided",
    where: Array | None = None,
    axis: int | None = None,
) -> ArrayT:
    """Estimate one partial derivative, of any order, from samples on a grid.

    Parameters
    ----------
    input : array of shape (..., n, ...), real or complex floating, or of integers
        The samples.
    dim : int or None, default: None
        The dim to differentiate along; None is the last one.
    spacing : scalar, array, or None, default: 1
        The step, or the coordinates, as an entry of the `spacing` of `gradient`.
    order : int, default: 1
        The order `m` of the derivative.
    accuracy : int, default: 2
        The order of accuracy of the interior: 2, 4, 6 and so on; on coordinates, too.
    edge_order : int or None, default: None
        The order of accuracy of the first and the last point, from 1 to `accuracy`,
        where the boundary is one-sided; None is `accuracy`.
    boundary : str, number or tuple, default: "one_sided"
        What lies beyond the ends of the dim, as in `gradient`.
    where : array of bool or None, default: None
        Which samples are valid, as in `gradient`; for ``order=1`` and ``accuracy=2``.
    axis : int or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    array
        Of the shape of `input`, and of a dtype as in `gradient`, in the unit of `input`
        per unit of `spacing` to the power `order`.

    Raises
    ------
    TypeError, ValueError, IndexError
        As in `gradient`; if `order` is no positive int.

    See Also
    --------
    gradient : First derivatives along several dims.
    stencil : The weights of a formula.

    Notes
    -----
    The central formula reads ``r = (m + 1) // 2 + accuracy / 2 - 1`` points to either
    side; on coordinates, one more for an even `m`, whose formula is less accurate where
    the steps are unequal.  Row ``i < r`` from an edge reads the first
    ``max(edge_order + m, 2 * i + 1)`` points.  The weights are those of the polynomial
    through the points: exact integers over ``h**m`` for a step `h`, ratios of lengths
    for coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import derivative
    >>> derivative(np.asarray([0.0, 1.0, 8.0, 27.0, 64.0]), order=2)
    array([ 0.,  6., 12., 18., 24.])
    """
    request = Request(spacing, boundary, where, dim, axis, order, accuracy, edge_order)
    plan = _plans.plan(_calls.derivative, input, request)
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result
