"""Which samples are valid: `where`, and what it means for vector fields."""

from __future__ import annotations

import numbers
from typing import Any

from .. import _dispatch, _precision
from .._records import Field, Plan, Samples
from .companion import broadcasts, companion
from .input import is_unknown
from .wording import shown


def check_kind(where: Any) -> None:
    """Refuse what is no array, by a glance at its type."""
    if isinstance(where, (numbers.Number, str, bytes, list, tuple, dict)):
        msg = (
            f"`where` must be a boolean array. Got {shown(where)}. Convert it to an "
            "array of the library of `input` first."
        )
        raise TypeError(msg)


def check_bool(mask: Samples) -> None:
    """Refuse arrays that do not say yes or no."""
    if not _precision.is_bool(mask.dtype, mask.namespace):
        msg = (
            f"`where` must have a boolean dtype: True for a valid sample. Got "
            f"{mask.dtype}. Compare first, e.g. `where != 0`."
        )
        raise TypeError(msg)


def check(where: Any, field: Field) -> None:
    """Refuse what is no mask of these samples.

    For a vector field, one with as many dims as `input` has the dim of the components;
    any other is for all of them.
    """
    check_kind(where)
    mask = companion(where, field, "where")
    check_bool(mask)
    shape = tuple(mask.shape)
    full, whole = tuple(field.shape), tuple(field.samples.shape)
    wanted = whole if len(shape) == len(whole) else full
    if not broadcasts(shape, wanted):
        msg = f"`where` must be broadcastable to `input`, of shape {whole}"
        if field.vector_axis is not None:
            msg += f", or with fewer dims to one component of it, of shape {full}"
        msg += f". Got shape {shape}."
        if any(map(is_unknown, whole)):
            msg += " Compute its lengths first, e.g. with `compute_chunk_sizes()`."
        raise ValueError(msg)


def of_components(plain: Any, plan: Plan) -> Any:
    """Return a mask with as many dims as a component; one for each if it has theirs."""
    missing = plan.ndim - plain.ndim
    if missing > 0:
        return plain[(*(None,) * missing, ...)]
    if not missing:
        return plain
    components = [task.component for task in plan.tasks if task.component is not None]
    axis, count = components[0][0], 1 + max([number for _, number in components])
    parts = [_dispatch.component_of(plain, axis, k) for k in range(plain.shape[axis])]
    return tuple(parts) if len(parts) > 1 else (*parts,) * count
