"""Kernels on torch's tensors by `cuda.core`, with a launcher that runs them on the CPU.

What `cuda.core` is asked for, and with which arguments, is held here, and that the
text computes what NumPy does; whether a real card does is asked by `benchmarks/gpu.py`.
"""

from __future__ import annotations

import errno
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic, _transposed
from anygrad._executors import in_torch
from anygrad._executors.printed import on_cuda, torch_on_cuda
from anygrad._executors.recorded.composites import work_of
from planning import composite_of, plan_of
from pretended_launcher import DRIVER, STREAM, CUresult, Device, Program, launch, load

pytestmark = pytest.mark.peers

numpy = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

#: As it is where nothing is pretended.
HAS_LAUNCHER = torch_on_cuda._has_launcher.__wrapped__


@pytest.fixture(autouse=True)
def pretended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Put a launcher on the CPU in the place of `cuda.core`, and of torch's streams."""
    monkeypatch.setattr(Program, "folder", tmp_path)
    monkeypatch.setattr(Program, "made", [])
    core: Any = ModuleType("cuda.core")
    core.Program, core.ProgramOptions = Program, SimpleNamespace
    core.LaunchConfig, core.launch, core.Device = SimpleNamespace, launch, Device
    core.Stream = SimpleNamespace(from_handle=lambda handle: handle)
    utils: Any = ModuleType("cuda.core.utils")
    utils.FileStreamProgramCache = object
    monkeypatch.setitem(sys.modules, "cuda", ModuleType("cuda"))
    core.utils = utils
    bindings: Any = ModuleType("cuda.bindings")
    bindings.driver = SimpleNamespace(
        cuCtxGetCurrent=DRIVER.get_current,
        cuKernelGetFunction=load,
        cuThreadExchangeStreamCaptureMode=DRIVER.exchange,
        CUstreamCaptureMode=SimpleNamespace(CU_STREAM_CAPTURE_MODE_RELAXED="relaxed"),
    )
    bindings.nvrtc = SimpleNamespace(
        nvrtcGetSupportedArchs=lambda: (0, [75, 80, 86, 90, 100, 120])
    )
    for module in (core, utils, bindings):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(torch_on_cuda, "_has_launcher", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    stream = SimpleNamespace(cuda_stream=STREAM)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: stream)
    monkeypatch.setattr(on_cuda, "_kernels", {})


CALLS: tuple[tuple[str, tuple[int, ...], dict[str, Any]], ...] = (
    ("gradient", (5, 8), {"spacing": 0.3}),
    ("gradient", (5, 7), {"edge_order": 2}),
    ("derivative", (9, 4), {"accuracy": 4, "dim": 0}),
    ("laplacian", (4, 5, 4), {"spacing": 0.1}),
    ("divergence", (2, 4, 8), {"vector_dim": 0}),
    ("hessian", (4, 8), {}),
)


def run(name: str, f: Any, **keywords: Any) -> Any:
    """Return what a call gives by kernels; None where there is none for it."""
    import array_api_compat.torch

    plan = plan_of(name, f, **keywords)
    return torch_on_cuda.run(f, plan, array_api_compat.torch)


def test_factors_are_in_the_kernel() -> None:
    rng = numpy.random.default_rng(1)
    f, h = rng.random((2, 4, 8)), [rng.random((4, 1)) + 1, rng.random((4, 8)) + 1]
    call = partial(anygrad.divergence, spacing=[0.1, 0.2], vector_dim=0)
    expected = call(f, scale_factors=h)
    wind, factors = torch.from_numpy(f), list(map(torch.from_numpy, h))
    keywords = {**call.keywords, "scale_factors": factors}
    composite, plan, xp = composite_of("divergence", wind, **keywords)
    work = work_of(wind, composite, xp, in_torch.run)
    (ours,) = torch_on_cuda.run_composite(work, plan)
    assert ours.numpy().tobytes() == expected.tobytes()
    assert len(Program.made) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_values_are_those_of_numpy(call: Any, dtype: str) -> None:
    name, shape, keywords = call
    samples = numpy.random.default_rng(1).normal(size=shape).astype(dtype)
    expected = getattr(anygrad, name)(samples, **keywords)
    expected = expected if isinstance(expected, tuple) else (expected,)
    tensors = [torch.from_numpy(samples)]
    if samples.ndim == 2:
        tensors.append(torch.from_numpy(samples.T.copy()).t())
    for f in tensors:
        ours = run(name, f, **keywords)
        for one, other in zip(ours, expected, strict=True):
            numpy.testing.assert_array_equal(one.numpy(), other)


