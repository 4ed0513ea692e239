"""What a call computes: small frozen records, made once and then only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

from ._kept import Kept
from ._library import Library
from ._precision import Precision, working
from ._scales import Scale
from ._schemes import Halo, Scheme, halo
from ._typing import Array, DType, Namespace


class Samples(NamedTuple):
    """What is learned of an array when it comes in, once."""

    #: Without its shell, where its class is a mere one.
    array: Any
    #: Its own.
    dtype: DType
    shape: tuple[Any, ...]
    #: A row of the table.
    library: Library
    #: In which it is computed with.
    namespace: Namespace
    #: ``executor(array, plan, namespace)`` returns the results of a plan.
    executor: Callable[..., tuple[Any, ...]]
    #: None where the library decides by itself.
    device: Any
    #: Whether it is of the library's own class, not of one derived from it.
    is_exact: bool
    #: Whether a compiler reads the very code that runs: then nothing that is kept may
    #: be looked at, and the value of a number may be a symbol.
    is_compiled: bool

    def joining(self, word: str) -> Any:
        """Return the standard's `stack` or `concat`, or what the library has for it."""
        return getattr(self.library, word) or getattr(self.namespace, word)


class Field(NamedTuple):
    """What is differentiated: the samples, or one component of a vector field."""

    #: All of them, as the user gave them.
    samples: Samples
    #: They are taken as if they were of it.
    dtype: DType
    #: That of what is differentiated: whole numbers, or symbols of a compiler.
    shape: tuple[Any, ...]
    #: The axis of the components, which `shape` does not have.
    vector_axis: int | None = None
    #: What the result is rounded to; None for what follows from all other dtypes.
    result: DType | None = None
    #: Whether samples may be missing.
    has_mask: bool = False

    @property
    def ndim(self) -> int:
        """The number of dimensions of what is differentiated."""
        return len(self.shape)


class Axis(NamedTuple):
    """A dim to differentiate along."""

    #: In what is differentiated; not negative.
    number: int
    #: "dim" or "axis", as the user says.
    word: str
    #: As the user numbers it.
    given: Any


class Orders(NamedTuple):
    """Which derivative is wanted, and how accurate."""

    #: Of the derivative.
    order: int
    #: Of the interior, and of one-sided edges.
    accuracy: int
    edge_order: int


class Ends(NamedTuple):
    """What one dim has at its ends."""

    #: The boundary modes.
    left: str
    right: str
    #: The values beyond either end, numbers or arrays; where only one has one, the
    #: other is None.
    constants: tuple[Any, Any] | None
    #: A turn, in the unit of the coordinates: a float, an array or None.
    period: Any

    def values(self) -> tuple[Any, ...]:
        """Return all values and the period, None among them."""
        return (*(self.constants or ()), self.period)


class Alternative(NamedTuple):
    """Other formulas, for points at which those of a task read what is missing."""

    #: The formulas along the axis.
    scheme: Scheme
    #: As those of the task.
    scales: Sequence[Scale]


