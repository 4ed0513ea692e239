"""What libraries can do beyond arithmetic: the one room of the suite that names them.

A check asks for an ability, e.g. to differentiate, and does not apply where the library
has none that is known here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from .. import _libraries, _precision
from ..testing._arrays import NotApplicable, stop_unless


def _library(array: Any) -> str:
    return _libraries.library_of(array).name


def derivative(function: Callable[[Any], Any], x: Any, times: int = 1) -> Any:
    """Return the derivative of a function to arrays of shape (), by the library."""
    if _library(x) == "torch":
        import torch

        x = x.detach().requires_grad_()
        y = function(x)
        for _ in range(times):
            (y,) = torch.autograd.grad(y, x, create_graph=True)
        return y
    stop_unless(_library(x) == "jax", "the library does not differentiate")
    import jax

    for _ in range(times):
        function = jax.grad(function)
    return function(x)


def pushed_forward(function: Callable[[Any], Any], x: Any, direction: Any) -> Any:
    """Return how the value of a function changes as its argument does."""
    if _library(x) == "torch":
        import torch

        return torch.func.jvp(function, (x.detach(),), (direction.detach(),))[1]
    stop_unless(_library(x) == "jax", "the library does not differentiate")
    import jax

    return jax.jvp(function, (x,), (direction,))[1]


def adjoint(function: Callable[[Any], Any], x: Any, factors: Any) -> Any:
    """Return the adjoint of the derivative of a function, applied to factors."""
    if _library(x) == "torch":
        import torch

        x = x.detach().requires_grad_()
        return torch.autograd.grad(function(x), x, factors.detach())[0]
    stop_unless(_library(x) == "jax", "the library does not differentiate")
    import jax

    # What JAX gives is the transpose, which is not conjugated.
    _, transposed = jax.vjp(function, x)
    return jax.numpy.conj(transposed(jax.numpy.conj(factors))[0])


def compiled(function: Callable[..., Any], like: Any) -> Callable[..., Any]:
    """Return a function that the library traces before it runs."""
    if _library(like) == "jax":
        import jax

        return jax.jit(function)  # type: ignore[no-any-return]
    stop_unless(
        _library(like) == "torch", "the library does not compile functions of arrays"
    )
    import torch

    torch.compiler.reset()  # else it counts how often one function was compiled
    return torch.compile(function, fullgraph=True, backend="eager")  # type: ignore[no-any-return]


def mapped(function: Callable[[Any], Any], like: Any) -> Callable[[Any], Any]:
    """Return a function of arrays with one more dimension, in front."""
    if _library(like) == "jax":
        import jax

        return jax.vmap(function)  # type: ignore[no-any-return]
    stop_unless(
        _library(like) == "torch", "the library maps no functions over a dimension"
    )
    import torch

    return torch.func.vmap(function)  # type: ignore[no-any-return]


def without_values(array: Any) -> Any:
    """Return an array of the same shape and dtype that has no values."""
    stop_unless(_library(array) == "torch", "the library has no arrays without values")
    return array.to("meta")


def forbidden_computation(like: Any) -> AbstractContextManager[Any]:
    """Return a context in which a lazy array that is computed is a broken promise."""
    stop_unless(_library(like) == "dask", "the arrays are not lazy")
    import dask

    def refuse(*_: Any, **__: Any) -> Any:
        msg = "the call computed something, where it should only have made a graph"
        raise AssertionError(msg)

    return dask.config.set(scheduler=refuse)  # type: ignore[no-any-return]


def in_chunks(array: Any, chunks: tuple[int, ...]) -> Any:
    """Return a one-dimensional array in chunks of these lengths."""
    stop_unless(_library(array) == "dask", "the arrays have no chunks")
    return array.rechunk((chunks,))


def other_device(xp: Any, array: Any) -> Any:
    """Return a device that is not the array's."""
    here = getattr(array, "device", None)
    info = _precision.info_of(xp)
    for device in info.devices() if info is not None and here is not None else ():
        if device is not None and device != here:
            try:
                xp.asarray(0.0, dtype=xp.float32, device=device)
            except (TypeError, ValueError, RuntimeError, NotImplementedError):
                continue
            return device
    msg = "there is one device only"
    raise NotApplicable(msg)


def read_only(array: Any) -> Any:
    """Return the array, made so that it cannot be written to, although others can."""
    stop_unless(_library(array) == "numpy", "the library has no read-only arrays")
    array.flags.writeable = False
    return array


def in_memory(chunked: Any, values: Any) -> Any:
    """Return an array of the library that the chunks of another one are of."""
    stop_unless(_library(chunked) == "dask", "the arrays have no chunks")
    import numpy

    return numpy.asarray(values)


def masked(array: Any) -> Any:
    """Return the array with one element masked."""
    stop_unless(_library(array) == "numpy", "the library has no masked arrays")
    import numpy

    mask = [k == 1 for k in range(len(array))]
    return numpy.ma.masked_array(array, mask=mask)


def unmasked(array: Any) -> list[float | None]:
    """Return the numbers of a line; None for what is masked, and for NaN."""
    numbers = array.tolist()
    return [None if n is None or math.isnan(n) else n for n in numbers]
