"""Calls that Numba compiles: the setting, what is compiled, and that the bits stay."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import itertools
import json
import math
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygrad
import fresh
from anygrad import _agnostic, _kept
from anygrad._executors import in_numpy, in_torch
from anygrad._executors.printed import in_numba, missing_beyond
from anygrad._executors.recorded import nodes, tape
from peaks import peak_of
from planning import plan_of

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what is compiled in a folder of the tests' own."""
    pytest.importorskip("numba")
    folder = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYGRAD_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep nothing of what other tests have compiled."""
    monkeypatch.setenv("ANYGRAD_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(in_numba, "_kernels", {})
    return tmp_path


@pytest.fixture(autouse=True)
def default() -> Iterator[None]:
    """Leave the setting of the process as it was."""
    before = anygrad.get_compiler()
    yield
    anygrad.set_default_compiler(before)


class Runs(list[bool]):
    """Whether each call that was offered to the compiler has been compiled."""


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Compile small arrays, too, and return what has become of the calls."""
    run, seen = in_numba.run, Runs()

    def watched(*arguments: Any) -> bool:
        seen.append(run(*arguments))
        return seen[-1]

    monkeypatch.setattr(in_numba, "run", watched)
    monkeypatch.setattr(in_numba, "pays", lambda f, plan: True)
    return seen


def bits(array: Any) -> Any:
    """Return what two arrays share if they are the same; a NaN is a NaN."""
    import numpy

    array = numpy.asarray(array)
    if array.dtype.kind == "c":
        return bits(array.real), bits(array.imag)
    is_nan = numpy.isnan(array)
    values = numpy.where(is_nan, 0, array)
    return array.dtype, array.shape, is_nan.tobytes(), values.tobytes()


def assert_same(got: Any, wanted: Any) -> None:
    """Hold results to those of the agnostic run; complex ones, within rounding."""
    import numpy

    got = got if isinstance(got, tuple) else (got,)
    assert len(got) == len(wanted)
    for ours, theirs in zip(got, wanted, strict=True):
        if ours.dtype.kind == "c":
            size = numpy.abs(theirs).max(initial=0.0)
            tolerance = 32 * numpy.finfo(theirs.dtype).eps * size
            assert numpy.abs(ours - theirs).max(initial=0.0) <= tolerance
        else:
            assert bits(ours) == bits(theirs)


def agnostic(function: str, f: Any, **keywords: Any) -> tuple[Any, ...]:
    plan = plan_of(function, f, **keywords)
    import numpy

    with numpy.errstate(all="ignore"):
        return _agnostic.run(f, plan, plan.namespace)


def compiled(function: str, f: Any, **keywords: Any) -> Any:
    with anygrad.set_compiler("numba"):
        return getattr(anygrad, function)(f, **keywords)


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


# What is compiled, and what is not.


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


@pytest.fixture
def plane(numpy: Any) -> Any:
    return numpy.random.default_rng(5).standard_normal((23, 31))


def test_layouts(runs: Runs, plane: Any, numpy: Any) -> None:
    """Each way to lie in memory, none of which is copied or written to."""
    read_only = plane.copy()
    read_only.flags.writeable = False
    arrays = [read_only, numpy.asfortranarray(plane), plane[::-1, ::3]]
    arrays += [plane[1::2, ::-1], plane.T, numpy.broadcast_to(plane[0], (9, 31))]
    arrays += [numpy.broadcast_to(plane[:, :1], (23, 4)), plane[:0], plane[:, :0]]
    arrays += [plane[:1], plane[:, 1:2]]
    for f in arrays:
        before = f.tobytes()
        dim = 0 if f.shape[1] < 2 else 1
        result = compiled("derivative", f, dim=dim, order=2)
        assert_same(result, agnostic("derivative", f, dim=dim, order=2))
        plain = anygrad.derivative(f, dim=dim, order=2)
        assert result.size == 0 or result.strides == plain.strides
        assert result.flags.writeable
        assert f.tobytes() == before
    assert all(runs)


