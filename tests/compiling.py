"""A script that compiles calls by torch, and says what went wrong, case by case.

What was called before in a process decides what `torch.compile` reads, and so does
what it has compiled before.  So `test_compile.py` has it run in fresh processes:
nothing is reset in them, and each case is a function of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import anygrad
from compiled_calls import (
    CHANGING,
    EXPORTS,
    MODES,
    OF_ALL_SHAPES,
    OF_NUMPY,
    OTHERS,
    SHAPES,
    USUAL,
    WARM,
    Counted,
    arrays,
    difference,
    function,
    trial,
)

#: Modules of the standard library that do nothing when they are imported.
QUIET = """
argparse ast asyncio base64 bisect calendar cmd code codecs colorsys configparser
csv ctypes dataclasses datetime decimal difflib dis doctest email fileinput fnmatch
fractions ftplib getopt gettext glob graphlib gzip hashlib heapq hmac html http
imaplib ipaddress json logging lzma mailbox mimetypes multiprocessing netrc
optparse pickle pickletools pkgutil plistlib poplib pprint profile pstats pydoc
queue quopri random sched secrets selectors shelve shlex shutil smtplib socket
socketserver sqlite3 ssl statistics string stringprep symtable tarfile tempfile
textwrap timeit tomllib trace tracemalloc unittest uuid wave webbrowser
wsgiref xml xmlrpc zipapp zipfile zoneinfo
"""


def cold() -> dict[str, str]:
    """Compile before anything is called without compilation."""
    return calls_that_are_new(USUAL) | calls_that_change()


def others() -> dict[str, str]:
    """Do the same with all other calls."""
    return calls_that_are_new(OTHERS)


def of_numpy() -> dict[str, str]:
    """Do the same with numbers of NumPy's."""
    return calls_that_are_new(OF_NUMPY)


def warm() -> dict[str, str]:
    """Compile after other things have happened in the process."""
    return calls_that_are_known() | what_happens_between() | programs_that_are_kept()


def calls_that_are_new(calls: Sequence[str]) -> dict[str, str]:
    """Compile each call, then make all of them without compilation."""
    import torch

    given = arrays()
    found: dict[str, Any] = {}

    def compiled(call: str) -> str:
        program = torch.compile(function(call), backend="eager", fullgraph=True)
        found[call] = program(**given)
        return ""

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        wrong = {call: trial(lambda call=call: compiled(call)) for call in calls}
    for call, results in found.items():
        wrong[call] = difference(results, function(call)(**given))
    wrong["warnings"] = " | ".join(str(w.message).splitlines()[0] for w in seen)
    return wrong


def calls_that_are_known() -> dict[str, str]:
    """Compile each call after the same without compilation."""
    import torch

    given = arrays()

    def compiled(call: str) -> str:
        wanted = function(call)(**given)
        program = torch.compile(function(call), backend="eager", fullgraph=True)
        return difference(program(**given), wanted) or difference(
            program(**given), wanted
        )

    return {call: trial(lambda call=call: compiled(call)) for call in WARM}


def calls_that_change() -> dict[str, str]:
    """Call one program with arguments that differ, then count its graphs."""
    given = arrays()

    def changing(call: str) -> str:
        values, most = CHANGING[call]
        counted = Counted(function(call))
        found = [counted.call(**given | {"k": k}) for k in values]
        if counted.graphs > most:
            return f"{counted.graphs} graphs, not {most}"
        wanted = [function(call)(**given | {"k": k}) for k in values]
        return "".join(map(difference, found, wanted))

    def of_all_shapes(call: str, dynamic: bool | None) -> str:
        counted = Counted(function(call), dynamic=dynamic)
        most = 1 if dynamic else 2
        for rows, columns in SHAPES:
            f = (
                given["w"]
                .new_tensor(range(rows * columns))
                .cos()
                .reshape(rows, columns)
            )
            changed = given | {"f": f, "v": f.new_ones(2, 1, 1) * f}
            wanted = function(call)(**changed)
            wrong = difference(counted.call(**changed), wanted)
            if wrong:
                return wrong
        return f"{counted.graphs} graphs" if counted.graphs > most else ""

    return {call: trial(lambda call=call: changing(call)) for call in CHANGING} | {
        f"{call}, dynamic={dynamic}": trial(
            lambda call=call, dynamic=dynamic: of_all_shapes(call, dynamic)
        )
        for call in OF_ALL_SHAPES
        for dynamic in (True, None)
    }


def imports(f: Any) -> None:
    for name in QUIET.split():
        importlib.import_module(name)


def other_dtypes(f: Any) -> None:
    import torch

    for dtype in ("float16", "bfloat16", "complex64", "uint8", "int64"):
        for array in (f, f[0]):
            anygrad.gradient(array.to(getattr(torch, dtype)), spacing=0.5)
            anygrad.laplacian(array.to(getattr(torch, dtype)))


def other_shapes(f: Any) -> None:
    for n in range(3, 40):
        anygrad.gradient(f.new_ones(n, n), spacing=0.1 * n)


def other_arguments(f: Any) -> None:
    for accuracy in (2, 4, 6):
        for mode in MODES:
            anygrad.hessian(f, accuracy=accuracy, boundary=mode)
            anygrad.gradient(f, accuracy=accuracy, boundary=[mode, 0.5 * accuracy])


