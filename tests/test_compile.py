"""`torch.compile` in one graph: cold, warm, and with inputs that change.

What was called before in a process decides what `torch.compile` reads, and so does
what it has compiled before.  So this file is a script, too, which runs in fresh
processes: nothing is reset in them, and each case is a function of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import anygrad
import fresh

MODES = ("periodic", "reflect", "symmetric", "edge", "one_sided")

#: Calls, on the arrays of `arrays`.
CALLS = (
    "gradient(f)",
    "hessian(f)",
    "curl(v)",
    "stencil(x[:4])",
    # Steps.
    "gradient(f, spacing=-2)",
    "gradient(f, spacing=(2j, h), dim=(-1, -2))",
    "derivative(f, spacing=0.1, order=2)",
    "derivative(f, spacing=h, order=3)",
    "laplacian(f, spacing=[0.7, 2], dim=[1, 0])",
    "hessian(f, spacing=[0.1, 2], boundary='periodic')",
    "jacobian(v, spacing=h)",
    # Coordinates.
    "gradient(f, spacing=[x, 0.5], edge_order=2)",
    "gradient(f, spacing=[column, xy])",
    "derivative(line, spacing=[z], order=2)",
    "derivative(line, spacing=z, accuracy=4)",
    "derivative(line, spacing=z, boundary='reflect')",
    "derivative(line, spacing=z, boundary=('periodic', 50.0))",
    "laplacian(v[0], spacing=[x, y])",
    "hessian(f, spacing=[x, y])",
    # Dims, and where the results stand.
    "gradient(f, axis=(1, 0))",
    "gradient(f, stack_dim=-1, spacing=[x, 2.0])",
    "hessian(w[0], dim=[2, 0], stack_dim=-1)",
    "divergence(v, dim=(2, 1))",
    "jacobian(last, vector_dim=-1, dim=[0])",
    "curl(w)",
    # Orders and accuracies.
    *(f"derivative(f, accuracy={accuracy})" for accuracy in (4, 6, 8)),
    *(f"derivative(f, order={order})" for order in (2, 3, 4, 5)),
    "derivative(f, order=2, accuracy=6, edge_order=3)",
    "gradient(f, dim=range(2), edge_order=3)",
    "laplacian(f, accuracy=4)",
    "jacobian(v, accuracy=4)",
    "divergence(v, accuracy=4, edge_order=2)",
    "curl(v, accuracy=4)",
    # Boundaries.
    *(f"derivative(f, boundary={mode!r})" for mode in MODES),
    "gradient(f + 1j, boundary=-2j)",
    "gradient(f, boundary=[('reflect', 'one_sided'), (2, 'edge')])",
    "gradient(f, spacing=[x, 0.1], boundary=[('periodic', 99), 'edge'])",
    "derivative(f, accuracy=6, boundary=('one_sided', 'symmetric'))",
    "laplacian(f, boundary=['periodic', 2.0])",
    "hessian(f, boundary=3.0)",
    "jacobian(v, boundary='edge')",
    "divergence(v, boundary='edge')",
    "curl(v, boundary=['reflect', ('edge', 'symmetric')])",
    "hessian(f, boundary=[h, ('edge', f[:, :1])])",
    "derivative(line, spacing=z, boundary=('periodic', 50 + h))",
    "laplacian(f[:2], accuracy=6, boundary=['periodic', (h, 2.0)])",
    "derivative(f, boundary=(('ghosts', f), 'one_sided'))",
    "derivative(line, spacing=z, boundary=('edge', ('ghosts', line, z + 50)))",
    "gradient(f, spacing=[z[:9], 2.0], boundary=[(h, ('ghosts', f, z[:9] + 50)), 1])",
    "derivative(f, boundary=(('ghosts', f), f[:, :1]))",
    # Curved coordinates.
    "divergence(v, **lonlat(y, x))",
    "gradient(f, scale_factors=[2, h], stack_dim=0)",
    "curl(w, spacing=0.1, scale_factors=[1.0, h, w[0]])",
    "laplacian(f, spacing=[x, 0.5], scale_factors=[1, column], boundary='edge')",
    # Missing samples.
    "gradient(f, where=mask[:1], edge_order=2)",
    "gradient(f, where=mask, boundary='reflect')",
    "derivative(f, where=mask, spacing=y)",
    # Dtypes.
    "gradient(n, spacing=0.3, stack_dim=0)",
    "gradient(f.half(), spacing=[x, 0.1j])",
    "gradient(f.float(), spacing=[x, 0.1])",
)

#: Calls with a number of NumPy's, which torch divides by, too.
OF_NUMPY = ("gradient(f, spacing=number)", "laplacian(f, spacing=[number, 2.0])")

#: Compiling takes half a second: the usual run has every second call of each kind.
USUAL, OTHERS = CALLS[1::2], CALLS[::2]

#: Those that another process makes in another order, and without compilation first.
WARM = CALLS[::-9]

#: One argument that changes from call to call: its values, and the number of graphs
#: that may be made for them.  torch makes the first for the very value, and the second
#: for all numbers; an argument that chooses the formula needs one for each.
CHANGING: dict[str, tuple[list[Any], int]] = {
    "gradient(f, spacing=k)": ([0.1, 0.2, 0.3, -0.7, 4.0, 1e-3], 2),
    "gradient(f, spacing=[3 * k, k])": ([2, 3, 4, 5, 7], 2),
    "derivative(f, spacing=k)": ([0.1, 0.2, 0.3, 0.4], 2),
    "derivative(f, spacing=k, dim=0)": ([0.1, 0.2, 1.0, 0.4], 3),  # none divides by 1
    "derivative(f, spacing=k, order=2, accuracy=4)": ([0.1, 0.2, 0.3, 0.4], 2),
    "hessian(f, spacing=k)": ([0.1, 0.2, 0.3, 0.4], 2),
    "gradient(f, dim=k)": ([1, 0, 1], 2),
    "laplacian(f, axis=k)": ([-1, -2, 1], 3),
    "gradient(f, edge_order=k)": ([1, 2, 1], 2),
    "derivative(f, order=k, accuracy=2 * k)": ([1, 2, 3, 2], 3),
    "gradient(f, boundary=k)": (["edge", "reflect", "edge"], 2),
    "laplacian(f, boundary=['edge', k], spacing=k)": ([0.5, 1.5, -2.5], 2),
    "derivative(f, boundary=(('ghosts', f), k), spacing=k)": ([0.5, 1.5, -2.5], 2),
    "divergence(v, boundary=[k, h], scale_factors=[1, column])": ([3, 5, -2], 2),
}

#: Shapes that change, two dims at once.
SHAPES = [(9, 11), (10, 12), (13, 17), (31, 23)]
OF_ALL_SHAPES = (
    "gradient(f, spacing=0.3, stack_dim=0)",
    "derivative(f, spacing=f[0].cumsum(0), where=f > 0)",
    "hessian(f, boundary='periodic')",
    "divergence(v)",
    "gradient(f, **lonlat(100 * f[0], f[:, 0].cumsum(0)), stack_dim=0)",
)

#: Calls to export, whether torch reads their code or runs it, and for any width or one.
EXPORTS = [
    ("slopes", True, True),
    ("slopes", False, False),
    ("slopes_in_rows", True, False),
    ("slopes_in_rows", False, True),
    ("second", True, True),
    ("second", False, True),
]

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


# The script.


def arrays() -> dict[str, Any]:
    import torch

    def waves(*shape: int) -> Any:
        count = torch.arange(1.0, 1 + torch.Size(shape).numel(), dtype=torch.float64)
        return torch.sin(count**2 / 7).reshape(shape)

    number = 0.3
    if importlib.util.find_spec("numpy"):
        number = importlib.import_module("numpy").float64(number)
    f = waves(9, 11)
    x, y = (torch.arange(1.0, 1 + n, dtype=torch.float64) ** 1.5 for n in (9, 11))
    return {
        "f": f,
        "v": waves(2, 9, 11),
        "w": waves(3, 4, 5, 6),
        "last": waves(9, 11, 2),
        "line": waves(12),
        "n": (100 * f).to(torch.int16),
        "x": x,
        "y": y,
        "z": torch.arange(12.0, dtype=torch.float64) + waves(12) / 3,
        "xy": x[:, None] + waves(9, 11) / 9,
        "column": x[:, None],
        "h": torch.tensor(0.3, dtype=torch.float64),
        "mask": f > -0.5,
        "number": number,
        "k": 0,
    }


def function(call: str) -> Callable[..., Any]:
    """Return a function of all arrays, with a code object of its own."""
    words = ", ".join(arrays())
    made: Callable[..., Any] = eval(
        f"lambda {words}: {call}",
        {name: getattr(anygrad, name) for name in dir(anygrad)},
    )
    return made


class Counted:
    """A function, compiled by a backend that counts its graphs."""

    def __init__(self, function: Callable[..., Any], **keywords: Any) -> None:
        import torch

        self.graphs = 0

        def count(graph: Any, _: Any) -> Any:
            self.graphs += 1
            return graph.forward

        self.call = torch.compile(function, backend=count, fullgraph=True, **keywords)


def difference(results: Any, wanted: Any) -> str:
    """Return in what the results of two calls differ by more than roundings."""
    import torch

    if isinstance(wanted, tuple):
        if type(results) is not tuple or len(results) != len(wanted):
            return f"{type(results).__name__} instead of {len(wanted)} results"
        return "".join(map(difference, results, wanted))
    if type(results) is not type(wanted) or results.dtype != wanted.dtype:
        return f"{type(results)} of {results.dtype}, not {wanted.dtype}"
    if results.shape != wanted.shape:
        return f"shape {tuple(results.shape)}, not {tuple(wanted.shape)}"
    if bool((results.isnan() != wanted.isnan()).any()):
        return "NaN in other places"
    results, wanted = results.nan_to_num(), wanted.nan_to_num()
    off = (results - wanted).abs().max() if wanted.numel() else 0
    most = 16 * torch.finfo(wanted.dtype).eps * (wanted.abs().max() + 1)
    return "" if off <= most else f"off by {float(off)}"


def trial(attempt: Callable[[], str]) -> str:
    """Return what is wrong in an attempt, in a line."""
    try:
        return attempt()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return " | ".join([type(error).__name__, *lines[:4]])


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


# The tests.


def found(script: str, name: str) -> str:
    """Return what a script says of a case: nothing if it went well."""
    wrong: str = fresh.answer(str(Path(__file__)), script)[name]
    return wrong


@pytest.mark.parametrize("call", USUAL)
def test_a_call_that_is_new_in_its_process(torch: Any, call: str) -> None:
    """Compiled before the same was called, and as the same gives without."""
    assert found("cold", call) == ""


@pytest.mark.full
@pytest.mark.parametrize("call", OTHERS)
def test_another_call_that_is_new_in_its_process(torch: Any, call: str) -> None:
    assert found("others", call) == ""


@pytest.mark.peers
@pytest.mark.parametrize("call", OF_NUMPY)
def test_a_number_of_numpy_as_step(torch: Any, numpy: Any, call: str) -> None:
    assert found("of NumPy", call) == ""


def test_compiling_warns_of_nothing(torch: Any) -> None:
    assert found("cold", "warnings") == ""


@pytest.mark.parametrize("call", WARM)
def test_a_call_that_was_made_before(torch: Any, call: str) -> None:
    assert found("warm", call) == ""


@pytest.mark.parametrize("call", CHANGING)
def test_an_argument_that_changes(torch: Any, call: str) -> None:
    """One graph for all steps, and one for each formula."""
    assert found("cold", call) == ""


@pytest.mark.parametrize("dynamic", [True, None])
@pytest.mark.parametrize("call", OF_ALL_SHAPES)
def test_shapes_that_change(torch: Any, call: str, dynamic: bool | None) -> None:
    """One graph for all shapes, or two where torch is to find out that they change."""
    assert found("cold", f"{call}, dynamic={dynamic}") == ""


@pytest.mark.parametrize("name", ["a tensor", "a parameter", "a subclass"])
@pytest.mark.parametrize("event", EVENTS)
def test_nothing_is_compiled_again_after(torch: Any, event: str, name: str) -> None:
    for call in (
        "gradient(f, spacing=[x, 0.5])",
        "derivative(f, order=2, spacing=0.3)",
    ):
        assert found("warm", f"{event}: {call} of {name}") == ""


@pytest.mark.parametrize(("call", "strict", "dynamic"), EXPORTS)
def test_export(torch: Any, call: str, strict: bool, dynamic: bool) -> None:
    """A program for another machine, for one shape and for any number of columns."""
    name = f"export {call}, strict={strict}, dynamic={dynamic}"
    assert found("warm", name) == ""


@pytest.mark.parametrize("backend_of_torch", ["eager", "aot_eager"])
@pytest.mark.parametrize("call", ["slopes", "second"])
def test_the_way_back(torch: Any, call: str, backend_of_torch: str) -> None:
    """Through a compiled call, to the samples and to the coordinates."""
    name = f"back through {call}, {backend_of_torch}"
    assert found("warm", name) == ""


if __name__ == "__main__":
    print(json.dumps(SCRIPTS[sys.argv[1]]()))  # noqa: T201 - the script's answer
