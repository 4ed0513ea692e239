"""JAX may be set to ask before it promotes dtypes and before it copies arrays.

What a plan has decided is not asked about; dtypes that nobody has decided are refused.
"""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad._executors import in_jax

SAMPLES = [0.0, 1, 4, 9, 16]
SLOPES = [1.0, 2, 4, 6, 7]

#: Dtypes of samples and of coordinates that are promoted by no one's leave.
PAIRS = [("bfloat16", "float32"), ("float32", "float16"), ("float16", "complex64")]


def refused(parameter: str, function: Any, *args: Any, **keywords: Any) -> None:
    with pytest.raises(TypeError) as caught:
        function(*args, **keywords)
    message = str(caught.value)
    assert message.startswith(f"`{parameter}` must have a dtype that the library")
    assert message.endswith("Convert one of them to the dtype of the other first.")


@pytest.mark.parametrize(("samples", "coordinates"), PAIRS)
def test_strict_promotion_refuses_by_name(
    jax: Any, samples: str, coordinates: str
) -> None:
    import jax.numpy as jnp

    f = jnp.asarray(SAMPLES, samples)
    x = jnp.arange(5, dtype=coordinates)
    usual = anygrad.gradient(f, spacing=[x])[0]
    with jax.numpy_dtype_promotion("strict"):
        refused("spacing[0]", anygrad.gradient, f, spacing=[x])
        refused("spacing", anygrad.derivative, f, spacing=x)
        same = anygrad.gradient(f.astype(coordinates), spacing=[x])[0]
    assert same.tolist() == SLOPES
    assert usual.tolist() == SLOPES


def test_strict_promotion_and_scale_factors(jax: Any) -> None:
    import jax.numpy as jnp

    f, h = jnp.asarray(SAMPLES, "float16"), jnp.ones(5)
    with jax.numpy_dtype_promotion("strict"):
        refused("scale_factors[0]", anygrad.gradient, f, scale_factors=[h])
        refused("radius", anygrad.spherical, h, f, 0.1)
        half = h.astype("float16")
        for factor in (half, half[:, None]):
            samples = f if factor.ndim == 1 else jnp.stack([f] * 5, 1)
            result = anygrad.gradient(samples, dim=0, scale_factors=[factor])[0]
            assert result.dtype == "float16"
        wide = anygrad.gradient(f.astype("float32"), scale_factors=[h])[0]
    assert wide.tolist() == SLOPES


