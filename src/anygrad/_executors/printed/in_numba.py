"""Whole calls as loops that Numba compiles, where that has been asked for.

A kernel is compiled for a form of calls and kept, in the memory and on the disk.
"""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ... import _workers
from ..._kept import remember
from ..memory import OF_NUMPY
from ..recorded import weights
from ..recorded.nodes import TooLong
from ..recorded.tape import Call
from . import kernels, loops, on_disk
from .kernels import Runner

if TYPE_CHECKING:
    from ..._records import Plan, Task
    from ..._typing import Namespace
    from ..recorded.composites import Work
    from ..recorded.tape import Form, Operands, Recording
    from ..recorded.weights import Weights

#: A difference of two samples, scaled, takes no longer without a compiler where there
#: are fewer samples, nor does the sum of two on coordinates; nor, where there are fewer
#: than the second, a sum of two or three on equal steps.
FEW_DIFFERENCES, FEW_SUMS = 2**15, 2**13

#: So many points and more are shared among threads.
LEAST_SHARE = 2**15

#: What is the same in all rows is computed once where so many rows are no longer than
#: that: it stays in the cache.
LEAST_ROWS, LONGEST_TABLE = 8, 2**17

#: What is longer takes too long to compile, five seconds and more; several results and
#: mixed derivatives are cut when they are not much shorter.  Sums are cut as late as
#: what cannot be: each of their terms is one more pass through the memory.
MOST_LINES, FEW_LINES = 1500, 1000

#: Weights on coordinates that take no more are made by the kernel, which is faster;
#: those of one axis or two, where they take no more than the second.
FEW_PAIRS, MORE_PAIRS = 150, 400

#: Each result has loops of its own, which take a third of a second to compile.
MOST_RESULTS = 12


#: What is compiled of a form, for arrays that lie in memory in one way: None where
#: there is nothing to compile, or it failed.
_kernels: dict[tuple[Form, str, bool], Callable[..., None] | None] = {}


def pays(size: int, plan: Plan) -> bool:
    """Tell whether a call is faster when it is compiled, on so many samples."""
    if size >= FEW_DIFFERENCES or not plan.is_plain:
        return True
    for task in plan.tasks:
        if task.where is not None:
            return True
        terms = len(task.scheme.formulas[task.scheme.interior].terms)
        if task.coordinates is not None:
            if terms < 3:
                return False
        elif terms == 1 or (terms < 4 and size < FEW_SUMS):
            return False
    return True


def run(f: Any, plan: Plan, xp: Namespace, outs: Sequence[Any], workers: int) -> bool:
    """Write the results of a plan on NumPy arrays; tell whether it could."""

    def launch(f: Any, plan: Plan, outs: Sequence[Any]) -> bool:
        is_cut_early = len(outs) > 1 or plan.tasks[0].inner is not None
        most_lines = FEW_LINES if is_cut_early else MOST_LINES
        return _write_at_once(Call(f, plan, xp), outs, workers, most_lines)

    return kernels.run(f, plan, outs, Runner(launch, xp, OF_NUMPY, MOST_RESULTS))


def run_composite(
    work: Work,
    outs: Sequence[Any],
    workers: int,
    view: Callable[[Any], Any] = lambda array: array,
) -> bool:
    """Write the results of a composite in one pass; tell whether it could.

    ``view(array)`` returns one of NumPy's, where it is another library's.
    """
    return _write_at_once(work, outs, workers, MOST_LINES, view)


def _write_at_once(
    work: Call | Work,
    outs: Sequence[Any],
    workers: int,
    most_lines: int,
    view: Callable[[Any], Any] = lambda array: array,
) -> bool:
    """Write all results in one pass; tell whether it could: no text may be longer."""
    there = list(map(view, outs))
    for weights_of in _weights_for(outs, work):
        form, operands = work.form(weights_of)
        operands.arrays[:] = map(view, operands.arrays)
        record = partial(work.record, form, operands)
        function = _kernel_of(form, record, [*operands.arrays, *there], most_lines)
        if function is not None:
            _fill(function, operands, there, workers)
            return True
    return False


def _weights_for(
    outs: Sequence[Any], work: Call | Work
) -> list[Callable[[Task], Weights | None] | None]:
    """Return what makes the weights of a task beforehand; None where kernels do.

    Of two ways, the second is for what is too long by the first.
    """
    import numpy

    size = math.prod(outs[0].shape)
    on_lines = [task for task in work.tasks() if task.coordinates is not None]
    pairs = weights.pairs_of(on_lines)
    if size <= weights.FEW_SAMPLES or pairs <= FEW_PAIRS:
        return [None]

    def weights_of(task: Task) -> Weights | None:
        if not weights.are_shared(size, task):
            return None
        with numpy.errstate(all="ignore"):
            return weights.made(task, work.namespace)

    axes = {task.axis for task in on_lines}
    return [None, weights_of] if pairs <= MORE_PAIRS and len(axes) < 3 else [weights_of]


def _kernel_of(
    form: Form,
    record: Callable[..., Recording],
    arrays: Sequence[Any],
    most_lines: int,
) -> Callable[..., None] | None:
    """Return the kernel of a form for arrays, the last of which is a result."""
    layouts, shape = "".join(map(_layout, arrays)), arrays[-1].shape
    has_tables = shape[-1] <= LONGEST_TABLE
    has_tables = has_tables and math.prod(shape) >= LEAST_ROWS * shape[-1]
    key = (form, layouts, has_tables)
    function: Any = _kernels.get(key, False)
    if function is False:  # it has not been met
        function = _compiled(record, layouts, most_lines, has_tables=has_tables)
        function = remember(_kernels, key, function)
    return function  # type: ignore[no-any-return]


def _fill(
    function: Callable[..., None],
    operands: Operands,
    outs: Sequence[Any],
    workers: int,
) -> None:
    """Have a kernel write all results."""
    import numpy

    numbers = numpy.asarray(operands.as_floats(), dtype=numpy.float64)

    def fill(rows: tuple[int, int]) -> None:
        function(*rows, numbers, *operands.arrays, *outs)

    length = outs[0].shape[0]
    if workers == 1 or outs[0].size < LEAST_SHARE:
        fill((0, length))
        return
    # More shares than threads, because a thread may be late.
    count = min(4 * workers, length)
    cuts = [length * k // count for k in range(count + 1)]
    _workers.share(fill, pairwise(cuts), workers, within=operator.call)


def _layout(array: Any) -> str:
    """Return how an array lies in memory, as Numba names it; "?" for what it cannot."""
    flags = array.flags
    if not flags.aligned or not array.dtype.isnative:
        return "?"
    return "C" if flags.c_contiguous else "A"


def _compiled(
    record: Callable[..., Recording], layouts: str, most_lines: int, *, has_tables: bool
) -> Callable[..., None] | None:
    """Return the kernel of a recording; None where it runs without one."""
    if "?" in layouts or _is_switched_off():
        return None
    text = None
    with contextlib.suppress(TooLong):
        recording = record(most_nodes=most_lines * kernels.NODES_PER_LINE)
        text = loops.text_of(recording, layouts, most_lines, has_tables=has_tables)
    if text is None:
        return None
    return kernels.compiled(lambda: on_disk.loaded(text), "Numba", "without")


def _is_switched_off() -> bool:
    """Tell whether Numba would run the very text, one element at a time.

    It does so for `NUMBA_DISABLE_JIT`, which helps those who look for errors of theirs.
    """
    try:
        from numba import config
    except ImportError:  # on a worker of Dask's; what tries to compile says so
        return False
    return bool(config.DISABLE_JIT)
