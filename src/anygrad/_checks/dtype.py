"""What the result is rounded to: `dtype`."""

from __future__ import annotations

from typing import Any, NoReturn

from .. import _dispatch, _precision
from .._records import Samples
from .._typing import DType
from .wording import name_of_dtype, shortened, shown

#: What the standard, and most libraries, call dtypes of floating numbers.
NAMES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")


def floating(dtype: Any, samples: Samples) -> DType | None:
    """Return a floating dtype of the library of the samples; None if none is asked for.

    It may be given by its name, and for libraries that have NumPy's dtypes as NumPy
    takes them.
    """
    if dtype is None:
        return None
    xp, given = samples.namespace, dtype
    if isinstance(dtype, str):  # a plain word, of whatever class it is
        known = dtype in NAMES
        given = _named(NAMES[NAMES.index(dtype)], samples) if known else None
    if not _precision.is_floating(given, xp):
        msg = (
            "`dtype` must be None, or a real or complex floating dtype of the library "
            f"of `input`, e.g. `{_namespace(samples)}.float32`. Got {_shown(dtype)}."
        )
        raise TypeError(msg)
    if not _precision.has(given, samples.device, xp):
        msg = (
            "`dtype` must be one that the device of `input` has, as it is set now. Got "
            f"{_shown(dtype)}. Take one of fewer bits, e.g. "
            f"`{_namespace(samples)}.float32`."
        )
        raise TypeError(msg)
    # NumPy and JAX take classes of numbers for dtypes.
    return xp.result_type(given, given) if isinstance(given, type) else given


def _named(name: str, samples: Samples) -> DType | None:
    """Return a dtype by its name, which a library may leave to its chunks to have."""
    found, chunk = getattr(samples.namespace, name, None), samples.library.chunk
    if found is None and chunk is not None:
        return _named(name, _dispatch.samples_of(chunk(samples.array), "input"))
    return found


def check_not_real(dtype: DType, xp: Any) -> None:
    """Refuse a real dtype for a complex result, whose imaginary part would be lost."""
    if not _precision.is_complex(dtype, xp):
        msg = (
            "`dtype` must be complex for complex samples, steps or coordinates. Got "
            f"{_shown(dtype)}. Take the real part of the result instead."
        )
        raise TypeError(msg)


def check_pair(
    name: str, dtype: DType, samples: DType, xp: Any, other: str = "input"
) -> None:
    """Refuse two arrays whose dtypes the library does not promote."""
    try:
        _precision.promoted(dtype, samples, xp)
    except _precision.NoCommonDtypeError:
        refuse_pair(name, dtype, samples, other)


def refuse_pair(
    name: str, dtype: DType, samples: DType, other: str = "input"
) -> NoReturn:
    """Raise for two arrays whose dtypes the library does not promote."""
    own, others = name_of_dtype(dtype), name_of_dtype(samples)
    msg = (
        f"`{name}` must have a dtype that the library promotes with that of "
        f"`{other}`, as it is set now. Got {own} for an `{other}` of {others}. "
        "Convert one of them to the dtype of the other first."
    )
    raise TypeError(msg)


def _namespace(samples: Samples) -> str:
    """Return the module that has the dtypes, as users import it."""
    return str(samples.library.namespace or samples.namespace.__name__)


def _shown(dtype: Any) -> str:
    is_dtype = type(dtype).__name__.lower().endswith("dtype")
    if is_dtype or type(dtype) is str:
        return shortened(dtype)
    if isinstance(dtype, type) and dtype.__module__ != "builtins":
        return f"{dtype.__module__}.{dtype.__name__}"
    return dtype.__name__ if isinstance(dtype, type) else shown(dtype)
