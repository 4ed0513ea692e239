"""What is kept between calls: it changes no result, and holds no memory for long."""

from __future__ import annotations

import gc
import itertools
import json
import math
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import anygrad
import fresh
from anygrad import _kept
from backends import Backend

#: Bytes that may stay after hundreds of calls that differ in numbers only.
MOST = 100_000

SHAPES = [(6,), (4, 5), (4, 4, 5)]

#: Calls that differ in a number `k` only.
NUMBERED: dict[str, Callable[[Any, Any, float], Any]] = {
    "a step": lambda f, x, k: anygrad.gradient(f, spacing=k),
    "steps in a list": lambda f, x, k: (
        anygrad.gradient(f, spacing=[k, x], dim=(0, -1))
        if f.ndim > 1
        else anygrad.gradient(f, spacing=[k])
    ),
    "a complex step": lambda f, x, k: anygrad.derivative(f, spacing=complex(k, 1)),
    "a step of a second derivative": lambda f, x, k: anygrad.laplacian(f, spacing=k),
    "a step of mixed derivatives": lambda f, x, k: anygrad.hessian(f, spacing=k),
    "a value beyond the ends": lambda f, x, k: anygrad.gradient(f, boundary=k),
    "a value at one end": lambda f, x, k: anygrad.derivative(f, boundary=("edge", k)),
    "values in a list": lambda f, x, k: anygrad.gradient(f, boundary=[k] * f.ndim),
    "a period": lambda f, x, k: anygrad.derivative(
        f, spacing=x, boundary=("periodic", 100 + k)
    ),
    "a period of many": lambda f, x, k: anygrad.laplacian(
        f, dim=[-1], spacing=[x], boundary=[("periodic", 100 + k)]
    ),
}


# The script.


def growth(library: str) -> dict[str, int]:
    """Return the bytes that calls with other numbers leave behind, for each kind."""
    from backends import plain

    backend = plain(library)
    numbers = (k / 7 for k in itertools.count(1))
    arrays = []
    for shape in SHAPES:
        count = math.prod(shape)
        f = backend.from_flat([k**2 % 17 for k in range(count)], backend.real, shape)
        arrays.append((f, backend.asarray([k + k % 2 / 4 for k in range(shape[-1])])))

    def make(call: Callable[[Any, Any, float], Any], times: int) -> None:
        for _ in range(times):
            for f, x in arrays:
                call(f, x, next(numbers))

    def held() -> int:
        gc.collect()
        now, _ = tracemalloc.get_traced_memory()
        return now

    found = {}
    for name, call in NUMBERED.items():
        make(call, 20)
        tracemalloc.start()
        make(call, 2)
        before = held()
        make(call, 100)
        found[name] = held() - before
        tracemalloc.stop()
    return found


# The tests.


@pytest.mark.forms("numpy", "torch")
@pytest.mark.parametrize("name", NUMBERED)
def test_numbers_that_differ_leave_nothing_behind(backend: Backend, name: str) -> None:
    """In a process that makes no other calls."""
    left = fresh.answer(str(Path(__file__)), backend.library)
    assert left[name] < MOST


@pytest.mark.forms("numpy", "torch")  # JAX compiles for each shape; Dask is slow
def test_shapes_and_keywords_that_differ_are_bounded(library: Backend) -> None:
    """As much as one call holds, a thousand may not hold a thousand times."""
    f = library.asarray([1.0] * 400)
    tracemalloc.start()
    try:
        for n in range(9, 209):
            anygrad.gradient(f[:n], accuracy=4)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for n in range(9, 309):
            for keywords in (
                {"edge_order": 2},
                {"boundary": "edge"},
                {"boundary": 0.5},
            ):
                anygrad.gradient(f[:n], spacing=n / 100, **keywords)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50 * MOST


#: Calls with samples, coordinates, mask and step.
USES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "step": lambda f, x, m, h: anygrad.gradient(f, spacing=0.5),
    "coordinates": lambda f, x, m, h: anygrad.gradient(f, spacing=[x, x]),
    "mask": lambda f, x, m, h: anygrad.gradient(f, where=m, spacing=[h, x]),
    "laplacian": lambda f, x, m, h: anygrad.laplacian(f, spacing=[x, h]),
    "hessian": lambda f, x, m, h: anygrad.hessian(f, spacing=[x, 2.0]),
    "jacobian": lambda f, x, m, h: anygrad.jacobian(f, spacing=[x]),
    "stencil": lambda f, x, m, h: anygrad.stencil(x),
}


def test_the_arrays_of_a_call_are_freed(library: Backend) -> None:
    """Samples, steps, coordinates and masks, after the first call and the second."""
    samples = [[3.0, 1, 4, 1, 5], [9, 2, 6, 5, 3], [5, 8, 9, 7, 9], [3, 2, 3, 8, 4]] * 2
    for name, call in USES.items():
        for _ in range(2):
            arrays = [
                library.asarray(samples[:5]),
                library.asarray([0.0, 1, 3, 4, 7]),
                library.asarray([[1, 1, 0, 1, 1]] * 5) > 0,
                library.asarray(0.5),
            ]
            results = call(*arrays)
            watched = [weakref.ref(array) for array in arrays]
            arrays.clear()
            del results
            gc.collect()
            assert [ref() is None for ref in watched] == [True] * 4, name


@pytest.mark.parametrize("short_first", [True, False])
def test_a_period_belongs_to_its_call(library: Backend, short_first: bool) -> None:
    """It is a length that is added, whatever the coordinates of other calls are.

    Of one that is shorter than the span, a negative step comes: nobody looks at it.
    """
    samples = [1.0, 5, 2, 4] if short_first else [1.0, 5, 2, 4, 3]
    short = [float(k) for k in range(len(samples))]
    long = [10 * node for node in short]
    for nodes in (short, long) if short_first else (long, short):
        f, x = library.asarray(samples), library.asarray(nodes)
        result = anygrad.derivative(f, spacing=x, boundary=("periodic", 6.0))
        wanted = circle(samples, nodes, 6.0)
        assert library.tolist(result) == pytest.approx(wanted, rel=1e-6)


