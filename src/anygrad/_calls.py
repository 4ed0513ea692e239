"""The plan of each public function: which derivatives, and how they are put together.

Every function takes what a call asks for and returns a plan without its values, with
the dims as they were given: the values of this call are in there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import _dispatch, _tasks
from ._checks import boundary, dim, dtype, input, order, spacing, where
from ._classes import is_array
from ._records import Field, Orders, Plan, Samples, Stack, Task, are_short
from ._tasks import Dim


class Request(NamedTuple):
    """The arguments of a call, as they were given; those of all doors together."""

    spacing: Any
    boundary: Any
    where: Any
    dim: Any
    axis: Any
    order: Any
    accuracy: Any
    edge_order: Any
    dtype: Any = None
    stack_dim: Any = None
    vector_dim: Any = None
    scale_factors: Any = None

    def arrays(self) -> dict[str, Any]:
        """Return all that may be, or hold, arrays, by name."""
        names = ("spacing", "boundary", "where", "scale_factors")
        return {name: getattr(self, name) for name in names}

    def with_each(self, change: Callable[[Any], Any]) -> Request:
        """Return the call with a change of all that may be, or hold, arrays."""
        given = self.arrays().items()
        return self._replace(**{name: change(value) for name, value in given})


class Planned(NamedTuple):
    """What a planner returns."""

    #: Without the values of a call.
    plan: Plan
    #: The dims that it is for, with what was given for each.
    dims: Sequence[Dim]


def gradient(samples: Samples, request: Request) -> Planned:
    """Plan a first derivative along each dim."""
    return _partials(samples, request, order.orders(*request[5:8], usual=1))


def derivative(samples: Samples, request: Request) -> Planned:
    """Plan a derivative along one dim."""
    one = request._replace(
        dim=dim.single(request.dim, request.axis),
        spacing=spacing.single(request.spacing),
        boundary=boundary.single(request.boundary),
    )
    return _partials(samples, one, _orders(request))


def _partials(samples: Samples, request: Request, orders: Orders) -> Planned:
    """Plan a derivative along each dim, in one array if that is asked for."""
    field = _field(samples, request)
    dims = _dims(field, request)
    if request.stack_dim is None:
        tasks = _tasks.planned(field, dims, orders)
        return _planned(field, dims, tasks, request)
    if not dims:
        msg = "`stack_dim` must be None where there is nothing to stack. Got no dims."
        raise ValueError(msg)
    place = dim.stack_axis(request.stack_dim, field.ndim)
    tasks = _tasks.planned_in_one_dtype(field, dims, orders)
    stack = Stack(place, (len(tasks),), tuple(range(len(tasks))))
    tasks = _tasks.with_one_dtype(tasks, samples.namespace)
    return _planned(field, dims, tasks, request, stack)


def laplacian(samples: Samples, request: Request) -> Planned:
    """Plan the sum of the second derivatives."""
    field = _field(samples, request)
    dims = _some_dims(field, request)
    tasks = _tasks.planned_in_one_dtype(field, dims, _orders(request, 2))
    return _sum(field, dims, tasks, request)


def hessian(samples: Samples, request: Request) -> Planned:
    """Plan all second derivatives, each mixed one taken once."""
    field, xp = _field(samples, request), samples.namespace
    dims = _some_dims(field, request)
    place, count = dim.stack_axis(request.stack_dim, field.ndim), len(dims)
    firsts, seconds = (
        _tasks.planned_in_one_dtype(field, dims, _orders(request, number))
        for number in (1, 2)
    )
    tasks: list[Task] = []
    number: dict[tuple[int, int], int] = {}
    for i in range(count):
        for j in range(i, count):
            number[i, j] = number[j, i] = len(tasks)
            mixed = seconds[i] if i == j else _tasks.nested(firsts[i], firsts[j], xp)
            tasks.append(mixed)
    numbers = [number[i, j] for i in range(count) for j in range(count)]
    stack = Stack(place, (count, count), tuple(numbers))
    whole = _tasks.with_one_dtype(tasks, xp)
    return _planned(field, dims, whole, request, stack)


def jacobian(samples: Samples, request: Request) -> Planned:
    """Plan all derivatives of all components."""
    field, place = _component(samples, request)
    dims = _some_dims(field, request)
    count = input.check_components(field, None, request.vector_dim)
    partials = _tasks.planned_in_one_dtype(field, dims, _orders(request))
    tasks = [
        task._replace(component=(place, number))
        for number in range(count)
        for task in partials
    ]
    stack = Stack(place, (count, len(dims)), tuple(range(len(tasks))))
    whole = _tasks.with_one_dtype(tasks, samples.namespace)
    return _planned(field, dims, whole, request, stack)


def divergence(samples: Samples, request: Request) -> Planned:
    """Plan the sum of each component's derivative along its own dim."""
    field, place = _component(samples, request)
    dims = _some_dims(field, request)
    input.check_components(field, len(dims), request.vector_dim)
    partials = _tasks.planned_in_one_dtype(field, dims, _orders(request))
    tasks = [task._replace(component=(place, k)) for k, task in enumerate(partials)]
    return _sum(field, dims, tasks, request)