def test_coordinates_and_masks() -> None:
    samples = numpy.random.default_rng(1).normal(size=(6, 8))
    x, mask = numpy.cumsum(numpy.arange(1.0, 9.0)), samples > -1
    keywords = {"spacing": [x], "dim": 1, "where": mask}
    (expected,) = anygrad.gradient(samples, **keywords)
    there = {k: torch.from_numpy(v) for k, v in (("where", mask),)}
    (ours,) = run(
        "gradient", torch.from_numpy(samples), spacing=[torch.from_numpy(x)], dim=1,
        **there,
    )  # fmt: skip
    numpy.testing.assert_array_equal(ours.numpy(), expected)


@pytest.mark.parametrize("keywords", [{}, {"accuracy": 4}, {"dtype": torch.float32}])
def test_bfloat16(keywords: dict[str, Any]) -> None:
    """Rounded to even, which NaN and infinity survive; in whatever layout."""
    f = (torch.rand((70, 24), generator=torch.Generator().manual_seed(1)) - 0.5) * 300
    f[2, 3], f[7, 11], f[40, 2], f[50, 9] = torch.nan, torch.inf, 3e38, 1e-39
    f = f.to(torch.bfloat16)
    for dim, there in ((0, f), (1, f), (0, f.t().contiguous().t()), (1, f[:, 1:])):
        (ours,) = run("gradient", there, dim=dim, **keywords)
        (expected,) = anygrad.gradient(there, dim=dim, **keywords)
        assert ours.dtype is expected.dtype
        numpy.testing.assert_array_equal(ours.float().numpy(), expected.float().numpy())


def test_what_cuda_is_asked_for() -> None:
    f = torch.ones((4, 8))
    for step in (0.3, 0.7):
        run("gradient", f, spacing=step)
    (program,) = Program.made  # the other step compiles nothing
    options = program.options
    assert (options.arch, options.fma, options.std) == ("sm_90", False, "c++17")


@pytest.mark.parametrize(
    ("card", "compiled"),
    [((8, 6), 86), ((8, 9), 86), ((12, 1), 120), ((10, 3), 100), ((7, 0), 70)],
)
def test_a_card_that_the_compiler_does_not_know(
    monkeypatch: pytest.MonkeyPatch, card: tuple[int, int], compiled: int
) -> None:
    """It runs what is compiled for an earlier one, if that has its first number."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: card)
    run("gradient", torch.ones((10 * card[0] + card[1], 8)))  # not called before
    (program,) = Program.made
    assert program.options.arch == f"sm_{compiled}"


def test_a_hessian_is_written_at_all_places() -> None:
    f = torch.arange(48.0).reshape(6, 8) ** 2
    (ours,) = run("hessian", f)
    (program,) = Program.made
    assert program.text.count("o3[") == 1
    numpy.testing.assert_array_equal(ours.numpy(), anygrad.hessian(f.numpy()))


def refuse(*_: Any, **__: Any) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


def homeless() -> None:
    msg = "Could not determine home directory."
    raise RuntimeError(msg)


@pytest.mark.parametrize("what", ["the folder", "a home", "a file"])
def test_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The kernel is compiled all the same, and nobody is warned."""
    compile_ = Program.compile

    def compile_without(self: Any, target: str, cache: Any = None) -> Any:
        return refuse() if cache is not None else compile_(self, target)

    if what == "a file":
        monkeypatch.setattr(Program, "compile", compile_without)
    else:
        utils = sys.modules["cuda.core.utils"]
        refusal = refuse if what == "the folder" else homeless
        monkeypatch.setattr(utils, "FileStreamProgramCache", refusal)
    f = torch.arange(9.0 * len(what)).reshape(-1, 9) ** 2  # not called before
    for one, other in zip(run("gradient", f), anygrad.gradient(f.numpy()), strict=True):
        numpy.testing.assert_array_equal(one.numpy(), other)


