"""Which compiler makes loops of calls, where one has been asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from ._settings import Setting

#: The compilers by name, each with the module that must be there.
COMPILERS = {"numba": "numba"}

_compiler: Setting[str | None] = Setting("compiler", None)


def set_compiler(compiler: str | None) -> contextlib.AbstractContextManager[None]:
    """Set what compiles the calls within a ``with`` block.

    A compiled call is one loop over the points, which reads each sample once
    and makes all results of the call, whatever is asked for: coordinates,
    orders, accuracies, boundaries, masks and sums of derivatives.  Its values
    are those of the same call without a compiler, to the last bit; complex
    ones within rounding.

    Parameters
    ----------
    compiler : {"numba", None}
        "numba" compiles calls on NumPy arrays, on torch tensors on the CPU
        (where a gradient is asked for, the way forward), and on the chunks of
        Dask arrays of NumPy's.  None compiles nothing, which is the default.
        JAX always compiles, and torch where `torch.compile` says so: neither
        is affected.

    Returns
    -------
    context manager
        Within its block, the compiler is in force.

    Raises
    ------
    TypeError
        If `compiler` is neither a str nor None.
    ValueError
        If it is the name of no compiler.
    ImportError
        If it is not installed.

    See Also
    --------
    get_compiler : What is in force.
    set_default_compiler : The same for the whole process.
    set_workers : On how many threads a compiled call runs, too.

    Notes
    -----
    The first call of a kind takes a second or a few: the same function with
    the same order, accuracy and boundaries on as many dims and the same dtypes
    is one kind, whatever the shape and the step.  What is compiled is kept in
    a folder of the user, ``anygrad`` in that of the system for caches, or
    where the variable ``ANYGRAD_CACHE_DIR`` says; later processes load it in
    some 20 milliseconds.

    Arrays of 16 or more than 64 bits per real number, in a foreign byte order
    or not aligned, and calls whose loop would be too long to compile run as
    without a compiler.  So do calls on small arrays that would gain nothing.

    The setting belongs to the current context (`contextvars`): other threads,
    and other tasks of `asyncio`, keep theirs.  A Dask array takes it along
    from where the call is made to where its chunks are computed.

    Examples
    --------
    >>> import anygrad
    >>> with anygrad.set_compiler("numba"):  # doctest: +SKIP
    ...     anygrad.laplacian(samples, spacing=0.1)
    """
    return within(_checked(compiler))


def set_default_compiler(compiler: str | None) -> None:
    """Set what compiles the calls of the process outside of `set_compiler`.

    Parameters
    ----------
    compiler : {"numba", None}
        As in `set_compiler`.  At the start, it is None.

    Raises
    ------
    TypeError
        If `compiler` is neither a str nor None.
    ValueError
        If it is the name of no compiler.
    ImportError
        If it is not installed.

    See Also
    --------
    set_compiler : Set it for a ``with`` block.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.set_default_compiler(None)
    """
    _compiler.default = _checked(compiler)


def get_compiler() -> str | None:
    """Return what compiles a call here and now.

    Returns
    -------
    str or None
        The name of the compiler; None where nothing is compiled.

    See Also
    --------
    set_compiler : Set it for a ``with`` block.
    set_default_compiler : Set it for the process.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.get_compiler() is None
    True
    """
    return _compiler.get()


def within(compiler: str | None) -> contextlib.AbstractContextManager[None]:
    """Set a compiler that has been checked elsewhere: here, it may not be installed."""
    return _compiler.within(compiler)


def captured(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs with what is in force here, wherever it is called."""
    compiler = get_compiler()
    return run if compiler is None else partial(_run_within, compiler, run)


def _run_within(compiler: str, run: Callable[..., Any], *given: Any) -> Any:
    with within(compiler):
        return run(*given)


def _checked(compiler: object) -> str | None:
    if compiler is None:
        return None
    if not isinstance(compiler, str):
        msg = f"`compiler` must be a str or None. Got {compiler!r}."
        raise TypeError(msg)
    if compiler not in COMPILERS:
        names = ", ".join(map(repr, COMPILERS))
        msg = f"`compiler` must be {names} or None. Got {compiler!r}."
        raise ValueError(msg)
    from importlib.util import find_spec  # a millisecond that an import need not take

    if find_spec(COMPILERS[compiler]) is None:
        msg = (
            f"`compiler` is {compiler!r}, which is not installed. Install it, e.g. "
            f"with `python -m pip install {COMPILERS[compiler]}`."
        )
        raise ImportError(msg)
    return compiler
