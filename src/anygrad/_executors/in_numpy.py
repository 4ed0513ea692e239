"""Blocks for NumPy, on as many threads as `set_workers` says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from anygrad import _workers
from anygrad._executors import blocked

if TYPE_CHECKING:
    from anygrad._plan import Plan
    from anygrad._typing import Namespace

_verbs: list[blocked.Verbs] = []


def run(f: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run the plan on an exact `numpy.ndarray`.

    Infinities and NaN among the samples are no reason to warn: they are in the result.
    """
    import numpy

    if not _verbs:
        _verbs.append(_make_verbs())
    with numpy.errstate(all="ignore"):
        return blocked.run(f, plan, xp, _verbs[0])


def _for_each(write: Callable[[Any], None], blocks: Iterable[Any]) -> None:
    """Do the blocks on as many threads as the caller has set."""
    workers = _workers.get_workers()
    if workers == 1:
        blocked.one_by_one(write, blocks)
        return
    import numpy

    def quietly(block: Any) -> None:
        with numpy.errstate(all="ignore"):
            write(block)

    _workers.share(quietly, blocks, workers)


def _make_verbs() -> blocked.Verbs:
    import numpy

    return blocked.Verbs(
        empty_like=numpy.empty_like,
        subtract=numpy.subtract,
        multiply=numpy.multiply,
        divide=numpy.divide,
        add=numpy.add,
        strides=lambda a: a.strides,
        transpose=lambda a, axes: a.transpose(axes),
        is_contiguous=lambda a: a.flags.c_contiguous,
        block_bytes=2**20,
        for_each=_for_each,
        carry_out=blocked.carry_out,
    )
