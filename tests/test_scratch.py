"""Memory that is kept for the next block is in no result, and is not much."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import anygrad

#: Large enough for blocks with scratch arrays that are kept, in several shapes.
SHAPES = [(90, 90), (91, 90), (300, 40), (90, 91)]

CALLS = [
    ("laplacian", {"spacing": 0.5}),
    ("derivative", {"accuracy": 4}),
    ("derivative", {"accuracy": 8, "dim": 0, "boundary": "periodic"}),
    ("derivative", {"order": 2, "edge_order": 3}),
    ("hessian", {}),
]


def call(numpy: Any, number: int) -> tuple[Any, Any]:
    """Return what a call gives for a polynomial, and what it should."""
    shape = SHAPES[number % len(SHAPES)]
    name, keywords = CALLS[number % len(CALLS)]
    x, y = numpy.indices(shape, dtype="float64") + number
    if keywords.get("boundary") == "periodic":
        return getattr(anygrad, name)(x * 0 + y, **keywords)[20:-20, 20:-20], 0.0 * x
    f = x**2 + 3 * x * y
    expected = {
        "laplacian": 8.0 + 0 * x,
        "hessian": numpy.stack([0 * x + 2, 0 * x + 3, 0 * x + 3, 0 * x]),
        "derivative": 3 * x if "order" not in keywords else 0 * x,
    }[name]
    found = getattr(anygrad, name)(f, **keywords)
    return found, expected.reshape(found.shape)


def held(numpy: Any, found: Any, expected: Any) -> None:
    inside = expected[tuple([slice(n) for n in found.shape])]
    numpy.testing.assert_allclose(found, inside, rtol=0, atol=1e-6)


def test_results_stay_as_they_are(numpy: Any) -> None:
    results = [call(numpy, number) for number in range(40)]
    for found, expected in results:
        held(numpy, found, expected)


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_have_their_own(numpy: Any, workers: int) -> None:
    def calls(start: int) -> list[tuple[Any, Any]]:
        with anygrad.set_workers(workers):
            return [call(numpy, start + number) for number in range(30)]

    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(calls, range(8)):
            for found, expected in results:
                held(numpy, found, expected)


def test_little_is_kept(numpy: Any) -> None:
    from anygrad._executors.played.scratch import MOST_BYTES, UNIT, Scratch

    scratch = Scratch()
    given = [
        scratch.take(None, dtype=numpy.float64, shape=(n, 2**10)) for n in range(1, 160)
    ]
    assert [array.shape[0] for array in given] == list(range(1, 160))
    for array in given:
        scratch.give(array)
    for array in (numpy.ones(8), numpy.ones(8)[2:], numpy.ones(0)[:]):  # as small are
        scratch.give(array)
    sizes, free = scratch._free.by_size
    assert sizes == sorted([memory.nbytes for memory in free])
    assert 0 < sum(sizes) <= MOST_BYTES
    assert all(size % UNIT == 0 for size in sizes)
    taken = [
        scratch.take(None, dtype=numpy.float64, shape=(n, 2**10)) for n in range(1, 160)
    ]
    memories = {id(a.base): a.base.nbytes for a in given if a.base is not None}
    again = [memories[id(a.base)] for a in taken if id(a.base) in memories]
    assert 0 < sum(again) <= MOST_BYTES
    assert all(size % UNIT == 0 for size in again)


def test_what_is_more_than_that_is_not_kept(numpy: Any) -> None:
    """Blocks are whole along short axes, and then their scratch arrays are large."""
    from anygrad._executors.played.scratch import MOST_BYTES, Scratch

    scratch = Scratch()
    small = scratch.take(None, dtype=numpy.float64, shape=(2**14,))
    large = scratch.take(None, dtype=numpy.float64, shape=(MOST_BYTES // 8 + 1,))
    memory = large.base
    count = sys.getrefcount(memory)
    scratch.give(small)
    scratch.give(large)
    assert sys.getrefcount(memory) == count
    assert scratch._free.by_size == ([small.base.nbytes], [small.base])


def test_blocks_of_all_sizes_share_it(numpy: Any) -> None:
    """Those at the ends are a little larger or smaller than the others."""
    from anygrad._executors.played.scratch import Scratch

    scratch = Scratch()
    for rows in (60, 61, 40, 62, 41, 60):
        two = [
            scratch.take(None, dtype=dtype, shape=(rows, 2**10))
            for dtype in (numpy.float64, numpy.float32)
        ]
        for array in two:
            assert array.shape == (rows, 2**10)
            array[...] = 1.0
            scratch.give(array)
    assert len(scratch._free.by_size[0]) <= 2
    (large,) = (scratch.take(None, dtype=numpy.float64, shape=(62, 2**10)),)
    assert large.base.nbytes < 2 * large.nbytes


@contextlib.contextmanager
def after(steps: int, do: Callable[[], object]) -> Iterator[None]:
    """Do something once, after so many steps of what hands the memory out."""
    from anygrad._executors.played import scratch

    done = itertools.count()

    def watch(frame: Any, event: str, _: object) -> None:
        is_theirs = frame.f_code.co_filename == scratch.__file__
        if is_theirs and event == "c_return" and next(done) == steps:
            do()

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def use(scratch: Any, numpy: Any) -> None:
    """Take arrays of several sizes, and give them back, until some are forgotten."""
    for rows in (60, 400, 40, 200, 500):
        taken = [
            scratch.take(None, dtype=numpy.float64, shape=(n, 2**10))
            for n in (rows, 10, rows)
        ]
        assert len({id(array.base) for array in taken}) == 3
        for array in taken:
            scratch.give(array)
    sizes, free = scratch._free.by_size
    assert sizes == sorted([memory.nbytes for memory in free])


@pytest.mark.parametrize("steps", range(60))
def test_an_interrupt_at_any_step(numpy: Any, steps: int) -> None:
    """That of a timer comes after any of them; later calls find all in order."""
    from anygrad._executors.played.scratch import Scratch

    def interrupt() -> None:
        raise KeyboardInterrupt

    scratch = Scratch()
    with contextlib.suppress(KeyboardInterrupt), after(steps, interrupt):
        use(scratch, numpy)
    use(scratch, numpy)


@pytest.mark.parametrize("steps", range(60))
def test_a_handler_of_signals_at_any_step(numpy: Any, steps: int) -> None:
    """What it computes takes memory in the middle of what the call does."""
    from anygrad._executors.played.scratch import Scratch

    scratch = Scratch()

    def handle() -> None:
        sys.setprofile(None)
        use(scratch, numpy)

    with after(steps, handle):
        use(scratch, numpy)
    use(scratch, numpy)
