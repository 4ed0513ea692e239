"""Results are differentiable, forward and reverse, in samples, steps, coordinates."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _agnostic
from anygrad._executors import in_torch, way_back
from backends import JAX, Backend

SAMPLES = [[3.0, 1, 4, 1, 5], [2, 6, 5, 3, 5]]
COORDINATES = [0.0, 1, 3, 4, 8]
CURVED = [[0.0, 1, 3, 4, 8], [0, 2, 3, 7, 8]]
ENTRIES = [
    pytest.param(2.0, id="0-d"),
    pytest.param(COORDINATES, id="coordinates"),
    pytest.param(CURVED, id="per point"),
]


def along_the_rows(f: Any, entry: Any, edge_order: int = 2) -> Any:
    (result,) = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)
    return result


# JAX.


@pytest.mark.parametrize("entry", ENTRIES)
def test_jax_derivatives(jax: Any, entry: Any) -> None:
    """Forward and reverse, once and twice, against differences of the results."""
    import jax.numpy as jnp

    both = (0, 1)
    with JAX("", x64=True).active():
        f, x = jnp.asarray(SAMPLES), jnp.asarray(entry)
        df, dx = jnp.cos(f), jnp.sin(1 + x)
        backward = jax.jit(jax.jacrev(along_the_rows, both))
        forward = jax.jit(jax.jacfwd(along_the_rows, both))
        second = jax.jit(jax.jacfwd(jax.jacrev(along_the_rows, both), both))

        def along(jacobian: Any) -> Any:
            """Return the derivative in one direction of both arguments."""
            in_f, in_x = jacobian
            return jnp.tensordot(in_f, df, 2) + jnp.tensordot(in_x, dx, x.ndim)

        def slope(function: Any, h: float) -> Any:
            ends = (function(f + k * h * df, x + k * h * dx) for k in (1, -1))
            return jax.tree.map(lambda a, b: (a - b) / (2 * h), *ends)

        first = backward(f, x)
        assert all(map(partial(jnp.allclose, rtol=1e-12), first, forward(f, x)))
        assert jnp.allclose(along(first), slope(along_the_rows, 1e-5), atol=1e-7)
        rows = map(along, second(f, x))
        for exact, estimate in zip(rows, slope(backward, 1e-5), strict=True):
            assert jnp.allclose(exact, estimate, atol=1e-6)


def test_jax_derivatives_by_hand(jax: Any) -> None:
    """The derivative in the samples are the weights, in the step the quotient."""
    import jax.numpy as jnp

    f = jnp.asarray([1.0, 2, 4, 8])

    def middle(f: Any, h: Any) -> Any:
        return anygrad.gradient(f, spacing=h)[0][1]

    in_f, in_h = jax.grad(middle, argnums=(0, 1))(f, jnp.asarray(2.0))
    assert in_f.tolist() == [-0.25, 0, 0.25, 0]
    assert float(in_h) == -(4.0 - 1) / (2 * 2 * 2)
    value, tangent = jax.jvp(
        middle, (f, jnp.asarray(2.0)), (jnp.ones(4), jnp.asarray(1.0))
    )
    assert float(value) == 0.75
    assert float(tangent) == -0.375


@pytest.mark.parametrize("entry", ENTRIES)
def test_jax_vmap(jax: Any, entry: Any) -> None:
    """A batch of samples, a batch of spacings, and both, give a batch of results."""
    import jax.numpy as jnp

    f = jnp.stack([jnp.asarray(SAMPLES), 2 * jnp.asarray(SAMPLES)])
    x = jnp.stack([jnp.asarray(entry), 3 * jnp.asarray(entry)])
    for axes in ((0, 0), (0, None), (None, 0)):
        one = (
            [
                along_the_rows(
                    f if axes[0] is None else f[k], x if axes[1] is None else x[k]
                )
                for k in (0, 1)
            ]
            if None not in axes
            else [
                along_the_rows(
                    f[0 if axes[0] is None else k], x[0 if axes[1] is None else k]
                )
                for k in (0, 1)
            ]
        )
        batch = jax.vmap(along_the_rows, in_axes=axes)(
            f[0] if axes[0] is None else f, x[0] if axes[1] is None else x
        )
        assert jnp.allclose(batch, jnp.stack(one), rtol=1e-6, atol=0)


def test_jax_dtypes_of_numbers_that_have_none(jax: Any) -> None:
    """A result has the dtype of the samples, and does not give way beside another."""
    import jax.numpy as jnp

    f, step = jnp.full((5,), 2.5), jnp.asarray(0.5)
    assert f.weak_type
    assert step.weak_type
    for spacing in (1, 0.5, step, jnp.arange(5) * step):

        def call(f: Any, spacing: Any) -> Any:
            return anygrad.derivative(f, spacing=spacing)

        half = partial(call, spacing=spacing)
        results = [
            half(f),
            jax.jit(half)(f),
            jax.jit(call)(f, spacing),
            jax.vmap(half)(f[None])[0],
            jax.jvp(half, (f,), (f,))[1],
        ]
        with jax.disable_jit():
            results.append(half(f))
        assert [result.dtype for result in results] == [f.dtype] * 6
        assert not any(result.weak_type for result in results)


def test_jax_jit_of_a_gradient_of_a_vmap(jax: Any) -> None:
    """Transformations within each other."""
    import jax.numpy as jnp

    def loss(f: Any, x: Any) -> Any:
        return jnp.sum(
            jax.vmap(lambda row: anygrad.gradient(row, spacing=[x])[0])(f) ** 2
        )

    f, x = jnp.asarray(SAMPLES), jnp.asarray(COORDINATES)
    eager = jax.grad(loss, argnums=(0, 1))(f, x)
    compiled = jax.jit(jax.grad(loss, argnums=(0, 1)))(f, x)
    for first, second in zip(eager, compiled, strict=True):
        assert jnp.allclose(first, second, rtol=1e-5)
        assert bool(jnp.any(first != 0))


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64"])
def test_jax_numbers_that_are_traced(jax: Any, dtype: str) -> None:
    """They have as little say in the dtype as numbers that are not."""
    import jax.numpy as jnp

    def call(f: Any, h: Any) -> Any:
        ends = [(h, "edge"), ("periodic", 9 * h)]
        x = jnp.arange(5.0, dtype=f.real.dtype)
        return (
            *anygrad.gradient(f, spacing=[h, x], boundary=ends),
            *anygrad.gradient(f, scale_factors=[h, 2.0]),
            anygrad.laplacian(f, dim=1, spacing=h, scale_factors=[h]),
        )

    with JAX("", x64=True).active():
        f = jnp.asarray(SAMPLES, dtype=dtype)
        for result, wanted in zip(jax.jit(call)(f, 0.5), call(f, 0.5), strict=True):
            assert result.dtype == wanted.dtype == dtype
            assert jnp.allclose(result, wanted, rtol=1e-3)


# torch.


@pytest.mark.parametrize(
    "keywords",
    [
        {"accuracy": 8, "spacing": 0.5},
        {"order": 2, "boundary": "periodic"},
        {"boundary": ("symmetric", "one_sided"), "edge_order": 2},
    ],
    ids=["accuracy 8", "periodic", "symmetric"],
)
@pytest.mark.parametrize("dim", [0, 1])
def test_jax_way_back_through_many_samples(
    jax: Any, dim: int, keywords: dict[str, Any]
) -> None:
    """It is a sum of its own, both ways, twice and mapped: that of the matrix."""
    import jax.numpy as jnp

    def call(f: Any) -> Any:
        return anygrad.derivative(f, dim=dim, **keywords)

    def product(f: Any, matrix: Any) -> Any:
        return matrix @ f if dim == 0 else f @ matrix.T

    with JAX("", x64=True).active():
        shape = (20, way_back.MANY // 20 + 1)
        f = jnp.sin(jnp.arange(float(shape[0] * shape[1])))
        f = f.reshape(shape if dim == 0 else shape[::-1])
        matrix = anygrad.derivative(jnp.eye(20), dim=0, **keywords)

        def loss(f: Any, derivative: Any) -> Any:
            return jnp.sum(jnp.sin(derivative(f)))

        def found(derivative: Any) -> Any:
            slope = partial(jax.grad(loss), derivative=derivative)
            both = jnp.stack([f, 2 * f])
            return slope(f), jax.jvp(slope, (f,), (1 + f,))[1], jax.vmap(slope)(both)

        wanted = jax.jit(lambda: found(partial(product, matrix=matrix)))()
        for one, other in zip(jax.jit(lambda: found(call))(), wanted, strict=True):
            assert jnp.allclose(one, other, atol=1e-9)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("entry", ENTRIES)
def test_torch_gradcheck(torch: Any, entry: Any, edge_order: int) -> None:
    """Reverse, forward, batched, and the second derivative."""
    f = torch.tensor(SAMPLES, dtype=torch.float64, requires_grad=True)
    x = torch.tensor(entry, dtype=torch.float64, requires_grad=True)

    def call(f: Any, x: Any) -> Any:
        return along_the_rows(f, x, edge_order)

    assert torch.autograd.gradcheck(
        call, (f, x), check_forward_ad=True, check_batched_grad=True
    )
    assert torch.autograd.gradgradcheck(call, (f, x))


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


def test_torch_gradcheck_of_complex_samples(torch: Any) -> None:
    f = torch.tensor([1 + 2j, 3 - 1j, 4j, 2], dtype=torch.complex128)
    x = torch.tensor([0.0, 1, 3, 4], dtype=torch.float64)
    f.requires_grad_()
    x.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, x: anygrad.gradient(f, spacing=[x])[0], (f, x)
    )


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


@pytest.mark.parametrize("entry", ENTRIES)
def test_torch_func(torch: Any, entry: Any) -> None:
    """vmap, jvp, jacrev and jacfwd of `torch.func`."""
    f = torch.tensor(SAMPLES, dtype=torch.float64)
    x = torch.tensor(entry, dtype=torch.float64)
    batch = torch.stack([f, f * f])
    many = torch.func.vmap(along_the_rows, in_dims=(0, None))(batch, x)
    assert many.equal(torch.stack([along_the_rows(f, x), along_the_rows(f * f, x)]))
    spacings = torch.stack([x, 3 * x])
    many = torch.func.vmap(along_the_rows, in_dims=(None, 0))(f, spacings)
    assert many.allclose(
        torch.stack([along_the_rows(f, x), along_the_rows(f, x) / 3]), rtol=1e-14
    )
    # The derivative is linear in the samples.
    value, tangent = torch.func.jvp(lambda f: along_the_rows(f, x), (f,), (f * f,))
    assert value.equal(along_the_rows(f, x))
    assert tangent.allclose(along_the_rows(f * f, x), rtol=1e-14)
    backward = torch.func.jacrev(along_the_rows, argnums=1)(f, x)
    forward = torch.func.jacfwd(along_the_rows, argnums=1)(f, x)
    assert backward.allclose(forward, rtol=1e-12)


def test_torch_forward_mode(torch: Any) -> None:
    import torch.autograd.forward_ad as forward

    f = torch.tensor(SAMPLES)
    with forward.dual_level():
        dual = forward.make_dual(f, torch.ones_like(f))
        (result,) = anygrad.gradient(dual, dim=1)
        primal, tangent = forward.unpack_dual(result)
    assert primal.equal(anygrad.gradient(f, dim=1)[0])
    assert tangent.equal(torch.zeros_like(f))


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


# Linearity is what makes all of the above so simple.


def test_linear_in_the_samples(backend: Backend) -> None:
    # The sums are Python's: CuPy would add on the device that is current.
    def combined(f: Any, g: Any) -> Any:
        if isinstance(f, list):
            return list(map(combined, f, g))
        return 2 * f + g

    def slopes(f: Any) -> Any:
        x = backend.asarray(COORDINATES)
        return backend.tolist(along_the_rows(backend.asarray(f), x))

    wanted = combined(slopes(SAMPLES), slopes(CURVED))
    together = slopes(combined(SAMPLES, CURVED))
    assert oracle.difference(together, wanted, 1e-6) is None


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


@pytest.mark.parametrize("tracked", [False, True], ids=["plain", "tracked"])
def test_a_default_device_of_torch_is_no_watcher(
    torch: Any, monkeypatch: pytest.MonkeyPatch, tracked: bool
) -> None:
    """The samples are computed with as without it: it sees none of the operations."""
    from torch.utils._device import DeviceContext

    seen, seeing = [], DeviceContext.__torch_function__

    def see(self: Any, function: Any, *rest: Any) -> Any:
        seen.append(function)
        return seeing(self, function, *rest)

    f = torch.rand(300, 400, dtype=torch.float64, requires_grad=tracked)
    x = torch.rand(400).cumsum(0)
    wanted = anygrad.gradient(f, spacing=[0.5, x])
    with torch.device("meta"), monkeypatch.context() as patched:
        patched.setattr(DeviceContext, "__torch_function__", see)
        results = anygrad.gradient(f, spacing=[0.5, x])
    names = {getattr(function, "__name__", "") for function in seen}
    assert names <= {"__get__", "__getitem__", "data_ptr"}
    for result, target in zip(results, wanted, strict=True):
        assert result.device == f.device
        assert result.equal(target)
    if tracked:
        with torch.device("meta"):
            (found,) = torch.autograd.grad(sum(map(torch.sum, results)), f)
        (target,) = torch.autograd.grad(sum(map(torch.sum, wanted)), f)
        assert found.equal(target)


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
