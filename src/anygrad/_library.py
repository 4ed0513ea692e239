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
    """What is known about one array library."""

    #: The library's name for people; also that of its executor.
    name: str
    #: The classes of its arrays, with their modules.
    classes: tuple[str, ...]
    #: Its top-level package and the names of the classes there of which its arrays, and
    #: what stands for them under its transforms, are instances.
    package: str
    family: tuple[str, ...]
    #: The module that a user imports to make arrays.
    namespace: str
    #: Returns array-api-compat's namespace, which is imported as code that compilers
    #: can read; None where each array is asked for it.
    import_namespace: Callable[[], Namespace] | None
    #: The packages that may provide it, for versions and for advice.
    distributions: tuple[str, ...]
    #: One sentence for the documentation.
    remark: str
    #: Whether its arrays go with samples of any library, as constants of the call; and
    #: whether it computes with such arrays as they are.
    is_constant: bool = False
    takes_constants: bool = False
    #: What a plan depends on besides class, dtype and shape of its arrays:
    #: ``settings()`` returns those that decide dtypes, and ``conditions(array)`` where
    #: an array lies.
    settings: Callable[[], Any] | None = None
    conditions: Callable[[Any], Any] | None = None
    #: Returns the dtype for which the library, as it is set, takes an array.
    dtype: Callable[[Any], Any] = lambda array: array.dtype
    #: Returns the device of an array; None where the library decides by itself.
    device: Callable[[Any], Any] = standard_device
    #: Returns the name of a layout of an array that has no axes to slice, or None.
    layout: Callable[[Any], str | None] = lambda _: None
    #: Tells whether a compiler reads the very code that asks.
    is_compiled: Callable[[], bool] | None = None
    #: Classes of the package that add nothing that a derivative could lose.
    shells: tuple[str, ...] = ()
    #: What a derived class defines if its arrays carry something along.
    meanings: tuple[str, ...] = ()
    #: What it defines if each array has something of its own, and if the class says for
    #: all functions what becomes of that.
    state: str | None = None
    protocol: str | None = None
    #: Returns an array without its shell.
    unwrap: Callable[[Any], Any] | None = None
    #: Whether results may be differentiated automatically.
    has_slopes: bool = False
    #: Returns an array as one that automatic differentiation may keep.
    lasting: Callable[[Any], Any] | None = None
    #: ``adopt(array, device)`` returns an array of NumPy's as one of the library's,
    #: where the standard's `asarray` would not do.
    adopt: Callable[[Any, Any], Any] | None = None
    #: ``beside(array, samples)`` returns an array of NumPy's as one of the library's,
    #: where its operations do not take both.
    beside: Callable[[Any, Any], Any] | None = None
    #: ``stack(arrays, axis)`` and ``concat(arrays, axis)`` do what the standard's
    #: refuse, such as lengths that are not known, or do wrong.
    stack: Callable[[list[Any], int], Any] | None = None
    concat: Callable[[list[Any], int], Any] | None = None
    #: Returns the devices over which an array is spread; None for an array that is on
    #: one.  Arrays of the two kinds do not go together.
    mesh: Callable[[Any], Any] | None = None
    #: ``replicate(array, mesh)`` returns an array as one of which each of these devices
    #: has a copy.
    replicate: Callable[[Any, Any], Any] | None = None
    #: What makes an array ``x`` such a one, for advice.
    distribute: str = ""
    #: Returns an array of the class of which the chunks are.
    chunk: Callable[[Any], Any] | None = None
    #: The names of the classes that stand for values while a function is traced, and
    #: what to do where a value must be known by then.
    tracers: tuple[str, ...] = ()
    on_traced: str = ""
    #: Tells whether a number stands for others while a function is traced.
    is_symbol: Callable[[Any], bool] | None = None
    #: What converts an array to another dtype, and to another device, for advice.
    cast: str = "astype"
    move: str = "to_device"
