"""What is recorded of a call of a public function, and what form the call has."""

from __future__ import annotations

from typing import Any

from anygrad._executors.recorded import tape
from planning import plan_of


def form(function: str, f: Any, **keywords: Any) -> tape.Form:
    return call(function, f, **keywords).form()[0]


def call(function: str, f: Any, **keywords: Any) -> tape.Call:
    plan = plan_of(function, f, **keywords)
    return tape.Call(f, plan, plan.namespace)


def record(function: str, f: Any, **keywords: Any) -> tape.Recording:
    whole = call(function, f, **keywords)
    return whole.record(*whole.form())
