"""Arguments that are true or false."""

from __future__ import annotations

from typing import Any

from .wording import shown


def flag(given: Any, name: str) -> bool:
    """Return a bool of Python's or of NumPy's; refuse what only passes for one."""
    if type(given).__name__ in ("bool", "bool_"):
        return bool(given)
    msg = f"`{name}` must be True or False. Got {shown(given)}."
    raise TypeError(msg)
