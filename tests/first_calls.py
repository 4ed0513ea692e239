"""A script that makes the first calls of a process: in any order, beside anything."""

from __future__ import annotations

import importlib
import json
import sys
import threading
import types
from fractions import Fraction
from typing import Any

import anygrad
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


SCRIPTS = {
    script.__name__: script
    for script in (likely, while_torch_is_imported, beside_strangers, strangers_first)
}


if __name__ == "__main__":
    _, script, *arguments = sys.argv
    print(json.dumps(SCRIPTS[script](*arguments)))  # noqa: T201 - the script's answer
