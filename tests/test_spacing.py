"""What a bad `spacing` gets, word for word."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import anygrad
from backends import Backend
from refusals import BY_LIST, NO_ARRAY, NUMBERS, NUMERIC, cast, matrix, refused

BY_FLOAT = "Convert it to a number first, e.g. with `float`."


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("kind", [list, tuple])
def test_wrong_number_of_spacings(
    library: Backend, count: int, kind: Callable[[Any], Any]
) -> None:
    """Never is one entry used for all dims (trap 7)."""
    message = f"`spacing` must have one entry per dim, 2 in all. Got {count}."
    if count == 1:
        message += " For one step along all of them, give it without a list."
    refused(ValueError, message, matrix(library), spacing=kind([1.0] * count))


def test_coordinates_outside_of_a_list(library: Backend) -> None:
    """Are they the steps of the dims, or the coordinates of one (trap 26)?"""
    message = (
        "`spacing` must be a scalar, or a list or tuple with one entry per dim. Got a "
        "{rank}-dimensional array. Put coordinates into a list: `spacing=[x]`."
    )
    f = matrix(library)
    x = library.asarray([0, 1, 2, 3])
    refused(TypeError, message.format(rank=1), f, dim=1, spacing=x)
    refused(TypeError, message.format(rank=2), f, dim=1, spacing=f)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "None. Give 1 for steps of one."),
        ("2", f"'2'. {BY_FLOAT}"),
        (b"2", f"b'2'. {BY_FLOAT}"),
        ("x", "'x'."),
        (True, "True."),
        ([0, 1, 2, 3], "[0, 1, 2, 3]. Convert it to an array first."),
        ((0, 1, 2, 3), "(0, 1, 2, 3). Convert it to an array first."),
        ({}, "dict. Give a list with one entry per dim, in their order."),
        (Decimal(1), f"Decimal('1'). {BY_FLOAT}"),
    ],
    ids=repr,
)
def test_spacing_is_no_number(library: Backend, value: object, got: str) -> None:
    message = "`{name}` must be a number or an array. Got {got}"
    f = matrix(library)
    refused(
        TypeError, message.format(name="spacing[1]", got=got), f, spacing=[1, value]
    )
    if value is not None and not isinstance(value, (list, tuple)):
        refused(TypeError, message.format(name="spacing", got=got), f, spacing=value)


@pytest.mark.parametrize(
    ("value", "got"),
    [({1, 2}, "set"), (iter([]), "list_iterator")],
    ids=["set", "iterator"],
)
def test_spacing_is_no_array(library: Backend, value: object, got: str) -> None:
    f = matrix(library)
    message = f"{NO_ARRAY.format(name='spacing', got=got)} {BY_LIST}"
    refused(TypeError, message, f, spacing=value)


def test_bool_spacing(library: Backend) -> None:
    f = matrix(library)
    for x, name in (
        (library.asarray([0, 1, 2, 3]) > 1, "spacing[1]"),
        (library.asarray(1) > 0, "spacing[1]"),
    ):
        got = NUMERIC.format(got=x.dtype)
        remedy = NUMBERS.format(cast(library))
        message = f"`{name}` {got} {remedy}"
        refused(TypeError, message, f, spacing=[1, x])
    message = f"`spacing` {got} {remedy}"
    refused(TypeError, message, f, spacing=x)


def test_numpy_scalars_as_spacing(numpy: Any) -> None:
    """They count as Python's numbers; those of time and truth as arrays of such."""
    f = numpy.arange(4.0)
    for step in (numpy.float64(2), numpy.float32(2), numpy.int8(2), numpy.uint64(2)):
        (result,) = anygrad.gradient(f, spacing=step)
        assert result.tolist() == [0.5] * 4
    unit = "/ numpy.timedelta64(1, 's')`."
    for step, dtype, remedy in (
        (numpy.bool_(True), "bool", "Convert it to numbers first, e.g. with `astype`."),
        (
            numpy.timedelta64(1, "s"),
            "timedelta64[s]",
            f"Convert it first, e.g. to `t {unit}",
        ),
        (
            numpy.datetime64(1, "s"),
            "datetime64[s]",
            f"Convert it first, e.g. to `(t - t[0]) {unit}",
        ),
    ):
        message = f"`spacing` {NUMERIC.format(got=dtype)} {remedy}"
        refused(TypeError, message, f, spacing=step)


