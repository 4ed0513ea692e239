"""The way back through torch's autograd: to whom it flows, and what it keeps."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors import in_torch
from backends import Backend
from transformed import COORDINATES, SAMPLES


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("kind", ["number", "range", "0-d", "coordinates", "per point"])
def test_torch_way_back_to_the_samples(
    torch: Any, monkeypatch: pytest.MonkeyPatch, kind: str, dim: int, edge_order: int
) -> None:
    """As autograd finds it in the agnostic run; by NumPy, and in torch's blocks."""
    torch.manual_seed(0)
    f = torch.rand(6, 7, dtype=torch.float64, requires_grad=True)
    x = torch.rand(6, 7, dtype=torch.float64).cumsum(dim)
    line = x[:, 0] if dim == 0 else x[0]
    number = {"number": 0.3, "range": 1e-310}
    entry = {"0-d": x[0, 0], "coordinates": line, "per point": x, **number}[kind]

    def slopes(f: Any) -> Any:
        keywords = {"dim": dim, "edge_order": edge_order}
        return anygrad.gradient(f, spacing=[entry], **keywords)[0]

    with torch.no_grad():
        weights = torch.rand_like(f) * (number["range"] if kind == "range" else 1)
    wanted = torch.func.grad(lambda f: (slopes(f) * weights).sum())(f.detach())
    for in_numpy in (in_torch._in_numpy, lambda: None):
        monkeypatch.setattr(in_torch, "_in_numpy", in_numpy)
        (found,) = torch.autograd.grad(slopes(f), f, weights)
        assert found.allclose(wanted, rtol=1e-13, atol=1e-13)
    if kind != "range":
        batched = {"check_batched_grad": True}
        assert torch.autograd.gradcheck(slopes, f, **batched)
        assert torch.autograd.gradgradcheck(slopes, f, **batched)


@pytest.mark.parametrize(
    ("function", "keywords"),
    [
        ("derivative", {"dim": 1, "accuracy": 8}),
        ("derivative", {"dim": 0, "order": 3, "boundary": (2.5, "reflect")}),
        ("derivative", {"dim": 1, "boundary": "periodic"}),
        ("gradient", {"spacing": 0.5, "boundary": "edge"}),
        ("laplacian", {"spacing": 0.5, "boundary": 1.0}),
        ("hessian", {"spacing": [0.5, list(range(20))]}),
        ("divergence", {}),
        ("curl", {}),
        ("jacobian", {"accuracy": 4}),
    ],
    ids=str,
)
def test_torch_way_back_in_blocks(
    torch: Any, monkeypatch: pytest.MonkeyPatch, function: str, keywords: dict[str, Any]
) -> None:
    """The bits of the agnostic run of the same plans, and what torch finds itself."""
    torch.manual_seed(0)
    fields = function in ("divergence", "curl", "jacobian")
    f = torch.rand((2, 19, 20) if fields else (19, 20), dtype=torch.float64)
    if "spacing" in keywords and function == "hessian":
        step, x = keywords["spacing"]
        keywords = {"spacing": [step, torch.tensor(x, dtype=f.dtype).square()]}

    def call(f: Any) -> Any:
        result = getattr(anygrad, function)(f, **keywords)
        return torch.stack(result) if isinstance(result, tuple) else result

    weights = torch.rand_like(call(f))
    wanted = torch.func.vjp(call, f)[1](weights)[0]
    cut = in_torch._ops(True)._replace(block_bytes=96, scratch_bytes=96)
    monkeypatch.setattr(in_torch, "_ops", lambda on_cpu: cut)
    monkeypatch.setattr(in_torch, "_in_numpy", lambda: None)
    f.requires_grad_()
    result = call(f)
    monkeypatch.setattr(in_torch, "_run_blocked", _agnostic.run)
    (expected,) = torch.autograd.grad(result, f, weights, retain_graph=True)
    monkeypatch.undo()
    monkeypatch.setattr(in_torch, "_ops", lambda on_cpu: cut)
    monkeypatch.setattr(in_torch, "_in_numpy", lambda: None)
    for _ in range(2):  # the second time from what has been kept
        (found,) = torch.autograd.grad(result, f, weights, retain_graph=True)
        assert found.equal(expected)
    assert found.allclose(wanted, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradgradcheck(call, f, fast_mode=True)


@pytest.mark.parametrize("boundary", ["one_sided", "reflect", ("periodic", 99.0)])
def test_torch_distances_are_made_once(torch: Any, boundary: Any) -> None:
    """Whatever compiles a call, or goes back, has each for all formulas of an axis."""
    from torch.fx.experimental.proxy_tensor import make_fx

    f, x = torch.ones(20), torch.arange(20.0)
    graph = make_fx(
        lambda f, x: anygrad.derivative(
            f, spacing=x, order=2, accuracy=4, boundary=boundary
        )
    )(f, x).graph
    samples, coordinates = graph.find_nodes(op="placeholder")
    cuts = [node for node in graph.nodes if coordinates in node.all_input_nodes]
    assert samples not in cuts
    assert len({str(node.args) for node in cuts}) == len(cuts) - (
        2 if type(boundary) is tuple else 0  # those of the ends, for the period
    )


def test_torch_notices_coordinates_that_change(torch: Any) -> None:
    f, x = torch.tensor(SAMPLES, requires_grad=True), torch.tensor(COORDINATES)
    (result,) = anygrad.gradient(f, spacing=[x], dim=1)
    assert type(result.grad_fn).__name__ == "DerivativeBackward"
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


def test_torch_way_back_that_needs_no_grid(torch: Any) -> None:
    """It may be gone again, as that of torch's own gradient may, without being told."""
    f = torch.tensor(SAMPLES, dtype=torch.float64, requires_grad=True)
    for call in (torch.gradient, anygrad.gradient):
        first, second = (result.sum() for result in call(f, spacing=0.5))
        for loss in (first, first, second):
            loss.backward()
    on_coordinates = anygrad.derivative(f, spacing=[f[0].detach().cumsum(0)]).sum()
    on_coordinates.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        on_coordinates.backward()


def test_torch_hooks_of_saved_tensors(torch: Any) -> None:
    """The way back takes the grid that they give back, and no other one is kept."""
    f = torch.tensor(SAMPLES * 2, requires_grad=True)
    h, x = torch.tensor(2.0), torch.tensor(COORDINATES)
    wanted = anygrad.hessian(f, spacing=[h, x], stack_dim=0)
    (target,) = torch.autograd.grad(wanted, f, torch.ones_like(wanted))
    copies = []

    def pack(tensor: Any) -> Any:
        copy = tensor.clone()
        copies.append(weakref.ref(copy))
        return copy

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda copy: copy):
        result = anygrad.hessian(f, spacing=[h, x], stack_dim=0)
    h.mul_(2)
    x.mul_(2)
    given = weakref.ref(x)
    del wanted, x
    assert given() is None
    (found,) = torch.autograd.grad(result, f, torch.ones_like(result))
    assert found.equal(target)
    assert copies
    assert all(copy() is None for copy in copies)


