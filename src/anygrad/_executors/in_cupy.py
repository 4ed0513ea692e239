"""One block for CuPy, on the device of the samples, and one kernel for each step.

CuPy puts results on the device that is current, whatever the devices of its operands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import _agnostic
from .._records import are_short

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
        if not plan.is_plain and are_short(plan.tasks):
            return _agnostic.run(f, plan, xp)
        from .._executors import cupy_on_cuda  # imports what only a GPU needs

        done = cupy_on_cuda.run(f, plan, xp)
        if done is not None:
            return done
        return _blocked[0](f, plan, xp)


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
