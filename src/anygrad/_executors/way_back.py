"""The way back through derivatives of JAX, gathered.

JAX would transpose each operation: a slice becomes a pad, and a choice two.  XLA makes
no fast loop of these.  A derivative is linear in the samples, so that the way back is
a weighted sum as it is itself, and is written as one.

The only function of JAX that takes the transposed one along, and is differentiated both
ways and mapped all the same, is a linear solve.  That of the identity asks for nothing.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .. import _agnostic, _transposed
from . import joined_in_jax

if TYPE_CHECKING:
    from .._lowering import Lowering
    from .._records import Plan, Task
    from .._typing import Namespace


#: From so many samples on: with fewer, it is no faster, and takes twice as long to
#: compile.
MANY = 2**16


def run(f: Any, plan: Plan, xp: Namespace, lowering: Lowering) -> tuple[Any, ...]:
    """Run a plan on samples that may be differentiated."""
    is_known = all(isinstance(length, int) for length in f.shape)
    if not is_known or math.prod(f.shape) < MANY:
        return _agnostic.run(f, plan, xp, lowering)
    return _agnostic.compose(plan, partial(_derivative, f, xp, lowering), xp)


def _derivative(f: Any, xp: Namespace, lowering: Lowering, task: Task) -> Any:
    """Return one derivative, in the working dtype."""
    if not _serves(task):
        return _agnostic.derivative(f, task, xp, lowering)
    import jax

    f = _agnostic.component(f, task)
    if task.inner is not None:
        f = _derivative(f, xp, lowering, task.inner)
    f = _agnostic.prepare(f, task.precision.samples, False, xp)
    alone = task._replace(component=None, inner=None)
    back, gathering = _transposed.of(alone), lowering._replace(join=_put_into)

    def solve(f: Any, way_there: Lowering) -> Any:
        return jax.lax.custom_linear_solve(
            lambda samples: samples,
            f,
            lambda _, samples: _agnostic.derivative(samples, alone, xp, way_there),
            lambda _, slopes: _agnostic.derivative(slopes, back, xp, gathering),
        )

    # What is read on the way back is written first: in one loop with what reads it, its
    # choices would be made for each sample that a formula reads.
    function: Any = jax.custom_jvp(partial(solve, way_there=lowering))
    function.defjvp(
        lambda f, df: (solve(f[0], joined_in_jax.CONCATENATING), solve(df[0], lowering))
    )
    return function(f)


def _serves(task: Task | None) -> bool:
    """Tell whether a derivative is linear in the samples, and all else are numbers."""
    while task is not None:
        if not task.scales or task.constants or task.where is not None:
            return False
        if task.precision.wide_samples:
            return False
        task = task.inner
    return True


def _put_into(pieces: list[Any], task: Task, _: Namespace) -> Any:
    """Put the pieces together, first to last: those of the ends into the longest one.

    On the way back, an end has a piece for each row that its formulas read: each choice
    would be one more for all points.
    """
    from jax import lax

    lengths = [piece.shape[task.axis] for piece in pieces]
    stops = list(accumulate(lengths))
    longest = lengths.index(max(lengths))
    starts = [stop - length for stop, length in zip(stops, lengths, strict=True)]
    before, after = starts[longest], stops[-1] - stops[longest]
    whole = joined_in_jax.padded(pieces[longest], task.axis, before, after)
    for number, (piece, start) in enumerate(zip(pieces, starts, strict=True)):
        if number != longest:
            whole = lax.dynamic_update_slice_in_dim(whole, piece, start, task.axis)
    return whole
