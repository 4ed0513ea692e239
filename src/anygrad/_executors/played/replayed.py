"""What is done in a space: the operations of a program, recorded on its memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import setitem
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..._beyond import arrays_of
from ..._precision import is_complex, working
from ..._scales import Scale
from .pieces import are_exact
from .programs import GIVE, PUT, TAKE
from .scratch import Scratch
from .spaces import Space, given_arrays

if TYPE_CHECKING:
    from ..._records import Task
    from ..._typing import Namespace
    from .operations import InPlaceOps
    from .pieces import Prepared

#: Beyond so many bytes of a result, its program is played as for any call; and beyond
#: so many on steps if the result is a part of another array, into which it is copied.
MOST_BYTES, MOST_BYTES_OF_PARTS = 2**18, 2**17

#: So small are results of which each operation on the way has memory of its own, and so
#: few the formulas beside holes that are tried: there may be a thousand operations.
MOST_BYTES_KEPT, MOST_ALTERNATIVES_KEPT = 2**13, 4

#: What is read no more within a program with masks, which has many arrays, is memory
#: for others, in such units.
UNIT = 2**10

#: An operation, and what it is done to, with the place of what it makes.
Step: TypeAlias = "list[Any]"


class Scaling(NamedTuple):
    """What sums are scaled with."""

    #: An array without dims; one for sums that are complete, and None for such of
    #: complex numbers: one times an infinity may be NaN.
    number: Any
    #: Which multiply with it, or divide by it.
    steps: list[Step]

    def scale(self) -> Scale:
        """Return what is recorded of it."""
        return Scale(() if self.number is None else (self.number,), ())


class Numbers:
    """The numbers of a task, each in an array without dims."""

    __slots__ = (
        "_divide",
        "_multiply",
        "constants",
        "is_complex",
        "latest",
        "scalings",
    )

    def __init__(self, task: Task, like: Any, xp: Namespace, ops: InPlaceOps) -> None:
        def empty(dtype: Any) -> Any:
            return ops.empty_like(like, dtype=dtype, shape=())

        dtype = working(task.precision)
        self.is_complex = is_complex(dtype, xp)
        #: One per denominator, of all schemes; none on coordinates.
        self.scalings: list[Scaling] = []
        for scale in _scales(task):
            is_one = self.is_complex and not any(scale)
            self.scalings.append(Scaling(None if is_one else empty(dtype), []))
        #: What lies beyond the ends, in arrays.
        self.constants = [empty(task.precision.samples) for _ in _constants(task)]
        #: The scales of which call these are: the same step often comes again.
        self.latest: Any = None
        self._multiply, self._divide = ops.verbs["multiply"], ops.verbs["divide"]

    @property
    def places(self) -> list[Any]:
        """All of these arrays."""
        return [*[one.number for one in self.scalings], *self.constants]

    def take(self, task: Task) -> bool:
        """Put the numbers of a call there; tell whether there are as many."""
        if self.scalings and task.scales is not self.latest:
            self.latest = None
            pairs = zip(self.scalings, _scales(task), strict=True)
            for scaling, (factors, divisors) in pairs:
                count = len(factors) + len(divisors)
                if count > 1:
                    return False
                if self.is_complex and bool(count) == (scaling.number is None):
                    return False
                if scaling.number is None:
                    continue
                scaling.number[()] = (*factors, *divisors, 1.0)[0]
                for step in scaling.steps:
                    step[0] = self._divide if divisors else self._multiply
            self.latest = task.scales
        if self.constants:
            for place, number in zip(self.constants, _constants(task), strict=True):
                place[()] = number
        return True


def _scales(task: Task) -> list[Scale]:
    """Return one scale per denominator, for those who try other schemes, too."""
    if task.coordinates is not None:
        return []
    found = task.scheme.per_denominator(task.scales)
    for scheme, scales in task.alternatives:
        found = [*found, *scheme.per_denominator(scales)]
    return found


def _constants(task: Task) -> list[Any]:
    return [end for end in task.constants or () if end is not None]


def is_kept(tasks: Sequence[Task], out: Any, ops: InPlaceOps) -> bool:
    """Tell whether what a program makes of coordinates and masks is to stay."""
    if not ops.has_spaces or out.nbytes > MOST_BYTES_KEPT:
        return False
    if max(len(task.alternatives) for task in tasks) > MOST_ALTERNATIVES_KEPT:
        return False
    return bool(given_arrays(tasks))


def serves(
    known: Prepared,
    tasks: Sequence[Task],
    out: Any,
    ops: InPlaceOps,
    is_plain: bool,
) -> bool:
    """Tell whether a program that has been played may be recorded."""
    if not ops.has_spaces or known.spaces is not None:
        return False
    if len(known.pieces) > 1 or known.weights:
        return False
    for task, shares_weights in zip(tasks, known.shares_weights, strict=True):
        if task.step is not None or task.period is not None or arrays_of(task):
            return False
        if task.coordinates is not None and shares_weights:
            return False
    pays = is_plain or tasks[0].coordinates is not None
    return bool(0 < out.nbytes <= (MOST_BYTES if pays else MOST_BYTES_OF_PARTS))


def copied(array: Any, out: Any, ops: InPlaceOps) -> Any:
    """Return a copy that lies in the order of its axes, as a result does.

    Where it did not, a program's view of it as one run would be a copy as well, and
    that of an earlier call.
    """
    made = ops.empty_like(out, dtype=array.dtype, shape=array.shape)
    made[...] = array
    return made


class Notes:
    """The operations of a program, as they are done."""

    def __init__(self, scalings: dict[int, Scaling]) -> None:
        #: In order,
        self.steps: list[Step] = []
        #: and what each has written.
        self.targets: list[Any] = []
        #: By the identities of their numbers.
        self._scalings = scalings

    def noted(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """Return an operation that is noted when it is done."""

        def do(*given: Any, out: Any = None) -> Any:
            made = verb(*given, out=out)
            target = made if out is None else out
            self.steps.append([verb, (*given, target)])
            self.targets.append(target)
            scaling = self._scalings.get(id(given[-1]))
            if scaling is not None:
                scaling.steps.append(self.steps[-1])
            return target

        return do

    def put(self, *given: Any) -> None:
        """Fill an array, and note it."""
        setitem(*given)
        self.steps.append([setitem, given])
        self.targets.append(given[0])

    def parted(self, changing: list[Any]) -> tuple[list[Step], list[Step]]:
        """Return operations that read nothing that changes at each call, and others.

        The former are done first, or not at all: they make what stays.  So nothing else
        may be written into that memory, nor anything once the others have read it.
        """
        changed = set(map(_memory_of, changing))
        written = list(map(_memory_of, self.targets))
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


def recorded(
    known: Prepared,
    tasks: Sequence[Task],
    f: Any,
    out: Any,
    xp: Namespace,
    ops: InPlaceOps,
) -> Prepared:
    """Return what is prepared with the operations of its program on other memory."""
    has_masks = any(task.where is not None for task in tasks)
    reuses = has_masks and not is_kept(tasks, out, ops)
    scratch = Scratch(0 if reuses else MOST_BYTES, UNIT)
    numbers = [Numbers(task, f, xp, ops) for task in tasks]
    scalings = {id(one.number): one for own in numbers for one in own.scalings}
    samples, result, *arrays = [
        copied(array, out, ops) for array in (f, out, *given_arrays(tasks))
    ]
    (bound, *others) = known.pieces[0].bounds
    notes = Notes(scalings)

    def again(tasks: Sequence[Task], is_made: bool) -> bool:
        for own, task in zip(numbers, tasks, strict=True):
            if not own.take(task):
                return False
        if others and not are_exact(samples, ops):
            return False
        if not is_made:
            for operation, given in of_arrays:
                operation(*given)
        for operation, given in of_samples:
            operation(*given)
        return True

    operands, left = [samples], iter(arrays)
    for own, task in zip(numbers, tasks, strict=True):
        operands += [] if task.coordinates is None else [next(left)]
        operands += [one.scale() for one in own.scalings] + own.constants
        operands += [] if task.where is None else [next(left)]
    verbs = {name: notes.noted(verb) for name, verb in ops.verbs.items()}
    names = {**bound.play.__globals__, **verbs}
    names |= {PUT: notes.put, TAKE: scratch.take, GIVE: scratch.give}
    play = FunctionType(bound.play.__code__, names)
    play(operands, result, bound.indices)
    changing = [samples, *[place for own in numbers for place in own.places]]
    of_arrays, of_samples = notes.parted(changing)
    held = {id(a): a for _, given in notes.steps for a in given}
    held |= {id(a.base): a.base for a in held.values() if hasattr(a, "base")}
    nbytes = sum(map(sys.getsizeof, held.values()))
    return known._replace(spaces=[Space(samples, arrays, result, again, nbytes)])


def _memory_of(array: Any) -> int:
    """Return what tells the memory of an array, or of a part of one, from others'."""
    base = getattr(array, "base", None)
    return id(array if base is None else base)
