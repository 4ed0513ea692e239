"""A composite, before it is written down, and when it is.

It is a whole call, of several derivatives with products around them.  Its formula is
run for each call on an outline of the samples, to learn which derivatives it asks for
and which factors it multiplies with: these are the operands of what is done to the
samples.  That is written down once for a form, when it is run on symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _precision
from ..._curved import Composite, Execution
from ..._records import Plan, are_short
from .. import results
from ..memory import is_in_order
from .tape import Form, Operands, Recorder

if TYPE_CHECKING:
    from ..._records import Task
    from ..._typing import DType, Namespace
    from ..memory import Memory
    from .tape import Recording
    from .weights import Weights


class Work(NamedTuple):
    """A composite on samples, and what it meets beside them."""

    f: Any
    composite: Composite
    namespace: Namespace
    #: In this order: plans of derivatives; numbers and arrays without samples.
    items: Sequence[Any]

    def tasks(self) -> Iterator[Task]:
        """Return the tasks of all plans."""
        for item in self.items:
            if type(item) is Plan:
                yield from item.tasks

    def arrays(self) -> Iterator[Any]:
        """Return all arrays that are no plan's."""
        return (item for item in self.items if type(item) not in (Plan, float))

    def form(
        self, weights_of: Callable[[Task], Weights | None] | None = None
    ) -> tuple[Form, Operands]:
        """Return its form, and its operands, as `tape.form_of` does."""
        operands = Operands(self.f, weights_of)
        items = [
            tuple(map(operands.form_of_task, item.tasks))
            if type(item) is Plan
            else operands.form(item)
            for item in self.items
        ]
        form = Form((self.composite.form, *items), operands.form_of_arrays())
        return form, operands

    def record(self, form: Form, operands: Operands) -> Recording:
        """Run the formula on symbols in the place of its arrays and numbers."""
        recorder = Recorder(form, operands, self.namespace)
        known = zip(self.items, form.tasks[1:], strict=True)
        execution = Execution(
            recorder.words,
            lambda array, _: recorder.run(array, *next(known)),
            lambda _: recorder.symbol(next(known)[1]),
        )
        made = self.composite.results(recorder.symbols[0], execution)
        return recorder.recording(made, can_be_cut=False)

    def example(self, array: Any) -> Any:
        """Return an array of its dtype that plans for components are made for."""
        f, grid, xp = self.f, self.composite.grid, self.namespace
        whole = f if f.ndim == len(grid.shape) else grid.component(f, 0)
        if array.dtype == whole.dtype:
            return whole
        corner = xp.empty_like(whole[(slice(1),) * whole.ndim], dtype=array.dtype)
        return xp.broadcast_to(corner, whole.shape)


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
    def where(_: Any, first: Outline, __: Outline) -> Outline:
        """Return that of either."""
        return first


def work_of(
    f: Any, composite: Composite, xp: Namespace, executor: Callable[..., Any]
) -> Work | None:
    """Return a composite with what it meets on the way from samples to results.

    None where it cannot be recorded, as what an `executor` would not run itself.
    """
    grid = composite.grid
    if grid.where is not None or _precision.is_complex(grid.dtype, xp):
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

    work = Work(f, composite, xp, items)
    execution = Execution(Outlines(xp), run, operand)
    composite.results(Outline(f.dtype, f.ndim), execution)
    plans = [item for item in items if type(item) is Plan]
    fit = all(plan.executor is executor and not are_short(plan.tasks) for plan in plans)
    are_own = all(type(array) is type(f) for array in work.arrays())
    return work if fit and are_own else None


def run(
    work: Work,
    plan: Plan,
    empty_like: Callable[..., Any],
    memory: Memory,
    *ways: Callable[[Work, Sequence[Any]], bool],
) -> tuple[Any, ...] | None:
    """Return the results of a composite, which the first way writes that can.

    None where no way can, or where the axes of the results are not in order.
    """
    made = results.empty(work.f, work.composite.rounded(plan), empty_like)
    if not all(is_in_order(out, memory) for out in made.outs):
        return None
    return made.copy() if any(way(work, made.outs) for way in ways) else None
