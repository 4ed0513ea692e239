"""Settings of the process, and of the contexts within."""

from __future__ import annotations

import contextlib
import contextvars
from typing import Generic, NamedTuple, TypeVar, cast

T = TypeVar("T")


class Setting(Generic[T]):
    """A value that a process has, and other values that contexts have.

    Threads, and tasks of `asyncio`, have contexts of their own, which show it by name.
    """

    def __init__(self, name: str, default: T) -> None:
        #: The value of the process, until it is told another.
        self.default = default
        #: The innermost block.
        self.current: contextvars.ContextVar[Entered | None] = contextvars.ContextVar(
            f"anygrad_{name}", default=None
        )

    def get(self) -> T:
        """Return what is in force here and now."""
        entered = self.current.get()
        return self.default if entered is None else cast("T", entered.block.value)

    def within(self, value: T) -> contextlib.AbstractContextManager[None]:
        """Set the value within a ``with`` block."""
        return Block(self, value)


class Block(contextlib.ContextDecorator, contextlib.AbstractContextManager[None]):
    """Sets a value where it is entered, which may be several times.

    Generators may be closed in any order, and in contexts that have not entered it.
    """

    def __init__(self, setting: Setting[T], value: T) -> None:
        self.value = value
        self._current = setting.current

    def __enter__(self) -> None:
        self._current.set(Entered(self, self._current.get()))

    def __exit__(self, *_: object) -> None:
        entered = self._current.get()
        self._current.set(None if entered is None else entered.without(self))


class Entered(NamedTuple):
    """A block that has been entered, and the one around it."""

    block: Block
    outer: Entered | None

    def without(self, block: Block) -> Entered | None:
        """Return the blocks that are left when one is."""
        if self.block is block:
            return self.outer
        return self._replace(outer=self.outer.without(block)) if self.outer else self
