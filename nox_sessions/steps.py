"""What sessions do: install, and run pytest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import nox

from nox_sessions.machine import torch_brings_cuda
from nox_sessions.progress import PROGRESS
from nox_sessions.settings import LIBRARIES, OTHERS, PYPROJECT, ROOT, TOOLS


def install(
    session: nox.Session,
    group: str,
    *requirements: str,
    constraints: str = f"{TOOLS} {LIBRARIES}",
) -> None:
    """Install a dependency group and some requirements, at the versions of this run."""
    session.env["PIP_CONSTRAINT"] = session.env["UV_CONSTRAINT"] = constraints
    with_torch = any("torch" in requirement for requirement in requirements)
    if with_torch and (sentence := torch_brings_cuda()):
        session.log(sentence)
    tools = nox.project.dependency_groups(PYPROJECT, group)
    session.install(*tools, *requirements)


def on(*backends: str) -> list[str]:
    """Ask pytest for these libraries: a missing one is an error, never a skip."""
    return ["-m", "not peers", *(f"--backend={backend}" for backend in backends)]


def paths(files: Iterable[str]) -> list[str]:
    """Return where these tests are."""
    return [str(ROOT / "tests" / f"test_{name}.py") for name in files]


def briefly(session: nox.Session, *files: str) -> list[str]:
    """Ask pytest for little of these tests, and for all tests after `-- --full`."""
    full = "--full" in session.posargs
    return [str(ROOT / "tests")] if full else ["--brief", *paths(files)]


def check(session: nox.Session, *arguments: str, measured: bool = False) -> None:
    """Run pytest; at half its speed, tell the session `coverage` what it covers."""
    if session.parallel:
        session.env["ANYGRAD_PROGRESS"] = str(PROGRESS)
    command = ["pytest"]
    if measured:
        session.env["COVERAGE_FILE"] = f".coverage.{session.name}"
        command = ["coverage", "run", "-m", "pytest"]
    session.run(*command, *arguments, *session.posargs)


def on_other(session: nox.Session, library: str) -> None:
    """Test on one of the libraries that tests/others.toml lists."""
    install(session, "test", "-e.", *OTHERS[library]["requires"])
    if library == "dpnp":  # it looks for its device where the system keeps drivers
        driver = Path(session.virtualenv.location, "lib", "libintelocl.so")
        session.env["OCL_ICD_FILENAMES"] = str(driver)
    own = paths(("cubed",)) if library == "cubed" else ()
    given = (f"--other={library}", "tests/test_others.py", *own)
    check(session, *given, measured=library == "cubed")  # it has an executor of its own
