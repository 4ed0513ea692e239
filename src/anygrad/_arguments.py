"""From the user's arguments to a plan: every error message is here.

Only shapes, dtypes, devices and Python numbers are read, never the values of an
array, so a plan can be made for lazy and for traced arrays, and costs no computation.
"""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from anygrad import _backends, _precision, _stencils
from anygrad._plan import Plan, Task
from anygrad._precision import Precision
from anygrad._stencils import Formula, Scale, Scheme
from anygrad._typing import Array, Namespace

#: Plans for floating samples and Python numbers, by the arguments and by the library,
#: dtype and shape of the samples: they depend on nothing else.
_plans: dict[Any, Plan] = {}

#: When there are so many plans, all are forgotten: a bound on memory.
MOST_PLANS = 512


def plan(
    input: Array,
    xp: Namespace,
    *,
    spacing: Any,
    dim: Any,
    axis: Any,
    edge_order: Any,
) -> Plan:
    """Check all arguments of `gradient` and return what to compute."""
    _check_layout(input, "input")
    if not (
        type(edge_order) is int
        and _are_exactly((int, float), spacing)
        and _are_exactly((int,), dim)
        and _are_exactly((int,), axis)
        and not _backends.is_reading_code()
    ):
        return _plan(input, xp, spacing, dim, axis, edge_order)
    key = (
        xp.__name__,
        input.dtype,
        input.shape,
        tuple(spacing) if type(spacing) is list else spacing,
        tuple(dim) if type(dim) is list else dim,
        tuple(axis) if type(axis) is list else axis,
        edge_order,
    )
    try:
        known = _plans.get(key)
    except TypeError:  # a symbolic shape cannot be looked up
        return _plan(input, xp, spacing, dim, axis, edge_order)
    if known is None:
        known = _plan(input, xp, spacing, dim, axis, edge_order)
        # What integers become depends on the device and on settings.
        if not _precision.is_integer(input.dtype, xp):
            if len(_plans) >= MOST_PLANS:
                _plans.clear()
            known = Plan(tuple(task._replace(memo={}) for task in known.tasks))
            _plans[key] = known
    return known


def _are_exactly(types: tuple[type, ...], value: Any) -> bool:
    """Tell whether a value is None, of these types, or a list or tuple of such.

    Subclasses do not count: True equals 1 as a key, but is no dim and no step.
    """
    if value is None or type(value) in types:
        return True
    return type(value) in (list, tuple) and all(type(v) in types for v in value)


def _plan(
    input: Array, xp: Namespace, spacing: Any, dim: Any, axis: Any, edge_order: Any
) -> Plan:
    _check_samples(input, xp)
    axes = _axes(input, dim, axis)
    edge_order = _edge_order(edge_order)
    entries = _entries(spacing, len(axes))
    scheme = _stencils.SCHEMES[edge_order]
    for number, word, item in axes:
        _check_length(input, number, word, item, scheme, edge_order)
    return Plan(
        tuple(
            _task(input, xp, number, scheme, entry, label)
            for (number, _, _), (entry, label) in zip(axes, entries, strict=True)
        )
    )


def _check_layout(array: Any, name: str) -> None:
    layout = _backends.unusual_layout(array)
    if layout is not None:
        msg = (
            f"`{name}` must be a dense array. Got layout {layout}. Convert it first, "
            "with `to_dense()`."
        )
        raise TypeError(msg)


def _check_samples(input: Array, xp: Namespace) -> None:
    if not _precision.is_numeric(input.dtype, xp):
        msg = (
            "`input` must have an integer, real floating or complex floating dtype. "
            f"Got {input.dtype}. Convert it first, e.g. with `astype`."
        )
        raise TypeError(msg)


def _axes(input: Array, dim: Any, axis: Any) -> list[tuple[int, str, Any]]:
    """Return the axes, none negative, each with the user's word and number for it."""
    word = "dim"
    if axis is not None:
        if dim is not None:
            msg = (
                "`dim` and `axis` are two words for one argument. Got "
                f"dim={dim!r} and axis={axis!r}. Give one of them."
            )
            raise TypeError(msg)
        dim, word = axis, "axis"
    if dim is None:
        return [(number, word, number) for number in range(input.ndim)]
    given = dim if isinstance(dim, (list, tuple)) else (dim,)
    axes = [(_axis(input, item, word, dim), word, item) for item in given]
    if len({number for number, _, _ in axes}) != len(axes):
        msg = (
            f"`{word}` must name each dimension once. Got {dim!r} for a "
            f"{input.ndim}-dimensional `input`."
        )
        raise ValueError(msg)
    return axes


