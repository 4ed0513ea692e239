"""What the formula of a composite meets, before it is written down.

A composite is a whole call, of several derivatives with products around them.  Its
formula is run for each call on an outline of the samples, to learn which derivatives it
asks for and which factors it multiplies with: these are the operands of what is done to
the samples.  That is written down once for a form, when it is run on symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _precision
from ..._curved import Execution
from ..._records import Plan, are_short
from .tape import Form, Operands, Recorder

if TYPE_CHECKING:
    from ..._curved import Composite
    from ..._records import Task
    from ..._typing import DType, Namespace
    from .tape import Recording
    from .weights import Weights


class Met(NamedTuple):
    """What a formula meets, in this order, beside the samples."""

    #: Plans of derivatives; numbers and arrays without samples.
    items: list[Any]

    def tasks(self) -> Iterator[Task]:
        """Return the tasks of all plans."""
        for item in self.items:
            if type(item) is Plan:
                yield from item.tasks

    def arrays(self) -> Iterator[Any]:
        """Return all arrays that are no plan's."""
        return (item for item in self.items if type(item) not in (Plan, float))


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
    __add__ = __sub__ = __mul__ = __truediv__ = _same


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


def met_by(
    f: Any, composite: Composite, xp: Namespace, executor: Callable[..., Any]
) -> Met | None:
    """Return what is met on the way from samples to the results of a composite.

    None where it cannot be recorded, as what an `executor` would not run itself.
    """
    grid = composite.grid
    if grid.where is not None or _precision.is_complex(grid.dtype, xp):
        return None
    met = Met([])

    def run(array: Outline, plan: Plan) -> tuple[Outline, ...]:
        met.items.append(plan)
        dtypes = [task.precision.result for task in plan.tasks]
        return tuple([Outline(dtype, array.ndim) for dtype in dtypes])

    def operand(weight: Any) -> Any:
        met.items.append(weight)
        return weight

    example = examples_like(f, composite, xp)
    execution = Execution(Outlines(xp), run, example, operand)
    composite.results(Outline(f.dtype, f.ndim), execution)
    plans = [item for item in met.items if type(item) is Plan]
    fit = all(plan.executor is executor and not are_short(plan.tasks) for plan in plans)
    are_own = all(type(array) is type(f) for array in met.arrays())
    return met if fit and are_own else None


def form_of(
    f: Any,
    composite: Composite,
    met: Met,
    weights_of: Callable[[Task], Weights | None] | None = None,
) -> tuple[Form, Operands]:
    """Return the form of a composite, and its operands, as `tape.form_of` does."""
    operands = Operands(f, weights_of)
    items = [
        tuple(map(operands.form_of_task, item.tasks))
        if type(item) is Plan
        else operands.form(item)
        for item in met.items
    ]
    return Form((composite.form, *items), operands.form_of_arrays()), operands


def record(
    f: Any, composite: Composite, form: Form, operands: Operands, xp: Namespace
) -> Recording:
    """Run the formula on symbols in the place of its arrays and numbers."""
    recorder, known = Recorder(form, operands, xp), iter(form.tasks[1:])
    execution = Execution(
        recorder.words,
        lambda array, plan: recorder.run(array, plan, next(known)),
        examples_like(f, composite, xp),
        lambda _: recorder.symbol(next(known)),
    )
    made = composite.results(recorder.symbols[0], execution)
    return recorder.recording(made, can_be_cut=False)


def examples_like(f: Any, composite: Composite, xp: Namespace) -> Callable[[Any], Any]:
    """Return ``example(array)``, which has its dtype and the shape of a component."""
    grid = composite.grid
    whole = f if f.ndim == len(grid.shape) else grid.component(f, 0)

    def example(array: Any) -> Any:
        if array.dtype == whole.dtype:
            return whole
        corner = xp.empty_like(whole[(slice(1),) * whole.ndim], dtype=array.dtype)
        return xp.broadcast_to(corner, whole.shape)

    return example
