"""The checks: one short function per promise, in the order in which they are read.

A further check is a function in one of these files, named after its promise, with the
promise as its one-sentence docstring; it is collected by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

from ...testing._arrays import Gradient
from ...testing._checks import (
    dtypes,
    forms,
    grids,
    libraries,
    magnitudes,
    refusals,
)

#: Raises an AssertionError, or whatever the gradient raises, if a promise is broken.
Check: TypeAlias = Callable[[Gradient, Any], None]


def _checks_in(module: ModuleType) -> tuple[Check, ...]:
    """Return the checks of a file, in its order: a dictionary keeps it."""
    return tuple(
        value for name, value in vars(module).items() if name.startswith("check_")
    )


#: All checks, from what a call means to what it refuses.
checks: tuple[Check, ...] = tuple(
    check
    for module in (grids, dtypes, magnitudes, libraries, forms, refusals)
    for check in _checks_in(module)
)
