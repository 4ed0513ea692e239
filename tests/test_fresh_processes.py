"""What came before in a process, or comes at the same time, changes no result.

This file is a script, too: its functions run in processes of their own, in which
nothing has been called before.
"""

from __future__ import annotations

import importlib
import json
import pickle
import sys
import threading
import types
import warnings
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import anygrad
import fresh
from backends import Backend

#: Modules of which somebody else may have put a part into `sys.modules`, and names
#: that are in the part.
FOREIGN = {
    "torch": ("compiler", "nn"),
    "torch.masked": ("masked_tensor",),
    "jax": ("Array", "numpy"),
    "cupy": ("ndarray", "cuda"),
    "dask": ("base",),
    "dask.array": ("Array",),
    "xarray": ("Variable",),
    "pandas": ("Series",),
    "pint": ("Unit",),
    "astropy.units": ("Unit",),
    "ndonnx": ("Array",),
    "sparse": ("SparseArray",),
}

#: Groups of calls that are one call for a careless reader: their arguments are equal,
#: or their results have the same shape and dtype.  On arrays of any library.
LIKELY = (
    (
        "gradient(g, boundary=0.0)",
        "gradient(g, boundary=-0.0)",
        "gradient(g, boundary=0)",
    ),
    (
        "derivative(g, boundary=(0.0, -0.0))",
        "derivative(g, boundary=(-0.0, 0.0))",
        "derivative(g, boundary=('edge', -0.0))",
        "derivative(g, boundary=('edge', 0.0))",
    ),
    ("gradient(f, dim=1)", "gradient(f, dim=True)", "gradient(f, dim=1.0)"),
    (
        "gradient(f, dim=[0, 1])",
        "gradient(f, dim=(0, 1))",
        "gradient(f, dim=[0, True])",
    ),
    ("gradient(f, dim=(1, 0))", "gradient(f, dim=(0, 1))", "gradient(f, dim=[1, 0])"),
    ("gradient(f, axis=1)", "gradient(f, axis=True)", "gradient(f, dim=1, axis=1)"),
    (
        "gradient(f, edge_order=1)",
        "gradient(f, edge_order=True)",
        "gradient(f, edge_order=1.0)",
    ),
    ("derivative(f, accuracy=2)", "derivative(f, accuracy=2.0)"),
    ("derivative(f, order=1)", "derivative(f, order=True)", "derivative(f, order=1.0)"),
    ("laplacian(f, accuracy=2)", "laplacian(f, accuracy=2.0)"),
    ("hessian(f, stack_dim=1)", "hessian(f, stack_dim=True)"),
    ("jacobian(f, vector_dim=1)", "jacobian(f, vector_dim=True)"),
    ("gradient(f, stack_dim=0)", "gradient(f, stack_dim=False)", "gradient(f)"),
    ("gradient(f, spacing=1)", "gradient(f, spacing=True)", "gradient(f, spacing=1.0)"),
    (
        "gradient(f, spacing=2)",
        "gradient(f, spacing=2 + 0j)",
        "gradient(f, spacing=2.0)",
    ),
    (
        "gradient(f, spacing=[1, 2])",
        "gradient(f, spacing=(1, 2))",
        "gradient(f, spacing=3)",
    ),
    ("gradient(f, spacing=[True, 2])", "gradient(f, spacing=[1, 2])"),
    ("gradient(f, spacing=0.1)", "gradient(f, spacing=Fraction(1, 10))"),
    (
        "gradient(f, boundary=1)",
        "gradient(f, boundary=True)",
        "gradient(f, boundary=1.0)",
    ),
    (
        "gradient(f, boundary=2)",
        "gradient(f, boundary=2 + 0j)",
        "gradient(f, boundary=3)",
    ),
    (
        "gradient(f, boundary=['edge', 'reflect'])",
        "gradient(f, boundary=('edge', 'reflect'))",
        "gradient(f, boundary=['reflect', 'edge'])",
        "gradient(f, boundary=('reflect', 'edge'))",
    ),
    (
        "gradient(f, boundary=['periodic', 'edge'])",
        "gradient(f, boundary=('periodic', 'edge'))",
        "gradient(f, boundary='periodic')",
    ),
    (
        "derivative(f, boundary=(1, 2))",
        "derivative(f, boundary=(2, 1))",
        "derivative(f, boundary=[1, 2])",
        "derivative(f, boundary=(1, True))",
    ),
    (
        "derivative(f, spacing=x, boundary=('periodic', 9))",
        "derivative(f, spacing=x, boundary=('periodic', 7.5))",
        "derivative(f, spacing=x, boundary=('periodic', True))",
        "derivative(f, spacing=x, boundary=('periodic', -9))",
        "derivative(f, spacing=x, boundary='periodic')",
        "derivative(f, boundary=('periodic', 9))",
    ),
    (
        "gradient(f, spacing=h)",
        "gradient(f, spacing=[h, h])",
        "gradient(f, spacing=0.5)",
    ),
    ("gradient(f, dim=1, spacing=[x])", "gradient(f, dim=1, spacing=[x + x])"),
    (
        "divergence(f, dim=1)",
        "curl(f, dim=1)",
        "jacobian(f, dim=1)",
        "jacobian(f, dim=True)",
    ),
    ("stencil([-1, 0, 1])", "stencil([-1, False, True])", "stencil([-1.0, 0, 1])"),
    ("stencil((0, 1))", "stencil((0, Fraction(1)))", "stencil((0, 1), order=True)"),
)

