"""The agnostic run on samples of JAX that are spread over several devices.

Along an axis that is cut, each device gets of its neighbours the rows that its formulas
reach, and runs the algorithm on its block with this halo: two transfers, of no row more
than is read.  All devices run one program.  So each computes the formulas of the ends,
too, which are moved by the width of the halo; its place in the mesh decides whether
they are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import _agnostic
from ..._beyond import has_arrays
from ..._records import Plan, Task, all_tasks, are_short, halo_of
from ..._tasks import with_all_dims
from .. import joined_in_jax
from .entries import Entries, axes_of_results, axis_of_samples, parts_of
from .halos import Cut

if TYPE_CHECKING:
    from ..._schemes import Halo
    from ..._typing import Namespace


class Layout(NamedTuple):
    """How the samples of a plan are spread."""

    #: The devices: a Mesh or an AbstractMesh.
    mesh: Any
    #: The axes of the mesh that are named here; empty for all.
    names: frozenset[str]
    #: Of the samples.
    entries: Entries
    #: Of the coordinates and of the mask of each task.
    companions: tuple[tuple[Entries, Entries], ...]
    #: Of what is differentiated.
    ndim: int

    def count(self, axis: int) -> int:
        """Return into how many parts an axis is cut."""
        return parts_of(self.mesh, self.entries[axis])


def layout_of(
    f: Any, sharding: Any, plan: Plan, names: tuple[str, ...] = ()
) -> Layout | None:
    """Return how samples are spread; None where no derivative needs a neighbour.

    None, too, where a part is shorter than the halo, so that rows come from farther
    away, where there are values for each line beyond the ends, and where the samples of
    a mixed derivative have a mask: the compiler finds the way.
    """
    import jax

    is_named = isinstance(sharding, jax.sharding.NamedSharding)
    if not is_named or not _is_usual(plan):
        return None
    entries = (*sharding.spec, *[None] * (f.ndim - len(sharding.spec)))
    found = Layout(sharding.mesh, frozenset(names), entries, (), plan.ndim)
    counts = [found.count(axis) for axis in range(f.ndim)]
    tasks = list(all_tasks(plan))
    is_even = not any(n % count for n, count in zip(f.shape, counts, strict=True))
    is_one = all(not t.component or counts[t.component[0]] == 1 for t in tasks)
    cut = [task for task in tasks if counts[axis_of_samples(task)] > 1]
    if not (cut and is_even and is_one):
        return None
    for task in cut:
        axis = axis_of_samples(task)
        halo = halo_of(*[other for other in cut if other.axis == task.axis])
        if not _suffices(f.shape[axis], counts[axis], halo):
            return None
    companions = [
        (_entries(t.coordinates, t.axis, plan.ndim), _entries(t.where)) for t in tasks
    ]
    return found._replace(companions=tuple(companions))


def _is_usual(plan: Plan) -> bool:
    """Tell whether a plan has only what blocks know how to part."""
    if has_arrays(plan) or are_short(plan.tasks):
        return False
    inner = [task.inner for task in plan.tasks if task.inner is not None]
    return all(task.where is None for task in inner)


def _suffices(length: int, count: int, halo: Halo) -> bool:
    """Tell whether each part of an axis has all rows that its neighbours read."""
    left, right, points, _ = halo
    part = length // count
    # With its halo, it is at most once the circle: no row is read from both sides.
    is_once = part + left + right <= length
    return is_once and part >= max(left + right, points)


def _entries(array: Any, axis: int = 0, ndim: int = 0) -> Entries:
    """Return how coordinates or a mask are spread; nothing if they are everywhere.

    Those of one dim lie along the axis.
    """
    import jax

    if array is None:
        return ()
    is_traced = isinstance(array, jax.core.Tracer)
    known = jax.typeof(array) if is_traced else array
    sharding = getattr(known, "sharding", None)  # NumPy's arrays have none
    entries = tuple(getattr(sharding, "spec", ()))
    if array.ndim < ndim:
        entries = (*[None] * axis, *entries)
    return entries if any(entries) else ()


def run(
    f: Any,
    numbers: Any,
    arrays: Any,
    layout: Layout,
    plan: Plan,
    plan_of: Callable[..., Plan],
    xp: Namespace,
) -> tuple[Any, ...]:
    """Run a plan on all devices at once.

    ``plan_of(numbers, arrays)`` returns it with the values of the call.
    """
    import jax

    def run_here(f: Any, numbers: Any, arrays: Any) -> tuple[Any, ...]:
        whole = plan_of(numbers, arrays)
        block = Block(f, whole, layout, xp)
        return _agnostic.compose(whole, block.derivative, xp)

    spec = jax.sharding.PartitionSpec
    given = zip(arrays, all_tasks(plan), layout.companions, strict=False)
    placed = [_placed(*one, layout) for one in given]
    spread = jax.shard_map(
        run_here,
        mesh=layout.mesh,
        axis_names=layout.names,
        in_specs=(spec(*layout.entries), spec(), [specs for _, specs in placed]),
        out_specs=tuple([spec(*own) for own in axes_of_results(layout.entries, plan)]),
    )
    results: tuple[Any, ...] = spread(f, numbers, [values for values, _ in placed])
    return results


def _placed(
    values: Any, task: Task, companions: tuple[Entries, Entries], layout: Layout
) -> tuple[Any, Any]:
    """Return the step, the coordinates and the mask of a task, and their specs."""
    import jax

    (step, *arrays), spec = values, jax.sharding.PartitionSpec
    placed, specs = [step], [None if step is None else spec()]
    for array, entries in zip(arrays, companions, strict=True):
        if array is None:
            placed.append(None)
            specs.append(None)
            continue
        array = with_all_dims(array, task.axis, layout.ndim)  # noqa: PLW2901
        # What is everywhere stays so: the compiler might spread it, to gather it.
        given = array if entries else _at(array, spec(), layout)
        wanted = spec(*_wanted(array, entries, task, layout))
        placed.append(_at(given, wanted, layout))
        specs.append(wanted)
    return tuple(placed), tuple(specs)


def _at(array: Any, spec: Any, layout: Layout) -> Any:
    """Return an array that is spread so."""
    import jax

    wanted = jax.sharding.NamedSharding(layout.mesh, spec)
    if jax.sharding.AxisType.Explicit in layout.mesh.axis_types:
        return jax.sharding.reshard(array, wanted)
    return jax.lax.with_sharding_constraint(array, wanted)


def _wanted(array: Any, given: Entries, task: Task, layout: Layout) -> Entries:
    """Return how an array is spread: as the samples, where it has their length.

    Along the axis of the derivative it stays whole, if it is: nothing is moved then.
    """
    entries = list(layout.entries)
    if task.component is not None:
        del entries[task.component[0]]
    is_whole = not any(given[task.axis : task.axis + 1])
    for axis, length in enumerate(array.shape):
        if length == 1 or (is_whole and axis == task.axis):
            entries[axis] = None
    return tuple(entries)


def of_results(sharding: Any, plan: Plan) -> tuple[Any, ...]:
    """Return the shardings of the results."""
    import jax

    named, spec = jax.sharding.NamedSharding, jax.sharding.PartitionSpec
    found = axes_of_results(tuple(sharding.spec), plan)
    return tuple([named(sharding.mesh, spec(*entries)) for entries in found])


class Block:
    """The samples that one device has, and what it gets of others."""

    def __init__(self, f: Any, plan: Plan, layout: Layout, xp: Namespace) -> None:
        self._f = f
        self._layout = layout
        self._xp = xp
        self._known: dict[Any, Any] = {}
        read_by: dict[Any, list[Task]] = {}
        for task in all_tasks(plan):
            read_by.setdefault(_source(task), []).append(task)
        self._halos = {source: halo_of(*tasks) for source, tasks in read_by.items()}

    def derivative(self, task: Task) -> Any:
        """Return one derivative of the block, in the working dtype."""
        xp, axis = self._xp, task.axis
        f = _agnostic.component(self._f, task)
        if task.inner is not None:
            f = self.derivative(task.inner)
        alone = task._replace(component=None, inner=None)
        layout, own_axis = self._layout, axis_of_samples(task)
        if layout.count(own_axis) == 1:
            return _agnostic.derivative(f, alone, xp, joined_in_jax.SELECTING)
        halo = self._halos[_source(task)]
        cut = Cut(axis, layout.entries[own_axis], layout.count(own_axis), halo)
        x, where = task.coordinates, task.where
        reach = axis, halo.left, halo.right
        if x is not None:
            given, key = x, ("coordinates", *reach)
            x = self._once(key, lambda: cut.continued(cut.around(given, f), xp))
        if where is not None and where.shape[axis] > 1:
            where = self._once(("where", *reach), lambda: cut.around(where, f))
        alone = alone._replace(coordinates=x, where=where)
        whole = self._once(_source(task), lambda: cut.around(f, f))
        return cut.derivative(alone, whole, xp)

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what has been made already, or make it: nothing is moved twice."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def _source(task: Task) -> Any:
    """Return what a derivative is taken of, and along which axis."""
    inner = task.inner and (task.inner.axis, task.inner.scheme.recipe)
    return task.component, inner, task.axis
