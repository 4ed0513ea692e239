"""Many threads at once, very many calls, and a glance of the fuzzing in `fuzz.py`."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import anygrad
import fuzz
import oracle
from anygrad import _kept, _kept_plans
from backends import Backend
from fuzzing.valid import FIELDS, SCALARS

THREADS = 16
SQUARES = [0.0, 1, 4, 9, 16, 25]


#: So many calls come before the memory is measured.
FIRST = 500


def bounded(
    name: str, function: Callable[[], Any], times: int, first: int = FIRST
) -> None:
    """Call often, and hold the memory that Python and NumPy have kept to a bound."""
    tracemalloc.start()
    try:
        for _ in range(first):
            function()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(times):
            function()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A call that kept one object of a hundred bytes would keep ten times this.  Plans
    # that are remembered differ in size, by some kilobytes for all of them.
    assert after - before < 10 * times, f"{name} has kept {after - before} bytes"


@pytest.mark.parametrize("edge_order", [1, 2])
def test_threads_do_not_disturb_each_other(library: Backend, edge_order: int) -> None:
    """Sixteen begin at the same time, each with samples and steps of its own."""
    start = threading.Barrier(THREADS)
    x = [0.0, 1, 3, 4, 8, 9]
    wanted = {
        k: [
            oracle.derivative([k * a for a in SQUARES], 0, grid, edge_order)
            for grid in (oracle.steps(0, k), oracle.along(0, [k * a for a in x]))
        ]
        for k in range(1, THREADS + 1)
    }

    def work(k: int) -> None:
        with library.active():
            f = library.asarray([k * a for a in SQUARES])
            coordinates = library.asarray([k * a for a in x])
            start.wait(60)
            for _ in range(3):
                results = [
                    *anygrad.gradient(f, spacing=k, edge_order=edge_order),
                    *anygrad.gradient(f, spacing=[coordinates], edge_order=edge_order),
                ]
                library.check(tuple(results), wanted[k], like=f)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, k) for k in wanted]:
            done.result(120)


@pytest.mark.usefixtures("kept_at_once")
def test_threads_meet_a_plan_first(
    library: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known of the shapes when all begin, and there is room for few."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 2**13)
    start = threading.Barrier(THREADS)
    numbers = [float(k * k) for k in range(60)]

    def work(k: int) -> None:
        samples = numbers[: 41 + k // 2]  # two threads for each shape
        with library.active():
            f = library.asarray(samples)
            start.wait(60)
            for step in (1, k + 2, k + 2):
                result = anygrad.gradient(f, spacing=float(step))
                target = oracle.derivative(samples, 0, oracle.steps(0, step), 1)
                library.check(result, [target], like=f)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    held = [known.account.held for known in _kept_plans.by_key.values()]
    # Threads that find the memory full at once may all add to it once.
    assert sum(held) <= 2**13 + THREADS * max(held)


def test_threads_meet_a_library_first(library: Backend) -> None:
    """In a process where nothing has been called yet: no room is made, no class met."""
    script = f"""
        import os, sys, threading
        from concurrent.futures import ThreadPoolExecutor
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
        if {library.library!r} == "cupy":
            import cupy_on_cpu
            if not cupy_on_cpu.gpu_present():
                cupy_on_cpu.install()
        from backends import plain
        library = plain({library.option!r})
        with library.active():
            f = library.asarray([0.0, 1, 4, 9])
        import anygrad
        start = threading.Barrier({THREADS})

        def work(k):
            with library.active():
                start.wait(60)
                (result,) = anygrad.gradient(f, spacing=2.0 * k)
                return [2 * k * a for a in library.tolist(result)]

        with ThreadPoolExecutor({THREADS}) as pool:
            for result in pool.map(work, range(1, {THREADS} + 1)):
                assert all(map(lambda a, b: abs(a - b) < 1e-6, result, [1, 2, 4, 5]))
        print("done")
    """
    source = str(Path(anygrad.__file__).parent.parent)
    paths = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_threads_and_workers(numpy: Any) -> None:
    """Arrays large enough to be cut into blocks, in a pool that all share."""
    f = numpy.arange(400_000.0).reshape(400, 1000) ** 2
    wanted = anygrad.gradient(f)
    start = threading.Barrier(THREADS)

    def work(k: int) -> bool:
        start.wait(60)
        with anygrad.set_workers(1 + k % 4):
            results = anygrad.gradient(f)
        pairs = zip(results, wanted, strict=True)
        return all((a == b).all() for a, b in pairs)

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(work, range(THREADS)))


@pytest.mark.once
def test_no_growth_with_one_plan(numpy: Any) -> None:
    """100,000 calls of one kind."""
    f = numpy.asarray(SQUARES)
    bounded("a call", lambda: anygrad.gradient(f, spacing=0.5), 100_000)


@pytest.mark.once
def test_no_growth_with_new_steps(numpy: Any) -> None:
    """Each call has steps and a value beyond the ends that no call had before."""
    f, numbers = numpy.asarray(SQUARES), itertools.count(1)
    for name, call in (
        ("a step", lambda k: anygrad.gradient(f, spacing=k)),
        ("steps", lambda k: anygrad.gradient(f, spacing=[k + 0.5])),
        ("a value", lambda k: anygrad.gradient(f, boundary=k)),
    ):
        bounded(name, lambda call=call: call(next(numbers)), 5_000)


@pytest.mark.once
def test_no_growth_with_new_shapes(numpy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call has a length that no call had before."""
    f, lengths = numpy.arange(9_000.0), itertools.count(1_000)
    first = 2 * _kept.MOST_MET
    bounded("a call", lambda: anygrad.gradient(f[: next(lengths)]), 5_000, first)