def circle(f: list[float], x: list[float], period: float) -> list[float]:
    """Return the derivatives of the parabolas through three neighbours each."""
    n = len(f)
    found = []
    for k in range(n):
        left, right = (k - 1) % n, (k + 1) % n
        to_left = x[k] - x[left] + (period if k == 0 else 0)
        to_right = x[right] - x[k] + (period if k == n - 1 else 0)
        slopes = (f[k] - f[left]) / to_left, (f[right] - f[k]) / to_right
        weights = to_right / (to_left + to_right), to_left / (to_left + to_right)
        found.append(weights[0] * slopes[0] + weights[1] * slopes[1])
    return found


@pytest.mark.parametrize("names", [("long", "short"), ("short", "long")], ids="-".join)
def test_what_was_wrong_once_is_wrong_again(
    library: Backend, names: tuple[str, ...]
) -> None:
    """A check that a call has passed is not passed by another."""
    f = library.asarray([1.0, 5, 2, 4])
    entries = {"long": [0.0, 1, 2, 3], "short": [0.0, 1, 2]}
    for name in (*names, *names):
        spacing = [library.asarray(entries[name])]
        if name == "long":
            (result,) = anygrad.gradient(f, spacing=spacing)
            assert library.tolist(result) == [4, 0.5, -0.5, 2]
        else:
            with pytest.raises(ValueError, match="one coordinate per point"):
                anygrad.gradient(f, spacing=spacing)


# Several threads.


def many_calls(backend: Backend) -> list[Callable[[], Any]]:
    """Return calls that differ in one thing each."""
    calls: list[Callable[[], Any]] = []
    for dtype in backend.dtypes[:3] + backend.reals:
        f = backend.asarray([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3], [5, 8, 9, 7, 9]], dtype)
        x = backend.asarray([0.0, 1, 3, 4, 7])
        for number in (0.5, 0.25, 3.0, -0.7):
            keywords: list[dict[str, Any]] = [
                {"spacing": number},
                {"spacing": [number, x]},
                {"boundary": number},
                {"boundary": ["edge", number], "spacing": number},
                {"dim": 1, "spacing": [x], "boundary": ("periodic", 9 + number)},
            ]
            calls += [
                lambda f=f, k=given: anygrad.gradient(f, **k) for given in keywords
            ]
            calls.append(
                lambda f=f, k=number: anygrad.laplacian(f[:, 1:], dim=1, spacing=k)
            )
    return calls


@pytest.mark.forms("numpy", "torch", "strict")
def test_eight_threads_at_once(backend: Backend) -> None:
    """Each gets what a thread alone gets, where all is new and where it is known."""
    calls = many_calls(backend)

    def results(call: Callable[[], Any]) -> Any:
        found = call()
        found = found if isinstance(found, tuple) else (found,)
        return [(str(r.dtype), repr(backend.tolist(r))) for r in found]

    start = threading.Barrier(8)

    def run(number: int) -> list[Any]:
        start.wait(timeout=60)
        turned = calls[number * 7 :] + calls[: number * 7]
        found = [results(call) for call in turned]
        back = len(calls) - number * 7
        return found[back:] + found[:back]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(run, range(8)))
    finally:
        sys.setswitchinterval(interval)
    alone = [results(call) for call in calls]
    assert all(one == alone for one in found)


def test_what_is_known_is_bounded_whoever_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threads that forget and remember at once neither fail nor leave more behind."""
    monkeypatch.setattr(_kept, "MOST_REMEMBERED", 2)
    known: dict[Any, int] = {}
    start = threading.Barrier(4)

    def run(thread: int) -> None:
        start.wait(timeout=60)
        for number in range(4000):
            assert _kept.remember(known, (thread, number), number) == number

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(run, range(4)))
    finally:
        sys.setswitchinterval(interval)
    _kept.remember(known, "last", 0)
    assert len(known) == 2


def test_calls_while_another_thread_has_workers(numpy: Any) -> None:
    """The setting is the other thread's: here, it is as it was."""
    f = numpy.sin(numpy.arange(1_100_000.0))
    wanted = anygrad.gradient(f, spacing=0.1)[0].tobytes()
    inside, done = threading.Event(), threading.Event()

    def other() -> bytes:
        with anygrad.set_workers(2):
            inside.set()
            result = anygrad.gradient(f, spacing=0.1)[0].tobytes()
            assert done.wait(timeout=60)
            assert anygrad.get_workers() == 2
        return bytes(result)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(other)
        try:
            assert inside.wait(timeout=60)
            assert anygrad.get_workers() == 1
            for _ in range(3):
                assert anygrad.gradient(f, spacing=0.1)[0].tobytes() == wanted
        finally:
            done.set()
        assert future.result() == wanted


if __name__ == "__main__":
    print(json.dumps(growth(sys.argv[1])))  # noqa: T201 - the script's answer


def test_results_alone_and_together(torch: Any) -> None:
    """Autograd runs each result of a plan by itself; nothing of that is in the way."""
    f = torch.arange(20.0).reshape(4, 5) ** 2
    for function in (anygrad.gradient, partial(anygrad.hessian, boundary="periodic")):
        expected = function(f)
        for samples in (f.clone().requires_grad_(), f, f.clone().requires_grad_(), f):
            found = function(samples)
            torch.testing.assert_close(found, expected, rtol=0, atol=0)
