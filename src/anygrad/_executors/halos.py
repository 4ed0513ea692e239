"""Blocks of an axis that is cut over devices of JAX, with rows of their neighbours.

The formulas of a whole axis run on such a block: they are moved by the width of the
halo, and what the ends of the axis need is taken where these ends are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _agnostic
from .._schemes import Scheme

if TYPE_CHECKING:
    from .._records import Task
    from .._typing import Namespace


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
    count : int
        How many parts there are.
    width : Width
        Of the halo.
    """

    axis: int
    names: Any
    count: int
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
        ring = range(self.count if is_ring else self.count - 1)
        pairs = [(part, (part + 1) % self.count) for part in ring]
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
        is_after = (place == self.count - 1) & (number >= count - right)
        return xp.where(is_after, after, x)

    def period(self, x: Any, task: Task, xp: Namespace) -> Any:
        """Return the period with the sign that makes its direction that of the axis.

        That is looked up at the ends of a block, which lie on a ring in this case.
        """
        if x is None or task.period is None or not self.width.is_ring:
            return task.period
        precision, along = task.precision, (slice(None),) * self.axis
        x = _agnostic.prepare(x, precision.coordinates, precision.wide_coordinates, xp)

        def sign(upper: int, lower: int) -> Any:
            ends = [x[(*along, slice(k, k + 1))] for k in (upper, lower)]
            dtype, wide = precision.coordinates, precision.wide_coordinates
            return xp.sign(_agnostic.difference(*ends, dtype, wide, xp))

        left, count = self.width.left, x.shape[self.axis]
        own = xp.where(self.place() == 0, sign(left + 1, left), sign(left, left - 1))
        return own * sign(count - 1, 0) * task.period

    def joined(self, pieces: list[Any], task: Task, xp: Namespace) -> Any:
        """Put the rows of the ends in the place of those inside, where the ends are."""
        from jax import lax

        before = task.scheme.interior
        whole = pieces[before]
        if task.scheme.wraps and task.coordinates is None:
            return whole  # on a ring, there are no ends
        count = whole.shape[self.axis]
        for rows, part, start in (
            (pieces[:before], 0, 0),
            (pieces[before + 1 :], self.count - 1, count - len(pieces) + before + 1),
        ):
            if not rows:
                continue
            ends = xp.concat(rows, axis=self.axis)
            own = lax.slice_in_dim(whole, start, start + len(rows), axis=self.axis)
            ends = xp.where(self.place() == part, ends, own)
            whole = lax.dynamic_update_slice_in_dim(whole, ends, start, axis=self.axis)
        return whole


def moved(scheme: Scheme, width: Width) -> Scheme:
    """Return the formulas for a block between two halos.

    The interior fills all of it, and what an end reads at the other end is in the halo.
    """
    left, right = width.left, width.right
    formulas = []
    for number, formula in enumerate(scheme.formulas):
        start, stop = formula.start, formula.stop or 0
        if number == scheme.interior:
            start, stop = left, -right
        elif number < scheme.interior:
            start, stop = start + left, stop + left
        else:
            start, stop = start - right, stop - right
        formulas.append(formula._replace(start=start, stop=stop or None))
    return Scheme(scheme.recipe, tuple(formulas), scheme.interior)
