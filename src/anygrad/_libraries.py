"""The one table of array libraries: the only room that knows them by name.

Nothing is imported here that the user has not imported, and no list of modules is
looked at: whoever holds an array has its class, and the class says where it is from.
So it does not matter what else is loaded, half loaded, or called by a library's name.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import array_api_compat

from . import _classes, _decided, _namespaces
from ._library import Library
from ._typing import Namespace


def _torch() -> Namespace:
    import array_api_compat.torch as xp

    return xp


def _plain_memory(array: Any) -> Any:
    """Return a file in memory as the array that it is."""
    import numpy

    return array.view(numpy.ndarray)


def _torch_settings() -> Any:
    """Return what integers become."""
    import torch

    return torch.get_default_dtype()


def _torch_layout(tensor: Any) -> str | None:
    import torch

    if tensor.is_nested:
        return "nested"
    return None if tensor.layout is torch.strided else str(tensor.layout)


def _torch_lasting(tensor: Any) -> Any:
    """Return a copy of what autograd refuses to save, if that may be asked for."""
    import torch

    if torch.compiler.is_compiling() or not tensor.is_inference():
        return tensor
    return tensor.clone() if torch.is_grad_enabled() else tensor


def _torch_adopted(array: Any, device: Any) -> Any:
    import torch

    return torch.as_tensor(array, device=device)


def _torch_replicated(tensor: Any, mesh: Any) -> Any:
    """Return a DTensor without asking the other processes: all have made the same."""
    from torch.distributed.tensor import DTensor, Replicate

    everywhere = [Replicate()] * mesh.ndim
    return DTensor.from_local(tensor, mesh, everywhere, run_check=False)


def _torch_is_compiled() -> bool:
    import torch

    return bool(torch.compiler.is_compiling())


def _torch_is_symbol(number: Any) -> bool:
    from ._executors import in_torch

    return in_torch.is_symbol(number)


def _jax_device(array: Any) -> Any:
    """Return the devices to which an array is bound.

    JAX moves uncommitted arrays as needed, and gives traced values no device.
    """
    from jax.core import Tracer

    return None if isinstance(array, Tracer) else _jax_devices(array)


def _jax_devices(array: Any) -> Any:
    return frozenset(array.devices()) if array.committed else None


def _jax_conditions(array: Any) -> Any:
    """Return how an array is bound to devices."""
    place = _jax_devices(array)
    return array.sharding if place is not None and len(place) > 1 else place


def _jax_joined(arrays: list[Any], axis: int) -> Any:
    """Do what `concat` does, which JAX refuses where a mesh cannot share the sum."""
    from ._executors.spread import explicit

    return explicit.joined(arrays, axis)


def dask_chunk(array: Any) -> Any:
    return array._meta  # noqa: SLF001 - there is no public name for it


def _dask_joined(word: str, arrays: list[Any], axis: int) -> Any:
    import dask.array

    return getattr(dask.array, word)(arrays, axis, allow_unknown_chunksizes=True)


def _dask_beside(array: Any, samples: Any) -> Any:
    from ._executors import in_dask

    return in_dask.beside(array, samples)


def _cubed_beside(array: Any, samples: Any) -> Any:
    from cubed import from_array

    return from_array(array.copy(), spec=samples.spec)


def _cubed_joined(arrays: list[Any], axis: int) -> Any:
    from ._executors import in_cubed

    return in_cubed.joined(arrays, axis)


TABLE = (
    Library(
        name="numpy",
        classes=("numpy.ndarray",),
        package="numpy",
        family=("ndarray",),
        namespace="numpy",
        import_namespace=_namespaces.of_numpy,
        distributions=("numpy",),
        remark="Any strides; read-only arrays; memory-mapped files.",
        is_constant=True,
        takes_constants=True,
        device=lambda _: "cpu",
        shells=("memmap",),
        meanings=("__array_finalize__", "__array_function__", "__array_ufunc__"),
        state="__array_finalize__",
        protocol="__array_function__",
        unwrap=_plain_memory,
    ),
    Library(
        name="torch",
        classes=("torch.Tensor", "torch.nn.parameter.Parameter"),
        package="torch",
        family=("Tensor",),
        namespace="torch",
        import_namespace=_torch,
        distributions=("torch",),
        remark="Autograd through samples, steps and coordinates; torch.compile.",
        settings=_torch_settings,
        conditions=lambda tensor: (tensor.device, tensor.is_nested, tensor.layout),
        device=lambda tensor: tensor.device,
        layout=_torch_layout,
        is_compiled=_torch_is_compiled,
        has_slopes=True,
        lasting=_torch_lasting,
        adopt=_torch_adopted,
        mesh=lambda tensor: getattr(tensor, "device_mesh", None),  # of a DTensor
        replicate=_torch_replicated,
        distribute="distribute_tensor(x, input.device_mesh)",
        is_symbol=_torch_is_symbol,
        cast="to",
        move="to",
    ),
    Library(
        name="jax",
        classes=("jaxlib._jax.ArrayImpl", "jax._src.array.ArrayImpl"),
        package="jax",
        family=("Array", "Tracer", "ArrayImpl"),
        namespace="jax.numpy",
        import_namespace=partial(import_module, "jax.numpy"),
        distributions=("jax",),
        remark="With and without 64-bit numbers; all transformations.",
        settings=_decided.settings,
        conditions=_jax_conditions,
        dtype=_decided.dtype_of,
        device=_jax_device,
        has_slopes=True,
        adopt=_decided.adopted,
        concat=_jax_joined,
        tracers=("Tracer",),
        on_traced=(
            "It must be known while `jax.jit` traces: name the argument in "
            "`static_argnames`, or bind it beforehand with `functools.partial`."
        ),
    ),
    Library(
        name="dask",
        classes=("dask.array.core.Array",),
        package="dask",
        family=("Array",),
        namespace="dask.array",
        import_namespace=partial(import_module, "array_api_compat.dask.array"),
        distributions=("dask",),
        remark="Lazy; NumPy coordinates become a part of the graph.",
        takes_constants=True,
        conditions=lambda array: type(dask_chunk(array)),  # some are refused
        move="map_blocks(cupy.asarray)",
        chunk=dask_chunk,
        beside=_dask_beside,
        stack=partial(_dask_joined, "stack"),
        concat=partial(_dask_joined, "concatenate"),
    ),
    Library(
        name="cupy",
        classes=("cupy.ndarray",),
        package="cupy",
        family=("ndarray",),
        namespace="cupy",
        import_namespace=partial(import_module, "array_api_compat.cupy"),
        distributions=("cupy-cuda12x", "cupy-cuda13x", "cupy"),
        remark="Tested on real CuPy with an emulated driver, on a GPU not yet.",
        conditions=lambda array: array.device.id,
    ),
    Library(
        name="array-api-strict",
        classes=("array_api_strict._array_object.Array",),
        package="array_api_strict",
        family=("Array",),
        namespace="array_api_strict",
        import_namespace=partial(import_module, "array_api_strict"),
        distributions=("array-api-strict",),
        remark="The standard to the letter, on all of its simulated devices.",
        conditions=lambda array: array.device,
        device=lambda array: array.device,
    ),
)

#: What runs the blocks of arrays of others, and is tested with these.
ENGINES = (
    Library(
        name="cubed",
        classes=("cubed.array_api.array_object.Array",),
        package="cubed",
        family=("Array",),
        namespace="cubed.array_api",
        import_namespace=partial(import_module, "cubed.array_api"),
        distributions=("cubed",),
        remark="Lazy, in bounded memory; NumPy coordinates and masks go to each block.",
        takes_constants=True,
        device=lambda _: None,
        beside=_cubed_beside,
        concat=_cubed_joined,
    ),
)

#: What goes for a library that the table does not name: the standard, and no more.
UNNAMED = Library(
    name="",
    classes=(),
    package="",
    family=(),
    namespace="",
    import_namespace=None,
    distributions=(),
    remark="",
)

#: All rows that have names.
ROWS = (*TABLE, *ENGINES)

#: The rows by module and name of a class, mere shells among them: looking one up
#: imports and changes nothing.
BY_CLASS: dict[tuple[str, ...], Library] = {
    **{
        tuple(name.rsplit(".", 1)): library
        for library in ROWS
        for name in library.classes
    },
    **{(library.package, name): library for library in ROWS for name in library.shells},
}

#: The names of all classes that are mere shells.
SHELLS = frozenset([name for library in ROWS for name in library.shells])


def _of_class(cls: type) -> Library:
    return BY_CLASS.get((cls.__module__, cls.__qualname__), UNNAMED)


def library_of(array: Any) -> Library:
    """Return the row for an array, by its class or a base of it."""
    cls = type(array)
    exact = _of_class(cls)
    if exact is not UNNAMED:
        return exact
    for library in ROWS:
        if is_of(cls, library):
            return library
    return UNNAMED


def namespace_of(array: Any) -> Namespace:
    """Return the namespace of an array, of a library that is in the table or not."""
    importing = library_of(array).import_namespace
    if importing is not None:
        return importing()
    found = array_api_compat.array_namespace(array, use_compat=False)
    return _namespaces.conforming(found)


def is_shell(array: Any) -> bool:
    """Tell whether the class is one of a library's that add nothing to its arrays."""
    return type(array).__qualname__ in _of_class(type(array)).shells