def test_strict_promotion_of_the_same_digits(jax: Any) -> None:
    """To become complex, nothing changes its precision."""
    import jax.numpy as jnp

    real, x = jnp.asarray(SAMPLES), jnp.asarray([0.0, 1, 3, 4, 8])
    square = jnp.stack([real] * 5)

    def calls() -> list[Any]:
        f = jax.lax.complex(real, real)
        grown = jax.grad(
            lambda f: abs(anygrad.derivative(f, spacing=x, order=2)[2]).real
        )
        return [
            anygrad.gradient(f, spacing=[x])[0],
            anygrad.gradient(real, spacing=[jax.lax.complex(x, x)])[0],
            anygrad.gradient(real, spacing=0.5j)[0],
            anygrad.laplacian(square, spacing=[x, jax.lax.complex(x, x)]),
            anygrad.gradient(f, scale_factors=[x + 1.0])[0],
            grown(f),
        ]

    usual = calls()
    with jax.numpy_dtype_promotion("strict"):
        strict = calls()
    for one, other in zip(usual, strict, strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


def test_dtypes_without_promotion(jax: Any) -> None:
    """Those of 8 bits are never promoted; steps, which have no say, go with them."""
    import jax.numpy as jnp

    f, x = jnp.asarray(SAMPLES, "float8_e4m3fn"), jnp.arange(5.0)
    assert anygrad.gradient(f, spacing=1.0)[0].dtype == f.dtype
    refused("spacing[0]", anygrad.gradient, f, spacing=[x])
    assert anygrad.gradient(f.astype(x.dtype), spacing=[x])[0].tolist() == SLOPES


def test_tensors_without_promotion(torch: Any) -> None:
    f, x = torch.tensor(SAMPLES).to(torch.float8_e4m3fn), torch.arange(5.0)
    assert anygrad.gradient(f, spacing=1.0)[0].dtype == f.dtype
    refused("spacing[0]", anygrad.gradient, f, spacing=[x])
    refused("scale_factors[0]", anygrad.gradient, f, scale_factors=[x])
    wide = anygrad.gradient(f.to(x.dtype), spacing=[x])[0]
    assert wide.tolist() == SLOPES


def calls_on(jax: Any) -> list[Any]:
    """Return calls on arrays that are on the device, with all else on the host."""
    import jax.numpy as jnp
    import numpy

    f, line = jnp.stack([jnp.asarray(SAMPLES)] * 5), jnp.asarray(SAMPLES)
    first, factor = line[:1] * 1, line + 1
    more_ghosts = [("edge", ("ghosts", f * 1)), (("ghosts", f * 1), "edge")]
    x, mask = numpy.asarray([0.0, 1, 3, 4, 8]), numpy.asarray([True] * 4 + [False])
    vectors = jnp.stack([f, f * f])
    masks, beyond = vectors != vectors[:1, :1], vectors[:, :1] * 1

    def call(function: Any, *args: Any, **keywords: Any) -> Any:
        return lambda: function(*args, **keywords)

    return [
        call(anygrad.gradient, f, spacing=0.3),
        call(anygrad.gradient, f, spacing=[0.3, x], where=mask),
        call(anygrad.gradient, line, spacing=[line], boundary=("periodic", 20.0)),
        call(anygrad.gradient, line, boundary=(2.0, "ghosts")),
        call(anygrad.gradient, line, boundary=(("ghosts", first), "edge")),
        call(anygrad.laplacian, f, edge_order=1, boundary=more_ghosts),
        call(anygrad.laplacian, line, spacing=2.0, scale_factors=[factor]),
        call(anygrad.divergence, vectors, where=masks),
        call(anygrad.jacobian, vectors, boundary=[beyond, "edge"]),
        call(anygrad.cylindrical, line, line),
        call(jax.vmap(lambda f: anygrad.gradient(f, spacing=0.5)), f),
    ]


def test_a_guard_of_transfers(jax: Any) -> None:
    """Steps, and NumPy's coordinates, are copied because the call says so."""
    usual = [jax.tree.leaves(call()) for call in calls_on(jax)]
    calls = calls_on(jax)
    with jax.transfer_guard("disallow"):
        results = [jax.tree.leaves(call()) for call in calls]
    for one, other in zip(usual, results, strict=True):
        pairs = zip(one, other, strict=True)
        assert all((numbers(a) == numbers(b)) for a, b in pairs)


def numbers(array: Any) -> Any:
    """Return what can be compared: NaN is another one each time."""
    return str(array.tolist()) if hasattr(array, "tolist") else array


def test_a_guard_of_all_transfers(jax: Any) -> None:
    """Who wants none at all gets none, and JAX's word for it."""
    import jax.numpy as jnp

    f = jnp.asarray(SAMPLES)
    with (
        jax.transfer_guard("disallow_explicit"),
        pytest.raises(Exception, match="Disallowed host-to-device transfer"),
    ):
        anygrad.gradient(f, spacing=0.7)


@pytest.mark.peers
def test_coordinates_of_numpy_where_jax_asks(jax: Any, numpy: Any) -> None:
    """For both questions at once, and again once there is a plan."""
    import jax.numpy as jnp

    f, x = jnp.asarray(SAMPLES), numpy.arange(5.0)
    with jax.numpy_dtype_promotion("strict"), jax.transfer_guard("disallow"):
        results = [anygrad.gradient(f, spacing=[x])[0] for _ in "12"]
        results.append(anygrad.gradient(f, spacing=1.0)[0])
    assert [result.tolist() for result in results] == [SLOPES] * 3


@pytest.mark.parametrize("pairs", [None, 0])
@pytest.mark.parametrize(
    "kind",
    [{}, {"accuracy": 4}, {"boundary": "periodic"}, {"spacing": "coordinates"}],
    ids=str,
)
def test_looking_for_nan(
    jax: Any, kind: dict[str, Any], pairs: int | None, monkeypatch: Any
) -> None:
    """That of a formula which another is chosen over is no result."""
    import jax.numpy as jnp

    if pairs is not None:  # as with many formulas, operation by operation
        monkeypatch.setattr(in_jax, "MOST_PAIRS", pairs)
    f, where = jnp.arange(12.0) ** 2, jnp.ones(12, dtype=bool)
    if "spacing" in kind:
        kind = {"spacing": [jnp.arange(12.0)]}

    def total(f: Any) -> Any:
        return jnp.sum(anygrad.gradient(f, where=where, **kind)[0])

    wanted = jax.grad(total)(f)
    with jax.debug_nans(True):
        assert bool(jnp.allclose(jax.grad(total)(f), wanted))
        assert bool(jnp.all(jnp.isfinite(anygrad.gradient(f, where=where, **kind)[0])))
        with pytest.raises(FloatingPointError):
            anygrad.gradient(f, where=where & False, **kind)
        with pytest.raises(FloatingPointError):
            jax.vmap(lambda f: anygrad.gradient(f, where=where & False, **kind))(
                f[None]
            )


def test_keys_are_no_masks(jax: Any) -> None:
    keys = jax.random.split(jax.random.key(0), 5)
    with pytest.raises(TypeError, match=r"^`where` must have a boolean dtype: True"):
        anygrad.gradient(jax.numpy.asarray(SAMPLES), where=keys)


def test_keys_are_no_ghosts(jax: Any) -> None:
    keys = jax.random.split(jax.random.key(0), 2)
    with pytest.raises(TypeError, match=r"^`boundary` must have ghosts of a dtype"):
        anygrad.derivative(
            jax.numpy.asarray(SAMPLES), boundary=(("ghosts", keys), "edge")
        )


@pytest.mark.filterwarnings("error")
def test_arrays_of_more_bits_than_there_are(jax: Any) -> None:
    """They were made while JAX had 64 bits, and are taken for what they become."""
    import jax.numpy as jnp

    with jax.enable_x64(True):
        f, g = jnp.asarray(SAMPLES), jnp.asarray([0, 1, 4, 9, 16])
        z, x, h = jax.lax.complex(f, f), jnp.arange(5.0), jnp.asarray(1.0)
        factor, ones = jnp.asarray([1.0, 2, 3, 4, 5]), jnp.ones(5)
    with jax.enable_x64(False):
        for result in (
            anygrad.gradient(f)[0],
            jax.jit(lambda f: anygrad.gradient(f)[0])(f),
            anygrad.gradient(g)[0],
            anygrad.gradient(z)[0].real,
            anygrad.gradient(f, spacing=[x])[0],
            anygrad.gradient(f.astype("float32"), spacing=h)[0],
            anygrad.gradient(f, scale_factors=[ones])[0],
            anygrad.gradient(f, where=ones.astype(bool))[0],
        ):
            assert result.dtype == "float32"
            assert result.tolist() == SLOPES
        short = factor.astype("float32")
        wanted = anygrad.laplacian(f.astype("float32"), scale_factors=[short])
        found = anygrad.laplacian(f, scale_factors=[factor])
        ends = ("one_sided", ("ghosts", f))
        beyond = anygrad.derivative(f, boundary=ends)
        grid = anygrad.lonlat(x, x)
    assert found.dtype == beyond.dtype == grid["scale_factors"][0].dtype == "float32"
    assert found.tolist() == wanted.tolist()