@pytest.mark.parametrize(
    "step",
    [
        *(0, 0.0, -0.0, 0j, float("nan"), float("inf"), -float("inf")),
        *(complex(0, float("inf")), complex("nan"), 10**400, Fraction(1, 10**400)),
    ],
    ids=lambda step: repr(step)[:16],
)
def test_steps_that_are_none(library: Backend, step: Any) -> None:
    """Zero, and what is not finite (trap 24)."""
    shown = repr(step) if len(repr(step)) <= 60 else f"{repr(step)[:40]}..."
    message = f"must be finite and not zero. Got {shown}."
    f = matrix(library)
    refused(ValueError, f"`spacing` {message}", f, spacing=step)
    refused(ValueError, f"`spacing[1]` {message}", f, spacing=[1, step])


REMEDIES = {
    1: " For a step, give it as a number.",
    3: (
        " Dimension 0 is as long: name it in `dim`, or give the entries in the order "
        "of the dims. Of the steps between points, pass the sums, from 0 on."
    ),
    5: " Of the edges of cells, pass the middles.",
}


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 6])
def test_coordinates_of_the_wrong_length(library: Backend, n: int) -> None:
    """torch returns a wrong constant, or a result of another length (traps 5, 6)."""
    x = library.asarray(list(range(n)), shape=(n,))
    message = (
        "`spacing[{k}]` must have one coordinate per point along dimension 1 of "
        f"`input`, 4 in all. Got shape ({n},)."
    ) + REMEDIES.get(n, "")
    f = matrix(library)
    refused(ValueError, message.format(k=0), f, dim=1, spacing=[x])
    refused(ValueError, message.format(k=1), f, spacing=(1, x))


def test_coordinates_of_the_wrong_rank(library: Backend) -> None:
    f = matrix(library)
    message = (
        "`spacing[0]` must be a scalar, a 1-dimensional array of coordinates, or have "
        "2 dimensions as `input`. Got shape (1, 3, 4)."
    )
    x = library.asarray([0.0] * 12, shape=(1, 3, 4))
    refused(ValueError, message, f, dim=0, spacing=[x])
    message = (
        "`spacing[0]` must be a scalar or a 1-dimensional array of coordinates. Got "
        "shape (3, 4)."
    )
    refused(ValueError, message, library.asarray([1, 2, 4]), spacing=[f])


def test_coordinates_that_do_not_broadcast(library: Backend) -> None:
    f = matrix(library)
    for shape in ((3, 2), (3, 5), (3, 0)):
        x = library.asarray([0.0] * (shape[0] * shape[1]), shape=shape)
        message = (
            "`spacing[0]` must be broadcastable to `input`, of shape (3, 4). Got shape "
            f"{shape}."
        )
        refused(ValueError, message, f, dim=0, spacing=[x])
    for n, remedy in (
        (1, " Of a step for each line, pass its multiples: 0, 1, 2, ... times it."),
        (2, " Of the steps between points, pass the sums, from 0 on."),
        (4, " Of the edges of cells, pass the middles."),
        (5, ""),
    ):
        x = library.asarray([0.0] * 4 * n, shape=(n, 4))
        message = (
            "`spacing[0]` must have one coordinate per point along dimension 0 of "
            f"`input`, 3 in all. Got shape {(n, 4)}.{remedy}"
        )
        refused(ValueError, message, f, dim=0, spacing=[x])


# Devices.


@pytest.mark.parametrize("kind", ["coordinates", "per point", "0-d"])
def test_two_strict_devices(array_api_strict: Any, kind: str) -> None:
    xp = array_api_strict
    values = {"coordinates": [0.0, 1, 3], "per point": [[0.0, 1, 3]], "0-d": 2.0}[kind]
    f = xp.asarray([[1.0, 2, 4]], device=xp.Device("device1"))
    x = xp.asarray(values, device=xp.Device("CPU_DEVICE"))
    message = (
        "`spacing[0]` must be on the device of `input`. Got "
        "array_api_strict.Device('CPU_DEVICE') for an `input` on "
        "array_api_strict.Device('device1'). Move one of them first, e.g. with "
        "`to_device`."
    )
    refused(ValueError, message, f, dim=1, spacing=[x])


def test_two_torch_devices(torch: Any) -> None:
    f, x = torch.ones(3), torch.arange(3.0, device="meta")
    message = (
        "`spacing[0]` must be on the device of `input`. Got {} for an `input` on {}. "
        "Move one of them first, e.g. with `to`."
    )
    refused(ValueError, message.format("meta", "cpu"), f, spacing=[x])
    refused(ValueError, message.format("cpu", "meta"), x, spacing=[f])


