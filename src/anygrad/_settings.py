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
        # In a tuple, so that None may be a value, too.
        self._current: contextvars.ContextVar[tuple[T] | None] = contextvars.ContextVar(
            f"anygrad_{name}", default=None
        )

    def get(self) -> T:
        """Return what is in force here and now."""
        current = self._current.get()
        return self.default if current is None else current[0]

    @contextlib.contextmanager
    def within(self, value: T) -> Iterator[None]:
        """Set the value within a ``with`` block."""
        token = self._current.set((value,))
        try:
            yield
        finally:
            self._current.reset(token)
