"""Settings of the process, and of the contexts within."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Setting(Generic[T]):
    """A value that a process has, and other values that contexts have.

    Threads, and tasks of `asyncio`, have contexts of their own, which show it by name.
    """

    def __init__(self, name: str, default: T) -> None:
        #: The value of the process, until it is told another.
        self.default = default
        # One tuple for each block that has been entered, told from others by being it.
        self._blocks: contextvars.ContextVar[tuple[tuple[T], ...]] = (
            contextvars.ContextVar(f"anygrad_{name}", default=())
        )

    def get(self) -> T:
        """Return what is in force here and now."""
        blocks = self._blocks.get()
        return blocks[-1][0] if blocks else self.default

    @contextlib.contextmanager
    def within(self, value: T) -> Iterator[None]:
        """Set the value within a ``with`` block.

        Generators may leave theirs in any order, and in a context that has none.
        """
        block = (value,)
        try:  # what an interrupt may come into is undone
            self._blocks.set((*self._blocks.get(), block))
            yield
        finally:
            try:
                self._leave(block)
            except BaseException:  # an interrupt may come into this, too
                self._leave(block)
                raise

    def _leave(self, block: tuple[T]) -> None:
        """Take a block out, if it is still there."""
        left = [other for other in self._blocks.get() if other is not block]
        self._blocks.set(tuple(left))
