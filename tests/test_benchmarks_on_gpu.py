"""What is there for a GPU, tried without one: forms that refuse, and the script."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import cupy_on_cpu

ROOT = Path(__file__).parents[1]

no_gpu = pytest.mark.skipif(cupy_on_cpu.gpu_present(), reason="there is a GPU")


def run(*arguments: str) -> tuple[int, str]:
    """Run Python, and return its exit code and all that it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def refusal(option: str) -> str:
    """Return what pytest says where it is asked for a GPU that is not there."""
    code, said = run("-m", "pytest", "--backend", option, "-p", "no:cacheprovider")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert f"--backend {option}: RuntimeError: " in said
    return said


@pytest.mark.once
@no_gpu
def test_torch_says_why_it_has_no_gpu(torch: Any) -> None:
    said = refusal("torch-cuda")
    assert "is built without CUDA" in said or "finds no GPU that CUDA can use" in said


@pytest.mark.once
@no_gpu
def test_jax_says_why_it_has_no_gpu(jax: Any) -> None:
    assert "JAX puts arrays on the cpu: it finds no GPU" in refusal("jax-gpu")


@pytest.fixture
def script(cupy: Any) -> str:
    """Return the path of the script, where CuPy can be emulated."""
    if not cupy_on_cpu.installed():
        pytest.skip("there is a GPU, on which to run it as it is")
    return str(ROOT / "benchmarks" / "gpu.py")


@pytest.mark.once
def test_check(script: str) -> None:
    """Seven calls, one of each door: all are NumPy's."""
    options = ("--check", "--emulated", "--calls", "7", "--kinds", "7")
    code, said = run(script, *options)
    assert code == 0, said
    *_, last = said.splitlines()
    cells = [cell.strip() for cell in last.strip("|").split("|")]
    assert cells[:3] == ["cupy", "7", "7"]
    assert int(cells[3]) + int(cells[4]) == 7
    assert int(cells[5]) == 0


@pytest.mark.once
def test_what_is_wrong_is_found(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers, dtypes, and NaN and infinity in other places."""
    import numpy

    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from on_gpu import comparison

    f = numpy.asarray([1.0, numpy.nan, 3.0, numpy.inf])
    assert comparison.difference(f.copy(), f) == comparison.SAME
    assert comparison.difference(f * (1 + 1e-15), f) == comparison.CLOSE
    assert "roundings" in comparison.difference(f * (1 + 1e-12), f)
    assert "float32" in comparison.difference(f.astype("float32"), f)
    assert "NaN" in comparison.difference(numpy.nan_to_num(f), f)
    assert "infinities" in comparison.difference(-abs(f) * [-1, 1, -1, 1], f)


@pytest.mark.once
def test_tables(script: str) -> None:
    """Every table has its lines, and what cannot be measured is said in its row."""
    rows = ("step", "float32", "dim 1")
    code, said = run(script, "--emulated", "--small", "--rows", *rows)
    assert code == 0, said
    assert "cupy: emulated driver" in said
    assert said.count("| library |") == 3
    for work in ("step, float32, 10 x 10, dim 1", "step, float32, 20 x 20, dim 1"):
        assert f"| cupy | {work} |" in said
    assert "Error" not in said


@pytest.mark.once
def test_what_takes_too_long_is_given_up(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tables are printed, and say of what there was no time for."""
    code, said = run(script, "--emulated", "--small", "--seconds", "0.1")
    assert code == 0, said
    assert said.count("| library |") == 3
    assert "| cupy | out of time |" in said
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from on_gpu import table

    with pytest.raises(KeyboardInterrupt), table.alarm_at(time.monotonic() + 0.1):
        time.sleep(60)
