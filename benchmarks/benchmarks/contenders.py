"""Arrays of each library, and the calls that are compared.

A call ends when its values are there: what a library does later, or elsewhere, is
waited for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anygrad
from benchmarks import peers
from benchmarks.rows import OURS_AS_PEERS, Row

STEP = 0.3

#: Takes nothing and returns the derivatives.
Call = Callable[[], Any]


def contenders(row: Row) -> dict[str, Call]:
    """Return what is compared in a row: anygrad and, where there are, peer and floor.

    The floor is a copy of every result, into new memory: nothing that returns them can
    be faster.
    """
    library = LIBRARIES[row.library]()
    f, spacing = library.samples(row), library.spacing(row)
    where = library.mask(row)

    def ours(f: Any) -> Any:
        return derivatives(f, spacing, row, where)

    if row.way == "compiled":
        ours = anygrad.set_compiler("numba")(ours)

    def theirs(f: Any) -> Any:
        if row.peer == "no compiler":
            return derivatives(f, spacing, row, where)
        if row.peer in OURS_AS_PEERS:
            return derivatives(f, spacing, replace(row, boundary="one_sided"))
        return library.peer(f, spacing, row)

    calls = {"anygrad": library.call(ours, f, row)}
    if row.peer is not None:
        calls["peer"] = library.call(theirs, f, row)
    if library.has_floor and row.way != "backward":
        results = functools.cache(calls["anygrad"])  # made when they are first copied
        calls["floor"] = lambda: library.floor(results())
        # These read more than they write.
        if row.grid == "one coordinate per point":
            calls["floor"] = lambda: results()[0] + spacing[0]
        if row.function == "divergence":  # of three components
            calls["floor"] = lambda: library.floor(results() * 2)
    return calls


def derivatives(f: Any, spacing: Any, row: Row, where: Any = None) -> tuple[Any, ...]:
    """Return what anygrad makes of the samples."""
    keywords: dict[str, Any] = {"accuracy": row.accuracy, "boundary": row.boundary}
    if where is not None:
        keywords["where"] = where
    if row.function == "laplacian":
        return (anygrad.laplacian(f, spacing=spacing, dim=row.dim, **keywords),)
    if row.function == "hessian":
        return (anygrad.hessian(f, spacing=spacing, **keywords),)
    if row.function == "divergence":
        return (anygrad.divergence(f, spacing=spacing, vector_dim=0, **keywords),)
    if row.function == "order 4":
        keywords |= {"dim": row.dim, "order": 4}
        return (anygrad.derivative(f, spacing=spacing, **keywords),)
    if row.accuracy == 2 and row.boundary == "one_sided":
        keywords = {} if where is None else {"where": where}
    return anygrad.gradient(f, spacing=spacing, dim=row.dim, **keywords)


class NumPy:
    """NumPy; the others say where they differ."""

    has_floor = True

    def values(self, row: Row) -> Any:
        """Return the samples as a NumPy array."""
        import numpy

        draw = numpy.random.default_rng(0)
        if "int" in row.dtype:
            values = draw.integers(0, 100, row.shape, dtype=row.dtype)
        else:
            values = draw.random(row.shape, dtype="float32").astype(row.dtype)
        return numpy.asarray(values, order=row.order)

    def asarray(self, values: Any, _: Row) -> Any:
        """Return an array of this library."""
        return values

    def samples(self, row: Row) -> Any:
        """Return the samples."""
        return self.asarray(self.values(row), row)

    def spacing(self, row: Row) -> Any:
        """Return the step, or uneven coordinates that keep the dtype of the result."""
        import numpy

        if row.grid == "step":
            return STEP
        if row.grid == "one coordinate per point":
            draw = numpy.random.default_rng(2)
            steps = draw.random(row.shape, dtype="float32").astype(row.dtype) + 0.5
            return [self.vector(numpy.cumsum(steps, axis=row.dim, dtype=row.dtype))]
        dtype = row.dtype if "float" in row.dtype else "float32"
        lengths = row.shape if row.dim is None else [row.shape[row.dim]]
        positions = [numpy.arange(n) + 0.25 * (numpy.arange(n) % 2) for n in lengths]
        return [self.vector(x.astype(dtype)) for x in positions]

    def vector(self, x: Any) -> Any:
        """Return coordinates, or a mask, as an array of this library."""
        return x

    def mask(self, row: Row) -> Any:
        """Return which samples are valid; None where all are."""
        import numpy

        if not row.missing:
            return None
        draw, shape = numpy.random.default_rng(1), row.shape
        if row.missing == "at random":
            return self.vector(draw.random(shape) > 0.05)
        size = min(50, *[n // 3 for n in shape])
        valid = draw.random([n // size + 1 for n in shape]) > 0.3
        for axis, n in enumerate(shape):
            valid = numpy.repeat(valid, size, axis=axis).take(range(n), axis=axis)
        return self.vector(valid)

    def peer(self, f: Any, spacing: Any, row: Row) -> Any:
        """Return what the peer makes of the samples."""
        import numpy

        if row.peer == "findiff":
            return peers.findiff_operator(spacing, row)(f)
        if row.peer == "correlate1d":
            return peers.correlated(f, spacing, row)
        if row.peer == "numba.stencil":
            return peers.by_numba_stencil(f, spacing, row)
        entries = spacing if isinstance(spacing, list) else [spacing]
        return numpy.gradient(f, *entries, axis=row.dim)

    def floor(self, results: tuple[Any, ...]) -> Any:
        """Copy the results."""
        import numpy

        return [numpy.copy(result) for result in results]

    def call(self, function: Callable[[Any], Any], f: Any, row: Row) -> Call:
        """Return the call that is measured."""
        if row.way != "two threads":
            return lambda: function(f)

        def on_two_threads() -> Any:
            with anygrad.set_workers(2):
                return function(f)

        return on_two_threads


class Torch(NumPy):
    """PyTorch on the CPU, with as many threads as it takes by itself."""

    def asarray(self, values: Any, row: Row) -> Any:
        """Return a tensor that, for the backward pass, wants its gradient."""
        import torch

        return torch.from_numpy(values).requires_grad_(row.way == "backward")

    def vector(self, x: Any) -> Any:
        """Return a tensor."""
        import torch

        return torch.from_numpy(x)

    def peer(self, f: Any, spacing: Any, row: Row) -> Any:
        """Return torch.gradient, a convolution, or differences of shifted copies."""
        import torch

        if row.peer == "conv2d":
            return peers.convolved(f, spacing, row)
        if row.peer == "torch.roll":
            roll = torch.roll
            if row.function == "gradient":
                above, below = roll(f, -1, row.dim), roll(f, 1, row.dim)
                return ((above - below) / (2 * spacing),)
            seconds = [
                (roll(f, -1, axis) - 2 * f + roll(f, 1, axis)) / spacing**2
                for axis in range(f.ndim)
            ]
            return (sum(seconds[1:], seconds[0]),)
        return torch.gradient(f, spacing=spacing, dim=row.dim)

    def floor(self, results: tuple[Any, ...]) -> Any:
        """Copy the results."""
        return [result.clone() for result in results]

    def call(self, function: Callable[[Any], Any], f: Any, row: Row) -> Call:
        """Return the call, with the backward pass where the row asks for it."""
        import torch

        def forward_and_backward() -> Any:
            results = function(f)
            return torch.autograd.grad(
                results, f, [torch.ones_like(r) for r in results]
            )

        return forward_and_backward if row.way == "backward" else lambda: function(f)


class JAX(NumPy):
    """JAX on the CPU; a negation is the floor, because XLA need not copy."""

    def asarray(self, values: Any, _: Row) -> Any:
        """Return a JAX array."""
        import jax.numpy as jnp

        return jnp.asarray(values)

    def vector(self, x: Any) -> Any:
        """Return a JAX array."""
        import jax.numpy as jnp

        return jnp.asarray(x)

    def peer(self, f: Any, spacing: Any, row: Row) -> Any:
        """Return jax.numpy.gradient."""
        import jax.numpy as jnp

        entries = spacing if isinstance(spacing, list) else [spacing]
        return jnp.gradient(f, *entries, axis=row.dim)

    def floor(self, results: tuple[Any, ...]) -> Any:
        """Negate the results."""
        import jax

        return jax.block_until_ready([-result for result in results])

    def call(self, function: Callable[[Any], Any], f: Any, row: Row) -> Call:
        """Return a call that waits for the values."""
        import jax

        run = jax.jit(function) if row.way == "jit" else function
        return lambda: jax.block_until_ready(run(f))


class Dask(NumPy):
    """Dask over NumPy, on the threads that it takes by itself."""

    has_floor = False  # a copy of a graph is nothing

    def asarray(self, values: Any, row: Row) -> Any:
        """Return a chunked array."""
        import dask.array

        return dask.array.from_array(values, chunks=row.chunks)

    def peer(self, f: Any, spacing: Any, row: Row) -> Any:
        """Return dask.array.gradient."""
        import dask.array

        entries = spacing if isinstance(spacing, list) else [spacing]
        return dask.array.gradient(f, *entries, axis=row.dim)

    def call(self, function: Callable[[Any], Any], f: Any, _: Row) -> Call:
        """Return a call that builds the graph and computes it."""
        import dask

        return lambda: dask.compute(function(f))


LIBRARIES = {"numpy": NumPy, "torch": Torch, "jax": JAX, "dask": Dask}
