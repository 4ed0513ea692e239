"""Which dtype a result has, and that no integer wraps on the way."""

from __future__ import annotations

import itertools
import random
import re
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend
from dtypes import COMPLEX, FORMATS, SIGNED, UNSIGNED

pytestmark = pytest.mark.forms("all")

#: The standard's promotion of floating dtypes; of the first, where it says nothing, as
#: all libraries that have 16-bit floating numbers do it.
PROMOTION = {
    ("bfloat16", "float16"): "float32",
    ("bfloat16", "float32"): "float32",
    ("bfloat16", "float64"): "float64",
    ("bfloat16", "complex64"): "complex64",
    ("bfloat16", "complex128"): "complex128",
    ("float16", "float32"): "float32",
    ("float16", "float64"): "float64",
    ("float16", "complex64"): "complex64",
    ("float16", "complex128"): "complex128",
    ("float32", "float64"): "float64",
    ("float32", "complex64"): "complex64",
    ("float32", "complex128"): "complex128",
    ("float64", "complex64"): "complex128",
    ("float64", "complex128"): "complex128",
    ("complex64", "complex128"): "complex128",
}

SAMPLES = [3, 1, 4, 2, 5]
COORDINATES = [0, 1, 3, 4, 8]


def promoted(first: str, second: str) -> str:
    if first == second:
        return first
    both = (first, second)
    return PROMOTION.get(both) or PROMOTION[both[::-1]]


def is_integer(dtype: str) -> bool:
    return dtype in SIGNED + UNSIGNED


def of_samples(backend: Backend, dtype: str) -> str:
    """Return the dtype that samples of `dtype` give by themselves."""
    return backend.default if is_integer(dtype) else dtype


def with_complex(dtype: str) -> str:
    """Return the dtype that a complex step gives."""
    return {"float64": "complex128"}.get(
        dtype, dtype if dtype in COMPLEX else "complex64"
    )


def limits(dtype: str) -> tuple[int, int]:
    """Return the smallest and the largest integer of a dtype."""
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    return (
        (0, 2**bits - 1)
        if dtype in UNSIGNED
        else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    )


def rounded(value: Fraction, dtype: str) -> Fraction:
    """Return the nearest number of a floating dtype, ties to even."""
    if value == 0:
        return value
    digits, smallest = FORMATS[dtype]
    exponent = smallest
    while abs(value) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - digits + 1)
    return round(value / unit) * unit


# The table of results.


def test_steps_never_promote(backend: Backend, dtype: str) -> None:
    """Floating samples keep their dtype and integers give the default one (trap 15)."""
    f = backend.asarray(SAMPLES, dtype)
    wanted = [oracle.derivative(SAMPLES, 0, oracle.steps(0, 2), 1)]
    others = ("int8",) if is_integer(dtype) else ("int8", "float32", backend.real)
    arrays = [backend.asarray(2, name) for name in others]
    for step in (2, 2.0, Fraction(2), *arrays):
        results = anygrad.gradient(f, spacing=step)
        backend.check(results, wanted, like=f, dtype=of_samples(backend, dtype))


def test_complex_steps_make_complex_results(backend: Backend, dtype: str) -> None:
    """... of the precision of the samples, whatever that of the step (trap 9)."""
    f = backend.asarray(SAMPLES, dtype)
    wanted = [oracle.derivative(SAMPLES, 0, oracle.steps(0, 1 - 2j), 1)]
    others = (backend.complex,) if is_integer(dtype) else ("complex64", backend.complex)
    arrays = [backend.asarray(1 - 2j, name) for name in others]
    result = with_complex(of_samples(backend, dtype))
    for step in (1 - 2j, *arrays):
        results = anygrad.gradient(f, spacing=step)
        backend.check(results, wanted, like=f, dtype=result)


def test_coordinates_promote(backend: Backend, dtype: str) -> None:
    """Floating coordinates take part in the standard's promotion (trap 15)."""
    f = backend.asarray(SAMPLES, dtype)
    wanted = [oracle.derivative(SAMPLES, 0, oracle.along(0, COORDINATES), 2)]
    others = [name for name in backend.dtypes if not is_integer(name)]
    if is_integer(dtype):  # all of them have the same dtype before they promote
        others = ["float32", backend.real, "complex64"]
    for other in others:
        x = backend.asarray(COORDINATES, other)
        results = anygrad.gradient(f, spacing=[x], edge_order=2)
        result = promoted(of_samples(backend, dtype), other)
        backend.check(results, wanted, like=f, dtype=result)


def test_one_coordinate_per_point_promotes_alike(backend: Backend) -> None:
    samples, x = [SAMPLES, SAMPLES[::-1]], [COORDINATES, COORDINATES[::-1]]
    f = backend.asarray(samples, "float32")
    wanted = [oracle.derivative(samples, 1, oracle.per_point(x), 2)]
    for other in ("float32", backend.real, backend.complex):
        entry = backend.asarray(x, other)
        results = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=2)
        result = promoted("float32", other)
        backend.check(results, wanted, like=f, dtype=result)


