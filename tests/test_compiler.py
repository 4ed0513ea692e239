"""What compiles calls, if anything does: the setting, and calls that run without."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

import anygrad
import compiled_loops
from anygrad._executors.printed import in_numba, on_disk
from compiled_loops import Runs, agnostic, assert_same, compiled
from peaks import peak_of

pytestmark = pytest.mark.peers

cache = compiled_loops.cache
default = compiled_loops.default
empty_cache = compiled_loops.empty_cache
plane = compiled_loops.plane
runs = compiled_loops.runs


# The setting.


def test_block() -> None:
    assert anygrad.get_compiler() is None
    with anygrad.set_compiler("numba"):
        assert anygrad.get_compiler() == "numba"
        with anygrad.set_compiler(None):
            assert anygrad.get_compiler() is None
        assert anygrad.get_compiler() == "numba"
    assert anygrad.get_compiler() is None


def test_block_ends_with_an_error() -> None:
    with pytest.raises(KeyError), anygrad.set_compiler("numba"):
        raise KeyError
    assert anygrad.get_compiler() is None


def test_default() -> None:
    anygrad.set_default_compiler("numba")
    assert anygrad.get_compiler() == "numba"
    with anygrad.set_compiler(None):
        assert anygrad.get_compiler() is None
    anygrad.set_default_compiler(None)
    assert anygrad.get_compiler() is None


def test_decorator() -> None:
    """It may be called again, and within itself."""

    @anygrad.set_compiler("numba")
    def inside(depth: int) -> list[str | None]:
        return [anygrad.get_compiler(), *(inside(depth - 1) if depth else [])]

    assert inside(1) == ["numba", "numba"]
    assert inside(0) == ["numba"]
    assert anygrad.get_compiler() is None


def test_other_threads_and_tasks_keep_theirs() -> None:
    seen: list[str | None] = []

    async def task(name: str | None, turns: list[asyncio.Event]) -> str | None:
        with anygrad.set_compiler(name):
            turns[0].set()
            await turns[1].wait()
            return anygrad.get_compiler()

    async def both() -> list[str | None]:
        one, two = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(task("numba", [one, two]), task(None, [two, one]))

    assert asyncio.run(both()) == ["numba", None]
    with anygrad.set_compiler("numba"):
        thread = threading.Thread(target=lambda: seen.append(anygrad.get_compiler()))
        thread.start()
        thread.join()
    assert seen == [None]


@pytest.mark.parametrize("door", [anygrad.set_compiler, anygrad.set_default_compiler])
def test_what_is_no_compiler(door: Any) -> None:
    with pytest.raises(TypeError, match=r"^`compiler` must be .* Got 3\.$"):
        door(3)
    with pytest.raises(ValueError, match=r"^`compiler` must be 'numba' or None\."):
        door("Numba")


def test_compiler_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said at once, with what to do."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: None if name == "numba" else find_spec(name, *more),
    )
    with pytest.raises(ImportError, match=r"^`compiler`.*pip install numba`"):
        anygrad.set_compiler("numba")
    with pytest.raises(ImportError, match=r"^`compiler`"):
        anygrad.set_default_compiler("numba")
    assert anygrad.get_compiler() is None
    anygrad.set_default_compiler(None)  # needs none


def test_show_versions() -> None:
    import numba

    file = io.StringIO()
    anygrad.show_versions(file)
    assert f"compilers numba {numba.__version__}\n" in file.getvalue()


# What is not compiled.


def test_nothing_is_compiled_unless_asked(runs: Runs, numpy: Any) -> None:
    anygrad.gradient(numpy.arange(100_000.0))
    assert not runs


def test_arrays_that_gain_nothing(
    monkeypatch: pytest.MonkeyPatch, numpy: Any, empty_cache: Path
) -> None:
    """A few points, and a difference of two, take no longer without."""
    f = numpy.arange(1000.0) ** 2
    x = numpy.arange(1000.0) ** 1.5
    few = [{}, {"spacing": x}, {"order": 1, "boundary": "periodic"}, {"order": 2}]
    for keywords in few:
        result = compiled("derivative", f, **keywords)
        assert_same(result, agnostic("derivative", f, **keywords))
    assert not in_numba._kernels
    compiled("derivative", f, spacing=x, order=2)  # a tenth of the time without
    assert in_numba._kernels


@pytest.mark.parametrize("dtype", ["float16", "longdouble", ">f8", ">i4"])
def test_dtypes_that_run_without(
    runs: Runs, numpy: Any, recwarn: pytest.WarningsRecorder, dtype: str
) -> None:
    f = numpy.asarray([[0, 1, 4, 9], [7, 7, 8, -1]]).astype(dtype)
    result = compiled("gradient", f, spacing=0.5)
    assert not any(runs)
    for ours, theirs in zip(result, agnostic("gradient", f, spacing=0.5), strict=True):
        assert ours.dtype == theirs.dtype
        assert numpy.array_equal(ours, theirs)
    assert not recwarn.list


def test_companions_that_run_without(runs: Runs, numpy: Any) -> None:
    """Coordinates count, too: of long doubles, and in the other byte order."""
    f, x = numpy.arange(6.0) ** 2, numpy.arange(6.0) ** 1.5
    for other in (x.astype(numpy.longdouble), x.astype(">f8")):
        result = compiled("derivative", f, spacing=other)
        (wanted,) = agnostic("derivative", f, spacing=other)
        assert numpy.array_equal(result, wanted)
    assert runs == [False, False]


def test_unaligned_arrays(runs: Runs, numpy: Any) -> None:
    f = numpy.ndarray(40, numpy.float64, bytearray(40 * 8 + 1), offset=1)
    f[:] = numpy.arange(40.0) ** 2
    assert not f.flags.aligned
    assert_same(compiled("derivative", f), agnostic("derivative", f))
    assert runs == [False]


def test_what_is_not_compiled_has_one_result() -> None:
    """Memory for what the compiler would have written is given back before."""
    import numpy

    for dtype in ("float16", numpy.dtype("float64").newbyteorder()):
        f = numpy.ones((1200, 1200), dtype=dtype)
        anygrad.derivative(f)
        with anygrad.set_compiler("numba"):
            peak = peak_of(lambda f=f: anygrad.derivative(f))  # type: ignore[misc]
        assert peak < f.nbytes + 2**21


# What fails.


def test_a_kernel_that_does_not_compile(
    runs: Runs, plane: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result is that of a call without, and it is said once."""

    def fail(text: str) -> Any:
        raise NotImplementedError("no such machine")

    monkeypatch.setattr(on_disk, "loaded", fail)
    monkeypatch.setattr(in_numba, "_kernels", {})
    wanted = agnostic("laplacian", plane)
    with pytest.warns(RuntimeWarning, match="NotImplementedError: no such machine"):
        assert_same(compiled("laplacian", plane), wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(compiled("laplacian", plane), wanted)
    assert runs == [False, False]


def test_numba_that_compiles_nothing(
    runs: Runs, plane: Any, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is told to, it would run the loops in Python."""
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    assert_same(compiled("laplacian", plane), agnostic("laplacian", plane))
    assert runs == [False]
