"""torch tensors on the CPU, small or with masks: the same memory in NumPy's hands.

On a small array, an operation costs the time to call it.  A call of NumPy takes a
quarter of a microsecond, and one of torch a whole one.  On bools, and at single points,
NumPy takes half as long as torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _workers
from .._beyond import arrays_of
from .._classes import is_array
from .._executors import in_numpy, results
from .._kept import Kept
from .._records import Plan, Task, all_tasks

if TYPE_CHECKING:
    from .._typing import Namespace

#: Beyond so many samples, torch's threads make up for its calls.
MOST_SAMPLES = 2**17


class Translated:
    """A task with NumPy's dtypes.

    Attributes
    ----------
    task : Task
        Without what a call adds.
    latest : tuple of (Task, Task) or None
        The latest task that had no arrays, and the same with NumPy's: the same
        numbers often come again.
    """

    __slots__ = ("latest", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.latest: tuple[Task, Task] | None = None


class NumPyForTensors:
    """NumPy, with its names for the dtypes of torch.

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
        """Return the results of a plan; None for what NumPy does not have.

        They are torch's own arrays, laid out in its way: NumPy only fills them.
        """
        import torch

        if not plan.is_plain or f.dtype not in self.dtypes:
            return None
        tasks = []
        for task in plan.tasks:
            known = self._task(task)
            if known is None:
                return None
            tasks.append(known)
        tensors = [torch.empty_like(f, dtype=t.precision.result) for t in plan.tasks]
        there = plan.with_tasks(tuple(tasks))
        outs = [tensor.numpy() for tensor in tensors]
        in_numpy.run(_array(f), there, self.namespace, outs)
        return tuple(tensors)

    def run_compiled(self, f: Any, plan: Plan) -> tuple[Any, ...] | None:
        """Return the results of a plan that Numba compiles; None where it cannot.

        It runs on as many threads as torch would.
        """
        import torch

        from .._executors import in_numba

        there = self._plan(f, plan)
        if there is None:
            return None
        samples = _array(f)
        if not in_numba.pays(samples, there):
            return None
        made = results.empty(f, plan, empty_like)
        outs = [out.numpy() for out in made.outs]
        workers = torch.get_num_threads()
        if in_numba.run(samples, there, self.namespace, outs, workers):
            return made.copy()
        return None

    def run_masked(self, f: Any, plan: Plan) -> tuple[Any, ...] | None:
        """Return the results of a plan with masks; None for what NumPy does not have.

        It runs on as many threads as torch would.
        """
        import torch

        there = self._plan(f, plan)
        if there is None:
            return None
        with _workers.set_workers(torch.get_num_threads()):
            found = in_numpy.run(_array(f), there, self.namespace)
        return tuple([torch.from_numpy(result) for result in found])

    def _plan(self, f: Any, plan: Plan) -> Plan | None:
        """Return a plan of any kind for NumPy; None where that lacks a dtype."""
        if f.dtype not in self.dtypes or not all(map(self._knows, all_tasks(plan))):
            return None
        return plan.with_tasks(tuple([self._there(task) for task in plan.tasks]))

    def _there(self, task: Task) -> Task:
        """Return a task of any kind with NumPy's dtypes and the arrays of this call."""
        inner, arrays = task.inner, (task.step, task.coordinates, task.where)
        step, x, where = [None if a is None else _array(a) for a in arrays]
        beyond = [
            _array(value) if is_array(value) else value
            for value in (task.period, *(task.constants or ()))
        ]
        return self._translation(task).task._replace(
            scales=task.scales,
            step=step,
            coordinates=x,
            constants=None if task.constants is None else (beyond[1], beyond[2]),
            period=beyond[0],
            where=where,
            inner=None if inner is None else self._there(inner),
        )

    def _task(self, task: Task) -> Task | None:
        """Return a task with NumPy's dtypes and the arrays of this call."""
        known = None if task.kept is None else task.kept.made
        if not isinstance(known, Translated):
            if not self._knows(task):
                return None
            known = self._translation(task)
        latest = known.latest
        if latest is not None and latest[0] is task:
            return latest[1]
        step, x = task.step, task.coordinates
        step = None if step is None else _array(step)
        x = None if x is None else _array(x)
        grid = (task.scales, step, x, task.constants, task.period)
        made = known.task.with_values(grid, None, None, ())
        if step is x is None:
            known.latest = task, made
        return made

    def _translation(self, task: Task) -> Translated:
        """Return a task with NumPy's dtypes, which is kept with it."""
        kept = task.kept
        known = None if kept is None else kept.made
        if not isinstance(known, Translated):
            known = Translated(self._translated(task))
            if kept is not None:
                kept.keep(known)
        return known

    def _knows(self, task: Task) -> bool:
        """Tell whether NumPy has all dtypes of a task."""
        arrays = [array for array in (task.step, task.coordinates) if array is not None]
        arrays += arrays_of(task)
        dtypes = [*task.precision[:3], *(array.dtype for array in arrays)]
        return all(dtype in self.dtypes for dtype in dtypes)

    def _translated(self, task: Task) -> Task:
        """Return a task without what a call adds."""
        precision, kept = task.precision, task.kept
        return task._replace(
            precision=precision._replace(
                samples=self.dtypes[precision.samples],
                coordinates=self.dtypes[precision.coordinates],
                result=self.dtypes[precision.result],
            ),
            scales=(),
            step=None,
            coordinates=None,
            constants=None,
            period=None,
            kept=None if kept is None else Kept(kept.account),
        )


def empty_like(f: Any, dtype: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a new tensor on the device of another, and in its layout or of a shape."""
    import torch

    if shape is None:
        return torch.empty_like(f, dtype=dtype)
    return f.new_empty(shape, dtype=dtype)


def _array(tensor: Any) -> Any:
    # By force: nothing watches, but a tensor may still ask for gradients.
    return tensor.numpy(force=True)
