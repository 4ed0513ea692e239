"""Tensors on the CPU in NumPy's hands, in the same memory.

On small tensors, an operation costs the time to call it, and that is a quarter of a
microsecond for NumPy, and a whole one for torch.  On larger ones, torch's threads make
up for that, where it has several; but not with masks, of which the operations depend
on each block's, nor on the largest, where each thread has blocks of its own to do and
none waits for the others after each operation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import _agnostic, _compilers, _workers
from .._beyond import all_arrays_of
from .._namespaces import of_numpy
from .._records import Plan, Task, all_tasks, comes_once, unrounded, without_masks
from . import huge_pages, in_numpy, results
from .memory import layout_as
from .played import spaces
from .translated import Translator

if TYPE_CHECKING:
    from .._typing import Namespace
    from .memory import Layout
    from .recorded.composites import Work

#: More samples are torch's if they have no masks and torch has several threads,
FEW_SAMPLES = 2**17

#: but not so many bytes for each of these threads: there are as many here.
MANY_BYTES = 3 * 2**22

#: So many are few where torch has one thread: calls on them are made again, too.
FEW_FOR_ONE_THREAD = 2**19

#: As that for NumPy's arrays: torch's operations take longer to call.
MOST_TERMS = 5

#: So few samples of a dtype that NumPy lacks, or is slow to round to, take less time in
#: the working dtype.
MOST_WIDENED = 2**14


class InNumPy:
    """NumPy, for tensors in whose memory it may read and write.

    Raises
    ------
    RuntimeError
        If torch has come without NumPy.
    """

    def __init__(self) -> None:
        import torch

        torch.empty(0, device="cpu").numpy()  # raises the error
        self.namespace: Namespace = of_numpy()
        self.there = Translator()
        self.dtypes, self.view = self.there.dtypes, self.there.view
        self.moves = spaces.Moves(torch.Tensor.copy_, _bits_of, torch.equal)

    def run(self, f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...] | None:
        """Return the results of a plan; None for what NumPy does not have.

        They are torch's own arrays, laid out in its way: NumPy only fills them, but
        where a few operations of torch's take less time.
        """
        import torch

        is_small = f.numel() <= FEW_SAMPLES or (
            f.numel() <= FEW_FOR_ONE_THREAD and torch.get_num_threads() == 1
        )
        if is_small:
            plan = without_masks(plan, torch.all)
        may_be_again = is_small and _compilers.get_compiler() is None
        is_usual, layout = may_be_again and plan.is_plain, None
        if may_be_again:
            if plan.stack is None and not f.is_contiguous():
                layout = layout_as(f.shape, f.stride(), 1)
            again = spaces.run(f, plan, self.moves, torch.clone, layout)
            if again is not None:
                return again
            # Torch puts pieces together in the order of their axes.
            if layout is None and is_usual and comes_once(f.numel(), plan, MOST_TERMS):
                return _agnostic.run(f, plan, xp)
        there = self.there.plan(f, plan) if is_small or _pays(f, plan) else None
        if there is None:
            return self._widened(f, plan, xp) if is_usual else None
        made = results.empty(f, plan, huge_pages.empty_like)
        samples, outs = self.view(f), [self.view(out) for out in made.outs]
        if is_small:
            arrays = in_numpy.run(samples, there, self.namespace, outs)
        else:
            with _workers.set_workers(torch.get_num_threads()):
                arrays = in_numpy.run(samples, there, self.namespace, outs)
        if may_be_again and spaces.place_of(plan, layout) is None:
            _take(plan, there, layout)
        if not outs or arrays[0] is outs[0]:
            return made.copy()
        for tensor, result in zip(made.returned, arrays, strict=True):
            self.view(tensor)[...] = result  # of the agnostic run
        return made.returned

    def bits(self, tensor: Any) -> bytes:
        """Return what tells the values of a short tensor, of any dtype, from others."""
        return bytes(self.view(_bits_of(tensor)).tobytes())

    def write(self, work: Work, outs: Sequence[Any]) -> bool:
        """Write the results of a composite; tell whether it could, and whether it pays.

        It is compiled where that is asked for.
        """
        tensors = [work.f, *outs, *work.arrays()]
        for task in work.tasks():
            tensors += all_arrays_of(task)
        if not all(tensor.dtype in self.dtypes for tensor in tensors):
            return False
        import torch

        threads = torch.get_num_threads()
        if _compilers.get_compiler() == "numba":
            from .printed import in_numba

            return in_numba.run_composite(work, outs, threads, self.view)
        there = self._work(work) if _is_large(work.f, threads) else None
        if there is None:
            return False
        with _workers.set_workers(threads):
            return in_numpy.write_in_one_pass(there, list(map(self.view, outs)))

    def _work(self, work: Work) -> Work | None:
        """Return a composite with NumPy's dtypes and arrays; None if it lacks some."""
        items = [
            self.there.plan(work.f, item)
            if type(item) is Plan
            else self.there.value(item)
            for item in work.items
        ]
        if any(item is None for item in items):
            return None
        grid, dtypes = work.composite.grid, work.composite.dtypes
        if any(dtype.itemsize <= 2 for dtype in dtypes):  # torch rounds many at once
            return None
        composite = work.composite._replace(
            grid=grid._replace(dtype=self.dtypes[grid.dtype]),
            dtypes=tuple([self.dtypes[dtype] for dtype in dtypes]),
        )
        return work._replace(
            f=self.view(work.f),
            composite=composite,
            namespace=self.namespace,
            items=items,
        )

    def _widened(self, f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...] | None:
        """Return derivatives of few samples of a dtype that is rather torch's.

        Torch converts them to the working dtype, and rounds the results.
        """
        dtypes = {task.precision.samples for task in plan.tasks}
        if f.numel() > MOST_WIDENED or len(dtypes) != 1:
            return None
        if f.dtype in dtypes or not f.is_floating_point():  # wide ones would be rounded
            return None
        widened = plan.with_tasks(tuple(map(_wide, plan.tasks)))
        found = self.run(f.to(*dtypes), widened, xp)
        if found is None:
            return None
        pairs = zip(found, plan.tasks, strict=True)
        return tuple([wide.to(task.precision.result) for wide, task in pairs])


