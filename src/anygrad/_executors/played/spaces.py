"""Memory in which small calls are made again.

On a small array, a program's views take as long to make as its operations to do, and to
see a tensor as an array of NumPy's takes longer than to copy it.  Here samples,
coordinates and numbers are copied to where those of an earlier call have been, so that
all views are there already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..._records import Plan, Task
    from ..memory import Layout, Memory
    from .pieces import Prepared

#: NumPy copies operands through its buffers, even such as need no conversion, wherever
#: the runs of memory are shorter than a quarter of the buffer.  That takes thrice the
#: time of the operation; the default length is 8192.
BUFFER = 256


class Moves(NamedTuple):
    """How arrays of a library get into a space and out of it."""

    #: ``put(place, array)`` copies an array there.
    put: Callable[[Any, Any], Any]
    #: ``copy(result)`` returns what is returned.
    copy: Callable[[Any], Any]
    #: ``bits(array)`` returns what tells it from all others of its shape and dtype,
    bits: Callable[[Any], Any]
    #: and ``are_equal(bits, bits)`` compares that.
    are_equal: Callable[[Any, Any], bool]


def bytes_of(array: Any) -> bytes:
    """Return what an array of NumPy's has in its memory."""
    found: bytes = array.tobytes()
    return found


class Space:
    """Memory in which a derivative, with what is added to it, is made at each call."""

    __slots__ = (
        "arrays",
        "bits",
        "context",
        "is_made",
        "nbytes",
        "play",
        "result",
        "samples",
    )

    def __init__(
        self, samples: Any, arrays: list[Any], result: Any, play: Any, nbytes: int
    ) -> None:
        import numpy

        #: A call writes into the one, and then reads the other.
        self.samples = samples
        self.result = result
        #: Likewise, the coordinates and masks of all tasks.
        self.arrays = arrays
        #: Theirs.
        self.bits: list[Any] = []
        #: Whether what follows from these alone is there.
        self.is_made = False
        #: ``play(tasks, is_made)`` makes the derivative, and tells whether it could.
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
        samples, result = view(self.samples), view(self.result)
        arrays = list(map(view, self.arrays))
        return Space(samples, arrays, result, self.play, self.nbytes)


def given_arrays(tasks: Sequence[Task]) -> list[Any]:
    """Return coordinates and masks."""
    arrays = [array for task in tasks for array in (task.coordinates, task.where)]
    return [array for array in arrays if array is not None]


def turned(known: Prepared, order: Sequence[int], memory: Memory) -> Prepared:
    """Return what is prepared for axes in an order, with spaces as they are given."""
    back = [order.index(axis) for axis in range(len(order))]

    def view(array: Any) -> Any:
        return memory.transpose(array, back) if array.ndim else array

    spaces = known.spaces or []
    if any(space.samples.ndim != len(order) for space in spaces):  # components
        return known._replace(spaces=[])
    return known._replace(spaces=[space.seen_as(view) for space in spaces])


def spaces_of(task: Task, layout: Layout | None = None) -> list[Space]:
    """Return where a derivative is made again, in the words of its library."""
    kept = task.kept
    if kept is not None and layout is not None:
        kept = kept.beside(layout)
    made = None if kept is None else kept.made
    return getattr(made, "spaces", None) or []


def again(
    spaces: list[Space],
    f: Any,
    tasks: Sequence[Task],
    moves: Moves,
) -> Any:
    """Return what is made in a free space; None where there is none, or it cannot.

    Another thread may be in it.
    """
    try:
        space = spaces.pop()
    except IndexError:
        return None
    try:
        moves.put(space.samples, f)
        if space.arrays:
            arrays = given_arrays(tasks)
            pairs = zip(space.bits, map(moves.bits, arrays), strict=False)
            if not (space.is_made and all(starmap(moves.are_equal, pairs))):
                space.is_made = False  # until it is, whatever comes between
                for place, array in zip(space.arrays, arrays, strict=True):
                    moves.put(place, array)
                space.bits = list(map(moves.bits, space.arrays))
        if not space.context.run(space.play, tasks, space.is_made):
            return None
        space.is_made = True
        return moves.copy(space.result)
    finally:
        spaces.append(space)


def run(
    f: Any,
    plan: Plan,
    moves: Moves,
    layout: Layout | None = None,
) -> tuple[Any, ...] | None:
    """Return the results of a plan of derivatives; None where some is not made so.

    There is a `layout` where samples or results are not in the order of their axes.
    """
    results = []
    for task in plan.tasks:
        result = again(spaces_of(task, layout), f, (task,), moves)
        if result is None:
            return None
        results.append(result)
    return tuple(results)
