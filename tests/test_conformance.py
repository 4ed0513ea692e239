"""The public suite: anygrad keeps every promise, and whoever breaks one is caught."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import testing
from anygrad.testing import __main__ as command
from backends import BACKENDS, Backend

ROOT = Path(__file__).parent.parent
BY_NAME = {check.__name__: check for check in testing.checks}

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)


class Namespace:
    """The namespace of a backend, whose arrays are made in the backend's form."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend.xp, name)

    def asarray(self, values: Any, dtype: Any = None, device: Any = None) -> Any:
        if device is not None:
            return self.backend.xp.asarray(values, dtype=dtype, device=device)
        known = [name for name in DTYPES if getattr(self, name, None) == dtype]
        name = known[0] if dtype is not None else self.backend.default
        return self.backend.make(values, name, oracle.shape_of(values))


#: All but the library that nobody has heard of, whose numbers cannot be read.
FORMS = tuple(form.id for form in BACKENDS if form.id not in ("toy", "jax-device1"))


@pytest.mark.parametrize("check", testing.checks, ids=lambda check: check.__name__)
@pytest.mark.forms(*FORMS)
def test_anygrad_keeps_every_promise(backend: Backend, check: Any) -> None:
    (verdict,) = verdicts(anygrad.gradient, Namespace(backend), check.__name__)
    assert verdict.outcome != "broken", verdict.reason


def verdicts(gradient: Any, xp: Any, *names: str) -> list[testing.Verdict]:
    from anygrad.testing import _running

    return [_running._verdict(BY_NAME[name], gradient, xp) for name in names]


@pytest.mark.forms("numpy", "strict-device1", "torch", "jax", "dask", "cupy")
def test_most_checks_apply(backend: Backend) -> None:
    """What does not apply says why, and cannot be the whole suite."""
    found = testing.run_checks(anygrad.gradient, Namespace(backend))
    skipped = [verdict for verdict in found if verdict.outcome == "not applicable"]
    assert len(found) == len(testing.checks)
    assert len(skipped) <= 30
    assert all(verdict.reason for verdict in skipped)


def test_every_check_is_named_after_a_promise() -> None:
    assert len(BY_NAME) == len(testing.checks) > 100
    promises = [str(check.__doc__) for check in testing.checks]
    assert len(set(promises)) == len(promises)
    for promise in promises:
        assert promise.endswith(".")
        assert "\n" not in promise


# Broken gradients, each with the check that must catch it.

BROKEN: list[Any] = []


def caught_by(check: str) -> Callable[[Any], Any]:
    def register(broken: Any) -> Any:
        BROKEN.append(pytest.param(broken, check, id=broken.__name__))
        return broken

    return register


def changed(change: Callable[..., Any]) -> Any:
    """Return anygrad's gradient, with every result changed."""

    def gradient(f: Any, **keywords: Any) -> Any:
        results = anygrad.gradient(f, **keywords)
        return tuple(change(result.copy(), f, **keywords) for result in results)

    return gradient


@caught_by("check_first_order_edges")
def wrong_right_edge(f: Any, **keywords: Any) -> Any:
    def change(g: Any, *_: Any, **__: Any) -> Any:
        g[..., -1] = g[..., -2]
        return g

    return changed(change)(f, **keywords)


@caught_by("check_second_order_edges")
def first_order_edges_always(f: Any, edge_order: int = 1, **keywords: Any) -> Any:
    return anygrad.gradient(f, edge_order=1, **keywords)


@caught_by("check_second_order_edges_on_coordinates")
def second_order_edge_of_even_steps(f: Any, **keywords: Any) -> Any:
    def change(g: Any, f: Any, spacing: Any = 1, edge_order: int = 1, **_: Any) -> Any:
        if edge_order == 2 and isinstance(spacing, list) and f.ndim == 1:
            h = spacing[0][1] - spacing[0][0]
            g[0] = (-3 * f[0] + 4 * f[1] - f[2]) / (2 * h)
        return g

    return changed(change)(f, **keywords)


@caught_by("check_dims_in_the_order_named")
def sorted_dims(f: Any, dim: Any = None, **keywords: Any) -> Any:
    dim = sorted(dim) if isinstance(dim, (list, tuple)) else dim
    return anygrad.gradient(f, dim=dim, **keywords)


