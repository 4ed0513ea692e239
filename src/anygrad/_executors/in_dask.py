"""The plan for Dask: one task per chunk, and one for the strips others read of it.

A chunk of the result comes from the same chunk of the samples and from the strips of
its neighbours that the formulas reach.  Small strips of a chunk are one task, so that
between workers no more than strips need travel; what does travel is the scheduler's
choice.  Inside, a chunk is an array like any other, and is run by the executor of its
own library.  Edges exist at the ends of the array only: a chunk computes its strips'
rows, too, and drops them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import array_api_compat

from .. import _agnostic, _compilers
from .._classes import is_array
from .._libraries import dask_chunk, namespace_of
from .._records import Plan, Slot, Stack, Task, converted, totals_of, unrounded
from .spread.neighbours import Execute, windows_of
from .spread.strips import (
    Arguments,
    Block,
    Box,
    Key,
    Source,
    Strips,
    Windows,
    aligned,
    is_lazy,
    source_of,
    strip_of,
)

if TYPE_CHECKING:
    from .._typing import Namespace


#: ``surroundings(chunk)`` returns the context in which a chunk is computed with.
Surroundings: TypeAlias = Callable[[Any], AbstractContextManager[Any]]


class Term(NamedTuple):
    """A derivative, and what it reads."""

    #: With slots for arrays.
    task: Task
    #: The samples, and the arrays of the slots.
    sources: tuple[Source, ...]
    #: Along the axis of the task, and that of the one inside.
    windows: Windows


class Inputs(NamedTuple):
    """Where a chunk's arguments have what a derivative reads."""

    #: One per source.
    boxes: tuple[Box, ...]
    #: For each axis that is cut, from where to where the rows are the chunk's own.
    rows: tuple[tuple[int, int, int], ...]


def run(
    f: Any, plan: Plan, _: Namespace, execute: Execute, surroundings: Surroundings
) -> tuple[Any, ...]:
    """Build the graph of the plan; nothing is computed.

    ``execute(chunk, plan)`` returns the results of a plan for a chunk, by what runs on
    arrays of its class; ``surroundings(chunk)`` is the context in which results are
    added and rounded.
    """
    from dask.array import Array
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    compute = partial(
        _chunk, execute=_compilers.captured(execute), surroundings=surroundings
    )
    totals = [[_term(f, task) for task in tasks] for tasks in totals_of(plan.tasks)]
    terms = [term for total in totals for term in total]
    read = [(t.sources, t.task.axis, t.task.scheme.recipe, t.task[2:]) for t in terms]
    # Where a strip lies in its task depends on all that the call reads.
    token = f"anygrad-{tokenize(read, plan.stack)}"
    strips = Strips(f"{token}-strips")
    stack = plan.stack or Stack(0, (), (0,))
    wholes = [[total] for total in totals] if plan.stack is None else [totals]
    graphs: list[dict[Key, Any]] = []
    for whole in wholes:
        name = f"{token}.{len(graphs)}"  # of which Dask shows what is before the token
        graphs.append({})
        for number, total in enumerate(whole):
            graphs[-1] |= _tasks(name, total, stack, number, strips, compute)
    arrays = [s.array for term in terms for s in term.sources if is_lazy(s.array)]
    arrays.append(strips.layer(arrays))
    made = []
    for number, (whole, tasks) in enumerate(zip(wholes, graphs, strict=True)):
        name, first = f"{token}.{number}", whole[0][0]
        layers = HighLevelGraph.from_collections(name, tasks, arrays)
        chunks, new = first.sources[0].chunks, [(1,) * n for n in stack.shape]
        chunks = (*chunks[: stack.axis], *new, *chunks[stack.axis :])
        dtype = first.task.precision.result
        made.append(Array(layers, name, chunks=chunks, dtype=dtype, meta=f))
    return tuple(made)


