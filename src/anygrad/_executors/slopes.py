"""Coordinates with few operations: three points inside, the nearest two at the edges.

On a small array an operation costs the time to call it, and with as many weights as
samples it costs a pass over them.  Here every difference and every reciprocal is taken
once along the whole axis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _boundaries
from .._schemes import Recipe

if TYPE_CHECKING:
    from .._executors.steps import Index, InPlaceOps
    from .._records import Task

#: The only formulas that are known here: `torch.gradient`'s, of the first order.
RECIPE = Recipe(1, 2, 1, _boundaries.ONE_SIDED, _boundaries.ONE_SIDED, uneven=False)

#: A small array: beyond it, weights that are made once for all lines pay,
MOST_SAMPLES = 2**17

#: if there are more lines than these.
FEW_LINES = 16

#: So many arrays of the size of the result are written.
ARRAYS = 5


class Cuts(NamedTuple):
    """Points along one axis of any array.

    Attributes
    ----------
    first, last, inner : Index
        The point at either end, and all others.
    upper, lower : Index
        All points but the first, and all but the last.
    right, left : Index
        All points but the first two, and all but the last two.
    """

    first: Index
    last: Index
    inner: Index
    upper: Index
    lower: Index
    right: Index
    left: Index


def cuts(f: Any, task: Task) -> Cuts | None:
    """Return the cuts along the axis; None for what this module does not know."""
    precision, x = task.precision, task.coordinates
    if task.scheme.recipe != RECIPE or x is None:
        return None
    if x.dtype != precision.coordinates or precision.is_complex_by_grid:
        return None
    if not f.dtype == precision.samples == precision.result:
        return None
    before = (slice(None),) * task.axis
    limits = ((0, 1), (-1, None), (1, -1), (1, None), (0, -1), (2, None), (0, -2))
    return Cuts(*[(*before, slice(*limit)) for limit in limits])


def pays(f: Any, task: Task) -> bool:
    """Tell whether this is the fastest way for the samples."""
    x = task.coordinates
    if x is None or cuts(f, task) is None:
        return False
    count: int = math.prod(f.shape)
    return count <= MOST_SAMPLES or math.prod(x.shape) * FEW_LINES > count


def write(
    f: Any, x: Any, out: Any, along: Cuts, ops: InPlaceOps, *, edges: bool = True
) -> None:
    """Write the derivative of `f` with coordinates `x` into `out`.

    The weights are those of `anygrad._uneven.slope_weights`, to the last bit.
    """
    first, last, inner, upper, lower, right, left = along
    subtract, multiply, divide = ops.subtract, ops.multiply, ops.divide
    h = subtract(x[upper], x[lower])
    reciprocal = 1.0 / h
    whole = subtract(x[right], x[left])
    w_left = divide(h[upper], whole)
    multiply(w_left, reciprocal[lower], out=w_left)
    w_right = divide(h[lower], whole, out=whole)
    multiply(w_right, reciprocal[upper], out=w_right)
    d = subtract(f[upper], f[lower])
    if edges:
        multiply(d[first], reciprocal[first], out=out[first])
        multiply(d[last], reciprocal[last], out=out[last])
    middle = multiply(d[lower], w_left, out=out[inner])
    ops.add(middle, multiply(d[upper], w_right, out=d[upper]), out=middle)
