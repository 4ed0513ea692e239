"""Small torch tensors on the CPU: the same memory in NumPy's hands.

On a small array, an operation costs the time to call it.  A call of NumPy takes a
quarter of a microsecond, and one of torch a whole one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._executors import in_numpy
from .._plan import Plan, Task

if TYPE_CHECKING:
    from .._typing import Namespace

#: Beyond so many samples, torch's threads make up for its calls.
MOST_SAMPLES = 2**17

#: Under which name the memo of a task holds the task in NumPy's words.
IN_NUMPY = "in NumPy's words"


class Words:
    """What NumPy calls what torch calls otherwise.

    Raises
    ------
    RuntimeError
        If torch has come without NumPy.
    """

    def __init__(self) -> None:
        import torch

        torch.empty(0).numpy()  # raises the error
        import array_api_compat.numpy
        import numpy

        self.namespace: Namespace = array_api_compat.numpy
        names = [
            f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
        ]
        names += ["float16", "float32", "float64", "complex64", "complex128"]
        self.dtypes = {
            getattr(torch, name): numpy.dtype(name)
            for name in names
            if hasattr(torch, name)
        }

    def run(self, f: Any, plan: Plan) -> tuple[Any, ...] | None:
        """Return the results of a plan; None for what NumPy has no words for."""
        import torch

        translated = self._plan(plan) if f.dtype in self.dtypes else None
        if translated is None:
            return None
        results = in_numpy.run(_array(f), translated, self.namespace)
        return tuple([torch.from_numpy(result) for result in results])

    def _plan(self, plan: Plan) -> Plan | None:
        tasks = []
        for task in plan.tasks:
            known = self._task(task)
            if known is None:
                return None
            tasks.append(known)
        return plan._replace(tasks=tuple(tasks))

    def _task(self, task: Task) -> Task | None:
        memo = task.memo
        known = None if memo is None else memo.get(IN_NUMPY)
        if known is None:
            if not self._knows(task):
                return None
            known = self._translated(task)
            if memo is not None:
                memo[IN_NUMPY] = known
        has_arrays = not task.formulas or task.where is not None
        return _bound(known, task) if has_arrays or task.inner else known

    def _knows(self, task: Task) -> bool:
        """Tell whether NumPy has all dtypes of a task."""
        arrays = [array for array in (task.step, task.coordinates) if array is not None]
        dtypes = [*task.precision[:3], *(array.dtype for array in arrays)]
        inner = task.inner is None or self._knows(task.inner)
        return inner and all(dtype in self.dtypes for dtype in dtypes)

    def _translated(self, task: Task) -> Task:
        """Return a task without its arrays: others come with the next call."""
        precision = task.precision
        return task._replace(
            precision=precision._replace(
                samples=self.dtypes[precision.samples],
                coordinates=self.dtypes[precision.coordinates],
                result=self.dtypes[precision.result],
            ),
            step=None,
            coordinates=None,
            where=None,
            inner=None if task.inner is None else self._translated(task.inner),
            memo=None if task.memo is None else {},
        )


def _bound(known: Task, task: Task) -> Task:
    """Give a task the arrays of this call."""
    inner = known.inner
    if inner is not None and task.inner is not None:
        inner = _bound(inner, task.inner)
    return known._replace(
        step=_array(task.step),
        coordinates=_array(task.coordinates),
        where=_array(task.where),
        inner=inner,
    )


def _array(tensor: Any) -> Any:
    # By force: nothing watches, but a tensor may still ask for gradients.
    return None if tensor is None else tensor.numpy(force=True)