class Task(NamedTuple):
    """One partial derivative."""

    #: Its number, not negative.
    axis: int
    #: The formulas along the axis.
    scheme: Scheme
    #: The dtypes.
    precision: Precision
    #: Which of the dims named it is: where its entries of `spacing` and `boundary`
    #: stand.
    place: int = 0
    #: For a step that is a number: what the sum of each formula of the scheme is scaled
    #: with.  Else they are empty.
    scales: Sequence[Scale] = ()
    #: For a step that is an array of shape ().
    step: Array | None = None
    #: Those of a call, of the samples' number of dimensions, so that they broadcast.
    coordinates: Array | None = None
    #: The values of the ghosts at the left and at the right end, numbers or arrays,
    #: where the scheme asks for them.  Arrays broadcast to what is differentiated, and
    #: have a length of one along `axis`, or no dims.
    constants: tuple[Any, Any] | None = None
    #: For coordinates of a periodic axis: a turn, in their unit, not negative; a float,
    #: an array or None.
    period: Any = None
    #: The axis of the components of a vector field, and which of them is
    #: differentiated: `axis` and `coordinates` are those of a single component.
    component: tuple[int, int] | None = None
    #: 0 for a result of its own; 1 or -1 for a term that is added to the result of the
    #: task before, or subtracted from it.
    sign: int = 0
    #: The derivative that is taken first, of a mixed one.
    inner: Task | None = None
    #: None where nothing is kept between calls.
    kept: Kept | None = None
    #: An array that says which samples are valid: of bools and of the samples' number
    #: of dimensions, so that it broadcasts, along the axis, too.  None for all.
    where: Any = None
    #: What is tried, in this order, where samples that the `scheme` names are not.
    alternatives: tuple[Alternative, ...] = ()

    def with_values(
        self,
        grid: tuple[Any, ...],
        inner: Task | None,
        where: Any,
        alternatives: tuple[Alternative, ...],
    ) -> Task:
        """Return the task with what a call adds, its grid from `scales` to `period`.

        This is done in each call; `_replace` takes thrice as long.
        """
        rest = (*self[9:11], inner, self.kept, where, alternatives)
        return tuple.__new__(Task, (*self[:4], *grid, *rest))


class Slot(NamedTuple):
    """What stands in a task for an array of which each part of a call has its own."""

    number: int


class Stack(NamedTuple):
    """How several results become one array."""

    #: Where the new axes stand in the array.
    axis: int
    #: Their lengths.
    shape: tuple[int, ...]
    #: Which result stands at each place, the last of the new axes fastest.
    numbers: tuple[int, ...]

    def places(self, number: int) -> list[tuple[int, ...]]:
        """Return the indices along the new axes at which a result stands."""
        every = product(*map(range, self.shape))
        return [
            place for place, n in zip(every, self.numbers, strict=True) if n == number
        ]


class Plan(NamedTuple):
    """All that a call computes."""

    #: One per partial derivative, in the order of the results.
    tasks: tuple[Task, ...]
    #: How the results are put together; None to return them one by one.
    stack: Stack | None = None
    #: Whether each task is a derivative of the samples as they are, with numbers beyond
    #: the ends, and a result.
    is_plain: bool = True
    #: Whether it has all numbers and arrays of a call, or needs none.
    is_bound: bool = True
    #: The axis of each dim named.
    axes: tuple[int, ...] = ()
    #: How many there are in what is differentiated.
    ndim: int = 0
    #: ``executor(array, plan, namespace)`` returns the results.
    executor: Any = None
    #: The module in which the samples are computed with.
    namespace: Any = None
    #: Whether coordinates of one dim stay so, and the executor gives them the others.
    takes_vectors: bool = False

    def with_tasks(self, tasks: tuple[Task, ...]) -> Plan:
        """Return the plan with all that a call adds to its tasks."""
        return tuple.__new__(Plan, (tasks, *self.after_tasks()))

    def around(
        self,
        take_off: Callable[[Any], Any],
        put_on: Callable[..., tuple[Any, ...]] = lambda results, _: results,
    ) -> Plan:
        """Return the plan of a call whose samples have something around them.

        ``take_off(given)`` returns the samples of this plan, and ``put_on(results,
        given)`` what the call returns.
        """

        def run(given: Any, *_: Any) -> tuple[Any, ...]:
            results = self.executor(take_off(given), self, self.namespace)
            return put_on(results, given)

        return self._replace(executor=run)

    def after_tasks(self) -> tuple[Any, ...]:
        """Return all that stands after the tasks, of a plan that is bound."""
        return (*self[1:3], True, *self[4:])


def unrounded(task: Task) -> Task:
    """Return a task whose result is left in the working dtype."""
    dtype = working(task.precision)
    return task._replace(precision=task.precision._replace(result=dtype))


def totals_of(tasks: Sequence[Task]) -> Iterator[tuple[Task, ...]]:
    """Return each task that is a result, with those that are added to it."""
    starts = [number for number, task in enumerate(tasks) if task.sign == 0]
    for start, stop in pairwise([*starts, len(tasks)]):
        yield tuple(tasks[start:stop])


