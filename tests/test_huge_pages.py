"""Large tensors are asked to be in huge pages."""

from __future__ import annotations

import mmap
import sys
from typing import Any

import pytest

import anygrad
from anygrad._executors import huge_pages


def test_large_results_only(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are all of the result and of nothing else; the values are as ever."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(huge_pages, "_asking", lambda: lambda *p: asked.append(p))
    f = torch.arange(2.0**20).reshape(1024, 1024)
    (result,) = anygrad.gradient(f, dim=0)
    assert (result == 1024).all()
    assert asked == [(result.data_ptr(), result.nbytes)]
    anygrad.gradient(f[1:].contiguous(), dim=0)
    assert len(asked) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the advice")
def test_the_system_takes_the_advice(torch: Any) -> None:
    """Of whole pages, of which the last need not be."""
    made = torch.zeros(2**20 + 3)[3:]
    huge_pages._asking()(made.data_ptr(), made.nbytes)
    assert (made == 0).all()


def test_a_system_without_advice(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    monkeypatch.setattr(huge_pages, "_asking", huge_pages._asking.__wrapped__)
    (result,) = anygrad.gradient(torch.ones(2**20), spacing=0.5)
    assert (result == 0).all()