@caught_by("check_one_step_per_dim")
def swapped_spacing(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    spacing = spacing[::-1] if isinstance(spacing, list) else spacing
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_steps_in_the_order_of_dims")
def spacing_by_number_of_dim(
    f: Any, spacing: Any = 1, dim: Any = None, **keywords: Any
) -> Any:
    if isinstance(spacing, list) and isinstance(dim, list):
        order = sorted(range(len(dim)), key=lambda k: dim[k])
        spacing = [spacing[k] for k in order]
    return anygrad.gradient(f, spacing=spacing, dim=dim, **keywords)


@caught_by("check_samples_unchanged")
def writes_to_the_samples(f: Any, **keywords: Any) -> Any:
    results = anygrad.gradient(f, **keywords)
    f[...] = results[0]
    return results


@caught_by("check_coordinates_unchanged")
def writes_to_the_coordinates(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    results = anygrad.gradient(f, spacing=spacing, **keywords)
    if isinstance(spacing, list):
        spacing[0][...] = 0
    return results


@caught_by("check_single_and_double_are_kept")
def upcast(f: Any, **keywords: Any) -> Any:
    return changed(lambda g, *_, **__: g.astype("float64"))(f, **keywords)


@caught_by("check_integers_give_the_default_dtype")
def integers_in_single(f: Any, **keywords: Any) -> Any:
    if f.dtype.kind in "iu":
        f = f.astype("float32")
    return anygrad.gradient(f, **keywords)


@caught_by("check_numbers_do_not_promote")
def steps_promote(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    results = anygrad.gradient(f, spacing=spacing, **keywords)
    is_number = isinstance(spacing, float)
    return tuple(g.astype("float64") for g in results) if is_number else results


@caught_by("check_small_integers_do_not_wrap")
def wrapped_integers(f: Any, **keywords: Any) -> Any:
    def change(g: Any, f: Any, **_: Any) -> Any:
        if f.dtype.kind in "iu" and f.ndim == 1:
            g[1:-1] = (f[2:] - f[:-2]) / 2
        return g

    return changed(change)(f, **keywords)


@caught_by("check_large_integers_are_exact")
def integers_rounded_first(f: Any, **keywords: Any) -> Any:
    return anygrad.gradient(f.astype("float64"), **keywords)


@caught_by("check_large_steps")
def products_of_steps(f: Any, **keywords: Any) -> Any:
    def change(g: Any, f: Any, spacing: Any = 1, **_: Any) -> Any:
        if isinstance(spacing, list) and f.ndim == 1 and spacing[0].shape == f.shape:
            h = spacing[0][1:] - spacing[0][:-1]
            a, b = h[:-1], h[1:]
            top = a * a * f[2:] - b * b * f[:-2] + (b * b - a * a) * f[1:-1]
            g[1:-1] = top / (a * b * (a + b))
        return g

    return changed(change)(f, **keywords)


@caught_by("check_even_coordinates_are_coordinates")
def a_look_at_the_values(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    if isinstance(spacing, list) and getattr(spacing[0], "shape", None) == f.shape:
        h = spacing[0][1:] - spacing[0][:-1]
        if (h == h[0]).all():
            spacing = float(h[0])
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_complex_steps")
def imaginary_part_dropped(f: Any, **keywords: Any) -> Any:
    return changed(lambda g, *_, **__: g.real)(f, **keywords)


@caught_by("check_nan_with_steps")
def nan_spread(f: Any, **keywords: Any) -> Any:
    return changed(lambda g, f, **_: g + 0 * f)(f, **keywords)


@caught_by("check_tuple_for_many_dims")
def list_instead_of_tuple(f: Any, **keywords: Any) -> Any:
    return list(anygrad.gradient(f, **keywords))


@caught_by("check_tuple_for_one_dim")
def array_instead_of_tuple(f: Any, **keywords: Any) -> Any:
    results = anygrad.gradient(f, **keywords)
    return results[0] if len(results) == 1 else results


@caught_by("check_too_many_coordinates")
def coordinates_not_counted(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    if isinstance(spacing, list) and getattr(spacing[0], "ndim", 0) == 1:
        spacing = [spacing[0][: f.shape[0]], *spacing[1:]]
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_bool_samples")
def bool_accepted(f: Any, **keywords: Any) -> Any:
    f = f.astype("int8") if f.dtype == "bool" else f
    return anygrad.gradient(f, **keywords)


@caught_by("check_fractional_edge_order")
def edge_order_rounded(f: Any, edge_order: Any = 1, **keywords: Any) -> Any:
    return anygrad.gradient(f, edge_order=int(edge_order), **keywords)


@caught_by("check_types_of_errors")
def errors_of_another_type(f: Any, **keywords: Any) -> Any:
    try:
        return anygrad.gradient(f, **keywords)
    except (IndexError, TypeError, ValueError) as error:
        raise RuntimeError(*error.args) from None


@caught_by("check_errors_begin_with_the_parameter")
def errors_without_a_name(f: Any, **keywords: Any) -> Any:
    try:
        return anygrad.gradient(f, **keywords)
    except (IndexError, TypeError, ValueError) as error:
        raise type(error)("invalid argument") from None


@caught_by("check_coordinates_promote")
def coordinates_rounded_first(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    if isinstance(spacing, list):
        spacing = [getattr(x, "astype", lambda _, x=x: x)(f.dtype) for x in spacing]
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_half_precision_is_kept")
def half_becomes_single(f: Any, **keywords: Any) -> Any:
    return anygrad.gradient(
        f.astype("float32") if f.dtype == "float16" else f, **keywords
    )


@caught_by("check_zero_length_of_other_dims")
def no_empty_arrays(f: Any, **keywords: Any) -> Any:
    f.max()
    return anygrad.gradient(f, **keywords)


@caught_by("check_views")
def steps_of_the_whole(f: Any, **keywords: Any) -> Any:
    if f.base is not None and f.ndim == 1:  # the samples as they lie in the memory
        f = f.base.reshape(-1)[: f.size]
    return anygrad.gradient(f, **keywords)


@caught_by("check_read_only_arrays")
def a_place_to_work(f: Any, **keywords: Any) -> Any:
    f[...] = f
    return anygrad.gradient(f, **keywords)


@caught_by("check_other_dims_of_one_point")
def squeezed(f: Any, **keywords: Any) -> Any:
    return changed(lambda g, *_, **__: g.squeeze())(f, **keywords)


def remembering() -> Any:
    """Return a gradient that takes the first step that it sees for all."""
    seen: list[Any] = []

    def first_step_for_ever(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, float):
            seen.append(spacing)
            spacing = seen[0]
        return anygrad.gradient(f, spacing=spacing, **keywords)

    return first_step_for_ever


caught_by("check_calls_do_not_depend_on_each_other")(remembering())


@caught_by("check_no_warnings")
def warns(f: Any, **keywords: Any) -> Any:
    warnings.warn("slow", RuntimeWarning, stacklevel=2)
    return anygrad.gradient(f, **keywords)


@caught_by("check_each_dim_has_its_own_dtype")
def one_dtype_for_all_dims(f: Any, **keywords: Any) -> Any:
    results = anygrad.gradient(f, **keywords)
    return tuple(g.astype(results[-1].dtype) for g in results)


@caught_by("check_complex_samples_promote")
def complex_samples_keep_their_dtype(f: Any, **keywords: Any) -> Any:
    return changed(lambda g, f, **_: g.astype(f.dtype))(f, **keywords)


@caught_by("check_half_precision_is_rounded_once")
def half_of_the_difference_first(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    results = anygrad.gradient(f, **keywords)
    return tuple((g * (1 / g.dtype.type(spacing))).astype(f.dtype) for g in results)


@caught_by("check_half_precision_coordinates")
def products_of_half_precision(f: Any, **keywords: Any) -> Any:
    return products_of_steps(f, **keywords)


@caught_by("check_nan_in_coordinates")
def means_for_missing_coordinates(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    if isinstance(spacing, list):
        x = spacing[0]
        spacing = [numpy_nan_to_mean(x)]
    return anygrad.gradient(f, spacing=spacing, **keywords)


def numpy_nan_to_mean(x: Any) -> Any:
    import numpy

    return numpy.where(numpy.isnan(x), numpy.nanmean(x), x)


@caught_by("check_infinite_step")
def any_step(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    if isinstance(spacing, float) and math.isinf(spacing):
        return tuple(g / spacing for g in anygrad.gradient(f, **keywords))
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_other_types_as_spacing")
def lists_are_converted(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    import numpy

    if isinstance(spacing, list):
        spacing = [numpy.asarray(x) if isinstance(x, list) else x for x in spacing]
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_misshapen_coordinates")
def coordinates_cut_to_fit(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
    if isinstance(spacing, list) and spacing[0].ndim > f.ndim:
        spacing = [spacing[0][0]]
    return anygrad.gradient(f, spacing=spacing, **keywords)


@caught_by("check_masked_samples")
def mask_lost(f: Any, **keywords: Any) -> Any:
    import numpy

    return anygrad.gradient(numpy.asarray(f), **keywords)


@pytest.mark.parametrize(("broken", "check"), BROKEN)
def test_broken_gradients_are_caught(numpy: Any, broken: Any, check: str) -> None:
    (verdict,) = verdicts(broken, numpy, check)
    assert verdict.outcome == "broken"
    assert verdict.reason


def test_a_dropped_device_is_caught(array_api_strict: Any) -> None:
    xp = array_api_strict

    def gradient(f: Any, **keywords: Any) -> Any:
        results = anygrad.gradient(f, **keywords)
        return tuple(g.to_device(xp.Device("CPU_DEVICE")) for g in results)

    (verdict,) = verdicts(gradient, xp, "check_device_kept")
    assert verdict.outcome == "broken"


def test_edges_of_chunks_are_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, **keywords: Any) -> Any:
        return (f.map_blocks(lambda block: anygrad.gradient(block, **keywords)[0]),)

    (verdict,) = verdicts(gradient, dask.array, "check_chunks_do_not_matter")
    assert verdict.outcome == "broken"


def test_a_computed_dask_array_is_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, **keywords: Any) -> Any:
        f.max().compute()
        return anygrad.gradient(f, **keywords)

    (verdict,) = verdicts(gradient, dask.array, "check_lazy_arrays_stay_lazy")
    assert verdict.outcome == "broken"


def test_a_branch_on_values_is_caught(jax: Any) -> None:
    import jax.numpy

    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(f if f.max() > 0 else -f, **keywords)

    (verdict,) = verdicts(gradient, jax.numpy, "check_samples_can_be_traced")
    assert verdict.outcome == "broken"


def test_a_lost_derivative_is_caught(torch: Any) -> None:
    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(f.detach(), **keywords)

    name = "check_differentiable_in_the_samples"
    (verdict,) = verdicts(gradient, torch, name)
    assert verdict.outcome == "broken"


def test_coordinates_that_are_moved_are_caught(array_api_strict: Any) -> None:
    def gradient(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, list):
            spacing = [x.to_device(f.device) for x in spacing]
        return anygrad.gradient(f, spacing=spacing, **keywords)

    (verdict,) = verdicts(gradient, array_api_strict, "check_coordinates_elsewhere")
    assert verdict.outcome == "broken"


def test_refused_coordinates_in_memory_are_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, list) and not hasattr(spacing[0], "chunks"):
            raise TypeError
        return anygrad.gradient(f, spacing=spacing, **keywords)

    (verdict,) = verdicts(gradient, dask.array, "check_coordinates_in_memory")
    assert verdict.outcome == "broken"


@pytest.mark.parametrize(
    "name",
    [
        "check_differentiable_in_coordinates_per_point",
        "check_differentiable_twice_in_coordinates",
    ],
)
def test_lost_coordinates_are_caught(torch: Any, name: str) -> None:
    def gradient(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, list):
            spacing = [x.detach() for x in spacing]
        return anygrad.gradient(f, spacing=spacing, **keywords)

    (verdict,) = verdicts(gradient, torch, name)
    assert verdict.outcome == "broken"


def test_a_missing_conjugate_is_caught(torch: Any) -> None:
    """A backward written by hand, which gives the transpose and not the adjoint."""

    class Unconjugated(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, f: Any) -> Any:
            return f.clone()

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            return cotangent.conj()

    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(Unconjugated.apply(f), **keywords)

    name = "check_differentiable_with_complex_steps"
    (verdict,) = verdicts(gradient, torch, name)
    assert verdict.outcome == "broken"


def test_a_missing_forward_derivative_is_caught(torch: Any) -> None:
    class Backward(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, f: Any) -> Any:
            return f.clone()

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            return cotangent

    def gradient(f: Any, **keywords: Any) -> Any:
        return anygrad.gradient(Backward.apply(f), **keywords)

    (verdict,) = verdicts(gradient, torch, "check_differentiable_forward")
    assert verdict.outcome == "broken"


def test_every_check_can_fail(numpy: Any) -> None:
    """One gradient raises whatever it is asked, the other returns whatever it is."""

    def raises(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def returns(*_: Any, **__: Any) -> Any:
        return (numpy.asarray([7.0, 7.0]),)

    broken = {
        verdict.name
        for gradient in (raises, returns)
        for verdict in testing.run_checks(gradient, numpy)
        if verdict.outcome == "broken"
    }
    kept = testing.run_checks(anygrad.gradient, numpy)
    assert {v.name for v in kept if v.outcome == "kept"} <= broken


def test_cupy_is_called_as_numpy_is(cupy: Any) -> None:
    f = cupy.asarray([[1.0, 2, 4], [9, 3, 7], [5, 5, 0]])
    theirs = testing.gradient_of("cupy")(f, spacing=[2.0, 0.5], dim=[1, 0])
    ours = anygrad.gradient(f, spacing=[2.0, 0.5], dim=[1, 0])
    for a, b in zip(theirs, ours, strict=True):
        assert a.tolist() == b.tolist()


# The doors.


TESTS_OF_NUMPY = """
import numpy
from anygrad.testing import gradient_of, parametrize_with_checks

@parametrize_with_checks(
    gradient_of("numpy"),
    numpy,
    expected_failures={
        "check_large_steps": "products of steps",
        "check_negative_steps": "a wrong expectation",
    },
)
def test_numpy(check):
    check()
"""


def test_parametrize_with_checks(numpy: Any, tmp_path: Path) -> None:
    """Kept, not kept, expected so, kept against the expectation, not applicable."""
    file = tmp_path / "test_numpy.py"
    file.write_text(TESTS_OF_NUMPY, encoding="utf-8")
    chosen = (
        "large_steps or negative_steps or chunks_kept or complex_steps or shape_kept"
    )
    command = [sys.executable, "-m", "pytest", "-rA", "-k", chosen, file.name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    lines = re.findall(r"^([A-Z]+) .*\[check_(\w+)\]", done.stdout, re.MULTILINE)
    found = {name: outcome for outcome, name in lines}
    assert found == {
        "shape_kept": "PASSED",
        "large_steps": "XFAIL",
        "negative_steps": "FAILED",
        "complex_steps": "FAILED",
        "complex_steps_keep_the_precision": "FAILED",
    }
    assert "SKIPPED [1]" in done.stdout
    assert "not applicable: the arrays have no chunks" in done.stdout


def test_expected_failures_must_name_checks(numpy: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^`expected_failures` must name checks\. Got"
    ):
        testing.parametrize_with_checks(
            anygrad.gradient, numpy, expected_failures={"check_nothing": "no reason"}
        )


def test_gradient_of_nobody() -> None:
    with pytest.raises(ValueError, match=r"^`library` must be one of .* Got 'julia'\."):
        testing.gradient_of("julia")


def test_the_command(numpy: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a line per check and a sum, and its status tells a broken promise."""
    assert command.main(["numpy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(testing.checks) + 1
    assert command.main(["numpy", "--gradient", "numpy"]) == 1
    assert "broken          check_large_steps: 0.0 where" in capsys.readouterr().out
    assert command.main(["numpy", "--gradient", "anygrad:gradient"]) == 0
    with pytest.raises(SystemExit):
        command.main(["numpy", "--gradient", "julia"])
    assert "`library` must be one of" in capsys.readouterr().err


@pytest.mark.peers
def test_the_table_in_the_documentation_is_up_to_date() -> None:
    """It is made by running the suite; `python docs/promises.py` makes it anew."""
    script = [sys.executable, str(ROOT / "docs" / "promises.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
