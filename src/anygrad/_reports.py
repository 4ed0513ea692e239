"""What is installed, and whether it computes the worked examples.

To find a library, nothing is imported; to try it, it alone is.
"""

from __future__ import annotations

import contextlib
import importlib
import platform
import sys
from collections.abc import Callable, Iterable
from importlib import metadata, util
from typing import Any, NamedTuple

import array_api_compat

from . import _dispatch, _libraries
from ._compilers import COMPILERS
from ._gradient import gradient
from ._library import Library
from ._version import __version__


class Report(NamedTuple):
    """What is found of one library."""

    #: Its name.
    library: str
    #: None where it is not installed, or does not say.
    version: str | None
    #: Where its arrays lie by default; None where it was not tried.
    device: str | None
    #: The file in `_executors` that computes with it, or "agnostic".
    executor: str | None
    #: What came of it.
    status: str
    #: The reason for one that is wrong or unusable; empty for others.
    detail: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether there is a library that can be imported and makes arrays."""
        return self.status not in {"unusable", "not installed"}


def surroundings() -> dict[str, str]:
    """Return what the results depend on beside the array libraries."""
    return {
        "anygrad": __version__,
        "array-api-compat": array_api_compat.__version__,
        "compilers": ", ".join(compilers()) or "none",
        "Python": platform.python_version(),
        "platform": platform.platform(),
    }


def compilers() -> list[str]:
    """Return the names of the compilers that are installed, with their versions."""
    found = []
    for name, module in COMPILERS.items():
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(module)}")
    return found


def reports(is_tried: Callable[[Library], bool]) -> list[Report]:
    """Return what is found of each library of the table; try those that are asked for.

    A library that is tried is imported.
    """
    return [report(library, is_tried(library)) for library in _libraries.TABLE]


def report(library: Library, is_tried: bool) -> Report:
    """Return what is found of one library."""
    if not is_installed(library):
        return Report(library.name, None, None, None, "not installed")
    version = installed_version(library)
    if not is_tried:
        return Report(library.name, version, None, None, "not tried")
    device = executor = None
    try:
        xp = importlib.import_module(library.namespace)
        samples = xp.asarray([0.0, 1.0])
        device = str(array_api_compat.device(samples))
        executor = _room(_dispatch.samples_of(samples, "input").executor)
    except Exception as error:  # noqa: BLE001 - a broken library is a finding
        status, detail = "unusable", brief(error)
    else:
        status, detail = _tried(xp)
    return Report(library.name, version, device, executor, status, detail)


def is_imported(library: Library) -> bool:
    """Tell whether somebody has asked for it already."""
    return library.namespace in sys.modules


def is_installed(library: Library) -> bool:
    """Tell whether a library can be found, without importing it."""
    try:
        return util.find_spec(library.package) is not None
    except (ImportError, ValueError):  # one that hides, or was made by hand
        return library.package in sys.modules


def installed_version(library: Library) -> str | None:
    """Return the version of the first of its distributions that is there."""
    for distribution in library.distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _room(executor: Any) -> str:
    executor = getattr(executor, "func", executor)  # Dask's is told how to run a chunk
    return str(executor.__module__).rpartition(".")[2].lstrip("_")


def _tried(xp: Any) -> tuple[str, str]:
    """Hold the examples of the reference page to their printed values."""
    from .testing import _arrays
    from .testing._checks import grids

    try:
        namespace = _arrays.standard_namespace(xp)
        grids.check_example_with_coordinates(gradient, namespace)
        grids.check_examples_with_steps(gradient, namespace)
    except Exception as error:  # noqa: BLE001 - what fails is what is reported
        return "wrong", brief(error)
    return "works", ""


def brief(error: BaseException) -> str:
    """Return an error in one line."""
    first = next(iter(str(error).splitlines()), "")
    text = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."


#: What stands in the table for a person, by the status.
WORDS = {
    "works": "works",
    "wrong": "goes wrong",
    "unusable": "cannot be used here",
    "not tried": "installed, not tried",
    "not installed": "not installed",
}


def lines(found: Iterable[Report]) -> list[str]:
    """Return a table for a person, under what the results depend on."""
    rows: list[tuple[str, ...]]
    rows = [("library", "version", "device", "computed by", "result")]
    for report in found:
        detail = report.detail and f": {report.detail}"
        cells = (report.version, report.device, report.executor)
        known = [cell or "-" for cell in cells]
        rows.append((report.library, *known, f"{WORDS[report.status]}{detail}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        *(f"{name} {value}" for name, value in surroundings().items()),
        "",
        *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
    ]
