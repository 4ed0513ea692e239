"""Plans: what they are kept by, and what each call adds to them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from unittest import mock

import pytest

import anygrad
from anygrad import _kept_plans, _plans
from anygrad._records import Task
from anygrad._stepping import Steps
from backends import Backend
from given_values import FAMILIES, arrays
from planning import described, fresh_plan_of, plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")

SAMPLES = [0.0, 1.0, 4.0, 9.0]


def samples(library: Backend, function: str, keywords: dict[str, Any]) -> Any:
    """Return a field of two components where one is asked for."""
    f = library.asarray([[k * k - j * k for k in range(5)] for j in range(4)])
    if function not in ("jacobian", "divergence", "curl"):
        return f
    return library.xp.stack([f, f * f], axis=keywords.get("vector_dim", 0))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_plan_serves_other_values(library: Backend, name: str) -> None:
    """It is found again for all of them, and each call has its own numbers."""
    function, keywords, make = FAMILIES[name]
    values = make(arrays(library))
    f = samples(library, function, keywords)
    first, *others = [plan_of(function, f, **keywords, **value) for value in values * 2]
    kept = [task.kept for task in first.tasks]
    assert all(place is not None for place in kept)
    for plan, value in zip([first, *others], values * 2, strict=True):
        for task, place in zip(plan.tasks, kept, strict=True):
            assert task.kept is place
        fresh = fresh_plan_of(function, f, **keywords, **value)
        assert described(plan, library) == described(fresh, library)
        assert plan.is_bound


@pytest.mark.parametrize("name", FAMILIES)
def test_executors_keep_no_values(library: Backend, name: str) -> None:
    """What they have made for the first call gives right numbers in the others."""
    function, keywords, make = FAMILIES[name]
    values = make(arrays(library))
    f = samples(library, function, keywords)
    call = getattr(anygrad, function)
    for value in values * 3:
        found = call(f, **keywords, **value)
        with mock.patch.object(_plans, "BY_CLASS", {}):
            wanted = call(f, **keywords, **value)
        numbers, exact = [
            repr([library.tolist(array) for array in (r if type(r) is tuple else [r])])
            for r in (found, wanted)
        ]
        assert numbers == exact


def test_numbers_of_numpy_share_a_plan(numpy: Any) -> None:
    """By the kind of number: a step of one among them is no case of its own."""
    f = numpy.arange(11.0) ** 2
    steps = [
        *(numpy.float64(1), numpy.float64(2), numpy.float32(0.3), numpy.int8(3)),
        *(numpy.uint64(1), numpy.longdouble(7)),
    ]
    others = [Fraction(1), Fraction(1, 3)]  # of which each kind says what is equal
    for step in (steps + others) * 2:
        like = others[0] if isinstance(step, Fraction) else steps[0]
        first = plan_of("gradient", f, spacing=like)
        plan = plan_of("gradient", f, spacing=step)
        assert plan.tasks[0].kept is first.tasks[0].kept
        fresh = fresh_plan_of("gradient", f, spacing=float(step))
        assert plan.tasks[0].scales == fresh.tasks[0].scales
        (result,) = anygrad.gradient(f, spacing=step)
        assert result[1] == pytest.approx(2 / float(step), rel=1e-15)
    for order in (numpy.int64(1), 1):  # these are words, as it were: types count
        plan = plan_of("gradient", f, edge_order=order)
        again = plan_of("gradient", f, edge_order=order)
        assert plan.tasks[0].kept is again.tasks[0].kept


def test_usual_steps_need_no_more_than_their_scales(library: Backend) -> None:
    """Others take the way of a first call, which tells what is no step at all."""
    f = library.asarray([SAMPLES] * 3)
    quick = Steps.of(plan_of("gradient", f, spacing=[2.0, 0.5]))
    assert quick is not None
    for steps in ((0.3, -7.0), (1e-6, 1e6), (1.0, 1.0)):
        plan = quick.plan(steps, None)
        fresh = fresh_plan_of("gradient", f, spacing=list(steps))
        assert plan is not None
        assert [task.scales for task in plan.tasks] == [
            task.scales for task in fresh.tasks
        ]
    for steps in ((0.3, 0.0), (5e-324, 0.3), (0.3, float("inf")), (0.3, float("nan"))):
        assert quick.plan(steps, None) is None


def test_the_same_steps_again_are_not_even_bound(library: Backend) -> None:
    f = library.asarray([SAMPLES] * 3)
    for spacing in (1, 2.0, 3, [2.0, 0.5]):
        _, second, third = [plan_of("gradient", f, spacing=spacing) for _ in "123"]
        assert second is third


def test_masks_and_numbers_in_turn(library: Backend) -> None:
    """The numbers of the latest call stay with the plan, and its mask does not."""
    f = library.asarray([SAMPLES] * 3)
    x = library.asarray([0.0, 1, 3, 4])
    ghosts = {"boundary": [(1.0, "edge"), 2.0]}
    for spacing in ([0.5, 0.5], [0.5, 0.5], [2.0, 0.5], [1, x], [2, x]):
        for hole, ends in ((0.0, {}), (4.0, {}), (4.0, ghosts), (9.0, ghosts)):
            if ends and spacing[1] is x:
                continue
            keywords = {"spacing": spacing, "where": f != hole, **ends}
            plan = plan_of("gradient", f, **keywords)
            fresh = fresh_plan_of("gradient", f, **keywords)
            assert described(plan, library) == described(fresh, library)
    assert all(
        task.where is None for k in _kept_plans.by_key.values() for task in tasks(k)
    )


def tasks(known: _kept_plans.Known) -> tuple[Task, ...]:
    last = () if known.last is None else known.last[2].tasks
    return (*known.plan.tasks, *last)


def test_what_differs_has_a_plan_of_its_own(library: Backend) -> None:
    """Shapes, dtypes, words and whole numbers, and the forms of all else."""
    f, x = library.asarray(SAMPLES), library.asarray([0.0, 1, 2, 4])
    mask = x > 0.5
    calls: list[tuple[Any, dict[str, Any]]] = [
        (f, {}),
        (f[:3], {}),
        (library.asarray(SAMPLES, library.complex), {}),
        (library.asarray([SAMPLES, SAMPLES]), {"dim": 1}),
        (library.asarray([SAMPLES, SAMPLES]), {"dim": 0}),
        (f, {"edge_order": 2}),
        (f, {"accuracy": 4}),
        (f, {"boundary": "edge"}),
        (f, {"boundary": ("edge", "one_sided")}),
        (f, {"boundary": 2.0}),
        (f, {"boundary": ("edge", 2.0)}),
        (f, {"stack_dim": 0}),
        (f, {"where": mask}),
        (f, {"spacing": 2.0}),
        (f, {"spacing": 2j}),
        (f, {"spacing": [x]}),
        (f, {"spacing": [library.asarray([0, 1, 2, 4], "int32")]}),
        (f, {"spacing": library.asarray(2.0, shape=())}),
    ]
    for _ in range(2):
        kept = [
            plan_of("gradient", f, **keywords).tasks[0].kept for f, keywords in calls
        ]
        assert len(set(map(id, kept))) == len(calls)
    kept = [
        plan_of(function, f).tasks[0].kept
        for function in ("gradient", "derivative", "laplacian", "hessian")
    ]
    assert len(set(map(id, kept))) == 4


def test_a_plan_keeps_no_coordinates(library: Backend) -> None:
    """They are those of each call; what is wrong with them is found each time."""
    f, x = library.asarray(SAMPLES), library.asarray([0.0, 1.0, 2.0, 4.0])
    for _ in range(2):
        anygrad.gradient(f, spacing=[x])
        plan = plan_of("gradient", f, spacing=[x])
        assert plan.tasks[0].coordinates is x
        with pytest.raises(TypeError, match="must be a number or an array"):
            anygrad.gradient(f, spacing=[None])
        with pytest.raises(ValueError, match="one coordinate per point"):
            anygrad.gradient(f, spacing=[x[1:]])
    kept = [task for known in _kept_plans.by_key.values() for task in known.plan.tasks]
    assert all(task.coordinates is None and task.step is None for task in kept)


def test_a_refusal_is_kept_nowhere(library: Backend) -> None:
    """Nor is it served by a plan: numbers of the wrong kind are found each time."""
    f, x = library.asarray([*SAMPLES] * 2), library.asarray(list(range(8)))
    anygrad.gradient(f, spacing=2.0)
    anygrad.gradient(f, boundary=2.0)
    anygrad.gradient(f, spacing=[x], boundary=("periodic", 9.0))
    before = len(_kept_plans.by_key)
    for error, keywords in [
        (ValueError, {"spacing": 0.0}),
        (ValueError, {"spacing": float("nan")}),
        (ValueError, {"spacing": 10**400}),
        (TypeError, {"spacing": True}),
        (TypeError, {"spacing": "2"}),
        (TypeError, {"boundary": True}),
        (TypeError, {"boundary": 2j}),
        (ValueError, {"boundary": f}),
        (ValueError, {"spacing": [x], "boundary": ("periodic", -9.0)}),
        (ValueError, {"spacing": [x], "boundary": ("periodic", float("inf"))}),
        (TypeError, {"dim": 0.0}),
        (TypeError, {"dim": True}),
        (TypeError, {"edge_order": True}),
        (TypeError, {"edge_order": [1]}),
    ] * 2:
        with pytest.raises(error):
            anygrad.gradient(f, **keywords)
    assert len(_kept_plans.by_key) == before


class Unhashable(tuple[int, ...]):
    """A shape of symbols, as tracers have it."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]


class Symbolic:
    """An array of which nothing can be looked up by its shape."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape = Unhashable(array.shape)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._array, name)


def test_a_shape_of_symbols_is_planned_each_time(library: Backend) -> None:
    f = library.asarray(SAMPLES)
    cls = type(f)
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    symbolic = type(cls.__name__, (Symbolic,), names)(f)
    plan = plan_of("gradient", symbolic, spacing=2.0)
    assert plan.tasks[0].kept is None
    assert plan.is_bound
    wanted = plan_of("gradient", f, spacing=2.0).tasks[0]
    assert plan.tasks[0]._replace(kept=wanted.kept) == wanted
