"""How long a step of each coordinate is: `scale_factors`."""

from __future__ import annotations

from typing import Any, NoReturn

from .. import _constants, _precision
from .._records import Field
from .._typing import DType
from . import spacing
from .companion import broadcasts, companion, hint_at_unknown
from .input import check_real, words_for
from .spacing import Entry
from .wording import shown


def refuse_tensors(given: Any) -> NoReturn:
    """Raise for a function whose results are no sums of plain derivatives."""
    msg = (
        "`scale_factors` must be None for `jacobian` and `hessian`: along curved "
        "coordinates, their entries are covariant derivatives, for which the factors "
        f"are not enough. Got {shown(given)}. Call `gradient`, `divergence`, `curl` or "
        "`laplacian`, or change to Cartesian coordinates first."
    )
    raise ValueError(msg)


def entries(given: Any, count: int) -> list[Entry]:
    """Return one factor per dim, each with the user's words for it."""
    if not isinstance(given, (list, tuple)):
        msg = (
            "`scale_factors` must be a list or tuple with one entry per dim, "
            f"{count} in all. Got {shown(given)}. For one factor along all of them, "
            "repeat it: `scale_factors=[h, h]`."
        )
        raise TypeError(msg)
    if len(given) != count:
        msg = (
            f"`scale_factors` must have one entry per dim, {count} in all. Got "
            f"{len(given)}."
        )
        raise ValueError(msg)
    names = [f"scale_factors[{number}]" for number in range(count)]
    return [
        Entry(spacing.as_number(item, name), name)
        for item, name in zip(given, names, strict=True)
    ]


def check(entry: Entry, field: Field) -> DType | None:
    """Return the dtype of a factor, where it has a say: of floating arrays.

    What JAX traces in the place of a Python number has none, as its weak type tells.
    """
    if entry.is_number:
        if isinstance(entry.given, complex):
            msg = f"`{entry.name}` must be real. Got {shown(entry.given)}."
            raise TypeError(msg)
        return None
    spacing.check_kind(entry)
    found = companion(entry.given, field, entry.name)
    check_real(found, entry.name)
    _check_shape(tuple(found.shape), entry, field)
    placed = _constants.as_placed(found, field.samples)
    is_integer = _precision.is_integer(placed.dtype, field.samples.namespace)
    is_weak = getattr(entry.given, "weak_type", False)
    return None if is_integer or is_weak else placed.dtype


def _check_shape(shape: tuple[Any, ...], entry: Entry, field: Field) -> None:
    """Refuse what does not broadcast, and what would do so along any last dim."""
    is_vague = len(shape) == 1 < field.ndim
    if broadcasts(shape, field.shape) and not is_vague:
        return
    what = words_for(field)
    remedy = (
        " Say along which dim it lies, e.g. with `h[:, None]` for the last but one."
        if is_vague
        else hint_at_unknown(*shape, *field.shape)
    )
    msg = (
        f"`{entry.name}` must be a number, an array of shape (), or broadcastable to "
        f"{what}, of shape {tuple(field.shape)}{', with two dims or more' * is_vague}. "
        f"Got shape {shape}.{remedy}"
    )
    raise ValueError(msg)
