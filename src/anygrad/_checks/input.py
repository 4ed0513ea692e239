"""What is differentiated: `input`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn

from .. import _boundaries, _classes, _libraries, _precision
from .._library import Library
from .._records import Axis, Ends, Field, Orders, Samples
from .wording import conversion, shortened, shown


def check(samples: Samples) -> None:
    """Refuse what has no derivative, or would lose more than it gets."""
    _check_plain(samples)
    check_numeric(samples, "input")


def check_numeric(samples: Samples, name: str) -> None:
    """Refuse dtypes of which a derivative has no meaning."""
    if _precision.is_numeric(samples.dtype, samples.namespace):
        return
    msg = (
        f"`{name}` must have an integer, real floating or complex floating dtype. "
        f"Got {samples.dtype}. {conversion(samples)}"
    )
    raise TypeError(msg)


def check_real(samples: Samples, name: str) -> None:
    """Refuse dtypes that are no lengths: complex ones, too."""
    xp = samples.namespace
    is_complex = _precision.is_complex(samples.dtype, xp)
    if is_complex or not _precision.is_numeric(samples.dtype, xp):
        hint = "Pass its real part." if is_complex else conversion(samples)
        msg = (
            f"`{name}` must have an integer or real floating dtype. Got "
            f"{samples.dtype}. {hint}"
        )
        raise TypeError(msg)


def _check_plain(samples: Samples) -> None:
    """Refuse classes whose arrays have something of their own, which would be lost."""
    library, array = samples.library, samples.array
    if library.chunk is not None:
        array = library.chunk(array)
        library = _libraries.library_of(array)
    elif samples.is_exact:
        return
    if not _libraries.has_state(type(array), library):
        return
    if not _libraries.is_heard(type(array), library):
        refuse_meaning(array, library.namespace, "input")
    xp = _libraries.namespace_of(array)
    refuse_lost(array, library, lambda none: xp.concat([none, none]))


def refuse_lost(array: Any, library: Library, made: Callable[[Any], Any]) -> None:
    """Refuse a class with something of its own, where a function returns plain arrays.

    It may have its say in all functions, and leave this one to NumPy.  No element is
    needed to see that.
    """
    if array.ndim and _libraries.is_exact(made(array[:0]), library):
        refuse_meaning(array, library.namespace, "input")


def refuse_meaning(array: Any, namespace: str, name: str) -> NoReturn:
    """Raise for a derived class, with what makes it a plain array."""
    msg = (
        f"`{name}` must be a plain array: what a derived class carries along would "
        f"be lost. Got {_classes.type_name(array)}. Convert it first, e.g. with "
        f"`{namespace}.asarray`."
    )
    raise TypeError(msg)


def field(samples: Samples, vector_axis: int | None = None) -> Field:
    """Return what is differentiated: all samples, or a component of them."""
    shape = samples.shape
    if vector_axis is not None:
        shape = (*shape[:vector_axis], *shape[vector_axis + 1 :])
    return Field(samples, samples.dtype, shape, vector_axis)


def words_for(field: Field) -> str:
    """Return what to call that which is differentiated."""
    return "`input`" if field.vector_axis is None else "a component of `input`"


def check_components(field: Field, count: int | None, vector_dim: Any) -> int:
    """Return how many components there are; refuse another number than one per dim."""
    shape = tuple(field.samples.shape)
    length = shape[field.vector_axis or 0]
    if count is not None and length != count:
        msg = (
            f"`input` must have one component per dim along `vector_dim` "
            f"{shown(vector_dim)}, {count} in all. Got shape {shape}."
        )
        if count in shape:
            msg += " Is it another dim? Name it as `vector_dim`."
        raise ValueError(msg)
    if is_unknown(length):
        refuse_unknown("input", shape, f" along `vector_dim` {shown(vector_dim)}")
    if length == 0:
        msg = (
            f"`input` must have components along `vector_dim` {shown(vector_dim)}. Got "
            f"shape {shape}."
        )
        raise ValueError(msg)
    return int(length)


def is_unknown(length: Any) -> bool:
    """Tell whether Dask does not know a length; symbolic ones are not compared."""
    return length is None or (isinstance(length, float) and math.isnan(length))


def refuse_unknown(name: str, shape: tuple[Any, ...], along: str = "") -> NoReturn:
    """Raise for a length that must be known."""
    msg = (
        f"`{name}` must have a known length{along}. Got shape {shape}. Compute it "
        "first, e.g. with `compute_chunk_sizes()`."
    )
    raise ValueError(msg)


def check_length(
    field: Field, axis: Axis, points: int, orders: Orders, ends: Ends
) -> None:
    """Refuse axes that are too short for the formulas."""
    length = field.shape[axis.number]
    if is_unknown(length) or length < points:
        has_one_sided = field.has_mask or _boundaries.ONE_SIDED in ends[:2]
        why = _reasons(orders, ends, points, has_one_sided)
        check_room(field, axis, points, why, _boundaries.GHOSTS in ends[:2])


def check_room(
    field: Field, axis: Axis, points: int, why: str, has_ghosts: bool = False
) -> None:
    """Refuse axes that are too short for what needs so many points."""
    length, shape = field.shape[axis.number], tuple(field.samples.shape)
    if is_unknown(length):
        refuse_unknown("input", shape, f" along `{axis.word}` {axis.given}")
    if length < points:
        msg = (
            f"`input` must have at least {shortened(points)} point{'s' * (points > 1)} "
            f"along `{axis.word}` "
            f"{axis.given}{', its ghosts among them,' if has_ghosts else ''} for "
            f"{why}. Got shape {shape}."
        )
        others = [n for k, n in enumerate(field.shape) if k != axis.number]
        is_long = any(not is_unknown(n) and n >= points for n in others)
        if is_long and field.vector_axis is None:  # the short dim may be a batch
            msg += f" To leave this dim out, name others in `{axis.word}`."
        raise ValueError(msg)


def _reasons(orders: Orders, ends: Ends, points: int, has_one_sided: bool) -> str:
    """Return what says how many points are needed.

    The order in words, since not all functions are told it.
    """
    if not has_one_sided and points == 2 and _boundaries.can_be_short(*ends[:2]):
        is_mirrored = "reflect" in ends[:2]
        return "'reflect' in `boundary`" if is_mirrored else "ghosts on coordinates"
    order, accuracy, edge_order = map(shortened, orders)
    reasons = [f"a derivative of order {order}"] if orders.order != 1 else []
    if orders.accuracy != 2 or not (has_one_sided or reasons):
        reasons.append(f"`accuracy={accuracy}`")
    if has_one_sided:
        reasons.append(f"`edge_order={edge_order}`")
    return ", ".join(reasons)