def _term(f: Any, task: Task) -> Term:
    """Return what one derivative reads."""
    inner = task.inner
    source = source_of(f, task.component)
    windows = {
        part.axis: windows_of(source.chunks[part.axis], part)
        for part in (task, inner)
        if part is not None
    }
    sources = [source]

    def slot(value: Any) -> Any:
        if not is_array(value):
            return value
        sources.append(aligned(value, source.chunks, windows))
        return Slot(len(sources) - 1)

    task = converted(task._replace(component=None), slot)
    return Term(task, tuple(sources), windows)


def _tasks(
    name: str,
    total: Sequence[Term],
    stack: Stack,
    number: int,
    strips: Strips,
    compute: Callable[..., Any],
) -> dict[Key, Any]:
    """Return the tasks of a derivative with what is added to it, one per chunk.

    What stands at several places of the stack is computed once.
    """
    axis, places = stack.axis, stack.places(number)
    compute = partial(
        compute,
        tasks=tuple([term.task for term in total]),
        new_axes=(slice(None),) * axis + (None,) * len(places[0]) + (...,),
    )
    # A function, and no parts of each task: in tasks, Dask looks at every number, and
    # what travels to the workers would be there once per chunk.
    function = cache(lambda inputs: partial(compute, inputs=inputs))
    tasks: dict[Key, Any] = {}
    for index in product(*[range(len(sizes)) for sizes in total[0].sources[0].chunks]):
        arguments = Arguments(index, strips)
        inputs = tuple([_inputs(arguments, term, index) for term in total])
        before, after = index[:axis], index[axis:]
        first, *others = [(name, *before, *place, *after) for place in places]
        tasks[first] = (function(inputs), *arguments.values)
        tasks.update(dict.fromkeys(others, first))
    return tasks


def _inputs(arguments: Arguments, term: Term, index: Block) -> Inputs:
    """Add the arguments of `_chunk` for one derivative, and return where they are."""
    boxes = [arguments.box(source, term.windows) for source in term.sources]
    rows = [(axis, *there[index[axis]].rows) for axis, there in term.windows.items()]
    return Inputs(tuple(boxes), tuple(rows))


def _chunk(
    *arguments: Any,
    inputs: tuple[Inputs, ...],
    tasks: tuple[Task, ...],
    new_axes: tuple[Any, ...],
    execute: Execute,
    surroundings: Surroundings,
) -> Any:
    """Compute one chunk of the result: this runs on the workers."""
    total: Any = None
    for read, task in zip(inputs, tasks, strict=True):
        term = _derivative(arguments, read, task, execute)
        if total is None:
            total = term
        else:
            with surroundings(total):
                total = total + term if task.sign > 0 else total - term
    xp = namespace_of(total)
    with surroundings(total):
        return _agnostic.prepare(total, tasks[0].precision.result, False, xp)[new_axes]


def _derivative(
    arguments: Sequence[Any], read: Inputs, task: Task, execute: Execute
) -> Any:
    """Compute one derivative for a chunk."""
    arrays = [box.of(arguments) for box in read.boxes]
    f = arrays[0]

    def filled(value: Any) -> Any:
        return _beside(arrays[value.number], f) if isinstance(value, Slot) else value

    task = converted(unrounded(task)._replace(sign=0), filled)
    (whole,) = execute(f, Plan((task,), is_plain=False))
    for rows in read.rows:
        whole = strip_of(whole, *rows)
    return whole


def beside(array: Any, samples: Any) -> Any:
    """Return an array of NumPy's with chunks of the library of the samples'."""
    from dask.array import from_array

    lazy, f = from_array(array.copy()), dask_chunk(samples)
    if type(f) is type(array):
        return lazy
    return lazy.map_blocks(_beside, f=f, meta=_beside(dask_chunk(lazy), f))


def _beside(value: Any, f: Any) -> Any:
    """Return what comes with samples as an array of theirs, which may be on a GPU.

    A delayed number is a chunk without dims, and becomes no array by itself.
    """
    xp = namespace_of(f)
    if is_array(value) and namespace_of(value) is xp:
        return value
    return xp.asarray(value, device=array_api_compat.device(f))
