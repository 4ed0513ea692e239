"""What JAX may be set to refuse, and a plan has decided: dtypes, and what is copied.

A user has JAX ask before dtypes are promoted, or arrays copied to a device, to find
what nobody has meant.  A plan has said which dtypes there are, and that steps, and the
constants of a call, go to where the samples lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


def settings() -> tuple[Any, str, str | None]:
    """Return what decides dtypes, and whether copies are asked about.

    Where they are, another executor has them decided.
    """
    import jax

    config = jax.config
    guard = config.jax_transfer_guard_host_to_device
    return config.jax_enable_x64, config.jax_numpy_dtype_promotion, guard


def asks() -> bool:
    """Tell whether JAX asks."""
    _, promotion, guard = settings()
    return promotion == "strict" or guard == "disallow"


def by_plan(_: Any = None) -> AbstractContextManager[Any]:
    """Return the context in which JAX does not ask."""
    return _allowed() if asks() else nullcontext()


def decided(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function in that context."""

    def run(*given: Any) -> Any:
        with by_plan():
            return function(*given)

    return run


def adopted(array: Any, _: Any) -> Any:
    """Return an array of JAX that is bound to no device, and so goes with all."""
    import jax.numpy

    with by_plan():
        return jax.numpy.asarray(array)


def dtype_of(array: Any) -> Any:
    """Return the dtype for which JAX takes an array: of 32 bits, if it has no more.

    Arrays that were made while it had more keep theirs.
    """
    from jax import dtypes

    return dtypes.canonicalize_dtype(array.dtype, allow_extended_dtype=True)


@contextmanager
def _allowed() -> Iterator[None]:
    import jax

    level = jax.config.jax_transfer_guard_host_to_device
    level = "allow" if level in (None, "disallow") else level
    with (
        jax.numpy_dtype_promotion("standard"),
        jax.transfer_guard_host_to_device(level),
    ):
        yield
