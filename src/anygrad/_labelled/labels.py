"""What labels mean: dims by their names, coordinates as numbers, masks in their place.

Everything here reads xarray's objects; what is computed is asked of the plain doors.
"""

from __future__ import annotations

import operator
from collections.abc import Hashable, Mapping, Sequence
from copy import deepcopy
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import xarray as xr

from .. import _classes, _refusals
from .._checks.flag import flag
from .._checks.wording import shown
from . import coordinates, units
from .boundaries import Dim, boundaries
from .by_name import (
    FOR_EACH_DATASET,
    aligned,
    beside,
    labelled,
    names_of_dims,
    per_dim,
    placed,
)
from .coordinates import Spaced

if TYPE_CHECKING:
    from .._typing import Array

#: Attributes of samples that slopes have not: readers find a quantity by its standard
#: name, and mask what is out of a range, or what fills holes.
OF_SAMPLES = {
    *("standard_name", "units_metadata", "flag_values", "flag_masks", "flag_meanings"),
    *("valid_min", "valid_max", "valid_range", "actual_range"),
    *("_FillValue", "missing_value", "add_offset", "ancillary_variables"),
}


class Along(NamedTuple):
    """What is given for the dims that are differentiated along."""

    #: What is in the data, read once: it may lie on a disk.
    samples: Any
    #: One component of a field; else the data.
    component: xr.DataArray
    #: Their names and numbers.
    names: list[Any]
    axes: list[int]
    #: One entry per dim, as the plain doors take them.
    spacing: list[Any]
    boundary: list[Any]
    #: Those of the spacing, each a str; None where it is not known, as with scale
    #: factors.
    units: list[Any]
    #: One entry per dim; None for all of 1.
    scale_factors: list[Any] | None = None

    @property
    def grid(self) -> dict[str, Any]:
        """What a plain door of several dims takes of it."""
        return {
            "dim": self.axes,
            "spacing": self.spacing,
            "boundary": self.boundary,
            "scale_factors": self.scale_factors,
        }

    def one_unit(self) -> Any:
        """Return the unit of all dims, None if one has none; refuse different ones."""
        return units.one("dim", self.names, self.units)


def along(
    data: Any,
    dim: Any,
    spacing: Any,
    boundary: Any,
    datetime_unit: str | None,
    vector_dim: Hashable | None = None,
    scale_factors: Any = None,
) -> Along:
    """Check what is given for the dims of `data`, the dim of components left out."""
    samples = _samples(data)
    names = names_of_dims(data, dim, vector_dim)
    of_one = data if vector_dim is None else _component(data, vector_dim)
    given = per_dim(spacing, names, None, "spacing")
    entries = [_coordinate(data, *pair) for pair in zip(names, given, strict=True)]
    found = [
        _entry(of_one, name, entry, datetime_unit)
        for name, entry in zip(names, entries, strict=True)
    ]
    coordinates.refuse_counted(names, found, datetime_unit)
    factors = _factors(data, of_one, names, scale_factors)
    dims = [
        Dim(name, data, of_one, x if _is_coordinate(x) else None, datetime_unit)
        for name, x in zip(names, entries, strict=True)
    ]
    at = Along(
        samples,
        of_one,
        names,
        [data.dims.index(name) for name in names],
        [spaced.entry for spaced in found],
        boundaries(boundary, dims),
        [spaced.unit if factors is None else None for spaced in found],
        factors,
    )
    for parameter in ("spacing", "boundary", "scale_factors"):
        refuse_quantities(getattr(at, parameter), parameter)
    return at


def _component(data: xr.DataArray, vector_dim: Hashable) -> xr.DataArray:
    """Return the first component of a field, with what is not of single components."""
    of_each = [k for k, v in data.coords.variables.items() if vector_dim in v.dims]
    first = data.isel({vector_dim: 0}, drop=True)
    left = [name for name in of_each if name in first.coords]
    return first.drop_vars(left) if left else first