def test_numbers_and_arrays_of_a_call(runs: Runs, plane: Any, numpy: Any) -> None:
    """Steps and values of every kind, of few forms."""
    line = numpy.ascontiguousarray(plane[0])
    steps = [0.3, 3, 10**30, numpy.float32(0.3), numpy.int8(3), 5e-324, 1e300, 1e-300]
    steps += [-2.0, numpy.asarray(0.3), numpy.asarray(-7.0), 2**53 + 1]
    for step in steps:
        result = compiled("derivative", line, spacing=step)
        assert_same(result, agnostic("derivative", line, spacing=step))
    for value in (0, -0.0, 2**53 + 1, 10**30, numpy.float32(0.1), math.nan, 1e308):
        result = compiled("derivative", line, boundary=value)
        assert_same(result, agnostic("derivative", line, boundary=value))
    single = line.astype(numpy.float32)
    for value in (2**60 + 2**36 + 1, 0.1, 1e300):
        result = compiled("derivative", single, boundary=value)
        assert_same(result, agnostic("derivative", single, boundary=value))
    assert all(runs)


def test_complex_numbers(runs: Runs, plane: Any, numpy: Any) -> None:
    f = plane[:2] + 1j * plane[2:4]
    for samples, keywords in [
        (f, {"spacing": 0.5 - 2j}),
        (plane[0], {"spacing": 2j}),
        (f.astype(numpy.complex64), {"boundary": 1 - 1j}),
    ]:
        result = compiled("derivative", samples, **keywords)
        assert_same(result, agnostic("derivative", samples, **keywords))
    assert all(runs)


def test_stacks_and_several_results(runs: Runs, plane: Any) -> None:
    """Of a Hessian, mixed derivatives stand at two places."""
    assert_same(compiled("hessian", plane), agnostic("hessian", plane))
    keywords = {"stack_dim": 1, "dim": (1, 0)}
    result = compiled("gradient", plane, **keywords)
    assert_same(result, agnostic("gradient", plane, **keywords))
    assert runs == [True, True]


