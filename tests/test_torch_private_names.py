"""Private names of torch that tell whether operations are watched.

They may be missing in another version: then every call counts as watched, which costs
time and changes no result.  This file is a script, too, because what is taken away
here is gone for the whole process.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fresh

NAMES = (
    "torch._C._get_tracing_state",
    "torch._C._len_torch_dispatch_stack",
    "torch._C._len_torch_function_stack",
    "torch._C._get_function_stack_at",
    "torch._C.DisableTorchFunction",
    "torch._C._functorch.maybe_current_level",
    "torch._C._functorch.is_legacy_batchedtensor",
    "torch.autograd.forward_ad._current_level",
)

SQUARES = [0.0, 1, 4, 9, 16, 25]
SLOPES = [1.0, 2, 4, 6, 8, 9]


# The script.


def plain(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor(SQUARES)
    assert slopes(f).tolist() == SLOPES
    assert not slopes(f).requires_grad


def large(torch: Any, slopes: Callable[[Any], Any]) -> None:
    """More than fits into a block of the executor."""
    f = torch.arange(300_000.0, dtype=torch.float64)
    assert slopes(f * f)[1:-1].equal(2 * f[1:-1])


def backward(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor(SQUARES, requires_grad=True)
    result = slopes(f)
    assert result.tolist() == SLOPES
    result.sum().backward()
    assert f.grad.tolist() == [-1.5, 0.5, 0, 0, -0.5, 1.5]


def batched(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.arange(12.0, requires_grad=True)
    slope = slopes(f)
    (rows,) = torch.autograd.grad(slope, f, torch.eye(12), is_grads_batched=True)
    assert rows.equal(torch.func.jacrev(slopes)(f.detach()))


def vmap(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor([SQUARES, SQUARES[::-1]])
    wanted = [SLOPES, [-slope for slope in SLOPES[::-1]]]
    assert torch.func.vmap(slopes)(f).tolist() == wanted


def vjp(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor(SQUARES)
    gradient = torch.func.grad(lambda f: slopes(f).sum())(f)
    assert gradient.tolist() == [-1.5, 0.5, 0, 0, -0.5, 1.5]


def jvp(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor(SQUARES)
    value, tangent = torch.func.jvp(slopes, (f,), (2 * f,))
    assert value.tolist() == SLOPES
    assert tangent.tolist() == [2 * slope for slope in SLOPES]


def dual(torch: Any, slopes: Callable[[Any], Any]) -> None:
    import torch.autograd.forward_ad as forward

    f = torch.tensor(SQUARES)
    with forward.dual_level():
        value, tangent = forward.unpack_dual(slopes(forward.make_dual(f, 2 * f)))
    assert value.tolist() == SLOPES
    assert tangent.tolist() == [2 * slope for slope in SLOPES]


def traced(torch: Any, slopes: Callable[[Any], Any]) -> None:
    from torch.fx.experimental.proxy_tensor import make_fx

    f = torch.tensor(SQUARES)
    program = make_fx(slopes)(f)
    assert program(2 * f).tolist() == [2 * slope for slope in SLOPES]


def traced_by_jit(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor(SQUARES)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # it is deprecated, and tells of looks at shapes
        program = torch.jit.trace(slopes, f)
    assert program(2 * f).tolist() == [2 * slope for slope in SLOPES]


def watched_by_a_mode(torch: Any, slopes: Callable[[Any], Any]) -> None:
    from torch.overrides import TorchFunctionMode

    seen = []

    class Watch(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            seen.append(function)
            return function(*args, **(kwargs or {}))

    f = torch.tensor(SQUARES)
    with Watch():
        result = slopes(f)
    assert result.tolist() == SLOPES
    assert any("sub" in str(function) for function in seen)


def on_default_device(torch: Any, slopes: Callable[[Any], Any]) -> None:
    f = torch.tensor(SQUARES)
    with torch.device("meta"):
        assert slopes(f).tolist() == SLOPES


WAYS = {
    way.__name__: way
    for way in (
        plain,
        large,
        backward,
        batched,
        vmap,
        vjp,
        jvp,
        dual,
        traced,
        traced_by_jit,
        watched_by_a_mode,
        on_default_device,
    )
}


#: Ways that take seconds to begin with: for which name they are tried.
SLOW = {
    "traced": NAMES[1],
    "traced_by_jit": NAMES[0],
    "dual": NAMES[0],
    "vjp": NAMES[3],
    "jvp": NAMES[3],
}


def without(name: str) -> dict[str, str]:
    """Return what goes wrong in each way where torch has no such name."""
    import torch

    import anygrad

    def slopes(f: Any) -> Any:
        return anygrad.gradient(f)[0]

    def twice(f: Any) -> Any:  # nothing to compare with but that torch can do it
        return f * 2

    if name:
        path, _, attribute = name.rpartition(".")
        owner: Any = torch
        for part in path.split(".")[1:]:
            owner = getattr(owner, part)
        delattr(owner, attribute)
    found = {}
    for way, trial in WAYS.items():
        if SLOW.get(way, name) != name:
            continue
        try:
            trial(torch, slopes)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            found[way] = f"{type(error).__name__}: {str(error)[:200]}"
            try:
                trial(torch, twice)
            except AssertionError:
                pass  # torch can do it, with other numbers
            except Exception:  # noqa: BLE001
                found[way] = "torch needs it itself"
    return found


# The tests.


def found(name: str) -> dict[str, str]:
    wrong: dict[str, str] = fresh.answer(str(Path(__file__)), name)
    return wrong


def test_all_ways_are_right_where_nothing_is_missing(torch: Any) -> None:
    assert found("") == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_missing_changes_no_result(torch: Any, name: str) -> None:
    """Nor does its absence raise; what torch cannot do without it is left out."""
    wrong = found(name)
    mine = {w: e for w, e in wrong.items() if e != "torch needs it itself"}
    assert mine == {}
    assert not {"plain", "large", "backward", "vmap"} & set(wrong)


if __name__ == "__main__":
    print(json.dumps(without(sys.argv[1])))  # noqa: T201 - the script's answer
