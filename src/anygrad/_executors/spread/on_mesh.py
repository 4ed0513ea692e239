"""The plan for DTensors of torch: each process runs it on its own part.

Along an axis that is cut and differentiated, a part gets the rows that its formulas
read of others, axis after axis, so that it has the corners, too, which mixed
derivatives read.  What it has then is a tensor like any other, and is run by the
executor of these; the rows that are not its own are cut off the results, which are
spread as the samples are.  Along all other axes nothing is moved.

Where more than autograd watches, as under `torch.compile`, and for samples that are
sums still to be made, it is the agnostic run, and torch moves what that reads.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import _agnostic
from ..._beyond import all_arrays_of
from ..._classes import is_array
from ..._libraries import library_of
from ..._records import all_tasks, converted
from ..._schemes import Margin
from .. import in_torch
from . import margins
from .entries import Entries, axes_of_results, axis_of_samples
from .exchange import Cut
from .neighbours import windows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..._records import Plan, Task
    from ..._typing import Namespace


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on a DTensor."""
    if not _serves(f, plan):
        return _agnostic.run(f, plan, xp)
    f = _with_whole_vectors(f, plan)
    part = Part(f, plan)
    results = margins.run(
        part.samples(),
        plan.with_tasks(tuple([part.task(task) for task in plan.tasks])),
        xp,
        margins=tuple(part.margins(plan)),
        executor=in_torch.run,
    )
    (axes, *_) = axes_of_results(tuple(range(f.ndim)), plan)
    return tuple([_spread(result, f, axes) for result in results])


def _serves(f: Any, plan: Plan) -> bool:
    """Tell whether each process can do its part, and send rows of it to others."""
    import torch
    from torch.distributed.tensor import DTensor, Replicate, Shard

    if in_torch.is_transformed() or not plan.tasks or type(f) is not DTensor:
        return False
    if any(type(place) not in (Shard, Replicate) for place in f.placements):
        return False
    if f.device_mesh.get_coordinate() is None or type(_local(f)) is not torch.Tensor:
        return False
    given = [a for task in all_tasks(plan) for a in all_arrays_of(task) if a.ndim]
    if any(type(a) is not DTensor or a.device_mesh != f.device_mesh for a in given):
        return False
    return all(map(_is_cut_in_order, [f, *given]))


def _is_cut_in_order(f: Any) -> bool:
    """Tell whether an axis is cut over the dims of the mesh from the first to the last.

    torch can cut in other orders, of which placements say nothing.
    """
    spec = getattr(f, "_spec", None)  # private
    orders = [cut.mesh_dims for cut in getattr(spec, "shard_order", None) or ()]
    return all(list(order) == sorted(order) for order in orders)


def _with_whole_vectors(f: Any, plan: Plan) -> Any:
    """Return the samples with all components of a vector in one place."""
    from torch.distributed.tensor import Replicate

    component = plan.tasks[0].component
    if component is None or not entries_of(f)[component[0]]:
        return f
    axis, whole = component[0], Replicate()
    places = [whole if place.is_shard(axis) else place for place in f.placements]
    return f.redistribute(placements=places)


def _local(f: Any, grad_placements: Any = None) -> Any:
    """Return the part of a DTensor that is here, once it is."""
    part = f.to_local(grad_placements=grad_placements)
    if part.requires_grad and part.grad_fn is not None:
        part.grad_fn.register_hook(lambda back, _: _keep_recorded(back[0]))
    return part.wait() if hasattr(part, "wait") else part


def _keep_recorded(spread: Any) -> None:
    """Have what flows back into a DTensor of local parts moved to their places.

    `DTensor.from_local` would do so, too, but autograd would not know, and lose second
    derivatives.
    """
    node, places = getattr(spread, "grad_fn", None), getattr(spread, "placements", ())

    def moved(slopes: Any) -> Any:
        (given,) = slopes
        if given is None or given.placements == places:
            return None
        return (given.redistribute(placements=places),)

    if node is not None and not any(place.is_partial() for place in places):
        node.register_prehook(moved)


def entries_of(f: Any) -> Entries:
    """Return the numbers of the dims of the mesh over which each axis is cut."""
    return tuple(
        tuple([k for k, place in enumerate(f.placements) if place.is_shard(axis)])
        for axis in range(f.ndim)
    )


