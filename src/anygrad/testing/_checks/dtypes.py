"""In which dtype the result is, and that none in between is too small."""

from __future__ import annotations

from typing import Any

from ...testing._arrays import (
    Gradient,
    array,
    complex_,
    halves,
    has,
    need,
    only,
    require,
    require_dtype,
    require_numbers,
)
from ...testing._checks.grids import inside

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def check_single_and_double_are_kept(gradient: Gradient, xp: Any) -> None:
    """Samples in float32 and float64 keep their dtype."""
    for name in ("float32", "float64"):
        if has(xp, name):
            require_dtype(xp, only(gradient, array(xp, [0, 1, 3], name)), name)


def check_half_precision_is_kept(gradient: Gradient, xp: Any) -> None:
    """Samples in float16 and bfloat16 keep their dtype."""
    for name in halves(xp):
        result = only(gradient, array(xp, [0, 1, 2, 3], name))
        require_dtype(xp, result, name)
        require_numbers(result, [1, 1, 1, 1], tolerance=0)


def check_complex_dtypes_are_kept(gradient: Gradient, xp: Any) -> None:
    """Complex samples keep their dtype."""
    complex_(xp)
    for name in ("complex64", "complex128"):
        if has(xp, name):
            require_dtype(xp, only(gradient, array(xp, [0, 1j, 3], name)), name)


def check_integers_give_the_default_dtype(gradient: Gradient, xp: Any) -> None:
    """Integer samples give the real floating dtype that the library has as default."""
    wanted = xp.asarray([0.0]).dtype
    for name in INTEGERS:
        if has(xp, name):
            found = only(gradient, array(xp, [0, 1, 3], name)).dtype
            require(found == wanted, f"{found} for {name}, where {wanted} was wanted")


def check_numbers_do_not_promote(gradient: Gradient, xp: Any) -> None:
    """A Python number as step leaves the dtype of the samples."""
    for spacing in (0.5, [0.5], 2):
        result = only(gradient, array(xp, [0, 1, 3], "float32"), spacing=spacing)
        require_dtype(xp, result, "float32")


def check_step_arrays_do_not_promote(gradient: Gradient, xp: Any) -> None:
    """A step that is an array of shape () leaves the dtype of the samples."""
    f, h = array(xp, [0, 1, 3], "float32"), array(xp, 0.5)
    require_dtype(xp, only(gradient, f, spacing=h), "float32")


def check_coordinates_promote(gradient: Gradient, xp: Any) -> None:
    """Coordinates in float64 make the derivative of float32 samples float64."""
    need(xp, "float64")
    f, x = array(xp, [0, 1, 3], "float32"), array(xp, [0, 1, 2], "float64")
    require_dtype(xp, only(gradient, f, spacing=[x]), "float64")


def check_integer_coordinates_do_not_promote(gradient: Gradient, xp: Any) -> None:
    """Coordinates of integers leave the dtype of the samples."""
    f, x = array(xp, [0, 1, 3], "float32"), array(xp, [0, 1, 2], "int32")
    require_dtype(xp, only(gradient, f, spacing=[x]), "float32")


def check_complex_steps_keep_the_precision(gradient: Gradient, xp: Any) -> None:
    """A complex number as step makes float32 complex64, not complex128."""
    need(xp, "complex64")
    f = array(xp, [0, 1, 3], "float32")
    require_dtype(xp, only(gradient, f, spacing=1j), "complex64")


def check_small_integers_do_not_wrap(gradient: Gradient, xp: Any) -> None:
    """Differences of int8 and int16 samples that do not fit their dtype are right."""
    f = array(xp, [-100, 0, 100, 0, -100], "int8")
    inside(only(gradient, f), [100, 100, 0, -100, -100])
    f = array(xp, [-30000, 0, 30000], "int16")
    inside(only(gradient, f), [30000] * 3)


def check_unsigned_integers_do_not_wrap(gradient: Gradient, xp: Any) -> None:
    """Unsigned samples may descend."""
    for name in ("uint8", "uint16", "uint32", "uint64"):
        if has(xp, name):
            f = array(xp, [200, 150, 100, 50], name)
            require_numbers(only(gradient, f), [-50] * 4)


def check_unsigned_coordinates_do_not_wrap(gradient: Gradient, xp: Any) -> None:
    """Unsigned coordinates may descend."""
    f, x = array(xp, [0, 1, 2, 3]), array(xp, [40, 30, 20, 10], "uint8")
    require_numbers(only(gradient, f, spacing=[x]), [-0.1] * 4, tolerance=1e-6)


def check_wide_integer_coordinates_do_not_wrap(gradient: Gradient, xp: Any) -> None:
    """Distances of int8 coordinates that do not fit their dtype are right."""
    f, x = array(xp, [0, 1, 2]), array(xp, [-100, 0, 100], "int8")
    require_numbers(only(gradient, f, spacing=[x]), [0.01] * 3, tolerance=1e-6)


def check_large_integers_are_exact(gradient: Gradient, xp: Any) -> None:
    """Integers beyond those that float64 tells apart keep their differences."""
    need(xp, "int64")
    f = array(xp, [2**53 + k for k in range(5)], "int64")
    require_numbers(only(gradient, f), [1] * 5, tolerance=0)


def check_half_precision_differences_fit(gradient: Gradient, xp: Any) -> None:
    """A difference beyond float16 does no harm where the derivative is within."""
    need(xp, "float16")
    f = array(xp, [-6e4, 0, 6e4], "float16")
    require_numbers(only(gradient, f, spacing=64), [937.5] * 3)


def check_half_precision_steps_fit(gradient: Gradient, xp: Any) -> None:
    """A step in float16 may be so large that twice the step is not."""
    need(xp, "float16")
    f, h = array(xp, [0, 1e4, 2e4], "float16"), array(xp, 4e4, "float16")
    require_numbers(only(gradient, f, spacing=h), [0.25] * 3)
