"""A composite, before it is written down, and when it is.

It is a whole call, of several derivatives with products around them.  Its formula is
run for each call on an outline of the samples, to learn which derivatives it asks for
and which factors it multiplies with: these are the operands of what is done to the
samples.  That is written down once for a form, when it is run on symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _precision
from ..._classes import ndim_of
from ..._curved import Composite
from ..._curved_grid import Execution
from ..._records import Plan, are_short, transposed
from .. import results
from ..memory import components_first, order_of_memory
from .tape import Form, Operands, Recorder

if TYPE_CHECKING:
    from ..._curved_grid import Grid
    from ..._records import Task
    from ..._typing import DType, Namespace
    from ..memory import Memory
    from .symbols import Symbol
    from .tape import Recording
    from .weights import Weights


#: Up to this accuracy, on steps, slopes of factors are made by what is printed, too.
SHORT_ACCURACY = 4


class Work(NamedTuple):
    """A composite on samples, and what it meets beside them."""

    f: Any
    composite: Composite
    namespace: Namespace
    #: In this order: plans of derivatives; numbers and arrays without samples.
    items: Sequence[Any]
    #: As that of an `Execution`.
    makes_slopes: bool
    #: The only result that is made, by its number; None for all.
    only: int | None = None

    def tasks(self) -> Iterator[Task]:
        """Return the tasks of all plans."""
        for item in self.items:
            if type(item) is Plan:
                yield from item.tasks

    @property
    def can_be_cut(self) -> bool:
        """Whether whole arrays serve as well.

        Without masks, what is long takes a second or two to compile, once; with them it
        would take many.
        """
        return self.composite.grid.where is not None

    def arrays(self) -> Iterator[Any]:
        """Return all arrays that are no plan's."""
        return (item for item in self.items if type(item) not in (Plan, float))

    def form(
        self, weights_of: Callable[[Task], Weights | None] | None = None
    ) -> tuple[Form, Operands]:
        """Return its form, and its operands, as that of a `Call` does."""
        operands = Operands(self.f, weights_of)
        items = [
            tuple(map(operands.form_of_task, item.tasks))
            if type(item) is Plan
            else operands.form(item)
            for item in self.items
        ]
        kind = self.composite.form, self.only
        form = Form((kind, *items), operands.form_of_arrays())
        return form, operands

    def record(
        self, form: Form, operands: Operands, most_nodes: int | None = None
    ) -> Recording:
        """Run the formula on symbols in the place of its arrays and numbers."""
        recorder = Recorder(form, operands, self.namespace, most_nodes)
        return recorder.recording(self.results_on(recorder, form.tasks[1:]))

    def results_on(self, recorder: Any, items: Iterable[Any]) -> list[Symbol]:
        """Return the results of the formula, run on the symbols of a recorder.

        It has these in the place of what is met.
        """
        known = iter(items)
        execution = Execution(
            recorder.words,
            lambda array, _: recorder.run(array, next(known)),
            lambda _: recorder.symbol(next(known)),
            self.makes_slopes,
        )
        made = self.composite.results(recorder.f, execution)
        return made if self.only is None else [made[self.only]]

    def example(self, array: Any) -> Any:
        """Return an array of its dtype that plans for components are made for."""
        f, grid, xp = self.f, self.composite.grid, self.namespace
        whole = f if f.ndim == len(grid.shape) else grid.component(f, 0)
        if array.dtype == whole.dtype:
            return whole
        corner = xp.empty_like(whole[(slice(1),) * whole.ndim], dtype=array.dtype)
        return xp.broadcast_to(corner, whole.shape)


def _in_order_of_memory(
    work: Work, outs: Sequence[Any], memory: Memory
) -> tuple[Work, list[Any]]:
    """Return work with its axes in the order in which its results lie in memory."""
    order, transpose = order_of_memory(outs[0], memory), memory.transpose

    def turned(item: Any) -> Any:
        if type(item) is Plan:
            tasks = [transposed(task, order, transpose) for task in item.tasks]
            return item.with_tasks(tuple(tasks))
        return item if type(item) is float else transpose(item, order)

    if order == tuple(range(len(order))):
        return work, list(outs)
    grid, axes = work.composite.grid, list(order)
    if grid.vector_axis is not None:
        axes = components_first(order, grid.vector_axis)
        grid = grid._replace(vector_axis=0)
    there = work._replace(
        f=transpose(work.f, axes),
        composite=work.composite._replace(grid=grid),
        items=list(map(turned, work.items)),
    )
    return there, [transpose(out, order) for out in outs]


