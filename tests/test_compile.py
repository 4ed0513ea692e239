"""`torch.compile` in one graph: cold, warm, and with inputs that change."""

from __future__ import annotations

from typing import Any

import pytest

import compiling
import fresh
from compiled_calls import (
    CHANGING,
    EXPORTS,
    OF_ALL_SHAPES,
    OF_NUMPY,
    OTHERS,
    USUAL,
    WARM,
)
from compiling import EVENTS


def found(script: str, name: str) -> str:
    """Return what a script says of a case: nothing if it went well."""
    wrong: str = fresh.answer(compiling.__file__, script)[name]
    return wrong


@pytest.mark.parametrize("call", USUAL)
def test_a_call_that_is_new_in_its_process(torch: Any, call: str) -> None:
    """Compiled before the same was called, and as the same gives without."""
    assert found("cold", call) == ""


@pytest.mark.full
@pytest.mark.parametrize("call", OTHERS)
def test_another_call_that_is_new_in_its_process(torch: Any, call: str) -> None:
    assert found("others", call) == ""


@pytest.mark.peers
@pytest.mark.parametrize("call", OF_NUMPY)
def test_a_number_of_numpy_as_step(torch: Any, numpy: Any, call: str) -> None:
    assert found("of NumPy", call) == ""


def test_compiling_warns_of_nothing(torch: Any) -> None:
    assert found("cold", "warnings") == ""


@pytest.mark.parametrize("call", WARM)
def test_a_call_that_was_made_before(torch: Any, call: str) -> None:
    assert found("warm", call) == ""


@pytest.mark.parametrize("call", CHANGING)
def test_an_argument_that_changes(torch: Any, call: str) -> None:
    """One graph for all steps, and one for each formula."""
    assert found("cold", call) == ""


@pytest.mark.parametrize("dynamic", [True, None])
@pytest.mark.parametrize("call", OF_ALL_SHAPES)
def test_shapes_that_change(torch: Any, call: str, dynamic: bool | None) -> None:
    """One graph for all shapes, or two where torch is to find out that they change."""
    assert found("cold", f"{call}, dynamic={dynamic}") == ""


@pytest.mark.parametrize("name", ["a tensor", "a parameter", "a subclass"])
@pytest.mark.parametrize("event", EVENTS)
def test_nothing_is_compiled_again_after(torch: Any, event: str, name: str) -> None:
    for call in (
        "gradient(f, spacing=[x, 0.5])",
        "derivative(f, order=2, spacing=0.3)",
    ):
        assert found("warm", f"{event}: {call} of {name}") == ""


@pytest.mark.parametrize(("call", "strict", "dynamic"), EXPORTS)
def test_export(torch: Any, call: str, strict: bool, dynamic: bool) -> None:
    """A program for another machine, for one shape and for any number of columns."""
    name = f"export {call}, strict={strict}, dynamic={dynamic}"
    assert found("warm", name) == ""


@pytest.mark.parametrize("backend_of_torch", ["eager", "aot_eager"])
@pytest.mark.parametrize("call", ["slopes", "second"])
def test_the_way_back(torch: Any, call: str, backend_of_torch: str) -> None:
    """Through a compiled call, to the samples and to the coordinates."""
    name = f"back through {call}, {backend_of_torch}"
    assert found("warm", name) == ""