class Part:
    """The samples that one process has, and what it gets of others."""

    def __init__(self, f: Any, plan: Plan) -> None:
        self._f = f
        self._entries = entries_of(f)
        tasks = list(all_tasks(plan))
        self._cuts: dict[int, Cut] = {
            axis: _cut(f, axis, names, [t for t in tasks if axis_of_samples(t) == axis])
            for axis, names in enumerate(self._entries)
            if names
        }
        self._known: dict[Any, Any] = {}

    def samples(self) -> Any:
        """Return the samples that are read here."""
        part = _local(self._f)
        for axis, cut in self._cuts.items():
            part = cut.around(part, axis)
        return part

    def task(self, task: Task) -> Task:
        """Return a task with what is read here of its arrays."""
        own = list(range(self._f.ndim))
        if task.component is not None:
            del own[task.component[0]]
        return converted(task, lambda value: self._read(value, own))

    def margins(self, plan: Plan) -> Iterator[Margin]:
        """Return the rows around the part, which the results do not have."""
        (axes, *_) = axes_of_results(
            tuple(range(self._f.ndim)), plan._replace(stack=None)
        )
        for axis, cut in self._cuts.items():
            window = cut.windows[cut.place]
            count = sum([stop - start for start, stop in window.spans])
            if count != cut.lengths[cut.place]:
                start, stop = window.rows
                yield Margin(axes.index(axis), start, count - stop)

    def _read(self, array: Any, axes: Sequence[int]) -> Any:
        """Return what is read of an array whose axes are these of the samples.

        Each array is moved once, whichever tasks have it.
        """
        if not is_array(array):
            return array
        key = id(array), tuple(axes)
        if key not in self._known:
            self._known[key] = self._around(array, axes)
        return self._known[key]

    def _around(self, array: Any, axes: Sequence[int]) -> Any:
        from torch.distributed.tensor import Partial

        if not hasattr(array, "placements"):
            row: Any = library_of(array)  # of no dims: each process has a copy
            array = row.replicate(array, self._f.device_mesh)
        array = self._placed(array, axes)
        # Each process has its own share of what flows back into a copy.
        back = [
            Partial() if given.is_replicate() and place.is_shard() else given
            for given, place in zip(array.placements, self._f.placements, strict=True)
        ]
        part = _local(array, back)
        entries, shape = entries_of(array), array.shape
        for own, axis in enumerate(axes if array.ndim else ()):
            if axis in self._cuts and shape[own] != 1:
                cut = self._cuts[axis]
                part = (cut.around if entries[own] else cut.within)(part, own)
        return part

    def _placed(self, array: Any, axes: Sequence[int]) -> Any:
        """Return an array that is spread as the samples, or whole, along each axis."""
        from torch.distributed.tensor import Replicate, Shard

        wanted = [
            self._entries[axis] if length != 1 else ()
            for axis, length in zip(axes, array.shape, strict=False)
        ]
        pairs = zip(entries_of(array), wanted, strict=True)
        is_sum = any(place.is_partial() for place in array.placements)
        if not is_sum and all(found in ((), own) for found, own in pairs):
            return array
        places: list[Any] = [Replicate()] * self._f.device_mesh.ndim
        for axis, names in enumerate(wanted):
            for name in names:
                places[name] = Shard(axis)
        return array.redistribute(placements=places)


def _cut(f: Any, axis: int, names: Sequence[int], tasks: Sequence[Task]) -> Cut:
    """Return how an axis is cut, and what its parts read for some tasks."""
    mesh, place, lengths = f.device_mesh, 0, [f.shape[axis]]
    here = mesh.get_coordinate()
    for name in names:
        count = mesh.size(name)
        place = place * count + here[name]
        lengths = [part for whole in lengths for part in _chunked(whole, count)]
    across = [slice(None) if k in names else own for k, own in enumerate(here)]
    ranks = mesh.mesh[tuple(across)].flatten().tolist()
    group = mesh.get_group(names[0]) if len(names) == 1 else None
    return Cut(place, lengths, windows_of(lengths, *tasks), ranks, group)


def _chunked(length: int, count: int) -> list[int]:
    """Return the lengths of so many parts, as torch cuts: the first are full."""
    most = math.ceil(length / count)
    return [min(most, max(length - k * most, 0)) for k in range(count)]


def _spread(result: Any, f: Any, axes: Entries) -> Any:
    """Return a result whose axes are these of the samples, spread as they are."""
    import torch
    from torch.distributed.tensor import DTensor, Shard

    shape = [
        length if axis is None else f.shape[axis]
        for axis, length in zip(axes, result.shape, strict=True)
    ]
    places = [
        Shard(axes.index(place.dim)) if place.is_shard() else place
        for place in f.placements
    ]
    spread = DTensor.from_local(
        result.contiguous(),
        f.device_mesh,
        places,
        run_check=False,
        shape=torch.Size(shape),
        stride=torch.empty(shape, device="meta").stride(),
    )
    _keep_recorded(spread)
    return spread