class Outline:
    """What a formula asks of an array, and nothing in it."""

    __slots__ = ("dtype", "ndim")

    def __init__(self, dtype: DType, ndim: int) -> None:
        self.dtype, self.ndim = dtype, ndim

    def __getitem__(self, index: tuple[Any, ...]) -> Outline:
        return Outline(self.dtype, self.ndim - sum([type(k) is int for k in index]))

    def _same(self, _: Any) -> Outline:
        return self

    # What is done is in the working dtype, and so is what comes out.
    __add__ = __sub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same


class Outlines:
    """The words of a formula, on outlines."""

    def __init__(self, namespace: Namespace) -> None:
        self.isdtype = namespace.isdtype

    @staticmethod
    def astype(array: Outline, dtype: DType) -> Outline:
        """Return one of another dtype."""
        return Outline(dtype, array.ndim)

    @staticmethod
    def full_like(array: Outline, _: Any) -> Outline:
        """Return one like it."""
        return array

    @staticmethod
    def where(_: Any, first: Outline, __: Outline) -> Outline:
        """Return that of either."""
        return first


def work_of(
    f: Any,
    composite: Composite,
    xp: Namespace,
    executor: Callable[..., Any],
    *,
    is_printed: bool = True,
) -> Work | None:
    """Return a composite with what it meets on the way from samples to results.

    None where it cannot be recorded, as what an `executor` would not run itself.
    """
    grid = composite.grid._replace(may_flow_back=False)
    composite = composite._replace(grid=grid)
    if _precision.is_complex(grid.dtype, xp) and not all(
        _precision.is_complex(dtype, xp) for dtype in composite.dtypes
    ):
        return None
    items: list[Any] = []

    def run(array: Outline, planned: Callable[[Any], Plan]) -> tuple[Outline, ...]:
        plan = planned(work.example(array))
        items.append(plan)
        dtypes = [task.precision.result for task in plan.tasks]
        return tuple([Outline(dtype, array.ndim) for dtype in dtypes])

    def operand(make: Callable[[], Any]) -> Any:
        weight = make()
        items.append(weight)
        is_number = isinstance(weight, float)
        return weight if is_number else Outline(weight.dtype, weight.ndim)

    makes_slopes = not is_printed or _has_short_slopes(composite.grid)
    work = Work(f, composite, xp, items, makes_slopes)
    execution = Execution(Outlines(xp), run, operand, makes_slopes)
    composite.results(Outline(f.dtype, f.ndim), execution)
    plans = [item for item in items if type(item) is Plan]
    fit = all(plan.executor is executor and not are_short(plan.tasks) for plan in plans)
    are_own = all(type(array) is type(f) for array in work.arrays())
    return work if fit and are_own else None


def _has_short_slopes(grid: Grid) -> bool:
    """Tell whether a text does not become much longer by slopes of factors."""
    steps = [ndim_of(grid.entry(place)) == 0 for place in range(len(grid.axes))]
    accuracy = grid.request.accuracy
    return grid.where is None and accuracy <= SHORT_ACCURACY and all(steps)


def run(
    work: Work,
    plan: Plan,
    empty_like: Callable[..., Any],
    memory: Memory,
    *ways: Callable[[Work, Sequence[Any]], bool],
) -> tuple[Any, ...] | None:
    """Return the results of a composite, which the first way writes that can.

    It writes all in one pass, or one after the other.  None where no way can.
    """
    made = results.empty(work.f, work.composite.rounded(plan), empty_like)
    work, outs = _in_order_of_memory(work, made.outs, memory)
    for way in ways:
        if way(work, outs) or _one_by_one(way, work, outs):
            return made.copy()
    return None


def _one_by_one(
    way: Callable[[Work, Sequence[Any]], bool], work: Work, outs: Sequence[Any]
) -> bool:
    """Write each result alone; tell whether there are several, and it could."""
    each = enumerate(outs)
    return len(outs) > 1 and all(way(work._replace(only=k), [out]) for k, out in each)
