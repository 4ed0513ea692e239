"""Calls that differ in lengths only: they have one plan.

No formula depends on how long an axis is, once that has room for one of the interior.
So what has been planned for a call is planned for all others of its form whose arrays
have the same lengths wherever its own have.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

from ._records import Plan, all_tasks

#: Where the shape of the samples, the spacing and the mask stand in a plan's key.
SHAPE, SPACING, WHERE = 5, 6, 8


class Lengths(NamedTuple):
    """What a plan asks of the shape of an array."""

    #: Along which axes it must have how many points at least.
    least: Sequence[tuple[int, int]]
    #: Along which axis it must have as many components; None of no vector field.
    components: tuple[int, int] | None

    def fit(self, shape: Sequence[int]) -> bool:
        """Tell whether a shape of the same number of dimensions is such."""
        for axis, points in self.least:
            if shape[axis] < points:
                return False
        if self.components is None:
            return True
        axis, count = self.components
        return shape[axis] == count


def asked_by(plan: Plan, shape: Sequence[int]) -> Lengths:
    """Return what a plan that was made for a shape asks of others."""
    least: dict[int, int] = {}
    components = None
    for task in all_tasks(plan):
        axis, recipe, points = task.axis, task.scheme.recipe, task.scheme.points
        if task.alternatives:  # each run of valid samples has ends of its own
            points = max(points, recipe.edge_order + recipe.order)
        if task.component is not None:
            vector_axis, _ = task.component
            axis += axis >= vector_axis
            components = vector_axis, shape[vector_axis]
        least[axis] = max(points, least.get(axis, 0))
    return Lengths(tuple(least.items()), components)


def named(key: tuple[Any, ...], *, has_list: bool) -> tuple[Any, ...]:
    """Return a plan's key with names for lengths: the same for those that are equal.

    The spacing is a list of entries or a single one.  Lengths of 0 and 1 have a meaning
    of their own.

    Raises
    ------
    TypeError
        For lengths of which nobody knows whether they are equal: those that Dask does
        not know, and tensors that stand for numbers while torch traces.
    """
    names = {0: 0, 1: 1}

    def shape_of(lengths: Sequence[Any]) -> tuple[int, ...]:
        for n in lengths:
            if type(n) is not int and not isinstance(n, Integral):
                raise TypeError
        return tuple([names.setdefault(n, -len(names)) for n in lengths])

    def form_of(entry: Any) -> Any:
        # That of an array ends with its shape.
        return (*entry[:-1], shape_of(entry[-1])) if type(entry) is tuple else entry

    found = list(key)
    found[SHAPE] = shape_of(key[SHAPE])
    spacing = key[SPACING]
    found[SPACING] = tuple(map(form_of, spacing)) if has_list else form_of(spacing)
    found[WHERE] = form_of(key[WHERE])
    return tuple(found)
