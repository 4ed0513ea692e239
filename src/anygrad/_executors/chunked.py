"""The plan for Dask: one task per chunk, and one for the strips others read of it.

A chunk of the result comes from the same chunk of the samples and from the strips of
its neighbours that the formulas reach.  Small strips of a chunk are one task, so that
between workers no more than strips need travel; what does travel is the scheduler's
choice.  Inside, a chunk is an array like any other, and is run by the executor of its
own library.  Edges exist at the ends of the array only: a chunk computes its strips'
rows, too, and drops them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import array_api_compat

from .. import _agnostic, _beyond, _compilers, _lowering
from .._beyond import arrays_of
from .._classes import is_array
from .._executors import strips
from .._records import Plan, Stack, Task, are_short, totals_of, unrounded
from .neighbours import Window, windows_of
from .parts import Arguments, Row
from .strips import Along, Source, Strips

if TYPE_CHECKING:
    from .._typing import DType, Namespace


#: ``execute(chunk, plan)`` returns the results of a plan.
Execute: TypeAlias = Callable[[Any, Plan], tuple[Any, ...]]


class Level(NamedTuple):
    """What a derivative along one axis reads besides the samples.

    Attributes
    ----------
    axis : int
        Along which it is.
    coordinates, valid : array or None
        With the chunks of the samples.
    step : array or None
        For a step that is an array of shape ().
    beyond : tuple of three of (array or None)
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

    def arrays(self) -> list[Any]:
        """Return all that may be an array."""
        return [self.coordinates, self.valid, self.step, *self.beyond]


class Term(NamedTuple):
    """What a derivative reads.

    Attributes
    ----------
    source : Source
        The samples, or the component or the inner derivative of them.
    task : Task
        Without what comes with the parts: step, coordinates and mask.
    levels : tuple of Level
        One, or two of a mixed derivative, the outer one first.
    """

    source: Source
    task: Task
    levels: tuple[Level, ...]

    def token(self) -> tuple[Any, ...]:
        """Return all that the values depend on."""
        source = self.source.where, self.source.component
        read = [level[:5] for level in self.levels]
        return source, self.task.scheme.recipe, self.task[2:], read

    def lazy(self) -> list[Any]:
        """Return all Dask arrays that are read."""
        arrays = [array for level in self.levels for array in level.arrays()]
        return [self.source.array, *filter(strips.is_lazy, arrays)]

    def read(self) -> Iterator[Along]:
        """Return all that is read of Dask arrays, along the axes."""
        for level in self.levels:
            axis, windows = level.axis, level.windows
            yield Along(self.source, axis, windows)
            for array in filter(strips.is_lazy, level.arrays()):
                if array.ndim and array.shape[axis] != 1:
                    yield Along(Source(array), axis, windows)


class AlongAxis(NamedTuple):
    """Where a chunk's arguments have what a derivative along one axis reads.

    Attributes
    ----------
    given : tuple of Row
        Coordinates, mask, step, values beyond both ends and period; empty ones for
        what there is not.
    rows : (int, int)
        Which rows are the chunk's own.
    """

    given: tuple[Row, ...]
    rows: tuple[int, int]


class Layout(NamedTuple):
    """Where a chunk's arguments have what a derivative reads.

    Attributes
    ----------
    pieces : tuple of Row
        Of the samples: joined along the inner axis, then along the outer one.
    levels : tuple of AlongAxis
        As those of the term.
    """

    pieces: tuple[Row, ...]
    levels: tuple[AlongAxis, ...]


def run(f: Any, plan: Plan, xp: Namespace, execute: Execute) -> tuple[Any, ...]:
    """Build the graph of the plan; nothing is computed.

    ``execute(chunk, plan)`` returns the results of a plan for a chunk, by what runs on
    arrays of its class.
    """
    execute = _compilers.captured(execute)
    totals = [
        [_term(f, unrounded(task), execute, xp) for task in tasks]
        for tasks in totals_of(plan.tasks)
    ]
    dtypes = [task.precision.result for task in plan.tasks if task.sign == 0]
    cut = strips.of_all(
        [along for terms in totals for term in terms for along in term.read()]
    )
    if plan.stack is not None:
        return (_array(totals, plan.stack, dtypes[0], cut, execute),)
    alone = Stack(0, (), (0,))
    return tuple(
        [
            _array([terms], alone, dtype, cut, execute)
            for terms, dtype in zip(totals, dtypes, strict=True)
        ]
    )


