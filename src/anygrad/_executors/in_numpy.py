"""Blocks for NumPy, on as many threads as `set_workers` says."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from .. import _agnostic, _compilers, _workers
from .._namespaces import of_numpy
from .._records import are_short, comes_once, without_masks
from . import caches, results
from .memory import OF_NUMPY, layout_as
from .played import blocked, operations, spaces

if TYPE_CHECKING:
    from .._curved import Composite
    from .._records import Plan
    from .._typing import Namespace
    from .memory import Layout
    from .recorded.composites import Work

#: For so many samples and more, the loops are told how long their buffers are.
LEAST_SAMPLES = 2**15

#: Samples of fewer bytes are one thread's.
LEAST_SHARED = 2**23

#: On fewer, calls with factors take no longer on whole arrays.
LEAST_IN_ONE_PASS = 2**15

#: Where a derivative has no more terms, operations on whole arrays take less time than
#: it takes to prepare blocks for a shape that has not come often.
MOST_TERMS = 8


def run(f: Any, plan: Plan, xp: Namespace, outs: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Run the plan on an exact `numpy.ndarray`, into `outs` if they are given.

    Infinities and NaN among the samples are no reason to warn: they are in the result.
    """
    import numpy

    if not plan.is_plain and are_short(plan.tasks):
        return run_subclass(f, plan, xp)
    if _compilers.get_compiler() == "numba":
        in_numba = _numba()
        if in_numba.pays(f.size, plan):
            made = results.empty(f, plan, numpy.empty_like, outs)
            if in_numba.run(f, plan, xp, made.outs, _workers.get_workers()):
                return made.copy()
            del made  # blocks are written into results of their own
    plan = without_masks(plan, lambda mask: mask.all())
    moves: Any = _ops().moves
    copy: Callable[[Any], Any] = numpy.ndarray.copy
    layout = None
    if plan.stack is None and not f.flags.c_contiguous:
        layout = layout_as(f.shape, f.strides, f.itemsize)
        copy = operator.methodcaller("copy", "K")  # as it lies in memory
    again = None if outs else spaces.run(f, plan, moves, copy, layout)
    if again is not None:
        return again
    # Where samples repeat along an axis, pieces are put together in another order.
    if plan.is_plain and comes_once(f.size, plan, MOST_TERMS) and 0 not in f.strides:
        return _silently(_agnostic.run, f, plan, xp)  # type: ignore[no-any-return]
    has_loops = f.size >= LEAST_SAMPLES and f.ndim > 1
    call = _swiftly if has_loops else _silently
    return call(_in_blocks, f, plan, outs, layout)  # type: ignore[no-any-return]


def _in_blocks(
    f: Any, plan: Plan, outs: Sequence[Any], layout: Layout | None
) -> tuple[Any, ...]:
    with _on_threads_for(f):
        return blocked.run(f, plan, _ops(), outs, layout)


