"""A script whose calls follow the settings of JAX and torch that decide on dtypes."""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import anygrad


def in_jax(*settings: str) -> list[dict[str, str]]:
    """Return the dtypes of results under settings, one after the other."""
    import jax
    import numpy

    jax.config.update("jax_enable_x64", True)
    f, x = (
        jax.numpy.asarray(numpy.asarray(a) + 0.0)
        for a in ([0, 1, 4, 9, 7], [0, 1, 3, 4, 6])
    )
    given = {name: getattr(anygrad, name) for name in anygrad.__all__} | {
        "f8": f,
        "x8": x,
        "f4": f.astype("float32"),
        "x4": x.astype("float32"),
        "i4": f.astype("int32"),
        "i8": f.astype("int64"),
        "h4": jax.numpy.asarray(0.5, dtype="float32"),
        "h8": jax.numpy.asarray(0.5, dtype="float64"),
    }
    found = []
    for setting in settings:
        with jax_setting(jax, setting), warnings.catch_warnings():
            # JAX tells of every double that it makes a single.
            warnings.simplefilter("ignore", UserWarning)
            found.append(
                {
                    call: dtype_of(lambda call=call: eval(call, given))
                    for call in JAX_CALLS
                }
            )
    return found


def jax_setting(jax: Any, setting: str) -> AbstractContextManager[Any]:
    """Set 64-bit numbers for good or for a while; or the mode of promotion."""
    kind, _, value = setting.partition(" ")
    if kind == "mode":
        jax.config.update("jax_enable_x64", True)
        mode: AbstractContextManager[Any] = jax.numpy_dtype_promotion(value)
        return mode
    if kind == "while":
        try:
            enable_x64 = jax.enable_x64
        except AttributeError:  # before it was made public
            from jax.experimental import enable_x64
        context: AbstractContextManager[Any] = enable_x64(value == "on")
        return context
    jax.config.update("jax_enable_x64", value == "on")
    return nullcontext()


def dtype_of(call: Any) -> str:
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 - JAX has its own for promotions
        return type(error).__name__
    return str((result[0] if isinstance(result, tuple) else result).dtype)


#: Calls, and the dtypes of their results with 64-bit numbers and without.
JAX_CALLS = {
    "gradient(f4, spacing=[x8])": ("float64", "float32"),
    "gradient(f8, spacing=2j)": ("complex128", "complex64"),
    "gradient(f8, spacing=0.5)": ("float64", "float32"),
    "gradient(f8)": ("float64", "float32"),
    "gradient(f4, spacing=2j)": ("complex64", "complex64"),
    "gradient(f4, spacing=h8)": ("float32", "float32"),
    "gradient(f8, spacing=[x4])": ("float64", "float32"),
    "gradient(i4)": ("float64", "float32"),
    "gradient(i4, spacing=2j)": ("complex128", "complex64"),
    "gradient(i4, spacing=[x4])": ("float64", "float32"),
    "gradient(i8, spacing=h4)": ("float64", "float32"),
    "laplacian(f8, spacing=0.5)": ("float64", "float32"),
    "hessian(f4, spacing=[x8])": ("float64", "float32"),
    "derivative(f8, order=2, boundary=0.5)": ("float64", "float32"),
    "stencil(i4)": ("float64", "float32"),
}


def in_torch(*defaults: str) -> list[dict[str, str]]:
    """Return the dtypes of results under default dtypes, one after the other."""
    import torch

    n = torch.tensor([0, 1, 4, 9])
    given = {name: getattr(anygrad, name) for name in anygrad.__all__} | {
        "n": n,
        "u": n.to(torch.uint8),
        "x": n.to(torch.float64),
    }
    found = []
    for default in defaults:
        torch.set_default_dtype(getattr(torch, default))
        found.append(
            {
                call: dtype_of(lambda call=call: eval(call, given)).partition(".")[2]
                for call in TORCH_CALLS
            }
        )
    return found


#: Calls on integers, and whether the result is complex.
TORCH_CALLS = {
    "gradient(n)": False,
    "gradient(n, spacing=0.3)": False,
    "gradient(u, spacing=2j)": True,
    "gradient(u, spacing=[n])": False,
    "gradient(n, stack_dim=0)": False,
    "derivative(u, order=2, boundary=3)": False,
    "laplacian(n, boundary='periodic')": False,
    "hessian(u)": False,
    "stencil(n)": False,
}


SCRIPTS = {script.__name__: script for script in (in_jax, in_torch)}


if __name__ == "__main__":
    _, script, *arguments = sys.argv
    print(json.dumps(SCRIPTS[script](*arguments)))  # noqa: T201 - the script's answer
