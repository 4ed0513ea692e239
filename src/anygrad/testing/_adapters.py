"""The gradients of other libraries, called with the arguments of `anygrad.gradient`.

An adapter translates the arguments and nothing more: what the library then does with
them, it does itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._curl import curl
from .._derivative import derivative
from .._divergence import divergence
from .._gradient import gradient
from .._hessian import hessian
from .._jacobian import jacobian
from .._laplacian import laplacian
from ..testing._arrays import Gradient, stop_unless


def gradient_of(library: str) -> Gradient:
    """Return a library's own gradient, under the arguments of `anygrad.gradient`.

    Parameters
    ----------
    library : {"anygrad", "numpy", "torch", "jax", "dask", "cupy", "findiff"}
        The library; it must be installed.

    Returns
    -------
    callable
        Called with `input` and the keywords `spacing`, `dim` and `edge_order`;
        it translates these for the library and returns what the library
        returns.

    Raises
    ------
    ValueError
        If there is no adapter for `library`.
    ImportError
        If `library` is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad.testing import gradient_of
    >>> gradient_of("numpy")(np.asarray([0.0, 1.0, 4.0]), spacing=0.5)
    array([2., 4., 6.])
    """
    if library not in ADAPTERS:
        known = ", ".join(map(repr, ADAPTERS))
        msg = f"`library` must be one of {known}. Got {library!r}."
        raise ValueError(msg)
    return ADAPTERS[library]()


def functions_of(library: str) -> Mapping[str, Callable[..., Any]]:
    """Return a library's other derivatives, under the arguments of `anygrad`'s.

    Parameters
    ----------
    library : {"anygrad", "numpy", "torch", "jax", "dask", "cupy", "findiff"}
        The library; it must be installed.

    Returns
    -------
    mapping from str to callable
        From names such as ``"derivative"`` to functions, as `run_checks` takes
        them; empty for the libraries that have a gradient only.

    Raises
    ------
    ValueError
        If there is no adapter for `library`.
    ImportError
        If `library` is not installed.

    See Also
    --------
    gradient_of : The gradient of a library.

    Examples
    --------
    >>> from anygrad.testing import functions_of
    >>> sorted(functions_of("anygrad"))
    ['curl', 'derivative', 'divergence', 'hessian', 'jacobian', 'laplacian']
    """
    gradient_of(library)  # which knows the names, and whether it is installed
    functions = FUNCTIONS.get(library)
    return {} if functions is None else functions()


def _dims(dim: Any, axis: Any) -> Any:
    """Return what stands for `dim` where a library has a single word for it."""
    stop_unless(dim is None or axis is None, "there is one word for dims")
    return dim if axis is None else axis


def _positional(
    module: str,
    *,
    has_orders: bool = True,
    in_memory: Callable[[Any], Any] = lambda entry: entry,
) -> Gradient:
    """Return a gradient in the manner of NumPy: spacing by position, `axis` for `dim`.

    Where it has no orders of edges, these are of the first.
    """
    theirs = importlib.import_module(module).gradient

    def call(
        input: Any,
        *,
        spacing: Any = 1,
        dim: Any = None,
        edge_order: Any = 1,
        axis: Any = None,
    ) -> Any:
        entries = spacing if isinstance(spacing, (list, tuple)) else (spacing,)
        if spacing is None:
            entries = ()
        dims = _dims(dim, axis)
        dims = tuple(dims) if isinstance(dims, list) else dims
        is_first = edge_order == 1 and not isinstance(edge_order, bool)
        order = {"edge_order": edge_order} if has_orders or not is_first else {}
        return theirs(input, *map(in_memory, entries), axis=dims, **order)

    return call


def _findiff() -> Gradient:
    findiff = importlib.import_module("findiff")

    def call(
        input: Any,
        *,
        spacing: Any = 1,
        dim: Any = None,
        edge_order: Any = 1,
        accuracy: Any = 2,
        axis: Any = None,
    ) -> Any:
        # Its edges are as accurate as its interior, and there is no choice.
        if edge_order not in {1, accuracy}:
            msg = f"findiff has no edge_order={edge_order!r}."
            raise NotImplementedError(msg)
        dims = _dims(dim, axis)
        dims = range(input.ndim) if dims is None else dims
        dims = dims if not isinstance(dims, int) else (dims,)
        entries = spacing if isinstance(spacing, (list, tuple)) else None
        if entries is None:
            entries = [1 if spacing is None else spacing] * len(dims)
        return tuple(
            findiff.Diff(number % input.ndim, entry, acc=accuracy)(input)
            for number, entry in zip(dims, entries, strict=True)
        )

    return call


def _functions_of_findiff() -> dict[str, Callable[..., Any]]:
    """Return what its operators are applied for; its curl and divergence are not."""
    findiff = importlib.import_module("findiff")

    def derivative(
        input: Any,
        *,
        dim: Any = -1,
        spacing: Any = 1,
        order: Any = 1,
        accuracy: Any = 2,
        axis: Any = None,
    ) -> Any:
        number = (dim if axis is None else axis) % input.ndim
        return (findiff.Diff(number, spacing, acc=accuracy) ** order)(input)

    def laplacian(
        input: Any, *, dim: Any = None, spacing: Any = 1, accuracy: Any = 2
    ) -> Any:
        dims = range(input.ndim) if dim is None else dim
        entries = spacing if isinstance(spacing, list) else [spacing] * len(dims)
        squares = [
            findiff.Diff(number % input.ndim, entry, acc=accuracy) ** 2
            for number, entry in zip(dims, entries, strict=True)
        ]
        return sum(squares[1:], squares[0])(input)

    return {"derivative": derivative, "laplacian": laplacian}


#: The libraries that have more than a gradient.
FUNCTIONS: dict[str, Callable[[], Mapping[str, Callable[..., Any]]]] = {
    "anygrad": lambda: {
        function.__name__: function
        for function in (derivative, divergence, curl, laplacian, jacobian, hessian)
    },
    "findiff": _functions_of_findiff,
}

ADAPTERS: dict[str, Callable[[], Gradient]] = {
    "anygrad": lambda: gradient,
    "numpy": partial(_positional, "numpy"),
    "torch": lambda: importlib.import_module("torch").gradient,
    "jax": partial(_positional, "jax.numpy", has_orders=False),
    "dask": partial(  # its coordinates are NumPy arrays
        _positional,
        "dask.array",
        in_memory=lambda entry: entry.compute() if hasattr(entry, "compute") else entry,
    ),
    "cupy": partial(_positional, "cupy"),
    "findiff": _findiff,
}
