"""Blocks of an axis that is cut over devices of JAX, with rows of their neighbours.

The formulas inside run on such a block and its halo, those of a whole axis on the rows
near its ends; what these give is taken where the ends of the axis are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ... import _agnostic
from ..._records import Alternative, candidates, halo_of
from ..._schemes import Scheme
from .. import joined_in_jax
from .explicit import joinable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._records import Task
    from ..._scales import Scale
    from ..._schemes import Halo
    from ..._typing import Namespace


class Around(NamedTuple):
    """A block, and the rows before and after it.

    They stay apart: on the way back, a block in the middle of a longer one would be
    written once for each of its slices.
    """

    before: Any
    block: Any
    after: Any


#: Returns the arrays that are joined to the rows of which a derivative is made.
Rows: TypeAlias = Callable[[Around], list[Any]]


class Cut(NamedTuple):
    """An axis that is cut, as each device sees it."""

    #: Of the block.
    axis: int
    #: The axes of the mesh: a str, or a tuple of them.
    names: Any
    #: How many there are.
    parts: int
    #: What is read of the neighbours; on a ring, the ends are neighbours, too.
    halo: Halo

    def place(self) -> Any:
        """Return the number of the part that is here."""
        from jax import lax

        return lax.axis_index(self.names)

    def around(self, array: Any, f: Any) -> Around:
        """Return a block of an array with the rows around it.

        Beyond the ends, there are zeros, or the rows of the other end, on a ring.  Of
        an array that each device has as a whole, nothing is moved.
        """
        from jax import lax
        from jax import numpy as xp

        array, (left, right, _, is_ring) = joinable(array), self.halo
        length, part = array.shape[self.axis], f.shape[self.axis]
        first, last = self._cut(array, 0, right), self._cut(array, length - left, left)
        if length != part:
            ends = [last, first] if is_ring else [*map(xp.zeros_like, (last, first))]
            whole = xp.concatenate([ends[0], array, ends[1]], axis=self.axis)
            start = self.place() * part
            spans = (0, left), (left, part), (left + part, right)
            return Around(*[self._cut(whole, start + k, rows) for k, rows in spans])
        ring = range(self.parts if is_ring else self.parts - 1)
        pairs = [(part, (part + 1) % self.parts) for part in ring]
        back = [(to, of) for of, to in pairs]
        before = lax.ppermute(last, self.names, pairs)
        return Around(before, array, lax.ppermute(first, self.names, back))

    def _cut(self, array: Any, start: Any, rows: int) -> Any:
        """Return some rows; where they start may depend on the device."""
        from jax import lax

        if isinstance(start, int):
            return lax.slice_in_dim(array, start, start + rows, axis=self.axis)
        return lax.dynamic_slice_in_dim(array, start, rows, axis=self.axis)

    def continued(self, x: Around, xp: Namespace) -> Around:
        """Return coordinates that go on beyond the ends.

        The formulas of the interior are computed there, too, and dropped.  Between two
        equal coordinates they would be infinite, and so would be their gradients.
        """
        left, right, _, is_ring = self.halo
        if is_ring:
            return x
        count, place = x.block.shape[self.axis], self.place()
        ends = (0, 1, count - 2, count - 1)
        a, b, c, d = [self._cut(x.block, k, 1) for k in ends]

        def beyond(rows: int) -> Any:
            shape = [1] * x.block.ndim
            shape[self.axis] = rows
            return xp.astype(xp.reshape(xp.arange(1, rows + 1), shape), x.block.dtype)

        before = a - (b - a) * xp.flip(beyond(left), axis=self.axis)
        after = d + (d - c) * beyond(right)
        return Around(
            xp.where(place == 0, before, x.before),
            x.block,
            xp.where(place == self.parts - 1, after, x.after),
        )

    def derivative(self, task: Task, f: Around, xp: Namespace) -> Any:
        """Return the derivative of a block, from arrays that have halos.

        The rows inside are made of the block alone, and those at its ends of what lies
        near them, so that nothing large is written in between, on the way back neither.
        """
        left, right, _, is_ring = self.halo
        near, count = left + right, f.block.shape[self.axis]
        inside = _interior(task, self.halo)

        def made(rows: Rows) -> Any:
            return self._of_rows(rows, inside, f, xp)

        first = made(lambda a: [a.before, self._cut(a.block, 0, near)])
        last = made(lambda a: [self._cut(a.block, count - near, near), a.after])
        # A ring has no ends, but for coordinates, which jump there.
        if not is_ring or task.coordinates is not None:
            start, stop = self._at_ends(task, f, xp)
            place = self.place()
            first = xp.where(place == 0, start, first)
            last = xp.where(place == self.parts - 1, stop, last)
        return xp.concat([first, made(lambda a: [a.block]), last], axis=self.axis)

    def _at_ends(self, task: Task, f: Around, xp: Namespace) -> tuple[Any, Any]:
        """Return the first and the last rows of the derivative, by all formulas."""
        left, right, _, is_ring = self.halo
        count = f.block.shape[self.axis]
        points = max(halo_of(task).points, left + right)

        # Those of an end count from the other one what they read there: so it is put
        # behind, or before.
        def at_start(a: Around) -> list[Any]:
            return [self._cut(a.block, 0, points), *[a.before] * is_ring]

        def at_stop(a: Around) -> list[Any]:
            return [*[a.after] * is_ring, self._cut(a.block, count - points, points)]

        start = self._of_rows(at_start, task, f, xp)
        stop = self._of_rows(at_stop, task, f, xp)
        after = stop.shape[self.axis] - right
        return self._cut(start, 0, left), self._cut(stop, after, right)

    def _of_rows(self, rows: Rows, task: Task, f: Around, xp: Namespace) -> Any:
        """Return the derivative of some rows of the arrays that have halos."""
        arrays = [
            xp.concat(rows(array), axis=self.axis)
            if isinstance(array, Around)
            else array
            for array in (f, task.coordinates, task.where)
        ]
        own = task._replace(coordinates=arrays[1], where=arrays[2])
        return _agnostic.derivative(arrays[0], own, xp, joined_in_jax.CONCATENATING)


def _interior(task: Task, halo: Halo) -> Task:
    """Return a task with the formulas inside only, for all rows but so many."""

    def inside(scheme: Scheme, scales: Sequence[Scale]) -> Alternative:
        number = scheme.interior
        formula = scheme.formulas[number]
        only = formula._replace(start=halo.left, stop=-halo.right)
        own = Scheme(scheme.recipe, (only,), interior=0)
        return Alternative(own, scales[number : number + 1])

    first, *others = [inside(one.scheme, one.scales) for one in candidates(task)]
    return task._replace(
        scheme=first.scheme, scales=first.scales, alternatives=tuple(others)
    )
