"""A call with scale factors: what its formula knows, and derivatives of products.

What does not vary along a dim is taken out of the derivative along it, which is exact.

What is done to factors alone is done at once.  What is done to samples is, too, or it
is written down, so that an executor does all of it in one pass.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

from . import _agnostic, _calls, _curved_ends, _schemes
from ._calls import Request
from ._checks import boundary, input, order
from ._classes import ndim_of
from ._lowering import index_along
from ._records import Plan
from ._typing import DType, Namespace


class Execution(NamedTuple):
    """How it is done what a formula does to samples."""

    #: In which they are computed with.
    namespace: Namespace
    #: ``run(array, planned)`` returns the results of the plan that ``planned(array)``
    #: returns.
    run: Callable[[Any, Callable[[Any], Plan]], tuple[Any, ...]]
    #: ``operand(make)`` returns what stands for what ``make()`` returns: a number, or
    #: an array without samples.
    operand: Callable[[Callable[[], Any]], Any]
    #: Whether it makes the slopes of factors, too, if they are as many as samples:
    #: others are made beforehand.
    makes_slopes: bool = False


def at_once(namespace: Namespace) -> Execution:
    """Return the execution that does it on whole arrays."""
    return Execution(namespace, _results, lambda make: make())


def _results(array: Any, planned: Callable[[Any], Plan]) -> tuple[Any, ...]:
    plan = planned(array)
    return tuple(plan.executor(array, plan, plan.namespace))


def _itself(value: Any) -> Any:
    return value


class Weight(NamedTuple):
    """A product of factors, over one of them or over none."""

    #: Of which dims, by their places.
    places: tuple[int, ...]
    over: int | None = None

    def of(self, factors: Sequence[Any], xp: Namespace) -> Any:
        """Return the product of numbers and arrays."""
        chosen = [factors[place] for place in self.places]
        product = reduce(operator.mul, chosen) if chosen else 1.0
        if self.over is None:
            return product
        divisor = factors[self.over]
        if chosen and isinstance(product, float) and not isinstance(divisor, float):
            # Torch has a number times the reciprocal of a tensor, rounded twice.
            product = xp.full_like(divisor, product)
        return product / divisor

    def which(self, factors: Sequence[Any]) -> list[Any]:
        """Return those of the factors that it is made of."""
        others = () if self.over is None else (self.over,)
        return [factors[place] for place in (*self.places, *others)]


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
    #: How it is done what is done to samples,
    execution: Execution
    #: and what stands for the factors there.
    operands: tuple[Any, ...]

    def run_by(self, execution: Execution) -> Grid:
        """Return the grid of the same call, done so to samples."""
        operands = [execution.operand(partial(_itself, h)) for h in self.factors]
        return self._replace(execution=execution, operands=tuple(operands))

    def others(self, *places: int, over: int | None = None) -> Weight:
        """Return the product of all factors but those at some places."""
        rest = [place for place in range(len(self.axes)) if place not in places]
        return Weight(tuple(rest), over)

    def beside(self, weight: Weight) -> Any:
        """Return what stands for a product of factors beside samples.

        There it is made of its factors, but of two numbers, of which nothing is made:
        where there is nothing to divide, one is the first.
        """
        numbers = [h for h in weight.which(self.factors) if isinstance(h, float)]
        if len(numbers) + (not weight.places) > 1:
            return self.execution.operand(
                partial(weight.of, self.factors, self.namespace)
            )
        return weight.of(self.operands, self.execution.namespace)

    def last_axis_first(self) -> list[int]:
        """Return the places of the dims in the order in which terms are summed."""
        return sorted(range(len(self.axes)), key=lambda place: -self.axes[place])

    def component(self, field: Any, place: int) -> Any:
        """Return the component of a vector field that belongs to a dim."""
        return field[index_along(self.vector_axis or 0, place)]

    def times(self, array: Any, weight: Any, operation: Any = operator.mul) -> Any:
        """Return a product with an array, or a quotient, NaN where that has it.

        The weight is a product of factors, or what stands for a slope of one.
        What flows back to factors and coordinates is zero where samples are missing,
        and zero times NaN is not.  Where nothing flows back, this would take as long as
        all else.
        """
        weight = self.beside(weight) if type(weight) is Weight else weight
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

    def varies(self, weight: Weight, place: int) -> bool:
        """Tell whether a product of factors varies along a dim."""
        return any(
            not isinstance(h, float) and h.shape[self.axes[place]] != 1
            for h in weight.which(self.factors)
        )

    def derivative(
        self, array: Any, place: int, order: int = 1, component: int | None = None
    ) -> Any:
        """Return a derivative of samples along a dim, in the working dtype."""

        def change(end: Any) -> Any:
            return self.part(_curved_ends.of_block(end), component)

        ends = _curved_ends.each_end(change, self.ends(place))
        where = self.part(self.request.where, component)
        return self.along(array, place, ends, order=order, where=where)

    def slope(self, weight: Weight, place: int, samples: Any) -> Any:
        """Return the derivative of a product of factors, which has no boundary."""
        if self.execution.makes_slopes and self.is_full(weight):
            return self.slope_of(self.beside(weight), place)
        return self.execution.operand(partial(self._slope, weight, place, samples))

    def _slope(self, weight: Weight, place: int, samples: Any) -> Any:
        product, ends = weight.of(self.factors, self.namespace), self.ends(place)
        period = ends[1] if boundary.is_period(ends) else None
        if max(ndim_of(self.entry(place)), ndim_of(period)) > 1:
            product = self.spread(product, samples)
        return self.run_by(at_once(self.namespace)).slope_of(product, place)

    def slope_of(self, product: Any, place: int) -> Any:
        """Return that of a product that has been made."""
        ends = _curved_ends.each_end(_curved_ends.of_factor, self.ends(place))
        return self.along(product, place, ends, edge_order=None, where=None)

    def is_full(self, weight: Weight) -> bool:
        """Tell whether a product of factors has a number for each of the samples."""
        which = weight.which(self.factors)
        shapes = [h.shape for h in which if not isinstance(h, float)]
        lengths = [max(each) for each in zip(*shapes, strict=True)]
        return tuple(lengths) == tuple(self.shape)

    def spread(self, product: Any, samples: Any) -> Any:
        """Return a product of factors at each of the samples."""
        xp = self.namespace
        if any(map(input.is_unknown, self.shape)):  # Dask broadcasts to no such shape
            return xp.where(xp.isnan(samples), product, product)
        return xp.broadcast_to(product, self.shape)

    def of_product(self, weight: Weight, field: Any, component: int, place: int) -> Any:
        """Return the derivative of ``weight * field[component]`` along a dim.

        Beyond an end, the samples are what the boundary says, and the factors are not:
        where that may be read, it is the product rule.  All other points have what they
        have whatever stands at the ends, in a block with ghosts, too.
        """
        array = self.component(field, component)
        if not self.varies(weight, place):
            slope = self.derivative(array, place, component=component)
            return self.times(slope, weight)
        xp = self.execution.namespace
        samples = _agnostic.prepare(array, self.dtype, False, xp)
        conserved = self.conserved(weight, samples, component, place)
        if _curved_ends.have_factors(self.ends(place)):
            return conserved
        straight = self.times(
            self.derivative(array, place, component=component), weight
        )
        slope = self.slope(weight, place, samples)
        bent = self.times(self.valid(samples, component), slope)
        near = self.execution.operand(partial(self.near_ends, weight, place))
        return xp.where(near, straight + bent, conserved)

    def conserved(
        self, weight: Weight, samples: Any, component: int, place: int
    ) -> Any:
        """Return the derivative of what flows through the points."""
        flows = self.valid(samples, component) if self.may_flow_back else samples
        ends = _curved_ends.each_end(_curved_ends.of_flux, self.ends(place))
        where = self.part(self.request.where, component)
        return self.along(self.times(flows, weight), place, ends, where=where)

    def near_ends(self, weight: Weight, place: int) -> Any:
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
        zeros = self.namespace.zeros_like(weight.of(self.factors, self.namespace))
        alone = self.run_by(at_once(self.namespace))
        return alone.along(zeros, place, ends, **usual) != 0

    def valid(self, samples: Any, component: int) -> Any:
        """Return samples, NaN where they are missing, whatever they hold."""
        where, xp = self.part(self.where, component), self.execution.namespace
        if where is None:
            return samples
        mask = self.execution.operand(partial(_itself, where))
        return xp.where(mask, samples, xp.full_like(samples, math.nan))

    def along(self, array: Any, place: int, ends: Any, **changes: Any) -> Any:
        """Return a derivative along a dim, in the working dtype."""
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
        planned = partial(self.again, planner, **request._asdict())
        return self.execution.run(array, planned)