#: The same, of NumPy's own: numbers, memories and byte orders.
LIKELY_IN_NUMPY = (
    (
        "gradient(f, dim=np.int64(1))",
        "gradient(f, dim=1)",
        "gradient(f, dim=np.bool_(1))",
    ),
    ("gradient(f, dim=np.float64(1))", "gradient(f, dim=[np.int8(0), 1])"),
    ("derivative(f, order=np.int64(2))", "derivative(f, order=2)"),
    ("gradient(f, edge_order=np.int64(2))", "gradient(f, edge_order=np.float64(2))"),
    ("gradient(f, spacing=np.float32(0.1))", "gradient(f, spacing=0.1)"),
    ("gradient(f, spacing=np.float64(0.1))", "gradient(f, spacing=np.float16(0.1))"),
    ("gradient(f, spacing=np.int8(2))", "gradient(f, spacing=np.timedelta64(2, 's'))"),
    ("gradient(f, spacing=np.complex64(2))", "gradient(f, spacing=np.float32(2))"),
    ("gradient(f, spacing=np.bool_(1))", "gradient(f, spacing=np.uint64(1))"),
    ("gradient(f, boundary=np.float64(-0.0))", "gradient(f, boundary=np.float64(0.0))"),
    ("gradient(f.astype('>f8'))", "gradient(f.astype('<f8'))"),
    ("laplacian(f.astype('>f4'))", "laplacian(f.astype('<f4'))"),
    (
        "gradient(f.astype('>i4'))",
        "gradient(f.astype('<i4'))",
        "gradient(f.astype('i8'))",
    ),
    ("gradient(np.asfortranarray(f))", "gradient(f)", "gradient(f.T.copy().T)"),
    ("gradient(np.asfortranarray(f), stack_dim=2)", "gradient(f, stack_dim=2)"),
    ("gradient(locked(f))", "gradient(f.copy())", "gradient(f[::-1][::-1])"),
    ("gradient(f[:, ::-1])", "gradient(f[:, ::-1].copy())"),
    ("derivative(f, spacing=x[::-1])", "derivative(f, spacing=x[::-1].copy())"),
    ("derivative(f, spacing=x.astype('>f8'))", "derivative(f, spacing=x.astype('f4'))"),
    ("derivative(f, spacing=locked(x))", "derivative(f, spacing=x)"),
    ("gradient(f.view(Named))", "gradient(f)"),
)


# The scripts.


def outcome(call: str, given: dict[str, Any]) -> list[str]:
    """Return all that can be told of a call: dtype, bits, or the error."""
    try:
        results = eval(call, given)
        if not isinstance(results, tuple):
            results = (results,)
        return [
            f"{r.dtype} {given['tolist'](r)}" if hasattr(r, "dtype") else str(r)
            for r in results
        ]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return [type(error).__name__, str(error).splitlines()[0]]