@pytest.mark.usefixtures("kept_at_once")
def test_no_growth_with_new_plans(numpy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has one of its own."""
    monkeypatch.setattr(_kept, "MOST_BYTES", 2**14)
    f, lengths = numpy.arange(7_000.0), itertools.count(1_000)
    bounded("a plan", lambda: anygrad.gradient(f[: next(lengths)]), 5_000)


def test_no_growth_with_other_libraries(library: Backend) -> None:
    f, x = library.asarray(SQUARES), library.asarray(SQUARES)
    times = 2_000 if library.library in ("numpy", "torch", "jax") else 400
    bounded("a call", lambda: anygrad.gradient(f, spacing=[x]), times)


def test_no_growth_with_refusals(library: Backend) -> None:
    f = library.asarray(SQUARES)

    def call() -> None:
        with pytest.raises(ValueError, match="finite and not zero"):
            anygrad.gradient(f, spacing=0)

    bounded("a refusal", call, 1_000)


@pytest.mark.parametrize("seed", [1, 2])
def test_fuzz_a_little(library: Backend, seed: int) -> None:
    """The calls are the same in every run; `nox -s fuzz` makes new ones for longer."""
    times = 25 if library.library in ("jax", "cupy") else 100
    for count in range(times):
        fuzz.one_call(library, seed, count)


@pytest.mark.once
def test_fuzz_finds_a_broken_gradient(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that forgets its step, one that writes, one that fails inside."""
    from backends import plain

    right = anygrad.gradient

    def forgets(f: Any, **keywords: Any) -> Any:
        results = right(f, **keywords)
        return tuple(result * 2 for result in results)

    def writes(f: Any, **keywords: Any) -> Any:
        results = right(f, **keywords)
        f[...] += 1
        return results

    def fails(f: Any, **keywords: Any) -> Any:
        right(f, **keywords)
        return {}[keywords]

    for broken, message in (
        (forgets, "was wanted"),
        (writes, "has changed"),
        (fails, "an internal error"),
    ):
        monkeypatch.setattr(anygrad, "gradient", broken)
        found = fuzz.fuzz([plain("numpy")], 1, 60.0, iter(range(60)))[1]
        assert message in found[0]


@pytest.mark.once
def test_fuzz_finds_a_broken_mask(numpy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes no notice of it, one that writes to it, one that fills with 0."""
    from backends import plain

    right = anygrad.gradient

    def ignores(f: Any, where: Any = None, **keywords: Any) -> Any:
        right(f, where=where, **keywords)
        return right(f, **keywords)

    def writes(f: Any, where: Any = None, **keywords: Any) -> Any:
        results = right(f, where=where, **keywords)
        if where is not None:
            where[...] = False
        return results

    def fills(f: Any, where: Any = None, **keywords: Any) -> Any:
        results = right(f, where=where, **keywords)
        if where is None or "stack_dim" in keywords:
            return results
        return tuple(numpy.nan_to_num(result) for result in results)

    for broken, message in (
        (ignores, "was wanted"),
        (writes, "has changed"),
        (fills, "where NaN was wanted"),
    ):
        monkeypatch.setattr(anygrad, "gradient", broken)
        found = fuzz.fuzz([plain("numpy")], 1, 60.0, iter(range(200)))[1]
        assert any(message in finding for finding in found)
        assert all("where=array" in finding for finding in found)


@pytest.mark.cover(0)
@pytest.mark.once
@pytest.mark.parametrize("name", [*SCALARS[1:], *FIELDS])
def test_fuzz_finds_a_broken_function(
    numpy: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One whose last number is off, by little."""
    from backends import plain

    right = getattr(anygrad, name)

    def broken(f: Any, **keywords: Any) -> Any:
        result = right(f, **keywords)
        if result.size:
            result[(-1,) * result.ndim] *= 1.125
        return result

    monkeypatch.setattr(anygrad, name, broken)
    found = fuzz.fuzz([plain("numpy")], 1, 60.0, iter(range(120)))[1]
    assert found
    assert all(f"\n{name}(" in finding for finding in found)


@pytest.mark.parametrize(
    ("name", "put"),
    [
        ("scale_factors", lambda q: q),
        ("spacing", lambda q: [(q, q)]),
        ("boundary", lambda q: [("edge", [q])]),
    ],
)
def test_quantities_where_there_are_no_values(numpy: Any, name: str, put: Any) -> None:
    """Nobody takes them off there: a call went on and on to look for who does."""
    pint = pytest.importorskip("pint")
    f, metre = numpy.asarray([0.0, 1, 4]), pint.UnitRegistry().metre
    for samples in (f, f * metre):
        with pytest.raises(TypeError, match=f"^`{name}` must have quantities as entri"):
            anygrad.gradient(samples, **{name: put(1.0 * metre)})