def other_libraries(f: Any) -> None:
    if importlib.util.find_spec("numpy"):
        numpy = importlib.import_module("numpy")
        anygrad.gradient(numpy.ones((4, 5)), spacing=[0.3, numpy.arange(5.0)])
        anygrad.derivative(numpy.ones(4).view(type("Named", (numpy.ndarray,), {})))


def other_threads(f: Any) -> None:
    thread = threading.Thread(target=anygrad.gradient, args=(f.float(),))
    thread.start()
    thread.join()


def other_workers(f: Any) -> None:
    with anygrad.set_workers(2):
        anygrad.gradient(f, spacing=0.9)


#: What happens between two calls, and must not matter to what has been compiled.
EVENTS: dict[str, Callable[[Any], None]] = {
    "nothing": lambda _: None,
    "imports": imports,
    "other dtypes": other_dtypes,
    "other shapes": other_shapes,
    "other arguments": other_arguments,
    "other libraries": other_libraries,
    "other threads": other_threads,
    "other workers": other_workers,
}


def what_happens_between() -> dict[str, str]:
    """Call programs again after other things have happened in the process."""
    import torch

    class Marked(torch.Tensor):
        pass

    given = arrays()
    f = given["f"]
    inputs = {
        "a tensor": f,
        "a parameter": torch.nn.Parameter(f.clone()),
        "a subclass": f.clone().as_subclass(Marked),
    }
    calls = {
        f"{call} of {name}": (call, given | {"f": array})
        for name, array in inputs.items()
        for call in (
            "gradient(f, spacing=[x, 0.5])",
            "derivative(f, order=2, spacing=0.3)",
        )
    }
    wrong: dict[str, str] = {}
    programs: dict[str, Counted] = {}

    def again(name: str, call: str, arrays: dict[str, Any], event: str) -> str:
        counted = programs.setdefault(name, Counted(function(call)))
        before = counted.graphs
        result = counted.call(**arrays)
        if counted.graphs != before + (event == "nothing"):
            return f"{counted.graphs - before} graphs"
        # Without what autograd knows of them: torch alone decides that.
        wanted = function(call)(**arrays)
        return difference(result, wanted)

    for event, happen in EVENTS.items():
        happen(f)
        for name, (call, arrays_) in calls.items():
            wrong[f"{event}: {name}"] = trial(
                lambda n=name, c=call, a=arrays_, e=event: again(n, c, a, e)
            )
    return wrong


def programs_that_are_kept() -> dict[str, str]:
    """Export programs; compile and go back."""
    import torch

    given = arrays()
    f, x = given["f"], given["x"]

    class Program(torch.nn.Module):
        def __init__(self, call: Callable[..., Any]) -> None:
            super().__init__()
            self.call = call

        def forward(self, f: Any, x: Any) -> Any:
            return self.call(f, x)

    def slopes(f: Any, x: Any) -> Any:
        return anygrad.gradient(f, spacing=[x, 0.5])

    def slopes_in_rows(f: Any, x: Any) -> Any:
        return anygrad.derivative(f, spacing=0.1, accuracy=4, boundary="edge")

    def second(f: Any, x: Any) -> Any:
        return anygrad.hessian(f, spacing=[x, 0.5])

    def export(call: Any, strict: bool, dynamic: bool) -> str:
        sizes = {"f": {1: torch.export.Dim("columns", min=6)}, "x": {}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's own
            program = torch.export.export(
                Program(call),
                (f, x),
                dynamic_shapes=sizes if dynamic else None,
                strict=strict,
            ).module()
        wide = torch.cat([f, f.cos()], 1) if dynamic else f.cos()
        return difference(program(wide, x), call(wide, x))

    def back(call: Any, backend: str) -> str:
        program = torch.compile(call, backend=backend, fullgraph=True)

        def slope(function: Any) -> tuple[Any, ...]:
            inputs = [array.clone().requires_grad_() for array in (f, x)]
            results = function(*inputs)
            results = results if isinstance(results, tuple) else (results,)
            total = sum((result**2).sum() for result in results)
            return torch.autograd.grad(total, inputs)

        return difference(program(f, x), call(f, x)) or difference(
            slope(program), slope(call)
        )

    wrong = {
        f"export {call}, strict={strict}, dynamic={dynamic}": trial(
            lambda c=program, s=strict, d=dynamic: export(c, s, d)
        )
        for program in (slopes, slopes_in_rows, second)
        for call, strict, dynamic in EXPORTS
        if call == program.__name__
    }
    wrong |= {
        f"back through {call.__name__}, {backend}": trial(
            lambda c=call, b=backend: back(c, b)
        )
        for call, backend in (
            (slopes, "eager"),
            (second, "eager"),
            (slopes, "aot_eager"),
            (second, "aot_eager"),
        )
    }
    return wrong


SCRIPTS = {"cold": cold, "others": others, "of NumPy": of_numpy, "warm": warm}


if __name__ == "__main__":
    print(json.dumps(SCRIPTS[sys.argv[1]]()))  # noqa: T201 - the script's answer
