"""What holds an array of JAX's and passes for it: the variables of Flax."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad

SAMPLES = [[0.0, 1, 4, 9, 16], [1, 2, 9, 28, 65]]


class Holder:
    """What Flax's variables are to others: they pass on what they do not know."""

    def __init__(self, value: Any) -> None:
        self.held = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self.held, name)

    def __jax_array__(self) -> Any:
        return self.held


@pytest.fixture(params=["Variable", "Derived"])
def variable(request: pytest.FixtureRequest) -> Any:
    cls = type("Variable", (Holder,), {"__module__": "flax.nnx.variablelib"})
    if request.param == "Variable":
        return cls
    return type("Derived", (cls,), {"__module__": __name__})


@pytest.mark.parametrize("name", ["step", "coordinates", "mask", "value", "period"])
@pytest.mark.parametrize("place", ["samples", "argument", "both"])
def test_they_are_the_arrays(jax: Any, variable: Any, name: str, place: str) -> None:
    xp = jax.numpy
    f, x = xp.asarray(SAMPLES), xp.asarray([0.0, 1, 3, 4, 6])

    def called(hold: Any) -> Any:
        given = {
            "step": {"spacing": [hold(xp.asarray(0.5)), 1.0]},
            "coordinates": {"spacing": [2.0, hold(x)]},
            "mask": {"where": hold(f < 20)},
            "value": {"boundary": ["edge", hold(xp.asarray(0.5))]},
            "period": {
                "spacing": [1.0, x],
                "boundary": ["edge", ("periodic", hold(x[-1] + 1))],
            },
        }[name]
        return anygrad.gradient(variable(f) if place != "argument" else f, **given)

    results = called(variable if place != "samples" else lambda value: value)
    for result, wanted in zip(results, called(lambda value: value), strict=True):
        assert type(result) is type(f)
        assert xp.array_equal(result, wanted, equal_nan=True)


def test_they_hold_numbers_and_are_differentiated(jax: Any, variable: Any) -> None:
    f = jax.numpy.asarray(SAMPLES)
    assert anygrad.derivative(f, spacing=variable(0.5)).tolist() == (
        anygrad.derivative(f, spacing=0.5).tolist()
    )

    def slopes(step: Any) -> Any:
        return anygrad.derivative(f, spacing=variable(step)).sum()

    assert float(jax.jit(jax.grad(slopes))(2.0)) == -float(slopes(1.0)) / 4


def test_nothing_is_compiled_again(jax: Any, variable: Any) -> None:
    f, step = jax.numpy.asarray(SAMPLES), jax.numpy.asarray(0.5)
    events: list[str] = []

    def called(samples: Any, spacing: Any) -> None:
        anygrad.derivative(samples, spacing=spacing, accuracy=4)

    called(f, step)
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: events.append(event)
    )
    try:
        called(variable(f), variable(step))
    finally:
        jax.monitoring.clear_event_listeners()
    assert not [event for event in events if "compile" in event]


def test_refusals_name_the_argument(jax: Any, variable: Any) -> None:
    f = jax.numpy.asarray(SAMPLES)
    with pytest.raises(TypeError, match=r"^`where` must have a boolean dtype"):
        anygrad.gradient(f, where=variable(f))
    with pytest.raises(TypeError, match=r"^`input` must have an integer"):
        anygrad.gradient(variable(f > 1))


def test_they_may_hold_arrays_of_numpy(numpy: Any, variable: Any) -> None:
    """Until JAX has seen them."""
    f, x = numpy.asarray(SAMPLES), numpy.asarray([0.0, 1, 3, 4, 6])
    result = anygrad.derivative(variable(f), spacing=variable(x))
    assert type(result) is numpy.ndarray
    assert result.tolist() == anygrad.derivative(f, spacing=x).tolist()
    ends = [("edge", "one_sided"), "edge"]
    results = anygrad.gradient(variable(f), spacing=[1.0, variable(x)], boundary=ends)
    wanted = anygrad.gradient(f, spacing=[1.0, x], boundary=ends)
    assert [a.tolist() for a in results] == [a.tolist() for a in wanted]
