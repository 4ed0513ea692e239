"""One block for CuPy, on the device of the samples, and one kernel for each step.

CuPy puts results on the device that is current, whatever the devices of its operands.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .._executors import cuda, kernels, on_cuda, results, tape

if TYPE_CHECKING:
    from .._executors import steps
    from .._executors.cuda import Variant
    from .._executors.on_cuda import Grid
    from .._executors.tape import Form, Recording
    from .._records import Plan
    from .._typing import Namespace

#: The blocked executor in CuPy's words, made when the first array comes.
_blocked: list[Callable[..., tuple[Any, ...]]] = []

#: The kernels by formula and types of the operands, `T` being that of the samples.
#: There is one per formula and kind of grid.
_kernels: dict[tuple[str, tuple[str, ...]], Any] = {}


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `cupy.ndarray`."""
    if not _blocked:
        _blocked[:] = [_make_blocked()]  # threads may meet here
    with f.device:
        if plan.tasks and f.size:
            made = results.empty(f, plan, xp.empty_like)
            if kernels.run(f, plan, xp, made.outs, partial(_launch, xp)):
                return made.copy()
        return _blocked[0](f, plan, xp)


class Launch(NamedTuple):
    """A kernel for arrays that lie in memory in one way.

    Attributes
    ----------
    layout : tuple
        How the arrays and the results lie.
    function : callable or None
        None where there is nothing to launch.
    grid : Grid or None
        On how many threads it runs.
    steps : list of list of int
        The strides of each array and result, as it takes them.
    lengths : list of int
        Those of the axes.
    """

    layout: tuple[Any, ...]
    function: Any
    grid: Grid | None = None
    steps: Sequence[Sequence[Any]] = ()
    lengths: Sequence[Any] = ()


class Kernel:
    """What is kept of a form of calls on a device.

    Attributes
    ----------
    recording : Recording
        All operations.
    functions : dict
        What is compiled, by variant; None for what is not.
    latest : Launch
        For the latest arrays: the next ones often lie as they do.
    """

    __slots__ = ("functions", "latest", "recording")

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.functions: dict[Variant, Any] = {}
        self.latest = Launch((), None)


#: By device as well: a module is loaded on the one that is current.
_kernels_of_calls: dict[tuple[Form, int], Kernel] = {}


def _launch(xp: Namespace, f: Any, plan: Plan, outs: Sequence[Any]) -> bool:
    """Write all results by one kernel, on the stream that is current."""
    form, operands = tape.form_of(f, plan)
    key = form, f.device.id
    kernel = _kernels_of_calls.get(key)
    if kernel is None:
        recording = tape.record(form, operands, plan, xp)
        kernel = _kernels_of_calls.setdefault(key, Kernel(recording))
    arrays = (*operands.arrays, *outs)
    layout = tuple([(a.shape, a.strides, a.data.ptr % cuda.ACCESS) for a in arrays])
    launch = kernel.latest
    if launch.layout != layout:
        launch = kernel.latest = _prepared(kernel, arrays, layout, len(outs))
    if launch.grid is None:
        return False
    given: list[Any] = []
    for array, steps in zip(arrays, launch.steps, strict=True):
        given.append(array)
        given += steps
    given += launch.lengths
    for number in operands.numbers:
        parts = (number.real, number.imag) if type(number) is complex else (number,)
        given += map(float, parts)
    launch.function(*launch.grid, tuple(given))
    return True


def _prepared(
    kernel: Kernel, arrays: Sequence[Any], layout: tuple[Any, ...], count: int
) -> Launch:
    """Return how a kernel is launched on arrays, of which the last are results."""
    import numpy

    places = [
        on_cuda.Array(address, shape, strides, array.dtype.itemsize)
        for array, (shape, strides, address) in zip(arrays, layout, strict=True)
    ]
    recording = kernel.recording
    variant = on_cuda.variant_of(recording, places[:-count], places[-count:])
    if variant is None:
        return Launch(layout, None)
    if variant not in kernel.functions:
        kernel.functions[variant] = _compiled(recording, variant)
    function = kernel.functions[variant]
    if function is None:
        return Launch(layout, None)
    position = numpy.int64 if variant.is_wide else numpy.int32
    shape = layout[-1][0]
    return Launch(
        layout,
        function,
        on_cuda.grid_of(shape, variant),
        [list(map(position, place.steps)) for place in places],
        list(map(position, shape)),
    )