def test_torch_coordinates_of_inference_mode(torch: Any) -> None:
    """Autograd does not save them, but their differences."""
    f = torch.tensor(SAMPLES, requires_grad=True)
    with torch.inference_mode():
        x = torch.tensor(COORDINATES)
    (result,) = anygrad.gradient(f, spacing=[x], dim=1)
    (wanted,) = anygrad.gradient(f, spacing=[x.clone()], dim=1)
    slopes = [torch.autograd.grad(one.sum(), f)[0] for one in (result, wanted)]
    assert slopes[0].allclose(slopes[1])


def test_torch_derivatives_flow_to_what_asks_for_them(torch: Any) -> None:
    """Only the step, only the coordinates, only the samples; or nothing at all."""
    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    h = torch.tensor(2.0)
    for asking in (f, x, h):
        asking.requires_grad_()
        first, second = anygrad.gradient(f, spacing=[h, x])
        (first.sum() + (second**2).sum()).backward()
        assert asking.grad is not None
        assert bool((asking.grad != 0).any())
        asking.requires_grad_(False)
    assert not any(result.requires_grad for result in anygrad.gradient(f))
    f.requires_grad_()
    with torch.no_grad():
        assert not any(result.requires_grad for result in anygrad.gradient(f))
    with torch.inference_mode():
        (result,) = anygrad.gradient(torch.ones(3))
        assert result.is_inference()


@pytest.mark.forms("torch")
@pytest.mark.parametrize(
    "keywords",
    [
        {"spacing": 0.3},
        {"dim": 0, "accuracy": 4, "order": 2},
        {"spacing": list(range(17)), "edge_order": 1},
        {"dim": 0, "spacing": [k * k for k in range(18)], "accuracy": 4},
    ],
    ids=str,
)
def test_the_way_back_is_the_transpose(
    torch: Any, backend: Backend, keywords: dict[str, Any]
) -> None:
    """On a GPU, it is the first that the thread of autograd launches."""
    spacing = keywords.get("spacing")
    if isinstance(spacing, list):
        keywords = {**keywords, "spacing": backend.asarray(spacing, "float64")}
    draw = torch.Generator().manual_seed(4)
    f, slopes = (
        backend.asarray(torch.randn(18, 17, generator=draw).tolist(), "float64")
        for _ in range(2)
    )
    f.requires_grad_()
    result = anygrad.derivative(f, **keywords)
    (back,) = torch.autograd.grad(result, f, slopes)
    assert back.device == f.device
    assert (result * slopes).sum().isclose((back * f).sum(), rtol=1e-10)
