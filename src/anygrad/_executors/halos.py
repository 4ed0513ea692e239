"""Blocks of an axis that is cut over devices of JAX, with rows of their neighbours.

The formulas of a whole axis run on such a block: they are moved by the width of the
halo, and what the ends of the axis need is taken where these ends are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
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

#: All of an axis.
ALL = slice(None)


class Width(NamedTuple):
    """How many rows are read of the neighbours, and whether the ends are neighbours."""

    left: int
    right: int
    is_ring: bool


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

    def around(self, array: Any, f: Any) -> Any:
        """Return a block of an array with the rows around it.

        Beyond the ends, there are zeros, or the rows of the other end, on a ring.  Of
        an array that each device has as a whole, nothing is moved.
        """
        from jax import lax
        from jax import numpy as xp

        left, right, is_ring = self.width
        length = array.shape[self.axis]
        first, last = [
            lax.slice_in_dim(array, *span, axis=self.axis)
            for span in ((0, right), (length - left, length))
        ]
        if length != f.shape[self.axis]:
            ends = (
                (last, first)
                if is_ring
                else (xp.zeros_like(last), xp.zeros_like(first))
            )
            whole = xp.concatenate([ends[0], array, ends[1]], axis=self.axis)
            part = f.shape[self.axis]
            start = self.place() * part
            return lax.dynamic_slice_in_dim(
                whole, start, part + left + right, axis=self.axis
            )
        ring = range(self.parts if is_ring else self.parts - 1)
        pairs = [(part, (part + 1) % self.parts) for part in ring]
        back = [(to, of) for of, to in pairs]
        before = lax.ppermute(last, self.names, pairs)
        after = lax.ppermute(first, self.names, back)
        return xp.concatenate([before, array, after], axis=self.axis)

    def continued(self, x: Any, xp: Namespace) -> Any:
        """Return coordinates that go on beyond the ends.

        The formulas of the interior are computed there, too, and dropped.  Between two
        equal coordinates they would be infinite, and so would be their gradients.
        """
        left, right, is_ring = self.width
        if is_ring:
            return x
        along = (slice(None),) * self.axis
        count = x.shape[self.axis]
        shape = [1] * x.ndim
        shape[self.axis] = count
        number = xp.reshape(xp.arange(count), shape)
        place = self.place()
        edges = [left, left + 1, count - right - 2, count - right - 1]
        a, b, c, d = [x[(*along, slice(k, k + 1))] for k in edges]
        before = a - (b - a) * xp.astype(left - number, x.dtype)
        after = d + (d - c) * xp.astype(number - (count - right - 1), x.dtype)
        x = xp.where((place == 0) & (number < left), before, x)
        is_after = (place == self.parts - 1) & (number >= count - right)
        return xp.where(is_after, after, x)

    def derivative(self, task: Task, f: Any, xp: Namespace, barrier: Any) -> Any:
        """Return the derivative of a block, from arrays that have halos.

        The rows at the ends are made of what lies near them, so that they stay small
        on the way back, too.
        """
        from jax import lax

        lowering = _agnostic.STANDARD._replace(barrier=barrier)
        if task.coordinates is None and task.step is not None:
            task = task._replace(scales=_agnostic.scales(task, xp), step=None)
        left, right, is_ring = self.width
        points = halo_of(task).points
        whole = _agnostic.derivative(f, self._part(task, INSIDE, xp), xp, lowering)
        if is_ring and task.coordinates is None:
            return whole  # there are no ends
        count = whole.shape[self.axis]
        reach = max(points, left + right)
        for end, rows, place in ((FIRST, left, 0), (LAST, right, self.parts - 1)):
            near = slice(left + reach) if end == FIRST else slice(-right - reach, None)
            part = self._part(task, end, xp, near)
            ends = _agnostic.derivative(self._cut(f, near), part, xp, lowering)
            start = 0 if end == FIRST else count - rows
            own = lax.slice_in_dim(whole, start, start + rows, axis=self.axis)
            ends = xp.where(self.place() == place, ends, own)
            whole = lax.dynamic_update_slice_in_dim(whole, ends, start, axis=self.axis)
        return whole

    def _cut(self, array: Any, near: slice) -> Any:
        """Return what is near to an end, of an array that is not the same along it."""
        if array is None or array.shape[self.axis] == 1:
            return array
        return array[(*(slice(None),) * self.axis, near)]

    def _part(self, task: Task, part: str, xp: Namespace, near: slice = ALL) -> Task:
        """Return a task for the rows inside, or for those at an end."""
        x = self._cut(task.coordinates, near)
        first, *others = [
            Alternative(*_formulas_of(one.scheme, one.scales, self.width, part))
            for one in candidates(task)
        ]
        return task._replace(
            scheme=first.scheme,
            scales=first.scales,
            coordinates=x,
            period=self._period(x, task, xp),
            where=self._cut(task.where, near),
            alternatives=tuple(others),
        )

    def _period(self, x: Any, task: Task, xp: Namespace) -> Any:
        """Return the period with the sign that makes its direction that of the axis.

        That is looked up at the ends of what is at hand, which goes over the seam.
        """
        if x is None or task.period is None or not self.width.is_ring:
            return task.period
        precision = task.precision

        def sign(x: Any, upper: Any, lower: Any) -> Any:
            dtype, wide = precision.coordinates, precision.wide_coordinates
            a, b = [
                _agnostic.prepare(self._cut(x, cut), dtype, wide, xp)
                for cut in (upper, lower)
            ]
            return xp.sign(difference(a, b, dtype, wide, xp))

        left = self.width.left
        rows = [slice(k, k + 1) for k in (left - 1, left, left + 1)]
        own = [sign(task.coordinates, rows[k + 1], rows[k]) for k in (0, 1)]
        direction = xp.where(self.place() == 0, own[1], own[0])
        return direction * sign(x, _agnostic.END, _agnostic.START) * task.period


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