def run_subclass(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on what derives from `numpy.ndarray`, and sees every operation."""
    with quietly(f):
        return _agnostic.run(f, plan, xp)


def run_in_one_pass(
    f: Any, composite: Composite, plan: Plan, xp: Namespace
) -> tuple[Any, ...] | None:
    """Return the results of a call with factors; None where whole arrays serve."""
    import numpy

    from .recorded import composites

    if f.size < LEAST_IN_ONE_PASS:
        return None
    ways: list[Any] = []
    is_compiled = _compilers.get_compiler() == "numba"
    if is_compiled:
        workers = _workers.get_workers()
        ways.append(partial(_numba().run_composite, workers=workers))
    if composite.grid.where is None:  # what is played looks at no masks
        ways.append(write_in_one_pass)
    if not ways:
        return None
    work = composites.work_of(f, composite, xp, run, is_printed=is_compiled)
    if work is None:
        return None
    return composites.run(work, plan, numpy.empty_like, OF_NUMPY, *ways)


def write_in_one_pass(work: Work, outs: Sequence[Any]) -> bool:
    """Write the results of a composite in blocks."""
    from .played import composites

    with _on_threads_for(work.f):
        written: bool = _swiftly(composites.write, work, outs, _ops())
    return written


def _silently(function: Callable[..., Any], *given: Any) -> Any:
    """Call a function where NumPy does not warn, in a context of its own.

    An interrupt may come while a setting is set, or set back: that of a context which
    has ended is nobody's.
    """
    return copy_context().run(_without_warnings, function, *given)


def _without_warnings(function: Callable[..., Any], *given: Any) -> Any:
    import numpy

    with numpy.errstate(all="ignore"):
        return function(*given)


def _swiftly(function: Callable[..., Any], *given: Any) -> Any:
    """Call a function where loops neither warn nor copy, in a context of its own."""
    return _silently(_without_copies, function, *given)


def _without_copies(function: Callable[..., Any], *given: Any) -> Any:
    import numpy

    before = numpy.setbufsize(spaces.BUFFER)
    try:
        return function(*given)
    finally:
        numpy.setbufsize(before)  # before NumPy 2, threads have it, not contexts


def quietly(_: Any) -> AbstractContextManager[Any]:
    """Return the context in which NumPy warns of no infinities and NaN."""
    import numpy

    return numpy.errstate(all="ignore")


def working_bytes(samples: int, itemsize: int) -> int:
    """Return how many bytes samples have when narrow numbers are converted."""
    return samples * max(itemsize, 4)


def _on_threads_for(f: Any) -> AbstractContextManager[None]:
    """Have one thread do what is little: another one would begin too late to help."""
    if _workers.get_workers() == 1:
        return nullcontext()
    is_little = working_bytes(f.size, f.itemsize) < LEAST_SHARED
    return _workers.set_workers(1) if is_little else nullcontext()


def _for_each(write: Callable[[Any], None], blocks: Iterable[Any]) -> None:
    """Do the blocks on as many threads as the caller has set."""
    workers = _workers.get_workers()
    if workers == 1:
        operations.one_by_one(write, blocks)
    else:
        _workers.share(write, blocks, workers, within=_swiftly)


@cache  # to import it each time takes a tenth of a small call
def _numba() -> Any:
    from .printed import in_numba

    return in_numba


@cache
def _ops() -> operations.InPlaceOps:
    """Return the operations in NumPy's words."""
    import numpy

    from .played.scratch import Scratch

    # To begin a block takes 10 to 20 µs, which are saved where the next cache is fast.
    is_near = caches.is_last_one_near()
    bits = operator.methodcaller("tobytes")
    verbs: dict[str, Callable[..., Any]] = {
        # `numpy.negative` of NumPy 2.4 is wrong where it writes float32 with a stride.
        "negative": lambda a, out=None: numpy.multiply(a, -1.0, out=out),
        "abs": numpy.abs,
        "add": numpy.add,
        "subtract": numpy.subtract,
        "multiply": numpy.multiply,
        "divide": numpy.divide,
        "bitwise_right_shift": numpy.right_shift,  # its only name before NumPy 2
        "bitwise_and": numpy.bitwise_and,
        "bitwise_or": numpy.bitwise_or,
        # `numpy.putmask` copies what is not one run through memory, and writes it back.
        "choose": lambda c, a, out: numpy.copyto(out, a, where=c),
    }
    return operations.InPlaceOps(
        namespace=of_numpy(),
        verbs=verbs,
        empty_like=numpy.empty_like,
        turned=_turned,
        scratch=Scratch(),
        memory=OF_NUMPY,
        # As `f.min()` does, whose way there takes as long on a small array.
        extremes=lambda f: (
            int(numpy.minimum.reduce(f, axis=None)),
            int(numpy.maximum.reduce(f, axis=None)),
        ),
        bits=bits,
        moves=spaces.Moves(numpy.copyto, bits, operator.eq),
        block_bytes=2**21 if is_near else 2**19,
        scratch_bytes=2**20 if is_near else 2**19,
        cuts_small_arrays=True,
        short_loop=256,
        for_each=_for_each,
    )


def _turned(f: Any, dtype: Any) -> Any:
    """Return a copy in which the last axis is the slowest."""
    axes = range(f.ndim)
    copy = f.transpose(-1, *axes[:-1]).astype(dtype, order="C")
    return copy.transpose(*axes[1:], 0)
