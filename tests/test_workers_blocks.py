"""What threads share: blocks of large samples."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad import _workers


@pytest.mark.parametrize(
    ("shape", "dtype", "is_shared"),
    [
        ((1000, 1000), "float64", False),
        ((1100, 1000), "float64", True),
        ((2200, 1000), "float32", True),
        ((1100, 1000), "int16", False),
        ((2200, 1000), "int16", True),  # its results have four times as many bytes
    ],
)
@pytest.mark.parametrize("is_masked", [False, True])
def test_what_is_little_is_not_shared(
    numpy: Any,
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, ...],
    dtype: str,
    is_shared: bool,
    is_masked: bool,
) -> None:
    """Another thread begins too late to help."""
    calls: list[int] = []
    share = _workers.share

    def watched(work: Any, items: Any, workers: int, within: Any) -> None:
        calls.append(workers)
        share(work, items, workers, within)

    monkeypatch.setattr(_workers, "share", watched)
    f = numpy.ones(shape, dtype=dtype)
    given = {"where": (numpy.arange(shape[1]) % 90 > 3)[None]} if is_masked else {}
    with anygrad.set_workers(2):
        result = anygrad.derivative(f, **given)
        assert anygrad.get_workers() == 2
    assert (result[:, 5:85] == 0).all()
    assert calls == ([2] if is_shared else [])
