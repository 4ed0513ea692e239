"""The namespaces that the tests of the proposal run on."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import array_api_compat
import pytest
from array_api_extra.testing import patch_lazy_xp_functions

#: Where arrays are made; JAX compiles each call, and Dask may compute nothing.
BACKENDS = (
    "array_api_strict",
    "array_api_strict:strictest",
    "numpy",
    "torch",
    "jax.numpy",
    "dask.array",
)


@pytest.fixture(params=BACKENDS)
def xp(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a namespace of the standard, whose default is double precision."""
    name, _, tag = request.param.partition(":")
    module = importlib.import_module(name)
    with SETTINGS.get(tag or name, nullcontext)():
        namespace = array_api_compat.array_namespace(module.asarray(0.0))
        with patch_lazy_xp_functions(request, xp=namespace):
            yield namespace


def strictest() -> AbstractContextManager[Any]:
    """Do without what a library may leave out."""
    import array_api_strict

    return array_api_strict.ArrayAPIStrictFlags(
        boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    )


@contextmanager
def doubles_of_torch() -> Iterator[None]:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def doubles_of_jax() -> AbstractContextManager[Any]:
    import jax

    return jax.enable_x64(True)


SETTINGS = {
    "strictest": strictest,
    "torch": doubles_of_torch,
    "jax.numpy": doubles_of_jax,
}
