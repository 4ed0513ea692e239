"""The numbers of a call that is made again: steps, and what lies beyond the ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..._precision import is_complex, working
from ..._scales import Scale
from .scores import constants_of, scales_of

if TYPE_CHECKING:
    from ..._records import Task
    from .operations import InPlaceOps

#: An operation, and what it is done to, with the place of what it makes.
Step: TypeAlias = "list[Any]"


class Scaling(NamedTuple):
    """What sums are scaled with."""

    #: An array without dims; one for sums that are complete, and None for such of
    #: complex numbers: one times an infinity may be NaN.
    number: Any
    #: Which multiply with it, or divide by it.
    steps: list[Step]

    def scale(self) -> Scale:
        """Return what is recorded of it."""
        return Scale(() if self.number is None else (self.number,), ())


class Numbers:
    """The numbers of a task, each in an array without dims."""

    def __init__(self, task: Task, like: Any, ops: InPlaceOps) -> None:
        def empty(dtype: Any) -> Any:
            return ops.empty_like(like, dtype=dtype, shape=())

        dtype = working(task.precision)
        self.is_complex = is_complex(dtype, ops.namespace)
        #: One per denominator, of all schemes; none on coordinates.
        self.scalings: list[Scaling] = []
        for scale in scales_of(task) if task.coordinates is None else ():
            is_one = self.is_complex and not any(scale)
            self.scalings.append(Scaling(None if is_one else empty(dtype), []))
        #: What lies beyond the ends, in arrays.
        self.constants = [empty(task.precision.samples) for _ in constants_of(task)]
        #: The scales of which call these are: the same step often comes again.
        self.latest: Any = None
        self._multiply, self._divide = ops.verbs["multiply"], ops.verbs["divide"]

    @property
    def places(self) -> list[Any]:
        """All of these arrays; None for a scaling that has none."""
        return [*[one.number for one in self.scalings], *self.constants]

    def take(self, task: Task) -> bool:
        """Put the numbers of a call there; tell whether there are as many."""
        if self.scalings and task.scales is not self.latest:
            self.latest = None
            pairs = zip(self.scalings, scales_of(task), strict=True)
            for scaling, (factors, divisors) in pairs:
                count = len(factors) + len(divisors)
                if count > 1:
                    return False
                if self.is_complex and bool(count) == (scaling.number is None):
                    return False
                if scaling.number is None:
                    continue
                scaling.number[()] = (*factors, *divisors, 1.0)[0]
                for step in scaling.steps:
                    step[0] = self._divide if divisors else self._multiply
            self.latest = task.scales
        if self.constants:
            for place, number in zip(self.constants, constants_of(task), strict=True):
                place[()] = number
        return True
