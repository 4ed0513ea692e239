"""No step looks at the values of an array: graphs, traces and meta tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend

SAMPLES = [[3, 1, 4, 1, 5, 9], [2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3]]
COORDINATES = [0, 1, 3, 4, 8, 9]


def coordinates_per_point() -> list[Any]:
    return oracle.build((3, 6), lambda i: COORDINATES[i[1]] * (1 + i[0] / 4))


def every_kind_of_spacing(backend: Backend) -> Iterator[tuple[Any, Any]]:
    """Return an entry for the last dim, and the function of its coordinates."""
    yield 0.5, oracle.steps(1, 0.5)
    yield backend.asarray(0.5), oracle.steps(1, 0.5)
    yield backend.asarray(COORDINATES), oracle.along(1, COORDINATES)
    curved = coordinates_per_point()
    yield backend.asarray(curved), oracle.per_point(curved)


# Dask.


class Counter:
    """A scheduler that counts how often anything is computed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, graph: Any, keys: Any, **options: Any) -> Any:
        import dask

        self.calls += 1
        return dask.get(graph, keys, **options)


@pytest.mark.parametrize("dtype", ["float64", "int64", "float16"])
def test_dask_computes_nothing(dask: Any, backend: Backend, dtype: str) -> None:
    """A call makes a graph; the first value is computed when the user asks."""
    f = backend.asarray(SAMPLES, dtype)
    counter = Counter()
    with dask.config.set(scheduler=counter):
        for entry, _ in every_kind_of_spacing(backend):
            for edge_order in (1, 2):
                anygrad.gradient(f, spacing=[1, entry], edge_order=edge_order)
        assert counter.calls == 0
        anygrad.gradient(f)[0].compute()
        assert counter.calls == 1


def test_dask_chunks_are_those_of_the_samples(dask: Any, backend: Backend) -> None:
    """Not fragments of them (trap 17 asks for large chunks; none are too small)."""
    f = backend.asarray(SAMPLES)
    for entry, coordinate in every_kind_of_spacing(backend):
        results = anygrad.gradient(f, spacing=[2, entry], edge_order=2)
        wanted = [
            oracle.derivative(SAMPLES, 0, oracle.steps(0, 2), 2),
            oracle.derivative(SAMPLES, 1, coordinate, 2),
        ]
        backend.check(results, wanted, like=f)
        assert [result.chunks for result in results] == [f.chunks] * 2


@pytest.mark.parametrize(
    "chunks", [(1, 5), (5, 1), (1, 1, 4), (2, 2, 2), (1,) * 6, (3, 0, 3), (0, 6), (6,)]
)
@pytest.mark.parametrize("edge_order", [1, 2])
def test_dask_chunks_of_any_size(
    dask: Any, chunks: tuple[int, ...], edge_order: int
) -> None:
    """Of one point, and of none (trap 17)."""
    import dask.array
    import numpy

    f = dask.array.from_array(numpy.asarray(SAMPLES, dtype="float64"))
    f = f.rechunk((f.chunks[0], chunks))
    x = numpy.asarray(COORDINATES)
    for entry, coordinate in (
        (1, oracle.steps(1, 1)),
        (x, oracle.along(1, COORDINATES)),
        (dask.array.from_array(x, chunks=4), oracle.along(1, COORDINATES)),
    ):
        (result,) = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)
        wanted = oracle.derivative(SAMPLES, 1, coordinate, edge_order)
        assert oracle.difference(result.compute().tolist(), wanted, 1e-15) is None
        assert result.dtype == "float64"


def test_dask_unknown_lengths_of_other_dims(dask: Any) -> None:
    """A dim that is not differentiated may have chunks of unknown length."""
    import dask.array
    import numpy

    whole = dask.array.from_array(
        numpy.asarray(SAMPLES, dtype="float64"), chunks=(2, 3)
    )
    f = whole[whole[:, 0] > 2]
    assert math.isnan(f.shape[0])
    for entry, coordinate in (
        (2.0, oracle.steps(1, 2)),
        (numpy.asarray(COORDINATES), oracle.along(1, COORDINATES)),
    ):
        (result,) = anygrad.gradient(f, spacing=[entry], dim=1)
        assert math.isnan(result.shape[0])
        wanted = oracle.derivative([SAMPLES[0], SAMPLES[2]], 1, coordinate, 1)
        assert oracle.difference(result.compute().tolist(), wanted, 1e-15) is None