def _samples(data: Any) -> Any:
    """Return what is in a labelled array; refuse all else, and dims of one name."""
    if not isinstance(data, xr.DataArray):
        msg = (
            f"`data` must be an xarray.DataArray. Got {_classes.type_name(data)}. "
            f"{_remedy(data)}"
        )
        raise TypeError(msg)
    if len(set(data.dims)) != data.ndim:
        msg = f"`data` must have different dims. Got {data.dims}. Rename one of them."
        raise ValueError(msg)
    samples = data.data
    refuse_quantities(samples, "data")
    return samples


def _remedy(data: Any) -> str:
    """Return what helps with what is no labelled array."""
    if isinstance(data, xr.DataTree):
        return FOR_EACH_DATASET
    if isinstance(data, xr.Dataset):
        return (
            "Take one of its variables, or each, with `data.assign({name: ... for name "
            "in data})`; its `map` puts the old `units` back."
        )
    return "Make one of it, with `xarray.DataArray`."


def refuse_quantities(given: Any, parameter: str) -> None:
    """Refuse what has units of its own: the attribute `units` would not know them."""
    found = _refusals.first_in(given, _refusals.is_quantity)
    if found is not None:
        msg = (
            f"`{parameter}` must hold plain numbers, and units be the attribute "
            f"`units` of labelled arrays. Got {_classes.type_name(found)}. Pass its "
            "numbers, or call the function of the same name in `anygrad` on what is "
            "in `data`, with its unit."
        )
        raise TypeError(msg)


