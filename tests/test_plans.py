"""Plans: what they are kept by, what each call adds to them, and how much is kept."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any, NamedTuple
from unittest import mock

import pytest

import anygrad
from anygrad import _plans
from anygrad._records import Plan, Task
from backends import Backend
from planning import plan_of

SAMPLES = [0.0, 1.0, 4.0, 9.0]


def fresh_plan_of(function: str, f: Any, **keywords: Any) -> Plan:
    """Return the plan of a call as if its class had never been heard of."""
    with mock.patch.object(_plans, "BY_CLASS", {}):
        plan = plan_of(function, f, **keywords)
    assert all(task.kept is None for task in plan.tasks)
    return plan


def described(plan: Plan, backend: Backend) -> Any:
    """Return all of a plan, arrays as numbers, but for what is kept between calls."""

    def values(array: Any) -> Any:
        return None if array is None else (array.shape, backend.tolist(array))

    def of_task(task: Task | None) -> Any:
        if task is None:
            return None
        return repr(
            task._replace(
                kept=None,
                step=values(task.step),
                coordinates=values(task.coordinates),
                where=values(task.where),
                inner=of_task(task.inner),
            )
        )

    return plan._replace(tasks=tuple([of_task(task) for task in plan.tasks]))


class Family(NamedTuple):
    """Calls of one function that differ in nothing but numbers and arrays."""

    function: str
    keywords: dict[str, Any]
    values: list[dict[str, Any]]


def families(library: Backend) -> dict[str, Family]:
    """Return all ways to give a number or an array that a plan must not depend on."""
    x, y = library.asarray([0, 1, 3, 4, 8]), library.asarray([9, 7, 6, 2, 1])
    a, b = library.asarray(0.5, shape=()), library.asarray(-3.0, shape=())
    each = library.asarray([[k * k + j for k in range(5)] for j in range(4)])
    mask = library.asarray([[1, 1, 0, 1, 1]] * 4) > 0
    other, line = mask | (each > 20), mask[0, ...]
    steps = [{"spacing": step} for step in (2.0, 0.3, -7, 2.0)]
    circles = [
        {"spacing": [1.0, entry], "boundary": ["edge", ("periodic", period)]}
        for entry, period in ((x, 9), (y, 9.5), (x, 20))
    ]

    def ends(*values: Any) -> list[dict[str, Any]]:
        return [{"boundary": value} for value in values]

    def spaced(*values: Any) -> list[dict[str, Any]]:
        return [{"spacing": value} for value in values]

    return {
        "a step": Family("gradient", {}, steps),
        "no step": Family("gradient", {}, spaced(1, 1.0)),
        "a step per dim": Family("gradient", {}, spaced([2, 0.3], (-7, 5.0), [3, 3])),
        "a step and none": Family("gradient", {}, spaced([2.0, 1], [0.3, 1.0])),
        "a complex step": Family("gradient", {"dim": 1}, spaced(2j, 1 + 1j, 2j)),
        "a fraction": Family("gradient", {}, spaced(Fraction(1), Fraction(2, 3))),
        "a step in an array": Family("gradient", {"dim": 1}, spaced(a, b)),
        "steps in arrays": Family("gradient", {}, spaced([a, 2.0], [b, 0.5])),
        "coordinates": Family("gradient", {"dim": 1}, spaced([x], [y])),
        "a coordinate per point": Family("gradient", {}, spaced([2.0, each], [3.0, x])),
        "a step before coordinates": Family(
            "gradient", {}, spaced([0.3, x], [0.5, y], [2, x])
        ),
        "a mask": Family("gradient", {}, [{"where": mask}, {"where": other}]),
        "a mask of a line": Family(
            "gradient", {"edge_order": 2}, [{"where": line}, {"where": ~line}]
        ),
        "a mask and steps": Family(
            "gradient",
            {"dim": [1]},
            [{"where": m, "spacing": h} for m, h in ((mask, 2.0), (other, 0.3))],
        ),
        "a mask and coordinates": Family(
            "gradient",
            {"dim": 1},
            [{"where": m, "spacing": [h]} for m, h in ((mask, x), (other, y))],
        ),
        "a value beyond the ends": Family("gradient", {}, ends(0.5, -2, 0.0, -0.0)),
        "a value at one end": Family(
            "gradient", {}, ends(("edge", 0.5), ("edge", 3), ("edge", -0.0))
        ),
        "a value at each end": Family("gradient", {}, ends((1, 2.0), (0.5, 0.5))),
        "a value for one dim": Family(
            "gradient", {}, ends([1.0, "edge"], [Fraction(1, 2), "edge"])
        ),
        "a value and a step": Family(
            "gradient",
            {},
            [{"boundary": 1.0, "spacing": 2.0}, {"boundary": 3, "spacing": 0.3}],
        ),
        "a period": Family("gradient", {}, circles),
        "dims as they are counted": Family("gradient", {"dim": [-1, 0]}, steps),
        "axis": Family("gradient", {"axis": 0}, steps),
        "all in one array": Family("gradient", {"stack_dim": -1}, steps),
        "one dim": Family("derivative", {"dim": 0}, steps),
        "one dim on coordinates": Family("derivative", {}, spaced(x, y)),
        "a high order": Family("derivative", {"order": 3, "accuracy": 2}, steps),
        "a high accuracy": Family(
            "derivative", {"accuracy": 4, "edge_order": 1}, steps
        ),
        "a sum": Family("laplacian", {}, steps),
        "a sum on coordinates": Family(
            "laplacian", {}, spaced([0.5, each], [2.0, each + each])
        ),
        "mixed derivatives": Family("hessian", {}, steps),
        "mixed derivatives on coordinates": Family(
            "hessian", {}, spaced([0.5, x], [3.0, y])
        ),
        "mixed derivatives with values beyond": Family(
            "hessian", {}, ends(0.5, [2.0, 1.0])[:1] + ends(3.0, 0.25)
        ),
        "a field": Family("jacobian", {"vector_dim": 0}, steps),
        "a field with values beyond": Family("jacobian", {}, ends((1, 2), (0, 0.5))),
        "a divergence": Family("divergence", {"vector_dim": -1}, steps),
        "a curl": Family("curl", {}, steps),
        "a curl on coordinates": Family("curl", {}, spaced([0.5, x], [3.0, y])),
    }


def samples(library: Backend, function: str, keywords: dict[str, Any]) -> Any:
    """Return a field of two components where one is asked for."""
    f = library.asarray([[k * k - j * k for k in range(5)] for j in range(4)])
    if function not in ("jacobian", "divergence", "curl"):
        return f
    return library.xp.stack([f, f * f], axis=keywords.get("vector_dim", 0))


NAMES = (
    "a step",
    "no step",
    "a step per dim",
    "a step and none",
    "a complex step",
    "a fraction",
    "a step in an array",
    "steps in arrays",
    "coordinates",
    "a step before coordinates",
    "a mask",
    "a mask of a line",
    "a mask and steps",
    "a mask and coordinates",
    "a value beyond the ends",
    "a value at one end",
    "a value at each end",
    "a value for one dim",
    "a value and a step",
    "a period",
    "dims as they are counted",
    "axis",
    "all in one array",
    "one dim",
    "one dim on coordinates",
    "a high order",
    "a high accuracy",
    "a sum",
    "a sum on coordinates",
    "mixed derivatives",
    "mixed derivatives on coordinates",
    "mixed derivatives with values beyond",
    "a field",
    "a field with values beyond",
    "a divergence",
    "a curl",
    "a curl on coordinates",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_serves_other_values(library: Backend, name: str) -> None:
    """It is found again for all of them, and each call has its own numbers."""
    function, keywords, values = families(library)[name]
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


@pytest.mark.parametrize("name", NAMES)
def test_executors_keep_no_values(library: Backend, name: str) -> None:
    """What they have made for the first call gives right numbers in the others."""
    function, keywords, values = families(library)[name]
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
        *(numpy.uint64(1), numpy.longdouble(7), Fraction(1), Fraction(1, 3)),
    ]
    first = plan_of("gradient", f, spacing=steps[0])
    for step in steps * 2:
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


def test_the_same_steps_again_are_not_even_bound(library: Backend) -> None:
    f = library.asarray([SAMPLES] * 3)
    for spacing in (1, 2.0, 3, [2.0, 0.5], 3j):
        _, second, third = [plan_of("gradient", f, spacing=spacing) for _ in "123"]
        assert second is third


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


# What is kept.


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
    kept = [task for known in _plans._known.values() for task in known.plan.tasks]
    assert all(task.coordinates is None and task.step is None for task in kept)


def test_a_refusal_is_kept_nowhere(library: Backend) -> None:
    """Nor is it served by a plan: numbers of the wrong kind are found each time."""
    f, x = library.asarray([*SAMPLES] * 2), library.asarray(list(range(8)))
    anygrad.gradient(f, spacing=2.0)
    anygrad.gradient(f, boundary=2.0)
    anygrad.gradient(f, spacing=[x], boundary=("periodic", 9.0))
    before = len(_plans._known)
    for error, keywords in [
        (ValueError, {"spacing": 0.0}),
        (ValueError, {"spacing": float("nan")}),
        (ValueError, {"spacing": 10**400}),
        (TypeError, {"spacing": True}),
        (TypeError, {"spacing": "2"}),
        (TypeError, {"boundary": True}),
        (TypeError, {"boundary": 2j}),
        (TypeError, {"boundary": f}),
        (ValueError, {"spacing": [x], "boundary": ("periodic", -9.0)}),
        (ValueError, {"spacing": [x], "boundary": ("periodic", float("inf"))}),
        (TypeError, {"dim": 0.0}),
        (TypeError, {"dim": True}),
        (TypeError, {"edge_order": True}),
        (TypeError, {"edge_order": [1]}),
    ] * 2:
        with pytest.raises(error):
            anygrad.gradient(f, **keywords)
    assert len(_plans._known) == before


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


@pytest.mark.parametrize("step", [1e-300, -1e300, 1e-60j])
def test_steps_far_out_of_range(library: Backend, step: complex) -> None:
    """No working dtype of 32 bits can divide by them, in one go or in two."""
    f = library.asarray(SAMPLES, "float32")
    anygrad.gradient(f, spacing=2j if isinstance(step, complex) else 2.0)
    for spacing, name in ((step, "spacing"), ([step], r"spacing\[0\]")):
        match = rf"^`{name}` must be in the range of the dty.*Got {step!r}\."
        with pytest.raises(ValueError, match=match.replace("+", r"\+")):
            anygrad.gradient(f, spacing=spacing)


def test_nested_tensors_are_refused(torch: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls them a prototype
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    with pytest.raises(TypeError, match=r"Got layout nested\. Convert it first"):
        anygrad.gradient(nested)


# The bound.


def test_plans_are_bounded(library: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes; the oldest go first, with what executors keep for them."""
    monkeypatch.setattr(_plans, "MOST_BYTES", 2**14)
    f = library.asarray([1.0] * 90)
    first = plan_of("gradient", f[:20]).tasks[0].kept
    assert first is not None
    for n in range(21, 90):
        anygrad.gradient(f[:n])
        held = [known.account.held for known in _plans._known.values()]
        assert sum(held) == _plans._held.held <= 2**14 + held[-1]
    again = plan_of("gradient", f[:20]).tasks[0].kept
    assert again is not first
    before = _plans._held.held
    first.keep((1, 2, 3))  # a thread may be at work on what has been forgotten
    assert _plans._held.held == before
    again.keep((1, 2, 3))
    assert _plans._held.held > before
    again.keep(None)
    assert _plans._held.held == before


def test_a_plan_above_the_bound_serves_its_call(
    library: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept alone, so that the next call need not make it again."""
    monkeypatch.setattr(_plans, "MOST_BYTES", 1)
    for n in (13, 14):
        f = library.asarray([float(k) for k in range(n)])
        for _ in range(2):
            (result,) = anygrad.gradient(f, spacing=0.5)
            assert library.tolist(result) == [2.0] * n
        assert len(_plans._known) == 1
