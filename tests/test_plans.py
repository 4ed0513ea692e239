"""Plans: what is kept between calls, and what is not; pickles of their parts."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import pytest

import anygrad
from anygrad import _arguments, _stencils
from backends import Backend

SAMPLES = [0.0, 1.0, 4.0, 9.0]


class Unhashable(tuple[int, ...]):
    """A shape of symbols, as tracers have it."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]


class Symbolic:
    """Samples of which nothing is known but what a plan may read."""

    def __init__(self, f: Any) -> None:
        self.dtype, self.ndim, self.shape = f.dtype, f.ndim, Unhashable(f.shape)


def plan_of(f: Any, xp: Any) -> Any:
    arguments = {"spacing": 2.0, "dim": None, "axis": None, "edge_order": 1}
    return _arguments.plan(f, xp, **arguments)


def test_a_plan_is_used_again(library: Backend) -> None:
    f = library.asarray(SAMPLES)
    assert plan_of(f, library.xp) is plan_of(f, library.xp)


def test_a_plan_keeps_no_coordinates(library: Backend) -> None:
    """They are those of each call; what is wrong with them is found each time."""
    f, x = library.asarray(SAMPLES), library.asarray([0.0, 1.0, 2.0, 4.0])
    for _ in range(2):
        anygrad.gradient(f, spacing=[x])
        plan = _arguments.plan(
            f, library.xp, spacing=[x], dim=None, axis=None, edge_order=1
        )
        assert plan.tasks[0].coordinates is x or plan.tasks[0].memo is None
        with pytest.raises(TypeError, match="must be a number or an array"):
            anygrad.gradient(f, spacing=[None])
        with pytest.raises(ValueError, match="one coordinate per point"):
            anygrad.gradient(f, spacing=[x[1:]])
    kept = [task for plan in _arguments._plans.values() for task in plan.tasks]
    assert all(task.coordinates is None for task in kept)


def test_a_shape_of_symbols_is_planned_each_time(library: Backend) -> None:
    f = library.asarray(SAMPLES)
    tasks = plan_of(Symbolic(f), library.xp).tasks
    assert tasks[0].formulas == plan_of(f, library.xp).tasks[0].formulas
    assert tasks[0].memo is None


def test_plans_are_bounded(library: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_arguments, "MOST_PLANS", 2)
    monkeypatch.setattr(_arguments, "_plans", {})
    f = library.asarray(SAMPLES)
    for step in (0.5, 2.0, 4.0, 8.0):
        anygrad.gradient(f, spacing=step)
        assert len(_arguments._plans) <= 2


@pytest.mark.parametrize("step", [1e-300, -1e300, 1e-60j])
def test_steps_far_out_of_range(library: Backend, step: complex) -> None:
    """No working dtype of 32 bits can divide by them, in one go or in two."""
    f = library.asarray(SAMPLES, "float32")
    with pytest.raises(ValueError, match=r"^`spacing` must be in the range of the dty"):
        anygrad.gradient(f, spacing=step)


def test_a_scheme_comes_back_from_a_pickle_as_itself() -> None:
    """Compiled programs are kept by the identity of a scheme."""
    scheme = _stencils.scheme(1, 4, 2, "edge", "one_sided", False)
    assert pickle.loads(pickle.dumps(scheme)) is scheme
    other = _stencils.Scheme(scheme.stencils, scheme.interior, scheme.points)
    assert pickle.loads(pickle.dumps(other)).stencils == other.stencils


def test_nested_tensors_are_refused(torch: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls them a prototype
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    with pytest.raises(TypeError, match=r"Got layout nested\. Convert it first"):
        anygrad.gradient(nested)
