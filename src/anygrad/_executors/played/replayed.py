"""Small calls, made again on the same memory.

On a small array, a program's views take as long to make as its operations to do, and to
see a tensor as an array of NumPy's takes longer than to copy it.  Here samples,
coordinates and numbers are copied to where those of an earlier call have been, so that
all views are there already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import Context
from operator import setitem
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..._beyond import arrays_of
from ..._precision import is_complex, working
from ..._scales import Scale
from .pieces import are_exact
from .programs import GIVE, PUT, TAKE

if TYPE_CHECKING:
    from ..._records import Plan, Task
    from ..._typing import Namespace
    from .operations import InPlaceOps
    from .pieces import Prepared

#: Beyond so many bytes of a result, its program is played as for any call; and beyond
#: so many where calls have a derivative for each formula beside holes.
MOST_BYTES, MOST_BYTES_BESIDE = 2**18, 2**14

#: NumPy copies operands through its buffers, even such as need no conversion, wherever
#: the runs of memory are shorter than a quarter of the buffer.  That takes thrice the
#: time of the operation; the default length is 8192.
BUFFER = 256


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
        #: One per denominator; none on coordinates.
        self.scalings: list[Scaling] = []
        if task.coordinates is None:
            for scale in task.scheme.per_denominator(task.scales):
                is_one = self.is_complex and not any(scale)
                self.scalings.append(Scaling(None if is_one else empty(dtype), []))
        #: What lies beyond the ends, in arrays.
        self.constants = [empty(task.precision.samples) for _ in _constants(task)]
        #: The scales of which call these are: the same step often comes again.
        self.latest: Any = None
        self._multiply, self._divide = ops.verbs["multiply"], ops.verbs["divide"]

    def take(self, task: Task) -> bool:
        """Put the numbers of a call there; tell whether there are as many."""
        if self.scalings and task.scales is not self.latest:
            self.latest = None
            scales = task.scheme.per_denominator(task.scales)
            for scaling, (factors, divisors) in zip(self.scalings, scales, strict=True):
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


def _constants(task: Task) -> list[Any]:
    return [end for end in task.constants or () if end is not None]


class Space:
    """Memory in which a derivative, with what is added to it, is made at each call."""

    __slots__ = ("context", "coordinates", "nbytes", "play", "result", "samples")

    def __init__(
        self, samples: Any, coordinates: Any, result: Any, play: Any, nbytes: int
    ) -> None:
        import numpy

        #: A call writes into the one, and then reads the other.
        self.samples = samples
        self.result = result
        #: Likewise, of a task that has some: nothing is added to it.
        self.coordinates = coordinates
        #: ``play(tasks)`` makes the derivative there, and tells whether it could.
        self.play = play
        #: How large all is together.
        self.nbytes = nbytes
        #: Where NumPy neither warns nor copies: quicker to enter than to set each
        #: time.
        self.context = Context()
        self.context.run(numpy.seterr, all="ignore")
        before = numpy.getbufsize()
        self.context.run(numpy.setbufsize, BUFFER)
        numpy.setbufsize(before)  # before NumPy 2, threads have it, not contexts

    def seen_as(self, view: Callable[[Any], Any]) -> Space:
        """Return it with the arrays of another library in the same memory."""
        x = None if self.coordinates is None else view(self.coordinates)
        samples, result = view(self.samples), view(self.result)
        return Space(samples, x, result, self.play, self.nbytes)


def serves(
    known: Prepared,
    tasks: Sequence[Task],
    out: Any,
    ops: InPlaceOps,
    *,
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
        if task.coordinates is not None and (shares_weights or not is_plain):
            return False
    nbytes: int = out.nbytes
    return 0 < nbytes <= (MOST_BYTES if is_plain else MOST_BYTES_BESIDE)


def recorded(
    known: Prepared,
    tasks: Sequence[Task],
    f: Any,
    out: Any,
    xp: Namespace,
    ops: InPlaceOps,
) -> Prepared:
    """Return what is prepared with the operations of its program on other memory."""
    steps: list[Step] = []

    def noted(verb: Callable[..., Any]) -> Callable[..., Any]:
        def do(*given: Any, out: Any = None) -> Any:
            made = verb(*given, out=out)
            steps.append([verb, (*given, made)])
            if id(given[-1]) in scalings:
                scalings[id(given[-1])].steps.append(steps[-1])
            return made

        return do

    def put(*given: Any) -> None:
        setitem(*given)
        steps.append([setitem, given])

    def keep(_: Any) -> None:
        """Give no memory back: the operations are done there again."""

    def like(array: Any) -> Any:
        made = ops.empty_like(array, dtype=array.dtype, shape=array.shape)
        made[...] = array
        return made

    numbers = [Numbers(task, f, xp, ops) for task in tasks]
    scalings = {id(one.number): one for own in numbers for one in own.scalings}
    samples, result, x = like(f), like(out), tasks[0].coordinates
    x = None if x is None else like(x)
    (bound, *others) = known.pieces[0].bounds

    def again(tasks: Sequence[Task]) -> bool:
        for own, task in zip(numbers, tasks, strict=True):
            if not own.take(task):
                return False
        if others and not are_exact(samples, ops):
            return False
        for operation, given in steps:
            operation(*given)
        return True

    operands = [samples, *([] if x is None else [x])]
    for own in numbers:
        operands += [one.scale() for one in own.scalings] + own.constants
    verbs = {name: noted(verb) for name, verb in ops.verbs.items()}
    names = {**bound.play.__globals__, **verbs}
    names |= {PUT: put, TAKE: ops.empty_like, GIVE: keep}
    play = FunctionType(bound.play.__code__, names)
    play(operands, result, bound.indices)
    held = {id(a): a for _, given in steps for a in given}
    held |= {id(a.base): a.base for a in held.values() if hasattr(a, "base")}
    nbytes = sum(map(sys.getsizeof, held.values()))
    return known._replace(spaces=[Space(samples, x, result, again, nbytes)])


def spaces_of(task: Task) -> list[Space]:
    """Return where a derivative is made again, in the words of its library."""
    made = None if task.kept is None else task.kept.made
    return getattr(made, "spaces", None) or []


def again(
    spaces: list[Space],
    f: Any,
    tasks: Sequence[Task],
    put: Callable[[Any, Any], Any],
    copy: Callable[[Any], Any],
) -> Any:
    """Return what is made in a free space; None where there is none, or it cannot.

    Another thread may be in it.
    """
    try:
        space = spaces.pop()
    except IndexError:
        return None
    try:
        put(space.samples, f)
        if space.coordinates is not None:
            put(space.coordinates, tasks[0].coordinates)
        if not space.context.run(space.play, tasks):
            return None
        return copy(space.result)
    finally:
        spaces.append(space)


def run(
    f: Any, plan: Plan, put: Callable[[Any, Any], Any], copy: Callable[[Any], Any]
) -> tuple[Any, ...] | None:
    """Return the results of a plan of derivatives; None where some is not made so."""
    results = []
    for task in plan.tasks:
        result = again(spaces_of(task), f, (task,), put, copy)
        if result is None:
            return None
        results.append(result)
    return tuple(results)