def _term(f: Any, task: Task, execute: Execute, xp: Namespace) -> Term:
    """Return what one derivative reads.

    Of a mixed one that does not fit into one window, the inner one is made first.
    """
    inner = task.inner
    if inner is not None and not _fits_in_one_window(task, inner):
        task = task._replace(where=_known(f, inner))
        (f,) = run(f, Plan((unrounded(inner),)), xp, execute)
        if any(map(is_array, task.constants or ())):
            derived = _beyond.derived(task, xp, _lowering.STANDARD)
            task = task._replace(constants=derived)
        task, inner = task._replace(inner=None), None
    source = strips.source_of(f, (inner or task).component)
    tasks = [task] if inner is None else [task, inner]
    levels = [_level(source.chunks, part) for part in tasks]
    return Term(source, _alone(task), tuple(levels))


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
    ends = (*(task.constants or (None, None)), task.period)
    left, right, period = [None if is_array(end) else end for end in ends]
    return task._replace(
        constants=task.constants and (left, right),
        period=period,
        step=None,
        coordinates=None,
        component=None,
        kept=None,
        where=None,
        scales=tuple(task.scales),  # Dask knows nothing else
        inner=None if task.inner is None else _alone(task.inner),
    )


def _level(chunks: Sequence[Sequence[int]], task: Task) -> Level:
    beyond = [*(task.constants or (None, None)), task.period]
    beyond = [v if is_array(v) else None for v in beyond]
    x, valid, *others = [
        strips.aligned(array, chunks, task.axis)
        for array in (task.coordinates, task.where, *beyond)
    ]
    windows = windows_of(chunks[task.axis], task)
    return Level(task.axis, x, valid, task.step, tuple(others), windows)


def _known(f: Any, inner: Task) -> Any:
    """Return which samples of an outer derivative are valid."""
    if inner.where is None:
        return None
    # Whatever the mask is made of: bools are small.
    xp = array_api_compat.array_namespace(inner.where)
    return _agnostic.known(f.shape, inner, xp)


def _array(
    totals: Sequence[Sequence[Term]],
    stack: Stack,
    dtype: DType,
    cut: dict[Any, Strips],
    execute: Execute,
) -> Any:
    """Return derivatives, each with what is added to it, in one array.

    One task per chunk of each; what stands at several places is computed once.
    """
    from dask.array import Array
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    every = [term for terms in totals for term in terms]
    made = [[term.token() for term in terms] for terms in totals]
    name = f"anygrad-{tokenize(made, stack, dtype)}"
    chunks = every[0].source.chunks
    before, after = chunks[: stack.axis], chunks[stack.axis :]
    graph: dict[Any, Any] = {}
    blocks = list(product(*[range(len(sizes)) for sizes in chunks]))
    for number, terms in enumerate(totals):
        places = [
            place
            for place, there in zip(
                product(*map(range, stack.shape)), stack.numbers, strict=True
            )
            if there == number
        ]
        compute = _functions(terms, stack, dtype, execute)
        for index in blocks:
            first, *others = [
                (name, *index[: stack.axis], *place, *index[stack.axis :])
                for place in places
            ]
            arguments = Arguments(cut)
            layouts = tuple([_layout(arguments, term, index) for term in terms])
            graph[first] = (compute(layouts), *arguments.values)
            graph.update(dict.fromkeys(others, first))
    read = {along.source.where for term in every for along in term.read()}
    dependencies = [array for term in every for array in term.lazy()]
    dependencies += [cut[where].layer for where in read if where in cut]
    layers = HighLevelGraph.from_collections(name, graph, dependencies=dependencies)
    new = tuple([(1,) * length for length in stack.shape])
    return Array(
        layers,
        name,
        chunks=(*before, *new, *after),
        dtype=dtype,
        meta=every[0].source.array,
    )


