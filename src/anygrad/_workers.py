"""How many threads a call may use, and the threads."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ._checks.integers import integer
from ._settings import Setting

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Lock

_workers: Setting[int] = Setting("workers", 1)
_pools: dict[int, ThreadPoolExecutor] = {}

#: Whether work is being shared: what a handler of signals calls meanwhile is done
#: alone, because the locks of a pool are not for a thread that has them.
_is_sharing: ContextVar[bool] = ContextVar("anygrad_is_sharing", default=False)


def set_workers(workers: int) -> contextlib.AbstractContextManager[None]:
    """Set the number of threads for the calls within a ``with`` block.

    Only large NumPy arrays, of 8 MB and more, are computed on several threads,
    and smaller ones where they are compiled (`set_compiler`).  torch tensors
    are on as many as `torch.set_num_threads` says, and JAX, Dask and CuPy have
    their own ways.  Without ``with``, nothing changes: `set_default_workers` is
    for that.

    Parameters
    ----------
    workers : int
        The number of threads.
        Negative numbers count from the number of cores: -1 is all of them.

    Returns
    -------
    context manager
        Within its block, the number is in force.

    Raises
    ------
    TypeError
        If `workers` is no int.
    ValueError
        If `workers` is 0, or a negative number beyond the number of cores.

    See Also
    --------
    get_workers : What is in force.
    set_default_workers : The same for the whole process.
    scipy.fft.set_workers : The convention followed here.

    Notes
    -----
    The setting belongs to the current context (`contextvars`): other threads,
    and other tasks of `asyncio`, keep theirs.  The result does not depend on
    it.

    Examples
    --------
    >>> import anygrad
    >>> with anygrad.set_workers(2):
    ...     anygrad.get_workers()
    2
    >>> anygrad.get_workers()
    1
    """
    return _workers.within(_checked(workers))


def set_default_workers(workers: int) -> None:
    """Set the number of threads for the calls outside of `set_workers`.

    Parameters
    ----------
    workers : int
        As in `set_workers`.  At the start, it is 1.

    Raises
    ------
    TypeError
        If `workers` is no int.
    ValueError
        If `workers` is 0, or a negative number beyond the number of cores.

    See Also
    --------
    set_workers : The same for a ``with`` block.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.set_default_workers(1)
    """
    _workers.default = _checked(workers)


def get_workers() -> int:
    """Return the number of threads that a call here and now may use.

    Returns
    -------
    int
        At least 1.

    See Also
    --------
    set_workers : Set it for a ``with`` block.
    set_default_workers : Set it for the process.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.get_workers()
    1
    """
    return _workers.get()


def _checked(workers: int) -> int:
    number = integer(workers)
    if number is None:
        msg = f"`workers` must be an int. Got {workers!r}."
        raise TypeError(msg)
    if number > 0:
        return number
    cores = os.cpu_count() or 1
    count = number + cores + 1
    if number == 0 or count < 1:
        from ._checks.wording import shortened

        msg = (
            f"`workers` must be positive, or lie between {-cores} and -1 to count from "
            f"the {cores} cores. Got {shortened(number)}."
        )
        raise ValueError(msg)
    return count


def share(
    work: Callable[[Any], None],
    items: Iterable[Any],
    workers: int,
    within: Callable[[Callable[[], None]], object],
) -> None:
    """Do the work on all items, this thread and ``workers - 1`` others.

    In every thread, ``within(function)`` calls a function in settings of its own.

    Each begins with a run of its own, because neighbours in memory share pages, and
    two threads that touch a new page at once wait for each other.  Whoever is done
    takes from the far end of the others' runs.  This thread takes part, so that it
    never waits for threads that other callers keep busy.

    After an error, each thread ends the item that it has begun, and begins no other.
    """
    items = list(items)
    is_within = _is_sharing.get()
    count = 1 if is_within else min(workers, len(items))
    cuts = [len(items) * k // max(count, 1) for k in range(count + 1)]
    runs = [deque(items[start:stop]) for start, stop in pairwise(cuts)]
    errors: list[BaseException] = []

    def take_part(number: int) -> None:
        def work_on() -> None:
            for item in _own_then_others(runs, number):
                work(item)

        try:
            within(work_on)
        except BaseException:
            for run in runs:
                run.clear()
            raise

    def help_with(number: int, turn: Lock) -> None:
        if turn.acquire(blocking=False):
            try:
                take_part(number)
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                errors.append(error)
            finally:
                turn.release()

    turns: list[Lock] = []
    try:
        _is_sharing.set(True)
        _submit(help_with, count, workers - 1, turns)
        take_part(0)
    finally:
        _is_sharing.set(is_within)
        # Helpers that have begun are waited for, and others will not begin: a pool
        # that fails to start a thread may still do what that was meant for, later.
        for turn in turns:
            turn.acquire()
    if errors:
        raise errors.pop()


def _own_then_others(runs: Sequence[deque[Any]], number: int) -> Iterator[Any]:
    """Take what is left: of the own run in order, of others from their ends."""
    for run in (*runs[number:], *runs[:number]):
        take = run.popleft if run is runs[number] else run.pop
        while True:
            try:
                item = take()
            except IndexError:
                break
            yield item


def _submit(
    help_with: Callable[[int, Lock], None], count: int, size: int, turns: list[Lock]
) -> None:
    """Hand all parts but the first to a pool, which starts the threads it lacks."""
    if count < 2:
        return
    from threading import Lock

    # While the interpreter shuts down, or has too many, it gives no more threads.
    with contextlib.suppress(RuntimeError):
        pool = _pools.get(size)
        if pool is None:
            from concurrent.futures import ThreadPoolExecutor

            pool = _pools.setdefault(size, ThreadPoolExecutor(size, "anygrad"))
        for number in range(1, count):
            turns.append(Lock())
            pool.submit(help_with, number, turns[-1])


# The threads of a process are not those of its fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)
