"""What Numba has compiled before: kept for other calls, and in files."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import anygrad
import compiled_loops
import fresh
from anygrad import _kept
from anygrad._executors.printed import in_numba, on_disk
from compiled_loops import Runs, agnostic, assert_same, compiled

pytestmark = pytest.mark.peers

cache = compiled_loops.cache
default = compiled_loops.default
empty_cache = compiled_loops.empty_cache
plane = compiled_loops.plane
runs = compiled_loops.runs


# In the process.


def test_another_shape_and_step_compile_nothing(
    runs: Runs, plane: Any, empty_cache: Path
) -> None:
    """Steps are multiplied with or divided by, whichever is exact: two forms."""
    for rows, step in enumerate([0.1, 7, -3.0, 0.3, 1e20, 5.5, 1e-9], 4):
        f = plane[:rows, : 2 * rows].copy()
        keywords = {"spacing": step, "boundary": float(rows)}
        result = compiled("laplacian", f, **keywords)
        assert_same(result, agnostic("laplacian", f, **keywords))
    assert len(list(empty_cache.rglob("*.py"))) <= 2
    assert all(runs)


def test_many_components_have_one_kernel(
    runs: Runs, numpy: Any, empty_cache: Path
) -> None:
    """That of a component, for each dim: else, 80 would take half a minute."""
    f = numpy.random.default_rng(1).standard_normal((40, 6, 5))
    result = compiled("jacobian", f, vector_dim=0)
    assert_same(result, agnostic("jacobian", f, vector_dim=0))
    assert len(list(empty_cache.rglob("*.py"))) == 2
    assert all(runs)


def test_two_threads_compile_the_same(
    runs: Runs, plane: Any, empty_cache: Path
) -> None:
    meeting, results = threading.Barrier(2, timeout=30), []

    def call() -> None:
        meeting.wait()
        results.append(compiled("derivative", plane, order=3))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        assert_same(result, agnostic("derivative", plane, order=3))
    assert runs == [True, True]
    assert [path.suffix for path in empty_cache.glob("*/*.*")] == [".py"]


def test_kernels_are_bounded(
    runs: Runs, plane: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_numba, "_kernels", {})
    monkeypatch.setattr(_kept, "MOST_REMEMBERED", 2)
    for dtype in ("f8", "f2", ">f8", "longdouble"):
        compiled("derivative", plane.astype(dtype))
        assert 0 < len(in_numba._kernels) <= 2


# In files.

#: Prints how often compiled code has been found on the disk, and how often not.
SCRIPT = """
import json, sys, warnings
warnings.simplefilter("error")
import numpy, anygrad
f = numpy.arange(36.0).reshape(6, 6) ** 2
wanted = anygrad.laplacian(f).tobytes()
with anygrad.set_compiler("numba"):
    assert anygrad.laplacian(f).tobytes() == wanted
kernels = [m.kernel for n, m in list(sys.modules.items()) if "anygrad_kernel" in n]
stats = [kernel.stats for kernel in kernels]
found = sum(sum(s.cache_hits.values()) for s in stats)
missed = sum(sum(s.cache_misses.values()) for s in stats)
print(json.dumps([len(kernels), found, missed]))
"""


def in_a_fresh_process(folder: Path, **settings: str) -> Any:
    printed = fresh.run("-c", SCRIPT, ANYGRAD_CACHE_DIR=str(folder), **settings)
    return json.loads(printed.splitlines()[-1])


def test_a_fresh_process_compiles_nothing(tmp_path: Path) -> None:
    assert in_a_fresh_process(tmp_path) == [1, 0, 1]
    assert in_a_fresh_process(tmp_path) == [1, 1, 0]
    (module,) = tmp_path.rglob("*.py")
    assert module.parent.parent == tmp_path
    assert anygrad.__version__ in module.parent.name


@pytest.mark.full
def test_broken_files(tmp_path: Path) -> None:
    """What is broken in the folder is made anew, or done without."""
    in_a_fresh_process(tmp_path)
    (module,) = tmp_path.rglob("*.py")
    for path in (*tmp_path.rglob("*.nbc"), *tmp_path.rglob("*.nbi"), module):
        in_a_fresh_process(tmp_path)
        whole = path.read_bytes()
        path.write_bytes(whole[:40])
        in_a_fresh_process(tmp_path)
    assert module.read_bytes() == whole


def test_broken_files_are_made_anew(runs: Runs, plane: Any, empty_cache: Path) -> None:
    """Once: a disk that was full, or not written to the end, is not so for ever."""
    wanted = agnostic("derivative", plane, order=2)
    for pattern in ("*.py", "*.nbi", "*.nbc"):
        assert_same(compiled("derivative", plane, order=2), wanted)
        (path,) = empty_cache.rglob(pattern)
        path.write_bytes(bytes(path.stat().st_size - 1) + b"\xff")
        in_numba._kernels.clear()
        assert_same(compiled("derivative", plane, order=2), wanted)
        assert not any(path.is_file() for path in empty_cache.rglob("*"))
        in_numba._kernels.clear()
    assert_same(compiled("derivative", plane, order=2), wanted)
    assert len(list(empty_cache.rglob("*.nb?"))) == 2


@pytest.mark.skipif(os.name == "nt", reason="folders have no such modes")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is compiled in the memory: a file stands where the folder should."""
    (tmp_path / "file").touch()
    assert in_a_fresh_process(tmp_path / "file") == [0, 0, 0]
    assert in_a_fresh_process(tmp_path / "file" / "below") == [0, 0, 0]


def test_where_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANYGRAD_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert on_disk.user_folder() == tmp_path / "anygrad"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert on_disk.user_folder() == tmp_path / ".cache" / "anygrad"
    monkeypatch.setenv("ANYGRAD_CACHE_DIR", str(tmp_path / "told"))
    assert on_disk.user_folder() == tmp_path / "told"
