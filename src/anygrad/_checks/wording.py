"""How a message shows what was given."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import _classes, _libraries, _refusals
from .._records import Samples
from .._refused import Refusal

#: How arrays of a dtype become numbers, by the letter of its kind.
BY_KIND = {
    "M": "Convert it first, e.g. to `(t - t[0]) / numpy.timedelta64(1, 's')`.",
    "m": "Convert it first, e.g. to `t / numpy.timedelta64(1, 's')`.",
}

#: The same of objects, of which pandas' dates are not subtracted from an array.
OBJECTS = (
    "Convert it to numbers first, e.g. with `astype(float)`; arrays in it with "
    "`numpy.stack`, dates with "
    "`(t - t[:1]).astype('m8[us]') / numpy.timedelta64(1, 's')`, uncertainties with "
    "`unumpy.nominal_values`."
)

_SCALES = "They have no sign: convert them first, e.g. to float32."

_BITS = "View it first, e.g. with `view(torch.int8)`, and unpack what is packed."

#: The same by how its name begins: random generators of JAX, months, intervals and
#: units of pandas, scales and packed numbers for matrix products, quantized ones, and
#: bits of which torch says nothing: its integers of 8 bits and more are numbers.
BY_NAME = {
    "key<": "Draw numbers with it first, e.g. with `jax.random.normal`.",
    "period[": "Convert it first, with `to_timestamp()`.",
    "interval[": "Convert it first, with `mid`.",
    "pint[": "Pass `pint.quantity`, or, without its unit, convert it with `pint.m`.",
    "float8_e8m0fnu": _SCALES,
    "torch.float8_e8m0fnu": _SCALES,
    "torch.bits": _BITS,
    "torch.int": _BITS,
    "torch.uint": _BITS,
    "torch.q": "Convert it to numbers first, with `dequantize()`.",
    "torch.float4_e2m1fn_x2": "Unpack its pairs of numbers first, e.g. to float32.",
}


def shown(value: Any) -> str:
    """Return a short text for a value that is no array, a type's name for others."""
    if value is None or isinstance(value, (numbers.Number, str, bytes, range)):
        return shortened(value)
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        items = ", ".join([shown(item) for item in value])
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    return _classes.type_name(value)


def shortened(value: Any) -> str:
    """Return the representation of a value, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python does not write thousands of digits
        if not isinstance(value, int):
            return _classes.type_name(value)
        return f"an int of {value.bit_length()} bits"
    return text if len(text) <= 60 else f"{text[:40]}..."


def name_of_dtype(dtype: Any) -> str:
    """Return the name of a dtype, of which a namespace may have a class."""
    return dtype.__name__ if isinstance(dtype, type) else str(dtype)


def conversion(found: Samples) -> str:
    """Return how an array becomes one of numbers, in the words of its library."""
    if getattr(found.dtype, "kind", "") == "O":
        return OBJECTS
    usual = f"Convert it to numbers first, e.g. with `{found.library.cast}`."
    return by_dtype(found.dtype) or usual


def by_dtype(dtype: Any, first: str = "t[0]") -> str:
    """Return how times, fields and keys become numbers; nothing for others.

    `first` is how one of the dates is taken.
    """
    kind, names = getattr(dtype, "kind", ""), getattr(dtype, "names", None)
    for start, remedy in BY_NAME.items():
        if str(dtype).startswith(start):
            return remedy
    if isinstance(names, tuple):  # what is delayed has all attributes, but later
        numeric = [name for name in names if dtype[name].kind in "iufc"]
        if not numeric:  # what JAX has for derivatives along integers
            return "Pass numbers instead."
        return f"Pass one of its fields, e.g. `array[{numeric[0]!r}]`."
    remedy = BY_KIND.get(kind, "") if isinstance(kind, str) else ""
    if str(dtype).endswith(("Y]", "M]")):  # which are no number of seconds
        remedy = remedy.replace("'s'", "'M'")
    return remedy.replace("t[0]", first)


def remedy(refusal: Refusal, array: Any) -> str:
    """Return what to pass instead of an array-like that is refused by its class."""
    try:
        dtype = getattr(array, "dtype", None)
    except KeyError:  # files of netCDF4 look for an attribute on the disk
        dtype = None
    own = by_dtype(dtype, refusal.first)
    return f"{own}{' ' if own else ''}{refusal.remedy}"


def static(value: Any) -> str:
    """Return what to do where a number must be known before a function is traced."""
    items = value if isinstance(value, (list, tuple)) else (value,)
    advice = [_libraries.advice_on_traced(item) for item in items]
    return next((f" {text}" for text in advice if text), "")


def becomes_number(value: Any) -> bool:
    """Tell whether `float` makes a number of what is none to compute with.

    Such as decimals, constants of SymPy, and text that was read from a file.
    """
    if isinstance(value, numbers.Complex) or hasattr(value, "__array__"):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def as_plain(value: Any) -> str:
    """Return how what is neither a number nor an array becomes one."""
    refusal = _refusals.refusal_of(type(value))
    if refusal is not None:
        return f" {refusal.remedy}"
    if hasattr(value, "total_seconds"):  # Python's and pandas' lengths of time
        return " Convert it to a number first, e.g. with `total_seconds()`."
    if becomes_number(value):
        return " Convert it to a number first, e.g. with `float`."
    is_words = isinstance(value, Sequence) and any(map(_is_text, value))
    if (_is_line(value) and not is_words) or _holds_line(value):
        return " Convert it to an array first."
    return static(value)


def as_array(value: Any) -> str:
    """Return how what is no array becomes one, if it does."""
    if callable(value):
        return " Call it at the points of the grid first."
    first = value[0] if isinstance(value, (list, tuple)) and value else None
    module = _libraries.library_of(first).namespace or "numpy"
    is_other = _refusals.is_quantity(first) or module != "numpy"  # losses of torch
    if getattr(first, "shape", ()) != () or is_other:
        return f" Put its arrays into one first, e.g. with `{module}.stack`."
    if _is_line(value) or isinstance(value, numbers.Number):
        return " Convert it first, e.g. with `numpy.asarray`."
    if _holds_line(value):
        return " Convert it first, e.g. with `numpy.asarray(list(values))`."
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes, bytearray))


def _is_line(value: Any) -> bool:
    """Tell whether NumPy makes an array of what something holds."""
    if _is_text(value):
        return False
    names = ("__array__", "__array_interface__")
    if isinstance(value, Sequence) or any(hasattr(value, name) for name in names):
        return True
    try:
        memoryview(value)  # numbers of C
    except TypeError:
        return False
    return True


def _holds_line(value: Any) -> bool:
    """Tell whether a list has to be made first: of what is asked for one by one."""
    is_other = _is_text(value) or isinstance(value, (Mapping, Sequence))
    return isinstance(value, Iterable) and not is_other


def meant(word: str, words: Iterable[Any]) -> str:
    """Return the word that was meant, where most of it is right.

    What has more letters before it may be its opposite: antisymmetric.
    """
    from difflib import get_close_matches  # milliseconds that an import need not take

    known = {str(one).lower(): one for one in words}
    alike = [one for one in known if len(word) <= len(one) + 2]
    near = get_close_matches(word.lower(), alike, 1)
    return f" Do you mean {known[near[0]]!r}?" if near else ""