def curl(samples: Samples, request: Request) -> Planned:
    """Plan the rotation of a field of two or three components."""
    field, place = _component(samples, request)
    dims = _dims(field, request)
    dim.check_curl([d.axis for d in dims], request.axis)
    input.check_components(field, len(dims), request.vector_dim)
    tasks = _tasks.planned_in_one_dtype(field, dims, _orders(request))
    pairs = ((0, 1),) if len(dims) == 2 else ((1, 2), (2, 0), (0, 1))
    parts = []
    for i, j in pairs:  # the derivative of component `j` along `i`, less the other
        parts.append(tasks[i]._replace(component=(place, j)))
        parts.append(tasks[j]._replace(component=(place, i), sign=-1))
    terms = _tasks.with_one_dtype(parts, samples.namespace)
    stack = None if len(dims) == 2 else Stack(place, (3,), (0, 1, 2))
    return _planned(field, dims, terms, request, stack)


#: The orders of the derivatives of which a function says its own.
ORDERS = {laplacian: 2, hessian: 2}


def _orders(request: Request, derivative: int | None = None) -> Orders:
    """Return the orders asked for, or those of a derivative that a sum is made of."""
    number = request.order if derivative is None else derivative
    return order.orders(number, request.accuracy, request.edge_order)


def _field(samples: Samples, request: Request, place: int | None = None) -> Field:
    """Return what is differentiated, with what the call says of it."""
    wanted = dtype.floating(request.dtype, samples)
    has_mask = request.where is not None
    return input.field(samples, place)._replace(result=wanted, has_mask=has_mask)


def _component(samples: Samples, request: Request) -> tuple[Field, int]:
    """Return one component of a vector field, and the axis of the components."""
    place = dim.vector_axis(request.vector_dim, samples)
    return _field(samples, request, place), place


def _dims(field: Field, request: Request) -> list[Dim]:
    """Return all that is given for each dim."""
    axes = dim.axes(field, request.dim, request.axis)
    entries = spacing.entries(request.spacing, len(axes))
    ends = boundary.ends(request.boundary, len(axes))
    if field.has_mask:
        where.check(request.where, field)
    return [Dim(*given) for given in zip(axes, entries, ends, strict=True)]


def _some_dims(field: Field, request: Request) -> list[Dim]:
    """Return them where there must be at least one."""
    dims = _dims(field, request)
    dim.check_some([d.axis for d in dims], request.axis)
    return dims


def _sum(
    field: Field, dims: Sequence[Dim], tasks: Sequence[Task], request: Request
) -> Planned:
    # The last axis first, whatever the order of the dims: so the same sum has the same
    # bits, and what is written first may go through the ends of short last axes.
    first, *others = sorted(tasks, key=lambda task: -task.axis)
    terms = [first, *[task._replace(sign=1) for task in others]]
    whole = _tasks.with_one_dtype(terms, field.samples.namespace)
    return _planned(field, dims, whole, request)


def _planned(
    field: Field,
    dims: Sequence[Dim],
    tasks: tuple[Task, ...],
    request: Request,
    stack: Stack | None = None,
) -> Planned:
    samples, mask = field.samples, request.where
    beyond = _tasks.beyond_ends(dims)
    is_plain = stack is None and field.vector_axis is None
    is_plain = is_plain and not any(map(is_array, beyond)) and not are_short(tasks)
    companions = [*[d.entry.given for d in dims], *beyond, mask]
    executor = _dispatch.executor_for(samples, companions)
    known = _dispatch.executors_of(samples.library)
    plan = Plan(
        tasks,
        stack,
        is_plain=is_plain and not any(task.sign for task in tasks),
        is_bound=False,
        axes=tuple([d.axis.number for d in dims]),
        ndim=field.ndim,
        executor=_dispatch.without_ghosts(executor, _tasks.margins(tasks), samples),
        namespace=samples.namespace,
        takes_vectors=known.takes_vectors and executor is known.exact,
    )
    return Planned(plan, dims)
