"""In which dtype a call computes, and which dtype it returns."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import Any, NamedTuple

from ._classes import is_array
from ._typing import DType, Namespace


class Precision(NamedTuple):
    """The dtypes of one partial derivative."""

    #: The samples are converted to it before they are weighted.
    samples: DType
    #: Likewise the coordinates; always real where the samples are complex only.
    coordinates: DType
    #: The weighted sum is rounded to it, once.
    result: DType
    #: Whether they are integers that the working dtype would round: then they are
    #: subtracted before they are converted.
    wide_samples: bool
    wide_coordinates: bool
    #: Whether the result is complex only because the coordinates are.
    is_complex_by_grid: bool
    #: The positive numbers of `samples`, its real part where it is complex, that are
    #: normal and have a normal reciprocal: XLA divides by a number by multiplying with
    #: its reciprocal, and takes numbers that are not normal for zero.
    smallest: float
    largest: float
    #: How many binary digits these numbers have.
    digits: int
    #: In which a period is put together with coordinates that are subtracted before
    #: they are converted: both are long, and what is left between them is one step.
    turns: DType


def working(precision: Precision) -> DType:
    """Return the dtype of a weighted sum before it is rounded."""
    by_grid = precision.is_complex_by_grid
    return precision.coordinates if by_grid else precision.samples


def is_bool(dtype: DType, xp: Namespace) -> bool:
    """Tell whether a dtype is that of masks."""
    return _is_of_kind("bool", dtype, xp)


def is_numeric(dtype: DType, xp: Namespace) -> bool:
    """Tell whether a derivative of this dtype has a meaning: bool has none."""
    return _is_of_kind("numeric", dtype, xp) and _holds_differences(dtype, xp)


def _is_of_kind(kind: str, dtype: DType, xp: Namespace) -> bool:
    # For Dask, array-api-compat counts lengths of time among the integers.
    if getattr(dtype, "kind", "") == "m":
        return False
    try:
        return bool(xp.isdtype(dtype, kind))
    except TypeError:  # NumPy refuses dtypes that other packages have registered
        return False


def _holds_differences(dtype: DType, xp: Namespace) -> bool:
    """Tell whether a floating dtype has negative numbers, as float8_e8m0fnu has not."""
    if not _is_of_kind("real floating", dtype, xp):
        return True
    try:
        return bool(getattr(xp.finfo(dtype), "min", -1.0) < 0)
    except (TypeError, NotImplementedError):  # torch has no limits of packed pairs
        return False


def is_complex(dtype: DType, xp: Namespace) -> bool:
    """Tell whether `dtype` is a complex floating one."""
    return _is_of_kind("complex floating", dtype, xp)


def is_integer(dtype: DType, xp: Namespace) -> bool:
    """Tell whether `dtype` is an integer one, signed or not."""
    return _is_of_kind("integral", dtype, xp)


def is_floating(dtype: Any, xp: Namespace) -> bool:
    """Tell whether something is a real or complex floating dtype of a namespace."""
    if dtype is None or getattr(dtype, "__module__", "") == "builtins":
        return False  # Python's classes are not dtypes of any length
    if is_array(dtype) and not isinstance(dtype, type):
        return False  # torch's arrays tell, as its dtypes do, whether they are floating
    try:
        is_floating = xp.isdtype(dtype, ("real floating", "complex floating"))
        return bool(is_floating) and _holds_differences(dtype, xp)
    except (TypeError, AttributeError, ValueError):  # as libraries refuse nonsense
        return False


def has(dtype: DType, device: Any, xp: Namespace) -> bool:
    """Tell whether a device has a floating dtype: some have none of 64 bits."""
    return xp.finfo(dtype).bits != 64 or has_float64(device, xp)


def choose(
    samples: DType,
    coordinates: DType | None,
    complex_step: bool,
    device: Any,
    xp: Namespace,
    wanted: DType | None = None,
) -> Precision:
    """Return the dtypes for a derivative of `samples` along one axis.

    Coordinates of a floating dtype take part in the promotion, as in the standard;
    integer coordinates and steps do not.  16-bit floating numbers are weighted in
    32 bits, and integers in 64 where the device has them.  A dtype that is wanted for
    the result makes none of these shorter; a real one is not for complex results.
    """
    integers = is_integer(samples, xp)
    result = default_real(device, xp) if integers else samples
    if coordinates is not None and not is_integer(coordinates, xp):
        result = promoted(result, coordinates, xp)
    if complex_step and not is_complex(result, xp):
        result = _complex_counterpart(result, xp)
    working = at_least_32_bits(result, xp)
    if integers and has_float64(device, xp):
        working = (
            _complex_counterpart(xp.float64, xp)
            if is_complex(result, xp)
            else xp.float64
        )
    if wanted is not None:
        result, working = wanted, _no_shorter(working, wanted, xp)
    real = real_counterpart(working, xp) if is_complex(working, xp) else working
    limits = xp.finfo(real)
    # Steps are Python's numbers, so those of a longer dtype are of no use.
    smallest = max(float(limits.smallest_normal), 2.0**-1022)
    complex_grid = coordinates is not None and is_complex(coordinates, xp)
    complex_samples = complex_step or is_complex(samples, xp)
    wide_coordinates = (
        coordinates is not None
        and is_integer(coordinates, xp)
        and _is_wide(coordinates, limits.bits, xp)
    )
    turns = working if complex_grid else real
    if wide_coordinates and limits.bits < 64 and has_float64(device, xp):
        turns = xp.float64
    if not complex_grid:
        complex_samples = complex_samples or is_complex(result, xp)
    return Precision(
        samples=working if complex_samples else real,
        coordinates=working if complex_grid else real,
        result=result,
        wide_samples=integers and _is_wide(samples, limits.bits, xp),
        wide_coordinates=wide_coordinates,
        is_complex_by_grid=complex_grid and not complex_samples,
        smallest=smallest,
        largest=1.0 / smallest,
        digits=2 - math.frexp(float(limits.eps))[1],  # eps is 2**(1 - digits)
        turns=turns,
    )


class NoCommonDtypeError(TypeError):
    """A library has no dtype that holds two, or is set to tell of none."""


def promoted(dtype: DType, other: DType, xp: Namespace) -> DType:
    """Return the dtype that holds both; the first, byte order too, where it does.

    Raises
    ------
    NoCommonDtypeError
        If there is none.
    """
    if dtype == other:  # which compilers can tell of all dtypes
        return dtype
    try:
        found = _held_by(dtype, other, xp)
    except (TypeError, ValueError, RuntimeError):  # as libraries refuse it
        return _complex_of_both(dtype, other, xp)
    return dtype if found == _held_by(dtype, dtype, xp) else found


def common(dtypes: Iterable[DType | None], xp: Namespace) -> DType:
    """Return the dtype that holds all that are given, as `promoted` does."""
    given = [dtype for dtype in dtypes if dtype is not None]
    return reduce(lambda a, b: promoted(a, b, xp), given) if given else None


def _held_by(dtype: DType, other: DType, xp: Namespace) -> DType:
    # For 16 bits beside others, `torch.compile` can only read the older function.
    return getattr(xp, "promote_types", xp.result_type)(dtype, other)


def _complex_of_both(dtype: DType, other: DType, xp: Namespace) -> DType:
    """Return the complex one of two dtypes of the same digits."""
    for found, real in ((dtype, other), (other, dtype)):
        if is_complex(found, xp) and real_counterpart(found, xp) == real:
            return found
    raise NoCommonDtypeError(dtype, other)


def _is_wide(integer: DType, floating_bits: int, xp: Namespace) -> bool:
    """Tell whether some integers are no floating numbers of that many bits."""
    digits = {32: 24, 64: 53}.get(floating_bits, 64)
    # Not by its `bits`, which MLX does not tell.
    return int(xp.iinfo(integer).max).bit_length() > digits


def default_real(device: Any, xp: Namespace) -> DType:
    info = info_of(xp)
    if info is None:
        return xp.asarray(0.0).dtype
    return info.default_dtypes(device=device)["real floating"]


def real_of(dtype: DType, device: Any, xp: Namespace) -> DType:
    """Return the dtype of numbers that have no say beside samples of a dtype."""
    if is_complex(dtype, xp):
        return real_counterpart(dtype, xp)
    is_floating = xp.isdtype(dtype, "real floating")
    return dtype if is_floating else default_real(device, xp)


def longest_real(_: DType, device: Any, xp: Namespace) -> DType:
    """Return the longest real floating dtype of a device, of 64 bits at most."""
    return xp.float64 if has_float64(device, xp) else xp.float32


def has_float64(device: Any, xp: Namespace) -> bool:
    """Tell whether a device has 64-bit floating numbers."""
    info = info_of(xp)
    if info is None:
        return hasattr(xp, "float64")
    return "float64" in info.dtypes(device=device, kind="real floating")


def info_of(xp: Namespace) -> Any:
    """Return what tells of the dtypes of a namespace; None before the standard of 2023.

    array-api-strict has it and refuses it, where it is set to an earlier one.
    """
    if not hasattr(xp, "__array_namespace_info__"):
        return None
    try:
        return xp.__array_namespace_info__()
    except RuntimeError:
        return None


def at_least_32_bits(dtype: DType, xp: Namespace) -> DType:
    """Return a dtype in which sums are formed."""
    if xp.finfo(dtype).bits >= 32:
        return dtype
    return xp.complex64 if is_complex(dtype, xp) else xp.float32


def _no_shorter(working: DType, wanted: DType, xp: Namespace) -> DType:
    """Return a working dtype with the digits of another, and complex if that is."""
    if xp.finfo(wanted).bits > xp.finfo(working).bits:
        return wanted
    is_made_complex = is_complex(wanted, xp) and not is_complex(working, xp)
    return _complex_counterpart(working, xp) if is_made_complex else working


def _complex_counterpart(real: DType, xp: Namespace) -> DType:
    bits, dtype = xp.finfo(real).bits, xp.complex64
    if bits == 64 and hasattr(xp, "complex128"):
        dtype = xp.complex128
    # A library may be set to promote nothing; and some have classes in their place.
    return _held_by(dtype if bits <= 64 else real, dtype, xp)


def real_counterpart(dtype: DType, xp: Namespace) -> DType:
    for complex_name, real_name in (
        ("complex64", "float32"),
        ("complex128", "float64"),
    ):
        if dtype == getattr(xp, complex_name, None):  # MLX has only the first
            return getattr(xp, real_name)
    return xp.finfo(dtype).dtype
