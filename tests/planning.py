"""What a public function plans: the very plan that it would hand to an executor."""

from __future__ import annotations

from typing import Any
from unittest import mock

import anygrad
from anygrad import _dispatch, _plans
from anygrad._executors.played import spaces
from anygrad._records import Plan, Task
from backends import Backend


class Planned(Exception):  # noqa: N818 - it says what is there, not what is wrong
    """Carries a plan out of a call, before anything is computed."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.plan = plan


def plan_of(function: str, f: Any, **keywords: Any) -> Plan:
    """Return the plan of a call: kept ones too, with all that the call adds."""
    make = _plans.plan

    def stop(*args: Any, **given: Any) -> Plan:
        raise Planned(make(*args, **given))

    with mock.patch.object(_plans, "plan", stop):
        try:
            getattr(anygrad, function)(f, **keywords)
        except Planned as planned:
            return planned.plan
    raise AssertionError(f"{function} has planned nothing")


def fresh_plan_of(function: str, f: Any, **keywords: Any) -> Plan:
    """Return the plan of a call as if its class had never been heard of."""
    with mock.patch.object(_plans, "BY_CLASS", {}):
        plan = plan_of(function, f, **keywords)
    assert all(task.kept is None for task in plan.tasks)
    return plan


def free_spaces(plan: Any, layout: Any = None) -> list[spaces.Space]:
    """Return where a plan is made again, if nobody does so now."""
    place: Any = spaces.place_of(plan, layout)
    return (place and place.made) or []


def composite_of(function: str, f: Any, **keywords: Any) -> tuple[Any, ...]:
    """Return what a call with factors offers to an executor, to be made in one pass."""
    with mock.patch.object(_dispatch, "in_one_pass") as offered:
        offered.return_value.return_value = (None,)
        getattr(anygrad, function)(f, **keywords)
    (_, composite, plan, xp), _ = offered.return_value.call_args
    return composite, plan, xp


def described(plan: Plan, backend: Backend) -> Any:
    """Return all of a plan, arrays as numbers, but for what is kept between calls."""

    def values(array: Any) -> Any:
        return None if array is None else (array.shape, backend.tolist(array))

    def of_task(task: Task | None) -> Any:
        if task is None:
            return None
        # Schemes of one recipe are equal, but they may be made anew meanwhile.
        others = [(one.scheme.recipe, tuple(one.scales)) for one in task.alternatives]
        return repr(
            task._replace(
                scheme=task.scheme.recipe,
                alternatives=tuple(others),
                kept=None,
                step=values(task.step),
                coordinates=values(task.coordinates),
                where=values(task.where),
                inner=of_task(task.inner),
            )
        )

    return plan._replace(tasks=tuple([of_task(task) for task in plan.tasks]))
