"""Whatever the memory of an array looks like: right results, and nothing written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _kept_plans
from backends import Backend

SHAPE = (3, 4, 5)


def samples() -> list[Any]:
    draw = random.Random(12)
    return oracle.build(SHAPE, lambda _: draw.randint(-50, 50))


def spacing_of(backend: Backend) -> list[Any]:
    """Return one entry of every kind: 0-d, a coordinate per point, coordinates."""
    curved = oracle.build((3, 4, 1), lambda i: 2 * i[1] + i[0] * i[1] / 4)
    return [
        backend.asarray(0.5),
        backend.asarray(curved),
        backend.asarray([0, 1, 3, 4, 8]),
    ]


def wanted(edge_order: int) -> list[Any]:
    f = samples()
    curved = oracle.build((3, 4, 1), lambda i: 2 * i[1] + i[0] * i[1] / 4)
    return [
        oracle.derivative(f, 0, oracle.steps(0, 0.5), edge_order),
        oracle.derivative(f, 1, oracle.per_point(curved), edge_order),
        oracle.derivative(f, 2, oracle.along(2, [0, 1, 3, 4, 8]), edge_order),
    ]


@pytest.mark.forms("all")
@pytest.mark.parametrize("edge_order", [1, 2])
def test_arguments_are_never_written_to(backend: Backend, edge_order: int) -> None:
    """Neither the samples nor the steps nor the coordinates, of any form of array."""
    f, spacing = backend.asarray(samples()), spacing_of(backend)
    before = [repr(backend.tolist(array)) for array in (f, *spacing)]
    results = anygrad.gradient(f, spacing=spacing, edge_order=edge_order)
    backend.check(results, wanted(edge_order), like=f)
    assert [repr(backend.tolist(array)) for array in (f, *spacing)] == before


def test_results_are_the_callers_own(numpy: Any) -> None:
    """They share no memory with the arguments or with each other, and are writable."""
    f, x = numpy.ones((4, 4)), numpy.arange(4.0)
    f.flags.writeable = x.flags.writeable = False
    results = anygrad.gradient(f, spacing=[x, 1.0])
    for result in results:
        assert result.flags.writeable
        assert not numpy.shares_memory(result, f)
        assert not numpy.shares_memory(result, x)
    assert not numpy.shares_memory(*results)


def numpy_views(numpy: Any) -> Iterator[tuple[str, Any]]:
    """Return the same samples in many memories."""
    plain = numpy.asarray(samples(), dtype="float64")
    yield "transposed", plain.transpose(2, 1, 0).copy().transpose(2, 1, 0)
    yield "other order", plain.transpose(1, 2, 0).copy().transpose(2, 0, 1)
    yield "backwards", plain[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1]
    every_third = numpy.full((9, 4, 15), numpy.nan)
    every_third[::3, :, ::3] = plain
    yield "with gaps", every_third[::3, :, ::3]
    within = numpy.full((5, 6, 7), numpy.nan)
    within[1:4, 1:5, 1:6] = plain
    yield "within", within[1:4, 1:5, 1:6]
    unaligned = numpy.zeros(plain.nbytes + 1, dtype="uint8")[1:].view("float64")
    yield "unaligned", unaligned.reshape(SHAPE)
    unaligned[:] = plain.ravel()
    yield "other byte order", plain.astype(plain.dtype.newbyteorder())


@pytest.mark.parametrize("number", range(7))
def test_numpy_memories(numpy: Any, number: int) -> None:
    name, f = list(numpy_views(numpy))[number]
    before = f.copy()
    spacing = [0.5, None, numpy.asarray([0.0, 1, 3, 4, 8])]
    curved = oracle.build((3, 4, 1), lambda i: 2 * i[1] + i[0] * i[1] / 4)
    spacing[1] = numpy.asarray(curved)
    results = anygrad.gradient(f, spacing=spacing)
    for result, target in zip(results, wanted(1), strict=True):
        assert type(result) is numpy.ndarray, name
        assert result.dtype.newbyteorder("=") == "float64", name
        assert oracle.difference(result.tolist(), target, 1e-15) is None, name
    assert (f == before).all()


def test_numpy_broadcast_samples(numpy: Any) -> None:
    """Strides of zero: one line for all, of samples and of coordinates."""
    line, x = [3, 1, 4, 1, 5], [0, 1, 3, 4, 8]
    f = numpy.broadcast_to(numpy.asarray(line, dtype="float64"), (3, 5))
    wide = numpy.broadcast_to(numpy.asarray(x, dtype="float64"), (3, 5))
    along, across = anygrad.gradient(f, spacing=[wide, 2.0][::-1])[::-1]
    target = oracle.derivative(line, 0, oracle.along(0, x), 1)
    assert oracle.difference(along.tolist(), [target] * 3, 1e-15) is None
    assert not across.any()
    assert across.shape == f.shape


def test_numpy_coordinates_backwards_in_memory(numpy: Any) -> None:
    line = [3.0, 1, 4, 1, 5]
    x = numpy.asarray([8.0, 4, 3, 1, 0])[::-1]
    (result,) = anygrad.gradient(numpy.asarray(line), spacing=[x])
    target = oracle.derivative(line, 0, oracle.along(0, [0, 1, 3, 4, 8]), 1)
    assert oracle.difference(result.tolist(), target, 1e-15) is None


def test_torch_memories(torch: Any) -> None:
    """Permuted, expanded, with gaps, a lazy conjugate and a lazy negative."""
    plain = torch.tensor(samples(), dtype=torch.float64)
    every_third = torch.full((9, 4, 15), torch.nan, dtype=torch.float64)
    every_third[::3, :, ::3] = plain
    for f in (
        plain.permute(2, 1, 0).contiguous().permute(2, 1, 0),
        plain.permute(1, 2, 0).contiguous().permute(2, 0, 1),
        every_third[::3, :, ::3],
        torch.complex(torch.zeros_like(plain), -plain).conj().imag,
    ):
        assert f.equal(plain)
        results = anygrad.gradient(f, spacing=[0.5, 1, 1])
        for result, target in zip(
            results, anygrad.gradient(plain, spacing=[0.5, 1, 1]), strict=True
        ):
            assert result.equal(target)
        assert f.equal(plain)
    line = torch.tensor([3.0, 1, 4, 1, 5]).expand(3, 5)
    along, across = anygrad.gradient(line, spacing=[1, 1])[::-1]
    assert along.tolist() == [[-2, 0.5, 0, 0.5, 4]] * 3
    assert across.tolist() == [[0] * 5] * 3
    assert along.stride() == (5, 1)  # laid out as torch does, also where it is small


def test_torch_may_resize_samples_and_results(torch: Any) -> None:
    for length in (0, 5, 200):
        f = torch.arange(length * 100.0).reshape(100, length)
        valid = f != 3
        (result,) = anygrad.gradient(f, dim=0)
        (masked,) = anygrad.gradient(f, dim=0, where=valid)
        for tensor in (f, valid, result, masked):
            assert tensor.resize_(101, length + 1).shape == (101, length + 1)


def test_torch_conjugates(torch: Any) -> None:
    f = torch.tensor([1 + 2j, 3 - 1j, 4j]).conj()
    assert f.is_conj()
    (result,) = anygrad.gradient(f)
    assert result.tolist() == [2 + 3j, -0.5 - 1j, -3 - 5j]


def test_torch_memories_of_masked_results(torch: Any) -> None:
    """As those of results of which nothing is missing, whatever their number."""
    for length in (7, 150):
        f = torch.arange(length * 120.0).reshape(length, 120)
        for samples in (f.T, f[:, ::2], f[:1].expand(length, 120), f[:-1, 1:].T):
            wanted = anygrad.gradient(samples)
            results = anygrad.gradient(samples, where=samples >= 0)
            for result, target in zip(results, wanted, strict=True):
                assert result.equal(target)
                assert result.stride() == target.stride()


CALLS_AGAIN: list[dict[str, Any]] = [
    {"spacing": 0.5},
    {"spacing": [0.5, "x"]},
    {"spacing": ["x", 0.5], "accuracy": 4},
    {"boundary": "periodic", "spacing": 0.5},
]


#: The first ones prepare nothing, and the later ones do what others have prepared.
CALLS = _kept_plans.OFTEN + 4


@pytest.mark.parametrize("keywords", CALLS_AGAIN)
@pytest.mark.parametrize("length", [7, 40, 150])
def test_numpy_memories_of_results(
    numpy: Any, length: int, keywords: dict[str, Any]
) -> None:
    """As those of the samples, in every call, whatever their number."""
    f = numpy.random.default_rng(0).random((2 * length, 40))
    for view in (f.T, f[::2], f[:, ::2], f[:, ::-1], f[1:, :-1].T, f[:1].repeat(9, 0)):
        given = with_coordinates(keywords, view.shape, numpy.arange)
        wanted = anygrad.gradient(view.copy(), **given)
        for _ in range(CALLS):
            for result, target in zip(
                anygrad.gradient(view, **given), wanted, strict=True
            ):
                assert numpy.array_equal(result, target)
                assert result.strides == numpy.empty_like(view).strides


@pytest.mark.parametrize("keywords", CALLS_AGAIN)
@pytest.mark.parametrize("length", [7, 40, 150])
def test_torch_memories_of_results(
    torch: Any, length: int, keywords: dict[str, Any]
) -> None:
    """Likewise."""
    f = torch.rand((2 * length, 40), generator=torch.Generator().manual_seed(0))
    for view in (f.T, f[::2], f[:, ::2], f[1:, :-1].T):
        given = with_coordinates(keywords, view.shape, torch.arange)
        wanted = anygrad.gradient(view.contiguous(), **given)
        for _ in range(CALLS):
            for result, target in zip(
                anygrad.gradient(view, **given), wanted, strict=True
            ):
                assert result.equal(target)
                assert result.stride() == torch.empty_like(view).stride()


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "uint8", "int64", "complex64", ">f4"]
)
@pytest.mark.parametrize(
    "keywords", [{}, {"order": 2}, {"boundary": ("reflect", 0.5)}, {"edge_order": 4}]
)
def test_calls_of_a_new_shape_are_as_later_ones(
    numpy: Any, dtype: str, keywords: dict[str, Any]
) -> None:
    """In bits, dtype and memory: blocks are prepared for shapes that come often."""
    f = numpy.random.default_rng(0).integers(-90, 90, (5, 6, 7)).astype(dtype)
    f = f * 2**55 + 1 if dtype == "int64" else f  # no float64 holds these
    repeated = numpy.broadcast_to(f[:, :1], f.shape)
    for view in (f, f.T, f[::-1], f[:, :, 0], repeated):
        first, *others = [
            anygrad.derivative(view, dim=0, spacing=0.3, **keywords)
            for _ in range(CALLS)
        ]
        for other in others:
            assert (other.dtype.str, other.strides) == (first.dtype.str, first.strides)
            assert other.tobytes() == first.tobytes()


#: Of axes without a place in memory: calls along the two longest.
PLACELESS = pytest.mark.parametrize(
    ("function", "shape", "dim"),
    [
        (function, *call)
        for function in ("gradient", "laplacian", "hessian")
        for call in (((6, 9), [0, 1]), ((6, 1, 9), [0, 2]), ((1, 6, 9), [1, 2]))
    ],
)


@PLACELESS
def test_numpy_axes_without_a_place_in_memory(
    numpy: Any, function: str, shape: tuple[int, ...], dim: list[int]
) -> None:
    """Those of one point, and those along which samples repeat, in whichever call."""
    turned = numpy.random.default_rng(0).random((2, *shape[::-1])).T[..., 0]
    repeated = numpy.broadcast_to(turned[..., :1], shape)
    for view in (turned, turned[..., ::-1], repeated):
        wanted = getattr(anygrad, function)(view.copy(), dim=dim)
        for _ in range(CALLS):
            made = getattr(anygrad, function)(view, dim=dim)
            for result, target in zip(made, wanted, strict=True):
                assert numpy.array_equal(result, target)


@PLACELESS
def test_torch_axes_without_a_place_in_memory(
    torch: Any, function: str, shape: tuple[int, ...], dim: list[int]
) -> None:
    """Likewise."""
    draw = torch.Generator().manual_seed(0)
    turned = torch.rand((2, *shape[::-1]), generator=draw).permute(
        *range(len(shape), -1, -1)
    )[..., 0]
    for view in (turned, turned[..., :1].expand(shape)):
        wanted = getattr(anygrad, function)(view.contiguous(), dim=dim)
        for _ in range(CALLS):
            made = getattr(anygrad, function)(view, dim=dim)
            for result, target in zip(made, wanted, strict=True):
                assert result.equal(target)


def with_coordinates(
    keywords: dict[str, Any], shape: tuple[int, ...], arange: Any
) -> dict[str, Any]:
    """Return keywords with uneven coordinates where an "x" stands."""
    if isinstance(keywords["spacing"], float):
        return keywords
    entries = [
        arange(float(length)) ** 1.5 if entry == "x" else entry
        for entry, length in zip(keywords["spacing"], shape, strict=True)
    ]
    return {**keywords, "spacing": entries}