def without_shell(array: Any) -> Any:
    """Return an array as it is computed with."""
    cls = type(array)
    if cls.__name__ not in SHELLS:
        return array
    unwrap = _of_class(cls).unwrap
    return array if unwrap is None else unwrap(array)


def lasting(array: Any) -> Any:
    """Return an array as one that automatic differentiation may keep."""
    keep = _of_class(type(array)).lasting
    return array if keep is None else keep(array)


def has_meaning(cls: type, library: Library) -> bool:
    """Tell whether a derived class, or one between, says how its arrays behave."""
    return any(_defines(cls, library, name) for name in library.meanings)


def has_state(cls: type, library: Library) -> bool:
    """Tell whether arrays of a derived class have something of their own."""
    return library.state is not None and _defines(cls, library, library.state)


def is_heard(cls: type, library: Library) -> bool:
    """Tell whether a derived class has its say in all functions of the library."""
    return library.protocol is not None and _defines(cls, library, library.protocol)


def _defines(cls: type, library: Library, name: str) -> bool:
    """Tell whether a derived class, or one between, has a method of this name."""
    if _of_class(cls) is library:
        return False
    bases = [base for base in cls.__bases__ if is_of(base, library)]
    return name in vars(cls) or any(_defines(base, library, name) for base in bases)


def is_of(cls: type, library: Library) -> bool:
    """Tell whether a class is one of a library's, or derived from one."""
    return _classes.is_of_family(cls, library.package, library.family)


def mesh_of(array: Any, library: Library) -> Any:
    """Return the devices over which an array is spread; None where it is on one."""
    return None if library.mesh is None else library.mesh(array)


def is_exact(array: Any, library: Library) -> bool:
    """Tell whether the class is the library's own, and no subclass of it."""
    cls = type(array)
    return f"{cls.__module__}.{cls.__qualname__}" in library.classes


def advice_on_traced(value: Any) -> str:
    """Return what to do where a value must be known; nothing if it is known."""
    for library in TABLE:
        if _classes.is_of_family(type(value), library.package, library.tracers):
            return library.on_traced
    return ""
