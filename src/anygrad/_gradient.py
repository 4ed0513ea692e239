"""The door to gradients: signature, documentation, three steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from . import _calls, _plans
from ._typing import Array, ArrayT, Boundary, DType, PerDim, Spacing


@overload
def gradient(  # numpydoc ignore=GL08
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int | None = 1,
    accuracy: int = 2,
    boundary: Boundary | PerDim = "one_sided",
    where: Array | None = None,
    stack_dim: None = None,
    scale_factors: Sequence[float | Array] | None = None,
    dtype: DType | None = None,
    axis: int | Sequence[int] | None = None,
) -> tuple[ArrayT, ...]: ...


@overload
def gradient(  # numpydoc ignore=GL08
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int | None = 1,
    accuracy: int = 2,
    boundary: Boundary | PerDim = "one_sided",
    where: Array | None = None,
    stack_dim: int,
    scale_factors: Sequence[float | Array] | None = None,
    dtype: DType | None = None,
    axis: int | Sequence[int] | None = None,
) -> ArrayT: ...


def gradient(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int | None = 1,
    accuracy: int = 2,
    boundary: Boundary | PerDim = "one_sided",
    where: Array | None = None,
    stack_dim: int | None = None,
    scale_factors: Sequence[float | Array] | None = None,
    dtype: DType | None = None,
    axis: int | Sequence[int] | None = None,
) -> tuple[ArrayT, ...] | ArrayT:
    """Estimate the gradient of a function from its samples on a grid.

    The partial derivatives are estimated by finite differences: by default,
    central ones of the second order in the interior, and one-sided ones of the
    first order at the edges.  That is what `torch.gradient` does, here for
    arrays of any library that follows the array API standard: results are of
    the same library, on the same device, and as lazy, as traced and as
    differentiable as the samples.  This is not automatic differentiation: it
    differentiates sampled data, not a Python function.

    Parameters
    ----------
    input : array of shape (..., n, ...), real or complex floats, or integers
        The samples.  Along each dim that is differentiated, there must be at
        least ``max(edge_order + 1, accuracy)`` of them where an end is
        one-sided or `where` is given.  Where no end is one-sided and `where`
        is None, one is enough, and two for ``"reflect"`` and, on coordinates,
        for all but ``"periodic"`` and ghosts that are given.  With ghosts of a
        neighbour at one end only, `halo_width` says how many
        (`shortest_block`).
    spacing : scalar, array, list or tuple of these, or None, default: 1
        Where the samples lie.  One scalar is the step along every dim.  A list
        or tuple has one entry per dim named, each of them

        - a Python number or an array of shape (): the step, which may be
          negative or complex;
        - an array of shape (n,): the coordinate of each point along the dim;
        - an array with as many dimensions as `input`, of length n along the
          dim, and broadcastable to `input`: a coordinate for each point, as on
          a curvilinear grid; those of `numpy.meshgrid` need its
          ``indexing="ij"``.

        Arrays must be of the library and on the device of `input`, or NumPy's,
        which go with any library, as constants of the call.  Coordinates may
        be uneven, descending and complex.  Their values are not looked at:
        where two neighbours are equal, the derivative is infinite or NaN.
        None is 1.  Quantities of pint, astropy, unyt and unxt are taken here,
        as `input` and in `boundary`; results are quantities then.
    dim : int, or list, tuple or range of int, or None, default: None
        The dims to differentiate along, each once; the results, and the
        entries of `spacing` and `boundary`, are in this order.  Negative ones
        count from the last dim.  None is all of them.
    edge_order : int or None, default: 1
        The order of accuracy of the first and the last point along a dim,
        where the boundary is one-sided: 1 or more, above `accuracy`, too.
        None is 1.
    accuracy : int, default: 2
        The order of accuracy of the interior: 2, 4, 6 and so on; on
        coordinates, too.  The formulas read ``accuracy / 2`` points to either
        side.
    boundary : str, number, array, tuple or list, default: "one_sided"
        What lies beyond the ends of each dim; a list has one entry per dim
        named, each of them

        - ``"one_sided"``: nothing, so the formulas there read points to one
          side only;
        - ``"periodic"``: the other end, where the first point is one step
          after the last, and not the same point again; with coordinates,
          ``("periodic", period)`` with the length after which they repeat,
          which is positive, even if they descend, and may be an array: one for
          each line;
        - ``"reflect"``, ``"symmetric"``, ``"edge"``: samples as `numpy.pad`
          names them, at mirrored coordinates;
        - a number: that value everywhere, in the unit of `input`; or an array:
          one for each line;
        - ``"ghosts"``: samples of a neighbouring block, which `input` includes
          at this end, with their coordinates and their part of a mask
          (`halo_width` says how many): the result is that for the block's own
          points, and shorter by the ghosts;
        - ``("ghosts", samples)``, in a pair only: samples beyond that end, in
          the order of the dim and with the lengths of `input` along all others
          (`halo_width` says how many at least); with coordinates,
          ``("ghosts", samples, coordinates)``; `where` must be None then;
        - a pair (left, right) of these, except of ``"periodic"``.

        Except for ``"one_sided"``, the formula at the edges is that of the
        interior.  Arrays must be of the library and on the device of `input`,
        or NumPy's, and are converted to the working dtype.  Those of values
        broadcast to `input`, those of periods to what is differentiated, with
        a length of one along the dim.  A period must be longer than the span
        of the coordinates, which is not checked: otherwise, the step from the
        last point to the first is negative or zero, and the derivatives near
        the ends are meaningless, infinite or NaN.  For several dims, a pair
        must be in a list, because a bare one could mean two ends or two dims.
    where : array of bool or None, default: None
        Which samples are valid: broadcastable to `input`, of its library and
        on its device, or a NumPy array.  None means all.  Values where it is
        False do not matter.  Along a dim, each run of valid samples is
        differentiated as an array of its own; if it is too short, `edge_order`
        and then `accuracy` are reduced to what fits, and if nothing does, the
        result is NaN.  A masked `input` brings its mask, and results are
        masked.
    stack_dim : int or None, default: None
        The position of a new dim, along which all results are put into one
        array; negative numbers count from behind the last dim of `input`.
        None returns a tuple.
    scale_factors : list or tuple of float or array, or None, default: None
        The length of a unit step along each dim, for orthogonal curved
        coordinates; `spherical`, `cylindrical` and `lonlat` return them.  Each
        is a number, or a real array, broadcastable to `input`, and with more
        than one dim if that has more.  Where one is zero, results are infinite
        or NaN.
    dtype : dtype or None, default: None
        The dtype of the result: a real or complex floating one of the library
        of `input`, or the name of one in the standard.  The result is rounded
        to it once; the computation is no less precise than without it.  None
        is what follows from `input` and `spacing`, as said below.
    axis : int, or list, tuple or range of int, or None, default: None
        Another name for `dim`; only one of them may be given.

    Returns
    -------
    tuple of array, or array
        One partial derivative per dim, in one array if `stack_dim` is an int,
        each of the shape of `input`, in the unit of `input` per unit of
        `spacing`.  Of the library and on the device of `input`.  Floating
        samples keep their dtype, integer ones get the default real floating
        dtype of their library; floating coordinates in `spacing` are promoted
        with it as in the standard, steps are not; a complex step or coordinate
        makes the result complex.  Empty for a 0-dimensional `input` or for no
        dims.

    Raises
    ------
    TypeError
        - If `input` is not an array of the standard, or is labelled,
          compressed, sparse, nested, a matrix or of another class whose arrays
          carry more than their numbers, or its dtype is bool or not numeric.
        - If `spacing` is an array of coordinates that is not in a list; if it
          or an entry of it is neither a number nor an array, is of another
          library than `input` and NumPy, is complex where that has no complex
          dtypes, has masked points, is a quantity of another library than
          others of the call, or is an array that would be refused as `input`.
        - If `dim` or `axis` is neither an int nor a list, tuple or range of
          ints.
        - If `edge_order` is neither an int nor None.
        - If `accuracy` is not an int.
        - If `boundary` or an entry of it is neither a str, a number nor an
          array, is complex for a real `input`, is an array of another library
          than `input` and NumPy, or holds no numbers; if a period is neither a
          real number nor an array of these; if the dtype of ghosts is none
          that `input` can hold, or of their coordinates none that `spacing`
          can.
        - If `where` is not a plain, dense array of bools, or is of another
          library than `input` and NumPy.
        - If `stack_dim` is neither an int nor None.
        - If `scale_factors` is neither a list or tuple nor None; if an entry
          of it is not real, or would be refused in `spacing`.
        - If `dtype` is not a floating dtype of the library of `input`, is not
          supported by its device, or is real for a complex result.
        - If both `dim` and `axis` are given.
    ValueError
        - If `input` has too few points, or an unknown number of them, along a
          dim.
        - If `spacing` is a list or tuple of another length than there are
          dims; if a Python number in it is zero, not finite, or far outside
          the range of the dtype of `input`; if an array in it has none of the
          shapes above, or is on another device.
        - If `dim` or `axis` names a dim twice.
        - If `edge_order` is not positive.
        - If `accuracy` is not even and positive.
        - If `boundary` is a list of another length than there are dims, or a
          bare pair for several dims; if it or an entry of it is an unknown
          mode, a tuple of another length than 2, periodic at one end only,
          along complex coordinates, without a period on coordinates or with
          one on a step; if a period that is a number is not positive and
          finite; if an array has none of the shapes above, or is on another
          device; if ghosts are given outside of a pair, are too few, have
          coordinates on a step or none on coordinates.
        - If `where` is not broadcastable to `input` or is on another device.
        - If `stack_dim` is given where no dim is differentiated.
        - If `scale_factors` has another length than there are dims; if an
          entry is zero, not finite, on another device or does not fit.
    IndexError
        - If `dim` or `axis` names a dim that `input` does not have.
        - If `stack_dim` is not from ``-input.ndim - 1`` to ``input.ndim``.

    See Also
    --------
    numpy.gradient : Positional spacing; an array, not a tuple, for one axis.
    torch.gradient : The reference; integers wrap, coordinates are unchecked.
    jax.grad : The derivative of a Python function, not of samples.

    Notes
    -----
    With a step `h`, the interior is ``(f[i+1] - f[i-1]) / (2 * h)``, with an
    error of ``h**2 / 6`` times the third derivative.  With coordinates, let
    `s` be the slopes to the left and to the right neighbour, and `h` the
    distances to them: the interior is
    ``(h_right * s_left + h_left * s_right) / (h_left + h_right)``, which is
    the formula of `torch.gradient`, written such that no product of steps is
    formed [1]_.  The edges are the slope to the neighbour for
    ``edge_order=1``, and the derivative of the parabola through the nearest
    three points for ``edge_order=2``.  The formulas of other accuracies are in
    the notes of `derivative`.

    Sums are formed in a working dtype of at least 32 bits, and of 64 for
    integer samples where the device has them, and rounded once; integers, also
    those of 64 bits, are subtracted exactly, before they are converted.  A NaN
    affects the points whose formula reads it, and no others: with a step,
    interior points do not read their own sample.

    With `where`, each point gets the first of these formulas whose samples are
    all valid: the usual one, the forward and the backward one.  So each run of
    valid samples is differentiated as an array of its own, with edges of
    `edge_order`, and on a step, a hole of one point has a central difference.
    Points beyond the ends are as valid as the samples that they stand for.
    Coordinates of invalid samples do not affect the values, except near ends
    with ghosts, which are placed by them; for automatic differentiation, they
    must be distinct, finite numbers.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on
       arbitrarily spaced grids", Mathematics of Computation 51, 1988, 699-706.

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
    plan = _plans.plan(
        _calls.gradient,
        input,
        spacing=spacing,
        boundary=boundary,
        where=where,
        dim=dim,
        axis=axis,
        accuracy=accuracy,
        edge_order=edge_order,
        scale_factors=scale_factors,
        dtype=dtype,
        stack_dim=stack_dim,
    )
    results: tuple[Any, ...] = plan.executor(input, plan, plan.namespace)
    return results if stack_dim is None else results[0]