def _axis(input: Array, item: Any, word: str, given: Any) -> int:
    try:
        if isinstance(item, bool):
            raise TypeError
        number = operator.index(item)
    except TypeError:
        msg = (
            f"`{word}` must be an int, or a list or tuple of ints. Got {_shown(given)}."
        )
        raise TypeError(msg) from None
    if not -input.ndim <= number < input.ndim:
        if input.ndim == 0:
            msg = f"`{word}` must be empty for a 0-dimensional `input`. Got {number}."
            raise IndexError(msg)
        msg = (
            f"`{word}` must lie between {-input.ndim} and {input.ndim - 1} for a "
            f"{input.ndim}-dimensional `input`. Got {number}."
        )
        raise IndexError(msg)
    return number % input.ndim


def _edge_order(edge_order: Any) -> int:
    try:
        if isinstance(edge_order, bool):
            raise TypeError
        number = int(operator.index(edge_order))
    except TypeError:
        msg = f"`edge_order` must be the int 1 or 2. Got {_shown(edge_order)}."
        raise TypeError(msg) from None
    if number not in (1, 2):
        msg = f"`edge_order` must be 1 or 2. Got {number}."
        raise ValueError(msg)
    return number


def _check_length(
    input: Array, axis: int, word: str, item: Any, scheme: Scheme, edge_order: int
) -> None:
    length = input.shape[axis]
    if length is None or _is_nan(length):
        msg = (
            f"`input` must have a known length along `{word}` {item}. Got shape "
            f"{tuple(input.shape)}. Compute it first, e.g. with "
            "`compute_chunk_sizes()`."
        )
        raise ValueError(msg)
    if length < scheme.points:
        msg = (
            f"`input` must have at least {scheme.points} points along `{word}` {item} "
            f"for `edge_order={edge_order}`. Got shape {tuple(input.shape)}."
        )
        raise ValueError(msg)


def _is_nan(length: Any) -> bool:
    """Tell whether Dask does not know a length; symbolic ones are not compared."""
    return isinstance(length, float) and math.isnan(length)


def _entries(spacing: Any, count: int) -> list[tuple[Any, str]]:
    """Return one entry of `spacing` per dim, each with the user's words for it."""
    if isinstance(spacing, (list, tuple)):
        if len(spacing) != count:
            msg = (
                f"`spacing` must have one entry per dim, {count} in all. Got "
                f"{len(spacing)}."
            )
            raise ValueError(msg)
        return [
            (_entry(item, f"spacing[{number}]"), f"spacing[{number}]")
            for number, item in enumerate(spacing)
        ]
    entry: Any = 1.0 if spacing is None else _entry(spacing, "spacing")
    is_number = isinstance(entry, (float, complex))
    if not is_number and isinstance(getattr(entry, "ndim", None), int) and entry.ndim:
        msg = (
            "`spacing` must be a scalar, or a list or tuple with one entry per dim. "
            f"Got a {entry.ndim}-dimensional array. Put coordinates into a list: "
            "`spacing=[x]`."
        )
        raise TypeError(msg)
    if not is_number:
        _check_kind(entry, "spacing")
    return [(entry, "spacing")] * count


def _entry(item: Any, name: str) -> Any:
    """Return a Python float or complex for a number; anything else as it is."""
    if isinstance(item, bool) or not isinstance(item, numbers.Complex):
        return item
    try:
        step = float(item) if isinstance(item, numbers.Real) else complex(item)
    except OverflowError:
        step = math.inf
    except TypeError:  # NumPy calls a timedelta64 an integer
        return item
    if step == 0 or step - step != 0:  # infinity minus infinity is no number
        msg = f"`{name}` must be finite and not zero. Got {_shortened(item)}."
        raise ValueError(msg)
    return step


def _task(
    input: Array, xp: Namespace, axis: int, scheme: Scheme, entry: Any, name: str
) -> Task:
    device = _backends.device_of(input)
    if isinstance(entry, (float, complex)):
        precision = _precision.choose(
            input.dtype, None, isinstance(entry, complex), device, xp
        )
        formulas = _on_step(entry, scheme, precision, name)
        return Task(axis, scheme, precision, formulas, None, None)
    entry_xp = _check_array(input, xp, device, entry, name)
    if entry.ndim == 0:
        complex_step = _precision.is_complex(entry.dtype, xp)
        precision = _precision.choose(input.dtype, None, complex_step, device, xp)
        return Task(axis, scheme, precision, (), entry, None)
    coordinates = _coordinates(input, entry_xp, axis, entry, name)
    precision = _precision.choose(input.dtype, entry.dtype, False, device, xp)
    return Task(axis, scheme, precision, (), None, coordinates)


def _on_step(
    step: float | complex, scheme: Scheme, precision: Precision, name: str
) -> tuple[Formula, ...]:
    if isinstance(step, float) and step == 1.0:
        return scheme.unit_formulas
    return tuple(
        Formula(s, s.terms, _scale(step, s.denominator, precision, name))
        for s in scheme.stencils
    )


