"""How many threads a call may use: the setting, the results, and the threads."""

from __future__ import annotations

import asyncio
import operator
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import anygrad
from anygrad import _records, _workers
from anygrad._executors import in_numpy


@pytest.fixture(autouse=True)
def default() -> Iterator[None]:
    """Leave the setting of the process as it was."""
    before = anygrad.get_workers()
    yield
    anygrad.set_default_workers(before)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


@pytest.fixture
def small_blocks(numpy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut arrays into blocks of a few elements, so that there are many."""
    cut = in_numpy._ops()._replace(block_bytes=256)
    monkeypatch.setattr(in_numpy, "LEAST_SHARED", 0)
    monkeypatch.setattr(_records, "MOST_UNPREPARED", -1)
    monkeypatch.setattr(in_numpy, "_ops", lambda: cut)


@pytest.fixture
def all_take_part(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Let threads wait for each other in their first blocks; return who they were.

    Otherwise the caller is often done before any other has begun.
    """
    share, calls = _workers.share, []

    def share_evenly(work: Any, items: Any, workers: int, within: Any) -> None:
        items = list(items)
        meeting = threading.Barrier(min(workers, len(items)), timeout=30)
        calls.append(threads := set())

        def work_after_meeting(item: Any) -> None:
            if threading.get_ident() not in threads:
                threads.add(threading.get_ident())
                meeting.wait()
            work(item)

        share(work_after_meeting, items, workers, within)

    monkeypatch.setattr(_workers, "share", share_evenly)
    return calls


# The setting.


def test_one_thread_at_the_start() -> None:
    assert anygrad.get_workers() == 1


def test_a_block_of_code_has_its_own_number() -> None:
    with anygrad.set_workers(2) as nothing:
        assert nothing is None
        assert anygrad.get_workers() == 2
        with anygrad.set_workers(5):
            assert anygrad.get_workers() == 5
        assert anygrad.get_workers() == 2
    assert anygrad.get_workers() == 1


def test_restored_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), anygrad.set_workers(2):
        raise ZeroDivisionError
    assert anygrad.get_workers() == 1


def test_default_is_for_what_has_no_number_of_its_own() -> None:
    with anygrad.set_workers(2):
        anygrad.set_default_workers(3)
        assert anygrad.get_workers() == 2
    assert anygrad.get_workers() == 3


@pytest.mark.parametrize(("given", "count"), [(-1, 4), (-4, 1), (1, 1), (9, 9)])
def test_negative_numbers_count_from_the_cores(
    four_cores: None, given: int, count: int
) -> None:
    with anygrad.set_workers(given):
        assert anygrad.get_workers() == count
    anygrad.set_default_workers(given)
    assert anygrad.get_workers() == count


