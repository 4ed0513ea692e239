"""Kernels on a GPU: what is kept of them, on what grid they run, and their launch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._kept import remember
from .. import results
from ..recorded import composites
from ..recorded.nodes import TooLong
from ..recorded.tape import Call
from . import cuda, kernels, variants
from .kernels import Runner

if TYPE_CHECKING:
    from ..._records import Plan, Task
    from ..._typing import Namespace
    from ..memory import Memory
    from ..recorded.composites import Work
    from ..recorded.nodes import Range
    from ..recorded.tape import Form, Operands, Recording
    from .variants import Array, Variant

#: So many threads are in a block.
THREADS = 128

#: So many of them go one way together.
WARP = 32

#: So many rows, one after the other, a thread makes where what is the same in all takes
#: long to compute.
TURNS = 8

#: The counts of a grid along its second and third axis are no larger.
MOST_BLOCKS = 2**16 - 1


class Grid(NamedTuple):
    """On how many threads a kernel runs."""

    #: The counts of blocks, and of threads in each.
    blocks: tuple[int, int, int]
    threads: tuple[int, int, int]
    #: How many points of a row are none of its ends.
    inner: int


def grid_of(
    shape: Sequence[int], variant: Variant, edge: Range, turns: int = 1
) -> Grid:
    """Return the grid for results of a shape, whose rows have an edge at either end.

    A block takes several rows, because its neighbours read what these do.
    """
    *others, rows, length = (1, *shape) if len(shape) < 2 else shape
    width = WARP if rows > 1 else THREADS
    unit = width * variant.columns if variant.is_apart else variant.lanes
    inner = max(length - variant.left(edge) - edge.end, 0) // unit * unit
    width = min(_power_of_two(-(-inner // variant.columns)), width, THREADS)
    height = THREADS // width
    blocks = (
        -(-inner // (width * variant.columns)) + (inner < length),
        min(-(-rows // (height * variant.rows * turns)), MOST_BLOCKS),
        min(math.prod(others), MOST_BLOCKS),
    )
    return Grid(blocks, (width, height, 1), inner)


def _power_of_two(count: int) -> int:
    """Return the least power of two that is not less; 1 for none."""
    return 1 << max(count - 1, 0).bit_length()


class Launcher(NamedTuple):
    """How a library makes arrays, and compiles and launches kernels."""

    #: ``place(array)`` returns the `Array`; None if memory holds other values.
    place: Callable[[Any], Array | None]
    #: ``device(array)`` returns what stands for its device.
    device: Callable[[Any], Any]
    #: ``compiled(text, device)`` returns a function for a text, or raises an error.
    compiled: Callable[[str, Any], Any]
    #: ``call(function, grid, arguments, array)`` calls it; the arguments are arrays,
    #: numbers of NumPy's for positions, and Python's float.
    call: Callable[[Any, Grid, Sequence[Any], Any], None]
    #: ``empty_like(array, dtype=..., shape=...)``, as `results.empty` takes it.
    empty_like: Callable[..., Any]
    #: How its arrays tell how they lie in memory.
    memory: Memory


class Launch(NamedTuple):
    """A kernel for arrays that lie in memory in one way."""

    #: How the arrays and the results lie.
    places: Sequence[Array]
    #: None where there is nothing to launch.
    function: Any
    #: On how many threads it runs.
    grid: Grid | None = None
    #: The strides of each array and result, as it takes them.
    steps: Sequence[Sequence[Any]] = ()
    #: Those of the axes.
    lengths: Sequence[Any] = ()


class Kernel:
    """What is kept of a form of calls on a device."""

    __slots__ = ("functions", "latest", "most_lines", "recording", "traits")

    def __init__(self, recording: Recording, most_lines: int) -> None:
        #: All operations.
        self.recording = recording
        #: If its text is longer, it is cut.
        self.most_lines = most_lines
        #: What is asked of them for each shape.
        self.traits = variants.traits_of(recording)
        #: What is compiled, by variant; None for what is not.
        self.functions: dict[Variant, Any] = {}
        #: For the latest arrays: the next ones often lie as they do.
        self.latest = Launch((), None)


class Latest(NamedTuple):
    """The latest call of a plan, where that needs no arrays but the samples.

    It is often called with the same numbers again, and then has the same tasks, which
    are of one device.
    """

    #: With their numbers.
    tasks: tuple[Task, ...]
    #: What serves them.
    kernel: Kernel
    #: As the kernel takes them.
    numbers: Sequence[float]


#: The latest, by form and device; None for what is too long to be one.
_kernels: dict[tuple[Form, Any], Kernel | None] = {}


def run(
    launcher: Launcher, f: Any, plan: Plan, xp: Namespace
) -> tuple[Any, ...] | None:
    """Return the results of a plan, on the current device; None where it cannot."""
    plan = results.at_each_place(plan)
    made = results.empty(f, plan, launcher.empty_like)
    runner = Runner(partial(_launch, launcher, xp), xp, launcher.memory)
    return made.returned if kernels.run(f, plan, made.outs, runner) else None


def run_composite(launcher: Launcher, work: Work, plan: Plan) -> tuple[Any, ...] | None:
    """Return the results of a composite by one kernel; None where it cannot."""

    def launch(work: Work, outs: Sequence[Any]) -> bool:
        kernel, operands = _kernel_of(work, launcher.device(work.f))
        arrays, numbers = [*operands.arrays, *outs], operands.as_floats()
        return _launch_kernel(launcher, kernel, arrays, len(outs), numbers)

    return composites.run(work, plan, launcher.empty_like, launcher.memory, launch)


def _launch(
    launcher: Launcher,
    xp: Namespace,
    f: Any,
    plan: Plan,
    outs: Sequence[Any],
) -> bool:
    """Write all results of a plan by one kernel; tell whether it could."""
    kept = plan.tasks[0].kept
    latest = None if kept is None else kept.made  # once: threads may replace it
    kernel: Kernel | None
    if isinstance(latest, Latest) and latest.tasks is plan.tasks:
        _, kernel, numbers = latest
        arrays = [f, *outs]
    else:
        kernel, operands = _kernel_of(Call(f, plan, xp), launcher.device(f))
        numbers = operands.as_floats()
        arrays = [*operands.arrays, *outs]
        if kernel is not None and kept is not None and len(operands.arrays) == 1:
            # The plan holds these tasks, too, so nothing more is held.
            kept.made = Latest(plan.tasks, kernel, numbers)
    return _launch_kernel(launcher, kernel, arrays, len(outs), numbers)


def _kernel_of(work: Call | Work, device: Any) -> tuple[Kernel | None, Operands]:
    """Return the kernel of a form on a device, and its operands.

    None for what is too long to be one: it is cut, if it can be.
    """
    form, operands = work.form()
    kernel: Any = _kernels.get((form, device), False)
    if kernel is False:  # it has not been met
        most_lines = cuda.MOST_LINES if work.can_be_cut else cuda.MOST_LINES_ALONE
        kernel = None
        with suppress(TooLong):
            most_nodes = most_lines * kernels.NODES_PER_LINE
            kernel = Kernel(work.record(form, operands, most_nodes), most_lines)
        kernel = remember(_kernels, (form, device), kernel)
    return kernel, operands


def _launch_kernel(
    launcher: Launcher,
    kernel: Kernel | None,
    arrays: Sequence[Any],
    count: int,
    numbers: Sequence[float],
) -> bool:
    """Launch a kernel on arrays, of which the last are results; tell whether it can."""
    if kernel is None:
        return False
    f = arrays[0]
    places: list[Any] = [launcher.place(array) for array in arrays]
    if None in places:
        return False
    known = kernel.latest
    if known.places != places:
        known = _prepared(kernel, places, count, launcher, launcher.device(f))
        kernel.latest = known
    if known.grid is None:
        return False
    given: list[Any] = []
    for array, steps in zip(arrays, known.steps, strict=True):
        given.append(array)
        given += steps
    launcher.call(known.function, known.grid, [*given, *known.lengths, *numbers], f)
    return True


def _prepared(
    kernel: Kernel, places: list[Array], count: int, launcher: Launcher, device: Any
) -> Launch:
    """Return how a kernel is launched on arrays, of which the last are results."""
    import numpy

    traits, outs = kernel.traits, places[-count:]
    variant = variants.variant_of(traits, places[:-count], outs)
    if variant is not None and variant not in kernel.functions:
        kernel.functions[variant] = _compiled(kernel, variant, launcher, device)
    if variant is None or kernel.functions[variant] is None:
        return Launch(places, None)
    position = numpy.int64 if variant.is_wide else numpy.int32
    shape = outs[0].shape
    grid = grid_of(shape, variant, traits.edge, TURNS if traits.has_tables else 1)
    return Launch(
        places,
        kernel.functions[variant],
        grid,
        [list(map(position, place.steps)) for place in places],
        list(map(position, (*shape, grid.inner))),
    )


def _compiled(kernel: Kernel, variant: Variant, launcher: Launcher, device: Any) -> Any:
    """Return the function of a kernel; None where it cannot be compiled."""
    text = None
    with suppress(TooLong):
        text = cuda.text_of(kernel.recording, variant, kernel.most_lines)
    if text is None:
        return None
    return kernels.compiled(
        lambda: launcher.compiled(text, device), "CUDA", "as several kernels"
    )
