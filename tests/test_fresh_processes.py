"""What came before in a process, or comes at the same time, changes no result.

The calls are made by scripts, in processes in which nothing has been called before.
"""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

import anygrad
import fresh
from backends import Backend
from first_calls import (
    FOREIGN,
    beside_strangers,
    likely,
    strangers_first,
    while_torch_is_imported,
)
from switched_dtypes import JAX_CALLS, TORCH_CALLS, in_jax, in_torch


def ask(script: Any, *arguments: str) -> Any:
    return fresh.answer(inspect.getfile(script), script.__name__, *arguments)


def test_importing_loads_no_array_library() -> None:
    libraries = ("numpy", "torch", "jax", "dask", "cupy", "array_api_strict")
    code = (
        "import sys; from anygrad import *; gradient, spherical; "
        f"print(*(set({libraries}) & set(sys.modules)))"
    )
    assert fresh.run("-c", code) == "\n"


def test_functions_are_loaded_when_they_are_asked_for() -> None:
    code = (
        "import sys, anygrad; "
        "print(*sorted(name for name in sys.modules if name.startswith('anygrad'))); "
        "anygrad.gradient; print('anygrad._plans' in sys.modules)"
    )
    assert fresh.run("-c", code).split("\n") == ["anygrad anygrad._version", "True", ""]


def test_a_call_imports_what_it_needs(numpy: Any) -> None:
    """Not all that NumPy has; before 2.1, it is array-api-compat that imports that."""
    if not hasattr(numpy, "__array_namespace_info__"):
        pytest.skip("NumPy's own namespace is not the standard's")
    code = (
        "import numpy, anygrad, sys; before = set(sys.modules); "
        "anygrad.gradient(numpy.zeros(9), where=numpy.True_); "
        "new = set(sys.modules) - before; "
        "print(*sorted({name for name in new if 'numpy.' in name}))"
    )
    assert fresh.run("-c", code) == "\n"


def test_functions_are_named_after_the_package() -> None:
    functions = [getattr(anygrad, name) for name in anygrad.__all__[1:]]
    assert {function.__module__ for function in functions} == {"anygrad"}
    assert [pickle.loads(pickle.dumps(function)) for function in functions] == functions
    assert set(anygrad.__all__) <= set(dir(anygrad))
    assert not hasattr(anygrad, "gradients")


@pytest.mark.peers
def test_numpy_while_another_thread_imports_torch(numpy: Any, torch: Any) -> None:
    found = ask(while_torch_is_imported)
    assert found["errors"] == {}
    assert found["wrong"] == 0
    assert found["good"] > 0


@pytest.mark.parametrize("stranger", FOREIGN)
def test_numpy_beside_a_module_of_nobody(numpy: Any, stranger: str) -> None:
    """An empty one, and one of which a part is there: they matter to no call."""
    found = ask(beside_strangers, "numpy", stranger)
    for name, result in found.items():
        _, _, call = name.partition(": ")
        assert result == found[f"none: {call}"], name
    assert found["half: gradient(f)"][1] == (
        "float64 [[-4.0, 0.5, 1.0, -4.5, -6.0], [-7.0, -1.5, 1.5, -1.5, -2.0], "
        "[-13.0, 2.0, 7.5, 0.0, 2.0]]"
    )


def test_first_calls_beside_modules_of_nobody(library: Backend) -> None:
    """The others' names are all taken: what is there is no library."""
    mine = library.module.partition(".")[0]
    wanted = (mine, "pandas", "sparse", "cupy") if mine == "dask" else (mine,)
    others = [name for name in FOREIGN if name.partition(".")[0] not in wanted]
    found = ask(strangers_first, library.library, *others)
    assert found == ask(strangers_first, library.library)


def test_the_order_of_calls(library: Backend) -> None:
    """Each gives the same bits, or the same error, before and after its likes."""
    forward = ask(likely, library.library, "forward")
    backward = ask(likely, library.library, "backward")
    assert {c: r for c, r in forward.items() if backward[c] != r} == {}
    refused = [call for call in forward if "True" in call or "False" in call]
    assert {c: forward[c] for c in refused if forward[c][0] != "TypeError"} == {}


@pytest.mark.parametrize("order", ["forward", "backward"])
@pytest.mark.parametrize("left", [0.0, -0.0])
def test_the_sign_of_a_zero(library: Backend, left: float, order: str) -> None:
    """The difference of a negative zero to zero is one, to a negative zero is none."""
    found = ask(likely, library.library, order)
    (text,) = found[f"derivative(g, boundary=({left}, {-left}))"]
    first = text.partition("[[")[2].partition(",")[0]
    assert first == str((-0.0 - left) / 2)


#: Settings of JAX, one after the other.
JAX_ORDERS = [
    ("set off", "set on", "set off"),
    ("set on", "while off", "set on"),
    ("while off", "while on", "while off"),
]


@pytest.mark.parametrize("call", JAX_CALLS)
@pytest.mark.parametrize("settings", JAX_ORDERS, ids=", ".join)
def test_dtypes_follow_jax(jax: Any, settings: tuple[str, ...], call: str) -> None:
    """64-bit numbers may be switched on and off between calls."""
    found = [visit[call] for visit in ask(in_jax, *settings)]
    wanted = [JAX_CALLS[call]["on" not in setting] for setting in settings]
    assert found == wanted


@pytest.mark.parametrize("call", JAX_CALLS)
def test_promotion_follows_jax(jax: Any, call: str) -> None:
    """What is refused in the strict mode is refused after the standard one, too."""
    (alone,) = ask(in_jax, "mode strict")
    found = [visit[call] for visit in ask(in_jax, "mode standard", "mode strict")]
    assert found == [JAX_CALLS[call][0], alone[call]]


@pytest.mark.parametrize("call", TORCH_CALLS)
@pytest.mark.parametrize("first", ["float32", "float64"])
def test_dtypes_follow_torch(torch: Any, first: str, call: str) -> None:
    """The default dtype may change between calls."""
    second = {"float32": "float64", "float64": "float32"}[first]
    defaults = [first, second, first]
    found = [visit[call] for visit in ask(in_torch, *defaults)]
    complexes = {"float32": "complex64", "float64": "complex128"}
    wanted = [complexes[d] if TORCH_CALLS[call] else d for d in defaults]
    assert found == wanted
