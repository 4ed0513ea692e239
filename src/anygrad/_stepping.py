"""Plans that get another step, or other coordinates, at each call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import _scales
from ._constants import Place
from ._libraries import without_shell
from ._records import Plan, Task
from ._scales import Scale
from ._schemes import Scheme, StepScales
from ._tasks import with_all_dims


class Stepped(NamedTuple):
    """One task of a plan, but for its step."""

    #: Those of the task and its dtype.
    place: int
    scheme: Scheme
    digits: int
    #: Of steps in between, all divisors are normal numbers.
    least: float
    most: float
    #: What stands before and after the scales of the task.
    before: tuple[Any, ...]
    after: tuple[Any, ...]


class Steps:
    """A plan on equal steps, but for the steps: made to be fast.

    Another step at each call is usual, and on a small array, the records that it needs
    take as long to make as the derivative.
    """

    __slots__ = ("are_alike", "parts", "rest")

    def __init__(self, plan: Plan) -> None:
        self.parts = [_stepped(task) for task in plan.tasks]
        self.are_alike = len({(part.scheme, part.digits) for part in self.parts}) < 2
        self.rest = plan.after_tasks()

    @classmethod
    def of(cls, plan: Plan) -> Steps | None:
        """Return it for tasks in dtypes that Python's numbers fill, none in another."""
        for task in plan.tasks:
            if task.inner is not None or task.alternatives:
                return None
            if task.precision.digits > sys.float_info.mant_dig:
                return None
        return cls(plan)

    def plan(self, given: Any, last: tuple[Any, Any, Plan] | None) -> Plan | None:
        """Return the plan for a float, or one per dim; None for what is unusual.

        From the plan of the `last` steps, it has the tasks whose step is the same.
        """
        is_one = type(given) is not tuple
        tasks: list[Task] = []
        known: Any = None
        made: Sequence[Task] = ()
        if last is not None and not is_one:
            known, made = last[0], last[2].tasks
        latest: Any = self  # no step is this
        usual: Sequence[Scale] = ()
        for place, scheme, digits, least, most, before, after in self.parts:
            step = given if is_one else given[place]
            if known is not None and known[place] == step:
                tasks.append(made[len(tasks)])
                continue
            if step is not latest:
                if type(step) is not float or not least <= abs(step) <= most:
                    return None
                order = scheme.order
                power = step if order == 1 else _scales.power_of(step, order)
                scales = StepScales(scheme, power, digits)
                usual = scheme.unit_scales if step == 1.0 else scales
                # The next dim has the same numbers, if its formulas are the same.
                latest = step if self.are_alike else self
            tasks.append(tuple.__new__(Task, (*before, usual, *after)))
        return tuple.__new__(Plan, (tuple(tasks), *self.rest))


class Coordinates:
    """A plan on coordinates, but for these: made to be fast, as `Steps` is."""

    __slots__ = ("axes", "ndim", "parts", "place", "rest")

    def __init__(self, plan: Plan, place: Place | None) -> None:
        self.parts = [(task.place, task[:6], task[7:]) for task in plan.tasks]
        self.axes, self.place, self.rest = plan.axes, place, plan.after_tasks()
        self.ndim = 0 if plan.takes_vectors else plan.ndim

    @classmethod
    def of(cls, plan: Plan, given: Any, place: Place | None) -> Coordinates | None:
        """Return it for a plan to which coordinates are all that a call adds."""
        entries = entries_of(given, 1)
        if not plan.tasks or len(entries) != len(plan.axes):
            return None
        if any(task.coordinates is None or task.inner for task in plan.tasks):
            return None
        # A shell is taken off in each call.
        is_usual = all(getattr(x, "ndim", 0) and without_shell(x) is x for x in entries)
        return cls(plan, place) if is_usual else None

    def plan(self, given: Any) -> Plan:
        """Return the plan for an array per dim, of the same forms as the first ones."""
        place, ndim = self.place, self.ndim
        found: list[Any] = []
        for x, axis in zip(entries_of(given, 1), self.axes, strict=True):
            array = x if place is None else place.array(x, axis)
            found.append(with_all_dims(array, axis, ndim) if ndim > 1 else array)
        tasks = [
            tuple.__new__(Task, (*before, found[number], *after))
            for number, before, after in self.parts
        ]
        return tuple.__new__(Plan, (tuple(tasks), *self.rest))


def entries_of(given: Any, count: int) -> Sequence[Any]:
    """Return an entry per dim: those of a list, or the only one for all."""
    return given if is_list(given) else (given,) * count


def is_list(given: Any) -> bool:
    """Tell whether a spacing has an entry per dim."""
    return type(given) in (list, tuple)


def _stepped(task: Task) -> Stepped:
    scheme, precision = task.scheme, task.precision
    # Far from the ends of the range, so that no root and no product matters.
    root = 1.0 / scheme.order
    return Stepped(
        task.place,
        scheme,
        precision.digits,
        (4.0 * precision.smallest / scheme.denominators[0]) ** root,
        (0.25 * precision.largest / scheme.denominators[-1]) ** root,
        before=task[:4],
        after=task[5:],
    )
