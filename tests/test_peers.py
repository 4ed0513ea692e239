"""Beside the gradients that the libraries have: the same where they are right.

Where a peer falls into a trap, the test says so, so that the day it is mended there is
no secret, and our documentation can be.
"""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import pytest

import anygrad
import oracle
from backends import Backend

SHAPES = [(5,), (4, 6), (3, 4, 5)]


def samples(shape: tuple[int, ...]) -> Any:
    draw = random.Random(17)
    return oracle.build(shape, lambda _: draw.uniform(-9, 9))


def coordinates(n: int) -> list[float]:
    return [k + (k % 3) / 4 for k in range(n)]


def peer_of(backend: Backend, f: Any, spacing: list[Any], edge_order: int) -> Any:
    """Call the library's own gradient; None where it has none or has not this one."""
    import importlib

    module = importlib.import_module(backend.module)
    if backend.library == "torch":
        return module.gradient(f, spacing=spacing, edge_order=edge_order)
    if backend.library == "array-api-strict":
        return None
    if backend.library == "jax":  # knows no edge order at all (trap 16)
        return module.numpy.gradient(f, *spacing) if edge_order == 1 else None
    return module.gradient(f, *spacing, edge_order=edge_order)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("kind", ["steps", "coordinates"])
@pytest.mark.parametrize("shape", SHAPES, ids=repr)
@pytest.mark.forms("numpy", "torch", "torch-float64", "jax", "jax-x64", "dask", "cupy")
def test_the_librarys_own_gradient(
    backend: Backend, shape: tuple[int, ...], kind: str, edge_order: int
) -> None:
    """Equal up to rounding, for every dim, on data that is good for all."""
    f = backend.asarray(samples(shape))
    spacing: list[Any] = [0.5, 2.0, -1.0][: len(shape)]
    entries = spacing
    if kind == "coordinates":
        entries = [backend.asarray(coordinates(n)) for n in shape]
        spacing = entries
        if backend.library == "dask":
            import numpy

            spacing = [numpy.asarray(coordinates(n)) for n in shape]
    theirs = peer_of(backend, f, spacing, edge_order)
    if theirs is None:
        return
    theirs = theirs if isinstance(theirs, (list, tuple)) else [theirs]
    wanted = [backend.tolist(result) for result in theirs]
    results = anygrad.gradient(f, spacing=entries, edge_order=edge_order)
    backend.check(results, wanted, like=f)


# Where they fall.


