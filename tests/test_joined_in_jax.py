"""Tables of weights and of rows, from which the loops of XLA read, change no values."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors import arguments, in_jax, joined_in_jax
from anygrad._records import Plan
from planning import plan_of

LENGTHS = 12, 10
ROUNDING = 3e-5

#: Of each: whether there are tables.
CALLS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "step": ("derivative", {"dim": 0, "spacing": 0.5}, False),
    "wide step": ("derivative", {"dim": 0, "spacing": 0.5, "accuracy": 8}, True),
    "coordinates": ("derivative", {"dim": 1}, False),
    "wide": ("derivative", {"dim": 1, "accuracy": 4}, True),
    "second": ("derivative", {"dim": 0, "order": 2, "accuracy": 4}, True),
    "mirrored": ("derivative", {"dim": 0, "accuracy": 4, "boundary": "reflect"}, True),
    "sum": ("laplacian", {}, True),
}


@pytest.fixture
def f(jax: Any) -> Any:
    xp = jax.numpy
    i, j = (xp.arange(n, dtype="float32") for n in LENGTHS)
    return i[:, None] ** 2 * 0.25 - i[:, None] * j + j**2


def uneven(jax: Any) -> list[Any]:
    """Return coordinates for each dim."""
    xp = jax.numpy
    return [xp.arange(n) * 1.5 + xp.arange(n) % 3 / 4 for n in LENGTHS]


def placed(name: str, f: Any, **keywords: Any) -> Plan:
    """Return a plan as programs have it, with the arrays of a call."""
    plan = plan_of(name, f, **keywords)
    numbers, forms, arrays = arguments.taken_apart(plan)
    return arguments.put_together(arguments.static(plan), forms, numbers, arrays)


@pytest.mark.parametrize("call", CALLS)
def test_rows_and_weights_in_tables(jax: Any, f: Any, call: str) -> None:
    name, keywords, has_tables = CALLS[call]
    x = uneven(jax)
    usual = {"spacing": x[keywords["dim"]] if "dim" in keywords else x}
    plan = placed(name, f, **{**usual, **keywords})
    run = partial(_agnostic.run, plan=plan, xp=jax.numpy)
    selected = partial(run, lowering=joined_in_jax.SELECTING_ROWS)
    text = str(jax.make_jaxpr(selected)(f))
    assert ("optimization_barrier" in text) == has_tables
    values = [
        jax.jit(one)(f)[0]
        for one in (selected, partial(run, lowering=joined_in_jax.CONCATENATING), run)
    ]
    (expected,) = run(f)
    scale = abs(expected).max()
    for value in values:
        assert value.shape == f.shape
        assert (abs(value - expected) <= ROUNDING * scale).all()


@pytest.mark.parametrize("call", ["wide", "second", "sum"])
def test_slopes_go_through_tables(jax: Any, f: Any, call: str) -> None:
    """As without them: to the samples, and to the coordinates."""
    name, keywords, _ = CALLS[call]
    x = uneven(jax)
    x = x[keywords["dim"]] if "dim" in keywords else x

    def total(f: Any, x: Any, lowering: Any) -> Any:
        plan = placed(name, f, spacing=x, **keywords)
        (result,) = _agnostic.run(f, plan, jax.numpy, lowering)
        return (result**2).sum()

    slopes = [
        jax.grad(partial(total, lowering=lowering), argnums=(0, 1))(f, x)
        for lowering in (joined_in_jax.SELECTING_ROWS, _agnostic.STANDARD)
    ]
    for one, other in zip(*map(jax.tree.leaves, slopes), strict=True):
        assert abs(one - other).max() <= 10 * ROUNDING * abs(other).max()


def test_a_large_array(jax: Any) -> None:
    """Rows are selected from so many samples on."""
    xp = jax.numpy
    shape = 2, joined_in_jax.LARGE // 2
    f = xp.broadcast_to(xp.arange(shape[1], dtype="float32") % 8, shape)
    ours = anygrad.derivative(f, accuracy=8)
    few = anygrad.derivative(f[:, :400], accuracy=8)
    assert (ours[:, :392] == few[:, :392]).all()


def test_what_compiles_for_long_is_run(jax: Any, monkeypatch: Any) -> None:
    """Nobody has asked for a program of thousands of weights; `jax.jit` does."""
    xp = jax.numpy
    x = xp.arange(24.0) + xp.arange(24) % 2 / 4
    with monkeypatch.context() as patch:
        patch.setattr(in_jax, "_program", None)
        ours = anygrad.derivative(x**2, spacing=x, accuracy=18)
        patch.setattr(in_jax, "OFTEN", 3)
        anygrad.derivative(x**2, spacing=x, accuracy=18)
        with pytest.raises(TypeError, match="not callable"):  # it would be compiled
            anygrad.derivative(x**2, spacing=x, accuracy=18)
    assert abs(ours - 2 * x)[9:-9].max() <= ROUNDING * x[-1]
    assert not in_jax._is_too_long(x, plan_of("derivative", x, spacing=x))
