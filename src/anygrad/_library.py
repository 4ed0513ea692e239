"""What there is to know about an array library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_compat

from ._typing import Namespace


def standard_device(array: Any) -> Any:
    """Return the device of an array; some conforming libraries have none at all."""
    try:
        return array_api_compat.device(array)
    except AttributeError:
        return None


class Library(NamedTuple):
    """What is known about one array library.

    Attributes
    ----------
    name : str
        The library's name for people; also that of its executor.
    classes : tuple of str
        The classes of its arrays, with their modules.
    package, family : str, tuple of str
        Its top-level package and the names of the classes there of which its arrays,
        and what stands for them under its transforms, are instances.
    namespace : str
        The module that a user imports to make arrays.
    import_namespace : callable
        Returns array-api-compat's namespace, which is imported as code that compilers
        can read.
    distributions : tuple of str
        The packages that may provide it, for versions and for advice.
    remark : str
        One sentence for the documentation.
    is_constant, takes_constants : bool
        Whether its arrays go with samples of any library, as constants of the call; and
        whether it computes with such arrays as they are.
    settings, conditions : callable or None
        What a plan depends on besides class, dtype and shape of its arrays:
        ``settings()`` returns those that decide dtypes, and ``conditions(array)`` where
        an array lies.
    device : callable
        Returns the device of an array; None where the library decides by itself.
    layout : callable
        Returns the name of a layout of an array that has no axes to slice, or None.
    is_compiled : callable or None
        Tells whether a compiler reads the very code that asks.
    shells : tuple of str
        Classes of the package that add nothing that a derivative could lose.
    meanings : tuple of str
        What a derived class defines if its arrays carry something along.
    state, protocol : str or None
        What it defines if each array has something of its own, and if the class says
        for all functions what becomes of that.
    unwrap : callable or None
        Returns an array without its shell.
    has_slopes : bool
        Whether results may be differentiated automatically.
    lasting : callable or None
        Returns an array as one that automatic differentiation may keep.
    adopt : callable or None
        ``adopt(array, device)`` returns an array of NumPy's as one of the library's,
        where the standard's `asarray` would not do.
    beside : callable or None
        ``beside(array, samples)`` returns an array of NumPy's as one of the library's,
        where its operations do not take both.
    stack, concat : callable or None
        ``stack(arrays, axis)`` and ``concat(arrays, axis)`` do what the standard's
        refuse for lengths that are not known.
    mesh : callable or None
        Returns the devices over which an array is spread; None for an array that is on
        one.  Arrays of the two kinds do not go together.
    replicate : callable or None
        ``replicate(array, mesh)`` returns an array as one of which each of these
        devices has a copy.
    distribute : str
        What makes an array ``x`` such a one, for advice.
    chunk : callable or None
        Returns an array of the class of which the chunks are.
    tracers, on_traced : tuple of str, str
        The names of the classes that stand for values while a function is traced, and
        what to do where a value must be known by then.
    cast, move : str
        What converts an array to another dtype, and to another device, for advice.
    """

    name: str
    classes: tuple[str, ...]
    package: str
    family: tuple[str, ...]
    namespace: str
    import_namespace: Callable[[], Namespace]
    distributions: tuple[str, ...]
    remark: str
    is_constant: bool = False
    takes_constants: bool = False
    settings: Callable[[], Any] | None = None
    conditions: Callable[[Any], Any] | None = None
    device: Callable[[Any], Any] = standard_device
    layout: Callable[[Any], str | None] = lambda _: None
    is_compiled: Callable[[], bool] | None = None
    shells: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    state: str | None = None
    protocol: str | None = None
    unwrap: Callable[[Any], Any] | None = None
    has_slopes: bool = False
    lasting: Callable[[Any], Any] | None = None
    adopt: Callable[[Any, Any], Any] | None = None
    beside: Callable[[Any, Any], Any] | None = None
    stack: Callable[[list[Any], int], Any] | None = None
    concat: Callable[[list[Any], int], Any] | None = None
    mesh: Callable[[Any], Any] | None = None
    replicate: Callable[[Any, Any], Any] | None = None
    distribute: str = ""
    chunk: Callable[[Any], Any] | None = None
    tracers: tuple[str, ...] = ()
    on_traced: str = ""
    cast: str = "astype"
    move: str = "to_device"
