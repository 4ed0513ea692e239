"""Whoever breaks a promise about a keyword, or about another function, is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import anygrad
from suite import FUNCTIONS, verdicts
from tampering import (
    as_float,
    centred,
    constants_only,
    copied,
    even_steps,
    first_column,
    first_line,
    first_of,
    flattened,
    giving,
    gradient_of_a_gradient,
    left_only,
    lenient,
    mixed_with_the_same_ghosts,
    nameless,
    no_dtype_of_all,
    nothing_in_a_hole,
    nudged,
    of_the_batch,
    other_mode,
    overflowing,
    rounded_down,
    scribbled,
    second_order_edges,
    set_first,
    set_last,
    stepwise,
    taking,
    to_double,
    to_single,
    transposed,
    turned,
    twice,
    without,
    without_ghosts,
    without_period,
    wrapped,
    zero_for_nan,
)

TAMPERED = {
    "gradient": {
        "check_scaled_partials": taking("scale_factors", lambda h: h and h[::-1]),
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
        "check_values_for_each_line": taking("boundary", first_line),
        "check_a_period_for_each_line": taking("boundary", first_line),
        "check_one_array_for_all_lines": giving(to_double),
        "check_a_dim_of_one_point": other_mode("edge", 0.0),
        "check_dims_of_few_points": other_mode("symmetric", "edge"),
        "check_ghosts_beside_the_samples": taking("boundary", without_ghosts),
        "check_arrays_beyond_refused": nameless,
        "check_all_valid_changes_nothing": nudged("where"),
        "check_central_where_it_fits": nothing_in_a_hole,
        "check_one_sided_next_to_a_hole": taking("edge_order", lambda _: 1),
        "check_too_few_valid_samples": giving(zero_for_nan),
        "check_missing_values_never_matter": giving(centred),
        "check_holes_at_a_periodic_seam": other_mode("periodic", "one_sided"),
        "check_masks_broadcast": taking("where", first_column),
        "check_masks_refused": nameless,
        "check_holes_at_higher_accuracy": without("accuracy"),
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
        "check_holes_of_higher_orders": without("where"),
    },
    "divergence": {
        "check_divergence": taking("spacing", turned),
        "check_no_divergence_in_a_curl": giving(copied(set_first)),
        "check_trace_of_a_jacobian": giving(copied(set_first)),
        "check_masks_of_components": without("where"),
        "check_components_along_any_dim": taking("vector_dim", lambda _: 0),
        "check_batches_of_fields": of_the_batch,
        "check_components_in_the_order_of_dims": taking("dim", sorted),
        "check_boundaries_of_fields": without("boundary"),
        "check_dtypes_of_fields": giving(to_double),
        "check_fields_are_not_written_to": scribbled,
        "check_fields_of_other_components": lenient,
        "check_vector_dims_refused": nameless,
        "check_no_dims_of_a_field": without("dim"),
        "check_sources_in_a_plane": without("scale_factors"),
    },
    "curl": {
        "check_a_plane_that_turns": without("scale_factors"),
        "check_curl_of_three_components": giving(lambda g, _: -g),
        "check_curl_of_two_components": giving(lambda g, _: g[None, ...]),
        "check_no_curl_in_a_gradient": giving(copied(set_first)),
        "check_dims_of_a_curl": lenient,
        "check_fields_are_not_written_to": scribbled,
    },
    "laplacian": {
        "check_laplacian_in_a_plane": without("scale_factors"),
        "check_factors_refused": without("scale_factors"),
        "check_laplacian": gradient_of_a_gradient,
        "check_laplacian_sees_the_shortest_wave": gradient_of_a_gradient,
        "check_trace_of_a_hessian": giving(copied(set_last)),
        "check_holes_in_sums": without("where"),
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
    "check_values_can_be_traced",
    "check_values_are_differentiable",
    "check_fields_stay_lazy",
    "check_fields_can_be_traced",
}


def test_every_later_promise_has_a_broken_version() -> None:
    from anygrad.testing._checks import (
        beyond,
        boundaries,
        curved,
        fields,
        missing,
        orders,
        vectors,
    )

    later = {
        name
        for module in (orders, boundaries, beyond, missing, vectors, fields, curved)
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
