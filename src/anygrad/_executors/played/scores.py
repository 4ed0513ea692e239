"""What is recorded of derivatives that are played: the agnostic run on symbols.

A score holds no value of a call, no length and no step: what scales the sums is one
operand, however many numbers it has.  So it serves for all calls of its form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _agnostic
from ..._classes import is_array
from ..._records import Alternative, Plan, candidates
from ..._scales import Scale
from ..recorded import weights
from ..recorded.nodes import LENGTH, Tape, Weak, interiors
from ..recorded.symbols import Symbol, Words, symbol_of_array
from . import latest
from .programs import Writer
from .values import Values

if TYPE_CHECKING:
    from ..._records import Task
    from ..._schemes import Scheme
    from ..._typing import Namespace
    from .operations import InPlaceOps
    from .programs import Program
    from .values import Shift, Value
    from .windows import Kind


#: Nothing is differentiated by what is played.
UNFILLED = weights.IN_THEIR_PLACE._replace(filled=lambda f, *_: f)


class Term(NamedTuple):
    """A derivative, alone or a part of a sum."""

    #: What is recorded.
    task: Task
    #: Whether all lines share their weights on coordinates: then these are made once
    #: and are operands, not the coordinates.
    shares_weights: bool

    def of_narrow(self) -> Term:
        """Return it for integers that the working dtype need not round."""
        precision = self.task.precision._replace(wide_samples=False)
        return self._replace(task=self.task._replace(precision=precision))

    @property
    def form(self) -> tuple[Any, ...]:
        """All that decides what is done."""
        task, x = self.task, self.task.coordinates
        grid = None
        if x is not None:
            grid = form_of(x), form_of(task.period), self.shares_weights
        ends = tuple(map(form_of, task.constants or ()))
        kind = task.axis, task.scheme, task.precision, task.component, task.sign
        others = tuple([scheme for scheme, _ in task.alternatives])
        return (*kind, grid, ends, form_of(task.where), others)


def form_of(value: Any) -> Any:
    """Return what a form holds of an array or a number."""
    if not is_array(value):
        return type(value) is complex, value is None
    return value.dtype, tuple([n != 1 for n in value.shape])


class Score(NamedTuple):
    """A recording that is to be played."""

    #: Its result.
    root: Value
    shift: Shift
    #: The number of axes.
    ndim: int
    #: Which operands are scales.
    scales: frozenset[int]
    #: How many operands there are.
    places: int
    #: How many points at the start and at the end of each axis have formulas of
    #: their own.
    edges: tuple[tuple[int, int], ...]
    #: Which operands are the weights of the interior along an axis, and which axis.
    weights: tuple[tuple[int, int], ...]
    #: What has been written of it, by kind of block.
    programs: dict[Kind, Program]

    def program(self, kind: Kind, ops: InPlaceOps) -> Program:
        """Return the program for a kind of block."""
        known = self.programs.get(kind)
        if known is None:
            known = self.programs[kind] = Writer(self, kind, ops).program()
        return known


def operands_of(terms: Iterable[tuple[Task, bool]], ops: InPlaceOps) -> list[Any]:
    """Return scales, weights or coordinates, and numbers beyond the ends, and masks."""
    values: list[Any] = []
    xp = ops.namespace
    for task, shares_weights in terms:
        x = task.coordinates
        if x is None:
            values += scales_of(task if task.step is None else _scaled(task, xp))
        elif shares_weights:
            values += latest.weights_of(task, ops, partial(weights_of, xp=xp))
        else:
            values += [x] if task.period is None else [x, task.period]
        values += constants_of(task)
        if task.where is not None:
            values.append(task.where)
    return values


def scales_of(task: Task) -> list[Scale]:
    """Return one scale per denominator, of all schemes, for a step that is a number."""
    found = task.scheme.per_denominator(task.scales)
    for scheme, scales in task.alternatives:
        found = [*found, *scheme.per_denominator(scales)]
    return found


def _scaled(task: Task, xp: Namespace) -> Task:
    """Return a task with scales, which a step that is an array comes without."""
    each = [Alternative(t.scheme, _agnostic.scales(t, xp)) for t in candidates(task)]
    return task._replace(scales=each[0].scales, alternatives=tuple(each[1:]))


def constants_of(task: Task) -> list[Any]:
    """Return the numbers beyond the ends, the left one first."""
    return [constant for constant in task.constants or () if constant is not None]


def weights_of(task: Task, xp: Namespace) -> list[Any]:
    """Return the weights of all formulas, of each those of all its points at once."""
    found: list[Any] = []
    for formula in weights.weighted_formulas(task, xp):
        formula.with_weights(found.append)
    return found


def record(f: Any, terms: Sequence[Term], xp: Namespace) -> Score:
    """Record a derivative and what is added to it, rounded once."""
    recorder = Recorder(f, xp)
    (score,) = recorder.scores(recorder.run(recorder.f, terms))
    return score


class Recorder:
    """Symbols for the operands, in their order; the samples are the first."""

    def __init__(self, f: Any, xp: Namespace) -> None:
        self.namespace, self.tape = xp, Tape(xp)
        self.words: Any = Words(self.tape)
        self.f = symbol_of_array(self.tape, 0, (LENGTH,) * f.ndim, f.dtype)
        self.places = count(1)
        self.scales: list[int] = []
        self.weights: list[tuple[int, int]] = []

    def run(self, array: Symbol, terms: Sequence[Term]) -> tuple[Symbol, ...]:
        """Return the results of a plan, on a symbol in the place of an array."""
        plan = Plan(tuple(map(self.recorded, terms)))
        return _agnostic.run(array, plan, self.words, UNFILLED)

    def scores(self, results: Sequence[Symbol]) -> tuple[Score, ...]:
        """Return the recording of each result, when all has been written down."""
        places = next(self.places)
        found = []
        for result in results:
            score = Score(
                *Values(result.ndim).of(result.node),
                result.ndim,
                frozenset(self.scales),
                places,
                tuple(interiors([result.node], result.ndim)),
                tuple(self.weights),
                {},
            )
            found.append(score)
        return tuple(found)

    def recorded(self, term: Term) -> Task:
        """Return a task with symbols for its values, or for what is made of them."""
        task, scheme = term.task, term.task.scheme
        scales: Any = ()
        others = task.alternatives
        x: Any = task.coordinates
        period = task.period
        if x is None:
            scales = self.scales_of(scheme)
            others = tuple([Alternative(one, self.scales_of(one)) for one, _ in others])
        elif term.shares_weights:
            given = enumerate(weights.weighted_formulas(task, self.namespace))
            formulas = [
                one.with_weights(partial(self.weight, task=task, number=number))
                for number, one in given
            ]
            x = {scheme: tuple(formulas)}
        else:
            x, period = self.symbol(x), self.symbol(period)
        ends: Any = task.constants and tuple(map(self.symbol, task.constants))
        return task._replace(
            scales=scales,
            coordinates=x,
            period=period,
            constants=ends,
            step=None,
            where=self.symbol(task.where),
            alternatives=others,
        )

    def symbol(self, value: Any) -> Any:
        """Return what stands for an array or a number, if there is one."""
        if value is None:
            return None
        place = next(self.places)
        if not is_array(value):
            return Weak(place, isinstance(value, complex))
        shape = tuple([1 if n == 1 else LENGTH for n in value.shape])
        return symbol_of_array(self.tape, place, shape, value.dtype)

    def scales_of(self, scheme: Scheme) -> Sequence[Scale]:
        """Return, for each formula, what stands for all numbers of a scale."""
        places = [next(self.places) for _ in scheme.denominators]
        self.scales += places
        scales = [Scale((Weak(place, False),), ()) for place in places]
        return scheme.per_formula(scales)

    def weight(self, array: Any, task: Task, number: int) -> Symbol:
        """Return what stands for a weight of all points of a formula."""
        place, shape = next(self.places), [1 if n == 1 else LENGTH for n in array.shape]
        shape[task.axis] = 1
        if number == task.scheme.interior:
            start, stop = task.scheme.formulas[number][:2]
            shape[task.axis] = LENGTH + (stop or 0) - start
            self.weights.append((place, task.axis))
        return symbol_of_array(self.tape, place, tuple(shape), array.dtype)