def _functions(
    terms: Sequence[Term], stack: Stack, dtype: DType, execute: Execute
) -> Callable[[tuple[Layout, ...]], Callable[..., Any]]:
    """Return what gives the function for chunks that lie alike.

    A function, and no parts of each task: in tasks, Dask looks at every number, and
    what travels to the workers would be there once per chunk.
    """
    compute = partial(
        _chunk,
        tasks=tuple([term.task for term in terms]),
        dtype=dtype,
        new_axes=(slice(None),) * stack.axis + (None,) * len(stack.shape) + (...,),
        execute=execute,
    )
    return cache(lambda layouts: partial(compute, layouts=layouts))


def _layout(arguments: Arguments, term: Term, index: strips.Block) -> Layout:
    """Add the arguments of `_chunk` for one derivative, and return where they are."""
    levels, read = [], []
    for level in term.levels:
        axis, window = level.axis, level.windows[index[level.axis]]
        read.append(Along(term.source, axis, level.windows))
        given = [
            arguments.companion(array, index, window, axis) for array in level.arrays()
        ]
        levels.append(AlongAxis(tuple(given), window.rows))
    return Layout(arguments.pieces(read, index), tuple(levels))


def _chunk(
    *arguments: Any,
    layouts: tuple[Layout, ...],
    tasks: tuple[Task, ...],
    dtype: DType,
    new_axes: tuple[Any, ...],
    execute: Execute,
) -> Any:
    """Compute one chunk of the result: this runs on the workers."""
    total: Any = None
    for layout, task in zip(layouts, tasks, strict=True):
        term = _derivative(arguments, layout, task, execute)
        if total is None:
            total = term
        else:
            total = total + term if task.sign > 0 else total - term
    xp = array_api_compat.array_namespace(total)
    return _agnostic.prepare(total, dtype, False, xp)[new_axes]


def _derivative(
    arguments: Sequence[Any], layout: Layout, task: Task, execute: Execute
) -> Any:
    """Compute one derivative for a chunk."""
    axes = [task.axis] if task.inner is None else [task.axis, task.inner.axis]
    f = _joined([_of(row, arguments, axes[-1]) for row in layout.pieces], task.axis)
    task = _bound(task, f, arguments, *layout.levels)
    has_values = any(any(level.given[3:]) for level in layout.levels)
    is_simple = task.inner is None and task.where is None and not has_values
    is_plain = is_simple and not are_short([task])
    (whole,) = execute(f, Plan((task,), is_plain=is_plain))
    for axis, level in zip(axes, layout.levels, strict=True):
        whole = strips.strip_of(whole, axis, *level.rows)
    return whole


def _bound(
    task: Task, f: Any, arguments: Sequence[Any], level: AlongAxis, *inside: AlongAxis
) -> Task:
    """Return a task with what has come with the parts."""
    x, valid, step, left, right, period = [
        _beside(_of(row, arguments, task.axis), f) for row in level.given
    ]
    ends = task.constants or (None, None)
    ends = ends[0] if left is None else left, ends[1] if right is None else right
    return task._replace(
        constants=task.constants and ends,
        period=task.period if period is None else period,
        step=step,
        coordinates=x,
        where=valid,
        sign=0,
        inner=task.inner and _bound(task.inner, f, arguments, *inside),
    )


def _beside(value: Any, f: Any) -> Any:
    """Return what comes with samples as an array of theirs, which may be on a GPU."""
    xp = array_api_compat.array_namespace(f)
    if value is None or array_api_compat.array_namespace(value) is xp:
        return value
    return xp.asarray(value, device=array_api_compat.device(f))


def _of(row: Row, arguments: Sequence[Any], axis: int) -> Any:
    """Return the parts of a row together."""
    return _joined([part.of(arguments) for part in row], axis)


def _joined(parts: list[Any], axis: int) -> Any:
    if len(parts) < 2:
        return parts[0] if parts else None
    return array_api_compat.array_namespace(parts[0]).concat(parts, axis=axis)