def test_what_is_long_is_cut(
    runs: Runs, plane: Any, numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into results, and these into an inner and an outer derivative."""
    monkeypatch.setattr(in_numba, "FEW_LINES", 150)
    monkeypatch.setattr(in_numba, "_kernels", {})
    f = plane[:9, :8]
    assert_same(compiled("hessian", f), agnostic("hessian", f))
    kept = [function is not None for function in in_numba._kernels.values()]
    assert kept.count(True) >= 3  # of parts
    assert runs[-1] is True
    monkeypatch.setattr(in_numba, "MOST_LINES", 10)
    monkeypatch.setattr(in_numba, "_kernels", {})
    assert_same(compiled("laplacian", f), agnostic("laplacian", f))
    assert runs[-1] is False


@pytest.mark.parametrize("most_lines", [None, 300])
def test_sums_of_real_and_complex_terms(
    runs: Runs, numpy: Any, monkeypatch: pytest.MonkeyPatch, most_lines: int | None
) -> None:
    """Where they are cut, each term of integers is written in its own dtype."""
    monkeypatch.setattr(in_numba, "MOST_LINES", most_lines or in_numba.MOST_LINES)
    monkeypatch.setattr(in_numba, "_kernels", {})
    f = numpy.arange(3 * 6 * 7 * 8).reshape(3, 6, 7, 8) ** 2 % 99
    x, y, z = [numpy.cumsum(numpy.arange(1, n + 1)) for n in f.shape[1:]]
    for spacing in ([x, y, z * 1j], [x * 1j, y, z], [x, y * (1 - 2j), 0.5]):
        found = compiled("divergence", f, spacing=spacing)
        assert_same(found, agnostic("divergence", f, spacing=spacing))
    for spacing in ([x, y * 1j], [x * 1j, y]):
        given: dict[str, Any] = {"spacing": spacing, "dim": (1, 2)}
        found = compiled("curl", f[:2], **given)
        assert_same(found, agnostic("curl", f[:2], **given))
    assert runs == [True] * 5


def test_quotients_by_complex_zeros(runs: Runs, plane: Any, numpy: Any) -> None:
    """Numba raises an error there, also where another formula is chosen."""
    for dtype in ("complex64", "complex128"):
        f = (plane + 1j * plane[::-1]).astype(dtype)
        x = (numpy.arange(f.shape[1]) * (1 + 0.5j)).astype(dtype)
        holes = numpy.ones(f.shape, bool)
        holes[2:, 3], holes[4] = False, False
        for order in (1, 2):
            given = {"spacing": x, "where": holes, "order": order}
            (wanted,) = agnostic("derivative", f, **given)
            found = compiled("derivative", f, **given)
            assert found.dtype == dtype
            assert numpy.isnan(found).tobytes() == numpy.isnan(wanted).tobytes()
            assert_same(numpy.nan_to_num(found), (numpy.nan_to_num(wanted),))
        x[5] = x[4]
        (wanted,) = agnostic("derivative", f, spacing=x)
        found = compiled("derivative", f, spacing=x)
        assert not numpy.isfinite(wanted).all()
        assert numpy.isfinite(found).tobytes() == numpy.isfinite(wanted).tobytes()
    assert all(runs)


def test_nothing_is_asked_for(runs: Runs, numpy: Any) -> None:
    for f in (numpy.asarray(3.0), numpy.ones(4)):
        assert compiled("gradient", f, dim=[]) == ()
    assert runs == [True, True]


def test_many_components_have_one_kernel(
    runs: Runs, numpy: Any, empty_cache: Path
) -> None:
    """That of a component, for each dim: else, 80 would take half a minute."""
    f = numpy.random.default_rng(1).standard_normal((40, 6, 5))
    result = compiled("jacobian", f, vector_dim=0)
    assert_same(result, agnostic("jacobian", f, vector_dim=0))
    assert len(list(empty_cache.rglob("*.py"))) == 2
    assert all(runs)


def test_workers(runs: Runs, numpy: Any) -> None:
    """Rows are shared, as few as there are."""
    for shape in [(300, 400), (3, 40_000)]:
        f = numpy.random.default_rng(2).standard_normal(shape)
        wanted = agnostic("derivative", f, order=2)
        for workers in (1, 2, 4):
            with anygrad.set_workers(workers):
                assert_same(compiled("derivative", f, order=2), wanted)
    assert all(runs)


@pytest.mark.parametrize("rest", [(9, 7), (600,)])
def test_rows_made_at_once(
    runs: Runs, numpy: Any, monkeypatch: pytest.MonkeyPatch, rest: tuple[int, ...]
) -> None:
    """Planes, and long rows: any number of them, in shares that end anywhere."""
    monkeypatch.setattr(in_numba, "LEAST_SHARE", 1)
    for count in (4, 5, 6, 7, 9, 10, 23):
        f = numpy.random.default_rng(count).standard_normal((count, *rest))
        wanted = agnostic("laplacian", f)
        for workers in (1, 2):
            with anygrad.set_workers(workers):
                assert_same(compiled("laplacian", f), wanted)
    assert all(runs)


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


# What fails.


def test_a_kernel_that_does_not_compile(
    runs: Runs, plane: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result is that of a call without, and it is said once."""

    def fail(text: str) -> Any:
        raise NotImplementedError("no such machine")

    monkeypatch.setattr(in_numba, "_loaded", fail)
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


# What is kept.

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


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own folder")
@pytest.mark.parametrize(
    ("function", "keywords", "serve"),
    [
        ("derivative", {"dim": 0}, True),
        ("gradient", {"accuracy": 4, "edge_order": 4}, True),
        ("laplacian", {"spacing": "x"}, True),
        ("laplacian", {"boundary": "reflect"}, False),
        ("hessian", {}, False),
    ],
)
def test_where_ends_are_as_if_samples_were_missing(
    function: str, keywords: dict[str, Any], serve: bool
) -> None:
    """One-sided ends of one axis each; with ghosts, rows have formulas of their own."""
    import numpy

    f = numpy.random.default_rng(0).random((12, 13))
    if "spacing" in keywords:
        keywords = {"spacing": [numpy.arange(n) ** 1.5 for n in f.shape]}
    plan = plan_of(function, f, where=f > 0.1, **keywords)
    call = tape.Call(f, plan, plan.namespace)
    recording = call.record(*call.form())
    ranges = nodes.interiors(recording.results, f.ndim)
    found = missing_beyond.serve_everywhere(recording.results, ranges)
    assert found is serve


@pytest.mark.parametrize("dim", [0, 1])
def test_all_masks_of_short_axes(runs: Runs, dim: int) -> None:
    """At each point, ends and holes may be so near, to both sides."""
    import numpy

    draw = numpy.random.default_rng(0)
    for length in range(3, 10):
        masks = numpy.array(list(itertools.product([False, True], repeat=length)))
        masks = masks if dim else numpy.ascontiguousarray(masks.T)
        f = draw.random(masks.shape)
        keywords = {"dim": dim, "edge_order": 2, "where": masks}
        got = compiled("derivative", f, **keywords)
        assert_same(got, agnostic("derivative", f, **keywords))
    assert runs == [True] * 7


def test_where_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANYGRAD_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert in_numba._folder() == tmp_path / "anygrad"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert in_numba._folder() == tmp_path / ".cache" / "anygrad"
    monkeypatch.setenv("ANYGRAD_CACHE_DIR", str(tmp_path / "told"))
    assert in_numba._folder() == tmp_path / "told"


# Other libraries.


def test_torch_tensors(runs: Runs, torch: Any, numpy: Any) -> None:
    """On the CPU, with their own dtypes, layouts and stacks."""
    plane = torch.arange(120.0).reshape(10, 12) ** 1.5
    mask = plane % 3 != 1
    calls: list[tuple[str, Any, dict[str, Any]]] = [
        ("laplacian", plane, {}),
        ("gradient", plane.T, {"stack_dim": 0}),
        ("derivative", plane, {"where": mask}),
        ("derivative", plane.to(torch.int16), {"spacing": torch.arange(12) ** 2}),
        ("hessian", plane.double(), {}),
    ]
    for function, f, keywords in calls:
        wanted = agnostic(function, f, **keywords)
        got = compiled(function, f, **keywords)
        results = got if isinstance(got, tuple) else (got,)
        for ours, theirs in zip(results, wanted, strict=True):
            assert ours.dtype is theirs.dtype
            assert bits(ours.numpy()) == bits(theirs.numpy())
    assert all(runs)
    assert len(runs) == len(calls)


def test_torch_tensors_that_are_watched(runs: Runs, torch: Any) -> None:
    """Transforms see the operations; autograd sees one, which runs forward compiled."""
    f = (torch.arange(12.0) ** 1.5).requires_grad_()
    (wanted,) = torch.autograd.grad(anygrad.derivative(f, order=2).square().sum(), f)
    assert not runs
    result = compiled("derivative", f, order=2)
    assert runs == [True]
    (got,) = torch.autograd.grad(result.square().sum(), f)
    assert torch.equal(got, wanted)
    rows = torch.stack([f.detach(), f.detach() ** 2])
    mapped = torch.func.vmap(lambda row: compiled("derivative", row))(rows)
    assert torch.equal(mapped, anygrad.derivative(rows))
    _, tangent = torch.func.jvp(lambda f: compiled("derivative", f), (rows,), (rows,))
    assert torch.equal(tangent, mapped)
    assert runs == [True]


def test_torch_dtypes_that_run_without(runs: Runs, torch: Any) -> None:
    """Those that NumPy does not have are not even offered."""
    f = torch.arange(9.0).to(torch.bfloat16)
    assert torch.equal(compiled("derivative", f), anygrad.derivative(f))
    half = f.to(torch.float16)
    assert torch.equal(compiled("derivative", half), anygrad.derivative(half))
    assert not any(runs)


def test_dask_arrays_take_it_along(runs: Runs, dask: Any, numpy: Any) -> None:
    """From where the call is made to where the chunks are computed."""
    from dask.array import from_array

    f = numpy.random.default_rng(3).standard_normal((30, 20))
    lazy = from_array(f, chunks=(11, 7))
    graph = compiled("laplacian", lazy)
    assert not runs
    assert_same(graph.compute(), agnostic("laplacian", f))
    assert runs
    assert all(runs)
    runs.clear()
    graph = anygrad.laplacian(lazy)
    with anygrad.set_compiler("numba"):
        assert_same(graph.compute(scheduler="synchronous"), agnostic("laplacian", f))
    assert not runs or all(runs)


# The whole space.

#: Of every kind that a formula can be of, few: each is compiled once for two layouts.
FORMS: list[tuple[str, dict[str, Any]]] = [
    ("derivative", {}),
    ("derivative", {"order": 2, "accuracy": 4, "boundary": "periodic"}),
    ("derivative", {"accuracy": 4, "edge_order": 1, "spacing": "x"}),
    ("derivative", {"where": "mask", "spacing": "x"}),
    ("gradient", {"where": "mask"}),
    ("laplacian", {"boundary": "number"}),
]


SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]
#: Of steps whose square is a normal number.
STEPS = st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100)


