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


#: What a gradient, and a library, may have beyond those of torch.
KEYWORDS = ("accuracy", "boundary", "where", "stack_dim")
FUNCTIONS = (*("derivative", "divergence", "curl", "laplacian", "jacobian", "hessian"),)

#: All but the library that nobody has heard of, whose numbers cannot be read.
FORMS = tuple(form.id for form in BACKENDS if form.id not in ("toy", "jax-device1"))


@pytest.mark.cover(1)
@pytest.mark.parametrize("check", testing.checks, ids=lambda check: check.__name__)
@pytest.mark.forms(*FORMS)
def test_anygrad_keeps_every_promise(backend: Backend, check: Any) -> None:
    (verdict,) = verdicts(anygrad.gradient, Namespace(backend), check.__name__)
    assert verdict.outcome != "broken", verdict.reason


def verdicts(
    gradient: Any, xp: Any, *names: str, functions: Any = anygrad
) -> list[testing.Verdict]:
    from anygrad.testing import _running

    return [_running._verdict(BY_NAME[name], gradient, xp, functions) for name in names]


@pytest.mark.forms("numpy", "strict-device1", "torch", "jax", "dask", "cupy")
def test_most_checks_apply(backend: Backend) -> None:
    """What does not apply says why, and cannot be the whole suite."""
    xp = Namespace(backend)
    found = testing.run_checks(anygrad.gradient, xp, functions=anygrad)
    skipped = [verdict for verdict in found if verdict.outcome == "not applicable"]
    assert len(found) == len(testing.checks)
    assert len(skipped) <= 36
    for verdict in skipped:
        assert verdict.reason
        assert "no keyword" not in verdict.reason
        assert "there is no function" not in verdict.reason


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


# Broken functions beside it, and broken keywords: what is told of them is enough.


def without(keyword: str) -> Any:
    """Return what makes a function accept a keyword and take no notice of it."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            keywords.pop(keyword, None)
            return right(f, **keywords)

        return broken

    return breaking


def taking(keyword: str, change: Callable[[Any], Any]) -> Any:
    """Return what makes a function take another value for a keyword that is given."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            if keyword in keywords:
                keywords[keyword] = change(keywords[keyword])
            return right(f, **keywords)

        return broken

    return breaking


def giving(change: Callable[[Any, Any], Any]) -> Any:
    """Return what makes a function change its result, which may be a tuple."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            found = right(f, **keywords)
            if isinstance(found, tuple):
                return tuple(change(g, f) for g in found)
            return change(found, f)

        return broken

    return breaking


def first_of(change: Callable[[Any], Any]) -> Any:
    """Return what makes a function change its samples."""
    return lambda right: lambda f, **keywords: right(change(f), **keywords)


def other_mode(old: str, new: Any) -> Any:
    """Return what makes a function take one boundary for another."""

    def change(boundary: Any) -> Any:
        if isinstance(boundary, (list, tuple)):
            return type(boundary)(map(change, boundary))
        return new if boundary == old and isinstance(boundary, str) else boundary

    return taking("boundary", change)


def lenient(right: Any) -> Any:
    """Return a function that gives zeros where the right one refuses."""

    def broken(f: Any, **keywords: Any) -> Any:
        try:
            return right(f, **keywords)
        except (IndexError, TypeError, ValueError):
            return (0 * f,)

    return broken


def nameless(right: Any) -> Any:
    """Return a function whose refusals name no parameter."""

    def broken(f: Any, **keywords: Any) -> Any:
        try:
            return right(f, **keywords)
        except (IndexError, TypeError, ValueError) as error:
            raise type(error)("invalid argument") from None

    return broken


def copied(change: Callable[[Any], None]) -> Callable[[Any, Any], Any]:
    """Return a change of a result, from one in its place."""

    def changed(g: Any, _: Any) -> Any:
        g = g.copy()
        change(g)
        return g

    return changed


def set_first(g: Any) -> None:
    g[(0,) * g.ndim] += 1


def set_last(g: Any) -> None:
    g[(-1,) * g.ndim] += 1


def nudged(keyword: str) -> Any:
    """Return what makes a function change its last bits where a keyword is given."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            found = right(f, **keywords)
            if keyword in keywords:
                return tuple(g * (1 + 2**-50) for g in found)
            return found

        return broken

    return breaking


