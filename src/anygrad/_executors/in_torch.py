"""Blocks for torch, where nothing watches the operations.

Autograd, forward-mode differentiation, `torch.func`, `torch.compile` and modes must
see plain operations on whole tensors; writing into a result made beforehand would be
an error there, or silently wrong.  They get the agnostic run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from anygrad import _agnostic
from anygrad._plan import all_tasks

if TYPE_CHECKING:
    from anygrad._plan import Plan
    from anygrad._typing import Namespace

#: The blocked executor in torch's words, made when the first tensor comes: for tensors
#: on the CPU, and for those on other devices.
_blocked: dict[bool, Callable[..., tuple[Any, ...]]] = {}


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `torch.Tensor`."""
    if is_watched(f, *_arrays(plan)):
        return _agnostic.run(f, plan, xp)
    on_cpu = f.device.type == "cpu"
    if on_cpu not in _blocked:
        _blocked[on_cpu] = _make_blocked(on_cpu)
    return _blocked[on_cpu](f, plan, xp)


def is_readable(tensor: Any) -> bool:
    """Tell whether the values of a tensor can be read without waiting for a device."""
    return tensor.device.type == "cpu" and not is_watched(tensor)


def is_watched(*tensors: Any) -> bool:
    """Tell whether something besides the values is asked of operations on these."""
    import torch

    if torch.compiler.is_compiling() or tensors[0].is_meta:
        return True
    if torch._C._get_tracing_state() is not None:
        return True
    if torch._C._len_torch_dispatch_stack() or torch._C._len_torch_function_stack():
        return True
    in_transform = torch._C._functorch.maybe_current_level() is not None
    if in_transform or torch.autograd.forward_ad._current_level >= 0:
        return True
    if any(type(tensor) is not torch.Tensor for tensor in tensors):
        return True
    tracked = any(tensor.requires_grad for tensor in tensors)
    return bool(tracked and torch.is_grad_enabled())


def _arrays(plan: Plan) -> Iterator[Any]:
    """Return the tensors besides the samples."""
    for task in all_tasks(plan):
        if task.step is not None:
            yield task.step
        if task.coordinates is not None:
            yield task.coordinates


def _make_blocked(on_cpu: bool) -> Callable[..., tuple[Any, ...]]:
    import torch

    from anygrad._executors import blocked

    verbs = blocked.Verbs(
        empty_like=lambda f, dtype, shape=None: (
            torch.empty_like(f, dtype=dtype)
            if shape is None
            else f.new_empty(shape, dtype=dtype)
        ),
        subtract=torch.sub,
        multiply=torch.mul,
        divide=torch.div,
        add=torch.add,
        strides=lambda a: a.stride(),
        transpose=lambda a, axes: a.permute(axes),
        is_contiguous=lambda a: a.is_contiguous(),
        block_bytes=2**20 if on_cpu else None,
        for_each=blocked.one_by_one,
        carry_out=blocked.carry_out,
    )
    return partial(blocked.run, verbs=verbs)
