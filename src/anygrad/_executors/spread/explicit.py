"""Meshes of JAX with axes of type `Explicit`, which are part of the type of an array.

They refuse to cut an array along an axis that is sharded, unless all parts are equal.
The compiler may place what is cut, and is told how the results lie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..._decided import dtype_of
from .entries import parts_of


def names_of(mesh: Any) -> tuple[str, ...]:
    """Return the names of the axes of a mesh that are of that type."""
    import jax

    kinds = zip(mesh.axis_names, mesh.axis_types, strict=True)
    return tuple(name for name, kind in kinds if kind == jax.sharding.AxisType.Explicit)


def sharding_of(f: Any, *beside: Any) -> Any:
    """Return how samples lie on such a mesh, None if nothing lies on one.

    Where only arrays beside them do, the samples are whole on their mesh.
    """
    import jax

    for array in (f, *beside):
        sharding = None if array is None else jax.typeof(array).sharding
        if sharding is not None and names_of(sharding.mesh):
            spec = sharding.spec if array is f else jax.sharding.PartitionSpec()
            return jax.sharding.NamedSharding(sharding.mesh, spec)
    return None


def placed_by_compiler(
    function: Callable[..., Any], shardings: Any, names: tuple[str, ...]
) -> Callable[..., Any]:
    """Return a function whose results lie as is told, and all else as is best."""
    import jax

    placed: Callable[..., Any] = jax.sharding.auto_axes(
        function, axes=names, out_sharding=shardings
    )
    return placed


def cut(array: Any, part: tuple[Any, ...]) -> Any:
    """Return a part of an array, whole along axes that cannot be shared evenly."""
    sharding = sharding_of(array)
    if sharding is None or any(type(points) is int for points in part):
        return array[part]
    mesh = sharding.mesh
    entries = [*sharding.spec, *[None] * (array.ndim - len(sharding.spec))]
    for axis, points in enumerate(part[:-1]):
        if len(range(array.shape[axis])[points]) % parts_of(mesh, entries[axis]):
            entries[axis] = None
    spread = sharding.update(spec=entries)
    return placed_by_compiler(lambda array: array[part], spread, names_of(mesh))(array)


def joined(arrays: Sequence[Any], axis: int) -> Any:
    """Return arrays one after the other, whole along an axis that becomes uneven.

    They lie as that which is spread the most, which ghosts seldom are.
    """
    from jax import numpy as xp

    arrays = list(map(joinable, arrays))
    sharding = sharding_of(*arrays)
    if sharding is None:
        return xp.concat(arrays, axis=axis)
    on_meshes = filter(None, map(sharding_of, arrays))
    spec = max((one.spec for one in on_meshes), key=_count_of_spread_axes)
    ndim, length = arrays[0].ndim, sum(array.shape[axis] for array in arrays)
    entries = [*spec, *[None] * (ndim - len(spec))]
    if length % parts_of(sharding.mesh, entries[axis]):
        entries[axis] = None
    return placed_by_compiler(
        lambda *arrays: xp.concat(arrays, axis=axis),
        sharding.update(spec=entries),
        names_of(sharding.mesh),
    )(*arrays)


def _count_of_spread_axes(spec: Any) -> int:
    return sum(entry is not None for entry in spec)


def joinable(array: Any) -> Any:
    """Return integers of two bits as longer ones: XLA aborts where it joins those.

    What is of more bits than JAX has now, it would shorten with a warning.
    """
    if array.dtype.name in ("int2", "uint2"):
        return array.astype("int8")
    dtype = dtype_of(array)
    return array if array.dtype == dtype else array.astype(dtype)
