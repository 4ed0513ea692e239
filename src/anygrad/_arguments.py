"""From the user's arguments to a plan: every error message is here.

Only shapes, dtypes, devices and Python numbers are read, never the values of an
array, so a plan can be made for lazy and for traced arrays, and costs no computation.
"""

from __future__ import annotations

import contextlib
import math
import numbers
import operator
import sys
from functools import partial
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

from . import _agnostic, _backends, _boundaries, _precision, _stencils
from ._plan import Alternative, Plan, Stack, Task
from ._precision import Precision
from ._stencils import Formula, Scale, Scheme, Stencil
from ._typing import Array, DType, Namespace

#: Plans for floating samples, by the arguments and by the library, dtype and shape of
#: the samples and of the coordinates: they depend on nothing else.
_plans: dict[Any, Plan] = {}

#: When there are so many plans, all are forgotten: a bound on memory.
MOST_PLANS = 512


class Samples(NamedTuple):
    """What a plan reads of the samples, or of one component of a vector field."""

    array: Array
    dtype: DType
    shape: tuple[Any, ...]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)


class Ends(NamedTuple):
    """What one dim has at its ends."""

    left: str
    right: str
    constants: tuple[Any, Any] | None
    period: float | None


class Kind(NamedTuple):
    """Which derivative is wanted."""

    order: int
    accuracy: int
    edge_order: int


def plan(
    input: Array,
    xp: Namespace,
    *,
    spacing: Any,
    dim: Any,
    axis: Any,
    edge_order: Any,
    order: Any = 1,
    accuracy: Any = 2,
    boundary: Any = _boundaries.ONE_SIDED,
    where: Any = None,
    stack_dim: Any = None,
) -> Plan:
    """Check all arguments and return the plan of one derivative per dim."""
    _check_layout(input, "input")
    integers = (edge_order, order, accuracy, stack_dim)
    several = type(spacing) in (list, tuple)
    entries = spacing if several else (1.0 if spacing is None else spacing,)
    tokens = entries
    if where is not None:  # a mask is an array of this call, as large as the samples
        return _plan(input, xp, spacing, dim, axis, *integers, boundary, where)
    if type(spacing) is not float:  # the most frequent case, and it costs nothing
        tokens = tuple([_token(input, entry) for entry in entries])
    if not (
        type(edge_order) is type(order) is type(accuracy) is int
        and (stack_dim is None or type(stack_dim) is int)
        and _is_plain(boundary)
        and None not in tokens
        and _are_ints(dim)
        and _are_ints(axis)
        and not _backends.is_reading_code()
    ):
        return _plan(input, xp, spacing, dim, axis, *integers, boundary)
    key = (
        xp.__name__,
        input.dtype,
        input.shape,
        several,
        tokens,
        tuple(dim) if type(dim) is list else dim,
        tuple(axis) if type(axis) is list else axis,
        *integers,
        boundary,
    )
    try:
        known = _plans.get(key)
    except TypeError:  # a symbolic shape cannot be looked up
        return _plan(input, xp, spacing, dim, axis, *integers, boundary)
    if known is None and _precision.is_numeric(input.dtype, xp):
        # What integers become depends on the device and on settings.
        key = (*key, *_precision.settings(input.dtype, _backends.device_of(input), xp))
        known = _plans.get(key)
    if known is not None:
        return _bound(known, input, xp, entries)
    made = _plan(input, xp, spacing, dim, axis, *integers, boundary)
    if len(_plans) >= MOST_PLANS:
        _plans.clear()
    tasks = tuple(task._replace(coordinates=None, memo={}) for task in made.tasks)
    known = _plans[key] = made._replace(tasks=tasks)
    return _bound(known, input, xp, entries)


def _token(input: Array, entry: Any) -> Any:
    """Return what a plan depends on in an entry of `spacing`; None if it may be more.

    Subclasses do not count: True equals 1 as a key, but is no step.
    """
    if type(entry) in (float, int):
        return entry
    if isinstance(entry, numbers.Real) and hasattr(entry, "dtype"):
        # A number of NumPy's, for which a length of time is an integer.
        return float(entry) if entry.dtype.kind in "fiu" else None
    if _backends.is_beside(entry, input) and entry.ndim > 0:
        return entry.dtype, entry.shape
    return None


def _is_plain(boundary: Any) -> bool:
    """Tell whether a boundary is of Python's own words and numbers."""
    if type(boundary) is tuple:
        return all(type(end) in (str, float, int) for end in boundary)
    return type(boundary) in (str, float, int)


def _are_ints(value: Any) -> bool:
    """Tell whether a value is None, exactly an int, or a list or tuple of such."""
    if value is None or type(value) is int:
        return True
    return type(value) in (list, tuple) and all(type(v) is int for v in value)


