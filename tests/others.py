"""Readers of the arrays of further libraries, those of `others.toml`."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from oracle import Nested


class Library:
    """How arrays of a library are made and read: like NumPy's, unless said otherwise.

    `namespace` is the module that makes them.
    """

    def __init__(self, name: str, namespace: str | None = None) -> None:
        self.name = name
        self.namespace = namespace or name

    @property
    def xp(self) -> Any:
        return importlib.import_module(self.namespace)

    def asarray(self, values: Nested, dtype: str) -> Any:
        return self.xp.asarray(values, dtype=getattr(self.xp, self.dtype(dtype)))

    def dtype(self, name: str) -> str:
        return "float32" if name == "float" else name

    def tolist(self, array: Any) -> Nested:
        return array.tolist()

    def kind(self, array: Any) -> Any:
        return type(array)

    def converted(self, values: Nested, dtype: str) -> Any:
        import numpy

        return numpy.asarray(values, dtype=self.dtype(dtype))


class Autograd(Library):
    """Arrays are what stands for them while a function is traced."""

    def asarray(self, values: Nested, dtype: str) -> Any:
        from autograd.core import VJPNode
        from autograd.tracer import new_box

        return new_box(self.converted(values, dtype), 0, VJPNode.new_root())

    def tolist(self, array: Any) -> Nested:
        return array._value.tolist()


class Blosc2(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        return self.xp.asarray(self.converted(values, dtype))


class Cubed(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        import cubed

        array = self.converted(values, dtype)
        chunks = {"chunks": 2} if array.ndim else {}
        return self.xp.asarray(array, spec=cubed.Spec(allowed_mem="100MB"), **chunks)

    def tolist(self, array: Any) -> Nested:
        return array.compute().tolist()


class DPNP(Library):
    def tolist(self, array: Any) -> Nested:
        return self.xp.asnumpy(array).tolist()


class MArray(Library):
    @property
    def xp(self) -> Any:
        import array_api_strict
        import marray

        return marray.masked_namespace(array_api_strict)

    def tolist(self, array: Any) -> Nested:
        return array.data._array.tolist()


class MLX(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        return self.xp.array(values, dtype=getattr(self.xp, self.dtype(dtype)))


class Ndonnx(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        return self.xp.asarray(self.converted(values, dtype))

    def tolist(self, array: Any) -> Nested:
        return array.unwrap_numpy().tolist()


class Pint(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        return self.converted(values, dtype) * self.xp.get_application_registry().metre

    def tolist(self, array: Any) -> Nested:
        return array.magnitude.tolist()


class Sparse(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        return self.xp.COO.from_numpy(self.converted(values, dtype))

    def tolist(self, array: Any) -> Nested:
        return array.todense().tolist()


class Unxt(Library):
    def asarray(self, values: Nested, dtype: str) -> Any:
        import jax.numpy as jnp

        return self.xp.Quantity(jnp.asarray(values, dtype=self.dtype(dtype)), "m")

    def tolist(self, array: Any) -> Nested:
        return array.value.tolist()

    def kind(self, array: Any) -> Any:
        return isinstance(array, self.xp.Quantity)  # each unit has a class of its own


LIBRARIES = {
    "autograd": Autograd("autograd"),
    "blosc2": Blosc2("blosc2"),
    "cubed": Cubed("cubed", "cubed.array_api"),
    "dpnp": DPNP("dpnp"),
    "marray": MArray("marray"),
    "mlx": MLX("mlx", "mlx.core"),
    "ndonnx": Ndonnx("ndonnx"),
    "pint": Pint("pint"),
    "sparse": Sparse("sparse"),
    "unxt": Unxt("unxt"),
}
