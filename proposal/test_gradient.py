"""The proposed function, in the manner of array-api-extra's own tests."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
import pytest
from array_api_extra.testing import assert_close, assert_equal, lazy_xp_function

from gradient import gradient

# Traced by `jax.jit`, and on Dask arrays without any computation.
lazy_xp_function(gradient)


def reference(x: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    return np.gradient(np.asarray(x), spacing, axis=axis, edge_order=edge_order)


class TestGradient:
    @pytest.mark.parametrize("edge_order", [1, 2])
    @pytest.mark.parametrize("axis", [0, 1, -1, -2])
    def test_step(self, xp: Any, axis: int, edge_order: int) -> None:
        values = [[1.0, 2.0, 4.0, 8.0], [5.0, -1.0, 0.0, 0.5], [0.0, 1.0, 7.0, 3.0]]
        actual = gradient(
            xp.asarray(values), axis=axis, spacing=0.5, edge_order=edge_order
        )
        assert_close(actual, xp.asarray(reference(values, 0.5, axis, edge_order)))

    @pytest.mark.parametrize("edge_order", [1, 2])
    @pytest.mark.parametrize("axis", [0, 1, -1, -2])
    def test_coordinates(self, xp: Any, axis: int, edge_order: int) -> None:
        values = [[1.0, 2.0, 4.0, 8.0], [5.0, -1.0, 0.0, 0.5], [0.0, 1.0, 7.0, 3.0]]
        t = ([0.0, 1.0, 3.0], [0.0, 0.5, 0.75, 4.0])[axis % 2]
        actual = gradient(
            xp.asarray(values), axis=axis, spacing=xp.asarray(t), edge_order=edge_order
        )
        assert_close(actual, xp.asarray(reference(values, t, axis, edge_order)))

    def test_unit_step_has_the_bits_of_numpy(self, xp: Any) -> None:
        values = np.random.default_rng(0).random((5, 6)).astype(np.float32)
        actual = gradient(xp.asarray(values), axis=0)
        assert_equal(actual, xp.asarray(reference(values, 1, 0, 1)))

    def test_parabola_is_exact(self, xp: Any) -> None:
        t = xp.asarray([3.0, 2.0, 0.0, -4.0, -5.0])
        actual = gradient(t**2, axis=0, spacing=t, edge_order=2)
        assert_close(actual, 2 * t, atol=1e-14)

    def test_step_as_array(self, xp: Any) -> None:
        x = xp.asarray([0.0, 1.0, 4.0])
        actual = gradient(x, axis=0, spacing=xp.asarray(0.5))
        assert_close(actual, xp.asarray([2.0, 4.0, 6.0]))

    def test_large_steps(self, xp: Any) -> None:
        """Products of steps would overflow."""
        t = xp.asarray([0.0, 1e30, 3e30, 4e30], dtype=xp.float32)
        x = xp.asarray([0.0, 2.0, 6.0, 8.0], dtype=xp.float32)
        actual = gradient(x, axis=0, spacing=t, edge_order=2)
        expected = xp.asarray([2e-30] * 4, dtype=xp.float32)
        assert_close(actual, expected, rtol=1e-5)

    def test_two_samples(self, xp: Any) -> None:
        x, t = xp.asarray([1.0, 4.0]), xp.asarray([0.0, 2.0])
        actual = gradient(x, axis=0, spacing=t)
        assert_close(actual, xp.asarray([1.5, 1.5]))

    def test_batch(self, xp: Any) -> None:
        x = xp.asarray(np.arange(24.0).reshape(2, 3, 4))
        for axis, slope in enumerate((12.0, 4.0, 1.0)):
            assert_close(gradient(x, axis=axis), xp.full((2, 3, 4), slope))


class TestDtype:
    @pytest.mark.parametrize("name", ["float32", "float64", "complex64", "complex128"])
    def test_follows_the_samples(self, xp: Any, name: str) -> None:
        x = xp.asarray([0.0, 1.0, 4.0])
        x = xp.astype(x, getattr(xp, name))
        t = xp.asarray([0.0, 1.0, 2.0])
        for spacing in (1, 0.5, xp.asarray(2.0), t):
            assert gradient(x, axis=0, spacing=spacing).dtype == x.dtype

    @pytest.mark.parametrize("name", ["int8", "uint8", "int32", "int64"])
    def test_integers_do_not_wrap(self, xp: Any, name: str) -> None:
        values, nodes = [100.0, 0.0, 27.0, 127.0], [127.0, 100.0, 50.0, 0.0]
        dtype = getattr(xp, name)
        x, t = (xp.astype(xp.asarray(numbers), dtype) for numbers in (values, nodes))
        for spacing, known in ((1, 1), (t, nodes)):
            actual = gradient(x, axis=0, spacing=spacing)
            assert_close(actual, xp.asarray(reference(values, known, 0, 1)))

    def test_complex_step(self, xp: Any) -> None:
        x = xp.asarray([0.0, 1.0, 4.0])
        x = xp.astype(x, xp.complex128)
        actual = gradient(x, axis=0, spacing=2j)
        assert_close(actual, xp.asarray([-0.5j, -1j, -1.5j], dtype=actual.dtype))


class TestArguments:
    def test_xp(self, xp: Any) -> None:
        x = xp.asarray([0.0, 1.0, 4.0])
        assert_close(gradient(x, axis=0, xp=xp), xp.asarray([1.0, 2.0, 3.0]))

    def test_device(self, xp: Any) -> None:
        x = xp.asarray([0, 1, 4])
        actual = gradient(x, axis=0)
        assert array_api_compat.device(actual) == array_api_compat.device(x)

    @pytest.mark.parametrize("axis", [1, -2, 7])
    def test_axis(self, xp: Any, axis: int) -> None:
        with pytest.raises(IndexError, match="`axis` must be an axis of `x`"):
            gradient(xp.asarray([0.0, 1.0]), axis=axis)

    @pytest.mark.parametrize("edge_order", [0, 3, -1])
    def test_edge_order(self, xp: Any, edge_order: int) -> None:
        with pytest.raises(ValueError, match="`edge_order` must be 1 or 2"):
            gradient(xp.asarray([0.0, 1.0, 2.0, 3.0]), axis=0, edge_order=edge_order)

    @pytest.mark.parametrize("edge_order", [1, 2])
    def test_too_few_samples(self, xp: Any, edge_order: int) -> None:
        x = xp.asarray([0.0, 1.0][:edge_order])
        with pytest.raises(ValueError, match=f"must have {edge_order + 1} samples"):
            gradient(x, axis=0, edge_order=edge_order)

    @pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), (1,)])
    def test_shape_of_spacing(self, xp: Any, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="`spacing` must have shape"):
            gradient(xp.asarray([0.0, 1.0, 2.0]), axis=0, spacing=xp.ones(shape))

    def test_bool(self, xp: Any) -> None:
        with pytest.raises(TypeError, match="numeric dtype"):
            gradient(xp.asarray([True, False]), axis=0)