def _bound(known: Plan, input: Array, xp: Namespace, entries: Any) -> Plan:
    """Give a plan the coordinates of this call."""
    if all(task.formulas for task in known.tasks):
        return known
    tasks = [
        task
        if task.formulas
        else task._replace(coordinates=_in_all_dims(entry, input, xp, task.axis))
        for task, entry in zip(known.tasks, entries, strict=False)
    ]
    return known._replace(tasks=tuple(tasks))


def _in_all_dims(x: Any, input: Array | Samples, xp: Namespace, axis: int) -> Any:
    """Give a vector of coordinates as many dimensions as the samples have."""
    if x.ndim == input.ndim:
        return x
    line = [1] * input.ndim
    line[axis] = input.shape[axis]
    return xp.reshape(x, tuple(line))


def _plan(
    input: Array,
    xp: Namespace,
    spacing: Any,
    dim: Any,
    axis: Any,
    edge_order: Any,
    order: Any,
    accuracy: Any,
    stack_dim: Any,
    boundary: Any,
    where: Any = None,
) -> Plan:
    _check_samples(input, xp)
    samples = Samples(input, input.dtype, input.shape)
    axes = _axes(samples, dim, axis)
    kind = _kind(order, accuracy, edge_order)
    valid = None if where is None else _valid(samples, xp, kind, where)
    alike = stack_dim is not None
    tasks = _partials(samples, xp, kind, axes, spacing, boundary, valid, alike=alike)
    if stack_dim is None:
        return Plan(tasks, plain=valid is None)
    if not tasks:
        msg = "`stack_dim` must be None where there is nothing to stack. Got no dims."
        raise ValueError(msg)
    place = _stack_axis(stack_dim, input.ndim)
    stack = Stack(place, (len(tasks),), tuple(range(len(tasks))))
    return Plan(_with_one_dtype(tasks, xp), stack, plain=False)


def derivative(
    input: Array,
    xp: Namespace,
    *,
    spacing: Any,
    dim: Any,
    axis: Any,
    order: Any,
    accuracy: Any,
    edge_order: Any,
    boundary: Any,
    where: Any = None,
) -> Plan:
    """Check all arguments and return the plan of a derivative along one dim."""
    if axis is not None:
        if dim is not None:
            _refuse_both(dim, axis)
    elif dim is None:
        dim = -1
    for word, given in (("dim", dim), ("axis", axis)):
        if isinstance(given, (list, tuple)):
            msg = f"`{word}` must be one int. Got {_shown(given)}."
            raise TypeError(msg)
    is_list = isinstance(spacing, (list, tuple))
    if not is_list and getattr(spacing, "ndim", None):
        spacing = [spacing]  # with one dim, coordinates are no riddle
    if isinstance(boundary, list):
        msg = f"`boundary` must be one mode or a pair of them. Got {_shown(boundary)}."
        raise TypeError(msg)
    return plan(
        input,
        xp,
        spacing=spacing,
        dim=dim,
        axis=axis,
        edge_order=_or_as_inside(edge_order, accuracy),
        order=order,
        accuracy=accuracy,
        boundary=boundary,
        where=where,
    )


def _or_as_inside(edge_order: Any, accuracy: Any) -> Any:
    """Return the accuracy of the edges, by default that of the interior."""
    return accuracy if edge_order is None else edge_order


def laplacian(
    input: Array, xp: Namespace, dim: Any, axis: Any, keywords: dict[str, Any]
) -> Plan:
    """Return the plan of the sum of the second derivatives."""
    samples = _samples(input, xp)
    axes = _axes(samples, dim, axis)
    _check_some(axes, "dim" if axis is None else "axis")
    tasks = _of_order(2, samples, xp, axes, keywords)
    return Plan(_with_one_dtype(_summed(tasks), xp), plain=False)


def hessian(
    input: Array,
    xp: Namespace,
    dim: Any,
    axis: Any,
    stack_dim: Any,
    keywords: dict[str, Any],
) -> Plan:
    """Return the plan of all second derivatives, each mixed one taken once."""
    samples = _samples(input, xp)
    axes = _axes(samples, dim, axis)
    _check_some(axes, "dim" if axis is None else "axis")
    place = _stack_axis(stack_dim, input.ndim)
    firsts = _of_order(1, samples, xp, axes, keywords)
    seconds = _of_order(2, samples, xp, axes, keywords)
    count = len(axes)
    tasks: list[Task] = []
    number: dict[tuple[int, int], int] = {}
    for i, j in combinations_with_replacement(range(count), 2):
        number[i, j] = number[j, i] = len(tasks)
        mixed = seconds[i] if i == j else _after(firsts[i], firsts[j], xp)
        tasks.append(mixed)
    numbers = tuple(number[i, j] for i in range(count) for j in range(count))
    stack = Stack(place, (count, count), numbers)
    return Plan(_with_one_dtype(tuple(tasks), xp), stack, plain=False)