def names(library: str) -> tuple[dict[str, Any], Backend]:
    """Return what the calls name: functions, numbers, and arrays of a library."""
    from backends import plain

    if library == "cupy":
        import cupy_on_cpu

        cupy_on_cpu.gpu_present() or cupy_on_cpu.install()
    backend = plain(library)
    samples = [[3.0, -1, 4, 1, -5], [9, 2, 6, 5, 3], [5, -8, 9, 7, 9]]
    found = {name: getattr(anygrad, name) for name in anygrad.__all__}
    return found | {
        "f": backend.asarray(samples),
        "g": backend.asarray([[1.0, -0.0, 2, -0.0, 3]] * 4),
        "x": backend.asarray([0.0, 1, 3, 4, 7]),
        "h": backend.asarray(0.5),
        "Fraction": Fraction,
        "tolist": backend.tolist,
    }, backend


def likely(library: str, order: str) -> dict[str, list[str]]:
    """Make all calls in an order of their own."""
    given, backend = names(library)
    groups = list(LIKELY)
    if library == "numpy":
        import numpy as np

        def locked(array: Any) -> Any:
            array = array.copy()
            array.flags.writeable = False
            return array

        class Named(np.ndarray):
            pass

        given |= {"np": np, "locked": locked, "Named": Named}
        groups += LIKELY_IN_NUMPY
    found = {}
    with backend.active():
        for group in groups:
            for call in group if order == "forward" else group[::-1]:
                found[call] = outcome(call, given)
    return found


def while_torch_is_imported() -> dict[str, Any]:
    """Call on NumPy arrays while another thread imports torch."""
    import numpy

    f = numpy.arange(5.0) ** 2
    errors: dict[str, int] = {}
    calls = {"good": 0, "wrong": 0}
    started = threading.Event()

    def load() -> None:
        started.set()
        importlib.import_module("torch")

    # Else the import, which waits for its turn after each file, takes minutes.
    sys.setswitchinterval(1e-4)
    thread = threading.Thread(target=load)
    thread.start()
    started.wait()
    while thread.is_alive():
        for spacing in (1, 2.0, [f]):
            try:
                (result,) = anygrad.gradient(f, spacing=spacing)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                name = f"{type(error).__name__}: {error}"
                errors[name] = errors.get(name, 0) + 1
            else:
                good = spacing != 1 or result.tolist() == [1, 2, 4, 6, 7]
                calls["good" if good else "wrong"] += 1
    return {"errors": errors, **calls}


def beside_strangers(library: str, *strangers: str) -> dict[str, list[str]]:
    """Call where modules of that name hold nothing, or a part of what they should."""
    given, backend = names(library)
    found: dict[str, list[str]] = {}
    calls = (
        "gradient(f)",
        "gradient(f, spacing=[h, x])",
        "gradient(f, where=f > 0, edge_order=2)",
        "laplacian(f, spacing=0.5)",
        "hessian(f, spacing=[2, x])",
        "stencil(x)",
        "gradient([1.0, 2.0])",
        "gradient(f, spacing=x)",
        "gradient(f, spacing=[[0, 1, 2], x])",
    )
    with backend.active():
        before = {name: sys.modules.get(name) for name in strangers}
        for kind in ("none", "empty", "half"):
            for name in strangers:
                stub = types.ModuleType(name)
                for part in FOREIGN[name] if kind == "half" else ():
                    setattr(stub, part, type(part, (), {}))
                if kind != "none":
                    sys.modules[name] = stub
            # New shapes each time, so that nothing is known of them.
            f = given["f"] if kind == "none" else given["f"] * 1
            for call in calls:
                found[f"{kind}: {call}"] = outcome(call, given | {"f": f})
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
    return found


def strangers_first(library: str, *strangers: str) -> list[list[str]]:
    """Make the first calls of a process beside modules that hold nothing."""
    given, backend = names(library)
    for name in strangers:
        sys.modules[name] = types.ModuleType(name)
    with backend.active():
        return [
            outcome(call, given)
            for call in ("gradient(f)", "gradient(f, spacing=[h, x])", "stencil(x)")
        ]


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


SCRIPTS = {
    script.__name__: script
    for script in (
        likely,
        while_torch_is_imported,
        beside_strangers,
        strangers_first,
        in_jax,
        in_torch,
    )
}


# The tests.


def ask(script: Any, *arguments: str) -> Any:
    return fresh.answer(str(Path(__file__)), script.__name__, *arguments)


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


if __name__ == "__main__":
    _, script, *arguments = sys.argv
    print(json.dumps(SCRIPTS[script](*arguments)))  # noqa: T201 - the script's answer
