"""Tasks: one derivative along one axis, and what a call adds to it."""

from __future__ import annotations

import pytest

from anygrad import _tasks
from anygrad._tasks import Values
from backends import Backend
from planning import plan_of


@pytest.mark.parametrize("step", [1.0, 0.3, -4.0, 2j])
@pytest.mark.parametrize("function", ["gradient", "laplacian", "hessian"])
def test_a_compiler_sees_steps_as_divisors(
    library: Backend, function: str, step: complex
) -> None:
    """The value may be a symbol, of which no reciprocal is compared with anything."""
    f = library.asarray([[0.0, 1.0, 4.0, 9.0]] * 4)
    plan = plan_of(function, f, spacing=step)
    values = [Values(step)] * 2
    for task in plan.tasks:
        bound = _tasks.bound(task, values, is_compiled=True)
        assert bound._replace(scales=(), inner=None) == task._replace(
            scales=(), inner=None
        )
        for one in (bound, bound.inner):
            if one is None:
                continue
            order, formulas = one.scheme.recipe.order, one.scheme.formulas
            for formula, scale in zip(formulas, one.scales, strict=True):
                quotient = step**order * formula.denominator
                for factor in scale.factors:
                    quotient *= factor
                for divisor in scale.divisors:
                    quotient /= divisor
                assert quotient == pytest.approx(1, rel=1e-15)
                assert step == 1.0 or not scale.factors
