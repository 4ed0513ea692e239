"""Compiling C++ into shared libraries, with a cache on the disk."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADERS = HERE / "include"

#: No optimisation: compiling is what costs time here, and not running.
#: Integers wrap around and pointers alias as in CUDA; products and sums are
#: rounded separately, as by NumPy (NVRTC fuses them where it can).
FLAGS = (
    "-std=c++17",
    "-O0",
    "-w",
    "-fPIC",
    "-fwrapv",
    "-fno-strict-aliasing",
    "-ffp-contract=off",
)

CACHE_VARIABLE = "ANYGRAD_KERNEL_CACHE"

#: The parts of the CUDA core libraries that come with CuPy.
CCCL_PARTS = ("cub", "thrust", "libcudacxx")


class CompilationError(Exception):
    """The compiler refused a source; the message holds what it said."""


# ----------------------------------------------------------------------------
# The compiler
# ----------------------------------------------------------------------------


def find_command() -> list[str] | None:
    """Return the command of the C++ compiler.

    Returns
    -------
    list of str or None
        What the variable ``CXX`` says, else g++, else clang++. None if what is
        looked for is not there.
    """
    wanted = os.environ.get("CXX")
    for command in [shlex.split(wanted)] if wanted else [["g++"], ["clang++"]]:
        if command and shutil.which(command[0]):
            return command
    return None


@functools.cache
def _command() -> tuple[str, ...]:
    command = find_command()
    if command is None:
        raise RuntimeError("there is no C++ compiler")
    return tuple(command)


def checks_accesses() -> bool:
    """Tell whether what is compiled checks the addresses that it reads and writes."""
    return any(word.startswith("-fsanitize=") for word in _command())


@functools.cache
def _compiler_version() -> str:
    return _run(["--version"], Path.cwd())


def _run(arguments: Sequence[str], directory: Path) -> str:
    """Run the compiler and return what it writes to its standard output.

    Raises
    ------
    CompilationError
        If it fails.
    """
    done = subprocess.run(
        [*_command(), *arguments],
        cwd=directory,
        env={**os.environ, "LC_ALL": "C"},  # its messages are read below
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise CompilationError(_readable(done.stderr or done.stdout))
    return done.stdout


def _readable(output: str, most_lines: int = 40) -> str:
    """Return the messages of a compiler from the first error on, shortened."""
    lines = output.splitlines()
    first = next((i for i, line in enumerate(lines) if "error" in line), 0)
    lines = lines[first:]
    if len(lines) > most_lines:
        left_out = len(lines) - most_lines
        lines[most_lines:] = [f"... and {left_out} more lines"]
    return "\n".join(lines)


# ----------------------------------------------------------------------------
# The cache
# ----------------------------------------------------------------------------


def _digest(*parts: str | bytes) -> str:
    """Return a short digest of the parts, none of which can run into the next."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:24]


def _cache_root() -> Path:
    """Return the folder that holds the caches of all versions, not yet made."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    caches = os.environ.get("XDG_CACHE_HOME")
    base = Path(caches) if caches else Path.home() / ".cache"
    return base / "anygrad" / "cupy_on_cpu"


@functools.cache
def cache_folder() -> Path:
    """Return the folder of what this compiler made of these sources.

    Its name depends on everything that all kernels depend on: the compiler, its
    flags, our C++ sources and CuPy with its headers.

    Returns
    -------
    pathlib.Path
        An existing folder.
    """
    sources = sorted([*HEADERS.glob("*.h"), *HERE.glob("*.cpp")])
    cupy = [f"{name} {_version(name)}" for name in ("cupy-cuda12x", "cupy-cuda13x")]
    key = _digest(
        platform.machine(),
        _compiler_version(),
        shlex.join(_command()),
        shlex.join(FLAGS),
        *cupy,
        *(source.read_bytes() for source in sources),
    )
    with contextlib.suppress(OSError, RuntimeError):
        folder = _cache_root() / key
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    # No home, or none that can be written to: a cache for this process alone.
    folder = Path(tempfile.mkdtemp(prefix="cupy_on_cpu-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _build(target: Path, build: Callable[[Path], Path]) -> Path:
    """Return a file or folder of the cache, built now unless it is there.

    It appears under its name at once and whole, so that several processes can
    share a cache; two may build the same thing at the same time.

    Parameters
    ----------
    target : pathlib.Path
        The place in the cache.
    build : callable
        Is given an empty folder, and returns the path of what it built there.
    """
    if target.exists():
        return target
    workshop = Path(tempfile.mkdtemp(prefix="build-", dir=target.parent))
    try:
        try:
            build(workshop).replace(target)
        except OSError:
            # A folder is not replaced by another: someone else was faster.
            if not target.exists():
                raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return target


# ----------------------------------------------------------------------------
# What is compiled
# ----------------------------------------------------------------------------


def build_driver() -> Path:
    """Return the shared library of the pretended driver.

    Returns
    -------
    pathlib.Path
        Its path in the cache.
    """

    def build(workshop: Path) -> Path:
        result = workshop / "driver.so"
        source = str(HERE / "driver.cpp")
        _run([*FLAGS, "-shared", f"-I{HEADERS}", source, "-o", str(result)], workshop)
        return result

    return _build(cache_folder() / "driver.so", build)


def _prelude(include: Sequence[str]) -> Path:
    """Return ``cupy_kernel.h``, for g++ with its precompiled form beside it.

    Parsing CuPy's headers takes longer than all the rest of compiling a kernel.
    Where g++ cannot use the precompiled form it takes the header itself; clang
    would stop, and is given the header only.
    """

    def build(workshop: Path) -> Path:
        folder = workshop / "prelude"
        folder.mkdir()
        shutil.copy(HEADERS / "cupy_kernel.h", folder)
        header = ["-x", "c++-header", "cupy_kernel.h", "-o", "cupy_kernel.h.gch"]
        _run([*FLAGS, *include, *header], folder)
        return folder

    if "clang" in _compiler_version():
        return HEADERS / "cupy_kernel.h"
    return _build(cache_folder() / "prelude", build) / "cupy_kernel.h"


def build_kernels(
    source: str, name: str, *, options: Sequence[str], cupy_headers: Path
) -> tuple[Path, bool]:
    """Compile a source with kernels.

    Parameters
    ----------
    source : str
        C++ with the functions that the driver looks for.
    name : str
        The name of the source in error messages.
    options : sequence of str
        Further options of the compiler, for this source.
    cupy_headers : pathlib.Path
        The folder with CuPy's own headers.

    Returns
    -------
    path : pathlib.Path
        The shared library, in the cache.
    new : bool
        Whether it was compiled now.
    """
    cccl = cupy_headers / "cupy" / "_cccl"
    folders = [HEADERS, cupy_headers, *(cccl / part for part in CCCL_PARTS)]
    include = [f"-I{folder}" for folder in folders]

    def build(workshop: Path) -> Path:
        (workshop / f"{name}.cu").write_text(source, encoding="utf-8")
        if source.startswith("#include <cupy/complex.cuh>"):
            prelude = _prelude(include)
        else:
            # Kernels of users come without CuPy's headers.
            prelude = HEADERS / "cuda_on_host.h"
        files = ["-include", str(prelude), "-x", "c++", f"{name}.cu", "-o", "kernel.so"]
        _run([*FLAGS, *options, *include, "-shared", *files], workshop)
        return workshop / "kernel.so"

    target = cache_folder() / f"{name[:80]}-{_digest(source, *options)}.so"
    new = not target.exists()
    return _build(target, build), new
