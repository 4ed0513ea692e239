"""Blocks for torch, where nothing watches the operations.

Autograd, forward-mode differentiation, `torch.func`, `torch.compile` and modes must
see plain operations on whole tensors; writing into a result made beforehand would be
an error there, or silently wrong.  They get the agnostic run; but where only autograd
records, and only for the samples, a derivative and its way back are one step each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from .. import _agnostic, _classes, _compilers
from .._beyond import all_arrays_of
from .._records import all_tasks, are_short
from . import adjoint, huge_pages, same_memory
from .memory import OF_TORCH
from .played import blocked, operations

if TYPE_CHECKING:
    from .._curved import Composite
    from .._records import Plan
    from .._typing import Namespace
    from .recorded.composites import Work

#: On fewer samples, calls with factors take no longer on whole tensors.
LEAST_IN_ONE_PASS = 2**17


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on a tensor of one of torch's own classes."""
    tensors = [f]
    for task in all_tasks(plan):
        tensors += all_arrays_of(task)
    if is_watched(*tensors):
        return _agnostic.run(f, plan, xp)
    import torch

    if not torch._C._len_torch_function_stack():
        return _run_unwatched(f, plan, xp, tensors)
    with torch._C.DisableTorchFunction():  # the default device is none of ours
        return _run_unwatched(f, plan, xp, tensors)


def _run_unwatched(
    f: Any, plan: Plan, xp: Namespace, tensors: Sequence[Any]
) -> tuple[Any, ...]:
    if not _is_tracked(tensors):
        return _run_blocked(f, plan, xp)
    if not adjoint.serves(f, plan):
        return _agnostic.run(f, plan, xp)
    return adjoint.run(f, plan, xp, _run_blocked)


