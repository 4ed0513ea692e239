"""Calls with scale factors: orthogonal curvilinear coordinates.

Such a call is elementwise products around plain derivatives, each along one dim.  With
the factors `h`, and `H` for the product of all, it is

- the gradient: ``d_i f / h_i``;
- the divergence: the sum of ``d_i(f_i H / h_i)``, over `H`;
- the curl: ``(d_i(f_j h_j) - d_j(f_i h_i)) / (h_i h_j)``;
- the Laplacian: the sum of ``d_i((H / h_i**2) d_i f)``, over `H`, by the product rule.

What does not vary along a dim is taken out of the derivative along it, which is exact.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

from . import (
    _agnostic,
    _calls,
    _constants,
    _curved_ends,
    _dispatch,
    _libraries,
    _precision,
    _schemes,
    _tasks,
)
from ._calls import Request
from ._checks import boundary, dim, input, order, scale_factors
from ._checks.dtype import check_pair
from ._checks.spacing import Entry
from ._classes import ndim_of
from ._lowering import index_along
from ._records import Field, Plan, Samples
from ._typing import DType, Namespace


class Grid(NamedTuple):
    """One call with scale factors."""

    #: Plans a call without them.
    again: Callable[..., Plan]
    #: What the call asks for, but for the factors.
    request: Request
    #: The axis of each dim named, in a component.
    axes: tuple[int, ...]
    #: One per dim, a float or an array: real, in the working dtype, with as many dims
    #: as a component.
    factors: tuple[Any, ...]
    #: That of a component.
    shape: tuple[Any, ...]
    #: The axis of the components.
    vector_axis: int | None
    #: The working dtype.
    dtype: DType
    #: Which samples are valid, where these lie; None for all.
    where: Any
    #: In which all of it is computed with.
    namespace: Namespace
    #: Whether what is computed may be differentiated automatically.
    may_flow_back: bool

    def others(self, *places: int) -> Any:
        """Return the product of all factors but those at some places."""
        rest = [h for place, h in enumerate(self.factors) if place not in places]
        return reduce(operator.mul, rest, 1.0)

    def last_axis_first(self) -> list[int]:
        """Return the places of the dims in the order in which terms are summed."""
        return sorted(range(len(self.axes)), key=lambda place: -self.axes[place])

    def component(self, field: Any, place: int) -> Any:
        """Return the component of a vector field that belongs to a dim."""
        return field[index_along(self.vector_axis or 0, place)]

    def times(self, array: Any, weight: Any, operation: Any = operator.mul) -> Any:
        """Return a product with an array, or a quotient, NaN where that has it.

        What flows back to factors and coordinates is zero where samples are missing,
        and zero times NaN is not.  Where nothing flows back, this would take as long as
        all else.
        """
        if self.where is None or not self.may_flow_back:
            return operation(array, weight)
        xp = self.namespace
        missing = xp.isnan(array)
        filled = xp.where(missing, xp.zeros_like(array), array)
        return xp.where(missing, array, operation(filled, weight))

    def over(self, array: Any, weight: Any) -> Any:
        """Return a quotient likewise."""
        return self.times(array, weight, operator.truediv)

    def part(self, given: Any, place: int | None) -> Any:
        """Return what is for one component of an array that may have all of them."""
        has_all = ndim_of(given) > len(self.shape)
        if place is None or not has_all:
            return given
        is_one = given.shape[self.vector_axis or 0] == 1
        return self.component(given, 0 if is_one else place)

    def entry(self, place: int) -> Any:
        """Return the spacing along a dim."""
        given = self.request.spacing
        entry = given[place] if isinstance(given, (list, tuple)) else given
        return 1 if entry is None else entry

    def ends(self, place: int) -> Any:
        """Return what stands at the ends of a dim."""
        given = self.request.boundary
        return given[place] if isinstance(given, list) else given

    def varies(self, weight: Any, place: int) -> bool:
        """Tell whether a product of factors varies along a dim."""
        return not isinstance(weight, float) and weight.shape[self.axes[place]] != 1

    def derivative(
        self, array: Any, place: int, order: int = 1, component: int | None = None
    ) -> Any:
        """Return a derivative of samples along a dim, in the working dtype."""

        def change(end: Any) -> Any:
            return self.part(_curved_ends.of_block(end), component)

        ends = _curved_ends.each_end(change, self.ends(place))
        where = self.part(self.request.where, component)
        return self._along(array, place, ends, order=order, where=where)

    def slope(self, weight: Any, place: int, samples: Any) -> Any:
        """Return the derivative of a product of factors, which has no boundary."""
        ends = _curved_ends.each_end(_curved_ends.of_factor, self.ends(place))
        period = ends[1] if boundary.is_period(ends) else None
        if max(ndim_of(self.entry(place)), ndim_of(period)) > 1:
            weight = self.spread(weight, samples)
        return self._along(weight, place, ends, edge_order=None, where=None)

    def spread(self, weight: Any, samples: Any) -> Any:
        """Return a product of factors at each of the samples."""
        xp = self.namespace
        if any(map(input.is_unknown, self.shape)):  # Dask broadcasts to no such shape
            return xp.where(xp.isnan(samples), weight, weight)
        return xp.broadcast_to(weight, self.shape)

    def of_product(self, weight: Any, field: Any, component: int, place: int) -> Any:
        """Return the derivative of ``weight * field[component]`` along a dim.

        Beyond an end, the samples are what the boundary says, and the factors are not:
        where that may be read, it is the product rule.  All other points have what they
        have whatever stands at the ends, in a block with ghosts, too.
        """
        array = self.component(field, component)
        if not self.varies(weight, place):
            slope = self.derivative(array, place, component=component)
            return self.times(slope, weight)
        samples = _agnostic.prepare(array, self.dtype, False, self.namespace)
        valid = self.valid(samples, component)
        flux = self.times(valid if self.may_flow_back else samples, weight)
        ends = _curved_ends.each_end(_curved_ends.of_flux, self.ends(place))
        where = self.part(self.request.where, component)
        conserved = self._along(flux, place, ends, where=where)
        if _curved_ends.have_factors(self.ends(place)):
            return conserved
        slope = self.slope(weight, place, samples)
        straight = self.derivative(array, place, component=component)
        product = self.times(straight, weight) + self.times(valid, slope)
        return self.namespace.where(self.near_ends(weight, place), product, conserved)

    def near_ends(self, weight: Any, place: int) -> Any:
        """Tell which points may read beyond an end where factors do not go on.

        A step at the end has a slope there, by formulas that read as far as any does.
        """
        wanted = order.orders(1, self.request.accuracy, self.request.edge_order)
        recipe = _schemes.Recipe(*wanted, "edge", "edge", False)
        recipes = [recipe] if self.where is None else _schemes.farthest(recipe)
        usual: dict[str, Any] = {"where": None, "edge_order": None, "spacing": [1.0]}
        usual["accuracy"] = 2 * _schemes.halo(recipes).left
        # Unlike steps, so that those of both ends do not cancel in a short dim.
        pairs = zip(_curved_ends.both(self.ends(place)), (1.0, -1.0), strict=True)
        ends = tuple(
            ["edge" if _curved_ends.has_factors(end) else step for end, step in pairs]
        )
        zeros = self.namespace.zeros_like(weight)
        return self._along(zeros, place, ends, **usual) != 0

    def valid(self, samples: Any, component: int) -> Any:
        """Return samples, NaN where they are missing, whatever they hold."""
        where, xp = self.part(self.where, component), self.namespace
        if where is None:
            return samples
        return xp.where(where, samples, xp.full_like(samples, math.nan))

    def _along(self, array: Any, place: int, ends: Any, **changes: Any) -> Any:
        usual = {
            "spacing": [self.entry(place)],
            "boundary": ends,
            "dim": self.axes[place],
            "axis": None,
            "dtype": self.dtype,
            "stack_dim": None,
            "vector_dim": None,
        }
        request = self.request._replace(**{**usual, **changes})
        return self.run(_calls.derivative, array, request)[0]

    def run(self, planner: Any, array: Any, request: Request) -> tuple[Any, ...]:
        """Return the results of a call without factors."""
        plan = self.again(planner, array, **request._asdict())
        return tuple(plan.executor(array, plan, plan.namespace))


def gradient(grid: Grid, f: Any) -> list[Any]:
    """Return each partial derivative over its factor."""
    ends = [
        _curved_ends.each_end(_curved_ends.of_block, grid.ends(k))
        for k in range(len(grid.axes))
    ]
    request = grid.request._replace(boundary=ends, dtype=grid.dtype, stack_dim=None)
    partials = grid.run(_calls.gradient, f, request)
    return list(map(grid.over, partials, grid.factors))


def divergence(grid: Grid, f: Any) -> list[Any]:
    """Return the sum of the derivatives of the fluxes, over the volume."""
    terms = [grid.of_product(grid.others(k), f, k, k) for k in grid.last_axis_first()]
    return [grid.over(reduce(operator.add, terms), grid.others())]


def curl(grid: Grid, f: Any) -> list[Any]:
    """Return the circulation around each face, over its area."""
    h, count = grid.factors, len(grid.axes)
    pairs = ((0, 1),) if count == 2 else ((1, 2), (2, 0), (0, 1))
    results = []
    for i, j in pairs:
        there = grid.of_product(h[j], f, j, i)
        back = grid.of_product(h[i], f, i, j)
        results.append(grid.over(there - back, h[i] * h[j]))
    return results


def laplacian(grid: Grid, f: Any) -> list[Any]:
    """Return the sum of the derivatives of the fluxes of a gradient.

    By the product rule: a derivative of a derivative would read twice as many points,
    lose an order at the ends, and not see what changes its sign from point to point.
    """
    terms = []
    for k in grid.last_axis_first():
        weight = grid.others(k) / grid.factors[k]
        term = grid.times(grid.derivative(f, k, order=2), weight)
        if grid.varies(weight, k):
            slope = grid.derivative(f, k)
            term = term + grid.times(slope, grid.slope(weight, k, f))
        terms.append(term)
    return [grid.over(reduce(operator.add, terms), grid.others())]


#: By the planner of a function: its formula, of a grid and the samples.
FORMULAS: dict[Any, Callable[[Grid, Any], list[Any]]] = {
    _calls.gradient: gradient,
    _calls.divergence: divergence,
    _calls.curl: curl,
    _calls.laplacian: laplacian,
}


def plan(
    planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call with scale factors."""
    if planner not in FORMULAS:
        scale_factors.refuse_tensors(request.scale_factors)
    samples = _dispatch.samples_of(array, "input")
    request = _constants.adopted(request, samples)
    plain = request._replace(scale_factors=None)
    usual = again(planner, array, **plain._asdict())
    component = usual.tasks[0].component if usual.tasks else None
    field = input.field(samples, None if component is None else component[0])
    entries = scale_factors.entries(request.scale_factors, len(usual.axes))
    if not entries:
        return usual
    dtype, results = _dtypes(planner, usual, entries, field, request)
    grid = Grid(
        again,
        plain,
        usual.axes,
        _placed([entry.given for entry in entries], field, dtype),
        field.shape,
        field.vector_axis,
        dtype,
        _constants.placed(request.where, samples),
        samples.namespace,
        samples.library.has_slopes,
    )
    _check_lengths(planner, grid, field)
    run = partial(_run, grid, FORMULAS[planner], samples, results)
    margins = _tasks.margins(usual.tasks)
    return usual._replace(executor=_dispatch.without_ghosts(run, margins, samples))


