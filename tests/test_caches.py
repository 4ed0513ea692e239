"""Caches: how large the blocks of a machine are."""

from __future__ import annotations

from pathlib import Path

import pytest

from anygrad._executors import caches
from anygrad._executors.played import preparing


@pytest.mark.parametrize(
    ("told", "is_near"),
    [
        ("32768K\n", True),
        ("65536K\n", True),
        ("107520K\n", False),
        ("491520K\n", False),
        ("\n", True),
        ("large\n", True),
    ],
)
def test_the_size_of_the_last_cache_tells_whether_it_is_near(
    told: str, is_near: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "size"
    file.write_text(told, encoding="ascii")
    monkeypatch.setattr(caches, "SIZE", file)
    assert caches.is_last_one_near() is is_near


def test_it_is_near_where_nobody_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "SIZE", tmp_path / "none")
    assert caches.is_last_one_near()


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize("is_near", [False, True])
def test_blocks_that_threads_share(
    is_near: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four at least, but none is small; and none is larger than what stays cached."""
    import numpy

    import anygrad
    from anygrad._executors import in_numpy

    monkeypatch.setattr(caches, "is_last_one_near", lambda: is_near)
    ops = in_numpy._ops.__wrapped__()
    monkeypatch.setattr(in_numpy, "_ops", lambda: ops)
    lengths: list[list[int]] = []
    cut = preparing.blocks.cut_into_blocks

    def watched(*given: object) -> object:
        found = list(cut(*given))  # type: ignore[arg-type]
        lengths.append([stop - start for ((start, stop),) in found])
        return found

    monkeypatch.setattr(preparing.blocks, "cut_into_blocks", watched)
    for count in (2**17, 2**17, 2**18 + 4, 2**21):
        (result,) = anygrad.gradient(numpy.arange(count + 0.0))
        assert (result == 1.0).all()
    few, some, many = lengths[-3:]  # to record the first call may not pay
    assert len(few) == 2
    assert len(some) == (4 if is_near else 5)
    assert max(many) <= (2**18 if is_near else 2**16) + 2
    assert len(many) == (8 if is_near else 32)
