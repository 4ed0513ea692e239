"""Derivatives, and products and quotients around them: what scale factors ask for.

With the factors `h`, and `H` for the product of all, it is

- the gradient: ``d_i f / h_i``;
- the divergence: the sum of ``d_i(f_i H / h_i)``, over `H`;
- the curl: ``(d_i(f_j h_j) - d_j(f_i h_i)) / (h_i h_j)``;
- the Laplacian: the sum of ``d_i((H / h_i**2) d_i f)``, over `H`, by the product rule.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from . import _agnostic, _calls, _curved_ends, _precision
from ._curved_grid import Execution, Grid, Weight
from ._records import Plan
from ._typing import DType, Namespace


def gradient(grid: Grid, f: Any) -> list[Any]:
    """Return each partial derivative over its factor."""
    ends = [
        _curved_ends.each_end(_curved_ends.of_block, grid.ends(k))
        for k in range(len(grid.axes))
    ]
    request = grid.request._replace(boundary=ends, dtype=grid.dtype, stack_dim=None)
    partials = grid.run(_calls.gradient, f, request)
    return [grid.over(partial, Weight((k,))) for k, partial in enumerate(partials)]


def divergence(grid: Grid, f: Any) -> list[Any]:
    """Return the sum of the derivatives of the fluxes, over the volume."""
    terms = [grid.of_product(grid.others(k), f, k, k) for k in grid.last_axis_first()]
    return [grid.over(reduce(operator.add, terms), grid.others())]


def curl(grid: Grid, f: Any) -> list[Any]:
    """Return the circulation around each face, over its area."""
    pairs = ((0, 1),) if len(grid.axes) == 2 else ((1, 2), (2, 0), (0, 1))
    results = []
    for i, j in pairs:
        there = grid.of_product(Weight((j,)), f, j, i)
        back = grid.of_product(Weight((i,)), f, i, j)
        results.append(grid.over(there - back, Weight((i, j))))
    return results


def laplacian(grid: Grid, f: Any) -> list[Any]:
    """Return the sum of the derivatives of the fluxes of a gradient.

    By the product rule: a derivative of a derivative would read twice as many points,
    lose an order at the ends, and not see what changes its sign from point to point.
    """
    terms = []
    for k in grid.last_axis_first():
        weight = grid.others(k, over=k)
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


class Composite(NamedTuple):
    """A whole call."""

    #: One of those.
    formula: Callable[[Grid, Any], list[Any]]
    grid: Grid
    #: That of each result.
    dtypes: tuple[DType, ...]

    def results(self, f: Any, execution: Execution) -> list[Any]:
        """Return what is made of samples, each result rounded once."""
        made = self.formula(self.grid.run_by(execution), f)
        pairs = zip(made, self.dtypes, strict=True)
        return [_rounded(result, dtype, execution.namespace) for result, dtype in pairs]

    def rounded(self, plan: Plan) -> Plan:
        """Return a plan that has as many results, of these dtypes."""
        firsts = [task for task in plan.tasks if task.sign == 0]
        tasks = [
            task._replace(precision=task.precision._replace(result=dtype))
            for task, dtype in zip(firsts, self.dtypes, strict=True)
        ]
        return plan.with_tasks(tuple(tasks))

    @property
    def form(self) -> tuple[Any, ...]:
        """All that decides what is done to samples, but what is met on the way."""
        grid = self.grid
        each = [
            (axis, isinstance(h, float), _curved_ends.have_factors(grid.ends(place)))
            for place, (axis, h) in enumerate(zip(grid.axes, grid.factors, strict=True))
        ]
        return self.formula, tuple(each), grid.vector_axis, self.dtypes


def _rounded(result: Any, dtype: DType, xp: Namespace) -> Any:
    """Round a result, which is real where only another dim's coordinates are not."""
    if not _precision.is_complex(dtype, xp) and _precision.is_complex(result.dtype, xp):
        result = xp.real(result)
    return _agnostic.prepare(result, dtype, False, xp)