def test_two_jax_devices(jax: Any) -> None:
    """Arrays that were put somewhere stay there; others go where they are needed."""
    import jax.numpy as jnp

    if len(jax.devices()) < 2:
        pytest.skip("there is one device only")
    first, second = jax.devices()[:2]
    f, x = jnp.ones(3), jnp.arange(3.0)
    assert anygrad.gradient(jax.device_put(f, second), spacing=[x])[0].devices() == {
        second
    }
    message = (
        f"`spacing[0]` must be on the device of `input`. Got {first} for an `input` on "
        f"{second}. Move one of them first, e.g. with `to_device`."
    )
    there, here = jax.device_put(f, second), jax.device_put(x, first)
    refused(ValueError, message, there, spacing=[here])
    (moved,) = anygrad.gradient(there, spacing=[here.to_device(second)])
    assert moved.devices() == {second}


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("where", lambda f: {"where": f > 0}),
        ("boundary", lambda f: {"boundary": ("edge", f[0])}),
        pytest.param(
            "boundary",
            lambda f: {"boundary": (("ghosts", f[:1], f[:1] - 2), "edge")},
            id="ghosts",
        ),
        ("boundary[0]", lambda f: {"boundary": [(1.0, f[0])]}),
        ("scale_factors[0]", lambda f: {"scale_factors": [f]}),
    ],
)
def test_two_jax_devices_beside_samples_on_any(
    jax: Any, word: str, other: Callable[[Any], dict[str, Any]]
) -> None:
    """Samples that were put nowhere can go to one device only."""
    import jax.numpy as jnp

    if len(jax.devices()) < 2:
        pytest.skip("there is one device only")
    first, second = jax.devices()[:2]
    f, x = jnp.ones(4), jax.device_put(jnp.arange(4.0), second)
    message = f"^`{re.escape(word)}` must be on the device of `spacing\\[0\\]`. Got "
    with pytest.raises(ValueError, match=message):
        anygrad.gradient(f, spacing=[x], **other(jax.device_put(f, first)))
    there = anygrad.gradient(f, spacing=[x], **other(jax.device_put(f, second)))
    assert there[0].devices() == {second}


def test_two_cupy_devices(cupy: Any) -> None:
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one device only")
    with cupy.cuda.Device(1):
        x = cupy.asarray([0.0, 1, 3])
    with pytest.raises(ValueError, match=r"^`spacing\[0\]` must be on the device of"):
        anygrad.gradient(cupy.asarray([1.0, 2, 4]), spacing=[x])


@pytest.mark.parametrize("step", [1e-300, -1e300, 1e-60j])
def test_steps_far_out_of_range(library: Backend, step: complex) -> None:
    """No working dtype of 32 bits can divide by them, in one go or in two."""
    f = library.asarray([0.0, 1.0, 4.0, 9.0], "float32")
    anygrad.gradient(f, spacing=2j if isinstance(step, complex) else 2.0)
    for spacing, name in ((step, "spacing"), ([step], r"spacing\[0\]")):
        match = rf"^`{name}` must be in the range of the dty.*Got {step!r}\."
        with pytest.raises(ValueError, match=match.replace("+", r"\+")):
            anygrad.gradient(f, spacing=spacing)


def test_steps_out_of_range_of_a_wider_dtype(numpy: Any) -> None:
    """It is called by its name, and not by the class that a namespace has for it."""
    with pytest.raises(ValueError, match=r"is differentiated in, float32\. Got 1e"):
        anygrad.derivative(numpy.ones(4, "float16"), spacing=1e300)


def test_coordinates_of_a_derivative_need_no_list(library: Backend) -> None:
    """And are then called as they are given."""
    f, x = library.asarray([1.0, 2.0, 4.0]), library.asarray([0.0, 1.0])
    message = (
        "must have one coordinate per point along dimension 0 of `input`, 3 in all"
    )
    for spacing, name in ((x, "spacing"), ([x], "spacing[0]")):
        with pytest.raises(ValueError, match=f"^`{re.escape(name)}` {message}"):
            anygrad.derivative(f, spacing=spacing)


@pytest.mark.parametrize("unit", ["Y", "M", "s", "generic"])
def test_lengths_of_time_are_no_numbers(numpy: Any, unit: str) -> None:
    """Those of months and years let Python make numbers of them."""
    f, x = numpy.asarray([0.0, 1, 4, 9]), numpy.arange(4.0)
    length = numpy.timedelta64(1, *[unit] * (unit != "generic"))
    for name, keywords in (
        ("spacing", {"spacing": length}),
        ("spacing[0]", {"spacing": [length]}),
        ("boundary", {"boundary": length}),
        ("boundary", {"boundary": ("periodic", length), "spacing": [x]}),
        ("scale_factors[0]", {"scale_factors": [length]}),
    ):
        anygrad.gradient(f, spacing=[numpy.float64(1)])  # which has a plan by now
        with pytest.raises(TypeError, match=r"^`[^`]*` must have an integer") as told:
            anygrad.gradient(f, **keywords)
        assert str(told.value).startswith(f"`{name}` must ")
    with pytest.raises(TypeError, match=r"^`order` must be a positive int\."):
        anygrad.derivative(f, order=length)