@pytest.mark.parametrize("of_each_point", [False, True])
def test_dask_unknown_lengths_and_scale_factors(dask: Any, of_each_point: bool) -> None:
    """Factors, coordinates and all components lie along such a dim as the samples."""
    import numpy

    rows, keep = numpy.random.default_rng(3), numpy.arange(7) > 2
    field, h = rows.random((2, 7, 5, 4)), rows.random((7, 5, 4)) + 1
    x = numpy.arange(5.0)[:, None] + numpy.zeros((7, 1, 1))

    def calls(field: Any, h: Any, x: Any, factor: Any) -> list[Any]:
        keywords = {
            "dim": (-2, -1),
            "scale_factors": [h, factor],
            "spacing": [x if of_each_point else 1.0, 0.5],
        }
        return [
            *anygrad.gradient(field[0], **keywords),
            anygrad.gradient(field[0], stack_dim=0, **keywords),
            anygrad.laplacian(field[0], **keywords),
            anygrad.divergence(field, vector_dim=0, **keywords),
            anygrad.curl(field, vector_dim=0, **keywords),
        ]

    def chunked(array: Any) -> Any:
        import dask.array

        mask = dask.array.from_array(keep, chunks=3)
        lazy = dask.array.from_array(array, chunks=3)
        return lazy[mask] if array.ndim == 3 else lazy[:, mask]

    factor = numpy.arange(1.0, 5)[None, :]
    lazy = calls(chunked(field), chunked(h), chunked(x), factor)
    wanted = calls(field[:, keep], h[keep], x[keep], factor)
    for result, usual in zip(lazy, wanted, strict=True):
        assert numpy.array_equal(result.compute(), usual)


def test_dask_chunks_beside_those_of_scale_factors(dask: Any) -> None:
    """Factors are cut as the samples are, which Dask would cut into more pieces."""
    import dask.array
    import numpy

    values, h = numpy.random.default_rng(4).random((2, 4, 32, 30)) + 1
    f = values[None].repeat(3, 0)
    keywords = {"spacing": 0.5, "dim": (-3, -2, -1)}
    lazy_f = dask.array.from_array(f, chunks=(3, 4, 4, 30))
    factors = [dask.array.from_array(h, chunks=c) for c in ((4, 32, 1), (1, 8, 30))]
    for door, given in (
        (anygrad.divergence, lambda f: f),
        (anygrad.laplacian, lambda f: f[0]),
    ):
        result = door(given(lazy_f), scale_factors=[*factors, 1.0], **keywords)
        assert result.chunks == given(lazy_f).chunks[-3:]
        usual = door(given(f), scale_factors=[h, h, 1.0], **keywords)
        assert numpy.array_equal(result.compute(), usual)


def test_dask_unknown_length_of_the_dim(dask: Any) -> None:
    import dask.array
    import numpy

    whole = dask.array.from_array(numpy.arange(6.0), chunks=3)
    f = whole[whole > 1]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        anygrad.gradient(f)
    assert str(caught.value) == (
        "`input` must have a known length along `dim` 0. Got shape (nan,). Compute it "
        "first, e.g. with `compute_chunk_sizes()`."
    )
    f.compute_chunk_sizes()
    assert anygrad.gradient(f)[0].compute().tolist() == [1.0] * 4


def test_dask_unknown_number_of_components(dask: Any) -> None:
    import dask.array
    import numpy

    whole = dask.array.from_array(numpy.arange(12.0).reshape(3, 4), chunks=2)
    f = whole[whole[:, 0] > 1]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        anygrad.jacobian(f)
    assert str(caught.value) == (
        "`input` must have a known length along `vector_dim` 0. Got shape (nan, 4). "
        "Compute it first, e.g. with `compute_chunk_sizes()`."
    )
    f.compute_chunk_sizes()
    assert anygrad.jacobian(f).compute().tolist() == [[[1.0] * 4]] * 2


def test_dask_results_know_what_they_are(dask: Any, backend: Backend) -> None:
    """The dtype that the graph promises is the one that it computes."""
    for dtype in ("float16", "float32", "int8", "complex64"):
        f = backend.asarray(SAMPLES, dtype)
        for entry in (2.0, backend.asarray(COORDINATES, "float32")):
            (result,) = anygrad.gradient(f, spacing=[entry], dim=1)
            assert result.dtype == result.compute().dtype
            assert type(result._meta) is type(result.compute())


# JAX.