def _compiled(recording: Recording, variant: Variant) -> Any:
    """Return the function of a recording; None where it cannot be compiled."""
    import cupy

    text = cuda.text_of(recording, variant)
    if text is None:
        return None
    try:
        # Products and sums that are contracted are not rounded as on other devices.
        module = cupy.RawModule(code=text, options=("--std=c++17", "--fmad=false"))
        return module.get_function("anygrad_kernel")
    except Exception as error:  # noqa: BLE001 - whatever a driver may raise
        msg = (
            "CUDA cannot compile this call, so it runs as several kernels: "
            f"{type(error).__name__}: {error}"
        )
        warnings.warn(msg, RuntimeWarning, stacklevel=2)
        return None


def _make_blocked() -> Callable[..., tuple[Any, ...]]:
    import cupy

    from .._executors import blocked, steps

    ops = steps.InPlaceOps(
        empty_like=cupy.empty_like,
        subtract=cupy.subtract,
        multiply=cupy.multiply,
        divide=cupy.true_divide,
        add=cupy.add,
        strides=lambda a: a.strides,
        transpose=lambda a, axes: a.transpose(axes),
        is_contiguous=lambda a: a.flags.c_contiguous,
        take=None,
        extremes=None,
        block_bytes=None,
        scratch_bytes=0,
        for_each=steps.one_by_one,
        carry_out=_carry_out,
    )
    return partial(blocked.run, ops=ops)


def _carry_out(
    step: steps.Step, given: steps.Numbers, f: Any, out: Any, _: steps.InPlaceOps
) -> None:
    """Write the weighted sum of differences, scaled, with one pass over memory."""
    sums, operands, kinds = [], [], []

    def operand(value: Any, kind: str) -> str:
        operands.append(value)
        kinds.append(kind)
        return f"x{len(operands) - 1}"

    def number(value: Any) -> str:
        if not hasattr(value, "dtype"):
            # Python's numbers would be float64 in the kernel, whatever the samples.
            real = f.dtype.type if isinstance(value, complex) else f.real.dtype.type
            value = real(value)
        return operand(value, "T" if value.dtype == f.dtype else value.dtype.name)

    for upper, lower, weight in step.terms:
        constants = given.constants or ()
        below = (
            operand(f[lower], "T")
            if isinstance(lower, tuple)
            else number(constants[lower])
        )
        difference = f"({operand(f[upper], 'T')} - {below})"
        sums.append(
            difference if weight is None else f"{difference} * {number(weight)}"
        )
    formula = f"({' + '.join(sums)})"
    scale = given.scales[step.number] if step.scale is None else step.scale
    for factor in scale.factors:
        formula += f" * {number(factor)}"
    for divisor in scale.divisors:
        formula += f" / {number(divisor)}"
    if step.sign:
        before = operand(out[step.target], "T")
        formula = f"{before} {'+' if step.sign > 0 else '-'} ({formula})"
    _kernel(formula, tuple(kinds))(*operands, out[step.target])


def _kernel(formula: str, kinds: tuple[str, ...]) -> Any:
    kernel = _kernels.get((formula, kinds))
    if kernel is None:
        import cupy

        parameters = ", ".join(f"{kind} x{k}" for k, kind in enumerate(kinds))
        kernel = _kernels[formula, kinds] = cupy.ElementwiseKernel(
            parameters, "T out", f"out = {formula}", "anygrad_step"
        )
    return kernel
