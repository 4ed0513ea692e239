"""The public suite: anygrad keeps every promise, and the doors to the suite open."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import testing
from backends import BACKENDS, Backend
from suite import BY_NAME, FUNCTIONS, verdicts

ROOT = Path(__file__).parent.parent

#: The keywords that a gradient may have beyond those of torch.
KEYWORDS = ("accuracy", "boundary", "where", "stack_dim")

#: All but the library that nobody has heard of, whose numbers cannot be read.
FORMS = tuple(form.id for form in BACKENDS if form.id not in ("toy", "jax-device1"))

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)


class Namespace:
    """The namespace of a backend, whose arrays are made in the backend's form."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend.xp, name)

    def asarray(self, values: Any, dtype: Any = None, device: Any = None) -> Any:
        if device is not None:
            return self.backend.xp.asarray(values, dtype=dtype, device=device)
        known = [name for name in DTYPES if getattr(self, name, None) == dtype]
        name = known[0] if dtype is not None else self.backend.default
        return self.backend.make(values, name, oracle.shape_of(values))


@pytest.mark.cover(1)
@pytest.mark.parametrize("check", testing.checks, ids=lambda check: check.__name__)
@pytest.mark.forms(*FORMS)
def test_anygrad_keeps_every_promise(backend: Backend, check: Any) -> None:
    (verdict,) = verdicts(anygrad.gradient, Namespace(backend), check.__name__)
    assert verdict.outcome != "broken", verdict.reason


@pytest.mark.forms("numpy", "strict-device1", "torch", "jax", "dask", "cupy")
def test_most_checks_apply(backend: Backend) -> None:
    """What does not apply says why, and cannot be the whole suite."""
    xp = Namespace(backend)
    found = testing.run_checks(anygrad.gradient, xp, functions=anygrad)
    skipped = [verdict for verdict in found if verdict.outcome == "not applicable"]
    assert len(found) == len(testing.checks)
    assert len(skipped) <= 36
    for verdict in skipped:
        assert verdict.reason
        assert "no keyword" not in verdict.reason
        assert "there is no function" not in verdict.reason


def test_every_check_is_named_after_a_promise() -> None:
    assert len(BY_NAME) == len(testing.checks) > 100
    promises = [str(check.__doc__) for check in testing.checks]
    assert len(set(promises)) == len(promises)
    for promise in promises:
        assert promise.endswith(".")
        assert "\n" not in promise


# What is not there is not broken.


def test_a_gradient_alone(numpy: Any) -> None:
    """Without the later keywords and functions, their promises do not apply."""

    def gradient(
        f: Any,
        *,
        spacing: Any = 1,
        dim: Any = None,
        edge_order: Any = 1,
        axis: Any = None,
    ) -> Any:
        return anygrad.gradient(
            f, spacing=spacing, dim=dim, edge_order=edge_order, axis=axis
        )

    whole = testing.run_checks(anygrad.gradient, numpy, functions=anygrad)
    alone = testing.run_checks(gradient, numpy)
    reasons = {one.reason for one, two in zip(alone, whole, strict=True) if one != two}
    assert reasons == {
        *(f"the function has no keyword {name}" for name in KEYWORDS),
        "the function has no keyword scale_factors",
        *(f"there is no function {name}" for name in FUNCTIONS),
    }
    assert not any(verdict.outcome == "broken" for verdict in alone)


def test_functions_of_nobody() -> None:
    with pytest.raises(ValueError, match=r"^`library` must be one of .* Got 'julia'\."):
        testing.functions_of("julia")


def test_functions_of_libraries(numpy: Any) -> None:
    assert set(testing.functions_of("anygrad")) == set(FUNCTIONS)
    assert testing.functions_of("numpy") == {}


# The doors.


TESTS_OF_NUMPY = """
import numpy
from anygrad.testing import gradient_of, parametrize_with_checks

@parametrize_with_checks(
    gradient_of("numpy"),
    numpy,
    expected_failures={
        "check_large_steps": "products of steps",
        "check_negative_steps": "a wrong expectation",
    },
)
def test_numpy(check):
    check()
"""


def test_parametrize_with_checks(numpy: Any, tmp_path: Path) -> None:
    """Kept, not kept, expected so, kept against the expectation, not applicable."""
    file = tmp_path / "test_numpy.py"
    file.write_text(TESTS_OF_NUMPY, encoding="utf-8")
    chosen = (
        "large_steps or negative_steps or chunks_kept or complex_steps or shape_kept"
    )
    command = [sys.executable, "-m", "pytest", "-rA", "-k", chosen, file.name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    lines = re.findall(r"^([A-Z]+) .*\[check_(\w+)\]", done.stdout, re.MULTILINE)
    found = {name: outcome for outcome, name in lines}
    assert found == {
        "shape_kept": "PASSED",
        "large_steps": "XFAIL",
        "negative_steps": "FAILED",
        "complex_steps": "FAILED",
        "complex_steps_keep_the_precision": "FAILED",
    }
    assert "SKIPPED [1]" in done.stdout
    assert "not applicable: the arrays have no chunks" in done.stdout


def test_expected_failures_must_name_checks(numpy: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^`expected_failures` must name checks\. Got"
    ):
        testing.parametrize_with_checks(
            anygrad.gradient, numpy, expected_failures={"check_nothing": "no reason"}
        )


def test_gradient_of_nobody() -> None:
    with pytest.raises(ValueError, match=r"^`library` must be one of .* Got 'julia'\."):
        testing.gradient_of("julia")


@pytest.mark.peers
@pytest.mark.parametrize("every", [20, pytest.param(0, marks=pytest.mark.full)])
def test_the_table_in_the_documentation_is_up_to_date(every: int) -> None:
    """It is made by running the suite; `python docs/promises.py` makes it anew."""
    promises = [check.__doc__ for check in testing.checks[::every]] if every else []
    script = [sys.executable, str(ROOT / "docs" / "promises.py"), "--check", *promises]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
