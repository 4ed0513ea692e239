"""Any call at all: the whole space of arguments, against exact answers."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygrad
import oracle
from backends import Backend
from dtypes import COMPLEX, REAL_OF
from oracle import Nested

pytestmark = pytest.mark.forms(
    *("numpy", "numpy-reversed", "torch", "torch-requires-grad", "jax", "dask-uneven"),
    *("strict", "strict-no_float64", "toy", "cupy"),
)


class Entry(NamedTuple):
    """What one dim is given: the values, their dtype, and what they mean."""

    kind: str
    values: Any
    dtype: str | None

    def array(self, backend: Backend) -> Any:
        if self.dtype is None:
            return self.values
        return backend.asarray(self.values, self.dtype)

    def coordinate(self, axis: int) -> Any:
        if self.kind == "step":
            return oracle.steps(axis, self.values)
        if self.kind == "coordinates":
            return oracle.along(axis, self.values)
        return oracle.per_point(self.values)


class Call(NamedTuple):
    """A call of `gradient`, in Python's own numbers."""

    samples: Nested
    shape: tuple[int, ...]
    dtype: str
    dims: list[int]
    entries: list[Entry]
    edge_order: int


def numbers(dtype: str) -> st.SearchStrategy[Any]:
    """Return numbers that every dtype of this kind holds exactly."""
    if dtype.startswith("uint"):
        return st.integers(0, 100)
    if dtype.startswith("int"):
        return st.integers(-100, 100)
    real = st.integers(-120, 120).map(lambda k: k / 4)
    if dtype in COMPLEX:
        return st.builds(complex, real, real)
    return real


def steps(draw: Any, dtype: str | None) -> Any:
    """Draw a step: not zero, and exact."""
    unsigned = dtype is not None and dtype.startswith("u")
    whole = draw(st.integers(1, 8)) * (
        1 if unsigned else draw(st.sampled_from([1, -1]))
    )
    if dtype is None and draw(st.booleans()):
        return draw(st.sampled_from([whole, whole / 4, Fraction(whole, 4), whole * 1j]))
    if dtype in COMPLEX:
        return complex(whole, draw(st.integers(-3, 3)))
    return whole if dtype and "int" in dtype else whole / 4


def line(draw: Any, n: int, dtype: str) -> list[Any]:
    """Draw coordinates, ascending or descending, in steps from 1 to 8."""
    lengths = draw(st.lists(st.integers(1, 8), min_size=n, max_size=n))
    x: list[Any] = list(itertools.accumulate(lengths))
    if draw(st.booleans()):
        x.reverse()
    if dtype in COMPLEX:
        turn = draw(st.sampled_from([1, 1j, 1 + 1j]))
        return [complex(a) * turn for a in x]
    return x


@st.composite
def calls(draw: Any, backend: Backend, *, steps_only: bool = False) -> Call:
    edge_order = draw(st.sampled_from([1, 2]))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    long_enough = [k for k, n in enumerate(shape) if n > edge_order]
    dims = draw(st.permutations(long_enough))[: draw(st.integers(0, len(shape)))]
    dtype = draw(st.sampled_from(backend.dtypes))
    draw_number = numbers(dtype)
    samples = oracle.build(shape, lambda _: draw(draw_number))
    entries = []
    for dim in dims:
        kinds = ["step"] if steps_only else ["step", "coordinates", "per point"]
        kind = draw(st.sampled_from(kinds))
        other = draw(st.sampled_from(backend.dtypes))
        if kind == "step":
            of = draw(st.sampled_from([None, other]))
            entries.append(Entry(kind, steps(draw, of), of))
        elif kind == "coordinates":
            entries.append(Entry(kind, line(draw, shape[dim], other), other))
        else:
            lengths = tuple(
                n if k == dim or draw(st.booleans()) else 1 for k, n in enumerate(shape)
            )
            x = line(draw, shape[dim], other)
            shift = 1 if other.startswith("u") else draw(st.sampled_from([1, -1]))
            values = oracle.build(
                lengths, lambda i, x=x, d=dim, s=shift: x[i[d]] + s * (sum(i) - i[d])
            )
            if 0 in lengths:
                entries.append(Entry("coordinates", x, other))
            else:
                entries.append(Entry(kind, values, other))
    return Call(samples, shape, dtype, list(dims), entries, edge_order)


def make(backend: Backend, call: Call) -> tuple[Any, tuple[Any, ...]]:
    """Return the samples and the results of a call."""
    f = backend.asarray(call.samples, call.dtype, call.shape)
    spacing = [entry.array(backend) for entry in call.entries]
    results = anygrad.gradient(
        f, spacing=spacing, dim=call.dims, edge_order=call.edge_order
    )
    return f, results


