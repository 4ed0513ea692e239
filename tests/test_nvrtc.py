"""The texts of CUDA kernels, compiled by NVIDIA's own compiler, which needs no GPU.

It is not a part of CuPy's wheels, so this runs in a session of its own: `nox -s nvrtc`.
"""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anygrad._executors import in_numpy
from anygrad._executors.printed import cuda, cuda_language, torch_on_cuda, variants
from anygrad._executors.printed.variants import Variant
from anygrad._executors.recorded import tape
from anygrad._executors.recorded.composites import work_of
from planning import composite_of, plan_of

nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="NVRTC is not installed")
numpy = pytest.importorskip("numpy")

#: What is compiled for: that of the card on which kernels have been measured.
ARCHITECTURE = "90"

#: A kernel may take so many seconds; on two idle cores, it is half a second, and two
#: where it cannot be cut.
MOST_SECONDS, MOST_SECONDS_ALONE = 10, 40


def folders() -> list[bytes]:
    """Return the options for the headers of complex numbers, as CuPy gives them."""
    found: list[Path] = []
    for name, *places in (
        ("cupy", "_core/include", "_core/include/cupy/_cccl/*"),
        ("nvidia", "*/include"),
    ):
        spec = importlib.util.find_spec(name)
        for root in (spec and spec.submodule_search_locations) or ():
            found += [path for place in places for path in Path(root).glob(place)]
    return [f"-I{path}".encode() for path in found]


def compiled(text: str, kind: str) -> str:
    """Return PTX, or nothing for machine code; an error shows what is wrong."""
    _, program = nvrtc.nvrtcCreateProgram(text.encode(), b"kernel.cu", 0, [], [])
    target = f"--gpu-architecture={kind}_{ARCHITECTURE}"
    options = [target.encode(), b"--std=c++17", b"--fmad=false", *folders()]
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if int(error):
        _, size = nvrtc.nvrtcGetProgramLogSize(program)
        log = b" " * size
        nvrtc.nvrtcGetProgramLog(program, log)
        pytest.fail(log.decode())
    if kind == "sm":
        return ""
    _, size = nvrtc.nvrtcGetPTXSize(program)
    ptx = b" " * size
    nvrtc.nvrtcGetPTX(program, ptx)
    return ptx.decode()


def texts(name: str, f: Any, **keywords: Any) -> Iterator[tuple[Variant, str]]:
    """Return the texts of all variants of a call."""
    import array_api_compat.numpy

    if "scale_factors" in keywords:
        composite, _, xp = composite_of(name, f, **keywords)
        work: Any = work_of(f, composite, xp, in_numpy.run)
    else:
        work = tape.Call(f, plan_of(name, f, **keywords), array_api_compat.numpy)
    recording = work.record(*work.form())
    traits = variants.traits_of(recording)
    most = variants.ACCESS // max(
        cuda_language.SIZES[node.dtype] for node in recording.results
    )
    for lanes in {1, most}:
        for is_wide in (False, True):
            variant = Variant(lanes, is_wide)
            rows = variants.rows_of(traits, variant.columns)
            variant = variant._replace(rows=rows)
            text = cuda.text_of(recording, variant)
            assert text is not None
            yield variant, text


def samples(dtype: str, shape: tuple[int, ...] = (16, 16)) -> Any:
    values = numpy.arange(numpy.prod(shape)).reshape(shape) % 97
    return values.astype(dtype)


X = numpy.cumsum(numpy.arange(1.0, 17.0))

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "step": ("gradient", {"spacing": 0.3}),
    "edges": ("gradient", {"edge_order": 2, "boundary": ["one_sided", "reflect"]}),
    "coordinates": ("gradient", {"spacing": [X, X]}),
    "per point": ("gradient", {"spacing": [numpy.add.outer(X, X)] * 2}),
    "accuracy 8": ("derivative", {"accuracy": 8, "dim": 1}),
    "order 4": ("derivative", {"order": 4, "dim": 0}),
    "periodic": ("derivative", {"boundary": "periodic", "dim": 1}),
    "where": ("gradient", {"where": samples("int8") > 40}),
    "laplacian": ("laplacian", {"accuracy": 8}),
    "hessian": ("hessian", {}),
    "factors": (
        "laplacian",
        {"scale_factors": [X[:, None], X[:, None] + X], "boundary": ["edge", 1.0]},
    ),
    "factors and a mask": (
        "gradient",
        {"scale_factors": [X[:, None], 2.0], "where": samples("int8") > 40},
    ),
    "wide": ("derivative", {"order": 2, "accuracy": 8, "dim": 1, "spacing": X}),
}