def centred(g: Any, f: Any) -> Any:
    return g + 0 * f


def to_single(g: Any, _: Any) -> Any:
    return g.astype("float32")


def to_double(g: Any, _: Any) -> Any:
    return g.astype("float64")


def constants_only(boundary: Any) -> Any:
    return 0.0 if isinstance(boundary, (int, float, complex)) else boundary


def rounded_down(boundary: Any) -> Any:
    return int(boundary // 1) if isinstance(boundary, float) else boundary


def left_only(boundary: Any) -> Any:
    is_pair = isinstance(boundary, tuple) and boundary[0] != "periodic"
    return boundary[0] if is_pair else boundary


def nothing_in_a_hole(right: Any) -> Any:
    """Return a function that gives no derivative where no sample is valid."""

    def broken(f: Any, where: Any = None, **keywords: Any) -> Any:
        found = right(f, where=where, **keywords)
        for g in found if where is not None else ():
            g[~where] = math.nan
        return found

    return broken


def zero_for_nan(g: Any, _: Any) -> Any:
    import numpy

    return numpy.nan_to_num(g)


def first_column(where: Any) -> Any:
    return where[..., :1] if getattr(where, "ndim", 0) else where


def turned(entries: Any) -> Any:
    return entries[::-1] if isinstance(entries, list) else entries


def without_period(boundary: Any) -> Any:
    is_periodic = isinstance(boundary, tuple) and boundary[0] == "periodic"
    return (boundary[0], boundary[1] + 1) if is_periodic else boundary


def wrapped(f: Any) -> Any:
    return f.astype("int8") if f.dtype.kind in "iu" else f


def as_float(f: Any) -> Any:
    return f.astype("float64") if f.dtype.kind in "iu" else f


def scribbled(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords)
        f[...] = 0
        return found

    return broken


def twice(right: Any) -> Any:
    """Return a second derivative that is the first, applied twice."""

    def broken(f: Any, order: int = 1, **keywords: Any) -> Any:
        for _ in range(order):
            f = right(f, order=1, **keywords)
        return f

    return broken


def gradient_of_a_gradient(_: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        first = anygrad.gradient(f, **keywords)
        return sum(
            anygrad.gradient(g, **keywords)[axis] for axis, g in enumerate(first)
        )

    return broken


def of_the_batch(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords)
        return found + 0 * found if "dim" not in keywords else found[::-1] + 0

    return broken


def flattened(right: Any) -> Any:
    return lambda f, **keywords: list(right(f, **keywords))


def second_order_edges(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        keywords.setdefault("edge_order", 1)
        return right(f, **keywords)

    return broken


def mixed_with_the_same_ghosts(right: Any) -> Any:
    """Return a Hessian whose second derivation sees the constants of the samples."""

    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords).copy()
        first = anygrad.derivative(f, dim=0, **keywords)
        found[0, 1] = found[1, 0] = anygrad.derivative(first, dim=1, **keywords)
        return found

    return broken


def transposed(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        return right(f, **keywords).swapaxes(0, 1)

    return broken


def no_dtype_of_all(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords)
        return found.real if "stack_dim" in keywords else found

    return broken


def even_steps(right: Any) -> Any:
    """Return a function that takes the mean step of coordinates."""

    def change(x: Any) -> Any:
        if getattr(x, "ndim", 0) == 1:
            return float(x[-1] - x[0]) / (len(x) - 1)
        return x

    def broken(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        spacing = (
            [change(x) for x in spacing]
            if isinstance(spacing, list)
            else change(spacing)
        )
        return right(f, spacing=spacing, **keywords)

    return broken


def stepwise(right: Any) -> Any:
    """Return a function that divides by a step of its own once, whatever the order."""

    def broken(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, complex) or getattr(spacing, "shape", None) == ():
            return right(f, **keywords) / spacing
        return right(f, spacing=spacing, **keywords)

    return broken


def overflowing(right: Any) -> Any:
    """Return a function that loses the result where coordinates are long."""

    def broken(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        found = right(f, spacing=spacing, **keywords)
        is_long = getattr(spacing, "ndim", 0) and abs(spacing[-1]) > 1e9
        return 0 * found if is_long else found

    return broken


TAMPERED = {
    "gradient": {
        "check_accuracy_of_two_is_usual": nudged("accuracy"),
        "check_accuracy_inside": without("accuracy"),
        "check_accuracy_near_the_edges": giving(copied(set_first)),
        "check_accuracy_on_polynomials": giving(copied(set_last)),
        "check_accuracy_with_a_coordinate_per_point": without("accuracy"),
        "check_accuracy_of_each_dim": taking("spacing", turned),
        "check_accuracy_of_constants": giving(lambda g, _: g + 1e-17),
        "check_accuracy_of_large_integers": first_of(as_float),
        "check_accuracy_and_nan": giving(centred),
        "check_accuracy_refused": taking("accuracy", lambda p: max(2, int(p or 2))),
        "check_edges_beyond_the_accuracy": taking("edge_order", lambda _: 1),
        "check_one_sided_is_usual": nudged("boundary"),
        "check_reflect": other_mode("reflect", "symmetric"),
        "check_symmetric": other_mode("symmetric", "reflect"),
        "check_edge": other_mode("edge", 0.0),
        "check_numbers_beyond_the_ends": taking("boundary", constants_only),
        "check_periodic_with_steps": other_mode("periodic", "reflect"),
        "check_periodic_with_coordinates": taking("boundary", without_period),
        "check_periodic_samples_can_be_turned": other_mode("periodic", "edge"),
        "check_another_mode_at_each_end": taking("boundary", left_only),
        "check_another_boundary_for_each_dim": taking("boundary", turned),
        "check_boundaries_of_any_accuracy": without("accuracy"),
        "check_boundaries_with_a_coordinate_per_point": other_mode("reflect", "edge"),
        "check_even_samples_are_flat_at_a_mirror": giving(lambda g, _: g + 1e-17),
        "check_one_boundary_for_integers": taking("boundary", rounded_down),
        "check_complex_numbers_beyond_the_ends": taking(
            "boundary", lambda mode: getattr(mode, "real", mode)
        ),
        "check_numbers_beyond_do_not_promote": giving(to_double),
        "check_unknown_boundaries": lenient,
        "check_half_periodic_boundaries": nameless,
        "check_periods": without("boundary"),
        "check_complex_numbers_beyond_real_samples": without("boundary"),
        "check_all_valid_changes_nothing": nudged("where"),
        "check_central_where_it_fits": nothing_in_a_hole,
        "check_one_sided_next_to_a_hole": taking("edge_order", lambda _: 1),
        "check_too_few_valid_samples": giving(zero_for_nan),
        "check_missing_values_never_matter": giving(centred),
        "check_holes_at_a_periodic_seam": other_mode("periodic", "one_sided"),
        "check_masks_broadcast": taking("where", first_column),
        "check_masks_refused": nameless,
        "check_stacked_results": flattened,
        "check_stacked_in_one_dtype": no_dtype_of_all,
        "check_stacked_result_of_one_dim": without("stack_dim"),
        "check_stack_dim_refused": lenient,
        "check_no_curl_in_a_gradient": giving(copied(set_first)),
    },
    "derivative": {
        "check_derivative_is_one_array": lambda right: lambda f, **k: (right(f, **k),),
        "check_derivative_orders": twice,
        "check_derivative_on_polynomials": even_steps,
        "check_derivative_near_the_edges": without("edge_order"),
        "check_derivative_between_even_and_uneven": even_steps,
        "check_derivative_along_the_last_dim": without("axis"),
        "check_derivative_of_the_first_order": second_order_edges,
        "check_derivative_of_steps_that_are_arrays": stepwise,
        "check_derivative_of_complex_steps": stepwise,
        "check_derivative_of_integers": first_of(wrapped),
        "check_derivative_of_a_constant": giving(lambda g, _: g + 1e-17),
        "check_derivative_and_nan": twice,
        "check_derivative_of_long_coordinates": overflowing,
        "check_derivative_refusals": lenient,
    },
    "divergence": {
        "check_divergence": taking("spacing", turned),
        "check_no_divergence_in_a_curl": giving(copied(set_first)),
        "check_trace_of_a_jacobian": giving(copied(set_first)),
        "check_components_along_any_dim": taking("vector_dim", lambda _: 0),
        "check_batches_of_fields": of_the_batch,
        "check_components_in_the_order_of_dims": taking("dim", sorted),
        "check_boundaries_of_fields": without("boundary"),
        "check_dtypes_of_fields": giving(to_double),
        "check_fields_are_not_written_to": scribbled,
        "check_fields_of_other_components": lenient,
        "check_vector_dims_refused": nameless,
        "check_no_dims_of_a_field": without("dim"),
    },
    "curl": {
        "check_curl_of_three_components": giving(lambda g, _: -g),
        "check_curl_of_two_components": giving(lambda g, _: g[None, ...]),
        "check_no_curl_in_a_gradient": giving(copied(set_first)),
        "check_dims_of_a_curl": lenient,
        "check_fields_are_not_written_to": scribbled,
    },
    "laplacian": {
        "check_laplacian": gradient_of_a_gradient,
        "check_laplacian_sees_the_shortest_wave": gradient_of_a_gradient,
        "check_trace_of_a_hessian": giving(copied(set_last)),
        "check_batches_of_fields": of_the_batch,
        "check_boundaries_of_fields": without("accuracy"),
        "check_dtypes_of_fields": giving(to_single),
        "check_fields_do_not_wrap": first_of(lambda f: f - f // 2 * 2),
        "check_no_dims_of_a_field": without("dim"),
        "check_keywords_of_fields_refused": nameless,
    },
    "jacobian": {
        "check_jacobian": transposed,
        "check_trace_of_a_jacobian": giving(copied(set_first)),
        "check_components_in_the_order_of_dims": taking("dim", sorted),
    },
    "hessian": {
        "check_hessian": giving(copied(set_first)),
        "check_hessian_of_a_constant_that_goes_on": mixed_with_the_same_ghosts,
        "check_hessian_is_symmetric": giving(lambda g, _: g + g[:1] * 2**-50),
        "check_hessian_anywhere": without("stack_dim"),
        "check_keywords_of_fields_refused": lenient,
    },
}


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name, table in TAMPERED.items() for check in table],
)
def test_broken_functions_are_caught(numpy: Any, name: str, check: str) -> None:
    right = {each: getattr(anygrad, each) for each in ("gradient", *FUNCTIONS)}
    functions = {**right, name: TAMPERED[name][check](right[name])}
    (verdict,) = verdicts(functions["gradient"], numpy, check, functions=functions)
    assert verdict.outcome == "broken"
    assert verdict.reason


#: What only lazy and traced arrays can show.
ELSEWHERE = {
    "check_derivative_stays_lazy",
    "check_derivative_can_be_traced",
    "check_derivative_is_differentiable",
    "check_chunks_do_not_matter_with_boundaries",
    "check_boundaries_can_be_traced",
    "check_boundaries_are_differentiable",
    "check_fields_stay_lazy",
    "check_fields_can_be_traced",
}


def test_every_later_promise_has_a_broken_version() -> None:
    from anygrad.testing._checks import boundaries, missing, orders, vectors

    later = {
        name
        for module in (orders, boundaries, missing, vectors)
        for name in vars(module)
        if name.startswith("check_")
    }
    caught = {check for table in TAMPERED.values() for check in table}
    assert later == caught | ELSEWHERE


def _each(right: Any, change: Any) -> dict[str, Any]:
    """Return all functions, each of which changes its samples first."""
    return {
        name: lambda f, name=name, **keywords: right[name](change(f), **keywords)
        for name in right
    }


@pytest.mark.parametrize("check", sorted(c for c in ELSEWHERE if "lazy" in c))
def test_what_computes_is_caught(dask: Any, check: str) -> None:
    import dask.array

    def computed(f: Any) -> Any:
        f.max().compute()
        return f

    caught_elsewhere(dask.array, check, computed)


def test_boundaries_of_chunks_are_caught(dask: Any) -> None:
    import dask.array

    def gradient(f: Any, **keywords: Any) -> Any:
        return (f.map_blocks(lambda block: anygrad.gradient(block, **keywords)[0]),)

    name = "check_chunks_do_not_matter_with_boundaries"
    (verdict,) = verdicts(gradient, dask.array, name)
    assert verdict.outcome == "broken"


@pytest.mark.parametrize("check", sorted(c for c in ELSEWHERE if "traced" in c))
def test_branches_on_values_are_caught(jax: Any, check: str) -> None:
    import jax.numpy

    caught_elsewhere(jax.numpy, check, lambda f: f if f.max() > 0 else -f)


@pytest.mark.parametrize("check", sorted(c for c in ELSEWHERE if "differ" in c))
def test_lost_derivatives_are_caught(torch: Any, check: str) -> None:
    caught_elsewhere(torch, check, lambda f: f.detach())


def caught_elsewhere(xp: Any, check: str, change: Callable[[Any], Any]) -> None:
    """Hold a check to catching functions that do something with their samples."""
    functions = _each(
        {each: getattr(anygrad, each) for each in ("gradient", *FUNCTIONS)}, change
    )
    (verdict,) = verdicts(functions["gradient"], xp, check, functions=functions)
    assert verdict.outcome == "broken"


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


@pytest.mark.once
def test_every_check_can_fail(numpy: Any) -> None:
    """One gradient raises whatever it is asked, the other returns whatever it is."""

    def raises(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def returns(*_: Any, **__: Any) -> Any:
        return (numpy.asarray([7.0, 7.0]),)

    broken = {
        verdict.name
        for function in (raises, returns)
        for verdict in testing.run_checks(
            function, numpy, functions=dict.fromkeys(FUNCTIONS, function)
        )
        if verdict.outcome == "broken"
    }
    kept = testing.run_checks(anygrad.gradient, numpy, functions=anygrad)
    assert {v.name for v in kept if v.outcome == "kept"} <= broken


def test_cupy_is_called_as_numpy_is(cupy: Any) -> None:
    f = cupy.asarray([[1.0, 2, 4], [9, 3, 7], [5, 5, 0]])
    theirs = testing.gradient_of("cupy")(f, spacing=[2.0, 0.5], dim=[1, 0])
    ours = anygrad.gradient(f, spacing=[2.0, 0.5], dim=[1, 0])
    for a, b in zip(theirs, ours, strict=True):
        assert a.tolist() == b.tolist()


# What is not there is not broken.


def test_a_gradient_alone(numpy: Any) -> None:
    """Without the later keywords and functions, their promises do not apply."""

    def gradient(
        f: Any,
        *,
        spacing: Any = 1,
        dim: Any = None,
        edge_order: Any = 1,
        axis: Any = None,
    ) -> Any:
        return anygrad.gradient(
            f, spacing=spacing, dim=dim, edge_order=edge_order, axis=axis
        )

    whole = testing.run_checks(anygrad.gradient, numpy, functions=anygrad)
    alone = testing.run_checks(gradient, numpy)
    reasons = {one.reason for one, two in zip(alone, whole, strict=True) if one != two}
    assert reasons == {
        *(f"the function has no keyword {name}" for name in KEYWORDS),
        *(f"there is no function {name}" for name in FUNCTIONS),
    }
    assert not any(verdict.outcome == "broken" for verdict in alone)


def test_functions_of_nobody() -> None:
    with pytest.raises(ValueError, match=r"^`library` must be one of .* Got 'julia'\."):
        testing.functions_of("julia")


def test_functions_of_libraries(numpy: Any) -> None:
    assert set(testing.functions_of("anygrad")) == set(FUNCTIONS)
    assert testing.functions_of("numpy") == {}


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
    capsys.readouterr()
    assert command.main(["numpy", "--gradient", "anygrad:gradient"]) == 0
    assert "there is no function curl" in capsys.readouterr().out
    alone = ["numpy", "--gradient", "anygrad:gradient"]
    assert command.main([*alone, "--functions", "anygrad"]) == 0
    assert "there is no function" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["numpy", "--gradient", "julia"])
    assert "`library` must be one of" in capsys.readouterr().err


@pytest.mark.peers
@pytest.mark.parametrize("every", [20, pytest.param(0, marks=pytest.mark.full)])
def test_the_table_in_the_documentation_is_up_to_date(every: int) -> None:
    """It is made by running the suite; `python docs/promises.py` makes it anew."""
    promises = [check.__doc__ for check in testing.checks[::every]] if every else []
    script = [sys.executable, str(ROOT / "docs" / "promises.py"), "--check", *promises]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
