"""The calls that processes make on parts of samples, and what is beside these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anygrad

ROWS = [0.0, 0.7, 1.0, 2.1, 2.5, 4.0, 4.6, 5.0, 6.3, 7.0, 7.2, 8.8, 9.0]

Own = Callable[..., Any]
Call = Callable[[Any, Own], Any]


def rows(like: Any, *, per_point: bool = False) -> Any:
    """Return coordinates along the first dim, for each line or for all."""
    import torch

    x = torch.tensor(ROWS[: like.shape[0]], dtype=torch.float64)
    columns = torch.arange(1.0, like.shape[1] + 1, dtype=torch.float64)
    return x[:, None] * columns if per_point else x


def valid(like: Any) -> Any:
    import torch

    return (torch.arange(like.shape[0] * like.shape[1]) % 7 != 3).reshape(like.shape)


def one(like: Any, value: float = 3.0) -> Any:
    import torch

    return torch.full((1, like.shape[1]), value, dtype=torch.float64)


def vectors(f: Any) -> Any:
    import torch

    return torch.stack([f, f.square()], dim=1)


#: `own` makes a tensor a DTensor: cut as its first dim is named, or whole.
CALLS: dict[str, Call] = {
    "gradient": lambda f, own: anygrad.gradient(f),
    "accuracy": lambda f, own: anygrad.gradient(f, accuracy=4, edge_order=2, dim=0),
    "third": lambda f, own: anygrad.derivative(f, order=3, dim=0, edge_order=1),
    "laplacian": lambda f, own: anygrad.laplacian(f, spacing=0.3, edge_order=1),
    "hessian": lambda f, own: anygrad.hessian(f, edge_order=1),
    "stacked": lambda f, own: anygrad.gradient(f, stack_dim=0),
    "ring": lambda f, own: anygrad.gradient(f, boundary="periodic", accuracy=4),
    "ring of coordinates": lambda f, own: anygrad.derivative(
        f, spacing=own(rows(f), 0), boundary=("periodic", 20.0), dim=0, order=2
    ),
    "values": lambda f, own: anygrad.hessian(f, boundary=[own(one(f)), "reflect"]),
    "coordinates": lambda f, own: anygrad.gradient(f, spacing=[own(rows(f), 0), 2.0]),
    "whole coordinates": lambda f, own: anygrad.gradient(
        f, spacing=[own(rows(f))], dim=0
    ),
    "per point": lambda f, own: anygrad.hessian(
        f, spacing=[own(rows(f, per_point=True), 0), 1.0], edge_order=1
    ),
    "mask": lambda f, own: anygrad.gradient(f, where=own(valid(f), 0)),
    "mixed mask": lambda f, own: anygrad.hessian(f, where=own(valid(f)), edge_order=1),
    "divergence": lambda f, own: anygrad.divergence(vectors(f), vector_dim=1),
    "jacobian": lambda f, own: anygrad.jacobian(vectors(f), vector_dim=1),
}