def _dtypes(
    planner: Any, usual: Plan, entries: list[Entry], field: Field, request: Request
) -> tuple[DType, tuple[DType, ...]]:
    """Return the working dtype, and that of each result: factors have a say in both."""
    xp = field.samples.namespace
    own = [scale_factors.check(entry, field) for entry in entries]
    results = [task.precision.result for task in usual.tasks if task.sign == 0]
    for entry, one in zip(entries, own, strict=True):
        for result in [] if one is None else results:
            check_pair(entry.name, one, result, xp)
    working = [_precision.working(task.precision) for task in usual.tasks]
    wide = [one and _precision.at_least_32_bits(one, xp) for one in own]
    if request.dtype is None:
        if planner is not _calls.gradient or usual.stack is not None:
            own = [_precision.common([*own, results[0]], xp)] * len(results)
        pairs = zip(results, own, strict=True)
        results = [_precision.common(pair, xp) for pair in pairs]
    return _precision.common([*working, *wide], xp), tuple(results)


def _run(
    grid: Grid,
    formula: Callable[[Grid, Any], list[Any]],
    samples: Samples,
    dtypes: tuple[DType, ...],
    array: Any,
    plan: Plan,
    xp: Namespace,
) -> tuple[Any, ...]:
    """Return the results of a call, each rounded once."""
    with _dispatch.surroundings(samples):
        made = formula(grid, _libraries.without_shell(array))
        pairs = zip(made, dtypes, strict=True)
        results = [_rounded(result, dtype, xp) for result, dtype in pairs]
        if plan.stack is None:
            return tuple(results)
        return (samples.joining("stack")(results, axis=plan.stack.axis),)


