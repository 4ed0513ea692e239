"""One block for CuPy, on the device of the samples, and one kernel for each step.

CuPy puts results on the device that is current, whatever the devices of its operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from .._executors import cuda, kernels, on_cuda, results
from .._executors.kernels import Runner

if TYPE_CHECKING:
    from .._executors import steps
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
        if plan.tasks and f.size and _compiles_cuda():
            made = results.empty(f, plan, xp.empty_like)
            launch = partial(on_cuda.launch, LAUNCHER, xp)
            if kernels.run(f, plan, made.outs, Runner(launch, xp)):
                return made.copy()
        return _blocked[0](f, plan, xp)


@lru_cache(1)
def _compiles_cuda() -> bool:
    """Tell whether this CuPy is for CUDA, not for ROCm."""
    import cupy

    return not cupy.cuda.runtime.is_hip


def _place(array: Any) -> on_cuda.Array:
    size = array.dtype.itemsize
    return on_cuda.Array(array.data.ptr % cuda.ACCESS, array.shape, array.strides, size)


def _compiled(text: str, _: Any) -> Any:
    import cupy

    # CuPy keeps what it compiles on the disk, and loads it on the current device.
    module = cupy.RawModule(code=text, options=("--std=c++17", *cuda.OPTIONS))
    return module.get_function(cuda.NAME)


def _call(function: Any, grid: on_cuda.Grid, given: Sequence[Any], _: Any) -> None:
    function(*grid, tuple(given))


LAUNCHER = on_cuda.Launcher(
    place=_place,
    device=lambda array: array.device.id,
    compiled=_compiled,
    call=_call,
)


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
