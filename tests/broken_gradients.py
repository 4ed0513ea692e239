"""Broken gradients, each with the check that must catch it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import anygrad

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
