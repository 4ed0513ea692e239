"""The door to what a call reads of a neighbour's block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import _dispatch, _refusals, _schemes
from ._checks import boundary as _boundary
from ._checks import input as _input
from ._checks import order as _order
from ._checks import spacing as _spacing
from ._checks import where as _where
from ._checks.wording import shown
from ._classes import is_array, ndim_of
from ._curl import curl
from ._derivative import derivative
from ._divergence import divergence
from ._gradient import gradient
from ._hessian import hessian
from ._jacobian import jacobian
from ._laplacian import laplacian
from ._records import Ends
from ._typing import Array, Boundary
from ._unmasked import unmasked

#: The order of the derivatives that a function takes, and its usual `edge_order`; None
#: for an order that is given, and for the accuracy.
ORDERS: dict[Any, tuple[int | None, int | None]] = {
    gradient: (1, 1),
    derivative: (None, None),
    divergence: (1, None),
    curl: (1, None),
    jacobian: (1, None),
    laplacian: (2, None),
    hessian: (2, None),
}


class HaloWidth(NamedTuple):
    """What a call needs of the neighbours of a block, along one dim.

    Attributes
    ----------
    left, right : int
        How many points it reads of the neighbour at either side.
    shortest_block : int
        How long each block must be, so that no more than that is read.
    """

    left: int
    right: int
    shortest_block: int


def halo_width(
    function: Callable[..., Any],
    *,
    spacing: complex | Array | None = 1,
    order: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary = "one_sided",
    where: Array | bool | None = None,
) -> HaloWidth:
    """Return how many points a call reads of a neighbour's block, along one dim.

    If you cut an array into blocks, for processes or devices, give each block
    that many points of its neighbours, its ghosts, and pass
    ``boundary="ghosts"`` there: the results have the same bits as those of the
    whole array.

    Parameters
    ----------
    function : callable
        Which function is called: `gradient`, `derivative`, `divergence`,
        `curl`, `laplacian`, `jacobian` or `hessian`.  All other arguments are
        those of the call on the whole array, as far as they are for one dim.
    spacing : scalar, array or None, default: 1
        The step, or the coordinates, of which only the number of dimensions
        counts.
    order : int, default: 1
        The order of the derivative, for `derivative` only.
    accuracy : int, default: 2
        The order of accuracy of the interior.
    edge_order : int or None, default: None
        The order of accuracy of one-sided formulas.  None is 1 for `gradient`,
        and the accuracy for all others.
    boundary : str, number, array or tuple, default: "one_sided"
        What lies beyond the ends of the whole array.
    where : array of bool, bool or None, default: None
        The mask of the call, or True for any mask: it only matters whether
        there is one.

    Returns
    -------
    HaloWidth
        A named tuple of ints: `left` and `right`, how many points of the
        neighbour on either side are read, and `shortest_block`, how long a
        block must be for that to suffice.

    Raises
    ------
    TypeError
        - If `function` is none of these.
        - If `spacing` is neither a number nor an array of numbers.
        - If `order` is not an int, or given for another function than
          `derivative`.
        - If `accuracy` is not an int.
        - If `edge_order` is neither an int nor None.
        - If `boundary` is a list, or it or an entry of it is neither a str, a
          number nor an array; if a period is neither a real number nor an
          array.
        - If `where` is neither a bool nor an array of bools.
    ValueError
        - If `spacing` is a list of another length than 1, or a Python number
          that is zero or not finite.
        - If `order` is not positive.
        - If `accuracy` is not even and positive.
        - If `edge_order` is not positive.
        - If `boundary` is or has "ghosts", is an unknown mode, a tuple of
          another length than 2, or periodic at one end only; if a period is
          not positive and finite.

    See Also
    --------
    gradient, derivative : What ``boundary="ghosts"`` makes of such a block.

    Notes
    -----
    Without `where`, it is the half-width of the central formula:
    ``(order + 1) // 2 + accuracy // 2 - 1``, and one more on coordinates for
    an even order.  With `where`, it is ``edge_order + order - 1``, if that is
    more.

    A block at an end of the array needs ``shortest_block`` points beside its
    ghosts, because the formulas of the edge read them; a shorter one between
    others is fine if its ghosts come from beyond the next block.

    `laplacian` and `hessian` read as their second derivatives do, along each
    dim.  Mixed derivatives also read the corners of the halo: exchange ghosts
    dim by dim, the second time including the ghosts of the first.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.halo_width(anygrad.gradient)
    HaloWidth(left=1, right=1, shortest_block=1)
    >>> anygrad.halo_width(anygrad.derivative, order=2, accuracy=4)
    HaloWidth(left=2, right=2, shortest_block=4)

    A block between others, with one ghost at either end:

    >>> import numpy as np
    >>> f = np.asarray([0.0, 1.0, 4.0, 9.0, 16.0, 25.0])
    >>> anygrad.derivative(f[1:5], boundary="ghosts")
    array([4., 6.])
    """
    number, usual = _orders_of(function, order)
    orders = _order.orders(number, accuracy, edge_order, usual)
    (entry,) = _spacing.entries(_spacing.single(spacing), 1)
    if _boundary.has_ghosts(_boundary.single(boundary)):
        msg = (
            f"`boundary` must be that of the whole array. Got {shown(boundary)}. "
            "'ghosts' are for its blocks."
        )
        raise ValueError(msg)
    (ends,) = _boundary.ends(boundary, 1)
    _check_arrays(entry, ends, where)
    is_uneven = ndim_of(entry.given) > 0
    is_masked = where is not None and where is not False
    recipe = _schemes.Recipe(*orders, *ends[:2], is_uneven)
    recipes = _schemes.farthest(recipe) if is_masked else [recipe]
    left, right, points, _ = _schemes.halo(recipes)
    # The block at an end of the array has ghosts at its other side only.
    return HaloWidth(left, right, max(left, right, points - min(left, right)))


def _check_arrays(entry: _spacing.Entry, ends: Ends, where: Any) -> None:
    """Refuse what is refused by a call, whatever its samples are."""
    given = [("boundary", value) for value in ends.values() if is_array(value)]
    if not entry.is_number:
        _spacing.check_kind(entry)
        given.append((entry.name, entry.given))
    for name, array in given:
        if _refusals.first_in(array, _refusals.is_quantity) is None:
            _input.check_numeric(_dispatch.samples_of(unmasked(array), name), name)
    if where is not None and not isinstance(where, bool):
        if not is_array(where):
            msg = (
                f"`where` must be a bool or a boolean array. Got {shown(where)}. Give "
                "True for any mask."
            )
            raise TypeError(msg)
        _where.check_bool(_dispatch.samples_of(unmasked(where), "where"))


def _orders_of(function: Any, order: Any) -> tuple[Any, int | None]:
    """Return the order of the derivatives, and the usual `edge_order`."""
    try:
        number, usual = ORDERS[function]
    except (KeyError, TypeError):
        names = ", ".join([f"`{known.__name__}`" for known in ORDERS])
        msg = f"`function` must be one of {names} of `anygrad`. Got {shown(function)}."
        raise TypeError(msg) from None
    if number is None:
        return order, usual
    if _order.checked_order(order) != 1:
        msg = (
            f"`order` must be left out for `{function.__name__}`. Got {shown(order)}. "
            "It is an argument of `derivative`."
        )
        raise TypeError(msg)
    return number, usual
