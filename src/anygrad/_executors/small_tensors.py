"""torch tensors on the CPU, small or with masks: the same memory in NumPy's hands.

On a small array, an operation costs the time to call it.  A call of NumPy takes a
quarter of a microsecond, and one of torch a whole one.  On bools, and at single points,
NumPy takes half as long as torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import _workers
from .._beyond import arrays_of
from .._classes import is_array
from .._executors import huge_pages, in_numpy, results, same_memory
from .._kept import Kept
from .._precision import working
from .._records import Plan, Task, all_tasks

if TYPE_CHECKING:
    from .._typing import Namespace

#: Beyond so many samples, torch's threads make up for its calls.
MOST_SAMPLES = 2**17


#: What makes tensors arrays, once the first tensor has come.
_view: list[Callable[[Any], Any]] = []


class Translated:
    """A task with NumPy's dtypes.

    Attributes
    ----------
    task : Task
        Without what a call adds.
    has_arrays : bool
        Whether a call adds arrays.
    latest : tuple of (Plan, Plan) or None
        The latest plan that began with it and had no arrays, and the same with NumPy's:
        the same numbers often come again.
    """

    __slots__ = ("has_arrays", "latest", "task")

    def __init__(self, task: Task, has_arrays: bool) -> None:
        self.task = task
        self.has_arrays = has_arrays
        self.latest: tuple[Plan, Plan] | None = None


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

        self.namespace: Namespace = array_api_compat.numpy
        self.dtypes = same_memory.dtypes()
        _view[:] = [same_memory.viewing(self.dtypes)]

    def run(self, f: Any, plan: Plan) -> tuple[Any, ...] | None:
        """Return the results of a plan; None for what NumPy does not have.

        They are torch's own arrays, laid out in its way: NumPy only fills them.
        """
        import torch

        there = self._plan(f, plan)
        if there is None:
            return None
        samples = _array(f)
        if plan.is_plain:
            found = [torch.empty_like(f, dtype=t.precision.result) for t in plan.tasks]
            outs = [_array(tensor) for tensor in found]
            in_numpy.run(samples, there, self.namespace, outs)
            return tuple(found)
        made = results.empty(f, plan, empty_like)
        outs = [_array(tensor) for tensor in made.outs]
        in_numpy.run(samples, there, self.namespace, outs)
        return made.copy()

    def run_compiled(self, f: Any, plan: Plan) -> tuple[Any, ...] | None:
        """Return the results of a plan that Numba compiles; None where it cannot.

        It runs on as many threads as torch would.
        """
        from .._executors import in_numba

        if not in_numba.pays(f.numel(), plan) or f.dtype not in self.dtypes:
            return None
        there = self._plan(f, plan)
        if there is None:
            if not all(map(self._knows, all_tasks(plan))):
                return None
            there = plan.with_tasks(tuple([self._there(task) for task in plan.tasks]))
        import torch

        samples = _array(f)
        made = results.empty(f, plan, empty_like)
        outs = [_array(out) for out in made.outs]
        workers = torch.get_num_threads()
        if in_numba.run(samples, there, self.namespace, outs, workers):
            return made.copy()
        return None

    def run_masked(self, f: Any, plan: Plan) -> tuple[Any, ...] | None:
        """Return the results of a plan with masks; None for what NumPy does not have.

        It runs on as many threads as torch would.
        """
        import torch

        with _workers.set_workers(torch.get_num_threads()):
            return self.run(f, plan)

    def _there(self, task: Task) -> Task:
        """Return a task of any kind with NumPy's dtypes and the arrays of this call."""
        return _with_ends(_bound(self._translated(task), task))

    def _plan(self, f: Any, plan: Plan) -> Plan | None:
        """Return a plan with NumPy's dtypes and the arrays of this call.

        None for one with arrays beyond its ends, or with dtypes that only torch has.
        """
        if f.dtype not in self.dtypes:
            return None
        found, has_arrays, first = [], False, None
        for task in plan.tasks:  # one plan may be a part of another
            known = self._translation(task)
            if known is None:
                return None
            latest = known.latest
            if latest is not None and latest[0] is plan:
                return latest[1]
            first = first or known
            has_arrays = has_arrays or known.has_arrays
            found.append(_bound(known.task, task))
        there = plan.with_tasks(tuple(found))
        if first is not None and not has_arrays:
            first.latest = plan, there
        return there

    def _translation(self, task: Task) -> Translated | None:
        """Return a task with NumPy's dtypes, which is kept with it."""
        kept = task.kept
        known = None if kept is None else kept.made
        if not isinstance(known, Translated):
            parts = [task] if task.inner is None else [task, task.inner]
            if not all(self._knows(t) and not arrays_of(t) for t in parts):
                return None
            known = Translated(self._translated(task), _holds_arrays(task))
            if kept is not None:
                kept.keep(known)
        return known

    def _knows(self, task: Task) -> bool:
        """Tell whether NumPy has all dtypes of a task, and rounds as torch does."""
        arrays = [array for array in (task.step, task.coordinates) if array is not None]
        arrays += arrays_of(task)
        dtypes = [*task.precision[:3], *(array.dtype for array in arrays)]
        if not all(dtype in self.dtypes for dtype in dtypes):
            return False
        # Torch rounds to 32 bits first.
        work, result = working(task.precision), task.precision.result
        return not (work.itemsize == 8 and result.itemsize == 2)

    def _translated(self, task: Task) -> Task:
        """Return a task, and the one inside of it, without what a call adds."""
        precision, inner, kept = task.precision, task.inner, task.kept
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
            inner=None if inner is None else self._translated(inner),
            where=None,
            kept=None if kept is None else Kept(kept.account),
        )


def empty_like(f: Any, dtype: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a new tensor on the device of another, and in its layout or of a shape."""
    import torch

    if shape is None:
        return huge_pages.advised(torch.empty_like(f, dtype=dtype))
    return huge_pages.advised(f.new_empty(shape, dtype=dtype))


def _bound(known: Task, task: Task) -> Task:
    """Return a task with NumPy's dtypes and what a call has added to torch's."""
    step, x, where, inner = task.step, task.coordinates, task.where, task.inner
    if known.inner is not None and inner is not None:
        inner = _bound(known.inner, inner)
    step = step if step is None else _array(step)
    x = x if x is None else _array(x)
    where = where if where is None else _array(where)
    grid = (task.scales, step, x, task.constants, task.period)
    return known.with_values(grid, inner, where, task.alternatives)


def _with_ends(task: Task) -> Task:
    """Return a task with NumPy's arrays beyond its ends, too."""
    inner = task.inner
    period, *constants = [
        _array(value) if is_array(value) else value
        for value in (task.period, *(task.constants or ()))
    ]
    return task._replace(
        constants=None if task.constants is None else (constants[0], constants[1]),
        period=period,
        inner=None if inner is None else _with_ends(inner),
    )


def _holds_arrays(task: Task) -> bool:
    """Tell whether a task, or the one inside of it, has arrays of a call."""
    has_own = not task.step is task.coordinates is task.where is None
    return has_own or (task.inner is not None and _holds_arrays(task.inner))


def _array(tensor: Any) -> Any:
    return _view[0](tensor)
