"""A form of an array library, as the tests see it: how arrays are made and compared."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import oracle
from dtypes import FORMATS, REAL, REAL_OF, STANDARD
from oracle import Nested


@dataclass(frozen=True)
class Backend:
    """One library, set up in one way.

    Attributes
    ----------
    id : str
        The name in the test report.
    default : str
        The real floating dtype that integers give.
    dtypes : tuple of str
        The numeric dtypes.
    seldom : bool
        Run on it only the tests that ask for every form, because it is slow.
    gpu : str
        The library's name for the GPU that its arrays live on, where it has a CPU too.
    """

    id: str
    default: str = "float64"
    dtypes: tuple[str, ...] = STANDARD
    seldom: bool = False
    gpu: str = ""

    #: The library's name, the package to import, and the library's namespace as
    #: array-api-compat gives it.
    library: ClassVar[str]
    module: ClassVar[str]
    namespace: ClassVar[str]

    def __str__(self) -> str:
        return self.id

    @property
    def option(self) -> str:
        """The name for `--backend`."""
        return f"{self.library}-{self.gpu}" if self.gpu else self.library

    @property
    def on_cpu(self) -> str:
        """The id of the same form on the CPU; its own where there is no other."""
        return self.id.replace(self.option, self.library, 1)

    def absence(self) -> str | None:
        """Return why this form cannot be run here, though its library can."""
        return None

    def active(self) -> AbstractContextManager[Any]:
        """Return the context in which everything about this backend happens."""
        return nullcontext()

    @property
    def xp(self) -> Any:
        return importlib.import_module(self.namespace)

    @property
    def real(self) -> str:
        """The most precise real floating dtype."""
        return "float64" if "float64" in self.dtypes else "float32"

    @property
    def complex(self) -> str:
        return "complex128" if "complex128" in self.dtypes else "complex64"

    @property
    def integer(self) -> str:
        return "int64" if "int64" in self.dtypes else "int32"

    @property
    def integers(self) -> tuple[str, ...]:
        return tuple(name for name in self.dtypes if "int" in name)

    @property
    def reals(self) -> tuple[str, ...]:
        return tuple(name for name in self.dtypes if name in REAL)

    @property
    def halves(self) -> tuple[str, ...]:
        return tuple(name for name in self.dtypes if name in ("float16", "bfloat16"))

    def dtype(self, name: str) -> Any:
        return getattr(self.xp, name)

    def dtype_name(self, array: Any) -> str:
        return str(array.dtype).rpartition(".")[2]

    def asarray(
        self,
        values: Nested,
        dtype: str | None = None,
        shape: Sequence[int] | None = None,
    ) -> Any:
        """Return an array of nested lists; `shape` is needed where there is a zero."""
        dtype = dtype or self.real
        shape = oracle.shape_of(values) if shape is None else tuple(shape)
        return self.make(_as_numbers(values, dtype), dtype, shape)

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        array = self.xp.asarray(values, dtype=self.dtype(dtype))
        return self.xp.reshape(array, shape)

    def from_flat(
        self, values: Sequence[Any], dtype: str, shape: tuple[int, ...]
    ) -> Any:
        """Return an array of numbers in order, for arrays of many."""
        return self.make(_as_numbers(list(values), dtype), dtype, shape)

    def tolist(self, array: Any) -> Nested:
        return array.tolist()

    def current_device(self, array: Any) -> AbstractContextManager[Any]:
        """Return a context in which the device of an array is the current one."""
        return nullcontext()

    def device(self, array: Any) -> Any:
        """Return where an array lives; something that compares equal or not."""
        return array.device

    def kind(self, array: Any) -> Any:
        """Return all that tells which library's arrays these are."""
        return type(array)

    def epsilon(self, dtype: str) -> Fraction:
        """Return half the distance of 1 and the next number: the rounding error."""
        digits, _ = FORMATS[REAL_OF.get(dtype, dtype)]
        return Fraction(1, 2**digits)

    def check(
        self,
        results: Any,
        expected: Sequence[Nested],
        *,
        like: Any,
        dtype: str | None = None,
        tolerance: float | Fraction | None = None,
        scales: Sequence[Nested] | None = None,
    ) -> None:
        """Hold the results of a call to everything that is promised about them.

        A tuple; and each result has the type, the device and the shape of `like`, the
        dtype named, and the expected values.  `tolerance` is relative to the largest
        value, or to `scales` number by number; 0 demands equality, and None allows
        eight roundings.
        """
        assert type(results) is tuple
        assert len(results) == len(expected)
        dtype = dtype or self.dtype_name(like)
        limit = 8 * self.epsilon(dtype) if tolerance is None else tolerance
        scales = scales or [None] * len(results)
        for result, wanted, scale in zip(results, expected, scales, strict=True):
            assert self.kind(result) == self.kind(like)
            assert self.device(result) == self.device(like)
            assert self.dtype_name(result) == dtype
            assert tuple(result.shape) == tuple(like.shape)
            difference = oracle.difference(self.tolist(result), wanted, limit, scale)
            assert difference is None, difference


def _as_numbers(values: Nested, dtype: str) -> Nested:
    """Return the values as Python's own numbers of the kind that the dtype holds."""
    if isinstance(values, list):
        return [_as_numbers(item, dtype) for item in values]
    if "int" in dtype:
        return int(values)
    if "complex" in dtype:
        return complex(values)
    return float(values)
