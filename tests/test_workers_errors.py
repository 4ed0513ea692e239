"""Numbers of workers that are none, and blocks that fail."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import operator
import os
import sys
import threading
import time
from typing import Any

import pytest

import anygrad
from anygrad import _settings, _workers

WRONG: list[tuple[Any, type[Exception]]] = [
    (0, ValueError),
    (-10_000, ValueError),
    ("2", TypeError),
    (True, TypeError),
    (False, TypeError),
    (2.0, TypeError),
    (None, TypeError),
    ([2], TypeError),
]


@pytest.mark.parametrize(("workers", "error"), WRONG, ids=repr)
def test_a_wrong_number_is_refused_at_the_call(
    workers: Any, error: type[Exception]
) -> None:
    """Not only where the block begins: a context may be made long before."""
    for function in (anygrad.set_workers, anygrad.set_default_workers):
        with pytest.raises(error, match=r"^`workers` must be "):
            function(workers)
    assert anygrad.get_workers() == 1


def test_a_context_that_is_not_entered_sets_nothing() -> None:
    context = anygrad.set_workers(2)
    assert anygrad.get_workers() == 1
    with context:
        assert anygrad.get_workers() == 2
    assert anygrad.get_workers() == 1


def test_as_many_as_there_are_cores() -> None:
    cores = os.cpu_count() or 1
    with anygrad.set_workers(-1):
        assert anygrad.get_workers() == cores
    with anygrad.set_workers(-cores):
        assert anygrad.get_workers() == 1


def test_a_function_with_workers() -> None:
    """`contextlib` lets a context decorate a function, which may be called twice."""

    @anygrad.set_workers(2)
    def inside() -> int:
        return anygrad.get_workers()

    assert [inside(), inside(), anygrad.get_workers()] == [2, 2, 1]


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("bad", [0, 300, 999])
def test_after_an_error_little_more_is_done(workers: int, bad: int) -> None:
    """Each thread ends what it has begun; the error is the one that was raised."""
    done: list[int] = []
    after: list[int] = []
    failed = threading.Event()

    def work(item: int) -> None:
        if item == bad:
            failed.set()
            raise ZeroDivisionError(item)
        (after if failed.is_set() else done).append(item)
        time.sleep(1e-5)  # what a block takes, in which others may begin theirs

    with pytest.raises(ZeroDivisionError, match=f"^{bad}$"):
        _workers.share(work, range(1000), workers, operator.call)
    begun = len(after)
    assert begun <= 100
    time.sleep(0.01)
    assert len(after) == begun  # nothing goes on behind the caller's back
    assert len(set(done + after)) == len(done + after)


def test_all_is_done_where_nothing_fails() -> None:
    """After an error, too: the threads are as good as new."""
    for _ in range(3):
        done: list[int] = []
        _workers.share(done.append, range(1000), 3, operator.call)
        assert sorted(done) == list(range(1000))
        with pytest.raises(ZeroDivisionError):
            _workers.share(lambda item: 1 // item, range(1000), 3, operator.call)


def test_an_interrupt_ends_the_others_too() -> None:
    """It comes to the calling thread, while another is at work."""
    after: list[int] = []
    begun, interrupted = threading.Event(), threading.Event()
    caller = threading.current_thread()

    def work(item: int) -> None:
        if threading.current_thread() is caller:
            assert begun.wait(timeout=60)
            interrupted.set()
            raise KeyboardInterrupt
        begun.set()
        if interrupted.is_set():
            after.append(item)
        time.sleep(1e-5)

    with pytest.raises(KeyboardInterrupt):
        _workers.share(work, range(10_000), 2, operator.call)
    assert len(after) <= 100


@pytest.mark.parametrize("steps", range(4))
def test_an_interrupt_while_a_block_is_left(steps: int) -> None:
    """That of a timer comes after any step; outside, all is as it was before."""
    setting, done = _settings.Setting("of_a_test", 1), itertools.count()

    def interrupt(frame: Any, event: str, _: object) -> None:
        is_ours = frame.f_code.co_filename == _settings.__file__
        if is_ours and event == "c_return" and next(done) == steps:
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt), setting.within(3):
        sys.setprofile(interrupt)
    sys.setprofile(None)
    assert setting.get() == 1


@pytest.mark.parametrize("steps", range(19))
@pytest.mark.parametrize("shape", [(40, 1), (200, 300)], ids=str)
def test_an_interrupt_while_settings_of_numpy_are_left(
    numpy: Any, shape: tuple[int, ...], steps: int
) -> None:
    """NumPy leaves them then; a call has them in a context that ends with it."""
    f, done = numpy.ones(shape), itertools.count()
    settings = numpy.geterr(), numpy.getbufsize()

    def interrupt(frame: Any, event: str, _: object) -> None:
        is_numpys = frame.f_code.co_filename.endswith("_ufunc_config.py")
        if is_numpys and event != "c_call" and next(done) == steps:
            raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            anygrad.gradient(f, dim=0)
        sys.setprofile(None)
        assert (numpy.geterr(), numpy.getbufsize()) == settings
    finally:
        sys.setprofile(None)
        numpy.seterr(**settings[0])
        numpy.setbufsize(settings[1])


def test_a_thread_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was meant for stays in the pool, whose other threads come to it late."""
    busy, free, pooled = threading.Event(), threading.Event(), []
    start = threading.Thread.start

    def start_first(thread: threading.Thread) -> None:
        if thread.name.startswith("anygrad"):
            pooled.append(thread)
            if len(pooled) > 1:
                raise RuntimeError("can't start new thread")
        start(thread)

    def hold(_: int) -> None:
        if threading.current_thread() in pooled:
            busy.set()
            assert free.wait(timeout=60)

    def work(item: int) -> None:
        free.set()
        time.sleep(0.1 if threading.current_thread() in pooled else 0.01)
        done.append(item)

    done: list[int] = []
    monkeypatch.setattr(_workers, "_pools", {})
    monkeypatch.setattr(threading.Thread, "start", start_first)
    other = threading.Thread(target=_workers.share, args=(hold, "ab", 3, operator.call))
    other.start()
    assert busy.wait(timeout=60)
    _workers.share(work, range(20), 3, operator.call)
    assert sorted(done) == list(range(20))
    other.join()


def test_the_signature_is_that_of_a_function() -> None:
    for function in (anygrad.set_workers, anygrad.set_default_workers):
        assert list(inspect.signature(function).parameters) == ["workers"]
