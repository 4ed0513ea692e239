"""Whether the emulation can run, how it is installed, and how its processes end.

Without it only those tests are left that need no CuPy.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from . import _availability, _compiler, _emulated, install, unavailable_reason
from ._emulated import Module

cupy = _emulated.cupy


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, warnings being errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


# Whether it can run.


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A place where all is well: what is installed there, to be changed."""
    found = {"cupy-cuda13x": "14.2.0"}

    def version(name: str) -> str:
        if name not in found:
            raise importlib.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(_availability, "gpu_present", lambda: False)
    monkeypatch.setattr(_compiler, "find_command", lambda: ["g++"])
    return found


def test_available_where_all_is_there(versions: dict[str, str]) -> None:
    assert _availability.unavailable_reason() is None


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({}, "neither"),
        ({"cupy-cuda12x": "13.6.0"}, "cupy-cuda12x 13.6.0"),
        (
            {"cupy-cuda12x": "14.2.0", "cupy-cuda13x": "14.2.0"},
            "cupy-cuda12x 14.2.0, cupy-cuda13x 14.2.0",
        ),
    ],
)
def test_unavailable_with_other_versions(
    versions: dict[str, str], installed: dict[str, str], words: str
) -> None:
    versions.clear()
    versions.update(installed)
    reason = _availability.unavailable_reason()
    assert reason == (
        "The emulation needs cupy-cuda12x or cupy-cuda13x in version 14.2.0, one of "
        f"them; installed: {words}."
    )


def test_unavailable_without_a_compiler(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_compiler, "find_command", lambda: None)
    assert "needs a C++ compiler" in str(_availability.unavailable_reason())


def test_unavailable_on_other_platforms(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "this is win32 on x86_64." in str(_availability.unavailable_reason())


def test_unavailable_where_a_gpu_is(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_availability, "gpu_present", lambda: True)
    assert "A GPU is present" in str(_availability.unavailable_reason())


@pytest.fixture
def fresh_answer() -> Iterator[None]:
    _availability.gpu_present.cache_clear()
    yield
    _availability.gpu_present.cache_clear()


@pytest.mark.parametrize(
    ("status", "devices", "present"), [(0, 2, True), (0, 0, False), (100, 0, False)]
)
def test_gpu_present_asks_the_driver(
    fresh_answer: None,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    devices: int,
    present: bool,
) -> None:
    def count(pointer: Any) -> int:
        pointer._obj.value = devices
        return 0

    library = SimpleNamespace(cuInit=lambda flags: status, cuDeviceGetCount=count)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert _availability.gpu_present() is present


def test_no_gpu_without_a_driver(
    fresh_answer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_library(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert _availability.gpu_present() is False


def test_the_compiler_of_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXX", f"'{sys.executable}' -E")
    assert _compiler.find_command() == [sys.executable, "-E"]
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert _compiler.find_command() is None


# Installing and leaving.


def test_install_twice(cupy: Module) -> None:
    assert install() is cupy
    assert isinstance(cupy, ModuleType)
    assert unavailable_reason() is None
    assert cupy.is_available()


def test_install_after_cupy_is_refused(cupy: Module) -> None:
    done = run(
        """
        import cupy, cupy_on_cpu
        print(cupy_on_cpu.unavailable_reason())
        cupy_on_cpu.install()
        """
    )
    assert done.returncode == 1
    assert "CuPy was imported before cupy_on_cpu.install() was called" in done.stdout
    assert "RuntimeError: CuPy was imported before" in done.stderr


def test_looking_does_not_import_cupy(cupy: Module) -> None:
    done = run(
        """
        import sys, cupy_on_cpu
        cupy_on_cpu.unavailable_reason(), cupy_on_cpu.gpu_present()
        assert not [name for name in sys.modules if name.startswith("cupy_backends")]
        assert "cupy" not in sys.modules
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("raise ValueError('on purpose')", 1, "ValueError: on purpose\n"),
        ("sys.stdout.flush(); os._exit(5)", 5, ""),
    ],
)
def test_the_exit_is_clean(cupy: Module, end: str, code: int, words: str) -> None:
    done = run(
        f"""
        import os, sys, threading
        import cupy_on_cpu
        cupy = cupy_on_cpu.install()
        # All that CuPy may want to release at the end of the process.
        array = cupy.asarray([1.0, 2.0, 3.0]) + 1
        stream, event = cupy.cuda.Stream(), cupy.cuda.Event()
        with stream:
            total = array.sum()
            event.record()
        pinned = cupy.cuda.alloc_pinned_memory(100)
        with cupy.cuda.Device(1):
            other = cupy.ones(3)
        thread = threading.Thread(target=lambda: cupy.zeros(3) + 1)
        thread.start()
        thread.join()
        cycle = [array]
        cycle.append(cycle)
        print(float(total))
        {end}
        """
    )
    assert (done.returncode, done.stdout) == (code, "9.0\n")
    assert done.stderr.endswith(words)
    assert bool(done.stderr) == bool(words)


def test_the_headers_of_cuda_are_not_needed(cupy: Module) -> None:
    done = run(
        """
        import cuda.pathfinder
        cuda.pathfinder.find_nvidia_header_directory = lambda name: None
        import cupy_on_cpu
        print(cupy_on_cpu.install().arange(3) + 1)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1 2 3]\n", "")


def test_processes_share_a_cache(cupy: Module, tmp_path: Path) -> None:
    code = """
        import cupy_on_cpu
        cupy = cupy_on_cpu.install()
        with cupy_on_cpu.record() as recording:
            array = cupy.arange(4) * 2.5
        print(array.tolist(), recording.compilations)
        """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment[_compiler.CACHE_VARIABLE] = str(tmp_path / "new" / "cache")
    together = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in together:
        output, _ = process.communicate()
        assert process.returncode == 0
        assert output.startswith("[0.0, 2.5, 5.0, 7.5] ")
    later = run(code, **{_compiler.CACHE_VARIABLE: str(tmp_path / "new" / "cache")})
    assert later.stdout == "[0.0, 2.5, 5.0, 7.5] 0\n"
    assert not list(tmp_path.glob("**/build-*"))