def jacobian(
    input: Array,
    xp: Namespace,
    dim: Any,
    axis: Any,
    vector_dim: Any,
    keywords: dict[str, Any],
) -> Plan:
    """Return the plan of all derivatives of all components."""
    samples = _samples(input, xp)
    place = _vector_axis(vector_dim, input)
    field, axes = _field(samples, place, dim, axis)
    _check_some(axes, "dim" if axis is None else "axis")
    partials = _of_order(1, field, xp, axes, keywords)
    count = input.shape[place]
    tasks = tuple(
        task._replace(component=(place, number))
        for number in range(count)
        for task in partials
    )
    if not tasks:
        msg = (
            f"`input` must have components along `vector_dim` {vector_dim}. Got shape "
            f"{tuple(input.shape)}."
        )
        raise ValueError(msg)
    stack = Stack(place, (count, len(axes)), tuple(range(len(tasks))))
    return Plan(_with_one_dtype(tasks, xp), stack, plain=False)


def divergence(
    input: Array,
    xp: Namespace,
    dim: Any,
    axis: Any,
    vector_dim: Any,
    keywords: dict[str, Any],
) -> Plan:
    """Return the plan of the sum of each component's derivative along its own dim."""
    samples = _samples(input, xp)
    place = _vector_axis(vector_dim, input)
    field, axes = _field(samples, place, dim, axis)
    _check_some(axes, "dim" if axis is None else "axis")
    _check_components(input, place, vector_dim, len(axes))
    tasks = _of_order(1, field, xp, axes, keywords)
    parts = tuple(
        task._replace(component=(place, number)) for number, task in enumerate(tasks)
    )
    return Plan(_with_one_dtype(_summed(parts), xp), plain=False)


def curl(
    input: Array,
    xp: Namespace,
    dim: Any,
    axis: Any,
    vector_dim: Any,
    keywords: dict[str, Any],
) -> Plan:
    """Return the plan of the rotation of a field of two or three components."""
    samples = _samples(input, xp)
    place = _vector_axis(vector_dim, input)
    field, axes = _field(samples, place, dim, axis)
    if len(axes) not in (2, 3):
        msg = (
            f"`{'dim' if axis is None else 'axis'}` must name two or three dims for a "
            f"curl. Got {len(axes)}."
        )
        raise ValueError(msg)
    _check_components(input, place, vector_dim, len(axes))
    tasks = _of_order(1, field, xp, axes, keywords)

    def pair(i: int, j: int) -> tuple[Task, Task]:
        """Return the derivative of component `j` along `i`, less the other."""
        return (
            tasks[i]._replace(component=(place, j)),
            tasks[j]._replace(component=(place, i), sign=-1),
        )

    if len(axes) == 2:
        return Plan(_with_one_dtype(pair(0, 1), xp), plain=False)
    parts = (*pair(1, 2), *pair(2, 0), *pair(0, 1))
    return Plan(_with_one_dtype(parts, xp), Stack(place, (3,), (0, 1, 2)), plain=False)


def exact_stencil(offsets: Any, order: Any) -> int:
    """Check the arguments of `stencil` for Python's numbers and return the order."""
    if not isinstance(offsets, (list, tuple)) or any(
        isinstance(offset, bool) or not isinstance(offset, numbers.Rational)
        for offset in offsets
    ):
        msg = (
            "`offsets` must be a list or tuple of ints and fractions, or an array. Got "
            f"{_shown(offsets)}. Convert floats first, with `fractions.Fraction`, or "
            "put them into an array."
        )
        raise TypeError(msg)
    number = _order(order)
    if len(set(offsets)) != len(offsets):
        msg = f"`offsets` must name each point once. Got {_shown(offsets)}."
        raise ValueError(msg)
    _check_count(len(offsets), number)
    return number


def stencil(offsets: Any, xp: Namespace, order: Any) -> tuple[int, Precision]:
    """Check the arguments of `stencil` for an array; return the order and the dtypes.

    Offsets that are repeated are not seen: they are values.
    """
    _check_layout(offsets, "offsets")
    _check_numeric(offsets, "offsets", xp)
    number = _order(order)
    if offsets.ndim == 0:
        msg = (
            "`offsets` must have at least one dimension: the offsets of a formula lie "
            "along the last one. Got a 0-dimensional array."
        )
        raise ValueError(msg)
    count = offsets.shape[-1]
    if count is None or _is_nan(count):
        msg = (
            "`offsets` must have a known length along the last dimension. Got shape "
            f"{tuple(offsets.shape)}. Compute it first, e.g. with "
            "`compute_chunk_sizes()`."
        )
        raise ValueError(msg)
    _check_count(count, number)
    device = _backends.device_of(offsets)
    return number, _precision.choose(offsets.dtype, offsets.dtype, False, device, xp)