def _wide(task: Task) -> Task:
    """Return a task for samples and results of the working dtype."""
    kept = task.kept
    return unrounded(task)._replace(kept=None if kept is None else kept.beside("wide"))


def _bits_of(tensor: Any) -> Any:
    """Return a tensor as integers: zeros of either sign differ, and NaN do not."""
    import torch

    plain = tensor.resolve_conj().resolve_neg()
    if plain.is_complex():  # no integer is as wide as two numbers of 64 bits
        plain = torch.view_as_real(plain)
    return plain.view(_integers_of(plain.dtype))


@cache
def _integers_of(dtype: Any) -> Any:
    import torch

    return getattr(torch, f"int{8 * dtype.itemsize}")


def _take(plan: Plan, there: Plan, layout: Layout | None) -> None:
    """Have torch alone make again from now on what NumPy would."""
    taken = spaces.place_of(there, layout)
    if taken is None or not (taken.made or taken.made == spaces.NEVER):
        return  # not yet, or another thread may be at it
    place: Any = spaces.place_of(plan, layout, make=True)
    if taken.made == spaces.NEVER:
        place.made = spaces.NEVER
        return
    import torch

    with contextlib.suppress(IndexError):  # another thread may have taken it
        space = taken.made.pop()
        with torch.inference_mode(False):  # for calls within and without
            place.made = [space.seen_as(torch.from_numpy)]


def _pays(f: Any, plan: Plan) -> bool:
    """Tell whether a large tensor takes less time here."""
    import torch

    if _compilers.get_compiler() is not None:
        return True
    if _is_large(f, torch.get_num_threads()):
        return True
    return any(task.where is not None for task in all_tasks(plan))


def _is_large(f: Any, threads: int) -> bool:
    """Tell whether threads have as much to do that none needs another's help."""
    nbytes = in_numpy.working_bytes(f.numel(), f.itemsize)
    return threads == 1 or nbytes >= threads * MANY_BYTES
