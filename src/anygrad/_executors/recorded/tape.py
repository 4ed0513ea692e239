"""The recording of a call: the agnostic run on symbols, kept by the form of the call.

A form is all that decides which operations are done: axes, schemes, dtypes, which axes
have a length of one, and how many numbers there are.  No length is in it, and no value,
so that another shape and another step are the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _agnostic
from ..._records import Alternative, Plan, Task, all_tasks
from ..._scales import Scale
from . import weights
from .nodes import LENGTH, Node, Tape, Weak, name_of
from .symbols import Symbol, Words, symbol_of_array

if TYPE_CHECKING:
    from ..._schemes import Scheme
    from ..._typing import DType, Namespace
    from .weights import Weights


class Array(NamedTuple):
    """What a form says of an array."""

    #: Its own.
    dtype: DType
    #: For each axis, whether its length may be any; it is one otherwise.
    is_long: tuple[bool, ...]


class Shared(NamedTuple):
    """What a form says of weights that all lines share: which operand they are."""

    place: int


class Operands:
    """The arrays and the numbers of a call, in the order in which they are met."""

    __slots__ = ("_made", "_places", "_weights_of", "arrays", "numbers", "weights")

    def __init__(
        self, f: Any, weights_of: Callable[[Task], Weights | None] | None
    ) -> None:
        #: Each once; the samples first.
        self.arrays: list[Any] = [f]
        #: Python's.
        self.numbers: list[Any] = []
        #: By place of their table among the arrays, those that all lines share.
        self.weights: dict[int, Weights] = {}
        self._places = {id(f): 0}
        self._weights_of = weights_of
        self._made: dict[Any, Weights | None] = {}

    def form(self, value: Any) -> Any:
        """Count a value in, if there is one, and return what the form says of it."""
        if type(value) in (float, int, complex):
            self.numbers.append(value)
            return Weak(len(self.numbers) - 1, type(value) is complex)
        if value is None or type(value) is Shared:
            return value
        place = self._places.setdefault(id(value), len(self.arrays))
        if place == len(self.arrays):
            self.arrays.append(value)
        return place

    def form_of_task(self, task: Task) -> Task:
        """Count the values of a task in, and return it with their forms.

        There is one scale for each denominator, not for each formula.
        """
        inner = None if task.inner is None else self.form_of_task(task.inner)
        known: dict[int, Scale] = {}
        shared = self._shared(task)
        # The period is in the weights.
        grid = (task.coordinates, task.period) if shared is None else (shared, None)
        scales = self.form_of_scales(task.scheme, task.scales, known)
        values = (task.step, grid[0], task.where, grid[1])
        step, x, where, period = [v if v is None else self.form(v) for v in values]
        ends = task.constants and tuple(map(self.form, task.constants))
        others: Any = [
            (scheme, self.form_of_scales(scheme, given, known))
            for scheme, given in task.alternatives
        ]
        # As records are made fastest; neither the place nor what is kept is a part.
        form = (
            *(task.axis, task.scheme, task.precision, 0),
            *(scales, step, x, ends, period),
            *(task.component, task.sign, inner, None, where, tuple(others)),
        )
        return tuple.__new__(Task, form)

    def _shared(self, task: Task) -> Shared | None:
        """Count the weights in that all lines share, where these are operands."""
        make = self._weights_of
        if make is None or task.coordinates is None:
            return None
        others = tuple([scheme for scheme, _ in task.alternatives])
        grid = id(task.coordinates), id(task.period)
        key = (*grid, task.scheme, others, task.precision)
        if key not in self._made:
            self._made[key] = make(task)
        made = self._made[key]
        if made is None:
            return None
        place = self.form(made.table)
        self.weights[place] = made
        return Shared(place)

    def form_of_scales(
        self, scheme: Scheme, scales: Sequence[Scale], known: dict[int, Scale]
    ) -> tuple[Scale, ...]:
        """Return one scale for each denominator; a task has each one once."""
        if not scales:
            return ()
        found = []
        pairs = zip(scheme.denominators, scheme.per_denominator(scales), strict=True)
        for denominator, (factors, divisors) in pairs:
            scale = known.get(denominator)
            if scale is None:
                scale = Scale(
                    tuple(map(self.form, factors)), tuple(map(self.form, divisors))
                )
                known[denominator] = scale
            found.append(scale)
        return tuple(found)

    def form_of_arrays(self) -> tuple[Array, ...]:
        """Return what the form says of the arrays; the samples have room for all."""
        f, *others = self.arrays
        known = [Array(f.dtype, (True,) * f.ndim)]
        known += [Array(a.dtype, tuple([n != 1 for n in a.shape])) for a in others]
        return tuple(known)

    def as_floats(self) -> list[float]:
        """Return the numbers as kernels take them, complex ones in two parts."""
        floats: list[float] = []
        for number in self.numbers:
            is_complex = type(number) is complex
            parts = (number.real, number.imag) if is_complex else (number,)
            floats += map(float, parts)
        return floats


class Form(NamedTuple):
    """All that decides which operations a call does."""

    #: Those of the plan, with places of operands for their values; of a composite, what
    #: is met, too.
    tasks: tuple[Any, ...]
    #: The samples first.
    arrays: tuple[Array, ...]


class Recording(NamedTuple):
    """All operations of a call."""

    #: One per array that is returned.
    results: tuple[Node, ...]
    #: Their number of axes.
    ndim: int
    #: What the loads read, by their places.
    arrays: tuple[Array, ...]
    #: For each number of a call, whether it is complex.
    is_complex: tuple[bool, ...]

    @property
    def dtypes(self) -> list[str]:
        """The standard's names of the dtypes of all arrays, then of all results."""
        found = [name_of(array.dtype) for array in self.arrays]
        return found + [node.dtype for node in self.results]


