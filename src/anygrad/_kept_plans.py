"""The plans that are kept: for all lengths, and for the shapes of calls that repeat.

A program may have arrays of ever-other lengths, each for a call or two: their plan is
that of the first.  From a few calls on, a shape has a plan of its own, with all that
executors keep.
"""

from __future__ import annotations

from typing import Any

from . import _kept, _lengths
from ._constants import Place
from ._kept import Account, Met, remember
from ._lengths import Lengths
from ._records import Plan
from ._stepping import Coordinates, Steps
from ._tasks import with_kept


class Known:
    """A plan that is kept."""

    def __init__(
        self,
        plan: Plan,
        account: Account,
        place: Place | None,
        *,
        has_ends: bool,
        has_numbers_only: bool,
    ) -> None:
        #: Without what a call adds, or complete where a call adds nothing.
        self.plan = plan
        #: Where NumPy's arrays are copied to, if there are any to be copied.
        self.place = place
        #: How many bytes it holds, with what executors keep.
        self.account = account
        #: Whether it has been asked for lately.
        self.is_in_use = True
        #: Whether periods or values beyond the ends are to be bound.
        self.has_ends = has_ends
        #: Whether nothing but usual steps and numbers at the ends is to be bound.
        self.has_numbers_only = has_numbers_only
        #: What the latest call gave, where that were numbers only, and its plan: the
        #: same numbers often come again.
        self.last: tuple[Any, Any, Plan] | None = None
        #: For plans on equal steps, or on coordinates, which are then made faster.
        self.steps = Steps.of(plan) if has_numbers_only and not has_ends else None
        self.coordinates: Coordinates | None = None
        #: What it asks of lengths, where it is for all that are such.
        self.lengths: Any = None

    def for_one_shape(self) -> Known:
        """Return it with room for what executors keep, which depends on lengths."""
        account = Account()
        tasks = tuple([with_kept(task, account) for task in self.plan.tasks])
        numbers = {"has_ends": self.has_ends, "has_numbers_only": self.has_numbers_only}
        account.add(self.account.held)
        own = Known(self.plan._replace(tasks=tasks), account, self.place, **numbers)
        if self.coordinates is not None:
            own.coordinates = Coordinates(own.plan, self.place)
        return own


#: By their keys, in which a call has all but its values.
by_key: dict[Any, Known] = {}

#: By keys with names for lengths, those of calls that differ in lengths only.
_common: dict[Any, Known] = {}

#: How often calls that have such a plan have come, by their keys.
_met = Met()

#: From so many calls of one shape on, it has a plan of its own, with what executors
#: keep: to make all that takes about as long as it saves in twice as many calls.
OFTEN = 8


def _forget(*, if_in_use: bool = False) -> None:
    """Make room for as much again as plans may hold, all but the latest plan's.

    Those go that nobody has asked for since this was done last, and then, if plans in
    use may go as well, the oldest.
    """
    known = list(by_key.items())
    held.held = sum([plan.account.held for _, plan in known])  # threads lose count
    idle = [item for item in known[:-1] if not item[1].is_in_use]
    for key, plan in [*idle, *known[:-1]] if if_in_use else idle:
        if held.held <= _kept.MOST_BYTES // 2:
            break
        plan.account.close()
        by_key.pop(key, None)
    for _, plan in known:
        plan.is_in_use = False


#: What all of them hold.
held = Account(_forget)


def share(key: Any, known: Known, lengths: Lengths, *, has_list: bool) -> Known:
    """Keep a plan for calls of all lengths that are such; return that of this call."""
    common = _lengths.named(key, has_list=has_list)
    known.lengths = lengths
    if remember(_common, common, known) is not known:
        return keep(key, known)  # there is one already, for other components
    return _counted(key, known)


def of_other_lengths(key: Any, *, has_list: bool) -> Known | None:
    """Return the plan of a call that has been planned for other lengths, or None."""
    known = _common.get(_lengths.named(key, has_list=has_list))
    if known is None or not known.lengths.fit(key[_lengths.SHAPE]):
        return None
    return _counted(key, known)


def _counted(key: Any, known: Known) -> Known:
    """Return a plan for all lengths, or one for a shape that comes often."""
    return keep(key, known) if _met.is_often(key, OFTEN) else known


def keep(key: Any, known: Known) -> Known:
    """Keep a plan for one shape."""
    own = known.for_one_shape()
    own.account.open(held)
    by_key[key] = own
    if held.held > _kept.MOST_BYTES:
        _forget(if_in_use=True)
    return own
