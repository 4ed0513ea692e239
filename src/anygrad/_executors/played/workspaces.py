"""Memory in which a call is made again: samples and all arrays, and what is made there.

Each derivative is one block.  That of another one, as of a mixed derivative, reads what
the other has made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _agnostic
from ..._classes import is_array
from ..._records import Plan, all_tasks, converted, totals_of, unrounded
from .. import results
from . import forms, masked
from .preparing import prepared, shares_weights
from .scores import Term

if TYPE_CHECKING:
    from ..._records import Task
    from .numbers import Step
    from .operations import InPlaceOps
    from .pieces import Prepared


class Total(NamedTuple):
    """A derivative, with what is added to it, as one block."""

    #: What it is a derivative of: the samples, a component, or another derivative.
    f: Any
    terms: Sequence[Term]
    out: Any
    #: How it is played.
    known: Prepared
    #: What is done before.
    before: Sequence[Step] = ()


class Workspace(NamedTuple):
    """All that a call is made again in."""

    #: In the dtype that they have there.
    samples: Any
    #: With the coordinates and masks that are here.
    plan: Plan
    #: In the order in which they are made.
    totals: Sequence[Total]
    results: results.Results

    def tasks(self) -> list[Task]:
        """Return the tasks of all totals."""
        return list(all_tasks(self.plan))

    def with_resting_weights(self) -> Workspace:
        """Return it with weights that stay as long as the coordinates do."""
        return self._replace(totals=[_resting(total) for total in self.totals])


def workspace_for(
    f: Any, plan: Plan, outs: Sequence[Any], dtype: Any, ops: InPlaceOps
) -> Workspace:
    """Return copies of samples, in the dtype that they have there, and of all else."""

    def here(value: Any) -> Any:
        return copied(value, outs[0], ops) if is_array(value) else value

    samples = copied(f, outs[0], ops, dtype)
    own = plan.with_tasks(tuple([converted(task, here) for task in plan.tasks]))
    made, totals = results.empty(samples, own, ops.empty_like), list[Total]()
    for tasks, out in zip(totals_of(own.tasks), made.outs, strict=True):
        totals += _totals(samples, tasks, out, ops)
    return Workspace(samples, own, totals, made)


def copied(array: Any, out: Any, ops: InPlaceOps, dtype: Any = None) -> Any:
    """Return a copy that lies in the order of its axes, as a result does.

    Where it did not, a program's view of it as one run would be a copy as well, and
    that of an earlier call.
    """
    made = ops.empty_like(out, dtype=dtype or array.dtype, shape=array.shape)
    made[...] = array
    return made


def first_of(f: Any, tasks: Sequence[Task]) -> tuple[Any, Sequence[Task]]:
    """Return the samples that a total reads, and what is made of them first."""
    if len(tasks) > 1:
        return f, tasks
    task = tasks[0] if tasks[0].inner is None else unrounded(tasks[0].inner)
    return _agnostic.component(f, task), [task._replace(component=None)]


def _totals(
    f: Any, tasks: Sequence[Task], out: Any, ops: InPlaceOps
) -> Iterator[Total]:
    """Return a derivative with what is added to it, after one that is inside of it."""
    (f, first), outer, xp = first_of(f, tasks), tasks[0], ops.namespace
    if outer.inner is None:
        yield _alone(f, first, out, ops)
        return
    (inner,) = first
    between = ops.empty_like(out, dtype=inner.precision.result, shape=f.shape)
    yield _alone(f, first, between, ops)
    before, where = list["Step"](), _agnostic.known(f.shape, inner, xp)
    if where is not None:
        before.append([partial(_fill_known, inner, xp), (inner.where, where)])
    outer = outer._replace(component=None, inner=None, where=where)
    yield _alone(between, [outer], out, ops)._replace(before=before)


def _fill_known(inner: Task, xp: Any, where: Any, valid: Any) -> None:
    """Write where an inner derivative has a formula that fits."""
    valid[...] = _agnostic.known(valid.shape, inner._replace(where=where), xp)


def _alone(f: Any, tasks: Sequence[Task], out: Any, ops: InPlaceOps) -> Total:
    tasks = [masked.with_whole_mask(task, out, ops) for task in tasks]
    terms = [Term(task, shares_weights(out, task, ops)) for task in tasks]
    return _as_one(f, terms, out, ops)


def _as_one(f: Any, terms: Sequence[Term], out: Any, ops: InPlaceOps) -> Total:
    """Return a total that is prepared as one block, for samples that are converted."""
    if f.dtype == terms[0].task.precision.samples:
        terms = [term.of_narrow() for term in terms]
    as_one = ops._replace(block_bytes=None)
    score = forms.score_of(f, terms, ops.namespace)
    # Of the operands beside the samples, one block cuts nothing out.
    return Total(f, terms, out, prepared(score, [f], terms, out, as_one))


def _resting(total: Total) -> Total:
    """Return a total with weights for each point, on all grids that have real ones."""
    f, terms, out, known, before = total
    terms = [term._replace(shares_weights=has_weights(term.task)) for term in terms]
    return _as_one(f, terms, out, known.ops)._replace(before=before)


def has_weights(task: Task) -> bool:
    """Tell whether a task has weights on coordinates, by which real samples stay so."""
    return task.coordinates is not None and not task.precision.is_complex_by_grid
