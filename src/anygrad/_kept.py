"""What executors keep, with a plan and beside it, and how many bytes that is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

#: The plans hold no more than so many bytes together.
MOST_BYTES = 2**25

#: So often there is no room until it is asked which plans are not in use.
PATIENCE = 64

#: So many of a kind are remembered, the latest ones.
MOST_REMEMBERED = 256

#: Of so many keys it is known how often they have been met, the latest ones.
MOST_MET = 1024

K = TypeVar("K")
V = TypeVar("V")


class Account:
    """How many bytes several places hold together, as a part of a whole or not."""

    __slots__ = ("forget", "held", "refusals", "whole")

    def __init__(self, forget: Callable[[], None] = lambda: None) -> None:
        self.held = 0
        self.whole: Account | None = None
        #: Makes room in a whole, if there is some to be made.
        self.forget = forget
        #: How often there was no room.
        self.refusals = 0

    def open(self, whole: Account) -> None:
        """Count this part among the whole from now on."""
        whole.held += self.held
        self.whole = whole

    def add(self, size: int) -> None:
        """Count some more, or fewer."""
        self.held += size
        if self.whole is not None:
            self.whole.held += size

    def has_room(self) -> bool:
        """Tell whether the whole holds less than it may.

        What is made for the sake of speed alone waits while it does not, for plans that
        nobody asks for to be forgotten: those in use would be so in turn, for ever.
        """
        whole = self.whole
        if whole is None or whole.held < MOST_BYTES:
            return True
        whole.refusals += 1
        if whole.refusals % PATIENCE == 0:
            whole.forget()
        return False

    def close(self) -> None:
        """Count this part no longer among the whole."""
        if self.whole is not None:
            self.whole.held -= self.held
            self.whole = None


class Kept:
    """Where an executor keeps what it has made for all calls of a plan.

    That depends on what the plan depends on, and on nothing of the call: neither on the
    value of a step nor on any array.
    """

    __slots__ = ("_beside", "account", "made", "size")

    def __init__(self, account: Account) -> None:
        #: What the executor has made; None until it has.
        self.made: Any = None
        #: How many bytes that holds.
        self.size = 0
        #: Where they are counted.
        self.account = account
        self._beside: dict[Any, Kept] | None = None

    def find(self, name: Any) -> Kept | None:
        """Return where something else is kept with the plan, if something has been."""
        return None if self._beside is None else self._beside.get(name)

    def beside(self, name: Any = "") -> Kept:
        """Return where something else is kept with the plan, by what it is for."""
        if self._beside is None:  # of most plans
            self._beside = {}
        found = self._beside.get(name)
        if found is None:
            found = self._beside.setdefault(name, Kept(self.account))
        return found

    def keep(self, made: Any) -> None:
        """Keep what has been made, in the place of what was."""
        self.grow(size_of(made) - self.size)
        self.made = made

    def grow(self, size: int) -> None:
        """Count so many bytes more, of what is kept there already, or fewer."""
        self.account.add(size)
        self.size += size


class Met:
    """How often keys have been met for which nothing is kept yet.

    They are known by their hashes: where two are the same, one counts too early.
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def is_often(self, key: Any, often: int) -> bool:
        """Count a key once more, or tell that it has been met often, and forget it."""
        short = hash(key)
        count = self._counts.get(short, 0) + 1
        if count >= often:
            self._counts.pop(short, None)
            return True
        if count == 1 and len(self._counts) >= MOST_MET:
            # One by one, it would take longer.
            for oldest in list(self._counts)[: MOST_MET // 2]:
                self._counts.pop(oldest, None)
        self._counts[short] = count
        return False


def size_of(made: Any) -> int:
    """Return how many bytes records, lists and arrays hold, with all that is in them.

    Numbers, strings and schemes are not counted: Python and others hold them, too.
    """
    if isinstance(made, (tuple, list)):
        return sys.getsizeof(made) + sum([size_of(item) for item in made])
    if isinstance(made, slice):
        return sys.getsizeof(made)
    nbytes = getattr(made, "nbytes", 0)
    return nbytes if isinstance(nbytes, int) else 0


def remember(known: dict[K, V], key: K, made: V) -> V:
    """Put it to those of its kind that are known, and return what is there then."""
    excess = len(known) + 1 - MOST_REMEMBERED
    if excess > 0:
        # Threads may meet here.  A list is made at once, while an iterator fails where
        # another thread puts something in; and that one may forget the same.
        for oldest in list(known)[:excess]:
            known.pop(oldest, None)
    return known.setdefault(key, made)
