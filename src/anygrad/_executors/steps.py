"""Steps: weighted sums of differences of views, written in place.

A step says which views of the samples to combine and where the sum goes; a library's
ops carry it out without any array but the result, and one for a term where there
are several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from .._scales import UNSCALED, Scale

#: An index of an array: slices, one per axis or for the first axes.
Index: TypeAlias = tuple[Any, ...]


class InPlaceOps(NamedTuple):
    """The operations of a library that write in place.

    Attributes
    ----------
    empty_like : callable
        ``empty_like(f, dtype=dtype, shape=None)``: not filled, in the memory order of
        `f`, or of a shape of its own.
    subtract, multiply, divide, add : callable
        ``op(a, b, out=out)``.
    strides : callable
        How far apart in memory the neighbours along each axis are.
    transpose : callable
        ``transpose(a, axes)``: a view.
    is_contiguous : callable
        Whether the elements lie in memory one after the other, the last axis fastest.
    extremes : callable or None
        ``extremes(f)``: the least and the greatest of integers, as Python's; None where
        looking at values would wait for a device.
    take : callable or None
        ``take(f, positions)``: samples by their places in memory, in the shape of
        `positions`; None where small arrays are no case of their own.
    block_bytes : int or None
        How large a block of the result should be; None for no blocks.
    scratch_bytes : int
        How much a block may hold of scratch arrays, which are not the result.
    for_each : callable
        ``for_each(function, blocks)``: one after the other, or on several threads.
    carry_out : callable
        ``carry_out(step, numbers, f, out, ops)``: `carry_out` of this module, or one
        that does the same in fewer operations.
    """

    empty_like: Callable[..., Any]
    subtract: Callable[..., Any]
    multiply: Callable[..., Any]
    divide: Callable[..., Any]
    add: Callable[..., Any]
    strides: Callable[[Any], Sequence[int]]
    transpose: Callable[[Any, Sequence[int]], Any]
    is_contiguous: Callable[[Any], bool]
    extremes: Callable[[Any], tuple[int, int]] | None
    take: Callable[[Any, Any], Any] | None
    block_bytes: int | None
    scratch_bytes: int
    for_each: Callable[[Callable[[Any], None], Iterable[Any]], None]
    carry_out: Callable[[Step, Numbers, Any, Any, InPlaceOps], None]


class Neighbours(NamedTuple):
    """The differences that a sum of shifted ones shares: each is computed once.

    Attributes
    ----------
    upper, lower : Index
        The samples whose differences the terms have together.
    parts : tuple of Index
        For each term, its own differences among them.
    """

    upper: Index
    lower: Index
    parts: tuple[Index, ...]


class Numbers(NamedTuple):
    """What a call adds to steps that are kept.

    Attributes
    ----------
    scales : sequence of Scale
        One per formula of the scheme, for steps without a scale.
    constants : tuple of (number, number) or None
        The values beyond the left and the right end.
    """

    scales: Sequence[Scale]
    constants: tuple[Any, Any] | None


class Step(NamedTuple):
    """One formula on a block: which views to combine, and where the sum goes.

    Attributes
    ----------
    target : Index
        The points of the result.
    terms : tuple of (Index, Index or int, weight)
        The samples for the upper and the lower offset of a difference, or which of the
        constants stands instead of the lower ones, and its weight.
    scale : Scale or None
        What the sum is scaled with; None for what the step of a call says,
    number : int
        at the place of the formula among those of the scheme.
    neighbours : Neighbours or None
        For two or more terms that are differences of neighbours, one after the other.
    flat : bool
        Whether the indices are of samples and result as one run through memory.
    sign : int
        As that of a task: whether the sum is added to the target, or subtracted.
    """

    target: Index
    terms: tuple[tuple[Index, Any, Any], ...]
    scale: Scale | None
    number: int
    neighbours: Neighbours | None
    flat: bool
    sign: int


def one_by_one(function: Callable[[Any], None], blocks: Iterable[Any]) -> None:
    """Do the blocks one after the other."""
    for block in blocks:
        function(block)


def carry_out(step: Step, numbers: Numbers, f: Any, out: Any, ops: InPlaceOps) -> None:
    """Write the weighted sum of differences, scaled, into the target; or add it."""
    if step.sign:
        _add_sum(step, numbers, f, out[step.target], ops)
        return
    terms, scale = step.terms, step.scale
    out = out[step.target]
    if len(terms) == 1:  # no call for the most frequent step, which may be a short one
        ((upper, lower, weight),) = terms
        # No call for samples, which are the usual ones.
        lower = f[lower] if type(lower) is tuple else below(lower, f, numbers)
        ops.subtract(f[upper], lower, out=out)
        if weight is not None:
            ops.multiply(out, weight, out=out)
    elif step.neighbours is None:
        _write_sum(step, numbers, f, None, out, ops)
    else:
        _write_sum_of_neighbours(step, f, out, ops)
    write_scaled(out, numbers.scales[step.number] if scale is None else scale, ops)


def below(lower: Any, f: Any, numbers: Numbers) -> Any:
    """Return the samples that are subtracted, or the constant in their place."""
    if isinstance(lower, tuple):
        return f[lower]
    return numbers.constants and numbers.constants[lower]


def _add_sum(step: Step, numbers: Numbers, f: Any, out: Any, ops: InPlaceOps) -> None:
    """Add what `carry_out` writes, or subtract it."""
    if step.scale == UNSCALED and len(step.terms) == 1:  # else, it is a sum of its own
        _write_sum(step, numbers, f, out, out, ops)
        return
    total = ops.empty_like(out, dtype=out.dtype)
    carry_out(step._replace(target=(), sign=0), numbers, f, total, ops)
    add_or_subtract(step.sign, ops)(out, total, out=out)


def write_scaled(out: Any, scale: Scale, ops: InPlaceOps) -> None:
    """Scale an array where it is."""
    for factor in scale.factors:
        ops.multiply(out, factor, out=out)
    for divisor in scale.divisors:
        ops.divide(out, divisor, out=out)


def _write_sum(
    step: Step, numbers: Numbers, f: Any, total: Any, out: Any, ops: InPlaceOps
) -> None:
    """Write the total and the weighted differences; the first may be in its place."""
    part = out if total is None else None
    for upper, lower, weight in step.terms:
        part = ops.subtract(f[upper], below(lower, f, numbers), out=part)
        total = _added(total, part, weight, step.sign, out, part, ops)
        part = None if part is out else part


def _write_sum_of_neighbours(step: Step, f: Any, out: Any, ops: InPlaceOps) -> None:
    """Write a sum of which the terms share their differences: each is computed once.

    The product of the last term overwrites its differences, which no other term reads.
    """
    upper, lower, parts = step.neighbours or ((), (), ())
    differences, total = ops.subtract(f[upper], f[lower]), None
    for index, (*_, weight) in zip(parts, step.terms, strict=True):
        part = differences[index]
        scratch = part if index is parts[-1] else None
        total = _added(total, part, weight, step.sign, out, scratch, ops)


def _added(
    total: Any,
    part: Any,
    weight: Any,
    sign: int,
    out: Any,
    scratch: Any,
    ops: InPlaceOps,
) -> Any:
    """Return a total with a weighted part, in `out`; `scratch` may hold a product."""
    if total is None:
        return part if weight is None else ops.multiply(part, weight, out=out)
    is_negative = is_minus_one(weight)
    if not (weight is None or is_negative):
        part = ops.multiply(part, weight, out=scratch)
    is_subtracted = is_negative != (sign < 0)
    return add_or_subtract(-1 if is_subtracted else 1, ops)(total, part, out=out)


def add_or_subtract(sign: int, ops: InPlaceOps) -> Callable[..., Any]:
    """Return the operation for a sign."""
    return ops.add if sign > 0 else ops.subtract


def is_minus_one(weight: Any) -> bool:
    """Tell whether a weight is the number -1, not an array."""
    return isinstance(weight, float) and weight == -1.0
