"""The one table of array libraries: the only room that knows them by name.

Nothing is imported here that the user has not imported: whoever holds an array of a
library has its module in `sys.modules`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeAlias

import array_api_compat

from . import _agnostic
from ._executors import chunked, compiled, in_cupy, in_numpy, in_torch, on_device
from ._typing import Namespace

#: Takes samples, plan and namespace; returns one derivative per task of the plan.
Executor: TypeAlias = Callable[[Any, Any, Namespace], tuple[Any, ...]]


class Backend(NamedTuple):
    """What is known about one array library.

    Attributes
    ----------
    name : str
        The library's name for people.
    module, array_class : str
        Where its array class is found once the library has been imported.
    namespace : str
        The module that a user imports to make arrays.
    distributions : tuple of str
        The packages that may provide it, for versions and for advice.
    executor : callable
        Runs the plan on arrays of exactly this class.
    fallback : callable
        Runs the plan on subclasses of it.
    coordinates_from : tuple of str
        Names of other libraries whose arrays may be its coordinates.
    is_readable : callable
        Tells whether the values of an array are there to be read, at no cost, and
        nothing that watches the operations is disturbed.
    remark : str
        One sentence for the documentation.
    surroundings : callable
        Returns the context in which an array is computed with, outside of executors.
    """

    name: str
    module: str
    array_class: str
    namespace: str
    distributions: tuple[str, ...]
    executor: Executor
    fallback: Executor
    coordinates_from: tuple[str, ...]
    is_readable: Callable[[Any], bool]
    remark: str
    surroundings: Callable[[Any], AbstractContextManager[Any]] = nullcontext


TABLE = (
    Backend(
        name="numpy",
        module="numpy",
        array_class="ndarray",
        namespace="numpy",
        distributions=("numpy",),
        executor=in_numpy.run,
        fallback=_agnostic.run,
        coordinates_from=(),
        is_readable=lambda _: True,
        remark="Any strides; read-only arrays.",
        surroundings=in_numpy.quietly,
    ),
    Backend(
        name="torch",
        module="torch",
        array_class="Tensor",
        namespace="torch",
        distributions=("torch",),
        executor=in_torch.run,
        fallback=_agnostic.run,
        coordinates_from=(),
        is_readable=in_torch.is_readable,
        remark="Autograd through samples, steps and coordinates; torch.compile.",
    ),
    Backend(
        name="jax",
        module="jax",
        array_class="Array",
        namespace="jax.numpy",
        distributions=("jax",),
        executor=compiled.run,
        fallback=compiled.trace,
        coordinates_from=(),
        is_readable=lambda _: False,
        remark="With and without 64-bit numbers; all transformations.",
    ),
    Backend(
        name="dask",
        module="dask.array",
        array_class="Array",
        namespace="dask.array",
        distributions=("dask",),
        executor=chunked.run,
        fallback=_agnostic.run,
        coordinates_from=("numpy",),
        is_readable=lambda _: False,
        remark="Lazy; coordinates may be Dask or NumPy arrays.",
    ),
    Backend(
        name="cupy",
        module="cupy",
        array_class="ndarray",
        namespace="cupy",
        distributions=("cupy-cuda12x", "cupy-cuda13x", "cupy"),
        executor=in_cupy.run,
        fallback=on_device.run,
        coordinates_from=(),
        is_readable=lambda _: False,
        remark=(
            "Tested on real CuPy with an emulated driver; on a GPU when one was there."
        ),
        surroundings=lambda array: array.device,
    ),
    Backend(
        name="array-api-strict",
        module="array_api_strict._array_object",  # its class has no public name
        array_class="Array",
        namespace="array_api_strict",
        distributions=("array-api-strict",),
        executor=_agnostic.run,
        fallback=_agnostic.run,
        coordinates_from=(),
        is_readable=lambda _: True,
        remark="The standard to the letter, on all of its pretended devices.",
    ),
)


class Refusal(NamedTuple):
    """An array-like class whose meaning a derivative would lose.

    Attributes
    ----------
    module, class_name : str
        Where the class is found once its package has been imported.
    rule : str
        What it is and why it is refused: it follows "must not be".
    remedy : str
        What to do instead.
    """

    module: str
    class_name: str
    rule: str
    remedy: str


REFUSED = (
    Refusal(
        "numpy.ma",
        "MaskedArray",
        "a masked array: the mask would be lost",
        "Fill it first, e.g. with `filled(numpy.nan)`.",
    ),
    Refusal(
        "numpy",
        "matrix",
        "a matrix: it has two dimensions whatever is cut from it",
        "Convert it first, with `numpy.asarray`.",
    ),
    Refusal(
        "torch.masked",
        "MaskedTensor",
        "a masked tensor: the mask would be lost",
        "Fill it first, with `to_tensor(float('nan'))`.",
    ),
    Refusal(
        "pandas",
        "Series",
        "a pandas object: its index would be lost",
        "Pass its values, with `to_numpy()`.",
    ),
    Refusal(
        "pandas",
        "DataFrame",
        "a pandas object: its index would be lost",
        "Pass its values, with `to_numpy()`.",
    ),
    Refusal(
        "pandas",
        "Index",
        "a pandas object: its index would be lost",
        "Pass its values, with `to_numpy()`.",
    ),
    Refusal(
        "xarray",
        "DataArray",
        "a labelled array: its labels would be lost",
        "Pass its `data`, and its coordinates' `data` as `spacing`.",
    ),
    Refusal(
        "xarray",
        "Variable",
        "a labelled array: its labels would be lost",
        "Pass its `data`, and its coordinates' `data` as `spacing`.",
    ),
    Refusal(
        "blosc2",
        "NDArray",
        "a compressed array: its slices are NumPy arrays",
        "Pass its values, with `array[...]`.",
    ),
    Refusal(
        "pint",
        "Quantity",
        "a quantity: its unit would be lost",
        "Pass its `magnitude` and give the result its unit.",
    ),
    Refusal(
        "astropy.units",
        "Quantity",
        "a quantity: its unit would be lost",
        "Pass its `value` and give the result its unit.",
    ),
    Refusal(
        "unyt",
        "unyt_array",
        "a quantity: its unit would be lost",
        "Pass its `value` and give the result its unit.",
    ),
)

#: The fast road: classes that have been seen, all of them named in `TABLE`, so that
#: it cannot grow.  A plain dictionary, because `torch.compile` traces through it.
_known: dict[type, tuple[Executor, Namespace]] = {}


def resolve(array: Any, name: str) -> tuple[Executor, Namespace]:
    """Return what runs on this array, and its namespace.

    Raises
    ------
    TypeError
        If `array` is no array of the standard, or of a class that is refused.
    """
    known = _known.get(type(array))
    if known is not None:
        return known
    _refuse(array, name)
    namespace = _namespace(array, name)
    backend = backend_of(array)
    if backend is None:
        return _agnostic.run, namespace
    if not _is_exact(array, backend):
        return backend.fallback, namespace
    if not hasattr(array, "_meta"):  # chunks may be of a class that is refused
        _known[type(array)] = backend.executor, namespace
    return backend.executor, namespace


def _namespace(array: Any, name: str) -> Namespace:
    try:
        return array_api_compat.array_namespace(array)
    except (TypeError, AttributeError):
        msg = (
            f"`{name}` must be an array of a library that follows the array API "
            f"standard. Got {type_name(array)}. Convert it first, e.g. with "
            "`numpy.asarray`."
        )
        raise TypeError(msg) from None


def _refuse(array: Any, name: str) -> None:
    """Raise where a class of `REFUSED` would pass for the array that it wraps."""
    chunk = getattr(array, "_meta", None)  # what the chunks of a Dask array are
    for refusal in REFUSED:
        cls = getattr(sys.modules.get(refusal.module), refusal.class_name, None)
        if cls is not None and (isinstance(array, cls) or isinstance(chunk, cls)):
            msg = (
                f"`{name}` must not be {refusal.rule}. Got {type_name(array)}. "
                f"{refusal.remedy}"
            )
            raise TypeError(msg)


def array_class(backend: Backend) -> type | None:
    """Return the array class of a library that has been imported, else None."""
    return getattr(sys.modules.get(backend.module), backend.array_class, None)


def backend_of(array: Any) -> Backend | None:
    """Return the row for an array; None for a library that the table does not name."""
    for backend in TABLE:
        cls = array_class(backend)
        if cls is not None and isinstance(array, cls):
            return backend
    return None


def surroundings(array: Any) -> AbstractContextManager[Any]:
    """Return the context in which the agnostic code may compute with an array."""
    backend = backend_of(array)
    return nullcontext() if backend is None else backend.surroundings(array)


def _is_exact(array: Any, backend: Backend) -> bool:
    """Tell whether the class is the library's own, and no subclass of it.

    `jax.Array` is abstract, and values that JAX traces are instances of it, too.
    """
    if backend.name == "jax":
        return not isinstance(array, sys.modules["jax"].core.Tracer)
    return type(array) is array_class(backend)


def type_name(value: Any) -> str:
    """Return the name of a value's type, with its package where it is not Python's."""
    cls = type(value)
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def may_mix(coordinates: Any, samples: Any) -> bool:
    """Tell whether arrays of two namespaces may meet in one call."""
    outer, inner = backend_of(samples), backend_of(coordinates)
    return (
        outer is not None
        and inner is not None
        and (inner.name in outer.coordinates_from)
    )


def may_read_values(array: Any) -> bool:
    """Tell whether a check may look at the values of an array."""
    backend = backend_of(array)
    if backend is None or not _is_exact(array, backend):
        return False
    return backend.is_readable(array)


def device_of(array: Any) -> Any:
    """Return the device of an array; None where the library decides by itself.

    JAX moves uncommitted arrays as needed, spreads arrays over many devices, and
    gives traced values no device; some conforming libraries have no devices at all.
    """
    backend = backend_of(array)
    if backend is not None and backend.name == "torch":
        return array.device
    if backend is not None and backend.name == "jax":
        is_bound = _is_exact(array, backend) and array.committed
        return frozenset(array.devices()) if is_bound else None
    try:
        return array_api_compat.device(array)
    except AttributeError:
        return None


def is_beside(array: Any, other: Any) -> bool:
    """Tell at a glance that an array is of the very class of another, on its device.

    False says that a closer look is needed.
    """
    return (
        type(array) is type(other)
        and type(array) in _known
        and getattr(array, "device", None) == getattr(other, "device", None)
        and unusual_layout(array) is None
    )


def is_reading_code() -> bool:
    """Tell whether torch.compile is reading the very code that asks.

    It would turn every look into a dictionary into a condition of the compiled code.
    """
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.compiler.is_compiling())


def unusual_layout(array: Any) -> str | None:
    """Return the name of a layout that has no axes to slice: torch's sparse, nested."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(array, torch.Tensor):
        return None
    if array.is_nested:
        return "nested"
    return None if array.layout is torch.strided else str(array.layout)
