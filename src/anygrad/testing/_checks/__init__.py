"""The checks: one short function per promise, in the order in which they are read.

A further check is a function in one of these files, named after its promise, with the
promise as its one-sentence docstring; it is collected by its name.  Its parameters are
the functions that the promise is about, by their names, and at last the namespace in
which arrays are made.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TypeAlias

from ...testing._checks import (
    beyond,
    boundaries,
    curved,
    dtypes,
    fields,
    forms,
    grids,
    libraries,
    magnitudes,
    missing,
    orders,
    refusals,
    vectors,
)

#: Raises an AssertionError, or whatever a function raises, if a promise is broken.
Check: TypeAlias = Callable[..., None]


def _checks_in(module: ModuleType) -> tuple[Check, ...]:
    """Return the checks of a file, in its order: a dictionary keeps it."""
    return tuple(
        value for name, value in vars(module).items() if name.startswith("check_")
    )


#: All checks, from what a call means to what it refuses.
checks: tuple[Check, ...] = tuple(
    check
    for module in (
        *(grids, dtypes, magnitudes, libraries, forms, orders, boundaries, beyond),
        *(missing, vectors, fields, curved, refusals),
    )
    for check in _checks_in(module)
)