DTYPES = ["float32", "float64", "uint8", "int64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("call", CALLS)
def test_a_kernel_compiles(call: str, dtype: str) -> None:
    name, keywords = CALLS[call]
    if dtype.startswith("complex") and importlib.util.find_spec("cupy") is None:
        pytest.skip("CuPy has the headers of complex numbers, and is not installed")
    if (call, dtype) == ("laplacian", "int64"):
        pytest.skip("one kernel per term: the text would be long")
    most = MOST_SECONDS_ALONE if call == "wide" else MOST_SECONDS
    for variant, text in texts(name, samples(dtype), **keywords):
        start = time.perf_counter()
        compiled(text, "sm")
        assert time.perf_counter() - start < most, variant


def test_bfloat16_compiles() -> None:
    """NumPy has none to record a call with."""
    body = "k(bfloat16* a) { a[0] = as_bfloat16(as_float(a[1])); }"
    text = f'{cuda_language.BFLOAT16}\nextern "C" __global__ void {body}'
    assert "cvt.rn.bf16.f32" in compiled(text, "compute")
    compiled(text, "sm")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", CALLS)
def test_products_and_sums_are_rounded_one_by_one(call: str, dtype: str) -> None:
    """Else, the bits would not be those of a CPU."""
    name, keywords = CALLS[call]
    for _, text in texts(name, samples(dtype), **keywords):
        assert not re.search(r"\bfma\.", compiled(text, "compute"))


@pytest.mark.parametrize(("dtype", "count"), [("float32", 4), ("float64", 2)])
def test_sixteen_bytes_are_moved_at_once(dtype: str, count: int) -> None:
    """One load per row that is read, for all results of a thread together."""
    for keywords, loads in (({}, 6), ({"accuracy": 8}, 12)):
        found = texts("derivative", samples(dtype), dim=0, **keywords)
        ((_, text),) = [one for one in found if one[0][:2] == (count, False)]
        ptx = compiled(text, "compute")
        bits = 8 * samples(dtype).itemsize
        assert len(re.findall(rf"ld\.global\.nc\.v{count}\.f{bits}", ptx)) == loads
        assert len(re.findall(rf"st\.global\.v{count}\.f{bits}", ptx)) == 4


@pytest.mark.parametrize(("dtype", "count"), [("float32", 4), ("float64", 2)])
def test_rows_are_read_before_anything_is_divided(dtype: str, count: int) -> None:
    """Machine code branches in a division, and what is loaded behind it waits."""
    per_point = numpy.add.outer(X, X).astype(dtype)
    for spacing in (X.astype(dtype), per_point):
        found = texts("derivative", samples(dtype), dim=0, spacing=spacing)
        ((variant, text),) = [one for one in found if one[0][:2] == (count, False)]
        ptx = compiled(text, "compute")
        places = re.finditer(rf"ld\.global\.nc\.v{count}\.f", ptx)
        loads = [place.start() for place in places]
        arrays = 1 if spacing is not per_point else 2
        assert len(loads) == arrays * (variant.rows + 2)
        assert loads[-1] < ptx.index("div.rn", loads[0])


@pytest.mark.parametrize(("dtype", "step"), [("float32", 1.3), ("float64", 0.3)])
def test_points_apart_are_read_before_anything_is_divided(
    dtype: str, step: float
) -> None:
    """Those of rows that begin anywhere, by steps that are no factors."""
    for variant, text in texts("laplacian", samples(dtype), spacing=step):
        if variant.is_apart:
            before, divided, _ = compiled(text, "compute").partition("div.rn")
            assert divided
            assert before.count("ld.global") >= 5


def test_the_launcher_for_torch_compiles_and_keeps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the real `cuda.core`, and without headers, as for numbers of 16 bits."""
    pytest.importorskip("cuda.core", reason="cuda.core is not installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for dtype in ("float32", "float16"):
        for _, text in texts("derivative", samples(dtype), dim=1):
            before = {path for path in tmp_path.rglob("*") if path.is_file()}
            for _ in range(2):
                made = torch_on_cuda.compiled_for(f"sm_{ARCHITECTURE}", text)
                assert made.code_type == "cubin"
            after = {path for path in tmp_path.rglob("*") if path.is_file()}
            assert len(after - before) == 1


def test_weights_are_made_once_for_all_rows() -> None:
    """Those on coordinates of the last dim; a row alone divides no more."""
    found = texts("derivative", samples("float64"), dim=1, spacing=X)
    for _, text in found:
        before, rows = text.split("for (position row =")
        inner, _ = rows.split("} else {", maxsplit=1)
        assert " / " in before
        assert " / " not in inner