class Call(NamedTuple):
    """A plan on samples."""

    f: Any
    plan: Plan
    namespace: Namespace

    def tasks(self) -> Iterator[Task]:
        """Return all tasks."""
        return all_tasks(self.plan)

    @property
    def can_be_cut(self) -> bool:
        """Whether it is several results, terms or derivatives."""
        tasks = self.plan.tasks
        return len(tasks) > 1 or tasks[0].inner is not None

    def form(
        self, weights_of: Callable[[Task], Weights | None] | None = None
    ) -> tuple[Form, Operands]:
        """Return its form, and its operands.

        What `weights_of` makes of a task is one, in the place of coordinates.
        """
        operands, tasks = Operands(self.f, weights_of), self.plan.tasks
        each: dict[int, Any] = {}  # what is written twice is computed once
        for task in tasks:
            if id(task) not in each:
                each[id(task)] = operands.form_of_task(task)
        known = tuple([each[id(task)] for task in tasks])
        return Form(known, operands.form_of_arrays()), operands

    def record(
        self, form: Form, operands: Operands, most_nodes: int | None = None
    ) -> Recording:
        """Run the plan on symbols in the place of its arrays and numbers.

        Raises `TooLong` where that takes more nodes.
        """
        recorder = Recorder(form, operands, self.namespace, most_nodes)
        return recorder.recording(recorder.run(recorder.f, form.tasks))


class Recorder:
    """Symbols for the operands of a form, and what is done to them."""

    def __init__(
        self, form: Form, operands: Operands, xp: Namespace, most_nodes: int | None
    ) -> None:
        self._form, self._operands = form, operands
        self._tape = Tape(xp, most_nodes)
        self.words: Any = Words(self._tape)
        #: Those of the arrays; the samples are the first.
        self.symbols: list[Symbol] = []
        for place, (dtype, is_long) in enumerate(form.arrays):
            shape = tuple([LENGTH if n else 1 for n in is_long])
            self.symbols.append(symbol_of_array(self._tape, place, shape, dtype))
        self.f = self.symbols[0]

    def symbol(self, known: Any) -> Any:
        """Return what stands for what the form says of a value."""
        if type(known) is Shared:
            weights_there = self._operands.weights[known.place]
            return weights_there.on_tape(self._tape, known.place)
        return self.symbols[known] if type(known) is int else known

    def run(self, array: Symbol, forms: Sequence[Task]) -> tuple[Symbol, ...]:
        """Return the results of a plan, of whose tasks these are the forms."""
        plan = Plan(tuple([_symbolic(form, self.symbol) for form in forms]))
        return _agnostic.run(array, plan, self.words, weights.IN_THEIR_PLACE)

    def recording(self, results: Sequence[Symbol]) -> Recording:
        """Return all that has been done to make some results."""
        return Recording(
            tuple([result.node for result in results]),
            results[0].ndim,
            self._form.arrays,
            tuple([isinstance(one, complex) for one in self._operands.numbers]),
        )


def _symbolic(form: Task, symbol: Callable[[Any], Any]) -> Task:
    """Return a task with symbols for its values, of its form."""

    def spread(scheme: Scheme, scales: Sequence[Scale]) -> Sequence[Scale]:
        # Numbers are symbols already: none but a `Weak` stands in a scale.
        return scheme.per_formula(scales) if scales else ()

    others = [
        Alternative(scheme, spread(scheme, its)) for scheme, its in form.alternatives
    ]
    values = form.step, form.coordinates, form.where, form.period
    step, x, where, period = map(symbol, values)
    ends = form.constants and tuple(map(symbol, form.constants))
    grid = (spread(form.scheme, form.scales), step, x, ends, period)
    inner = None if form.inner is None else _symbolic(form.inner, symbol)
    return form.with_values(grid, inner, where, tuple(others))
