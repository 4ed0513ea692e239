"""The public types, as a type checker must see them.  This file is never run.

`assert_type` holds the promises; a ``type: ignore`` that is not needed is an error, so
each of them is a promise that something is refused.
"""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any, Protocol, TypeAlias, assert_type

import numpy as np  # noqa: TID253 - never run

import anygrad

Real: TypeAlias = "np.ndarray[tuple[Any, ...], np.dtype[np.float64]]"


class Tensor(Protocol):
    """The least that an array has, of a library that nobody has heard of."""

    @property
    def dtype(self) -> object: ...
    @property
    def ndim(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, key: object, /) -> Tensor: ...
    def __add__(self, other: object, /) -> Tensor: ...
    def __sub__(self, other: object, /) -> Tensor: ...
    def __mul__(self, other: object, /) -> Tensor: ...
    def __truediv__(self, other: object, /) -> Tensor: ...


def what_goes_in_comes_out(f: Real, t: Tensor) -> None:
    assert_type(anygrad.gradient(f), tuple[Real, ...])
    assert_type(anygrad.gradient(f, dim=0), tuple[Real, ...])
    assert_type(anygrad.gradient(t), tuple[Tensor, ...])
    (first,) = anygrad.gradient(t, dim=-1)
    assert_type(first, Tensor)
    assert_type(anygrad.gradient(t, stack_dim=0), Tensor)
    assert_type(anygrad.derivative(t, order=2, spacing=t), Tensor)
    assert_type(anygrad.derivative(t, where=t), Tensor)
    assert_type(anygrad.gradient(f, where=f > 0), tuple[Real, ...])
    assert_type(anygrad.laplacian(f, boundary=["edge", ("reflect", 1.5)]), Real)
    assert_type(anygrad.hessian(f, stack_dim=-1), Real)
    assert_type(anygrad.curl(t, vector_dim=1), Tensor)
    assert_type(anygrad.divergence(t), Tensor)
    assert_type(anygrad.jacobian(t, accuracy=4), Tensor)
    assert_type(anygrad.stencil([0, 1, Fraction(3, 2)]), tuple[Fraction, ...])
    assert_type(anygrad.stencil(t, order=2), Tensor)
    assert_type(anygrad.stencil(f), Real)

    assert_type(anygrad.divergence(t, scale_factors=[1, t]), Tensor)
    assert_type(anygrad.gradient(f, scale_factors=(2.0, f)), tuple[Real, ...])
    grid = anygrad.lonlat(t[0], t[0], radius=1.0)
    assert_type(anygrad.gradient(t, **grid), tuple[Tensor, ...])
    assert_type(anygrad.gradient(t, stack_dim=0, **grid), Tensor)
    assert_type(anygrad.laplacian(t, boundary=["edge", "edge"], **grid), Tensor)
    assert_type(anygrad.curl(f, **anygrad.cylindrical(f, 0.1)), Real)
    assert_type(anygrad.laplacian(t, **anygrad.spherical(t, t, t, dim=[-1, 0])), Tensor)

    halo = anygrad.halo_width(anygrad.laplacian, spacing=t, boundary=("edge", 0.0))
    assert_type(halo.left + halo.right, int)
    assert_type(anygrad.laplacian(t, boundary=["ghosts", ("ghosts", "edge")]), Tensor)
    assert_type(anygrad.derivative(t, boundary=(t, "edge")), Tensor)
    assert_type(anygrad.derivative(t, boundary=(("ghosts", t, t), "edge")), Tensor)
    assert_type(anygrad.laplacian(t, boundary=[("periodic", t), t]), Tensor)


def spacing_of_every_kind(f: Real, x: Real, t: Tensor) -> None:
    anygrad.gradient(f, spacing=None)
    anygrad.gradient(f, spacing=2)
    anygrad.gradient(f, spacing=0.5)
    anygrad.gradient(f, spacing=1j)
    anygrad.gradient(f, spacing=np.float64(2))
    anygrad.gradient(f, spacing=[x, 1.0, 2])
    anygrad.gradient(f, spacing=(x, x))
    anygrad.gradient(t, spacing=[t])
    anygrad.gradient(f, spacing="2")  # type: ignore[arg-type]
    anygrad.gradient(f, spacing=[None])  # type: ignore[list-item]


def boundaries_of_every_kind(f: Real, modes: list[str], values: list[float]) -> None:
    anygrad.gradient(f, boundary=modes)
    anygrad.gradient(f, boundary=values)
    anygrad.gradient(f, boundary=[(mode, 0.0) for mode in modes])
    anygrad.gradient(f, boundary=tuple(modes))  # type: ignore[arg-type]
    anygrad.gradient(f, boundary=set(modes))  # type: ignore[call-overload]
    anygrad.gradient(f, boundary=[None])  # type: ignore[list-item]
    anygrad.gradient(f, boundary=("edge", "edge", "edge"))  # type: ignore[arg-type]


def dims_of_every_kind(f: Real) -> None:
    anygrad.gradient(f, dim=None)
    anygrad.gradient(f, dim=-1)
    anygrad.gradient(f, dim=[0, 1])
    anygrad.gradient(f, axis=(1, 0))
    anygrad.gradient(f, edge_order=2)
    anygrad.gradient(f, dim=1.0)  # type: ignore[call-overload]
    anygrad.gradient(f, axis="0")  # type: ignore[arg-type]
    anygrad.gradient(f, edge_order="2")  # type: ignore[call-overload]


def what_is_refused(f: Real) -> None:
    anygrad.gradient([1.0, 2.0])  # type: ignore[call-overload]
    anygrad.gradient(3.0)  # type: ignore[call-overload]
    anygrad.gradient(f, 2.0)  # type: ignore[call-overload]
    anygrad.gradient(f, periodic=True)  # type: ignore[call-overload]
    anygrad.gradient()  # type: ignore[call-overload]
    anygrad.hessian(f, scale_factors=[1.0])  # type: ignore[arg-type]
    anygrad.nothing()  # type: ignore[attr-defined]


def workers() -> None:
    assert_type(anygrad.get_workers(), int)
    with anygrad.set_workers(2) as nothing:
        assert_type(nothing, None)
    manager: AbstractContextManager[None] = anygrad.set_workers(2)
    del manager
    anygrad.set_default_workers(1)
    anygrad.set_workers("2")  # type: ignore[arg-type]


def versions() -> None:
    anygrad.show_versions()
    anygrad.show_versions(io.StringIO())
    anygrad.show_versions(every=True)
    assert_type(anygrad.__version__, str)
