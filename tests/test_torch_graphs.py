"""Calls in the graphs that torch makes of functions: traced, compiled, exported."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import anygrad
from transformed import COORDINATES, SAMPLES, along_the_rows


def test_torch_tracing(torch: Any) -> None:
    """A recording of the operations is right for other samples, too."""
    from torch.fx.experimental.proxy_tensor import make_fx

    def call(f: Any, x: Any) -> Any:
        return anygrad.gradient(f, spacing=[x], dim=1)[0]

    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the first one
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # a look at a shape
        programs = torch.jit.trace(call, (f, x)), make_fx(call)(f, x)
    tall = torch.cat([f, f * f])
    assert programs[0](tall, x).allclose(call(tall, x))
    for program in programs:
        assert program(f * f, x).allclose(call(f * f, x))
        assert program(f, x * x).allclose(call(f, x * x))


@pytest.fixture
def dynamo(torch: Any) -> Callable[..., Any]:
    """Return `torch.compile` without code generation: its tracing is what is tested."""
    torch._dynamo.reset()

    def compiled(function: Any, **keywords: Any) -> Any:
        return torch.compile(function, backend="eager", fullgraph=True, **keywords)

    return compiled


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
@pytest.mark.parametrize("dynamic", [False, True])
def test_torch_compile(torch: Any, dynamo: Any, dynamic: bool) -> None:
    """One graph without a break, for shapes that are fixed and that are not."""
    call = dynamo(
        lambda f, h, x: anygrad.gradient(f, spacing=[h, x], edge_order=2),
        dynamic=dynamic,
    )
    for rows, columns in ((3, 5), (4, 7)):
        f = (
            torch.arange(rows * columns, dtype=torch.float32).reshape(rows, columns)
            ** 2
        )
        h, x = torch.tensor(0.5), torch.arange(columns) ** 2
        results = call(f, h, x.float())
        wanted = anygrad.gradient(f, spacing=[h, x.float()], edge_order=2)
        for result, target in zip(results, wanted, strict=True):
            assert result.allclose(target)


def test_torch_compiles_once_for_all_shapes(torch: Any) -> None:
    """Not twice, as where a number that is the same for all is taken for an input."""
    from torch._dynamo.backends.debugging import aot_eager

    graphs = []

    def compiled(graph: Any, given: Any) -> Any:
        graphs.append(graph)
        return aot_eager(graph, given)

    torch._dynamo.reset()
    call = torch.compile(
        lambda f, x: anygrad.gradient(f, spacing=[0.5, x], boundary=["edge", 2.5]),
        backend=compiled,
        dynamic=True,
        fullgraph=True,
    )
    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    call(f, x)
    call(f[:, 1:].clone(), x[1:])
    assert len(graphs) == 1


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
def test_torch_compile_of_numbers_and_integers(torch: Any, dynamo: Any) -> None:
    """Python numbers as steps, and the dtypes that are converted on the way."""
    call = dynamo(lambda f: anygrad.gradient(f, spacing=[2, 0.5], dim=(-1, 0)))
    for dtype in ("uint8", "int64", "float16", "complex64"):
        f = (torch.arange(12).reshape(3, 4) ** 2).to(getattr(torch, dtype))
        wanted = anygrad.gradient(f, spacing=[2, 0.5], dim=(-1, 0))
        for result, target in zip(call(f), wanted, strict=True):
            assert result.dtype == target.dtype
            assert result.equal(target)


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
def test_torch_compile_and_backward(torch: Any, dynamo: Any) -> None:
    call = dynamo(lambda f, x: anygrad.gradient(f, spacing=[x], dim=1)[0])
    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    wanted = torch.func.grad(lambda f: (along_the_rows(f, x, 1) ** 2).sum())(f)
    f.requires_grad_()
    (call(f, x) ** 2).sum().backward()
    assert f.grad.allclose(wanted)


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch's own
def test_torch_compiles_the_way_back_alone(torch: Any) -> None:
    """Of calls that are not compiled: one graph, and no word of what is kept."""
    f = torch.tensor(SAMPLES * 3, dtype=torch.float64, requires_grad=True)
    x = torch.tensor(COORDINATES, dtype=torch.float64)
    whole = torch.compile(backend="eager", fullgraph=True)
    torch._dynamo.reset()
    for call in (
        lambda: anygrad.derivative(f, spacing=0.3, boundary="edge"),
        lambda: anygrad.derivative(f, spacing=0.3, boundary="edge", order=2),
        lambda: anygrad.hessian(f, spacing=0.3),
        lambda: anygrad.divergence(torch.stack([f, f * f]), spacing=[2.0, x]),
    ):
        (wanted,) = torch.autograd.grad(call().square().sum(), f)
        f.grad, loss = None, call().square().sum()
        with torch._dynamo.compiled_autograd._enable(whole):
            loss.backward()
        assert f.grad.allclose(wanted, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
def test_torch_export(torch: Any) -> None:
    """A program for another machine, for any number of rows."""

    class Slopes(torch.nn.Module):
        def forward(self, f: Any, x: Any) -> Any:
            return anygrad.gradient(f, spacing=[x], dim=1)[0]

    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    rows = torch.export.Dim("rows", min=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's own
        program = torch.export.export(Slopes(), (f, x), dynamic_shapes=({0: rows}, {}))
    tall = torch.cat([f, f * f])
    assert program.module()(tall, x).allclose(along_the_rows(tall, x, 1))


SYMBOLIC: dict[str, Callable[[Any], Any]] = {
    "step": lambda f: anygrad.derivative(f, spacing=1 / f.shape[-1]),
    "steps": lambda f: anygrad.laplacian(f, spacing=[f.shape[0], 6.0 / f.shape[1]]),
    "value": lambda f: anygrad.derivative(f, boundary=(f.shape[-1], "edge")),
    "period": lambda f: anygrad.derivative(
        f, spacing=f[0].cumsum(0).real, boundary=("periodic", f.shape[-1] * 1.5)
    ),
    "factors": lambda f: anygrad.gradient(f, scale_factors=[f.shape[0], 0.5])[1],
}


@pytest.mark.parametrize("call", SYMBOLIC.values(), ids=SYMBOLIC)
def test_torch_symbols_of_numbers(torch: Any, call: Callable[[Any], Any]) -> None:
    """What is computed from lengths that are traced is no number that is known."""
    from torch.fx.experimental.proxy_tensor import make_fx

    class Module(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, f: Any) -> Any:
            return call(f)

    f = torch.arange(30.0).reshape(5, 6).square() % 11 + 1
    taller = torch.arange(72.0).reshape(8, 9).square() % 11 + 1
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, of its own trees
        program = torch.export.export(
            Module(), (f,), dynamic_shapes=({0: free, 1: free},), strict=False
        )
    for traced in (program.module(), make_fx(call, tracing_mode="symbolic")(f)):
        assert traced(taller).allclose(call(taller))
        assert traced(taller).dtype == torch.float32


def test_torch_symbols_have_no_say_in_the_dtype(torch: Any) -> None:
    from torch.fx.experimental.proxy_tensor import make_fx

    def call(f: Any) -> Any:
        steps = [f.shape[0] / 2, 1.5]
        return anygrad.gradient(f, spacing=steps, scale_factors=[f.shape[1], 0.5])[0]

    for dtype in (torch.float16, torch.complex64, torch.int32):
        f = torch.arange(30).reshape(5, 6).to(dtype)
        traced = make_fx(call, tracing_mode="symbolic")(f)(f)
        assert traced.dtype == call(f).dtype
        assert traced.allclose(call(f), rtol=1e-3)


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
@pytest.mark.parametrize("strict", [True, False])
def test_torch_symbols_of_values(torch: Any, strict: bool) -> None:
    """A number that is taken out of a tensor may be any number when it is traced."""

    class Module(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, f: Any, x: Any) -> Any:
            step, last = (x[1] - x[0]).item(), x[-1].item()
            return (
                anygrad.laplacian(f, spacing=[step, 0.5], boundary=["edge", last]),
                anygrad.derivative(f, spacing=x, boundary=("periodic", 2 * last)),
                *anygrad.gradient(f, spacing=last, scale_factors=[2 * step, 1.0]),
            )

    f = torch.arange(30.0, dtype=torch.float64).reshape(5, 6).square() % 11
    x = torch.arange(1.0, 7, dtype=torch.float64) ** 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, of its own trees
        program = torch.export.export(Module(), (f, x), strict=strict).module()
    for other in (x, x / 2, 3 * x.flip(0)):
        wanted = Module()(f, other)
        for result, target in zip(program(f, other), wanted, strict=True):
            assert result.dtype == target.dtype
            assert result.allclose(target, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
@pytest.mark.parametrize("strict", [True, False])
def test_torch_lengths_of_values(torch: Any, strict: bool) -> None:
    """How many samples there are is only known with their values."""

    class Module(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, f: Any, x: Any) -> Any:
            part, nodes = f[x > 2], x[x > 2]
            torch._check(part.shape[0] >= 3)
            torch._check(nodes.shape[0] == part.shape[0])
            return anygrad.gradient(part, spacing=[nodes, 0.5], stack_dim=0)

    f = torch.arange(30.0).reshape(6, 5).square() % 11
    x = torch.arange(1.0, 7) ** 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, of its own trees
        program = torch.export.export(Module(), (f, x), strict=strict).module()
    for other in (x, x - 2, x + 2):
        wanted = Module()(f, other)
        assert program(f, other).allclose(wanted, rtol=1e-6)
