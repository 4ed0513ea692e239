"""Calls that Numba compiles, as tests want them: small, in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors.printed import in_numba
from planning import plan_of


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what is compiled in a folder of the tests' own."""
    pytest.importorskip("numba")
    folder = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYGRAD_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep nothing of what other tests have compiled."""
    monkeypatch.setenv("ANYGRAD_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(in_numba, "_kernels", {})
    return tmp_path


@pytest.fixture(autouse=True)
def default() -> Iterator[None]:
    """Leave the setting of the process as it was."""
    before = anygrad.get_compiler()
    yield
    anygrad.set_default_compiler(before)


class Runs(list[bool]):
    """Whether each call that was offered to the compiler has been compiled."""


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Compile small arrays, too, and return what has become of the calls."""
    run, seen = in_numba.run, Runs()

    def watched(*arguments: Any) -> bool:
        seen.append(run(*arguments))
        return seen[-1]

    monkeypatch.setattr(in_numba, "run", watched)
    monkeypatch.setattr(in_numba, "pays", lambda f, plan: True)
    return seen


def bits(array: Any) -> Any:
    """Return what two arrays share if they are the same; a NaN is a NaN."""
    import numpy

    array = numpy.asarray(array)
    if array.dtype.kind == "c":
        return bits(array.real), bits(array.imag)
    is_nan = numpy.isnan(array)
    values = numpy.where(is_nan, 0, array)
    return array.dtype, array.shape, is_nan.tobytes(), values.tobytes()


def assert_same(got: Any, wanted: Any) -> None:
    """Hold results to those of the agnostic run; complex ones, within rounding."""
    import numpy

    got = got if isinstance(got, tuple) else (got,)
    assert len(got) == len(wanted)
    for ours, theirs in zip(got, wanted, strict=True):
        if ours.dtype.kind == "c":
            size = numpy.abs(theirs).max(initial=0.0)
            tolerance = 32 * numpy.finfo(theirs.dtype).eps * size
            assert numpy.abs(ours - theirs).max(initial=0.0) <= tolerance
        else:
            assert bits(ours) == bits(theirs)


def agnostic(function: str, f: Any, **keywords: Any) -> tuple[Any, ...]:
    plan = plan_of(function, f, **keywords)
    import numpy

    with numpy.errstate(all="ignore"):
        return _agnostic.run(f, plan, plan.namespace)


def compiled(function: str, f: Any, **keywords: Any) -> Any:
    with anygrad.set_compiler("numba"):
        return getattr(anygrad, function)(f, **keywords)


@pytest.fixture
def plane(numpy: Any) -> Any:
    return numpy.random.default_rng(5).standard_normal((23, 31))