def _rounded(result: Any, dtype: DType, xp: Namespace) -> Any:
    """Round a result, which is real where only another dim's coordinates are not."""
    if not _precision.is_complex(dtype, xp) and _precision.is_complex(result.dtype, xp):
        result = xp.real(result)
    return _agnostic.prepare(result, dtype, False, xp)


def _placed(given: list[Any], field: Field, dtype: DType) -> tuple[Any, ...]:
    """Return the factors in the working dtype, where the samples lie."""
    samples, xp = field.samples, field.samples.namespace
    real = dtype
    if _precision.is_complex(dtype, xp):
        real = _precision.real_counterpart(dtype, xp)
    factors, chunks = [], _constants.chunks_of(field)
    for factor in given:
        if isinstance(factor, float):
            factors.append(factor)
            continue
        plain = _libraries.lasting(_constants.placed(factor, samples))
        missing = field.ndim - plain.ndim
        plain = plain[(*(None,) * missing, ...)] if missing else plain
        plain = _constants.in_chunks(plain, chunks)
        with _dispatch.surroundings(samples):
            factors.append(_agnostic.prepare(plain, real, False, xp))
    return tuple(factors)


def _check_lengths(planner: Any, grid: Grid, field: Field) -> None:
    """Refuse axes that are too short for the derivative of a factor along them."""
    if planner is _calls.gradient:  # it has none
        return
    accuracy = grid.request.accuracy
    axes = dim.axes(field, grid.request.dim, grid.request.axis)
    for k, axis in enumerate(axes):
        ends = grid.ends(k)
        is_flux = planner is not _calls.laplacian and _curved_ends.have_factors(ends)
        is_one_sided = "one_sided" in map(
            _curved_ends.of_factor, _curved_ends.both(ends)
        )
        if is_flux or not is_one_sided:
            continue
        # A flux, or a circulation, has all factors but that of its own dim.
        has_all = planner is _calls.laplacian
        rest = [h for place, h in enumerate(grid.factors) if has_all or place != k]
        if any(grid.varies(h, k) for h in rest):
            why = f"`accuracy={accuracy}` and `scale_factors` that vary along it"
            input.check_room(field, axis, accuracy + 1, why)