def test_each_dim_has_its_own_dtype(backend: Backend) -> None:
    """Double coordinates along one dim do not promote the derivative along another."""
    f = backend.asarray([[1, 2], [4, 8]], "float32")
    x = backend.asarray([0, 2], backend.real)
    first, second = anygrad.gradient(f, spacing=[x, 2.0])
    backend.check((first,), [[[1.5, 3], [1.5, 3]]], like=f, dtype=backend.real)
    backend.check((second,), [[[0.5, 0.5], [2, 2]]], like=f)


# Integers.


def test_integers_do_not_wrap(backend: Backend, integer: str) -> None:
    """Differences as large as the dtype's range are right (trap 3)."""
    lo, hi = limits(integer)
    samples = [lo, hi, lo, hi, 0, hi, hi, lo, lo]
    f = backend.asarray(samples, integer)
    for edge_order, step in itertools.product((1, 2), (1, -4)):
        results = anygrad.gradient(f, spacing=step, edge_order=edge_order)
        wanted = oracle.derivative(samples, 0, oracle.steps(0, step), edge_order)
        backend.check(results, [wanted], like=f, dtype=backend.default)


@pytest.mark.parametrize("end", ["lower", "upper"])
def test_differences_of_large_integers(
    backend: Backend, integer: str, end: str
) -> None:
    """Small differences of numbers that no floating dtype holds are exact (trap 25)."""
    lo, hi = limits(integer)
    small = [0, 1, 3, 2, 7, 7, 12]
    samples = [lo + a for a in small] if end == "lower" else [hi - a for a in small]
    f = backend.asarray(samples, integer)
    for edge_order in (1, 2):
        results = anygrad.gradient(f, edge_order=edge_order)
        wanted = oracle.derivative(samples, 0, oracle.steps(0, 1), edge_order)
        backend.check(results, [wanted], like=f, dtype=backend.default, tolerance=0)


def test_integer_coordinates(backend: Backend, integer: str) -> None:
    """Coordinates may be any integers: wide, descending, beyond 2**53 (trap 4).

    They do not promote.
    """
    lo, hi = limits(integer)
    f = backend.asarray(SAMPLES)
    middle = (lo + hi) // 2
    for x in (
        [lo, lo + 1, middle, hi - 1, hi],
        [hi, middle, middle - 1, lo + 2, lo],
        [lo, lo + 1, lo + 3, lo + 4, lo + 8],
        [hi, hi - 1, hi - 3, hi - 4, hi - 8],
    ):
        entry = backend.asarray(x, integer)
        for edge_order in (1, 2):
            results = anygrad.gradient(f, spacing=[entry], edge_order=edge_order)
            given = SAMPLES, 0, oracle.along(0, x), edge_order
            backend.check(
                results,
                [oracle.derivative(*given)],
                like=f,
                scales=[oracle.magnitude(*given)],
            )