@pytest.mark.parametrize(("function", "keywords"), FORMS)
@given(draw=st.data())
def test_the_same_bits(
    numpy: Any, function: str, keywords: dict[str, Any], draw: st.DataObject
) -> None:
    """As the agnostic run, whatever the values, the shape and the layout are."""
    keywords = dict(keywords)
    shape = draw.draw(st.tuples(st.integers(7, 12), st.integers(7, 12)))
    integers = st.integers(0, 2**32 - 1)
    generator = numpy.random.default_rng(draw.draw(integers))
    f = generator.standard_normal(shape) * 10.0 ** draw.draw(st.integers(-300, 300))
    odd = draw.draw(st.lists(st.sampled_from(SPECIAL)))
    for value in odd:
        f[generator.integers(shape[0]), generator.integers(shape[1])] = value
    if keywords.get("spacing") == "x":
        x = numpy.cumsum(generator.uniform(0.1, 9, shape[1]))
        keywords["spacing"] = x * draw.draw(st.floats(1e-9, 1e9))
    else:
        keywords["spacing"] = draw.draw(STEPS)
    if "where" in keywords:
        keywords["where"] = generator.random(shape) > draw.draw(st.floats(0, 1))
    if keywords.get("boundary") == "number":
        keywords["boundary"] = draw.draw(st.floats())
    if draw.draw(st.booleans()):
        f = numpy.asfortranarray(f)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_numba, "pays", lambda f, plan: True)
        result = compiled(function, f, **keywords)
    assert_same(result, agnostic(function, f, **keywords))


