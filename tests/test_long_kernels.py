"""Calls on CuPy arrays whose text is too long for one kernel, or for any."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import anygrad
import launches
from anygrad._executors.printed import cuda, on_cuda
from launches import NAME, assert_same, numbers

count = launches.count


@pytest.mark.parametrize("what", ["too long", "no compiler"])
def test_without_a_kernel(
    cupy: Any, count: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The call is right all the same; only what is broken warns, and once."""
    monkeypatch.setattr(on_cuda, "_kernels", {})
    if what == "too long":
        monkeypatch.setattr(cuda, "MOST_LINES", 1)
        monkeypatch.setattr(cuda, "MOST_LINES_ALONE", 1)
    else:
        monkeypatch.setattr(cuda, "text_of", lambda *_: "this is no C++")
    samples = numbers((7, 8), "float64")
    expected = anygrad.laplacian(samples)
    if what == "no compiler":
        with pytest.warns(RuntimeWarning, match="^CUDA cannot compile this call"):
            anygrad.laplacian(cupy.asarray(samples))
    with count() as recording:
        ours = anygrad.laplacian(cupy.asarray(samples))
    assert NAME not in recording.launches
    assert_same(ours, expected)


@pytest.mark.parametrize(
    ("name", "shape", "most"),
    [
        ("hessian", (12, 14), 700),
        ("hessian", (12, 14), 200),
        ("laplacian", (12, 14), 200),
        ("curl", (3, 6, 7, 8), 200),
        ("jacobian", (2, 6, 7), 100),
    ],
)
def test_long_texts_become_several_kernels(
    cupy: Any,
    count: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shape: tuple[int, ...],
    most: int,
) -> None:
    """One per result, one per term of a sum, two for a mixed derivative."""
    monkeypatch.setattr(on_cuda, "_kernels", {})
    monkeypatch.setattr(cuda, "MOST_LINES", most)
    function, samples = getattr(anygrad, name), numbers(shape, "float64")
    accuracy = 4 if len(shape) == 2 else 2
    expected = function(samples, accuracy=accuracy)
    with count() as recording:
        ours = function(cupy.asarray(samples), accuracy=accuracy)
    assert 2 <= recording.launches.count(NAME) <= 6
    assert_same(ours, expected)


def test_long_sums_of_real_and_complex_terms(
    cupy: Any, count: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each term of integers has memory of its own dtype, and so of its own size."""
    numpy = pytest.importorskip("numpy")
    monkeypatch.setattr(on_cuda, "_kernels", {})
    monkeypatch.setattr(cuda, "MOST_LINES", 40)
    samples = numpy.arange(3 * 6 * 7 * 8).reshape(3, 6, 7, 8) ** 2 % 99
    x, y, z = [numpy.arange(n) ** 2 for n in samples.shape[1:]]
    for spacing in ([x, y, z * 1j], [x * 1j, y, z]):
        expected = anygrad.divergence(samples, spacing=spacing)
        there = [cupy.asarray(array) for array in spacing]
        with count() as recording:
            ours = anygrad.divergence(cupy.asarray(samples), spacing=there)
        assert recording.launches.count(NAME) == 3
        error = numpy.abs(cupy.asnumpy(ours) - expected).max()
        assert error <= 1e-13 * numpy.abs(expected).max()


@pytest.mark.parametrize(
    ("name", "keywords", "kernels"),
    [
        ("derivative", {"accuracy": 8}, 1),
        ("derivative", {"accuracy": 8, "order": 2, "dim": 0}, 1),
        ("derivative", {"accuracy": 6, "where": True}, 1),
        ("laplacian", {"accuracy": 8}, 2),
    ],
    ids=str,
)
def test_long_texts_that_cannot_be_cut(
    cupy: Any, count: Any, name: str, keywords: dict[str, Any], kernels: int
) -> None:
    """They are compiled all the same: by operations, there are thousands of kernels."""
    numpy = pytest.importorskip("numpy")
    samples, x = numbers((24, 24), "float64"), numpy.arange(24.0) ** 1.5
    spacing: Any = [x, x] if name == "laplacian" else x
    if "where" in keywords:
        keywords, spacing = {**keywords, "where": numpy.arange(24) % 9 != 5}, 0.3
    function = partial(getattr(anygrad, name), spacing=spacing)
    expected = function(samples, **keywords)
    if "where" in keywords:
        keywords = {**keywords, "where": cupy.asarray(keywords["where"])}
    with count() as recording:
        ours = function(cupy.asarray(samples), **keywords)
    assert recording.launches.count(NAME) == kernels
    assert_same(ours, expected)