def _scale(
    step: float | complex, denominator: int, precision: Precision, name: str
) -> Scale:
    """Return the scale for a step; all of its numbers are normal.

    Where ``step * denominator`` is no normal number of the working dtype, e.g. 1e-50 in
    float32, dividing by it would give 0 or infinity although the derivative may fit.
    Half of its exponent is taken off first, as a factor.
    """
    if _backends.is_reading_code():  # pragma: no cover - only torch.compile comes here
        return Scale(None, _stencils.factors(step, denominator))
    least, most = precision.smallest, precision.largest
    if isinstance(step, complex):
        if least <= abs(step) <= most:
            return Scale(None, _stencils.factors(step, denominator))
    elif least <= abs(step * denominator) <= most:
        return _stencils.scale(step * denominator)
    mantissa, exponent = math.frexp(abs(step))
    half = exponent // 2
    divisor = math.ldexp(mantissa, exponent - half) * denominator
    factor = math.ldexp(1.0, -half)
    if isinstance(step, complex) or not (
        least <= factor <= most and least <= divisor <= most
    ):
        msg = (
            f"`{name}` must be in the range of the dtype that `input` is "
            f"differentiated in, {precision.samples}. Got {_shown(step)}. "
            "Convert `input` to a wider dtype, or scale the steps."
        )
        raise ValueError(msg)
    return Scale(factor, (math.copysign(divisor, step),))


def _check_kind(entry: Any, name: str) -> None:
    """Refuse what is neither a number nor an array, by a glance at its type."""
    if entry is None or isinstance(entry, (bool, str, bytes, list, tuple, dict)):
        msg = f"`{name}` must be a number or an array. Got {_shown(entry)}." + (
            " Convert it to an array first." if isinstance(entry, list) else ""
        )
        raise TypeError(msg)


def _check_array(
    input: Array, xp: Namespace, device: Any, entry: Any, name: str
) -> Namespace:
    """Refuse what cannot be a step or coordinates of these samples.

    Returns the namespace of `entry`, which need not be that of `input`.
    """
    if entry is None or isinstance(entry, (bool, str, bytes, list, tuple, dict)):
        msg = f"`{name}` must be a number or an array. Got {_shown(entry)}." + (
            " Convert it to an array first." if isinstance(entry, list) else ""
        )
        raise TypeError(msg)
    _, namespace = _backends.resolve(entry, name)
    _check_layout(entry, name)
    mixed = namespace.__name__ != xp.__name__
    if mixed and not _backends.may_mix(entry, input):
        msg = (
            f"`{name}` must be an array of the same library as `input`. Got "
            f"{_backends.type_name(entry)} for an `input` of type "
            f"{_backends.type_name(input)}. Convert one of them first."
        )
        raise TypeError(msg)
    if not _precision.is_numeric(entry.dtype, namespace):
        msg = (
            f"`{name}` must have an integer, real floating or complex floating dtype. "
            f"Got {entry.dtype}. Convert it to numbers first."
        )
        raise TypeError(msg)
    here = _backends.device_of(entry)
    if not mixed and None not in (here, device) and here != device:
        msg = (
            f"`{name}` must be on the device of `input`. Got {here} for an `input` on "
            f"{device}. Move one of them first, e.g. with `to_device`."
        )
        raise ValueError(msg)
    return namespace


def _coordinates(input: Array, xp: Namespace, axis: int, entry: Any, name: str) -> Any:
    """Return coordinates with as many dimensions as the samples."""
    length, shape = input.shape[axis], tuple(entry.shape)
    if entry.ndim not in (1, input.ndim):
        ranks = (
            "a scalar or a 1-dimensional array of coordinates"
            if input.ndim == 1
            else "a scalar, a 1-dimensional array of coordinates, or have "
            f"{input.ndim} dimensions as `input`"
        )
        msg = f"`{name}` must be {ranks}. Got shape {shape}."
        raise ValueError(msg)
    along = shape[0] if entry.ndim == 1 else shape[axis]
    if along != length:
        msg = (
            f"`{name}` must have one coordinate per point along dimension {axis} of "
            f"`input`, {length} in all. Got shape {shape}."
        )
        raise ValueError(msg)
    if entry.ndim == 1:
        return xp.reshape(
            entry, tuple(length if k == axis else 1 for k in range(input.ndim))
        )
    others = zip(shape, input.shape, strict=True)
    if any(k != axis and not _may_broadcast(a, b) for k, (a, b) in enumerate(others)):
        msg = (
            f"`{name}` must be broadcastable to `input`, of shape "
            f"{tuple(input.shape)}. Got shape {shape}."
        )
        raise ValueError(msg)
    return entry


def _may_broadcast(length: Any, full: Any) -> bool:
    """Tell whether coordinates fit; lengths that Dask does not know are trusted."""
    return length in (1, full) or (_is_nan(length) and _is_nan(full))


def _shown(value: Any) -> str:
    """Return a short text for a value that is no array, a type's name for others."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return _shortened(value)
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        left, right = "[]" if isinstance(value, list) else "()"
        return left + ", ".join(_shown(item) for item in value) + right
    return _backends.type_name(value)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}..."
