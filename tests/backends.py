"""The array libraries as the tests see them: each in its plain and its hostile forms.

No library is imported before a test asks for it, and no test needs NumPy: arrays are
made from, and compared as, nested lists of Python numbers.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from dtypes import SIGNED, STANDARD, UNSIGNED
from forms import Backend
from oracle import Nested

#: The libraries that a run has chosen, with their versions.
CHOSEN = pytest.StashKey[dict[str, str]]()

#: The forms of these that cannot be run here, and why.
ABSENT = pytest.StashKey[dict[str, str]]()


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