@pytest.mark.forms("jax", "jax-x64")
@pytest.mark.parametrize("edge_order", [1, 2])
def test_jax_traces_everything(jax: Any, backend: Backend, edge_order: int) -> None:
    """Samples and spacing of every kind, as arguments of a compiled function."""
    f = backend.asarray(SAMPLES)
    for entry, coordinate in every_kind_of_spacing(backend):

        def call(f: Any, entry: Any) -> Any:
            return anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)

        static = () if hasattr(entry, "dtype") else (1,)
        results = jax.jit(call, static_argnums=static)(f, entry)
        wanted = oracle.derivative(SAMPLES, 1, coordinate, edge_order)
        backend.check(results, [wanted], like=f)


def test_jax_traces_integers_and_halves(jax: Any, backend: Backend) -> None:
    for dtype in ("uint8", "int32", "float16", "bfloat16", "complex64"):
        f = backend.asarray(SAMPLES, dtype)
        eager = anygrad.gradient(f)
        traced = jax.jit(anygrad.gradient)(f)
        wanted = [backend.tolist(result) for result in eager]
        backend.check(traced, wanted, like=f, dtype=backend.dtype_name(eager[0]))


def test_jax_shapes_without_values(jax: Any) -> None:
    """What `jax.eval_shape` needs: dtype and shape, and nothing else."""
    f = jax.ShapeDtypeStruct((3, 4), "float32")
    x = jax.ShapeDtypeStruct((4,), "float32")
    (result,) = jax.eval_shape(
        lambda f, x: anygrad.gradient(f, spacing=[x], dim=1), f, x
    )
    assert result.shape == (3, 4)
    assert result.dtype == "float32"


def test_jax_moves_nothing_to_the_host(jax: Any) -> None:
    """Under jit a call needs no transfer at all, in either direction."""
    import jax.numpy as jnp

    f, x = jnp.asarray(SAMPLES, dtype="float32"), jnp.asarray(COORDINATES)
    function = jax.jit(lambda f, x: anygrad.gradient(f, spacing=[2.0, x]))
    function(f, x)
    with jax.transfer_guard("disallow"):
        function(f, x)


# torch.


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8", "complex64"])
def test_torch_meta_tensors(torch: Any, dtype: str) -> None:
    """They have no values: shapes, dtypes and the device are all that is read."""
    f = torch.ones((3, 6), dtype=getattr(torch, dtype), device="meta")
    entries: list[Any] = [
        2.0,
        torch.ones((), device="meta"),
        torch.ones(6, dtype=torch.int32, device="meta"),
        torch.ones((3, 6), dtype=torch.int8, device="meta"),
    ]
    for entry in entries:
        for edge_order in (1, 2):
            results = anygrad.gradient(f, spacing=[1, entry], edge_order=edge_order)
            for result in results:
                assert result.device.type == "meta"
                assert result.shape == f.shape
                assert result.dtype == (
                    f.dtype if "int" not in dtype else torch.float32
                )


def test_torch_fake_tensors(torch: Any) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        f, x = torch.ones((3, 6)), torch.ones(6)
        (result,) = anygrad.gradient(f, spacing=[x], dim=1)
        assert type(result) is type(f)
        assert result.shape == f.shape


# Devices.


@pytest.mark.forms("all")
def test_results_stay_on_the_device(backend: Backend) -> None:
    """Of integers and 16-bit numbers too, whose dtype is made on the way."""
    for dtype in ("uint8", *backend.halves[:1]):
        f = backend.asarray(SAMPLES, dtype)
        for entry, _ in every_kind_of_spacing(backend):
            for result in anygrad.gradient(f, spacing=[1, entry], edge_order=2):
                assert backend.device(result) == backend.device(f)
                assert backend.kind(result) == backend.kind(f)


def test_jax_arrays_spread_over_devices(jax: Any) -> None:
    """Sharded along the dim and across it, the result is right and stays spread."""
    import jax.numpy as jnp
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    if len(jax.devices()) < 2:
        pytest.skip("there is one device only")
    mesh = Mesh(jax.devices()[:2], ("x",))
    values = [[(3 * i + j * j) % 7 for j in range(6)] for i in range(4)]
    for place in (PartitionSpec("x"), PartitionSpec(None, "x")):
        sharding = NamedSharding(mesh, place)
        f = jax.device_put(jnp.asarray(values, dtype="float32"), sharding)
        function: Callable[..., Any] = anygrad.gradient
        for call in (function, jax.jit(function)):
            for axis, result in enumerate(call(f)):
                wanted = oracle.derivative(values, axis, oracle.steps(axis, 1), 1)
                assert oracle.difference(result.tolist(), wanted, 1e-6) is None
                assert result.devices() == f.devices()