@pytest.fixture
def composites(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Compile small calls with factors, too, and return what has become of them."""
    run, seen = in_numba.run_composite, Runs()

    def watched(*given: Any, **how: Any) -> bool:
        seen.append(run(*given, **how))
        return seen[-1]

    monkeypatch.setattr(in_numba, "run_composite", watched)
    monkeypatch.setattr(in_numpy, "LEAST_IN_ONE_PASS", 0)
    monkeypatch.setattr(in_torch, "LEAST_IN_ONE_PASS", 0)
    return seen


@pytest.mark.parametrize("has_mask", [False, True])
@pytest.mark.parametrize("function", ["gradient", "divergence", "curl", "laplacian"])
def test_factors(
    composites: Runs,
    numpy: Any,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    has_mask: bool,
) -> None:
    """A call with factors is compiled as one, on several threads, too."""
    monkeypatch.setattr(in_numba, "LEAST_SHARE", 0)
    rng = numpy.random.default_rng(2)
    shape = (12, 16) if function in ("gradient", "laplacian") else (2, 12, 16)
    f, first, both = (
        rng.random(shape),
        rng.random((12, 1)) + 1,
        rng.random((12, 16)) + 1,
    )
    keywords = {"vector_dim": 0} if len(shape) > 2 else {}
    keywords |= {"scale_factors": [first, both], "boundary": ["edge", "one_sided"]}
    keywords |= {"where": rng.random((12, 16)) > 0.1} if has_mask else {}
    wanted = getattr(anygrad, function)(f, **keywords)
    with anygrad.set_compiler("numba"), anygrad.set_workers(2):
        ours = getattr(anygrad, function)(f, **keywords)
    assert composites == [True]
    assert_same(ours, wanted if isinstance(wanted, tuple) else (wanted,))


@pytest.mark.peers
def test_factors_beside_torch_tensors(composites: Runs, numpy: Any, torch: Any) -> None:
    """They are compiled in NumPy's hands; bfloat16, which it lacks, is not."""
    f, h = torch.rand(2, 12, 16), torch.rand(12, 16) + 1
    for dtype in (torch.float32, torch.bfloat16):
        factors = [h.to(dtype), 2.0]
        call = partial(anygrad.divergence, f.to(dtype), vector_dim=0)
        with anygrad.set_compiler("numba"):
            ours = call(scale_factors=factors)
        assert torch.equal(ours, call(scale_factors=factors))
    assert composites == [True]


@pytest.mark.peers
def test_factors_under_a_default_device_of_torch(numpy: Any, torch: Any) -> None:
    """Weights that are made beforehand lie where the samples do."""
    f = torch.rand(500, 400, dtype=torch.float64)
    x, y = (torch.rand(n, dtype=torch.float64).cumsum(0) + 1 for n in f.shape)
    h = torch.rand(500, 1, dtype=torch.float64) + 1
    given = {"spacing": [x, y], "scale_factors": [h, 2.0], "accuracy": 4}
    wanted = anygrad.laplacian(f, **given)
    with anygrad.set_compiler("numba"), torch.device("meta"):
        assert torch.equal(anygrad.laplacian(f, **given), wanted)


def test_factors_of_what_is_long(
    composites: Runs, numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results that are too long together are compiled one by one."""
    monkeypatch.setattr(in_numba, "MOST_LINES", 250)
    rng = numpy.random.default_rng(3)
    f, h = rng.random((3, 8, 9, 10)), rng.random((8, 9, 10)) + 1
    given = {"scale_factors": [h, 2.0, h], "vector_dim": 0}
    wanted = anygrad.curl(f, **given)
    with anygrad.set_compiler("numba"):
        assert anygrad.curl(f, **given).tobytes() == wanted.tobytes()
    assert composites == [False, True, True, True]


def test_what_is_not_compiled_has_one_result() -> None:
    """Memory for what the compiler would have written is given back before."""
    import numpy

    for dtype in ("float16", numpy.dtype("float64").newbyteorder()):
        f = numpy.ones((1200, 1200), dtype=dtype)
        anygrad.derivative(f)
        with anygrad.set_compiler("numba"):
            peak = peak_of(lambda f=f: anygrad.derivative(f))  # type: ignore[misc]
        assert peak < f.nbytes + 2**21


def test_weights_of_what_is_long_are_made_beforehand(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two ways to make them, the second is taken where the first is too long."""
    monkeypatch.setattr(in_numba, "MOST_LINES", 400)
    rng = numpy.random.default_rng(4)
    f, x = rng.random((400, 400)), numpy.cumsum(rng.random(400) + 0.5)
    keywords: dict[str, Any] = {"spacing": x, "dim": 1, "order": 3, "accuracy": 4}
    kernels: list[Any] = []
    usual = in_numba._compiled

    def watched(*given: Any, **how: Any) -> Any:
        kernels.append(usual(*given, **how))
        return kernels[-1]

    monkeypatch.setattr(in_numba, "_compiled", watched)
    result = compiled("derivative", f, **keywords)
    assert_same(result, agnostic("derivative", f, **keywords))
    assert [kernel is None for kernel in kernels] == [True, False]
