"""What a call costs besides its arithmetic: small arrays, another step, first calls.

`python benchmarks/calls.py` measures this checkout; with `--before PATH`, another one
beside it, in the same process and in turn, so that a busy machine is unfair to both.
Every figure is the median of many rounds, in microseconds.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent

#: How often a call is timed, and how many calls are in one timing; slow ones less.
OFTEN, SELDOM = (41, 200), (9, 20)

#: From so many microseconds on, a call is slow.
SLOW = 300.0


def package(path: Path, name: str) -> ModuleType:
    """Import a checkout's package under a name of its own."""
    folder = path / "src" / "anygrad"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def options(text: str | None, length: int) -> argparse.ArgumentParser:
    """Return the options that scripts share; `length` is the usual one of all dims."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--length", type=int, default=length, help="of all dims")
    return parser


def packages(before: Path | None) -> dict[str, ModuleType]:
    """Return the packages to measure by their titles: this checkout's, another one."""
    paths = {"now": ROOT} if before is None else {"now": ROOT, "before": before}
    return {title: package(path, f"anygrad_{title}") for title, path in paths.items()}


def maker(library: str) -> Callable[[Any], Any]:
    """Return what makes an array of NumPy's one of a library."""
    return importlib.import_module(library).asarray


def timed(call: Callable[[], Any], calls: int) -> float:
    """Return the microseconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls * 1e6


def medians(calls: dict[str, Callable[[], Any]]) -> list[float]:
    """Return the median time of each call, all of them timed in turn."""
    slow = max(timed(call, 3) for call in calls.values()) > SLOW
    rounds, count = SELDOM if slow else OFTEN
    samples: dict[str, list[float]] = {title: [] for title in calls}
    for _ in range(rounds):
        for title, call in calls.items():
            samples[title].append(timed(call, count))
    return list(map(statistics.median, samples.values()))


def libraries() -> dict[str, Any]:
    """Return the namespaces that are installed."""
    found = {}
    for name, namespace in (
        ("numpy", "numpy"),
        ("torch", "torch"),
        ("jax", "jax.numpy"),
    ):
        try:
            found[name] = importlib.import_module(namespace)
        except ImportError:
            continue
    return found


def own(xp: Any, name: str) -> Callable[..., Any]:
    """Return the library's own gradient along the last dim."""
    if name == "torch":
        return lambda f, h: xp.gradient(f, spacing=h, dim=-1)
    return lambda f, h: xp.gradient(f, h, axis=-1)


def calls(xp: Any) -> dict[str, Callable[[ModuleType], Callable[[], Any]]]:
    """Return the calls by name, each made for a package."""

    def array(*shape: int) -> Any:
        count = 1
        for length in shape:
            count *= length
        return xp.reshape(xp.sin(xp.arange(count, dtype=xp.float32)), shape)

    f10, f1000, f2, v = array(10), array(1000), array(10, 10), array(2, 10, 10)
    x = xp.cumsum(1.5 + array(10), 0)
    whole = xp.reshape(xp.arange(10), (10,))
    mask = f10 > -2
    zero_d = xp.asarray(0.5, dtype=xp.float32)
    counter = itertools.count(1)

    def another() -> float:
        return 0.1 + next(counter) * 1e-6

    return {
        "gradient, 10": lambda a: lambda: a.gradient(f10),
        "gradient, 1000": lambda a: lambda: a.gradient(f1000),
        "gradient, 10 x 10": lambda a: lambda: a.gradient(f2),
        "the same step, 10": lambda a: lambda: a.gradient(f10, spacing=0.1),
        "another step, 10": lambda a: lambda: a.gradient(f10, spacing=another()),
        "the same steps, 10 x 10": lambda a: lambda: a.gradient(f2, spacing=[0.1, 0.3]),
        "another step, 10 x 10": lambda a: (
            lambda: a.gradient(f2, spacing=[another(), 0.3])
        ),
        "the same step, laplacian": lambda a: lambda: a.laplacian(f2, spacing=0.1),
        "another step, laplacian": lambda a: lambda: a.laplacian(f2, spacing=another()),
        "a 0-d step, 10": lambda a: lambda: a.gradient(f10, spacing=zero_d),
        "coordinates, 10": lambda a: lambda: a.gradient(f10, spacing=[x]),
        "derivative, order 2": lambda a: lambda: a.derivative(f10, order=2),
        "integers, 10": lambda a: lambda: a.gradient(whole),
        "boundary list": lambda a: (
            lambda: a.gradient(f2, boundary=["periodic", "reflect"])
        ),
        "boundary value": lambda a: lambda: a.gradient(f10, boundary=0.5),
        "where": lambda a: lambda: a.gradient(f10, where=mask),
        "laplacian": lambda a: lambda: a.laplacian(f2),
        "hessian": lambda a: lambda: a.hessian(f2),
        "divergence": lambda a: lambda: a.divergence(v),
        "curl": lambda a: lambda: a.curl(v),
        "jacobian": lambda a: lambda: a.jacobian(v),
    }


def report(packages: dict[str, ModuleType]) -> None:
    """Print a table for each library."""
    for name, xp in libraries().items():
        print(f"\n{name} {sys.modules[name].__version__}, microseconds a call")
        print(f"{'':26}" + "".join(f"{title:>12}" for title in packages))
        f = xp.reshape(xp.sin(xp.arange(10, dtype=xp.float32)), (10,))
        reference = partial(own(xp, name), f, 0.1)
        print(f"{'its own, 10':26}{medians({'': reference})[0]:12.1f}")
        for what, make in calls(xp).items():
            figures = medians({t: make(module) for t, module in packages.items()})
            print(f"{what:26}" + "".join(f"{figure:12.1f}" for figure in figures))


#: The first call of a process, after its library has been imported, in milliseconds.
COLD = """
import time, {module} as xp, array_api_compat
array_api_compat.array_namespace(xp.ones(9))
start = time.perf_counter()
import anygrad
imported = time.perf_counter()
anygrad.{call}
first = time.perf_counter()
anygrad.{call}
second = time.perf_counter()
print((imported - start) * 1e3, (first - imported) * 1e3, (second - first) * 1e3)
"""


def report_cold(paths: dict[str, Path]) -> None:
    """Print what the import and the first calls of a process take."""
    print("\nfresh processes, milliseconds: import, first call, second call")
    for module in ("numpy", "torch", "jax.numpy"):
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            continue
        for call in ("gradient(xp.ones(10))", "hessian(xp.ones((9, 9)), accuracy=4)"):
            text = COLD.format(module=module, call=call)
            for title, path in paths.items():
                figures = []
                for _ in range(5):
                    done = subprocess.run(
                        [sys.executable, "-c", text],
                        env={"PYTHONPATH": str(path / "src")},
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    figures.append([float(word) for word in done.stdout.split()])
                middle = map(statistics.median, zip(*figures, strict=True))
                shown = "".join(f"{figure:10.2f}" for figure in middle)
                print(f"{module:10} {call:38} {title:8}{shown}")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout to measure")
    parser.add_argument("--cold", action="store_true", help="first calls, too")
    arguments = parser.parse_args()
    paths = {"now": ROOT}
    if arguments.before:
        paths = {"before": arguments.before, "now": ROOT}
    if arguments.cold:
        report_cold(paths)
    report({title: package(path, f"anygrad_{title}") for title, path in paths.items()})


if __name__ == "__main__":
    main()
