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

from ..._records import all_tasks

if TYPE_CHECKING:
    from ..._kept import Kept
    from ..._records import Plan, Task
    from ..memory import Layout, Memory

#: NumPy copies operands through its buffers, even such as need no conversion, wherever
#: the runs of memory are shorter than a quarter of the buffer.  That takes thrice the
#: time of the operation; the default length is 8192.
BUFFER = 256

#: What is kept in the place of spaces that are free, where a plan is not made again.
NEVER = ()


class Moves(NamedTuple):
    """How arrays of a library get into a space."""

    #: ``put(place, array)`` copies an array there.
    put: Callable[[Any, Any], Any]
    #: ``bits(array)`` returns what tells it from all others of its shape and dtype,
    bits: Callable[[Any], Any]
    #: and ``are_equal(bits, bits)`` compares that.
    are_equal: Callable[[Any, Any], bool]


class Space:
    """Memory in which derivatives, or sums of them, are made at each call."""

    def __init__(
        self,
        samples: Any,
        arrays: Sequence[Any],
        results: Sequence[Any],
        play: Any,
        nbytes: int,
    ) -> None:
        import numpy

        #: Where a call puts its samples, and where it finds its results then.
        self.samples = samples
        self.results = results
        #: Where it puts the coordinates and masks of all tasks.
        self.arrays = arrays
        #: What tells those that are there from others, as that of `Moves`.
        self.bits: list[Any] = []
        #: How many calls in a row have had these, and made what follows from them.
        self.repeats = 0
        #: ``play(tasks, repeats)`` makes the results, and tells whether it could.
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
        arrays, results = list(map(view, self.arrays)), list(map(view, self.results))
        return Space(view(self.samples), arrays, results, self.play, self.nbytes)

    def turned(self, order: Sequence[int], memory: Memory) -> Space:
        """Return it, which is for axes in an order, with the arrays as they are given.

        Of a vector field, the components are the first axis.
        """
        back = [order.index(axis) for axis in range(len(order))]

        def view(array: Any) -> Any:
            return memory.transpose(array, back) if array.ndim else array

        return self.seen_as(view)


def given_arrays(tasks: Sequence[Task]) -> list[Any]:
    """Return coordinates and masks, of which a mixed derivative has one for both."""
    found = []
    for task in tasks:
        if task.coordinates is not None:
            found.append(task.coordinates)
        if task.where is not None and task.inner is None:
            found.append(task.where)
    return found


def place_of(plan: Plan, layout: Layout | None, *, make: bool = False) -> Kept | None:
    """Return where all results of a plan are made again, which may be made; or None.

    There is a list of the spaces that are free, and a `layout` where samples and
    results are not in the order of their axes.
    """
    tasks = plan.tasks
    kept = tasks[0].kept if tasks else None
    if kept is None:
        return None
    # The first task may be all of another plan, which is a part of this one.
    name: Any = len(tasks)
    if not (layout is None is plan.stack):
        name = name, plan.stack, layout
    return kept.beside(name) if make else kept.find(name)


def run(
    f: Any,
    plan: Plan,
    moves: Moves,
    copy: Callable[[Any], Any],
    layout: Layout | None,
) -> tuple[Any, ...] | None:
    """Return copies of what is made in a free space; None where that cannot be.

    Another thread may be in the only one.
    """
    place = place_of(plan, layout)
    free = None if place is None else place.made
    if not free:
        return None
    tasks = plan.tasks if plan.is_plain else tuple(all_tasks(plan))
    try:
        space = free.pop()
    except IndexError:
        return None
    try:
        if not space.context.run(_make, space, f, tasks, moves):
            return None
        return tuple(map(copy, space.results))
    finally:
        free.append(space)


def _make(space: Space, f: Any, tasks: Sequence[Task], moves: Moves) -> bool:
    """Put a call into a space, and make it there, if that can be."""
    moves.put(space.samples, f)
    if space.arrays:
        arrays = given_arrays(tasks)
        pairs = zip(space.bits, map(moves.bits, arrays), strict=False)
        if not (space.repeats and all(starmap(moves.are_equal, pairs))):
            space.repeats = 0  # until it is made, whatever comes between
            for place, array in zip(space.arrays, arrays, strict=True):
                moves.put(place, array)
            space.bits = list(map(moves.bits, space.arrays))
    is_made: bool = space.play(tasks, space.repeats)
    space.repeats += is_made
    return is_made
