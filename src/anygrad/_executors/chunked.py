"""The plan for Dask: one task per chunk, and one per strip of a neighbour it reads.

A chunk of the result comes from the same chunk of the samples and from the strips of
its neighbours that the formulas reach.  The strips are tasks of their own, so that
between workers no more than strips need travel; what does travel is the scheduler's
choice.  Inside, a chunk is an array like any other, and
is run by the executor of its own library.  Edges exist at the ends of the array only:
a chunk computes its strips' rows, too, and drops them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import array_api_compat

from .. import _agnostic, _beyond, _compilers
from .._beyond import arrays_of
from .._classes import is_array
from .._executors import results, strips
from .._records import Plan, Task, are_short, unrounded
from .neighbours import Window, windows_of

if TYPE_CHECKING:
    from .._typing import DType, Namespace


#: ``execute(chunk, plan)`` returns the results of a plan.
Execute: TypeAlias = Callable[[Any, Plan], tuple[Any, ...]]


def run(f: Any, plan: Plan, xp: Namespace, execute: Execute) -> tuple[Any, ...]:
    """Build the graph of the plan; nothing is computed.

    ``execute(chunk, plan)`` returns the results of a plan for a chunk, by what runs on
    arrays of its class.
    """
    execute = _compilers.captured(execute)
    return results.of_totals(
        plan,
        lambda tasks: _total(f, tasks, execute, xp),
        xp,
        stack=partial(xp.stack, allow_unknown_chunksizes=True),
    )


class Level(NamedTuple):
    """What a derivative along one axis reads.

    Attributes
    ----------
    axis : int
        Along which it is.
    coordinates, valid : array or None
        With the chunks of the samples.
    step : array or None
        For a step that is an array of shape ().
    beyond : tuple of (number, array or None)
        The values beyond both ends and the period, with the chunks of the samples.
    windows : list of Window
        Of each chunk along the axis.
    """

    axis: int
    coordinates: Any
    valid: Any
    step: Any
    beyond: tuple[Any, ...]
    windows: list[Window]


class Term(NamedTuple):
    """What a derivative reads.

    Attributes
    ----------
    f : array
        The samples, or the component or the inner derivative of them.
    task : Task
        Without what comes with the parts: step, coordinates and mask.
    levels : tuple of Level
        One, or two of a mixed derivative, the outer one first.
    """

    f: Any
    task: Task
    levels: tuple[Level, ...]


def _term(f: Any, task: Task, execute: Execute, xp: Namespace) -> Term:
    """Return what one derivative reads.

    Of a mixed one that does not fit into one window, the inner one is made first.
    """
    inner = task.inner
    if inner is not None and not _fits_in_one_window(task, inner):
        task = task._replace(where=_known(f, inner))
        f = _total(f, (unrounded(inner),), execute, xp)
        if any(map(is_array, task.constants or ())):
            derived = _beyond.derived(task, xp, _agnostic.STANDARD)
            task = task._replace(constants=derived)
        task, inner = task._replace(inner=None), None
    f = _agnostic.component(f, inner or task)
    tasks = [task] if inner is None else [task, inner]
    return Term(f, _alone(task), tuple([_level(f, part) for part in tasks]))


def _fits_in_one_window(task: Task, inner: Task) -> bool:
    """Tell whether a mixed derivative reads rows and columns, and nothing per point."""
    return task.component is None and all(
        part.where is None
        and not arrays_of(part)
        and strips.is_line(part.coordinates, part.axis)
        for part in (task, inner)
    )


def _alone(task: Task) -> Task:
    """Return a task without what comes with the parts, and what is kept here."""
    if arrays_of(task):
        task = task._replace(constants=None, period=None)
    return task._replace(
        step=None,
        coordinates=None,
        component=None,
        kept=None,
        where=None,
        scales=tuple(task.scales),  # Dask knows nothing else
        inner=None if task.inner is None else _alone(task.inner),
    )


def _level(f: Any, task: Task) -> Level:
    beyond = [*(task.constants or (None, None)), task.period]
    beyond = [strips.aligned(v, f, task.axis) if is_array(v) else v for v in beyond]
    return Level(
        task.axis,
        strips.aligned(task.coordinates, f, task.axis),
        strips.aligned(task.where, f, task.axis),
        task.step,
        tuple(beyond) if arrays_of(task) else (),
        windows_of(f.chunks[task.axis], task),
    )


def _known(f: Any, inner: Task) -> Any:
    """Return which samples of an outer derivative are valid."""
    if inner.where is None:
        return None
    # Whatever the mask is made of: bools are small.
    xp = array_api_compat.array_namespace(inner.where)
    return _agnostic.known(f.shape, inner, xp)


def _total(f: Any, tasks: Sequence[Task], execute: Execute, xp: Namespace) -> Any:
    """Return a derivative with what is added to it: one task per chunk."""
    from dask.array import Array
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    result = tasks[0].precision.result
    terms = [_term(f, unrounded(task), execute, xp) for task in tasks]
    f = terms[0].f
    read = [[level[:5] for level in term.levels] for term in terms]
    known = [(t.f.name, t.task.scheme.recipe, t.task[2:]) for t in terms]
    name = f"anygrad-{tokenize(known, read, result)}"
    # A function, not a part of each task: in tasks, Dask looks at every number, and
    # what travels to the workers would be there once per chunk.
    alone = tuple([term.task for term in terms])
    compute = partial(_chunk, tasks=alone, dtype=result, execute=execute)
    graph: dict[Any, Any] = {}
    for index in product(*(range(count) for count in f.numblocks)):
        parts = [_parts_of_term(graph, term, index) for term in terms]
        graph[(name, *index)] = (compute, *parts)
    meta = f._meta  # noqa: SLF001 - there is no public name for it
    meta = array_api_compat.array_namespace(meta).astype(meta, result)
    levels = [level for term in terms for level in term.levels]
    arrays = [a for level in levels for a in (*level[1:4], *level.beyond)]
    dependencies = [a for a in (*[t.f for t in terms], *arrays) if strips.is_lazy(a)]
    layers = HighLevelGraph.from_collections(name, graph, dependencies=dependencies)
    return Array(layers, name, chunks=f.chunks, meta=meta)


def _parts_of_term(
    graph: dict[Any, Any], term: Term, index: tuple[int, ...]
) -> list[Any]:
    """Return the arguments of `_chunk` for one derivative."""
    read = [(level, level.windows[index[level.axis]]) for level in term.levels]
    return [
        *strips.pieces(
            graph, term.f, index, [(lv.axis, window) for lv, window in read]
        ),
        *[
            [
                strips.of_companion(
                    graph, level.coordinates, index, window, level.axis
                ),
                strips.of_companion(graph, level.valid, index, window, level.axis),
                (level.step.name,) if strips.is_lazy(level.step) else level.step,
                [
                    strips.beyond_ends(graph, value, index, window, level.axis)
                    for value in level.beyond
                ],
                window.rows,
            ]
            for level, window in read
        ],
    ]


def _chunk(
    *parts: list[Any], tasks: tuple[Task, ...], dtype: DType, execute: Execute
) -> Any:
    """Compute one chunk of the result: this runs on the workers."""
    total: Any = None
    for read, task in zip(parts, tasks, strict=True):
        term = _derivative(*read, task=task, execute=execute)
        if total is None:
            total = term
        else:
            total = total + term if task.sign > 0 else total - term
    return _agnostic.prepare(
        total, dtype, False, array_api_compat.array_namespace(total)
    )


def _derivative(
    parts: list[Any],
    cuts: list[slice],
    *levels: list[Any],
    task: Task,
    execute: Execute,
) -> Any:
    """Compute one derivative for a chunk."""
    if cuts:
        assert task.inner is not None
        across = task.inner.axis
        parts = [
            _joined(
                [_narrowed(*piece, across) for piece in zip(row, cuts, strict=True)],
                across,
            )
            for row in parts
        ]
    f = _joined(parts, task.axis)
    task = _bound(task, *levels)
    has_values = any(beyond for *_, beyond, _ in levels)
    is_simple = task.inner is None and task.where is None and not has_values
    is_plain = is_simple and not are_short([task])
    (whole,) = execute(f, Plan((task,), is_plain=is_plain))
    for axis, (*_, rows) in zip(_axes(task), levels, strict=True):
        whole = strips.strip_of(whole, axis, rows)
    return whole


def _axes(task: Task) -> list[int]:
    return [task.axis] if task.inner is None else [task.axis, *_axes(task.inner)]


def _bound(task: Task, level: list[Any], *inside: list[Any]) -> Task:
    """Return a task with what has come with the parts."""
    coordinates, valid, step, beyond, _ = level
    if beyond:
        *ends, period = [v[0] if type(v) is list else v for v in beyond]
        constants = None if ends[0] is None is ends[1] else (ends[0], ends[1])
        task = task._replace(constants=constants, period=period)
    return task._replace(
        step=step,
        coordinates=_joined(coordinates, task.axis),
        where=_joined(valid, task.axis),
        sign=0,
        inner=_bound(task.inner, *inside) if task.inner is not None else None,
    )


def _narrowed(piece: Any, cut: slice, axis: int) -> Any:
    """Return what is read of a piece, which may have been cut before."""
    return (
        piece
        if piece.shape[axis] == cut.stop - cut.start
        else strips.strip_of(piece, axis, cut)
    )


def _joined(parts: list[Any], axis: int) -> Any:
    if len(parts) < 2:
        return parts[0] if parts else None
    return array_api_compat.array_namespace(parts[0]).concat(parts, axis=axis)
