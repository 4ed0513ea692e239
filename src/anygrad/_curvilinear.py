"""Calls with scale factors: orthogonal curvilinear coordinates.

What is computed stands in `_curved.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from . import (
    _agnostic,
    _calls,
    _chunks,
    _constants,
    _curved_ends,
    _dispatch,
    _libraries,
    _precision,
    _tasks,
    _traced_numbers,
)
from ._calls import Request
from ._checks import dim, input, scale_factors
from ._checks.dtype import check_pair
from ._checks.spacing import Entry
from ._curved import FORMULAS, Composite
from ._curved_grid import Grid, at_once
from ._lowering import with_dims
from ._records import Field, Plan, Samples
from ._typing import DType, Namespace


def plan(
    planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call with scale factors."""
    formula = FORMULAS.get(planner)
    if formula is None:
        scale_factors.refuse_tensors(request.scale_factors)
    samples = _dispatch.samples_of(array, "input")
    request = _traced_numbers.adopted(request, samples)
    plain = request._replace(scale_factors=None)
    usual = again(planner, array, **plain._asdict())
    component = usual.tasks[0].component if usual.tasks else None
    field = input.field(samples, None if component is None else component[0])
    entries = scale_factors.entries(request.scale_factors, len(usual.axes))
    if not entries:
        return usual
    dtype, results = _dtypes(planner, usual, entries, field, request)
    grid = Grid(
        again=again,
        request=plain,
        axes=usual.axes,
        factors=_placed([entry.given for entry in entries], field, dtype),
        shape=field.shape,
        vector_axis=field.vector_axis,
        dtype=dtype,
        where=_constants.placed(request.where, samples),
        namespace=samples.namespace,
        may_flow_back=samples.library.has_slopes,
        execution=at_once(samples.namespace),
        operands=(),
    )
    _check_lengths(planner, grid, field)
    run = partial(_run, Composite(formula, grid, results), samples)
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
    composite: Composite, samples: Samples, array: Any, plan: Plan, xp: Namespace
) -> tuple[Any, ...]:
    """Return the results of a call: in one pass, where its executor can."""
    with _dispatch.surroundings(samples):
        f = _libraries.without_shell(array)
        in_one_pass = _dispatch.in_one_pass(samples)
        found = None if in_one_pass is None else in_one_pass(f, composite, plan, xp)
        if found is not None:
            return found
        results = composite.results(f, at_once(xp))
        if plan.stack is None:
            return tuple(results)
        whole = samples.joining("stack")(results, axis=plan.stack.axis)
        # NumPy's is in the byte order of the machine.
        return (_agnostic.prepare(whole, composite.dtypes[0], False, xp),)


def _placed(given: list[Any], field: Field, dtype: DType) -> tuple[Any, ...]:
    """Return the factors in the working dtype, where the samples lie."""
    samples, xp = field.samples, field.samples.namespace
    real = dtype
    if _precision.is_complex(dtype, xp):
        real = _precision.real_counterpart(dtype, xp)
    factors, chunks = [], _chunks.chunks_of(field)
    for factor in given:
        if isinstance(factor, float):
            factors.append(factor)
            continue
        plain = _libraries.lasting(_constants.placed(factor, samples))
        plain = _chunks.in_chunks(with_dims(plain, field.ndim), chunks)
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
        weight = grid.others() if planner is _calls.laplacian else grid.others(k)
        if grid.varies(weight, k):
            why = f"`accuracy={accuracy}` and `scale_factors` that vary along it"
            input.check_room(field, axis, accuracy + 1, why)
