"""What is done in a space: the operations of a program, recorded on its memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import setitem
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..._beyond import arrays_of
from .numbers import Numbers
from .pieces import are_exact, spread
from .programs import GIVE, PUT, TAKE, TURN
from .scores import weights_of
from .scratch import Scratch
from .workspaces import copied

if TYPE_CHECKING:
    from ..._records import Task
    from .numbers import Scaling, Step
    from .scores import Term
    from .workspaces import Total, Workspace

#: After so many calls in a row with the same coordinates, weights of each point are
#: made, from which all further calls take less time: that takes about as long.
MANY_REPEATS = 32

#: What is read no more within a program is memory for others, in such units.
UNIT = 2**10


def can_be_recorded(task: Task) -> bool:
    """Tell whether a task has no other arrays than coordinates and a mask."""
    return task.step is None and task.period is None and not arrays_of(task)


class GridWeights:
    """The weights of a task, which are made once for its coordinates."""

    def __init__(self, total: Total, task: Task, first: int) -> None:
        #: With coordinates that may become others.
        self._task = task
        self._ops = total.known.ops
        self._shape = tuple(total.out.shape)
        #: Which of them are repeated over all lines, and their axes; the `first` of
        #: these is that operand of a total.
        self._spread = [(place - first, axis) for place, axis in total.known.weights]
        #: Memory of their own, where they are.
        self.places = [copied(array, array, self._ops) for array in self._operands()]

    def _operands(self) -> list[Any]:
        found = weights_of(self._task, self._ops.namespace)
        for number, axis in self._spread:
            if 0 <= number < len(found):  # and no other task's
                found[number] = spread(found[number], axis, self._shape, self._ops)
        return found

    def make(self) -> None:
        """Make them again, there."""
        for place, array in zip(self.places, self._operands(), strict=True):
            place[...] = array


class Notes:
    """The operations of programs, as they are done."""

    def __init__(self) -> None:
        #: In order.
        self.steps: list[Step] = []
        #: By the identities of their numbers.
        self.scalings: dict[int, Scaling] = {}

    def play(self, total: Total, operands: list[Any], scratch: Scratch) -> None:
        """Play a program on other memory, and note what it does."""
        ops = total.known.ops
        bound = total.known.pieces[0].bounds[0]
        verbs = {name: self.noted(verb) for name, verb in ops.verbs.items()}
        names = {**bound.play.__globals__, **verbs}
        names |= {PUT: self.put, TAKE: scratch.take, GIVE: scratch.give}
        names[TURN] = partial(self.turn, ops.turned)
        self.steps += total.before
        play = FunctionType(bound.play.__code__, names)
        play(operands, total.out, bound.indices)

    def noted(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """Return an operation that is noted when it is done."""

        def do(*given: Any, out: Any = None) -> Any:
            made = verb(*given, out=out)
            target = made if out is None else out
            self.steps.append([verb, (*given, target)])
            scaling = self.scalings.get(id(given[-1]))
            if scaling is not None:
                scaling.steps.append(self.steps[-1])
            return target

        return do

    def put(self, *given: Any) -> None:
        """Fill an array, and note it."""
        setitem(*given)
        self.steps.append([setitem, given])

    def turn(self, turned: Callable[..., Any], array: Any, dtype: Any) -> Any:
        """Return a turned copy, and note that it is filled."""
        made = turned(array, dtype)
        self.steps.append([setitem, (made, ..., array)])
        return made

    def parted(self, changing: list[Any]) -> tuple[list[Step], list[Step]]:
        """Return operations on coordinates and masks alone, and all others.

        The former are done before the others, or not at all while coordinates and masks
        are the same.  So what they write must stay: an operation is among the others,
        too, if it writes where one of those has written, or has read before.
        """
        changed = set(map(_memory_of, changing))
        written = [
            _memory_of(given[0 if operation is setitem else -1])
            for operation, given in self.steps
        ]
        used = [{*map(_memory_of, given)} for _, given in self.steps]
        count = 0
        while count != len(changed):
            count, read = len(changed), set()
            for memory, place in zip(used, written, strict=True):
                if place in read or not changed.isdisjoint(memory):
                    changed.add(place)
                if place in changed:
                    read |= memory
        pairs = list(zip(self.steps, written, strict=True))
        stay = [step for step, place in pairs if place not in changed]
        return stay, [step for step, place in pairs if place in changed]


class Replay:
    """The operations that make all results in a space."""

    def __init__(self, workspace: Workspace) -> None:
        samples, _, totals, made = workspace
        tasks, self._samples = workspace.tasks(), samples
        self._ops = totals[0].known.ops
        numbers = [Numbers(task, samples, self._ops) for task in tasks]
        self._weights: list[GridWeights] = []
        notes, own = Notes(), iter(numbers)
        for total, scratch in zip(totals, _scratches(totals), strict=True):
            operands = [total.f]
            for term in total.terms:
                operands += self._operands(term, total, len(operands), next(own))
            notes.scalings |= {id(n.number): n for one in numbers for n in one.scalings}
            notes.play(total, operands, scratch)
        for target, source in made.copies:
            notes.put(target, ..., source)
        changing = [samples, *[place for one in numbers for place in one.places]]
        self._of_arrays, self._of_samples = notes.parted(changing)
        self._is_wide = any(task.precision.wide_samples for task in tasks)
        #: Of which task of a call, if it has some.
        self._numbers = [item for item in enumerate(numbers) if item[1].places]

    def _operands(
        self, term: Term, total: Total, first: int, own: Numbers
    ) -> list[Any]:
        """Return what a term reads beside the samples, in the order of its score."""
        task = term.task
        operands: list[Any] = [one.scale() for one in own.scalings]
        if term.shares_weights:
            self._weights.append(GridWeights(total, task, first))
            operands = [*self._weights[-1].places]
        elif task.coordinates is not None:
            operands = [task.coordinates]
        operands += own.constants
        return operands if task.where is None else [*operands, task.where]

    def play(self, tasks: Sequence[Task], repeats: int) -> bool:
        """Make the results of a call; tell whether that can be.

        What follows from coordinates and masks alone is there when they are repeated.
        """
        for number, own in self._numbers:
            if not own.take(tasks[number]):
                return False
        if self._is_wide and not are_exact(self._samples, self._ops):
            return False
        if not repeats:
            for one in self._weights:
                one.make()
            for operation, given in self._of_arrays:
                operation(*given)
        for operation, given in self._of_samples:
            operation(*given)
        return True

    @property
    def nbytes(self) -> int:
        """How large all memory is."""
        steps = [*self._of_arrays, *self._of_samples]
        held = {id(array): array for _, given in steps for array in given}
        held |= {id(a.base): a.base for a in held.values() if hasattr(a, "base")}
        return sum(map(sys.getsizeof, held.values()))


def resting(first: Replay, rest: Callable[[], Replay | None]) -> Callable[..., bool]:
    """Return what makes the results of a call, as `Replay.play` does.

    On coordinates that have come often it is what `rest` returns that makes them; that
    is None while there is no room.
    """
    latter: Replay | None = None

    def play(tasks: Sequence[Task], repeats: int) -> bool:
        nonlocal latter
        if repeats >= MANY_REPEATS:
            latter = latter or rest()
            if latter is not None:
                return latter.play(tasks, repeats - MANY_REPEATS)
        return first.play(tasks, repeats)

    return play


def _scratches(totals: Sequence[Total]) -> list[Scratch]:
    """Return the memory for what each total makes in between.

    They share one, where the memory of what is read no more serves for others.  Not so
    with masks: what is made of these is to stay until there are others.
    """
    make = partial(Scratch, 0, UNIT)
    if any(term.task.where is not None for one in totals for term in one.terms):
        return [make() for _ in totals]
    return [make()] * len(totals)


def _memory_of(array: Any) -> int:
    """Return what tells the memory of an array, or of a part of one, from others'."""
    base = getattr(array, "base", None)
    return id(array if base is None else base)
