"""Which samples are valid: `where`, and what it means for vector fields."""

from __future__ import annotations

import numbers
from typing import Any

from .. import _dispatch, _libraries, _precision
from .._classes import is_array
from .._lowering import with_dims
from .._records import Field, Plan, Samples
from .companion import broadcasts, companion, hint_at_unknown
from .input import refuse_lost
from .wording import shown

#: What makes a mask of indices, of whatever library the samples are.
OF_INDICES = (
    "Make a mask of indices first: `mask = numpy.zeros(input.shape, bool)`, then "
    "`mask[indices] = True`."
)

#: What makes a mask of objects, some of which say neither yes nor no: those samples
#: are not known to be valid.
OF_OBJECTS = (
    "Make it boolean first, with `where == True`, or of a column of pandas with "
    "`to_numpy(bool, na_value=False)`."
)


def check_kind(where: Any) -> None:
    """Refuse what is no array, by a glance at its type."""
    if isinstance(where, (numbers.Number, str, bytes, list, tuple, dict, slice)):
        msg = f"`where` must be a boolean array. Got {shown(where)}. {_as_mask(where)}"
        raise TypeError(msg)


def _as_mask(where: Any) -> str:
    """Return what to write for what is no array."""
    if isinstance(where, (numbers.Number, str, bytes)):
        return (
            "Compare the samples, e.g. `input == input` where NaN marks what is "
            "missing; leave it out where all are valid."
        )
    if isinstance(where, slice) or _are_indices(where):
        return OF_INDICES
    return "Convert it to an array of the library of `input` first."


def _are_indices(where: Any) -> bool:
    """Tell whether they choose samples: numbers, or a tuple as `nonzero` returns it."""
    if isinstance(where, tuple) and where and all(map(is_array, where)):
        return True
    return isinstance(where, (list, tuple)) and any(
        isinstance(item, (numbers.Integral, slice)) and not isinstance(item, bool)
        for item in where
    )


def check_bool(mask: Samples, may_be_indices: bool = False) -> None:
    """Refuse arrays that do not say yes or no."""
    if not _precision.is_bool(mask.dtype, mask.namespace):
        remedy = OF_INDICES if may_be_indices else _as_bool(mask.dtype)
        msg = (
            f"`where` must have a boolean dtype: True for a valid sample. Got "
            f"{mask.dtype}. {remedy}"
        )
        raise TypeError(msg)


def _as_bool(dtype: Any) -> str:
    """Return what makes a mask of an array of another dtype."""
    is_of_objects = getattr(dtype, "kind", "") == "O"
    return OF_OBJECTS if is_of_objects else "Compare first, e.g. `where != 0`."


def check(where: Any, field: Field) -> None:
    """Refuse what is no mask of these samples.

    For a vector field, one with as many dims as `input` has the dim of the components;
    any other is for all of them.
    """
    check_kind(where)
    _check_chosen(field.samples)
    mask = companion(where, field, "where")
    shape = tuple(mask.shape)
    full, whole = tuple(field.shape), tuple(field.samples.shape)
    fits = broadcasts(shape, whole if len(shape) == len(whole) else full)
    if fits:
        check_bool(mask)
    else:
        check_bool(mask, _precision.is_integer(mask.dtype, mask.namespace))
        msg = f"`where` must be broadcastable to `input`, of shape {whole}"
        if field.vector_axis is not None:
            msg += f", or with fewer dims to one component of it, of shape {full}"
        msg += f". Got shape {shape}."
        raise ValueError(msg + hint_at_unknown(*whole, *shape))


def _check_chosen(samples: Samples) -> None:
    """Refuse a class whose arrays have something of their own that `where` loses."""
    library, f, xp = samples.library, samples.array, samples.namespace
    if not samples.is_exact and _libraries.has_state(type(f), library):
        refuse_lost(f, library, lambda none: xp.where(none != 0, none, none))


def of_components(plain: Any, plan: Plan) -> Any:
    """Return a mask with as many dims as a component; one for each if it has theirs."""
    if plain.ndim <= plan.ndim:
        return with_dims(plain, plan.ndim)
    components = [task.component for task in plan.tasks if task.component is not None]
    axis, count = components[0][0], 1 + max([number for _, number in components])
    parts = [_dispatch.part_of(plain, axis, k) for k in range(plain.shape[axis])]
    return tuple(parts) if len(parts) > 1 else (*parts,) * count
