"""Small calls, made again on the same memory.

On a small array, a program's views take as long to make as its operations to do, and to
see a tensor as an array of NumPy's takes longer than to copy it.  Here samples and
coordinates are copied to where those of an earlier call have been, so that all views
are there already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import setitem
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .._executors import gathered, quiet
from .._executors.pieces import Prepared
from .._executors.programs import GIVE, PUT, TAKE

if TYPE_CHECKING:
    from .._executors.operations import InPlaceOps
    from .._records import Plan, Task

#: Beyond so many bytes of a result, its program is played as for any call.
MOST_BYTES = 2**17


class Space:
    """Memory in which a derivative is made at each call.

    Attributes
    ----------
    arrays : tuple of array
        The samples, and the coordinates if there are any: a call writes into both.
    result : array
        What it then reads.
    play : callable
        ``play(task)`` makes the derivative there, and returns None if it cannot.
    nbytes : int
        How large all is together.
    """

    __slots__ = ("arrays", "nbytes", "play", "result")

    def __init__(
        self, arrays: Sequence[Any], result: Any, play: Any, nbytes: int
    ) -> None:
        self.arrays, self.result = tuple(arrays), result
        self.play, self.nbytes = play, nbytes

    def seen_as(self, view: Callable[[Any], Any]) -> Space:
        """Return it with the arrays of another library in the same memory."""
        arrays = map(view, self.arrays)
        return Space(tuple(arrays), view(self.result), self.play, self.nbytes)


def serves(known: Prepared, task: Task, out: Any, ops: InPlaceOps) -> bool:
    """Tell whether a program that has been played may be recorded."""
    if known.spaces is not None or known.alone is None or ops.take is None:
        return False
    has_more = task.constants is not None or task.period is not None
    on_coordinates = task.coordinates is not None and not known.shares_weights[0]
    return 0 < out.nbytes <= MOST_BYTES and on_coordinates and not has_more


def recorded(
    known: Prepared, operands: Sequence[Any], out: Any, ops: InPlaceOps
) -> Prepared:
    """Return what is prepared with the operations of its program on other memory."""
    steps: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def noted(verb: Callable[..., Any]) -> Callable[..., Any]:
        def do(*given: Any, out: Any = None) -> Any:
            made = verb(*given, out=out)
            steps.append((verb, (*given, made)))
            return made

        return do

    def put(*given: Any) -> None:
        setitem(*given)
        steps.append((setitem, given))

    def keep(_: Any) -> None:
        """Give no memory back: the operations are done there again."""

    def again(_: Task) -> Any:
        for operation, given in steps:
            operation(*given)
        return result

    alone: Any = known.alone
    names = alone.play.__globals__
    verbs = {name: noted(verb) for name, verb in ops.verbs.items()}
    others = {**names, **verbs, PUT: put, TAKE: ops.empty_like, GIVE: keep}
    arrays = [ops.empty_like(a, dtype=a.dtype, shape=a.shape) for a in operands]
    for array, operand in zip(arrays, operands, strict=True):
        array[...] = operand
    result = ops.empty_like(out, dtype=out.dtype)
    FunctionType(alone.play.__code__, others)([*arrays, 0], result, alone.indices)
    held = {id(a): a for _, given in steps for a in given}
    held |= {id(a.base): a.base for a in held.values() if hasattr(a, "base")}
    nbytes = sum(map(sys.getsizeof, held.values()))
    return known._replace(spaces=[Space(arrays, result, again, nbytes)])


def of_gathered(known: Any, f: Any, task: Task) -> Space:
    """Return memory for a derivative that is gathered, in the order of its samples."""
    ops = known.ops
    samples = ops.empty_like(f, dtype=f.dtype)
    result = ops.empty_like(f, dtype=task.precision.result)

    def again(task: Task) -> Any:
        return gathered.run(known.gathered, (task,), samples, ops, result)

    return Space((samples,), result, again, samples.nbytes + result.nbytes)


def spaces_of(task: Task) -> Sequence[Space]:
    """Return where a derivative is made again, in the words of its library."""
    made = None if task.kept is None else task.kept.made
    return getattr(made, "spaces", None) or ()


def run(
    f: Any,
    plan: Plan,
    put: Callable[[Any, Any], Any],
    copy: Callable[[Any], Any],
) -> tuple[Any, ...] | None:
    """Return the results of a plan of derivatives; None where some has no free space.

    Another thread may be in it.
    """
    results = []
    for task in plan.tasks:
        spaces: Any = spaces_of(task)
        if not spaces:
            return None
        try:
            space = spaces.pop()
        except IndexError:  # it has just been taken
            return None
        try:
            samples, *others = space.arrays
            put(samples, f)
            for place in others:
                put(place, task.coordinates)
            if quiet.call(space.play, task) is None:
                return None
            results.append(copy(space.result))
        finally:
            spaces.append(space)
    return tuple(results)