def test_numpy_products_of_steps(numpy: Any) -> None:
    """Trap 1: zeros that look like data."""
    x = numpy.asarray([0, 3e21, 6e21, 1e22], dtype="float32")
    f = numpy.asarray([0, 1, 2, 3], dtype="float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = numpy.gradient(f, x)
    (ours,) = anygrad.gradient(f, spacing=[x])
    assert theirs[1:-1].tolist() == [0, 0]
    assert ours.tolist() == pytest.approx(
        [3.33e-22, 3.33e-22, 2.9e-22, 2.5e-22], rel=0.02
    )


def test_numpy_float16_steps(numpy: Any) -> None:
    """Trap 2: twice the step is no float16."""
    f = numpy.asarray([0, 1e4, 2e4], dtype="float16")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = numpy.gradient(f, numpy.float16(4e4))
    (ours,) = anygrad.gradient(f, spacing=numpy.float16(4e4))
    assert theirs[1] == 0
    assert ours.tolist() == pytest.approx([0.25] * 3, rel=1e-3)


def test_numpy_edge_orders(numpy: Any) -> None:
    """Trap 8: 0, -1 and 1.5 are taken for 2."""
    f = numpy.asarray([0.0, 1, 4, 9])
    for edge_order in (0, -1, 1.5):
        assert (numpy.gradient(f, edge_order=edge_order) == [0, 2, 4, 6]).all()
        with pytest.raises((TypeError, ValueError), match=r"^`edge_order` must be"):
            anygrad.gradient(f, edge_order=edge_order)


def test_numpy_complex_steps(numpy: Any) -> None:
    """Trap 9: the imaginary part is dropped."""
    f = numpy.asarray([0.0, 1, 4])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = numpy.gradient(f, 1j)
    (ours,) = anygrad.gradient(f, spacing=1j)
    assert not numpy.iscomplexobj(theirs)
    assert ours.tolist() == [-1j, -2j, -3j]


def test_numpy_nanoseconds(numpy: Any) -> None:
    """Trap 10: int64 coordinates go through float64 before they are subtracted."""
    x = 1_700_000_000_000_000_000 + numpy.arange(4)
    f = numpy.asarray([0.0, 1, 2, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = numpy.gradient(f, x)
    (ours,) = anygrad.gradient(f, spacing=[x])
    assert not numpy.isfinite(theirs).all()
    assert ours.tolist() == [1, 1, 1, 1]


def test_numpy_large_integers(numpy: Any) -> None:
    """Trap 25: differences beyond 2**53 are lost."""
    f = 2**53 + numpy.asarray([0, 1, 2, 3, 4])
    (ours,) = anygrad.gradient(f)
    assert ours.tolist() == [1] * 5
    assert numpy.gradient(f).tolist() != [1] * 5


def test_numpy_looks_at_the_values(numpy: Any) -> None:
    """Trap 13: what is uniform to the last bit takes another road, past a NaN."""
    f = numpy.asarray([0.0, 1, numpy.nan, 3, 4])
    even, uneven = numpy.arange(5.0), numpy.asarray([0.0, 1, 2, 3, 5])
    assert numpy.isfinite(numpy.gradient(f, even)[2])
    assert numpy.isnan(numpy.gradient(f, uneven)[2])
    for x in (even, uneven):
        assert numpy.isnan(anygrad.gradient(f, spacing=[x])[0][2])


def test_torch_wraps_small_integers(torch: Any) -> None:
    """Trap 3: 100 - (-100) is 56 in int8; uint8 is refused."""
    f = torch.tensor([100, -100, 100, -100], dtype=torch.int8)
    assert torch.gradient(f)[0][0] == 56
    assert anygrad.gradient(f)[0].tolist() == [-200, 0, 0, -200]
    with pytest.raises(RuntimeError):
        torch.gradient(f.to(torch.uint8))
    assert anygrad.gradient(f.to(torch.uint8))[0].tolist() == [56, 0, 0, 56]


def test_torch_wraps_integer_coordinates(torch: Any) -> None:
    """Trap 4: descending uint8 coordinates."""
    f = torch.tensor([0.0, 1, 2, 3])
    x = torch.tensor([30, 20, 10, 0], dtype=torch.uint8)
    theirs = torch.gradient(f, spacing=(x,))[0]
    assert not theirs.allclose(torch.tensor(-0.1))
    assert anygrad.gradient(f, spacing=[x])[0].tolist() == pytest.approx([-0.1] * 4)


def test_torch_does_not_count_coordinates(torch: Any) -> None:
    """Trap 5: ten coordinates for three samples give ten derivatives."""
    f, x = torch.tensor([0.0, 1, 2]), torch.arange(10.0)
    assert torch.gradient(f, spacing=(x,))[0].shape != f.shape
    with pytest.raises(ValueError, match=r"3 in all\. Got shape \(10,\)"):
        anygrad.gradient(f, spacing=[x])


def test_torch_does_not_mix_kinds_of_spacing(torch: Any) -> None:
    f, x = torch.ones(3, 4), torch.arange(4.0)
    with pytest.raises(TypeError):
        torch.gradient(f, spacing=(1.0, x))
    assert len(anygrad.gradient(f, spacing=(1.0, x))) == 2


def test_jax_knows_no_edge_order(jax: Any) -> None:
    """Trap 16: even the default is refused."""
    import jax.numpy as jnp

    f = jnp.asarray([0.0, 1, 4])
    with pytest.raises(NotImplementedError, match="edge_order"):
        jnp.gradient(f, edge_order=1)
    assert anygrad.gradient(f, edge_order=1)[0].tolist() == [1, 2, 3]


def test_jax_seconds(jax: Any) -> None:
    """Trap 10: float32 does not hold them, and integers may be given instead."""
    import jax.numpy as jnp

    x = [1_700_000_000 + 60 * k for k in range(4)]
    f = jnp.asarray([0.0, 60, 120, 180])
    theirs = jnp.gradient(f, jnp.asarray(x, dtype="float32"))
    assert not all(map(math.isfinite, theirs.tolist()))
    assert anygrad.gradient(f, spacing=[jnp.asarray(x)])[0].tolist() == [1] * 4


def test_dask_wants_large_chunks(dask: Any) -> None:
    """Trap 17: and coordinates in memory, and single steps."""
    import dask.array

    f = dask.array.arange(6, chunks=1) ** 2
    with pytest.raises(ValueError, match="Chunk size must be larger"):
        dask.array.gradient(f)
    assert anygrad.gradient(f)[0].compute().tolist() == [1, 2, 4, 6, 8, 9]
    half = f.astype("float16").rechunk(3)
    assert dask.array.gradient(half)[0].dtype != "float16"
    assert anygrad.gradient(half)[0].dtype == "float16"


@pytest.mark.peers
def test_all_libraries_agree(
    numpy: Any, torch: Any, jax: Any, dask: Any, array_api_strict: Any
) -> None:
    """The same call gives the same numbers everywhere."""
    from backends import plain

    shape, answers = (4, 5), []
    for library in ("numpy", "torch", "jax", "dask", "array-api-strict"):
        backend = plain(library)
        with backend.active():
            f = backend.asarray(samples(shape), "float32")
            x = backend.asarray(coordinates(5), "float32")
            results = anygrad.gradient(f, spacing=[0.5, x], edge_order=2)
            answers.append([backend.tolist(result) for result in results])
    for answer in answers[1:]:
        for got, wanted in zip(answer, answers[0], strict=True):
            assert oracle.difference(got, wanted, 1e-6) is None


@pytest.mark.peers
def test_nothing_is_converted(
    numpy: Any, torch: Any, jax: Any, array_api_strict: Any
) -> None:
    """Trap 18: `numpy.gradient` turns arrays of others into its own, silently."""
    f = array_api_strict.asarray([0.0, 1, 4])
    assert type(numpy.gradient(torch.tensor([0.0, 1, 4]))) is numpy.ndarray
    assert type(numpy.gradient(jax.numpy.asarray([0.0, 1, 4]))) is numpy.ndarray
    assert type(anygrad.gradient(torch.tensor([0.0, 1, 4]))[0]) is torch.Tensor
    assert isinstance(anygrad.gradient(jax.numpy.asarray([0.0, 1, 4]))[0], jax.Array)
    assert type(anygrad.gradient(f)[0]) is type(f)