def test_unknown_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python may be unable to tell: there is one at least."""
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    with anygrad.set_workers(-1):
        assert anygrad.get_workers() == 1


def enter(workers: Any) -> None:
    with anygrad.set_workers(workers):
        pytest.fail("the number must be refused at the entrance")


@pytest.mark.parametrize("number", [0, -5, -100])
@pytest.mark.parametrize("call", [enter, anygrad.set_default_workers])
def test_numbers_out_of_range(four_cores: None, call: Any, number: int) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call(number)
    assert str(caught.value) == (
        "`workers` must be positive, or lie between -4 and -1 to count from the 4 "
        f"cores. Got {number}."
    )
    assert anygrad.get_workers() == 1


@pytest.mark.parametrize("number", [True, 2.0, "2", None, [2]], ids=repr)
@pytest.mark.parametrize("call", [enter, anygrad.set_default_workers])
def test_no_integer(call: Any, number: Any) -> None:
    with pytest.raises(TypeError) as caught:
        call(number)
    assert str(caught.value) == f"`workers` must be an int. Got {number!r}."
    assert anygrad.get_workers() == 1


def test_an_integer_of_numpy(numpy: Any) -> None:
    with anygrad.set_workers(numpy.int64(2)):
        assert type(anygrad.get_workers()) is int


def test_other_threads_keep_theirs() -> None:
    """Neither inherited nor leaked."""
    seen = []

    def other() -> None:
        seen.append(anygrad.get_workers())
        with anygrad.set_workers(7):
            meeting.wait()
            meeting.wait()
        seen.append(anygrad.get_workers())

    meeting = threading.Barrier(2, timeout=30)
    thread = threading.Thread(target=other)
    with anygrad.set_workers(2):
        thread.start()
        meeting.wait()
        assert anygrad.get_workers() == 2
        meeting.wait()
        thread.join()
    assert seen == [1, 1]


def test_other_tasks_keep_theirs() -> None:
    """Tasks of asyncio take turns within their `with` blocks."""

    async def task(workers: int) -> list[int]:
        seen = []
        with anygrad.set_workers(workers):
            for _ in range(3):
                await asyncio.sleep(0)
                seen.append(anygrad.get_workers())
        return [*seen, anygrad.get_workers()]

    async def both() -> list[list[int]]:
        return await asyncio.gather(task(2), task(3))

    assert asyncio.run(both()) == [[2, 2, 2, 1], [3, 3, 3, 1]]
    assert anygrad.get_workers() == 1


def test_blocks_left_in_any_order() -> None:
    """Generators are closed when they may be: no block goes on with one around it."""

    def numbers(workers: int) -> Iterator[int]:
        with anygrad.set_workers(workers):
            while True:
                yield anygrad.get_workers()

    for left_first in (0, 1, 2):
        generators = [numbers(workers) for workers in (2, 3, 4)]
        assert list(map(next, generators)) == [2, 3, 4]
        generators.pop(left_first).close()
        assert anygrad.get_workers() == (3 if left_first == 2 else 4)
        while generators:
            generators.pop(0).close()
        assert anygrad.get_workers() == 1


def test_a_block_left_in_another_context() -> None:
    """An asynchronous generator may be closed by another task."""

    async def numbers() -> AsyncIterator[int]:
        with anygrad.set_workers(2):
            yield anygrad.get_workers()

    async def close(generator: Any) -> int:
        await generator.aclose()
        return anygrad.get_workers()

    async def both(is_copied: bool) -> tuple[int, int]:
        generator = numbers()
        task = asyncio.create_task(close(generator)) if not is_copied else None
        number = await anext(generator)
        return number, await (task or asyncio.create_task(close(generator)))

    assert asyncio.run(both(is_copied=False)) == (2, 1)
    assert asyncio.run(both(is_copied=True)) == (2, 1)


# The results.


def samples(numpy: Any, dtype: str, order: str) -> Any:
    draw = numpy.random.default_rng(5)
    array = draw.integers(0, 100, (23, 18, 5)) * draw.random((23, 18, 5))
    return numpy.asarray(array.astype(dtype), order=order)


@pytest.mark.cover(1)
@pytest.mark.parametrize("workers", [1, 2, 3, -1])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8"])
def test_same_bits(
    numpy: Any,
    small_blocks: None,
    all_take_part: object,
    dtype: str,
    order: str,
    workers: int,
) -> None:
    """However many threads take part, with steps and with coordinates."""
    f = samples(numpy, dtype, order)
    f.flags.writeable = False
    x = [numpy.cumsum(1 + numpy.arange(n) % 3 / 7) for n in f.shape]
    curved = x[1][:, None] + f / 512.0
    for spacing in (1, 0.3, x, [2.0, curved, x[2]]):
        for edge_order in (1, 2):
            keywords: Any = {"spacing": spacing, "edge_order": edge_order}
            alone = anygrad.gradient(f, **keywords)
            with anygrad.set_workers(workers):
                results = anygrad.gradient(f, **keywords)
            for result, wanted in zip(results, alone, strict=True):
                assert result.strides == wanted.strides
                assert result.tobytes("A") == wanted.tobytes("A")


@pytest.mark.parametrize("shape", [(300_001,), (401, 500), (3, 200, 300), (5,)])
def test_blocks_as_they_are(
    numpy: Any, all_take_part: object, shape: tuple[int, ...]
) -> None:
    """Without any help of the tests: arrays of several blocks, and of one."""
    f = numpy.random.default_rng(5).normal(size=shape)
    alone = anygrad.gradient(f)
    with anygrad.set_workers(2):
        results = anygrad.gradient(f)
    for result, wanted in zip(results, alone, strict=True):
        assert result.tobytes() == wanted.tobytes()


def test_nothing_warns(numpy: Any, small_blocks: None, all_take_part: object) -> None:
    """NaN, infinity and overflow are in the result, in every thread."""
    f = numpy.resize([0.0, numpy.nan, numpy.inf, -numpy.inf, 1e308, -1e308], 500)
    x = numpy.resize([1.0, 1.0, numpy.nan, 2.0], 500)
    for spacing in (1, 1e-300, [x]):
        alone = anygrad.gradient(f, spacing=spacing)
        with anygrad.set_workers(2), numpy.errstate(all="raise"):
            results = anygrad.gradient(f, spacing=spacing)
        assert results[0].tobytes() == alone[0].tobytes()


def test_many_callers_at_once(numpy: Any, small_blocks: None) -> None:
    """Sixteen threads, each with arrays and a number of workers of its own."""
    start = threading.Barrier(16, timeout=60)
    f = samples(numpy, "float64", "C")
    wanted = [anygrad.gradient(f * k)[0].tobytes() for k in range(16)]

    def caller(k: int) -> list[bytes]:
        start.wait()
        with anygrad.set_workers(1 + k % 4):
            return [anygrad.gradient(f * k)[0].tobytes() for _ in range(5)]

    with ThreadPoolExecutor(16) as callers:
        for k, results in enumerate(callers.map(caller, range(16))):
            assert results == [wanted[k]] * 5


# The threads.


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_as_many_threads_as_set(
    numpy: Any, small_blocks: None, all_take_part: list[set[int]], workers: int
) -> None:
    """The caller among them; alone, it needs no one to share with."""
    with anygrad.set_workers(workers):
        anygrad.gradient(numpy.arange(5000.0))
    (threads,) = all_take_part or [{threading.get_ident()}]
    assert len(threads) == workers
    assert threading.get_ident() in threads


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_every_item_once(count: int) -> None:
    done: list[int] = []
    _workers.share(done.append, range(count), 4, operator.call)
    assert sorted(done) == list(range(count))


def test_runs_of_neighbours() -> None:
    """Each of two threads that begin together has a half of its own, in order."""
    meeting = threading.Barrier(2, timeout=30)
    done: dict[int, list[int]] = {}

    def work(item: int) -> None:
        done.setdefault(threading.get_ident(), []).append(item)
        if item in (0, 4, 3, 7):  # the first and the last of each half
            meeting.wait()

    _workers.share(work, range(8), 2, operator.call)
    assert sorted(done.values()) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert done[threading.get_ident()] == [0, 1, 2, 3]


def test_settings_in_every_thread() -> None:
    """They are entered once per thread, around all of its items."""
    meeting, inside = threading.Barrier(2, timeout=30), []
    setting = threading.local()

    def within(function: Callable[[], None]) -> None:
        setting.on = True
        function()
        setting.on = False
        inside.append(threading.get_ident())

    def work(item: int) -> None:
        assert setting.on
        if item in (0, 4):
            meeting.wait()

    _workers.share(work, range(8), 2, within)
    assert len(set(inside)) == len(inside) == 2


@pytest.mark.parametrize("in_caller", [True, False])
def test_errors_come_out(in_caller: bool) -> None:
    """Of the calling thread and of its helpers; afterwards all work as before."""
    caller = threading.get_ident()
    failed = threading.Event()

    def work(_: int) -> None:
        if (threading.get_ident() == caller) == in_caller:
            failed.set()
            raise ZeroDivisionError
        assert failed.wait(timeout=30)

    with pytest.raises(ZeroDivisionError):
        _workers.share(work, range(8), 2, operator.call)
    test_every_item_once(1000)


def test_busy_threads_are_not_waited_for() -> None:
    """A caller whose helpers are taken does all the work itself."""
    held, free = threading.Barrier(3, timeout=30), threading.Event()

    def hold(_: int) -> None:
        held.wait()
        assert free.wait(timeout=30)

    with ThreadPoolExecutor(1) as other:
        first = other.submit(_workers.share, hold, range(2), 2, operator.call)
        try:
            held.wait()
            workers: list[int] = []

            def note(_: int) -> None:
                workers.append(threading.get_ident())

            _workers.share(note, range(9), 2, operator.call)
            assert workers == [threading.get_ident()] * 9
        finally:
            free.set()
        first.result()
