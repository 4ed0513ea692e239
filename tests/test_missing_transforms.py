"""Missing samples in lazy, traced and differentiated arrays."""

from __future__ import annotations

import math
import warnings
from functools import partial
from itertools import product
from typing import Any

import pytest

import anygrad
from backends import JAX
from masks import BOUNDARIES, with_period


def test_chunks_of_every_size(dask: Any) -> None:
    """At the seams, and around the seam of a periodic axis, as in one chunk."""
    import dask.array
    import numpy

    draw = numpy.random.default_rng(3)
    f, where = draw.normal(size=(3, 9)), draw.random((3, 9)) < 0.7
    x = numpy.cumsum(draw.integers(1, 5, 9)) * 1.0
    f[~where] = math.nan
    grids: list[Any] = [("step", 0.5, b) for b in BOUNDARIES]
    grids += [("x", [x], with_period(b, "coordinates", list(x))) for b in BOUNDARIES]
    with dask.config.set(scheduler="synchronous"):
        for size, edge_order in product(range(1, 10), (1, 2)):
            lazy = dask.array.from_array(f, chunks=(2, size))
            for _, spacing, ends in grids:
                keywords = {"dim": 1, "spacing": spacing, "edge_order": edge_order}
                keywords["boundary"] = [ends]
                (wanted,) = anygrad.gradient(f, where=where, **keywords)
                for valid in (where, dask.array.from_array(where, chunks=(3, 4))):
                    (result,) = anygrad.gradient(lazy, where=valid, **keywords)
                    assert result.chunks == lazy.chunks
                    assert result.dtype == wanted.dtype
                    assert result.compute().tobytes() == wanted.tobytes()


def test_chunks_of_nothing(dask: Any) -> None:
    """They are computed, too, from as few points as the formulas need."""
    import dask.array
    import numpy

    f, where = numpy.arange(6.0) ** 2, numpy.arange(6) != 2
    with dask.config.set(scheduler="synchronous"):
        for boundary in ("one_sided", "periodic", "reflect"):
            wanted = anygrad.derivative(f, where=where, boundary=boundary)
            for sizes in ((0, 1, 0, 4, 1, 0), (0, 0, 6), (1, 1, 0, 2, 2)):
                lazy = dask.array.from_array(f, chunks=(sizes,))
                result = anygrad.derivative(lazy, where=where, boundary=boundary)
                assert result.chunks == (sizes,)
                assert result.compute().tobytes() == wanted.tobytes()


def test_masks_of_lazy_arrays(dask: Any) -> None:
    """Small ones are NumPy's or Dask's; of unknown lengths, one lies as the other."""
    import dask.array
    import numpy

    f = numpy.arange(24.0).reshape(4, 6) ** 2
    lazy = dask.array.from_array(f, chunks=(3, 1))
    with dask.config.set(scheduler="synchronous"):
        for shape in ((), (6,), (4, 1), (1, 6)):
            where = numpy.random.default_rng(5).random(shape) < 0.7
            wanted = anygrad.gradient(f, where=numpy.asarray(where))
            for valid in (numpy.asarray(where), dask.array.asarray(where)):
                results = anygrad.gradient(lazy, where=valid)
                for result, target in zip(results, wanted, strict=True):
                    assert result.compute().tobytes() == target.tobytes()
        rows = dask.array.from_array(f, chunks=(2, 4))
        some = rows[rows[:, 0] > 0]
        for valid in (some[:, :1] > 40, some % 3 != 0):
            result = anygrad.derivative(some, dim=1, edge_order=1, where=valid)
            wanted = anygrad.derivative(
                f[1:], dim=1, edge_order=1, where=valid.compute()
            )
            assert result.compute().tobytes() == wanted.tobytes()


def test_masks_have_a_say_in_the_name(dask: Any) -> None:
    """Two calls that differ in the mask, or in nothing, are told apart by Dask."""
    import dask.array
    import numpy

    f = dask.array.ones(6, chunks=2)
    names = [anygrad.gradient(f, where=numpy.arange(6) != k)[0].name for k in (1, 1, 2)]
    assert names[0] == names[1] != names[2]


def penalty(f: Any, where: Any, x: Any) -> Any:
    """Return a sum over the derivatives that exist, for `where` of `HOLES`."""
    keywords = {"boundary": [("one_sided", "edge")], "edge_order": 2, "where": where}
    (slopes,) = anygrad.gradient(f, spacing=[x], **keywords)
    return slopes


HOLES = [True, True, True, False, False, True, True, True, True]


