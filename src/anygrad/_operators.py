"""The doors of vector calculus: sums and stacks of partial derivatives."""

from __future__ import annotations

from collections.abc import Sequence

from . import _calls, _plans
from ._calls import Request
from ._gradient import Boundary, Spacing
from ._typing import ArrayT


def divergence(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary | list[Boundary] = "one_sided",
    vector_dim: int = 0,
    axis: int | Sequence[int] | None = None,
) -> ArrayT:
    """Estimate the divergence of a vector field from its samples on a grid.

    Parameters
    ----------
    input : array, real or complex floating, or of integers
        The field: one component per dim named, along `vector_dim`; all other dims that
        are not named are batches.
    spacing : scalar, array, list or tuple of these, or None, default: 1
        As in `gradient`, one entry per dim named;
        coordinates per point have the dims of a single component.
    dim : int, or list or tuple of int, or None, default: None
        The dims of space, each once, in the order of the components; None is all of
        them but `vector_dim`.
    accuracy : int, default: 2
        The order of accuracy of the interior, as in `derivative`.
    edge_order : int or None, default: None
        The order of accuracy at one-sided edges; None is `accuracy`.
    boundary : str, number, tuple or list, default: "one_sided"
        What lies beyond the ends of the dims, as in `gradient`.
    vector_dim : int, default: 0
        The dim of the components.
    axis : int, or list or tuple of int, or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    array
        The sum of the derivatives of each component along its own dim: of the shape of
        `input` without `vector_dim`.

    Raises
    ------
    TypeError, ValueError, IndexError
        As in `gradient`; if no dim is named; if `vector_dim` is no dim of `input`, or
        has the wrong length.

    See Also
    --------
    curl : The rotation of a field.
    jacobian : All derivatives of all components.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import divergence
    >>> x, y = np.meshgrid(np.arange(3.0), np.arange(3.0), indexing="ij")
    >>> divergence(np.stack([x, 2 * y]))
    array([[3., 3., 3.],
           [3., 3., 3.],
           [3., 3., 3.]])
    """
    request = Request(
        spacing, boundary, None, dim, axis, 1, accuracy, edge_order, None, vector_dim
    )
    plan = _plans.plan(_calls.divergence, input, request)
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result


def curl(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary | list[Boundary] = "one_sided",
    vector_dim: int = 0,
    axis: int | Sequence[int] | None = None,
) -> ArrayT:
    """Estimate the curl of a vector field from its samples on a grid.

    With two dims named, it is the scalar ``d f[1] / d x[0] - d f[0] / d x[1]``; with
    three, a vector.

    Parameters
    ----------
    input : array, real or complex floating, or of integers
        The field: one component per dim named, along `vector_dim`; all other dims that
        are not named are batches.
    spacing : scalar, array, list or tuple of these, or None, default: 1
        As in `gradient`, one entry per dim named;
        coordinates per point have the dims of a single component.
    dim : int, or list or tuple of int, or None, default: None
        The dims of space, each once, in the order of the components; None is all of
        them but `vector_dim`.
    accuracy : int, default: 2
        The order of accuracy of the interior, as in `derivative`.
    edge_order : int or None, default: None
        The order of accuracy at one-sided edges; None is `accuracy`.
    boundary : str, number, tuple or list, default: "one_sided"
        What lies beyond the ends of the dims, as in `gradient`.
    vector_dim : int, default: 0
        The dim of the components.
    axis : int, or list or tuple of int, or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    array
        For two dims, of the shape of `input` without `vector_dim`; for three, of its
        shape.

    Raises
    ------
    TypeError, ValueError, IndexError
        As in `gradient`; if no dim is named; if `vector_dim` is no dim of `input`, or
        has the wrong length.

    See Also
    --------
    divergence : The sources of a field.
    jacobian : All derivatives of all components.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import curl
    >>> x, y = np.meshgrid(np.arange(3.0), np.arange(3.0), indexing="ij")
    >>> curl(np.stack([-y, x]))
    array([[2., 2., 2.],
           [2., 2., 2.],
           [2., 2., 2.]])
    """
    request = Request(
        spacing, boundary, None, dim, axis, 1, accuracy, edge_order, None, vector_dim
    )
    plan = _plans.plan(_calls.curl, input, request)
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result


