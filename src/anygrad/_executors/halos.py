"""Blocks of an axis that is cut over devices of JAX, with rows of their neighbours.

The formulas of a whole axis run on such a block: they are moved by the width of the
halo, and what the ends of the axis need is taken where these ends are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic, _lowering
from .._differences import difference
from .._records import Alternative, candidates, halo_of
from .._schemes import Scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._formulas import Formula
    from .._records import Task
    from .._scales import Scale
    from .._typing import Namespace

#: The rows of a block that a part of the formulas is for.
INSIDE, FIRST, LAST = "inside", "first", "last"


class Width(NamedTuple):
    """How many rows are read of the neighbours, and whether the ends are neighbours."""

    left: int
    right: int
    is_ring: bool


class Around(NamedTuple):
    """A block, and the rows before and after it.

    They stay apart: on the way back, a block in the middle of a longer one would be
    written once for each of its slices.
    """

    before: Any
    block: Any
    after: Any

    def rows(self, place: str, count: int, axis: int, xp: Namespace) -> Any:
        """Return the block, or those beyond one end with so many rows of it."""
        along = (slice(None),) * axis
        if place == INSIDE:
            return self.block
        if place == FIRST:
            pieces = [self.before, self.block[(*along, slice(count))]]
        else:
            pieces = [self.block[(*along, slice(-count, None))], self.after]
        return xp.concat(pieces, axis=axis)


class Cut(NamedTuple):
    """An axis that is cut, as each device sees it.

    Attributes
    ----------
    axis : int
        Of the block.
    names : str or tuple of str
        The axes of the mesh.
    parts : int
        How many there are.
    width : Width
        Of the halo.
    """

    axis: int
    names: Any
    parts: int
    width: Width

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

        left, right, is_ring = self.width
        length, part = array.shape[self.axis], f.shape[self.axis]
        first, last = self._cut(array, 0, right), self._cut(array, length - left, left)
        if length != part:
            ends = (
                (last, first)
                if is_ring
                else (xp.zeros_like(last), xp.zeros_like(first))
            )
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
        left, right, is_ring = self.width
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

    def derivative(self, task: Task, f: Around, xp: Namespace, barrier: Any) -> Any:
        """Return the derivative of a block, from arrays that have halos.

        The rows inside are made of the block alone, and those at its ends of what lies
        near them, so that nothing large is written in between, on the way back neither.
        """
        lowering = _lowering.STANDARD._replace(barrier=barrier)
        if task.coordinates is None and task.step is not None:
            task = task._replace(scales=_agnostic.scales(task, xp), step=None)
        left, right, is_ring = self.width

        def made(part: str, place: str, count: int) -> Any:
            near = f.rows(place, count, self.axis, xp)
            own = self._part(task, part, place, count, xp)
            return _agnostic.derivative(near, own, xp, lowering)

        pieces = [made(INSIDE, place, left + right) for place in (FIRST, INSIDE, LAST)]
        # A ring has no ends, but for coordinates, which jump there.
        if not is_ring or task.coordinates is not None:
            count = max(halo_of(task).points, left + right)
            for end, device in ((FIRST, 0), (LAST, -1)):
                ends, is_there = made(end, end, count), device % self.parts
                pieces[device] = xp.where(
                    self.place() == is_there, ends, pieces[device]
                )
        return xp.concat(pieces, axis=self.axis)

    def _part(
        self, task: Task, part: str, place: str, count: int, xp: Namespace
    ) -> Task:
        """Return a task with some of the formulas, for some of the rows."""
        x, where = [
            array.rows(place, count, self.axis, xp)
            if isinstance(array, Around)
            else array
            for array in (task.coordinates, task.where)
        ]
        first, *others = [
            Alternative(*_formulas_of(one.scheme, one.scales, self.width, part))
            for one in candidates(task)
        ]
        return task._replace(
            scheme=first.scheme,
            scales=first.scales,
            coordinates=x,
            period=self._period(x, task, xp),
            where=where,
            alternatives=tuple(others),
        )

    def _period(self, x: Any, task: Task, xp: Namespace) -> Any:
        """Return the period with the sign that makes its direction that of the axis.

        That is looked up at the ends of what is at hand, which goes over the seam.
        """
        given: Any = task.coordinates
        if x is None or task.period is None or not self.width.is_ring:
            return task.period
        precision = task.precision

        def sign(upper: Any, lower: Any) -> Any:
            dtype, wide = precision.coordinates, precision.wide_coordinates
            a, b = [_agnostic.prepare(one, dtype, wide, xp) for one in (upper, lower)]
            return xp.sign(difference(a, b, dtype, wide, xp))

        rows = [
            self._cut(given.before, self.width.left - 1, 1),
            self._cut(given.block, 0, 1),
            self._cut(given.block, 1, 1),
        ]
        own = [sign(rows[k + 1], rows[k]) for k in (0, 1)]
        direction = xp.where(self.place() == 0, own[1], own[0])
        ends = [self._cut(x, k, 1) for k in (x.shape[self.axis] - 1, 0)]
        return direction * sign(*ends) * task.period


def _formulas_of(
    scheme: Scheme, scales: Sequence[Scale], width: Width, part: str
) -> tuple[Scheme, Sequence[Scale]]:
    """Return the formulas of some rows of a block between two halos.

    What an end reads at the other end is in the halo.  The rows at an end are as many
    as are in it, and those that the formulas of the end leave are as the ones inside.
    """
    left, right, _ = width
    number, formulas = scheme.interior, scheme.formulas
    inside = formulas[number]
    if part == INSIDE:
        kept = slice(number, number + 1)
        found = [inside._replace(start=left, stop=-right)]
    elif part == FIRST:
        kept = slice(number + 1)
        found = [_moved(formula, left) for formula in formulas[:number]]
        found.append(inside._replace(start=left + inside.start, stop=2 * left))
    else:
        kept = slice(number, None)
        found = [inside._replace(start=-2 * right, stop=(inside.stop or 0) - right)]
        found += [_moved(formula, -right) for formula in formulas[number + 1 :]]
    made = Scheme(scheme.recipe, tuple(found), number if part == FIRST else 0)
    return made, scales[kept] if scales else ()


def _moved(formula: Formula, rows: int) -> Formula:
    """Return a formula for an array with so many rows more before it, or after it."""
    stop = (formula.stop or 0) + rows
    return formula._replace(start=formula.start + rows, stop=stop)
