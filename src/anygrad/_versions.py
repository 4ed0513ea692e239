"""What is installed, what serves it, and whether it computes the worked examples."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple, TextIO

import array_api_compat

from . import _dispatch, _libraries
from ._compilers import COMPILERS
from ._gradient import gradient
from ._libraries import Library
from ._version import __version__


class Report(NamedTuple):
    """What is found of one library; a dash where there is nothing to say."""

    library: str
    version: str
    device: str
    executor: str
    examples: str


def show_versions(file: TextIO | None = None) -> None:
    """Print what a bug report needs: versions, devices, executors, worked examples.

    Every library of the table that is installed is imported, and computes the examples
    of the page of `torch.gradient`.

    Parameters
    ----------
    file : text file, optional
        Where to print; by default the standard output.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.show_versions()  # doctest: +SKIP
    """
    import platform  # milliseconds that `import anygrad` need not take

    file = sys.stdout if file is None else file
    print(f"anygrad {__version__}", file=file)
    print(f"array-api-compat {array_api_compat.__version__}", file=file)
    print(f"compilers: {', '.join(compilers()) or 'none'}", file=file)
    print(f"Python {platform.python_version()}, {platform.platform()}\n", file=file)
    rows = [Report("library", "version", "device", "executor", "worked examples")]
    rows += [report(library) for library in _libraries.TABLE]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip(), file=file)


def compilers() -> list[str]:
    """Return the names of the compilers that are installed, with their versions."""
    names = {name: _version((module,)) for name, module in COMPILERS.items()}
    return [f"{name} {version}" for name, version in names.items() if version]


def report(library: Library) -> Report:
    """Return what is found of one library."""
    version = _version(library.distributions)
    if version is None:
        return Report(library.name, "not installed", "-", "-", "-")
    try:
        xp = importlib.import_module(library.namespace)
        samples = xp.asarray([4.0, 1.0, 1.0, 16.0])
        device = str(array_api_compat.device(samples))
        executor = _dispatch.samples_of(samples, "input").executor
    except Exception as error:  # noqa: BLE001 - a broken library is a finding
        return Report(library.name, version, "-", "-", f"cannot run: {_brief(error)}")
    return Report(
        library.name, version, device, _room(executor), _examples(xp, samples)
    )


def _version(distributions: Iterable[str]) -> str | None:
    """Return the version of the first of these that is installed."""
    from importlib import metadata

    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _room(executor: Any) -> str:
    executor = getattr(executor, "func", executor)  # Dask's is told how to run a chunk
    return str(executor.__module__).rpartition(".")[2].lstrip("_")


def _examples(xp: Any, samples: Any) -> str:
    """Compute examples of the reference page, and compare with its printed values."""
    table = xp.asarray([[1, 2, 4, 8], [10, 20, 40, 80]])
    x = xp.asarray([-2.0, -1.0, 1.0, 4.0])
    rows, columns = xp.asarray([0, 2]), xp.asarray([0, 3, 6, 9])
    along_rows = [[1.0, 1.5, 3.0, 4.0], [10.0, 15.0, 30.0, 40.0]]
    examples: list[tuple[Any, dict[str, Any], Any]] = [
        (samples, {"spacing": [x]}, [[-3.0, -2.0, 2.0, 5.0]]),
        (table, {}, [[[9.0, 18.0, 36.0, 72.0]] * 2, along_rows]),
        (table, {"dim": 1}, [along_rows]),
        (table, {"spacing": 2.0, "dim": 0}, [[[4.5, 9.0, 18.0, 36.0]] * 2]),
        (
            table,
            {"spacing": [rows, columns]},
            [
                [[4.5, 9.0, 18.0, 36.0]] * 2,
                [[1 / 3, 0.5, 1.0, 4 / 3], [10 / 3, 5.0, 10.0, 40 / 3]],
            ],
        ),
    ]
    try:
        right = sum(_agrees(*example) for example in examples)
    except Exception as error:  # noqa: BLE001 - what fails is what is reported
        return f"failed: {_brief(error)}"
    return "pass" if right == len(examples) else f"{right} of {len(examples)} right"


def _agrees(samples: Any, arguments: dict[str, Any], expected: Any) -> bool:
    results = gradient(samples, **arguments)
    pairs = zip(results, expected, strict=True)
    return all(_is_close(_numbers(result), values) for result, values in pairs)


def _numbers(array: Any) -> Any:
    """Return nested lists; a conforming array need have no `tolist`."""
    if array.ndim == 0:
        return float(array)
    return [_numbers(array[i, ...]) for i in range(array.shape[0])]


def _is_close(numbers: Any, expected: Any) -> bool:
    if isinstance(expected, list):
        return all(map(_is_close, numbers, expected))
    return bool(abs(numbers - expected) <= 1e-6 * abs(expected))


def _brief(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:80]