def transposed(
    task: Task, order: Sequence[int], transpose: Callable[[Any, Sequence[int]], Any]
) -> Task:
    """Return a task for samples of which the axes stand in another order."""

    def turned(a: Any) -> Any:
        return transpose(a, order) if getattr(a, "ndim", 0) else a

    def placed(task: Task) -> Task:
        inner = None if task.inner is None else placed(task.inner)
        return task._replace(axis=order.index(task.axis), inner=inner)

    # What is kept is for samples that lie in the order of their axes: it goes, too.
    return placed(converted(task, turned))


def converted(task: Task, convert: Callable[[Any], Any]) -> Task:
    """Return a task that keeps nothing, each of its arrays and ends converted."""
    inner, ends = task.inner, task.constants
    return task._replace(
        scales=tuple(task.scales),
        step=convert(task.step),
        coordinates=convert(task.coordinates),
        constants=None if ends is None else (convert(ends[0]), convert(ends[1])),
        period=convert(task.period),
        inner=None if inner is None else converted(inner, convert),
        kept=None,
        where=convert(task.where),
    )


def candidates(task: Task) -> list[Task]:
    """Return the task as if all samples were valid, and that of each alternative."""
    first = task._replace(where=None, alternatives=())
    others = [
        first._replace(scheme=scheme, scales=scales)
        for scheme, scales in task.alternatives
    ]
    return [first, *others]


def of_valid(task: Task, name: str = "valid") -> Task:
    """Return the task as if all samples were valid, and what is inside of it.

    What is made for it is kept by that name: a whole plan's is another than a part's.
    """
    inner = None if task.inner is None else of_valid(task.inner, name)
    kept = None if task.kept is None else task.kept.beside(name)
    return task._replace(where=None, alternatives=(), inner=inner, kept=kept)


def without_masks(plan: Plan, is_all: Callable[[Any], bool]) -> Plan:
    """Return the plan as if all samples were valid, if masks say that they are."""
    if not plan.tasks or plan.tasks[0].where is None:  # and no other task has one
        return plan
    masks = {id(task.where): task.where for task in plan.tasks}
    if not all(map(is_all, masks.values())):
        return plan
    return plan.with_tasks(tuple(map(of_valid, plan.tasks)))


def halo_of(*tasks: Task) -> Halo:
    """Return what rows need around them, whichever candidate of any task they follow.

    For no task, that is nothing.
    """
    schemes = [one.scheme for task in tasks for one in candidates(task)]
    if not schemes:
        return Halo(0, 0, 0)
    inside = halo([scheme.recipe for scheme in schemes])
    return inside._replace(is_ring=any(scheme.wraps for scheme in schemes))


def all_tasks(plan: Plan) -> Iterator[Task]:
    """Return the tasks of a plan, each after one that is inside of it."""
    for task in plan.tasks:
        if task.inner is not None:
            yield task.inner
        yield task


#: To prepare what serves calls of one shape takes some 20 µs, as long as it takes to
#: go through so many samples more often than blocks do.
MOST_UNPREPARED = 2**13


def comes_once(samples: int, plan: Plan, most_terms: int) -> bool:
    """Tell whether nothing is kept for few samples on steps, with few terms each."""
    if samples > MOST_UNPREPARED:
        return False
    for task in plan.tasks:
        has_arrays = task.coordinates is not None or task.where is not None
        if task.kept is not None or has_arrays:
            return False
        if sum([len(formula.terms) for formula in task.scheme.formulas]) > most_terms:
            return False
    return True


def are_short(tasks: Sequence[Task]) -> bool:
    """Tell whether an axis of some task has too few points for an interior.

    Only the agnostic run needs none.
    """
    for task in tasks:
        if task.scheme.recipe.length is not None:
            return True
        if task.inner is not None and task.inner.scheme.recipe.length is not None:
            return True
    return False
