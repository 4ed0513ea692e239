"""The array libraries as the tests see them: each in its plain and its hostile forms.

No library is imported before a test asks for it, and no test needs NumPy: arrays are
made from, and compared as, nested lists of Python numbers.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import pytest

import oracle
from oracle import Nested

REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
STANDARD = (*SIGNED, *UNSIGNED, *REAL, *COMPLEX)

#: The libraries that a run has chosen, with their versions.
CHOSEN = pytest.StashKey[dict[str, str]]()

#: The forms of these that cannot be run here, and why.
ABSENT = pytest.StashKey[dict[str, str]]()

#: Digits of the significand and smallest normal exponent, both in base two.
FORMATS = {
    "bfloat16": (8, -126),
    "float16": (11, -14),
    "float32": (24, -126),
    "float64": (53, -1022),
}
REAL_OF = {"complex64": "float32", "complex128": "float64"}


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


@dataclass(frozen=True)
class NumPy(Backend):
    """NumPy, whose arrays can be laid out in many ways."""

    dtypes: tuple[str, ...] = (*STANDARD, "float16")
    layout: str = "plain"

    library = "numpy"
    module = "numpy"
    namespace = "array_api_compat.numpy"

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        array = super().make(values, dtype, shape)
        if self.layout == "Fortran":
            return array.copy(order="F")
        if self.layout == "reversed":
            # Every other element of a larger array, backwards along all axes.
            base = self.xp.zeros([2 * n for n in shape], dtype=array.dtype)
            view = base[(slice(None, None, -2),) * len(shape)] if shape else base
            view[...] = array
            return view
        if self.layout == "read-only":
            array.flags.writeable = False
        return array


@dataclass(frozen=True)
class Torch(Backend):
    """torch, with the defaults that its users may have set."""

    default: str = "float32"
    dtypes: tuple[str, ...] = (*STANDARD, "float16", "bfloat16")
    default_device: str | None = None
    requires_grad: bool = False

    library = "torch"
    module = "torch"
    namespace = "array_api_compat.torch"

    @contextmanager
    def active(self) -> Iterator[None]:
        import torch

        before = torch.get_default_dtype()
        torch.set_default_dtype(getattr(torch, self.default))
        device = torch.device(self.default_device) if self.default_device else None
        try:
            with device or nullcontext():
                yield
        finally:
            torch.set_default_dtype(before)

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        import torch

        array = torch.tensor(values, dtype=getattr(torch, dtype), device="cpu")
        array = array.reshape(shape).to(self.gpu or "cpu")
        if self.requires_grad and "int" not in dtype and dtype != "bool":
            array.requires_grad_()
        return array

    def tolist(self, array: Any) -> Nested:
        return array.detach().tolist()


@dataclass(frozen=True)
class JAX(Backend):
    """JAX, with and without 64-bit numbers."""

    default: str = "float32"
    dtypes: tuple[str, ...] = (
        *SIGNED[:3],
        *UNSIGNED[:3],
        "float32",
        "complex64",
        "float16",
        "bfloat16",
    )
    x64: bool = False
    ordinal: int | None = None

    library = "jax"
    module = "jax"
    namespace = "jax.numpy"

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        import jax

        array = super().make(values, dtype, shape)
        if self.ordinal is None:
            return array
        return jax.device_put(array, jax.devices()[self.ordinal])

    def active(self) -> AbstractContextManager[Any]:
        import jax

        try:
            enable_x64 = jax.enable_x64
        except AttributeError:  # before it was made public
            from jax.experimental import enable_x64
        return enable_x64(self.x64)

    def device(self, array: Any) -> Any:
        return array.devices()


@dataclass(frozen=True)
class Dask(Backend):
    """Dask over NumPy, in chunks of several patterns."""

    dtypes: tuple[str, ...] = (*STANDARD, "float16")
    chunks: str = "one"

    library = "dask"
    module = "dask.array"
    namespace = "array_api_compat.dask.array"

    def active(self) -> AbstractContextManager[Any]:
        import dask

        return dask.config.set(scheduler="synchronous")

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        import dask.array
        import numpy

        array = numpy.asarray(values, dtype=dtype).reshape(shape)
        chunks = tuple(self._chunks_of(n) for n in shape)
        return dask.array.from_array(array, chunks=chunks)

    def _chunks_of(self, n: int) -> tuple[int, ...]:
        if n < 2 or self.chunks == "one":
            return (n,)
        if self.chunks == "single" and n < 10:
            return (1,) * n
        return (1, n - 1) if n < 10 else (1, n // 3, n - 1 - n // 3)

    def tolist(self, array: Any) -> Nested:
        return array.compute().tolist()

    def device(self, array: Any) -> Any:
        return type(array._meta)


@dataclass(frozen=True)
class Strict(Backend):
    """array-api-strict: the standard, and nothing else, on each of its devices."""

    where: str = "CPU_DEVICE"
    api_version: str | None = None

    library = "array-api-strict"
    module = "array_api_strict"
    namespace = "array_api_strict"

    def active(self) -> AbstractContextManager[Any]:
        import array_api_strict

        flags = array_api_strict.get_array_api_strict_flags()
        return array_api_strict.ArrayAPIStrictFlags(
            api_version=self.api_version or flags["api_version"],
            boolean_indexing=False,
            data_dependent_shapes=False,
            enabled_extensions=(),
        )

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        import array_api_strict as xp

        device = xp.Device(self.where)
        array = xp.asarray(values, dtype=self.dtype(dtype), device=device)
        return xp.reshape(array, shape)

    def tolist(self, array: Any) -> Nested:
        return array._array.tolist()


@dataclass(frozen=True)
class Toy(Strict):
    """A conforming library that nobody has heard of."""

    library = "array-api-strict"

    @property
    def xp(self) -> Any:
        import toy_library

        return toy_library.namespace

    def dtype(self, name: str) -> Any:
        import array_api_strict

        return getattr(array_api_strict, name)

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        import toy_library

        return toy_library.Array(super().make(values, dtype, shape))

    def tolist(self, array: Any) -> Nested:
        return super().tolist(array.hidden)

    def device(self, array: Any) -> Any:
        return None


@dataclass(frozen=True)
class CuPy(Backend):
    """CuPy, on the current device and on another one."""

    dtypes: tuple[str, ...] = (*STANDARD, "float16")
    ordinal: int = 0

    library = "cupy"
    module = "cupy"
    namespace = "array_api_compat.cupy"

    def make(self, values: Nested, dtype: str, shape: tuple[int, ...]) -> Any:
        import cupy

        with cupy.cuda.Device(self.ordinal):
            return cupy.asarray(values, dtype=dtype).reshape(shape)

    def tolist(self, array: Any) -> Nested:
        with array.device:
            return array.tolist()

    def current_device(self, array: Any) -> AbstractContextManager[Any]:
        return array.device

    def absence(self) -> str | None:
        import cupy

        count = cupy.cuda.runtime.getDeviceCount()
        if self.ordinal < count:
            return None
        return f"needs {self.ordinal + 1} devices, and there is {count}"


BACKENDS: tuple[Backend, ...] = (
    NumPy("numpy"),
    NumPy("numpy-read-only", layout="read-only"),
    NumPy("numpy-Fortran", layout="Fortran"),
    NumPy("numpy-reversed", layout="reversed"),
    Strict("strict"),
    Strict("strict-2023.12", api_version="2023.12"),
    Strict("strict-device1", where="device1"),
    Strict("strict-device2", where="device2", default="float32"),
    Strict(
        "strict-no_float64",
        where="no_float64",
        default="float32",
        dtypes=(*SIGNED, *UNSIGNED, "float32", "complex64"),
    ),
    Strict(
        "strict-no_x64",
        where="no_x64",
        default="float32",
        dtypes=(*SIGNED[:3], *UNSIGNED[:3], "float32", "complex64"),
    ),
    Toy("toy"),
    Torch("torch"),
    Torch("torch-float64", default="float64"),
    Torch("torch-meta-default", default_device="meta"),
    Torch("torch-requires-grad", requires_grad=True),
    JAX("jax"),
    JAX(
        "jax-x64",
        default="float64",
        dtypes=(*STANDARD, "float16", "bfloat16"),
        x64=True,
        seldom=True,
    ),
    JAX("jax-device1", ordinal=1, seldom=True),
    Dask("dask"),
    Dask("dask-single", chunks="single"),
    Dask("dask-uneven", chunks="uneven"),
    CuPy("cupy"),
    CuPy("cupy-device1", ordinal=1),
    Torch("torch-cuda", gpu="cuda"),
    Torch("torch-cuda-float64", default="float64", gpu="cuda"),
    Torch("torch-cuda-requires-grad", requires_grad=True, gpu="cuda"),
    JAX("jax-gpu", gpu="gpu"),
    JAX(
        "jax-gpu-x64",
        default="float64",
        dtypes=(*STANDARD, "float16", "bfloat16"),
        x64=True,
        seldom=True,
        gpu="gpu",
    ),
)

#: The libraries, by their names, and the modules to import.
LIBRARIES = {backend.library: backend.module for backend in BACKENDS}

#: What `--backend` takes: the libraries, and again those on a GPU, with their names.
OPTIONS = {backend.option: backend.library for backend in BACKENDS}


def plain(option: str) -> Backend:
    """Return a library as its users meet it first, or as they do on a GPU."""
    return next(backend for backend in BACKENDS if backend.option == option)


def is_installed(library: str) -> bool:
    """Tell whether a library can be imported, without importing it."""
    top = LIBRARIES[library].partition(".")[0]
    return importlib.util.find_spec(top) is not None
