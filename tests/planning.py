"""What a public function plans: the very plan that it would hand to an executor."""

from __future__ import annotations

from typing import Any
from unittest import mock

import anygrad
from anygrad import _plans
from anygrad._records import Plan


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