def test_jax(jax: Any) -> None:
    """Traced masks; and what is missing has no derivative, and makes none NaN."""
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        where = jnp.asarray(HOLES)
        f = jnp.where(where, jnp.arange(9.0) ** 2, jnp.nan)
        x = jnp.arange(9.0) ** 1.5
        for spacing in (0.5, x):
            wanted = penalty(f, where, spacing)
            compiled = jax.jit(penalty)(f, where, spacing)
            assert jnp.allclose(compiled, wanted, equal_nan=True, rtol=1e-12)
            many = jnp.stack([where, ~where, where | True])
            mapped = jax.vmap(penalty, (None, 0, None))(f, many, spacing)
            for row, valid in zip(mapped, many, strict=True):
                alone = penalty(f, valid, spacing)
                assert jnp.allclose(row, alone, equal_nan=True, rtol=1e-12)

            def total(f: Any, x: Any) -> Any:
                slopes = penalty(f, where, x)
                return jnp.where(jnp.isnan(slopes), 0.0, slopes**2).sum()

            in_f, in_x = jax.grad(total, (0, 1))(f, jnp.asarray(spacing))
            assert jnp.isfinite(in_f).all()
            assert jnp.isfinite(in_x).all()
            assert (in_f[3:5] == 0).all()
            step = 1e-6 * jnp.where(where, jnp.cos(jnp.arange(9.0)), 0.0)
            difference = total(f + step, spacing) - total(f - step, spacing)
            assert jnp.allclose(difference / 2, in_f @ step, rtol=1e-6)


FLUXES = ("gradient", "divergence", "curl", "laplacian")


def flux(xp: Any, name: str, f: Any, h: Any, x: Any) -> Any:
    """Return a sum over what curved coordinates make of samples with a hole."""
    field = xp.stack([f, 1 - f]) if name in ("divergence", "curl") else f
    made = getattr(anygrad, name)(
        field, where=xp.asarray([HOLES]), spacing=[x, 0.3], scale_factors=[h, h * h]
    )
    results = made if isinstance(made, tuple) else (made,)
    return sum([xp.where(xp.isnan(one), 0.0, one).sum() for one in results])


@pytest.mark.parametrize("name", FLUXES[1:3])
def test_jax_factors_beside_what_is_missing(jax: Any, name: str) -> None:
    """Nothing flows back to them from there, whatever is there."""
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        f = jnp.arange(36.0).reshape(4, 9) ** 1.5
        h, x = 1 + f / 99, jnp.arange(4.0) ** 1.2
        slopes = jax.grad(lambda *given: flux(jnp, name, *given), (0, 1, 2))
        wanted = slopes(f, h, x)
        found = slopes(jnp.where(jnp.asarray(HOLES), f, jnp.nan), h, x)
        assert all(jnp.isfinite(one).all() for one in wanted)
        for one, other in zip(found, wanted, strict=True):
            assert jnp.allclose(one, other, rtol=1e-12)


def test_jax_masks_alone_are_traced(jax: Any) -> None:
    import jax.numpy as jnp

    f = jnp.arange(9.0) ** 2
    traced = jax.jit(lambda where: penalty(f, where, 1.0))(jnp.asarray(HOLES))
    wanted = penalty(f, jnp.asarray(HOLES), 1.0)
    assert jnp.allclose(traced, wanted, equal_nan=True)


def test_jax_sharded(jax: Any) -> None:
    """On a mesh whose axes are part of the types: the results lie as the samples."""
    import jax.numpy as jnp

    if not hasattr(jax, "typeof"):
        pytest.skip("a JAX that has no such meshes")
    sharding = jax.sharding
    kinds = (sharding.AxisType.Explicit,)
    mesh = jax.make_mesh((2,), ("a",), axis_types=kinds)
    f = (jnp.arange(48.0) ** 2 % 7).reshape(4, 12)
    where = f != 4
    wanted = anygrad.gradient(f, where=where)
    with jax.set_mesh(mesh):
        for spec in (("a", None), (None, "a")):
            placed = sharding.NamedSharding(mesh, sharding.PartitionSpec(*spec))
            spread = jax.device_put(f, placed)
            for valid in (jax.device_put(where, placed), where):
                results = anygrad.gradient(spread, where=valid)
                for result, target in zip(results, wanted, strict=True):
                    assert result.sharding == placed
                    assert jnp.allclose(
                        jnp.asarray(result.tolist()), target, equal_nan=True
                    )


def test_torch_autograd(torch: Any) -> None:
    where = torch.tensor(HOLES)
    f = torch.arange(9.0, dtype=torch.float64) ** 2
    f = torch.where(where, f, math.nan).requires_grad_()
    x = (torch.arange(9.0, dtype=torch.float64) ** 1.5).requires_grad_()

    def total(f: Any, x: Any) -> Any:
        return penalty(f, where, x).nan_to_num(0.0)

    for spacing in (0.5, x.detach(), x):
        f.grad = None
        total(f, spacing).square().sum().backward()
        assert f.grad.isfinite().all()
        assert (f.grad[3:5] == 0).all()
    assert x.grad.isfinite().all()
    clean = torch.where(where, f, 0.0).detach().requires_grad_()
    assert torch.autograd.gradcheck(total, (clean, x))
    assert torch.autograd.gradgradcheck(total, (clean, x))
    # Autograd and func agree.
    (wanted,) = torch.autograd.grad(total(clean, x).square().sum(), clean)
    got = torch.func.grad(lambda f: total(f, x).square().sum())(clean)
    assert got.allclose(wanted)


