"""The dtypes that tests name, and what those of real numbers can hold."""

from __future__ import annotations

REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
STANDARD = (*SIGNED, *UNSIGNED, *REAL, *COMPLEX)

#: Digits of the significand and smallest normal exponent, both in base two.
FORMATS = {
    "bfloat16": (8, -126),
    "float16": (11, -14),
    "float32": (24, -126),
    "float64": (53, -1022),
}
REAL_OF = {"complex64": "float32", "complex128": "float64"}


def largest_exponent(dtype: str) -> int:
    """Return `e` where ``2.0**e`` is the largest power of two of a dtype."""
    return 1 - FORMATS[dtype][1]
