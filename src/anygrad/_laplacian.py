"""The door to the sum of the second derivatives."""

from __future__ import annotations

from collections.abc import Sequence

from . import _calls, _plans
from ._typing import Array, ArrayT, Boundary, DType, PerDim, Spacing


def laplacian(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary | PerDim = "one_sided",
    where: Array | None = None,
    scale_factors: Sequence[float | Array] | None = None,
    dtype: DType | None = None,
    axis: int | Sequence[int] | None = None,
) -> ArrayT:
    """Estimate the Laplacian of a function from its samples on a grid.

    Parameters
    ----------
    input : array of shape (..., n, ...), real or complex floats, or integers
        The samples.  Along each dim named, there must be at least
        ``max(edge_order + 2, accuracy)`` of them, and ``accuracy + 2`` on
        coordinates, where an end is one-sided or `where` is given.  Where no
        end is one-sided and `where` is None, one is enough, and two for
        ``"reflect"`` and, on coordinates, for all but ``"periodic"`` and
        ghosts that are given.  With ghosts of a neighbour at one end only,
        `halo_width` says how many (`shortest_block`).  Dims that are not named
        are batches.
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
        The dims of space, each once; the entries of `spacing` and `boundary`
        are in this order.  Negative ones count from the last dim.  None is all
        of them.
    accuracy : int, default: 2
        The order of accuracy of the interior: 2, 4, 6 and so on; on
        coordinates, too.  The formulas read ``accuracy / 2`` points to either
        side, those of second derivatives one more on coordinates.
    edge_order : int or None, default: None
        The order of accuracy of the first and the last point along a dim,
        where the boundary is one-sided: 1 or more, above `accuracy`, too.
        None is `accuracy`.
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
    array
        The sum of the second derivatives, of the shape of `input`, in the unit
        of `input` per unit of `spacing` squared.  Of the library and on the
        device of `input`.  Floating samples keep their dtype, integer ones get
        the default real floating dtype of their library; floating coordinates
        in `spacing` are promoted with it as in the standard, steps are not; a
        complex step or coordinate makes the result complex.

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
        - If `accuracy` is not an int.
        - If `edge_order` is neither an int nor None.
        - If `boundary` or an entry of it is neither a str, a number nor an
          array, is complex for a real `input`, is an array of another library
          than `input` and NumPy, or holds no numbers; if a period is neither a
          real number nor an array of these; if the dtype of ghosts is none
          that `input` can hold, or of their coordinates none that `spacing`
          can.
        - If `where` is not a plain, dense array of bools, or is of another
          library than `input` and NumPy.
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
        - If `dim` or `axis` names no dim, or one twice.
        - If `accuracy` is not even and positive.
        - If `edge_order` is not positive.
        - If `boundary` is a list of another length than there are dims, or a
          bare pair for several dims; if it or an entry of it is an unknown
          mode, a tuple of another length than 2, periodic at one end only,
          along complex coordinates, without a period on coordinates or with
          one on a step; if a period that is a number is not positive and
          finite; if an array has none of the shapes above, or is on another
          device; if ghosts are given outside of a pair, are too few, have
          coordinates on a step or none on coordinates.
        - If `where` is not broadcastable to `input` or is on another device.
        - If `scale_factors` has another length than there are dims; if an
          entry is zero, not finite, on another device or does not fit.
    IndexError
        - If `dim` or `axis` names a dim that `input` does not have.

    See Also
    --------
    hessian : All second derivatives.

    Notes
    -----
    The formulas are those of second derivatives, not the gradient of a
    gradient, which is less accurate and blind to the shortest wave of the
    grid: on a step `h`, by default, ``(f[i-1] - 2 * f[i] + f[i+1]) / h**2``.
    The notes of `derivative` have all others, with ``order=2``.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import laplacian
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(4.0), indexing="ij")
    >>> laplacian(x**2 + y**2)
    array([[4., 4., 4., 4.],
           [4., 4., 4., 4.],
           [4., 4., 4., 4.],
           [4., 4., 4., 4.]])
    """
    plan = _plans.plan(
        _calls.laplacian,
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
    )
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result
