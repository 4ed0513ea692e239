"""Putting functions of our own into the tables that CuPy calls CUDA through.

A Cython module shows its C functions to others in a dictionary of capsules, its
``__pyx_capi__``. A capsule holds the address of a function, and the type of the
function as its name. The other modules copy the addresses when they are
imported; so all this has to happen before ``import cupy``. The Python functions
of the same names are replaced as well.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from ._driver import Entry

# Not pythonapi.PyCapsule_New itself, whose types other users may have set.
_new_capsule = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)(("PyCapsule_New", ctypes.pythonapi))
_capsule_name = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(
    ("PyCapsule_GetName", ctypes.pythonapi)
)

_CTYPES: dict[str, Any] = {
    "int": ctypes.c_int,
    "unsigned int": ctypes.c_uint,
    "float": ctypes.c_float,
    "size_t": ctypes.c_size_t,
    "intptr_t": ctypes.c_ssize_t,
    "PyObject *": ctypes.py_object,
    "struct *": ctypes.c_void_p,
}

#: Functions that need no driver, and stay as they are.
_KEPT = {
    "_getCUDAMajorVersion",
    "check_status",
    "get_build_version",
    "make_Extent",
    "make_PitchedPtr",
    "make_Pos",
    "runtimeGetVersion",
}
#: What Cython takes for a hint at an exception, where that is not a zero.
_MINUS_ONE = {"int", "size_t"}


def _simplify(signature: str) -> str:
    """Return a type without the names that Cython writes into it.

    Examples
    --------
    >>> _simplify("PyObject *(intptr_t, int __pyx_skip_dispatch)")
    'PyObject * (intptr_t, int)'
    """
    signature = signature.replace("__pyx_skip_dispatch", "").replace("(void)", "()")
    signature = re.sub(r"struct __pyx_obj_\w+ \*", "PyObject *", signature)
    signature = re.sub(r"struct __pyx_opt_args_\w+ \*\w+", "struct *", signature)
    result, parameters = signature.rstrip(")").split("(")
    listed = ", ".join(parameter.strip() for parameter in parameters.split(","))
    return f"{result.strip()} ({listed})"


def _signatures(table: dict[str, object]) -> dict[str, str]:
    """Return the simplified types of the functions (not the data) of a table."""
    names = {
        key: ctypes.string_at(_capsule_name(capsule)).decode()
        for key, capsule in table.items()
    }
    return {key: _simplify(name) for key, name in names.items() if "(" in name}


def _python_function(entry: Entry) -> Callable[..., Any]:
    """Return a Python function that calls the entry."""
    result, parameters = entry.signature.rstrip(")").split(" (")
    types = [_CTYPES[name] for name in parameters.split(", ") if name]
    native = ctypes.PYFUNCTYPE(_CTYPES[result], *types)(entry.address)
    #: Cython's last parameters have a default, or are not seen from Python.
    least = sum(name != "struct *" for name in parameters.split(", ")) - 1

    def function(*arguments: Any) -> Any:
        hidden = [0, None][: len(types) - least]
        return native(*arguments[:least], *hidden)

    function.__name__ = function.__qualname__ = entry.name
    return function


def _not_emulated(name: str) -> Callable[..., Any]:
    """Return a Python function that refuses to be called."""

    def function(*arguments: Any) -> Any:
        raise RuntimeError(f"cupy_on_cpu does not emulate the CUDA function {name}")

    function.__name__ = function.__qualname__ = name
    return function


def replace(module: ModuleType, name: str, entries: Iterable[Entry]) -> None:
    """Replace the functions of a module of CuPy.

    Parameters
    ----------
    module : module
        ``cupy_backends.cuda.api.runtime`` or ``.driver``.
    name : str
        What the entries call it.
    entries : iterable of Entry
        All functions of the pretended driver.

    Raises
    ------
    RuntimeError
        If the module lacks one of them or has it with another type; nothing was
        replaced then.
    """
    table: dict[str, object] = module.__dict__["__pyx_capi__"]
    ours = {entry.name: entry for entry in entries if entry.module == name}
    refusals = {entry.name: entry.address for entry in entries if not entry.module}
    signatures = _signatures(table)
    for key, entry in ours.items():
        if signatures.get(key) != entry.signature:
            raise RuntimeError(
                f"{module.__name__}.{key} should be '{entry.signature}' and is "
                f"{signatures.get(key)!r}: not the CuPy that cupy_on_cpu is made for"
            )
    for key, signature in signatures.items():
        if key in ours:
            address = ours[key].address
            function = _python_function(ours[key])
        elif key in _KEPT:
            continue
        else:
            minus_one = signature.split(" (")[0] in _MINUS_ONE
            kind = "not_emulated_minus_one" if minus_one else "not_emulated_null"
            address = refusals[kind]
            function = _not_emulated(key)
        # The name of the old capsule is a constant of the module's library.
        table[key] = _new_capsule(address, _capsule_name(table[key]), None)
        if hasattr(module, key):
            setattr(module, key, function)
