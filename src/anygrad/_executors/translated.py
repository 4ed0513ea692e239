"""Plans for tensors on the CPU with NumPy's dtypes, and the tensors as its arrays."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._beyond import all_arrays_of
from .._classes import is_array
from .._kept import Kept
from .._precision import working
from .._records import all_tasks, converted

if TYPE_CHECKING:
    from .._records import Plan, Task

#: NumPy rounds floating numbers to 16 bits one by one, and torch many at once.
MOST_OF_16_BITS = 2**12


class Translated(NamedTuple):
    """A task with NumPy's dtypes, as it is kept."""

    #: Without what a call adds.
    task: Task


class Translator:
    """The names of NumPy for the dtypes of torch, and its arrays for tensors."""

    def __init__(self) -> None:
        self.dtypes = _dtypes()
        self.view = _viewing(self.dtypes)

    def plan(self, f: Any, plan: Plan) -> Plan | None:
        """Return a plan with NumPy's dtypes and the arrays of this call.

        None for one with dtypes that only torch has.
        """
        if f.dtype not in self.dtypes:
            return None
        found = []
        for task in plan.tasks:  # one plan may be a part of another
            known = self._translation(f, task, plan)
            if known is None:
                return None
            found.append(self._bound(known.task, task))
        return plan.with_tasks(tuple(found))

    def _translation(self, f: Any, task: Task, plan: Plan) -> Translated | None:
        """Return a task with NumPy's dtypes, which is kept with it.

        None if NumPy lacks a dtype of any task: then all of them are torch's.
        """
        kept = task.kept
        known = None if kept is None else kept.made
        if not isinstance(known, Translated):
            if not all(self._knows(f, part) for part in all_tasks(plan)):
                return None
            known = Translated(self._translated(task))
            if kept is not None:
                kept.keep(known)
        return known

    def _knows(self, f: Any, task: Task) -> bool:
        """Tell whether NumPy has all dtypes of a task, and rounds as torch does."""
        dtypes = [*task.precision[:3], *[array.dtype for array in all_arrays_of(task)]]
        if not all(dtype in self.dtypes for dtype in dtypes):
            return False
        if task.precision.result.itemsize > 2:
            return True
        # Torch rounds 64 bits to 32 first.
        is_64 = working(task.precision).itemsize == 8
        return not is_64 and (f.numel() <= MOST_OF_16_BITS or task.where is not None)

    def _translated(self, task: Task) -> Task:
        """Return a task, and the one inside of it, without what a call adds."""
        precision, inner, kept = task.precision, task.inner, task.kept
        names = ("samples", "coordinates", "result", "turns")
        there = {name: self.dtypes[getattr(precision, name)] for name in names}
        return converted(task, lambda _: None)._replace(
            precision=precision._replace(**there),
            inner=None if inner is None else self._translated(inner),
            kept=None if kept is None else Kept(kept.account),
        )

    def _bound(self, known: Task, task: Task) -> Task:
        """Return a task with NumPy's dtypes and what a call has added to torch's."""
        step, x, ends, period = task[5:9]
        inner, where = task.inner, task.where
        if known.inner is not None and inner is not None:
            inner = self._bound(known.inner, inner)
        if not step is x is period is where is None:  # as they are for equal steps
            step, x, period, where = map(self.value, (step, x, period, where))
        if ends is not None:
            ends = self.value(ends[0]), self.value(ends[1])
        grid = (task.scales, step, x, ends, period)
        return known.with_values(grid, inner, where, task.alternatives)

    def value(self, value: Any) -> Any:
        """Return a tensor as an array of NumPy's; anything else as it is."""
        return self.view(value) if is_array(value) else value


def _dtypes() -> dict[Any, Any]:
    """Return NumPy's name for each dtype of torch's that it has."""
    import numpy
    import torch

    names = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
    names += ["float16", "float32", "float64", "complex64", "complex128", "bool"]
    known = [name for name in names if hasattr(torch, name)]
    return {getattr(torch, name): numpy.dtype(name) for name in known}


def _viewing(dtypes: dict[Any, Any]) -> Callable[[Any], Any]:
    """Return ``view(tensor)``, for tensors on the CPU and of these dtypes.

    `tensor.numpy()` does so, too, but from then on torch may not resize that memory,
    which is the caller's.
    """
    import ctypes

    from numpy import ndarray

    class Memory(ctypes.c_char * sys.maxsize):  # type: ignore[misc]
        """All from an address on; it holds the tensor that has it."""

        __slots__ = ("tensor",)

    def view(tensor: Any) -> Any:
        if tensor.is_conj() or tensor.is_neg():
            tensor = tensor.resolve_conj().resolve_neg()
        address = tensor.data_ptr()
        if not address:  # of nothing
            tensor = tensor.new_zeros(tensor.shape)
            address = tensor.data_ptr()
        memory = Memory.from_address(address)
        memory.tensor = tensor
        shape, dtype = tuple(tensor.shape), dtypes[tensor.dtype]
        if tensor.is_contiguous():
            return ndarray(shape, dtype, memory)
        strides = [stride * dtype.itemsize for stride in tensor.stride()]
        return ndarray(shape, dtype, memory, 0, strides)

    return view
