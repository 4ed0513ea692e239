"""Classes by name: no library is imported to ask whether a class is one of its own."""

from __future__ import annotations

import numbers
from typing import Any


def is_named(cls: type, package: str, names: tuple[str, ...]) -> bool:
    """Tell whether a class is one of a package's, by name."""
    return cls.__qualname__ in names and cls.__module__.split(".")[0] == package


def is_of_family(cls: type, package: str, names: tuple[str, ...]) -> bool:
    """Tell whether a class is one of a package's, by name, or derived from one."""
    if is_named(cls, package, names):
        return True
    # `torch.compile` reads this, and cannot read an `__mro__`.
    return any(is_of_family(base, package, names) for base in cls.__bases__)


def type_name(value: Any) -> str:
    """Return the name of a value's type, with its package where it is not Python's."""
    cls = type(value)
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def is_length_of_time(value: Any) -> bool:
    """Tell whether it is a timedelta64, which NumPy calls an integer."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "m"


def is_number(value: Any) -> bool:
    """Tell whether it is a number, real or complex, and no array or length of time.

    Those of months become numbers all the same if they are asked.
    """
    return isinstance(value, numbers.Complex) and not is_length_of_time(value)


def is_array(value: Any) -> bool:
    """Tell whether a value looks like an array, by what each has."""
    if value is None or type(value) in (float, int):
        return False
    return hasattr(value, "ndim") and hasattr(value, "dtype")


def ndim_of(value: Any) -> int:
    """Return how many dims an array has; none are those of anything else.

    The symbol of a compiler for a number has no attributes to ask for.
    """
    return 0 if type(value) in (float, int) else getattr(value, "ndim", 0)