def _run_blocked(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    if not plan.is_plain and are_short(plan.tasks):
        return _agnostic.run(f, plan, xp)
    on_cpu, results = f.is_cpu, None
    if on_cpu:
        in_numpy = _in_numpy()
        if in_numpy is not None:
            results = in_numpy.run(f, plan, xp)
    elif f.is_cuda:
        from .printed import torch_on_cuda  # imports what only a GPU needs

        results = torch_on_cuda.run(f, plan, xp)
    if results is not None:
        return results
    return blocked.run(f, plan, _ops(on_cpu))


def run_in_one_pass(
    f: Any, composite: Composite, plan: Plan, xp: Namespace
) -> tuple[Any, ...] | None:
    """Return the results of a call with factors; None where whole tensors serve."""
    from .recorded import composites

    tensors = [f, *filter(_classes.is_array, composite.grid.factors)]
    is_played = f.is_cpu and _compilers.get_compiler() is None
    serves = f.is_cuda or (f.is_cpu and f.numel() >= LEAST_IN_ONE_PASS)
    if is_played and composite.grid.where is not None:  # it looks at no masks
        return None
    if not serves or is_watched(*tensors):
        return None
    work = composites.work_of(f, composite, xp, run, is_printed=not is_played)
    if work is None:
        return None
    for task in work.tasks():
        tensors += all_arrays_of(task)
    if is_watched(*tensors) or _is_tracked(tensors):
        return None
    import torch

    with torch._C.DisableTorchFunction():  # the default device is none of ours
        return _in_one_pass(work, plan)


def _in_one_pass(work: Work, plan: Plan) -> tuple[Any, ...] | None:
    if work.f.is_cuda:
        from .printed import torch_on_cuda

        return torch_on_cuda.run_composite(work, plan)
    from .played import composites as played
    from .recorded import composites

    in_numpy, ways = _in_numpy(), list[Any]()
    if in_numpy is not None:
        ways.append(in_numpy.write)
    if work.composite.grid.where is None:
        ways.append(partial(played.write, ops=_ops(on_cpu=True)))
    return composites.run(work, plan, huge_pages.empty_like, OF_TORCH, *ways)


def is_watched(*tensors: Any) -> bool:
    """Tell whether more than the values is asked of operations on these."""
    import torch

    if is_transformed() or tensors[0].is_meta:
        return True
    for tensor in tensors:  # a loop, because a generator takes thrice as long for one
        if type(tensor) is not torch.Tensor and type(tensor) is not torch.nn.Parameter:
            return True
        if not _has_memory(tensor):
            return True
    return _is_in_mode(torch)


def _has_memory(tensor: Any) -> bool:
    """Tell whether its numbers are in memory of its own, for others to read.

    Not so where torch knows all to be zero, where the memory has been freed, as that of
    parameters that are sharded again, and where the tensor stands for another one.
    """
    try:
        return bool(tensor.data_ptr()) or not tensor.numel()
    except RuntimeError:  # it could have none
        return False


def is_transformed() -> bool:
    """Tell whether more than autograd, and than modes, follows the operations.

    Asked by private names of torch, as all below: there are no public ones.  Where
    torch calls them otherwise, calls count as watched: right, and slower.
    """
    import torch

    if torch.compiler.is_compiling():
        return True
    try:
        if torch._C._get_tracing_state() is not None:
            return True
        if torch._C._functorch.maybe_current_level() is not None:
            return True
        return bool(torch.autograd.forward_ad._current_level >= 0)
    except AttributeError:
        return True


def _is_in_mode(torch: Any) -> bool:
    """Tell whether a mode sees operations, other than that of the default device.

    That one tells whatever is made from nothing where to lie, and does no more.
    """
    private = torch._C
    try:
        if private._len_torch_dispatch_stack():
            return True
        functions = private._len_torch_function_stack()
        can_be_left = functions == 1 and hasattr(private, "DisableTorchFunction")
        if not can_be_left:
            return bool(functions)
        mode = private._get_function_stack_at(0)
        return type(mode) is not torch.utils._device.DeviceContext
    except AttributeError:
        return True


def is_symbol(number: Any) -> bool:
    """Tell whether a number is a symbol: for a length, or for what a tensor holds.

    Dynamo shows both as numbers, and compares those whose value it knows.  Of others,
    which `item` returns, no comparison is known to hold.
    """
    import torch

    if _classes.is_named(type(number), "torch", ("SymInt", "SymFloat")):
        return True
    if type(number) not in (int, float) or not torch.compiler.is_compiling():
        return False
    from torch.fx.experimental.symbolic_shapes import guard_or_false

    other = 2**62 + 1  # what is compiled for all others should be for all that come
    return not (guard_or_false(number == other) or guard_or_false(number != other))


def is_batch(tensor: Any) -> bool:
    """Tell whether it stands for many, as slopes of batched gradients do."""
    import torch

    try:
        return bool(torch._C._functorch.is_legacy_batchedtensor(tensor))
    except AttributeError:  # likewise
        return True


def _is_tracked(tensors: Sequence[Any]) -> bool:
    """Tell whether autograd records the operations."""
    for tensor in tensors:
        if tensor.requires_grad:
            import torch

            return bool(torch.is_grad_enabled())
    return False


@cache
def _in_numpy() -> same_memory.InNumPy | None:
    """Return NumPy, for tensors on the CPU; None without it."""
    try:
        return same_memory.InNumPy()
    except RuntimeError:
        return None


@cache
def _ops(on_cpu: bool) -> operations.InPlaceOps:
    """Return the operations in torch's words."""
    import array_api_compat.torch as namespace
    import torch

    in_numpy = _in_numpy() if on_cpu else None
    return operations.InPlaceOps(
        namespace=namespace,
        verbs={
            "negative": torch.negative,
            "reciprocal": torch.reciprocal,
            "abs": torch.abs,
            "add": torch.add,
            "subtract": torch.sub,
            "multiply": torch.mul,
            "divide": torch.div,
            "bitwise_right_shift": torch.bitwise_right_shift,
            "bitwise_and": torch.bitwise_and,
            "bitwise_or": torch.bitwise_or,
            "choose": lambda c, a, out: torch.where(c, a, out, out=out),
        },
        empty_like=huge_pages.empty_like,
        turned=lambda f, dtype: f.movedim(-1, 0).contiguous().to(dtype).movedim(0, -1),
        scratch=None,
        memory=OF_TORCH,
        extremes=_extremes if on_cpu else None,
        bits=None if in_numpy is None else in_numpy.bits,
        moves=None,
        block_bytes=2**22 if on_cpu else None,
        scratch_bytes=2**20,
        cuts_small_arrays=False,
        short_loop=0,  # such a run takes longer than short loops do
        for_each=operations.one_by_one,
    )


def _extremes(f: Any) -> tuple[int, int]:
    """Return the least and the greatest of integers; the widest for unsigned ones.

    Those torch cannot compare.
    """
    import torch

    if f.dtype is not torch.int64:
        return 0, 2**64
    least, greatest = torch.aminmax(f)
    return int(least), int(greatest)
