"""Dims by their names: which are meant, one entry each, and arrays in their order."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import xarray as xr

from .._checks.wording import meant, shown

#: What helps with a tree.
FOR_EACH_DATASET = (
    "Call it for each of its datasets, with `data.map_over_datasets(function)`, where "
    "`function` takes one and returns one."
)


def is_name(value: Any) -> bool:
    """Tell whether something may be the name of a dim or of a variable."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def names_of_dims(data: xr.DataArray, dim: Any, leave: Hashable = None) -> list[Any]:
    """Return the names of the dims to differentiate along; None is all but one."""
    if dim is None:
        return [name for name in data.dims if name != leave]
    names = list(dim) if isinstance(dim, (list, tuple)) else [dim]
    for name in names:
        require_dim(data, name, "dim")
    if len(set(names)) != len(names):
        msg = f"`dim` must name each dim once. Got {names}."
        raise ValueError(msg)
    if leave is not None and leave in names:
        msg = f"`dim` must not name `vector_dim`. Got {leave!r} for both."
        raise ValueError(msg)
    return names


def require_dim(data: xr.DataArray, name: Any, parameter: str) -> None:
    """Refuse a name that is no dim, with the one that may be meant."""
    if is_name(name) and name in data.dims:
        return
    msg = f"`{parameter}` must name dims of the data, {data.dims}. Got {name!r}."
    hint = _as_spacing(data, name) if parameter == "dim" else ""
    raise ValueError(msg + (hint or _meant(data.dims, name)))


def _as_spacing(data: xr.DataArray, name: Any) -> str:
    """Return where a coordinate goes that is not the dim's own."""
    if not is_name(name) or name not in data.coords:
        return ""
    along = " or ".join(map(repr, data.coords[name].dims))
    return f" Along {along}, with `spacing={name!r}`?" if along else ""


def _meant(dims: tuple[Hashable, ...], name: Any) -> str:
    if isinstance(name, (list, tuple)):
        return " Give one name; `gradient` takes several."
    if isinstance(name, (set, frozenset)):
        return " Give a list, which has an order."
    if type(name) is int and -len(dims) <= name < len(dims):
        return f" Do you mean {dims[name]!r}?"
    return meant(str(name), dims)


def per_dim(given: Any, names: Sequence[Any], usual: Any, parameter: str) -> list[Any]:
    """Return one entry per dim, from a mapping by names or one for all."""
    is_pair = parameter == "boundary"  # for which there are tuples
    is_each = isinstance(given, list if is_pair else (list, tuple))
    if is_each and len(names) > 1:
        each = ", ".join([f"{name!r}: ..." for name in names])
        msg = (
            f"`{parameter}` must be one entry for every dim, or a mapping by their "
            f"names. Got {shown(given)}. Write `{{{each}}}`."
        )
        raise TypeError(msg)
    if is_each and len(given) == 1:  # as the plain doors have it for one dim
        (given,) = given
    if not isinstance(given, Mapping):
        return [given] * len(names)
    for name in given:
        if name not in names:
            msg = f"`{parameter}` must have names of the dims {names}. Got {name!r}."
            raise ValueError(msg)
    return [given.get(name, usual) for name in names]


def labelled(given: Any, data: xr.DataArray, rule: str) -> Any:
    """Return the coordinate that is named, or what is given, as a DataArray if it can.

    A name that is none is refused, by the rule.
    """
    if isinstance(given, xr.Variable):
        return xr.DataArray(given)
    if not isinstance(given, str):
        return given
    if given not in data.coords:
        msg = f"{rule}, {list(data.coords)}. Got {given!r}."
        raise ValueError(msg)
    return data.coords[given]


def aligned(
    given: xr.DataArray,
    data: xr.DataArray,
    word: str,
    beyond: Collection[Hashable] = (),
) -> xr.DataArray:
    """Return an array with the labels of the data, but for those along some dims."""
    if not set(given.dims) <= set(data.dims):
        msg = (
            f"{word} must have no dims but those of the data, {data.dims}. "
            f"Got {given.dims}."
        )
        raise ValueError(msg)
    if not beyond and _has_labels_of(given, data):
        return beside(given, data)
    try:
        (_, found) = xr.align(
            data, given, join="exact", copy=False, exclude=frozenset(beyond)
        )
    except xr.AlignmentError as error:
        msg = f"{word} must have the labels of the data: {error}."
        if set(given.dims) <= set(given.indexes):
            msg += (
                " Cut both to what they share, with `xarray.align(..., join='inner')`."
            )
        raise ValueError(msg) from None
    return beside(found, data)


def _has_labels_of(given: xr.DataArray, data: xr.DataArray) -> bool:
    """Tell whether an array has the very indexes of the data, which need no comparison.

    So have its coordinates, and what is computed of it.
    """
    of_data, own = data.xindexes, given.xindexes
    if any(of_data.get(name) is not index for name, index in own.items()):
        return False
    lengths = dict(zip(data.dims, data.shape, strict=True))
    return all(
        lengths[name] == length
        for name, length in zip(given.dims, given.shape, strict=True)
    )


def in_chunks(variable: xr.Variable) -> bool:
    """Tell whether what is in a variable is in chunks, which no index is."""
    return not isinstance(variable, xr.IndexVariable) and variable.chunks is not None


def beside(given: xr.DataArray, data: xr.DataArray) -> xr.DataArray:
    """Return an array in memory where the samples are: no larger than these."""
    if not in_chunks(given.variable) or in_chunks(data.variable):
        return given
    return given.copy(data=given.variable.compute().data)


def placed(values: Any, labelled: xr.DataArray, data: xr.DataArray) -> Any:
    """Return values with the dims of the data, in its order, so that they broadcast."""
    if labelled.dims == data.dims:
        return values
    variable = xr.Variable(labelled.dims, values)
    ordered = variable.transpose(*[d for d in data.dims if d in labelled.dims]).data
    index = [slice(None) if d in labelled.dims else None for d in data.dims]
    return ordered[tuple(index)]
