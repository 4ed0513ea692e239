"""Arrays of any library, made from nested lists and read back into them.

Every array of a check is made by `xp.asarray`, so that a caller can pass a namespace
whose `asarray` puts arrays on a device, or lays them out in some other way.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import array_api_compat

from ..testing import _oracle
from ..testing._oracle import Nested

#: A function under test, called with the arguments of its namesake in `anygrad`.
Gradient = Callable[..., Any]

#: The significant binary digits of the parts of a dtype.
DIGITS = {
    "bfloat16": 8,
    "float16": 11,
    "float32": 24,
    "float64": 53,
    "complex64": 24,
    "complex128": 53,
}


class NotApplicable(Exception):  # noqa: N818 - it is no error
    """Raised by a check where a library has nothing that the promise speaks of."""


def standard_namespace(xp: Any) -> Any:
    """Return the namespace as the standard has it: that of `numpy`, e.g., is close."""
    if hasattr(xp, "__array_namespace_info__"):
        return xp
    return array_api_compat.array_namespace(xp.asarray(0.0))


def has(xp: Any, name: str) -> bool:
    """Tell whether arrays of a dtype can be made: some libraries only have its name."""
    dtype = getattr(xp, name, None)
    if dtype is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bool(xp.asarray([0], dtype=dtype).dtype == dtype)
    except (TypeError, ValueError, RuntimeError):
        return False


def stop_unless(condition: bool, reason: str) -> None:
    """Stop a check where there is nothing that its promise speaks of."""
    if not condition:
        raise NotApplicable(reason)


def need(xp: Any, *names: str) -> None:
    """Stop a check that speaks of dtypes which a library has not."""
    for name in names:
        stop_unless(has(xp, name), f"the namespace has no dtype {name} that works")


def halves(xp: Any) -> list[str]:
    """Return the names of the floating dtypes of 16 bits, of which there is one."""
    names = [name for name in ("float16", "bfloat16") if has(xp, name)]
    stop_unless(bool(names), "the namespace has no floating dtype of 16 bits")
    return names


def need_keyword(function: Gradient, f: Any, **usual: Any) -> None:
    """Stop a check of a keyword that a function has not, not even for its usual value.

    What else the function does with it is for the check to find out.
    """
    (name,) = usual
    try:
        function(f, **usual)
    except TypeError as error:
        if name not in str(error):
            raise
        msg = f"the function has no keyword {name}"
        raise NotApplicable(msg) from None


def real(xp: Any) -> str:
    """Return the name of the most precise real floating dtype."""
    return "float64" if has(xp, "float64") else "float32"


def complex_(xp: Any) -> str:
    """Return the name of the most precise complex floating dtype."""
    names = [name for name in ("complex128", "complex64") if has(xp, name)]
    stop_unless(bool(names), "the namespace has no complex dtype that works")
    return names[0]


def array(xp: Any, values: Nested, dtype: str | None = None) -> Any:
    """Return an array of nested lists of numbers, which the dtype must be able to hold.

    By default it is of the most precise real floating dtype.
    """
    dtype = dtype or real(xp)
    return xp.asarray(_as_numbers(values, dtype), dtype=getattr(xp, dtype))


def _as_numbers(values: Nested, dtype: str) -> Nested:
    """Return the values as Python's own numbers of the kind that the dtype holds."""
    if isinstance(values, list):
        return [_as_numbers(item, dtype) for item in values]
    if "int" in dtype:
        return int(values)
    return complex(values) if "complex" in dtype else float(values)


def numbers(array: Any) -> Nested:
    """Return nested lists; a conforming array need have no `tolist`."""
    for step in ("compute", "detach"):  # what is lazy, and what autograd watches
        if hasattr(array, step):
            array = getattr(array, step)()
    if hasattr(array, "tolist"):
        return array.tolist()
    if array.ndim:
        return [numbers(array[i, ...]) for i in range(array.shape[0])]
    return complex(array) if "complex" in str(array.dtype) else float(array)


def results(gradient: Gradient, f: Any, **arguments: Any) -> list[Any]:
    """Return the derivatives, in whatever they came: one check asks for the tuple."""
    found = gradient(f, **arguments)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def only(gradient: Gradient, f: Any, **arguments: Any) -> Any:
    """Return the derivative of a call that must give one."""
    found = results(gradient, f, **arguments)
    require(len(found) == 1, f"{len(found)} derivatives where 1 was wanted")
    return found[0]


def require(condition: bool, otherwise: str) -> None:
    """Fail with a sentence; `assert` would be silent under `python -O`."""
    if not condition:
        raise AssertionError(otherwise)


def require_dtype(xp: Any, result: Any, name: str) -> None:
    """Fail if an array is of another dtype."""
    require(
        result.dtype == getattr(xp, name), f"{result.dtype} where {name} was wanted"
    )


def require_numbers(
    result: Any,
    wanted: Nested,
    *,
    tolerance: float | Fraction | None = None,
    scale: Nested | None = None,
) -> None:
    """Fail if an array has another shape, or other numbers.

    The tolerance is relative to the largest number, or to `scale` number by number;
    None allows eight roundings in the dtype of the result.
    """
    shape = _oracle.shape_of(wanted)
    require(
        tuple(result.shape) == shape,
        f"shape {tuple(result.shape)} where {shape} was wanted",
    )
    limit = Fraction(8) * epsilon(result) if tolerance is None else tolerance
    difference = _oracle.difference(numbers(result), wanted, limit, scale)
    require(difference is None, str(difference))


def epsilon(result: Any) -> Fraction:
    """Return the rounding error of a dtype; integers are taken for exact."""
    digits = DIGITS.get(str(result.dtype).rpartition(".")[2], 53)
    return Fraction(1, 2**digits)