def _check_count(count: int, order: int) -> None:
    if count <= order:
        msg = (
            f"`offsets` must have at least {order + 1} points for `order={order}`. "
            f"Got {count}."
        )
        raise ValueError(msg)


def _samples(input: Array, xp: Namespace) -> Samples:
    _check_layout(input, "input")
    _check_samples(input, xp)
    return Samples(input, input.dtype, input.shape)


def _of_order(
    order: int,
    samples: Samples,
    xp: Namespace,
    axes: list[tuple[int, str, Any]],
    keywords: dict[str, Any],
) -> tuple[Task, ...]:
    """Return a derivative of this order along each axis."""
    accuracy, edge_order = keywords["accuracy"], keywords["edge_order"]
    kind = _kind(order, accuracy, _or_as_inside(edge_order, accuracy))
    spacing, boundary = keywords["spacing"], keywords["boundary"]
    return _partials(samples, xp, kind, axes, spacing, boundary, alike=True)


def _summed(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    return tasks[:1] + tuple(task._replace(sign=1) for task in tasks[1:])


def _after(inner: Task, outer: Task, xp: Namespace) -> Task:
    """Return the task that takes the derivative `outer` of the derivative `inner`.

    Where the samples are a constant beyond an end, their derivative is zero there.
    """
    working = _precision.working(inner.precision)
    same = outer.precision._replace(
        samples=xp.result_type(working, outer.precision.samples),
        result=xp.result_type(inner.precision.result, outer.precision.result),
        wide_samples=False,
    )
    if _precision.is_complex(same.samples, xp):
        same = same._replace(is_complex_by_grid=False)
    beyond = None if outer.constants is None else (0.0, 0.0)
    return outer._replace(precision=same, inner=inner, constants=beyond)


def _with_one_dtype(tasks: tuple[Task, ...], xp: Namespace) -> tuple[Task, ...]:
    """Give results that end in one array the dtype that holds them all."""
    dtype = tasks[0].precision.result
    for task in tasks[1:]:
        dtype = xp.result_type(dtype, task.precision.result)
    return tuple(
        task._replace(precision=task.precision._replace(result=dtype)) for task in tasks
    )


def _field(
    samples: Samples, place: int, dim: Any, axis: Any
) -> tuple[Samples, list[tuple[int, str, Any]]]:
    """Return one component of a vector field, and the axes in it.

    The user's numbers are those of the whole field; None is all dims but the
    components'.
    """
    shape = samples.shape
    if dim is None and axis is None:
        dim = [k for k in range(len(shape)) if k != place]
    axes = _axes(samples, dim, axis)
    for number, word, item in axes:
        if number == place:
            msg = (
                f"`{word}` must not name `vector_dim`. Got {item} for both. The "
                "components of a field have no distance from each other."
            )
            raise ValueError(msg)
    inner = [(k - (k > place), word, item) for k, word, item in axes]
    return samples._replace(shape=(*shape[:place], *shape[place + 1 :])), inner


def _partials(
    samples: Samples,
    xp: Namespace,
    kind: Kind,
    axes: list[tuple[int, str, Any]],
    spacing: Any,
    boundary: Any,
    valid: Any = None,
    *,
    alike: bool = False,
) -> tuple[Task, ...]:
    """Return one task per axis; with the digits of one dtype for all if `alike`."""
    entries = _entries(spacing, len(axes))
    ends = _boundary(boundary, len(axes))
    parts = list(zip(axes, entries, ends, strict=True))
    tasks = tuple(_task(samples, xp, kind, *part, valid) for part in parts)
    if not alike or _precision.is_integer(samples.dtype, xp):
        return tasks
    results = {task.precision.result for task in tasks}
    if len(results) < 2:
        return tasks
    wider = samples._replace(dtype=xp.result_type(*results))
    return tuple(_task(wider, xp, kind, *part, valid) for part in parts)


def _check_layout(array: Any, name: str) -> None:
    layout = _backends.unusual_layout(array)
    if layout is not None:
        msg = (
            f"`{name}` must be a dense array. Got layout {layout}. Convert it first, "
            "with `to_dense()`."
        )
        raise TypeError(msg)


def _check_samples(input: Array, xp: Namespace) -> None:
    _check_numeric(input, "input", xp)


def _check_numeric(array: Array, name: str, xp: Namespace) -> None:
    if not _precision.is_numeric(array.dtype, xp):
        msg = (
            f"`{name}` must have an integer, real floating or complex floating dtype. "
            f"Got {array.dtype}. Convert it first, e.g. with `astype`."
        )
        raise TypeError(msg)


def _axes(input: Samples, dim: Any, axis: Any) -> list[tuple[int, str, Any]]:
    """Return the axes, none negative, each with the user's word and number for it."""
    word = "dim"
    if axis is not None:
        if dim is not None:
            _refuse_both(dim, axis)
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


def _refuse_both(dim: Any, axis: Any) -> None:
    msg = (
        "`dim` and `axis` are two words for one argument. Got "
        f"dim={dim!r} and axis={axis!r}. Give one of them."
    )
    raise TypeError(msg)


def _axis(input: Samples, item: Any, word: str, given: Any) -> int:
    try:
        number = _index(item)
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


def _index(value: Any) -> int:
    """Return an int, also NumPy's; not that of an array, which would be computed."""
    if isinstance(value, bool) or (
        hasattr(value, "dtype") and not isinstance(value, numbers.Integral)
    ):
        raise TypeError
    return int(operator.index(value))


def _integer(value: Any) -> int | None:
    """Return what counts as an int; None for anything else, True and False too."""
    try:
        return _index(value)
    except TypeError:
        return None


def _kind(order: Any, accuracy: Any, edge_order: Any) -> Kind:
    number = _order(order)
    even = _integer(accuracy)
    if even is None:
        msg = f"`accuracy` must be an even int, 2 or more. Got {_shown(accuracy)}."
        raise TypeError(msg)
    if even < 2 or even % 2:
        near = "2" if even < 2 else f"{even - 1} or {even + 1}"
        msg = (
            f"`accuracy` must be an even int, 2 or more. Got {even}. Central formulas "
            f"have even accuracies only: take {near}."
        )
        raise ValueError(msg)
    return Kind(number, even, _edge_order(edge_order, even))


def _order(order: Any) -> int:
    number = _integer(order)
    if number is None:
        msg = f"`order` must be a positive int. Got {_shown(order)}."
        raise TypeError(msg)
    if number < 1:
        msg = f"`order` must be a positive int. Got {number}."
        raise ValueError(msg)
    return number


def _edge_order(edge_order: Any, accuracy: int) -> int:
    number = _integer(edge_order)
    most = "1 or 2" if accuracy == 2 else f"between 1 and {accuracy}, the `accuracy`"
    if number is None:
        kind = "the int 1 or 2" if accuracy == 2 else f"an int {most}"
        msg = f"`edge_order` must be {kind}. Got {_shown(edge_order)}."
        raise TypeError(msg)
    if not 1 <= number <= accuracy:
        msg = f"`edge_order` must be {most}. Got {number}."
        raise ValueError(msg)
    return number


def _stack_axis(stack_dim: Any, ndim: int) -> int:
    """Return where new dims begin; negative numbers count from behind the last one."""
    number = _integer(stack_dim)
    if number is None:
        msg = f"`stack_dim` must be an int. Got {_shown(stack_dim)}."
        raise TypeError(msg)
    if not -ndim - 1 <= number <= ndim:
        msg = (
            f"`stack_dim` must lie between {-ndim - 1} and {ndim} for a "
            f"{ndim}-dimensional `input`. Got {number}."
        )
        raise IndexError(msg)
    return number % (ndim + 1)


def _vector_axis(vector_dim: Any, input: Array) -> int:
    number = _integer(vector_dim)
    if number is None:
        msg = f"`vector_dim` must be an int. Got {_shown(vector_dim)}."
        raise TypeError(msg)
    if not -input.ndim <= number < input.ndim:
        msg = (
            f"`vector_dim` must name a dimension of `input`, which has {input.ndim}. "
            f"Got {number}."
        )
        raise IndexError(msg)
    return number % input.ndim


def _check_components(input: Array, place: int, vector_dim: Any, count: int) -> None:
    if input.shape[place] != count:
        msg = (
            f"`input` must have one component per dim along `vector_dim` {vector_dim}, "
            f"{count} in all. Got shape {tuple(input.shape)}."
        )
        raise ValueError(msg)


def _check_some(axes: list[Any], word: str) -> None:
    if not axes:
        msg = f"`{word}` must name at least one dimension. Got none."
        raise ValueError(msg)


def _boundary(boundary: Any, count: int) -> list[Ends]:
    """Return what each dim has at its ends."""
    if not isinstance(boundary, list):
        return [_ends(boundary, "boundary")] * count
    if len(boundary) != count:
        msg = (
            "`boundary` must be one mode, or a list with one entry per dim, "
            f"{count} in all. Got {len(boundary)}."
        )
        raise ValueError(msg)
    return [_ends(item, f"boundary[{k}]") for k, item in enumerate(boundary)]


def _ends(item: Any, name: str) -> Ends:
    """Return what stands at the ends of one dim."""
    periodic = "periodic"
    if not isinstance(item, tuple):
        mode, constant = _mode(item, name)
        return Ends(
            mode, mode, None if constant is None else (constant, constant), None
        )
    if len(item) != 2:
        msg = (
            f"`{name}` must be a mode, a pair (left, right) of them, or ('periodic', "
            f"period). Got {_shown(item)}."
        )
        raise ValueError(msg)
    are_words = [isinstance(mode, str) for mode in item]
    if are_words == [True, False] and item[0] == periodic:
        return Ends(periodic, periodic, None, _period(item[1], name))
    (left, first), (right, second) = (_mode(mode, name) for mode in item)
    if left != right and periodic in (left, right):
        msg = (
            f"`{name}` must be 'periodic' at both ends or at none. Got {_shown(item)}."
        )
        raise ValueError(msg)
    constants = None if first is second is None else (first, second)
    return Ends(left, right, constants, None)


def _mode(item: Any, name: str) -> tuple[str, Any]:
    """Return a mode, and its constant or None."""
    modes = (_boundaries.ONE_SIDED, *_boundaries.MODES)
    if isinstance(item, str) and item in modes:
        return item, None
    if not isinstance(item, bool) and isinstance(item, numbers.Complex):
        with contextlib.suppress(TypeError, OverflowError):
            if isinstance(item, numbers.Real):
                return _boundaries.CONSTANT, float(item)
            return _boundaries.CONSTANT, complex(item)
    listed = ", ".join(repr(mode) for mode in modes)
    msg = (
        f"`{name}` must be one of {listed}, or a number for a constant. "
        f"Got {_shown(item)}."
    )
    raise (ValueError if isinstance(item, str) else TypeError)(msg)


def _period(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        msg = f"`{name}` must have a real number as its period. Got {_shown(value)}."
        raise TypeError(msg)
    period = float(value)
    if not 0 < period < math.inf:
        msg = (
            f"`{name}` must have a positive, finite period. Got {_shortened(value)}. "
            "It is a length: it has no sign, also where the coordinates descend."
        )
        raise ValueError(msg)
    return period


def _check_length(
    input: Samples, axis: int, word: str, item: Any, points: int, reasons: str
) -> None:
    length = input.shape[axis]
    if length is None or _is_nan(length):
        msg = (
            f"`input` must have a known length along `{word}` {item}. Got shape "
            f"{tuple(input.shape)}. Compute it first, e.g. with "
            "`compute_chunk_sizes()`."
        )
        raise ValueError(msg)
    if length < points:
        msg = (
            f"`input` must have at least {points} points along `{word}` {item} "
            f"for {reasons}. Got shape {tuple(input.shape)}."
        )
        raise ValueError(msg)


def _reasons(kind: Kind, has_one_sided: bool) -> str:
    """Return the arguments that say how many points are needed."""
    unusual = zip(Kind._fields, kind, (1, 2, None), strict=True)
    reasons = [f"`{name}={value}`" for name, value, usual in unusual if value != usual]
    if not has_one_sided:
        reasons[-1:] = [] if len(reasons) > 1 else [f"`accuracy={kind.accuracy}`"]
    return ", ".join(reasons)


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
    input: Samples,
    xp: Namespace,
    kind: Kind,
    numbered: tuple[int, str, Any],
    named: tuple[Any, str],
    ends: Ends,
    valid: Any,
) -> Task:
    (axis, word, item), (entry, name) = numbered, named
    is_number = isinstance(entry, (float, complex))
    uneven = not is_number and getattr(entry, "ndim", 0) != 0
    sides = (_stencils.CENTRAL,) if valid is None else _stencils.SIDES
    ways = [(*kind, ends.left, ends.right, uneven, side) for side in sides]
    points = max(_stencils.fewest_points(*way) for way in ways)
    has_one_sided = valid is not None or _boundaries.ONE_SIDED in ends[:2]
    reasons = _reasons(kind, has_one_sided)
    _check_length(input, axis, word, item, points, reasons)
    schemes = [_stencils.scheme(*way) for way in ways]
    _check_constants(ends, input.dtype, xp)
    device = _backends.device_of(input.array)
    task = partial(
        Task,
        axis,
        schemes[0],
        formulas=(),
        step=None,
        coordinates=None,
        constants=ends.constants,
        period=ends.period,
        where=valid,
        alternatives=tuple([Alternative(scheme, ()) for scheme in schemes[1:]]),
    )
    if is_number:
        _check_no_period(ends, axis)
        _check_complex(entry, name, xp)
        precision = _precision.choose(
            input.dtype, None, isinstance(entry, complex), device, xp
        )
        formulas = [_on_step(entry, scheme, precision, name) for scheme in schemes]
        others = tuple(map(Alternative, schemes[1:], formulas[1:]))
        return task(precision=precision, formulas=formulas[0], alternatives=others)
    entry_xp = _check_array(input, xp, device, entry, name)
    if entry.ndim == 0:
        _check_no_period(ends, axis)
        complex_step = _precision.is_complex(entry.dtype, xp)
        precision = _precision.choose(input.dtype, None, complex_step, device, xp)
        return task(precision=precision, step=entry)
    coordinates = _coordinates(input, entry_xp, axis, entry, name)
    precision = _precision.choose(input.dtype, entry.dtype, False, device, xp)
    if ends.left == "periodic":
        _check_period(ends.period, coordinates, axis, entry_xp)
    return task(precision=precision, coordinates=coordinates)


def _check_complex(step: float | complex, name: str, xp: Namespace) -> None:
    if isinstance(step, complex) and not hasattr(xp, "complex64"):
        msg = (
            f"`{name}` must be real, because {xp.__name__} has no complex dtypes. Got "
            f"{_shown(step)}."
        )
        raise TypeError(msg)


def _check_constants(ends: Ends, dtype: DType, xp: Namespace) -> None:
    if ends.constants is None or _precision.is_complex(dtype, xp):
        return
    for constant in ends.constants:
        if isinstance(constant, complex):
            msg = (
                f"`boundary` must be real for a real `input`. Got {_shown(constant)}. "
                "Convert `input` to a complex dtype first."
            )
            raise TypeError(msg)


def _check_no_period(ends: Ends, axis: int) -> None:
    if ends.period is not None:
        msg = (
            f"`boundary` must not have a period for a step, along dimension {axis} of "
            f"`input`. Got {ends.period!r}. The period is the step times the number of "
            "points: write 'periodic'."
        )
        raise ValueError(msg)


def _check_period(period: float | None, x: Array, axis: int, xp: Namespace) -> None:
    if period is None:
        msg = (
            "`boundary` must have the period of the coordinates along dimension "
            f"{axis} of `input`. Got 'periodic'. Write ('periodic', period)."
        )
        raise ValueError(msg)
    if _precision.is_complex(x.dtype, xp):
        msg = (
            "`boundary` must not be periodic for complex coordinates, along dimension "
            f"{axis} of `input`. Got {period!r}. A period is a length."
        )
        raise ValueError(msg)
    if not (
        _backends.may_read_values(x)
        and _precision.has_float64(_backends.device_of(x), xp)
    ):
        return
    first, last = (
        xp.astype(x[(slice(None),) * axis + (cut, ...)], xp.float64)
        for cut in (_agnostic.START, _agnostic.END)
    )
    span = float(xp.max(xp.abs(last - first))) if math.prod(x.shape) else 0.0
    if period <= span:
        msg = (
            "`boundary` must have a period longer than the span of the coordinates "
            f"along dimension {axis} of `input`, {span!r}. Got {period!r}. It "
            "leads from a point to its next likeness, beyond the last point."
        )
        raise ValueError(msg)


def _on_step(
    step: float | complex, scheme: Scheme, precision: Precision, name: str
) -> tuple[Formula, ...]:
    if isinstance(step, float) and step == 1.0:
        return scheme.unit_formulas
    return tuple(
        Formula(s, s.terms, _scale(step, s, precision, name)) for s in scheme.stencils
    )


def _scale(
    step: float | complex, stencil: Stencil, precision: Precision, name: str
) -> Scale:
    """Return the scale for a step; all of its numbers are normal.

    Where ``step**m * denominator`` is no normal number of the working dtype, e.g. 1e-50
    in float32, dividing by it would give 0 or infinity although the derivative may fit.
    Then its factors stand alone, and of a single one half of the exponent is taken off.
    """
    divisors = _stencils.factors(step, stencil)
    if _backends.is_reading_code():  # pragma: no cover - only torch.compile comes here
        return Scale((), divisors)
    least, most = precision.smallest, precision.largest
    fits = least <= abs(step) <= most
    if isinstance(step, complex):
        if fits:
            return Scale((), divisors)
    elif fits and len(divisors) > 1 and precision.digits > sys.float_info.mant_dig:
        return Scale((), divisors)  # a product of Python's numbers would be rounded
    elif least <= abs(divisor := _product(divisors)) <= most:
        return _stencils.scale(divisor, precision.digits)
    elif fits and stencil.order > 1:
        return Scale((), divisors)
    mantissa, exponent = math.frexp(abs(step))
    half = exponent // 2
    divisor = math.ldexp(mantissa, exponent - half) * stencil.denominator
    factor = math.ldexp(1.0, -half)
    if (
        isinstance(step, complex)
        or stencil.order > 1
        or not (least <= factor <= most and least <= divisor <= most)
    ):
        msg = (
            f"`{name}` must be in the range of the dtype that `input` is "
            f"differentiated in, {precision.samples}. Got {_shown(step)}. "
            "Convert `input` to a wider dtype, or scale the steps."
        )
        raise ValueError(msg)
    return Scale((factor,), (math.copysign(divisor, step),))


def _product(divisors: tuple[float, ...]) -> float:
    """Return the product of floats, which may be infinite."""
    return math.prod(divisors)


def _check_kind(entry: Any, name: str) -> None:
    """Refuse what is neither a number nor an array, by a glance at its type."""
    if entry is None or isinstance(entry, (bool, str, bytes, list, tuple, dict)):
        msg = f"`{name}` must be a number or an array. Got {_shown(entry)}." + (
            " Convert it to an array first." if isinstance(entry, list) else ""
        )
        raise TypeError(msg)


def _check_array(
    input: Samples, xp: Namespace, device: Any, entry: Any, name: str
) -> Namespace:
    """Refuse what cannot be a step or coordinates of these samples.

    Returns the namespace of `entry`, which need not be that of `input`.
    """
    _check_kind(entry, name)
    namespace = _check_beside(input, xp, device, entry, name)
    if not _precision.is_numeric(entry.dtype, namespace):
        msg = (
            f"`{name}` must have an integer, real floating or complex floating dtype. "
            f"Got {entry.dtype}. Convert it to numbers first."
        )
        raise TypeError(msg)
    return namespace


def _check_beside(
    input: Samples, xp: Namespace, device: Any, entry: Any, name: str
) -> Namespace:
    """Refuse arrays of another library and on other devices; return the namespace."""
    _, namespace = _backends.resolve(entry, name)
    _check_layout(entry, name)
    mixed = namespace.__name__ != xp.__name__
    if mixed and not _backends.may_mix(entry, input.array):
        msg = (
            f"`{name}` must be an array of the same library as `input`. Got "
            f"{_backends.type_name(entry)} for an `input` of type "
            f"{_backends.type_name(input.array)}. Convert one of them first."
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


def _coordinates(
    input: Samples, xp: Namespace, axis: int, entry: Any, name: str
) -> Any:
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
        return _in_all_dims(entry, input, xp, axis)
    others = zip(shape, input.shape, strict=True)
    if any(k != axis and not _may_broadcast(a, b) for k, (a, b) in enumerate(others)):
        msg = (
            f"`{name}` must be broadcastable to `input`, of shape "
            f"{tuple(input.shape)}. Got shape {shape}."
        )
        raise ValueError(msg)
    return entry


def _valid(input: Samples, xp: Namespace, kind: Kind, where: Any) -> Any:
    """Return a mask with as many dimensions as the samples."""
    if isinstance(where, (numbers.Number, str, bytes, list, tuple, dict)):
        msg = (
            f"`where` must be a boolean array. Got {_shown(where)}. Convert it to an "
            "array of the library of `input` first."
        )
        raise TypeError(msg)
    device = _backends.device_of(input.array)
    namespace = _check_beside(input, xp, device, where, "where")
    if not _precision.is_bool(where.dtype, namespace):
        msg = (
            f"`where` must have a boolean dtype: True for a valid sample. Got "
            f"{where.dtype}. Compare first, e.g. `where != 0`."
        )
        raise TypeError(msg)
    shape = tuple(where.shape)
    lengths = zip(reversed(shape), reversed(input.shape), strict=False)
    if len(shape) > input.ndim or not all(_may_broadcast(a, b) for a, b in lengths):
        msg = (
            f"`where` must be broadcastable to `input`, of shape {tuple(input.shape)}. "
            f"Got shape {shape}."
        )
        raise ValueError(msg)
    if (kind.order, kind.accuracy) != (1, 2):
        msg = (
            "`where` must be None but for `order=1` and `accuracy=2`. Got "
            f"`order={kind.order}` and `accuracy={kind.accuracy}`. Set invalid samples "
            "to NaN for these: derivatives that read one are NaN."
        )
        raise ValueError(msg)
    missing = input.ndim - len(shape)
    return where[(*(None,) * missing, ...)] if missing else where


def _may_broadcast(length: Any, full: Any) -> bool:
    """Tell whether an array fits; lengths that Dask does not know are trusted."""
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
