"""How arrays lie in memory, and calls with their axes in that order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .._records import transposed

if TYPE_CHECKING:
    from .._records import Task


class Memory(NamedTuple):
    """How a library tells how its arrays lie in memory."""

    #: Whether the elements of an array lie one after the other, the last axis fastest.
    is_contiguous: Callable[[Any], bool]
    #: How far apart the neighbours along each axis are.
    strides: Callable[[Any], Sequence[int]]
    #: ``transpose(array, axes)``: a view.
    transpose: Callable[[Any, Sequence[int]], Any]


#: As NumPy says it, and CuPy.
OF_NUMPY = Memory(
    is_contiguous=lambda array: array.flags.c_contiguous,
    strides=lambda array: array.strides,
    transpose=lambda array, axes: array.transpose(axes),
)

OF_TORCH = Memory(
    is_contiguous=lambda tensor: tensor.is_contiguous(),
    strides=lambda tensor: tensor.stride(),
    transpose=lambda tensor, axes: tensor.permute(axes),
)


def order_of_memory(array: Any, memory: Memory) -> tuple[int, ...]:
    """Return the axes of an array, the last one the fastest in its memory."""
    axes = range(array.ndim)
    if memory.is_contiguous(array):
        return tuple(axes)
    strides = memory.strides(array)
    return tuple(sorted(axes, key=lambda k: -strides[k]))


class Layout(NamedTuple):
    """How samples and a result lie in memory."""

    #: The axes, the last one the fastest in the memory of the result.
    order: tuple[int, ...]
    #: Whether, in that order, samples lie one after the other, and results.
    has_samples_in_order: bool
    has_results_in_order: bool


def layout_of(f: Any, out: Any, memory: Memory) -> Layout:
    """Return how samples lie and a result of their number of dimensions."""
    order = order_of_memory(out, memory)
    turned = memory.transpose(f, order), memory.transpose(out, order)
    return Layout(order, *map(memory.is_contiguous, turned))


@lru_cache(256)
def layout_as(shape: tuple[int, ...], strides: tuple[int, ...], unit: int) -> Layout:
    """Return how samples lie, and a result that is laid out as they are.

    Neighbours that are a `unit` of the strides apart have no gap between them.
    """
    order = sorted(range(len(shape)), key=lambda k: -abs(strides[k]))
    has_gaps, expected = False, unit
    for axis in reversed(order):
        has_gaps = has_gaps or (shape[axis] != 1 and strides[axis] != expected)
        expected *= shape[axis]
    return Layout(tuple(order), not has_gaps, True)


def in_order_of_memory(
    f: Any, tasks: Sequence[Task], outs: Sequence[Any], memory: Memory
) -> tuple[Any, Sequence[Task], Sequence[Any]]:
    """Return a call with its axes in the order in which its results lie in memory."""
    transpose, order = memory.transpose, order_of_memory(outs[0], memory)
    if order == tuple(range(outs[0].ndim)):
        return f, tasks, outs
    each = {id(task): transposed(task, order, transpose) for task in tasks}
    turned = [each[id(task)] for task in tasks]
    of_samples: Sequence[int] = order
    if tasks[0].component is not None:
        of_samples = components_first(order, tasks[0].component[0])
        turned = [
            turn._replace(component=(0, task.component[1]))
            for task, turn in zip(tasks, turned, strict=True)
            if task.component is not None
        ]
    return (
        transpose(f, of_samples),
        turned,
        [transpose(out, order) for out in outs],
    )


def components_first(order: Sequence[int], axis: int) -> list[int]:
    """Return the order of a field's axes, from that of a component's."""
    return [axis, *[k + (k >= axis) for k in order]]