@pytest.mark.parametrize("name", FLUXES)
def test_torch_factors_beside_what_is_missing(torch: Any, name: str) -> None:
    """Nothing flows back to them from there, whatever is there."""
    f = torch.arange(36.0, dtype=torch.float64).reshape(4, 9) ** 1.5
    h, x = 1 + f / 99, torch.arange(4.0, dtype=torch.float64) ** 1.2
    found = []
    for hole in (0.0, 7.0, math.nan):
        samples = torch.where(torch.asarray(HOLES), f, hole)
        given = [one.clone().requires_grad_() for one in (samples, h, x)]
        total = flux(torch, name, *given)
        found.append(torch.autograd.grad(total, given))
        if not math.isnan(hole):
            call = partial(flux, torch, name)
            assert torch.autograd.gradcheck(call, given, fast_mode=True)
    for one, *others in zip(*found, strict=True):
        assert one.isfinite().all()
        assert all(other.allclose(one, rtol=1e-12) for other in others)


def test_torch_vmap(torch: Any) -> None:
    where = torch.tensor(HOLES)
    many = torch.stack([where, ~where, where | True])
    f, x = torch.arange(9.0) ** 2, torch.arange(9.0) ** 1.5
    for spacing in (0.5, x):
        mapped = torch.vmap(lambda valid, h=spacing: penalty(f, valid, h))(many)
        for row, valid in zip(mapped, many, strict=True):
            assert row.allclose(penalty(f, valid, spacing), equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
@pytest.mark.parametrize("dynamic", [False, True])
def test_torch_compile(torch: Any, dynamic: bool) -> None:
    """One graph without a break."""
    torch._dynamo.reset()
    compiled = torch.compile(penalty, backend="eager", fullgraph=True, dynamic=dynamic)
    for n in (9, 7):
        where = torch.tensor(HOLES[:n])
        f, x = torch.arange(1.0 * n) ** 2, torch.arange(1.0 * n) ** 1.5
        for spacing in (0.5, x):
            wanted = penalty(f, where, spacing)
            assert compiled(f, where, spacing).allclose(wanted, equal_nan=True)


def test_torch_compile_of_a_mask_whose_length_is_known(torch: Any) -> None:
    """That of the samples is a symbol, and equal to it."""

    def slopes(f: Any) -> Any:
        return anygrad.derivative(f, dim=1, where=torch.tensor(HOLES))

    f = torch.arange(2.0 * len(HOLES)).reshape(2, -1) ** 2
    compiled = torch.compile(slopes, backend="eager", fullgraph=True, dynamic=True)
    assert compiled(f).allclose(slopes(f), equal_nan=True)


def test_torch_traces(torch: Any) -> None:
    """Programs of plain operations, for masks and shapes other than those traced."""
    from torch.fx.experimental.proxy_tensor import make_fx

    def call(f: Any, where: Any) -> Any:
        return anygrad.gradient(f, dim=1, where=where)[0]

    f, where = torch.arange(18.0).reshape(2, 9) ** 2, torch.tensor(HOLES)
    valid = torch.stack([where, ~where])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the first one
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # a look at a shape
        programs = torch.jit.trace(call, (f, valid)), make_fx(call)(f, valid)
    for program in programs:
        assert program(f, ~valid).allclose(call(f, ~valid), equal_nan=True)
    tall = torch.cat([f, f]), torch.cat([valid, ~valid])
    assert programs[0](*tall).allclose(call(*tall), equal_nan=True)


def test_torch_meta(torch: Any) -> None:
    """No value is looked at."""
    f = torch.ones(3, 4, device="meta")
    where = torch.ones(4, dtype=torch.bool, device="meta")
    results = anygrad.gradient(f, where=where)
    assert [(v.shape, v.dtype, v.device.type) for v in results] == [
        ((3, 4), torch.float32, "meta")
    ] * 2


def test_slopes_beside_a_hole_at_an_end_with_values(torch: Any) -> None:
    """Values beyond an end have no holes, so nothing is NaN that is not shown."""
    f, where = torch.rand(6, 7, dtype=torch.float64), torch.arange(42).reshape(6, 7) > 0
    ends = ["one_sided", torch.arange(6.0)[:, None]]
    x = [torch.arange(float(n)).requires_grad_() for n in f.shape]
    for accuracy in (2, 4):
        keywords = {"spacing": x, "where": where, "boundary": ends}
        result = anygrad.hessian(f, accuracy=accuracy, **keywords)
        shown = torch.where(torch.isfinite(result), result, 0.0)
        for slope in torch.autograd.grad(shown.sum(), x):
            assert torch.isfinite(slope).all()