def _factors(
    data: xr.DataArray, of_one: xr.DataArray, names: Sequence[Any], given: Any
) -> list[Any] | None:
    """Return the scale factor of each dim; None where none are given."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        msg = (
            "`scale_factors` must be a mapping from the names of dims to numbers, "
            f"DataArrays or names of coordinates. Got {type(given).__name__}."
        )
        raise TypeError(msg)
    rule = "`scale_factors` must name coordinates of the data"
    entries = per_dim(given, names, 1.0, "scale_factors")
    return [
        _factor(of_one, name, labelled(entry, data, rule))
        for name, entry in zip(names, entries, strict=True)
    ]


def _factor(data: xr.DataArray, name: Any, given: Any) -> Any:
    """Return a scale factor, with the dims of the data if it has any."""
    if not isinstance(given, xr.DataArray):
        if getattr(given, "shape", ()):
            msg = (
                f"`scale_factors` along {name!r} must be a number, a DataArray or the "
                f"name of a coordinate. Got {_classes.type_name(given)}, which does "
                "not say along which dims it lies."
            )
            raise TypeError(msg)
        return given
    factor = aligned(given, data, f"`scale_factors` along {name!r}")
    return placed(factor.data, factor, data)


def _coordinate(data: xr.DataArray, name: Any, given: Any) -> Any:
    """Return what is given along a dim; by default its coordinate."""
    if given is None:
        if name not in data.coords:
            msg = (
                f"`spacing` must be given along {name!r}, which has no coordinate. "
                f"Pass the step, e.g. `spacing={{{name!r}: 1.0}}`."
            )
            raise ValueError(msg)
        given = name
    if given is name and name in data.coords:  # which need not be a string
        return data.coords[name]
    if coordinates.letter_of(getattr(given, "dtype", None)) == "M" and given.ndim == 1:
        given = xr.Variable([name], given)  # dates are counted as those of coordinates
    return labelled(given, data, "`spacing` must name coordinates of the data")


def _is_coordinate(given: Any) -> bool:
    return isinstance(given, xr.DataArray) and bool(given.dims)


def _entry(
    data: xr.DataArray, name: Any, given: Any, datetime_unit: str | None
) -> Spaced:
    """Return the step, or coordinates, along a dim."""
    word = f"`spacing` along {name!r}"
    if not _is_coordinate(given):
        spaced = coordinates.length(given, word, datetime_unit)
        is_labelled = isinstance(spaced.entry, xr.DataArray)
        plain = beside(spaced.entry, data).data if is_labelled else spaced.entry
        return spaced._replace(entry=plain)
    if name not in given.dims or not set(given.dims) <= set(data.dims):
        msg = (
            f"{word} must have this dim, and none but those of the data, {data.dims}. "
            f"Got {given.name!r} with the dims {given.dims}."
        )
        raise ValueError(msg)
    coordinate = aligned(given, data, word)
    spaced = coordinates.numbers(coordinate, data, name, datetime_unit)
    if coordinate.ndim > 1:
        return spaced._replace(entry=placed(spaced.entry, coordinate, data))
    return spaced


def check_new(given: Any, data: xr.DataArray, parameter: str) -> None:
    """Refuse what is not as many names as a parameter wants, none of them taken.

    The dims get coordinates, for which xarray takes no other names than text.
    """
    known = tuple(dict.fromkeys((*data.dims, *data.coords)))
    is_list = isinstance(given, (list, tuple)) and all(
        isinstance(name, str) for name in given
    )
    count = 2 if parameter == "new_dims" else 1
    if (
        is_list
        and not set(given) & set(known)
        and len(set(given)) == len(given) == count
    ):
        return
    rule = "two names" if count == 2 else "a name"
    shown_as = shown(given if count == 2 else given[0])
    msg = f"`{parameter}` must be {rule} that none of {known} is. Got {shown_as}."
    raise (ValueError if is_list else TypeError)(msg)


def mask(data: xr.DataArray, samples: Any, where: Any, skipna: bool) -> Array | None:
    """Return which samples are valid, with the dims of the data; None for all."""
    leaves_out = flag(skipna, "skipna")
    masks = [] if where is None else [_given_mask(data, where).variable]
    if leaves_out:  # xarray's own `notnull` does not know all dtypes
        masks += [xr.Variable(data.dims, samples == samples)]  # noqa: PLR0124 - NaN
    if not masks:
        return None
    valid = reduce(operator.and_, masks)
    of_samples: Array = placed(valid.data, valid, data)
    return of_samples


def _given_mask(data: xr.DataArray, where: Any) -> xr.DataArray:
    """Return a mask with the labels of the data, or with some of them."""
    rule = "`where` must be a DataArray, or name a coordinate of the data"
    where = labelled(where, data, rule)
    if not isinstance(where, xr.DataArray):
        msg = (
            f"`where` must be a DataArray of bools. Got {_classes.type_name(where)}. "
            + (
                "Take one of its variables."
                if isinstance(where, xr.Dataset)
                else "Label it first, e.g. with `data.copy(data=where)`."
            )
        )
        raise TypeError(msg)
    if str(where.dtype).rpartition(".")[2] != "bool":  # `bool` is NumPy's alone
        msg = (
            f"`where` must be a DataArray of bools. Got {where.dtype}. Compare first, "
            "e.g. `where != 0`."
        )
        raise TypeError(msg)
    return aligned(where, data, "`where`")


def derived(
    data: xr.DataArray,
    values: Any,
    per: Sequence[Any],
    new: Mapping[Any, Any] | None = None,
    place: int = 0,
) -> xr.DataArray:
    """Return values with the labels of the data, and its unit per those of the dims.

    At a place among its dims, there may be new ones, with their coordinates.  Labels
    are copied, so that what is written to them does not change the data.
    """
    if new is None and values.shape == data.shape:  # not so if Dask does not know it
        result = data.copy(data=values)
        for variable in result.coords.variables.values():
            if isinstance(variable, xr.IndexVariable):  # which is copied less deeply
                variable.attrs = deepcopy(variable.attrs)
                variable.encoding = deepcopy(variable.encoding)
    else:
        coords = data.coords.merge(xr.Coordinates(new)).coords
        # With the indexes that there are: of bare arrays, xarray would make others.
        dims = (*data.dims[:place], *(new or ()), *data.dims[place:])
        result = xr.DataArray(values, coords, dims, attrs=deepcopy(data.attrs))
        result.name = data.name  # else, Dask's arrays would give it one of their own
    result.attrs, result.encoding = attributes_of(result.attrs, per), {}
    return result


def attributes_of(samples: Mapping[Any, Any], per: Sequence[Any]) -> dict[Any, Any]:
    """Return the attributes of slopes: those of samples, with the unit of slopes."""
    attributes = {k: v for k, v in samples.items() if k not in OF_SAMPLES}
    unit = units.quotient(attributes.pop("units", None), per)
    return attributes if unit is None else {**attributes, "units": unit}