def test_a_first_call_that_is_captured() -> None:
    """torch captures in the mode in which the driver refuses to load a kernel."""
    assert DRIVER.mode == "global"
    run("gradient", torch.ones((5, 11)))
    assert len(Program.made) == 1
    assert DRIVER.mode == "global"  # as it was


def test_a_driver_that_does_not_load_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that is older than the compiler: nobody's call fails by that."""
    refuses = partial(load, status=CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU)
    driver = sys.modules["cuda.bindings"].driver
    monkeypatch.setattr(driver, "cuKernelGetFunction", refuses)
    message = r"cannot compile this call, .*CUDA_ERROR_NO_BINARY_FOR_GPU"
    with pytest.warns(RuntimeWarning, match=message):
        assert run("gradient", torch.ones((7, 13)), dim=0) is None
    assert DRIVER.mode == "global"


def test_what_has_no_kernel() -> None:
    """It is computed as without `cuda.core`."""
    for f in (
        torch.ones(4, dtype=torch.complex64),
        torch.ones(4, dtype=torch.float8_e5m2),
        torch.ones((80, 4), dtype=torch.float8_e5m2),  # of many rows
        torch.ones((80, 4), dtype=torch.complex64),
        torch.ones((0, 4)),
        torch.ones(4, dtype=torch.complex64).conj().imag,  # negated when it is read
    ):
        assert run("gradient", f, dim=-1) is None
        if len(f) > 4:
            assert run("gradient", f, dim=0) is None


def test_a_thread_that_has_launched_nothing_yet() -> None:
    """As those of autograd: `cuda.core` launches by the driver, which must be told."""
    f = torch.arange(32.0).reshape(4, 8) ** 2
    for _ in range(2):  # compiled by this thread, and launched by others
        with ThreadPoolExecutor(1) as thread:
            ours = thread.submit(run, "gradient", f).result()
        for one, other in zip(ours, anygrad.gradient(f.numpy()), strict=True):
            numpy.testing.assert_array_equal(one.numpy(), other)


def test_an_older_launcher_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that keeps nothing, nor one whose names lie elsewhere."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert HAS_LAUNCHER()
    monkeypatch.delattr(sys.modules["cuda.core.utils"], "FileStreamProgramCache")
    assert not HAS_LAUNCHER()
    monkeypatch.delattr(sys.modules["cuda.core"], "utils")
    monkeypatch.delitem(sys.modules, "cuda.core.utils")
    assert not HAS_LAUNCHER()


def test_without_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_on_cuda, "_has_launcher", lambda: False)
    assert run("gradient", torch.ones(4)) is None


X = numpy.cumsum(numpy.arange(1.0, 13.0))

DERIVATIVES: tuple[dict[str, Any], ...] = (
    {},
    {"spacing": -0.3, "dim": 0},
    {"accuracy": 4},
    {"accuracy": 8, "dim": 0},
    {"order": 2, "edge_order": 2},
    {"order": 3, "accuracy": 4, "dim": 0},
    {"boundary": "periodic"},
    {"boundary": ("reflect", 2.5), "order": 2},
    {"spacing": X},
    {"spacing": X, "dim": 0, "accuracy": 4},
)


@pytest.mark.parametrize("keywords", DERIVATIVES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_way_back_is_one_kernel(keywords: dict[str, Any], dtype: Any) -> None:
    """The transposed sum is gathered; its bits are those of the agnostic run."""
    import array_api_compat.torch as xp

    keywords = {"dim": 1, **keywords}
    if "spacing" in keywords and keywords["spacing"] is X:
        x = numpy.cumsum(numpy.arange(1.0, 21.0))
        keywords["spacing"] = torch.from_numpy(x).to(dtype)
    slopes = torch.from_numpy(numpy.random.default_rng(4).normal(size=(20, 20)))
    slopes = slopes.to(dtype)
    plan = plan_of("derivative", slopes, **keywords)
    plan = plan.with_tasks((_transposed.of(plan.tasks[0]),))
    for given in (slopes, slopes.t(), torch.ones((), dtype=dtype).expand(20, 20)):
        before = len(Program.made)
        (total,) = torch_on_cuda.run(given, plan, xp)
        assert len(Program.made) <= before + 1
        (expected,) = _agnostic.run(given, plan, xp)
        numpy.testing.assert_array_equal(total.numpy(), expected.numpy())