def test_integers_around_a_circle(backend: Backend, integer: str) -> None:
    """The step from the last to the first is not lost beside a long period.

    Hours in milliseconds are, around a year, in float32.
    """
    if "float64" not in backend.dtypes:
        pytest.skip("no dtype holds both")
    top = min(limits(integer)[1], 2**50 + 1)
    x = [1, 3, top // 2, top - 3, top]
    for descends, dtype in itertools.product((False, True), backend.reals):
        f = backend.asarray(SAMPLES, dtype)
        coordinates = x[::-1] if descends else x
        turn = -(top + 2) if descends else top + 2
        results = anygrad.gradient(
            f,
            spacing=[backend.asarray(coordinates, integer)],
            boundary=("periodic", top + 2),
        )
        around = [SAMPLES[-1], *SAMPLES, SAMPLES[0]]
        beyond = [coordinates[-1] - turn, *coordinates, coordinates[0] + turn]
        given = around, 0, oracle.along(0, beyond), 1
        backend.check(
            results,
            [oracle.derivative(*given)[1:-1]],
            like=f,
            scales=[oracle.magnitude(*given)[1:-1]],
        )


def test_integers_on_integers(backend: Backend, integer: str) -> None:
    """Both at once, of every dtype, with no difference that would fit into it."""
    lo, hi = limits(integer)
    samples, x = [hi, lo, hi, hi - 1, lo], [hi, hi - 1, lo + 2, lo + 1, lo]
    f = backend.asarray(samples, integer)
    results = anygrad.gradient(f, spacing=[backend.asarray(x, integer)])
    given = samples, 0, oracle.along(0, x), 1
    backend.check(
        results,
        [oracle.derivative(*given)],
        like=f,
        dtype=backend.default,
        scales=[oracle.magnitude(*given)],
    )


@pytest.mark.forms("torch", "torch-requires-grad", "strict-device2")
def test_integers_are_rounded_once(backend: Backend) -> None:
    """The work is done in float64, also where the result is float32."""
    draw = random.Random(8)
    samples = [draw.randrange(-(2**30), 2**30) for _ in range(20)]
    f = backend.asarray(samples, "int32")
    x = [3 * k + k % 2 for k in range(20)]
    for spacing, coordinate in (
        (0.3, oracle.steps(0, 0.3)),
        ([backend.asarray(x, "int16")], oracle.along(0, x)),
    ):
        results = anygrad.gradient(f, spacing=spacing, edge_order=2)
        exact = oracle.derivative(samples, 0, coordinate, 2)
        nearest = [rounded(value.real, "float32") for value in exact]
        backend.check(results, [nearest], like=f, dtype="float32", tolerance=0)


# Sixteen bits.


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("kind", ["number", "0-d", "coordinates"])
def test_sixteen_bits_are_rounded_once(
    backend: Backend, half: str, kind: str, edge_order: int
) -> None:
    """The work is done in 32 bits, so that the result is the nearest 16-bit number."""
    samples = [1, 1.0078125, 200, 3, 1.5, 255, 1.171875, 100]
    f = backend.asarray(samples, half)
    spacing = {
        "number": 0.25,
        "0-d": backend.asarray(0.25, half),
        "coordinates": [backend.asarray([k / 4 for k in range(8)], half)],
    }[kind]
    results = anygrad.gradient(f, spacing=spacing, edge_order=edge_order)
    exact = oracle.derivative(samples, 0, oracle.steps(0, 0.25), edge_order)
    nearest = [rounded(value.real, half) for value in exact]
    backend.check(results, [nearest], like=f, tolerance=0)


def test_coordinates_of_sixteen_bits(backend: Backend, half: str) -> None:
    """Whole numbers to a thousand, most of which bfloat16 has to round (trap 11)."""
    x = backend.asarray([0, 201, 403, 605, 807, 1000], half)
    stored = backend.tolist(x)
    samples = [0, 1, 4, 9, 16, 25]
    f = backend.asarray(samples, half)
    wanted = oracle.derivative(samples, 0, oracle.along(0, stored), 2)
    backend.check(anygrad.gradient(f, spacing=[x], edge_order=2), [wanted], like=f)


def check_refused(f: Any, without: Any) -> None:
    """Check that a dtype which has no differences is refused wherever it stands."""
    refused = [
        ("input", without, {}),
        ("spacing[0]", f, {"spacing": [without]}),
        ("boundary", f, {"boundary": without[:1]}),
        ("boundary", f, {"boundary": without[0]}),
        ("dtype", f, {"dtype": without.dtype}),
    ]
    for name, given, keywords in refused:
        with pytest.raises(TypeError) as caught:
            anygrad.gradient(given, **keywords)
        message = str(caught.value)
        assert message.startswith(f"`{name}` must "), message
        shown = rf"(numpy\.dtype\[)?{without.dtype}\]?\."
        assert re.search(f"floating dtype.* Got {shown}", message), message


@pytest.mark.parametrize("name", ["float8_e8m0fnu", "float4_e2m1fn_x2"])
def test_tensors_without_signs(torch: Any, name: str) -> None:
    """Scales of matrix products have no negative numbers, packed pairs no numbers."""
    dtype = getattr(torch, name, None)
    if dtype is None:
        pytest.skip("it is younger than this torch")
    check_refused(torch.ones(4), torch.zeros(4, dtype=torch.uint8).view(dtype))


@pytest.mark.parametrize("name", ["bits8", "bits2x4", "uint4", "uint1", "int2", "int7"])
def test_tensors_of_bits(torch: Any, name: str) -> None:
    """torch converts none of them."""
    dtype = getattr(torch, name, None)
    if dtype is None:
        pytest.skip("it is younger than this torch")
    f = torch.tensor([0, 1, 4, 9], dtype=torch.uint8).view(dtype)
    with pytest.raises(TypeError, match=r"with `view\(torch.int8\)`, and unpack what "):
        anygrad.gradient(f)
    (slope,) = anygrad.gradient(f.view(torch.int8))
    assert slope.tolist() == [1, 2, 4, 5]


def test_arrays_without_signs(jax: Any) -> None:
    import jax.numpy as jnp

    without = jnp.ones(4, "float8_e8m0fnu")
    check_refused(jnp.ones(4), without)
    assert anygrad.gradient(without.astype("float32"))[0].tolist() == [0.0] * 4


@pytest.mark.parametrize("name", ["int2", "uint2"])
def test_integers_of_two_bits(jax: Any, name: str) -> None:
    """XLA aborts the process where it joins them, as ghosts and samples."""
    import jax.numpy as jnp

    if not hasattr(jnp, name):
        pytest.skip("they are younger than this JAX")
    f = jnp.asarray([1, 0, 1, 1, 0], name)
    ends = (("ghosts", f[:1], f[1:2]), "one_sided")
    found = anygrad.derivative(f, spacing=f, boundary=ends)
    given = f.astype("int8")
    ends = (("ghosts", given[:1], given[1:2]), "one_sided")
    wanted = anygrad.derivative(given, spacing=given, boundary=ends)
    assert jnp.array_equal(found, wanted, equal_nan=True)