def laplacian(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary | list[Boundary] = "one_sided",
    axis: int | Sequence[int] | None = None,
) -> ArrayT:
    """Estimate the Laplacian of a function from its samples on a grid.

    Parameters
    ----------
    input : array, real or complex floating, or of integers
        The samples.
    spacing : scalar, array, list or tuple of these, or None, default: 1
        As in `gradient`, one entry per dim named.
    dim : int, or list or tuple of int, or None, default: None
        The dims of space, each once, in the order of `spacing`; None is all of them.
    accuracy : int, default: 2
        The order of accuracy of the interior, as in `derivative`.
    edge_order : int or None, default: None
        The order of accuracy at one-sided edges; None is `accuracy`.
    boundary : str, number, tuple or list, default: "one_sided"
        What lies beyond the ends of the dims, as in `gradient`.
    axis : int, or list or tuple of int, or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    array
        The sum of the second derivatives, of the shape of `input`.

    Raises
    ------
    TypeError, ValueError, IndexError
        As in `gradient`; if no dim is named.

    See Also
    --------
    hessian : All second derivatives.

    Notes
    -----
    The formulas are those of second derivatives, not the gradient of a gradient, which
    is less accurate and blind to the shortest wave of the grid.

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
    request = Request(
        spacing, boundary, None, dim, axis, 1, accuracy, edge_order
    )
    plan = _plans.plan(_calls.laplacian, input, request)
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result


def jacobian(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary | list[Boundary] = "one_sided",
    vector_dim: int = 0,
    axis: int | Sequence[int] | None = None,
) -> ArrayT:
    """Estimate the Jacobian of a vector field from its samples on a grid.

    Parameters
    ----------
    input : array, real or complex floating, or of integers
        The field, with any number of components along `vector_dim`.
    spacing : scalar, array, list or tuple of these, or None, default: 1
        As in `gradient`, one entry per dim named;
        coordinates per point have the dims of a single component.
    dim : int, or list or tuple of int, or None, default: None
        The dims of space, each once, in the order of the second of the new dims; None
        is all of them but `vector_dim`.
    accuracy : int, default: 2
        The order of accuracy of the interior, as in `derivative`.
    edge_order : int or None, default: None
        The order of accuracy at one-sided edges; None is `accuracy`.
    boundary : str, number, tuple or list, default: "one_sided"
        What lies beyond the ends of the dims, as in `gradient`.
    vector_dim : int, default: 0
        The dim of the components.
    axis : int, or list or tuple of int, or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    array
        Two dims in the place of `vector_dim`: the components, and the dims named.

    Raises
    ------
    TypeError, ValueError, IndexError
        As in `gradient`; if no dim is named; if `vector_dim` is no dim of `input`, or
        has the wrong length.

    See Also
    --------
    divergence : Its trace.
    gradient : The derivatives of a scalar field.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import jacobian
    >>> x, y = np.meshgrid(np.arange(3.0), np.arange(3.0), indexing="ij")
    >>> jacobian(np.stack([x + 2 * y, 3 * x]))[:, :, 0, 0]
    array([[1., 2.],
           [3., 0.]])
    """
    request = Request(
        spacing, boundary, None, dim, axis, 1, accuracy, edge_order, None, vector_dim
    )
    plan = _plans.plan(_calls.jacobian, input, request)
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result


def hessian(
    input: ArrayT,
    *,
    spacing: Spacing | Sequence[Spacing] | None = 1,
    dim: int | Sequence[int] | None = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    boundary: Boundary | list[Boundary] = "one_sided",
    stack_dim: int = 0,
    axis: int | Sequence[int] | None = None,
) -> ArrayT:
    """Estimate all second derivatives of a function from its samples on a grid.

    Parameters
    ----------
    input : array, real or complex floating, or of integers
        The samples.
    spacing : scalar, array, list or tuple of these, or None, default: 1
        As in `gradient`, one entry per dim named.
    dim : int, or list or tuple of int, or None, default: None
        The dims of space, each once, in the order of the new dims; None is all of them.
    accuracy : int, default: 2
        The order of accuracy of the interior, as in `derivative`.
    edge_order : int or None, default: None
        The order of accuracy at one-sided edges; None is `accuracy`.
    boundary : str, number, tuple or list, default: "one_sided"
        What lies beyond the ends of the dims, as in `gradient`.
    stack_dim : int, default: 0
        Where the first of the two new dims stands; they are neighbours.
    axis : int, or list or tuple of int, or None, default: None
        Another word for `dim`; only one of them may be given.

    Returns
    -------
    array
        The shape of `input` with two more dims, both in the order of the dims named.

    Raises
    ------
    TypeError, ValueError, IndexError
        As in `gradient`; if no dim is named; if `stack_dim` is no dim of the result.

    See Also
    --------
    laplacian : The sum of its diagonal.

    Notes
    -----
    On the diagonal are second derivatives.  A mixed one is the derivative of a
    derivative; it is computed once and stands in both places.  Beyond an end where the
    samples are a number, their derivative is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad import hessian
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(4.0), indexing="ij")
    >>> hessian(x**2 + 3 * x * y)[:, :, 1, 1]
    array([[2., 3.],
           [3., 0.]])
    """
    request = Request(
        spacing, boundary, None, dim, axis, 1, accuracy, edge_order, stack_dim
    )
    plan = _plans.plan(_calls.hessian, input, request)
    result: ArrayT = plan.executor(input, plan, plan.namespace)[0]
    return result