@given(data=st.data())
def test_any_call(backend: Backend, data: st.DataObject) -> None:
    """Values, shape, device, kind of array; and no argument has changed."""
    call = data.draw(calls(backend))
    f, results = make(backend, call)
    assert backend.tolist(f) == call.samples
    assert len(results) == len(call.dims)
    for dim, entry, result in zip(call.dims, call.entries, results, strict=True):
        given_ = call.samples, dim, entry.coordinate(dim), call.edge_order
        if 0 in call.shape:
            assert tuple(result.shape) == call.shape
            continue
        dtype = backend.dtype_name(result)
        backend.check(
            (result,),
            [oracle.derivative(*given_)],
            like=f,
            dtype=dtype,
            tolerance=16 * backend.epsilon(dtype),
            scales=[oracle.magnitude(*given_)],
        )
        # A complex number anywhere makes a complex result, and nothing else does.
        complex_ = isinstance(entry.values, complex) or entry.dtype in COMPLEX
        assert (dtype in REAL_OF) == (complex_ or call.dtype in COMPLEX)


@given(data=st.data(), factor=st.integers(-4, 4))
def test_linear(backend: Backend, data: st.DataObject, factor: int) -> None:
    """The gradient of a sum is the sum of gradients: to the last bit, with steps of
    powers of two and samples that are whole.
    """
    shape = data.draw(st.sampled_from([(3,), (4,), (2, 3), (3, 4)]))
    whole = st.integers(-50, 50)
    first = oracle.build(shape, lambda _: data.draw(whole))
    second = oracle.build(shape, lambda _: data.draw(whole))
    both = oracle.build(
        shape, lambda i: factor * oracle.at(first, i) + oracle.at(second, i)
    )
    step = data.draw(st.sampled_from([1, 0.5, -4]))
    answers = []
    for samples in (first, second, both):
        f = backend.asarray(samples)
        results = anygrad.gradient(f, spacing=step)
        answers.append([list(oracle.flat(backend.tolist(r))) for r in results])
    for a, b, together in zip(*answers, strict=True):
        assert [factor * x + y for x, y in zip(a, b, strict=True)] == together


@given(data=st.data())
def test_no_axis_is_special(backend: Backend, data: st.DataObject) -> None:
    """The transposed array has the transposed derivative."""
    shape = (3, 4)
    real = numbers("float32")
    samples = oracle.build(shape, lambda _: data.draw(real))
    turned = oracle.build(shape[::-1], lambda i: oracle.at(samples, i[::-1]))
    x = line(data.draw, 4, backend.real)
    edge_order = data.draw(st.sampled_from([1, 2]))
    f, g = backend.asarray(samples), backend.asarray(turned)
    for entry in (0.5, backend.asarray(x)):
        keywords = {"spacing": [entry], "edge_order": edge_order}
        (along,) = anygrad.gradient(f, dim=1, **keywords)
        result = backend.tolist(along)
        wanted = oracle.build(shape[::-1], lambda i, r=result: oracle.at(r, i[::-1]))
        backend.check(anygrad.gradient(g, dim=0, **keywords), [wanted], like=g)


@given(data=st.data())
def test_no_direction_is_special(backend: Backend, data: st.DataObject) -> None:
    """Samples and coordinates in reverse order have the reversed derivative."""
    n = data.draw(st.integers(3, 5))
    real = numbers("float32")
    samples = [data.draw(real) for _ in range(n)]
    x = line(data.draw, n, backend.real)
    edge_order = data.draw(st.sampled_from([1, 2]))
    f, g = backend.asarray(samples), backend.asarray(samples[::-1])
    for entry, mirrored in (
        (0.5, -0.5),
        (backend.asarray(x), backend.asarray(x[::-1])),
    ):
        (result,) = anygrad.gradient(f, spacing=[entry], edge_order=edge_order)
        wanted = backend.tolist(result)[::-1]
        results = anygrad.gradient(g, spacing=[mirrored], edge_order=edge_order)
        scale = oracle.magnitude(samples[::-1], 0, oracle.steps(0, 0.125), edge_order)
        backend.check(results, [wanted], like=g, scales=[scale])


@given(data=st.data())
def test_scaling(backend: Backend, data: st.DataObject) -> None:
    """Coordinates times a power of two: the derivative over it, to the last bit."""
    samples = [data.draw(numbers("float32")) for _ in range(5)]
    x = line(data.draw, 5, backend.real)
    power = data.draw(st.integers(-80, 80))
    f = backend.asarray(samples)
    (result,) = anygrad.gradient(f, spacing=[backend.asarray(x)])
    stretched = backend.asarray([math.ldexp(a, power) for a in x])
    results = anygrad.gradient(f, spacing=[stretched])
    wanted = [math.ldexp(a, -power) for a in backend.tolist(result)]
    backend.check(results, [wanted], like=f)
