"""Transformations within transformations, and programs for other machines and shapes.

`test_transforms.py` holds single transformations to numbers; here, what is nested is
held to what is not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import anygrad
from backends import JAX

SAMPLES = [[3.0, 1, 4, 1, 5], [2, 6, 5, 3, 5], [9, 2, 6, 5, 4]]
COORDINATES = [0.0, 1, 3, 4, 8]
CURVED = [[0.0, 1, 3, 4, 8], [0, 2, 3, 7, 8], [1, 2, 4, 5, 7]]
ENTRIES = [
    pytest.param(2.0, id="number"),
    pytest.param([2.0], id="0-d"),
    pytest.param(COORDINATES, id="coordinates"),
    pytest.param(CURVED, id="per point"),
]


def slope(f: Any, entry: Any) -> Any:
    """Return the derivative along the last dim, of a matrix or of a row."""
    (result,) = anygrad.gradient(f, spacing=[entry], dim=f.ndim - 1, edge_order=2)
    return result


# JAX.


@pytest.fixture
def double(jax: Any) -> Any:
    with JAX("", x64=True).active():
        yield


def grid_of(jnp: Any, entry: Any) -> Any:
    """Return a number as it is, a list of one as a 0-d array, others as arrays."""
    if isinstance(entry, float):
        return entry
    return jnp.asarray(entry[0] if entry == [2.0] else entry)


def jax_loss(entry: Any) -> Callable[..., Any]:
    """Return a function of samples, and of the grid where that is an array."""
    import jax.numpy as jnp

    if isinstance(entry, float):
        return lambda f: jnp.sum(jnp.sin(slope(f, entry)))
    return lambda f, x: jnp.sum(jnp.sin(slope(f, x)))


@pytest.mark.cover(0)
@pytest.mark.parametrize("entry", ENTRIES)
def test_jax_nesting(double: None, jax: Any, entry: Any) -> None:
    """The gradient of a loss, in all orders of jit, checkpoint and derivatives."""
    import jax.numpy as jnp

    x = grid_of(jnp, entry)
    given = (
        (jnp.asarray(SAMPLES),)
        if isinstance(x, float)
        else (
            jnp.asarray(SAMPLES),
            x,
        )
    )
    loss, places = jax_loss(entry), tuple(range(len(given)))
    wanted = jax.grad(loss, places)(*given)
    tangents = tuple(map(jnp.cos, given))
    along = sum(jnp.vdot(a, b) for a, b in zip(wanted, tangents, strict=True))
    for nested in (
        jax.jit(jax.grad(loss, places)),
        jax.grad(jax.jit(loss), places),
        jax.grad(jax.checkpoint(loss), places),
        jax.jit(jax.grad(jax.checkpoint(jax.jit(loss)), places)),
        lambda *given: jax.vjp(loss, *given)[1](jnp.asarray(1.0)),
    ):
        pairs = zip(nested(*given), wanted, strict=True)
        assert all(jnp.allclose(a, b, rtol=1e-12) for a, b in pairs)
    for function in (loss, jax.jit(loss), jax.checkpoint(loss)):
        _, tangent = jax.jvp(function, given, tangents)
        assert jnp.allclose(tangent, along, rtol=1e-12)
    # Forward over reverse, reverse over forward, and twice reverse.
    hessian = jax.hessian(loss)(*given)
    for twice in (jax.jacrev(jax.jacfwd(loss)), jax.jacrev(jax.jacrev(jax.jit(loss)))):
        assert jnp.allclose(twice(*given), hessian, rtol=1e-10, atol=1e-12)
    assert bool(jnp.any(hessian != 0))


@pytest.mark.cover(0)
@pytest.mark.parametrize("entry", ENTRIES[:3])
def test_jax_batches_of_derivatives(double: None, jax: Any, entry: Any) -> None:
    """vmap outside, inside and between the others; also over two dims at once."""
    import jax.numpy as jnp

    f, x = jnp.asarray(SAMPLES), grid_of(jnp, entry)

    def of_row(row: Any) -> Any:
        return jnp.sum(jnp.sin(slope(row, x)))

    wanted = jnp.stack([jax.grad(of_row)(row) for row in f])
    for nested in (
        jax.vmap(jax.grad(of_row)),
        jax.jit(jax.vmap(jax.grad(jax.checkpoint(of_row)))),
        jax.vmap(jax.jit(jax.grad(of_row))),
        jax.grad(lambda f: jnp.sum(jax.vmap(of_row)(f))),
    ):
        assert jnp.allclose(nested(f), wanted, rtol=1e-12)
    blocks = jnp.stack([f, 2 * f])
    twice = jax.vmap(jax.vmap(lambda row: slope(row, x)))(blocks)
    assert jnp.allclose(twice, jnp.stack([slope(f, x), slope(2 * f, x)]))
    per_row = jax.vmap(jax.hessian(of_row))(f)
    assert jnp.allclose(per_row[1], jax.hessian(of_row)(f[1]))


def test_jax_loops(jax: Any) -> None:
    """A call is a step of a loop, and can be scanned, mapped and branched over."""
    import jax.numpy as jnp
    from jax import lax

    f = jnp.asarray(SAMPLES)

    def step(f: Any, _: Any) -> Any:
        return f + 0.1 * slope(f, 0.5), None

    eager = f
    for _ in range(3):
        eager, _ = step(eager, None)
    scanned, _ = lax.scan(step, f, length=3)
    looped = lax.fori_loop(0, 3, lambda _, f: step(f, None)[0], f)
    assert jnp.allclose(scanned, eager, rtol=1e-6)
    assert jnp.allclose(looped, eager, rtol=1e-6)
    chosen = lax.cond(f[0, 0] > 0, lambda f: slope(f, 1.0), lambda f: f, f)
    assert jnp.allclose(chosen, slope(f, 1.0))
    assert jnp.allclose(lax.map(lambda row: slope(row, 1.0), f), slope(f, 1.0))


@pytest.mark.parametrize("entry", ENTRIES)
def test_jax_shapes_without_values(jax: Any, entry: Any) -> None:
    import jax.numpy as jnp

    f = jax.ShapeDtypeStruct((3, 5), "float32")
    x = grid_of(jnp, entry)
    out = jax.eval_shape(lambda f: slope(f, x), f)
    assert (out.shape, out.dtype) == ((3, 5), "float32")


@pytest.mark.parametrize("entry", ENTRIES[:3])
@pytest.mark.parametrize("shape", ["rows, 5", "rows, n"])
def test_jax_export(jax: Any, shape: str, entry: Any) -> None:
    """A program for any number of rows, and of points where there are enough.

    Twice, because lengths of one program must not be mixed with those of another.
    """
    import jax.numpy as jnp
    from jax import export

    for _ in range(2):
        scope = export.SymbolicScope(("n >= 3",) if "n" in shape else ())

        def symbolic(text: str, scope: Any = scope) -> Any:
            lengths = export.symbolic_shape(text, scope=scope)
            return jax.ShapeDtypeStruct(lengths, "float32")

        f, x = jnp.asarray(SAMPLES), grid_of(jnp, entry)
        if isinstance(x, float):
            program = export.export(jax.jit(partial(slope, entry=x)))(symbolic(shape))
            result = program.call(f)
        else:
            length = shape.partition(", ")[2] if x.ndim else ""
            program = export.export(jax.jit(slope))(symbolic(shape), symbolic(length))
            result = program.call(f, x)
        assert jnp.allclose(result, slope(f, x), rtol=1e-6)


def test_jax_export_of_too_few_points(jax: Any) -> None:
    """JAX says which condition is missing: here, that `n` is at least 3."""
    from jax import export

    lengths = export.symbolic_shape("rows, n")
    with pytest.raises(Exception, match="'n' < '3' is inconclusive"):
        export.export(jax.jit(lambda f: slope(f, 1.0)))(
            jax.ShapeDtypeStruct(lengths, "float32")
        )


def test_jax_export_around_an_axis(jax: Any) -> None:
    """Whole turns are taken off any number of angles."""
    import jax.numpy as jnp
    from jax import export

    def call(f: Any, longitude: Any) -> Any:
        latitude = jnp.asarray([-60.0, 0.0, 30.0])
        return anygrad.gradient(f, **anygrad.lonlat(longitude, latitude), stack_dim=0)

    points = export.symbolic_shape("n", constraints=["n >= 4"])
    shapes = [
        jax.ShapeDtypeStruct(shape, "float32") for shape in ((3, *points), points)
    ]
    program = export.export(jax.jit(call))(*shapes)
    for n in (4, 9, 33):
        longitude = (170 + jnp.arange(1.0, n + 1) ** 1.5) % 360 - 180
        f = jnp.sin(jnp.radians(longitude)) * jnp.asarray([[1.0], [2.0], [3.0]])
        assert jnp.allclose(program.call(f, longitude), call(f, longitude), rtol=1e-5)


# torch.


def torch_grid(torch: Any, entry: Any) -> Any:
    if isinstance(entry, float):
        return entry
    values = entry[0] if entry == [2.0] else entry
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("entry", ENTRIES)
def test_torch_func_nesting(torch: Any, entry: Any) -> None:
    """hessian, vjp and jvp of `torch.func`, alone and within each other."""
    func = torch.func
    f, x = torch.tensor(SAMPLES, dtype=torch.float64), torch_grid(torch, entry)

    def loss(f: Any) -> Any:
        return slope(f, x).sin().sum()

    wanted = func.grad(loss)(f)
    (pulled,) = func.vjp(loss, f)[1](torch.tensor(1.0, dtype=torch.float64))
    assert pulled.allclose(wanted, rtol=1e-12)
    assert func.jacfwd(loss)(f).allclose(wanted, rtol=1e-12)
    _, tangent = func.jvp(loss, (f,), (f.cos(),))
    assert tangent.allclose((wanted * f.cos()).sum(), rtol=1e-12)
    hessian = func.hessian(loss)(f)
    for twice in (func.jacrev(func.jacrev(loss)), func.jacrev(func.jacfwd(loss))):
        assert twice(f).allclose(hessian, rtol=1e-10, atol=1e-12)
    assert bool((hessian != 0).any())
    batch = torch.stack([f, 2 * f])
    many = func.vmap(func.grad(loss))(batch)
    assert many.allclose(torch.stack([wanted, func.grad(loss)(2 * f)]), rtol=1e-12)
    if not isinstance(x, float):
        in_x = func.jacrev(lambda x: slope(f, x).sin().sum())
        second = func.hessian(lambda x: slope(f, x).sin().sum())
        assert second(x).allclose(func.jacfwd(in_x)(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("order", [1, 2])
def test_torch_batches_of_coordinates_that_repeat(torch: Any, order: int) -> None:
    """Ascending and descending ones, and their periods, alone and with derivatives."""
    x = torch.tensor(CURVED, dtype=torch.float64)
    x, around = torch.stack([x[0], -x[1], x[2]]), torch.tensor([10.0, 9.5, 12.0])
    f = torch.tensor(SAMPLES, dtype=torch.float64)[1]

    def loss(x: Any, period: Any) -> Any:
        ends = ("periodic", period)
        return anygrad.derivative(f, spacing=x, order=order, boundary=ends).sin().sum()

    for function in (loss, torch.func.grad(loss, 1), torch.func.jacrev(loss)):
        wanted = torch.stack([function(*pair) for pair in zip(x, around, strict=True)])
        assert torch.func.vmap(function)(x, around).allclose(wanted, rtol=1e-12)


@pytest.mark.parametrize("spacing", [2.0, 0.5j])
def test_torch_gradcheck_of_numbers(torch: Any, spacing: Any) -> None:
    """Steps that are Python numbers, once and twice, forward and in batches."""
    f = torch.tensor(SAMPLES, dtype=torch.float64, requires_grad=True)

    def call(f: Any) -> Any:
        return anygrad.gradient(f, spacing=spacing, edge_order=2)

    keywords = {"check_forward_ad": True, "check_batched_grad": True}
    assert torch.autograd.gradcheck(call, (f,), **keywords)
    assert torch.autograd.gradgradcheck(lambda f: slope(f.sin(), spacing), (f,))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_torch_autocast(torch: Any, dtype: str) -> None:
    """Slopes keep the dtype of their samples: autocast is for products of matrices."""
    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    plain = anygrad.gradient(f, spacing=[0.5, x])
    narrow = getattr(torch, dtype)
    with torch.autocast("cpu", dtype=narrow):
        for result, wanted in zip(
            anygrad.gradient(f, spacing=[0.5, x]), plain, strict=True
        ):
            assert result.dtype == torch.float32
            assert result.equal(wanted)
        product = f @ f.mT
        assert product.dtype == narrow
        (result,) = anygrad.gradient(product, spacing=0.5, dim=0)
        assert result.dtype == narrow


def test_torch_inference_mode(torch: Any) -> None:
    """Tensors made inside and outside, as samples, steps and coordinates."""
    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES, requires_grad=True)
    wanted = slope(f, x)
    with torch.inference_mode():
        inside = f.clone()
        for samples in (f, inside):
            result = slope(samples, x)
            assert result.is_inference()
            assert result.equal(wanted)
    # Afterwards they are usable, if not differentiable.
    assert anygrad.gradient(inside, dim=1)[0].equal(anygrad.gradient(f, dim=1)[0])


@pytest.mark.parametrize(
    "words", [("where",), ("spacing",), ("scale_factors",), ("where", "spacing")]
)
@pytest.mark.parametrize("is_parameter", [False, True])
def test_torch_arguments_of_inference_mode(
    torch: Any, words: tuple[str, ...], is_parameter: bool
) -> None:
    """Autograd refuses to save them, and a derivative that it records keeps copies."""
    with torch.inference_mode():
        f = torch.tensor(SAMPLES)
        made = {"where": f != 3, "spacing": torch.tensor(2.0), "scale_factors": f + 9}
    samples = f.clone()
    samples = torch.nn.Parameter(samples) if is_parameter else samples.requires_grad_()
    slopes = []
    for given in (made, {name: value.clone() for name, value in made.items()}):
        keywords: dict[str, Any] = {word: given[word] for word in words}
        if "scale_factors" in words:
            keywords["scale_factors"] = [given["scale_factors"], 2.0]
        result = anygrad.gradient(samples, stack_dim=0, **keywords)
        total = result.nan_to_num().square().sum()
        slopes += torch.autograd.grad(total, samples)
    assert slopes[0].equal(slopes[1])


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
@pytest.mark.parametrize("entry", [ENTRIES[0], ENTRIES[3]])
def test_torch_compile_of_any_length(torch: Any, entry: Any) -> None:
    """One program for all lengths, also along the dim itself."""
    torch._dynamo.reset()
    compiled = torch.compile(slope, backend="eager", fullgraph=True, dynamic=True)
    for rows, columns in ((3, 5), (2, 4)):
        f = torch.tensor(SAMPLES)[:rows, :columns]
        x = torch_grid(torch, entry)
        if not isinstance(x, float):
            x = x[:rows, :columns].float()
        assert compiled(f, x).allclose(slope(f, x))


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
def test_torch_export_of_any_length(torch: Any) -> None:
    """Any number of rows and of points: the fewest must be said."""

    class Slopes(torch.nn.Module):
        def forward(self, f: Any, x: Any) -> Any:
            return slope(f, x)

    f, x = torch.tensor(SAMPLES), torch.tensor(COORDINATES)
    rows, points = torch.export.Dim("rows", min=2), torch.export.Dim("points", min=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's own
        program = torch.export.export(
            Slopes(), (f, x), dynamic_shapes=({0: rows, 1: points}, {0: points})
        )
    for samples, nodes in ((f, x), (f[:2, :4], x[:4])):
        assert program.module()(samples, nodes).allclose(slope(samples, nodes))


@pytest.mark.parametrize("entry", ENTRIES)
def test_torch_without_values(torch: Any, entry: Any) -> None:
    """Fake and meta tensors: shapes, dtypes and devices come out as promised."""
    from torch._subclasses import FakeTensorMode

    x = torch_grid(torch, entry)
    f = torch.tensor(SAMPLES, dtype=torch.float64)
    is_number = isinstance(x, float)
    with FakeTensorMode() as mode:
        result = slope(mode.from_tensor(f), x if is_number else mode.from_tensor(x))
    on_meta = slope(f.to("meta"), x if is_number else x.to("meta"))
    for out, device in ((result, "cpu"), (on_meta, "meta")):
        assert (tuple(out.shape), out.dtype) == ((3, 5), torch.float64)
        assert out.device.type == device
