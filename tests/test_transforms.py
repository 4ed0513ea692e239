"""Results are differentiable, forward and reverse, in samples, steps, coordinates."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import anygrad
import oracle
from anygrad._executors import way_back
from backends import JAX, Backend
from transformed import COORDINATES, CURVED, ENTRIES, SAMPLES, along_the_rows

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


# torch.


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


def test_torch_gradcheck_of_complex_samples(torch: Any) -> None:
    f = torch.tensor([1 + 2j, 3 - 1j, 4j, 2], dtype=torch.complex128)
    x = torch.tensor([0.0, 1, 3, 4], dtype=torch.float64)
    f.requires_grad_()
    x.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, x: anygrad.gradient(f, spacing=[x])[0], (f, x)
    )


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
