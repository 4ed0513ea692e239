"""What is kept of the arrays: their library, device, laziness, derivatives, values."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ...testing import _abilities, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    numbers,
    only,
    real,
    require,
    require_numbers,
    results,
)
from ...testing._checks.grids import COORDINATES, SAMPLES, exact, inside

#: What each derivative is multiplied with before they are added up: not the edges.
FACTORS = [0, 2, -1, 3, 1, -2, 0]


def added_up(xp: Any, result: Any) -> Any:
    """Return a weighted sum of derivatives, an array of shape ()."""
    return xp.sum(result * array(xp, FACTORS))


def exactly_added_up(derivatives: list[Any]) -> Any:
    """Return the same sum of exact derivatives."""
    pairs = zip(derivatives, FACTORS, strict=True)
    return _oracle.sum_of(value * factor for value, factor in pairs)


def check_library_kept(gradient: Gradient, xp: Any) -> None:
    """The results are arrays of the library of the samples."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    for spacing in (2.0, [x]):
        result = only(gradient, f, spacing=spacing)
        found, wanted = type(result).__qualname__, type(f).__qualname__
        require(type(result) is type(f), f"{found} where {wanted} was wanted")


def check_samples_unchanged(gradient: Gradient, xp: Any) -> None:
    """The samples are not written to."""
    samples = [SAMPLES, SAMPLES[::-1], SAMPLES]
    f = array(xp, samples)
    results(gradient, f)
    require_numbers(f, samples, tolerance=0)


def check_coordinates_unchanged(gradient: Gradient, xp: Any) -> None:
    """Coordinates are not written to."""
    x = array(xp, COORDINATES)
    results(gradient, array(xp, SAMPLES), spacing=[x])
    require_numbers(x, COORDINATES, tolerance=0)


def check_lists_unchanged(gradient: Gradient, xp: Any) -> None:
    """The lists given as `spacing` and `dim` are not changed."""
    spacing, dim = [2.0, 0.5], [1, 0]
    samples = [SAMPLES, SAMPLES, SAMPLES]
    results(gradient, array(xp, samples), spacing=spacing, dim=dim)
    require(spacing == [2.0, 0.5], f"spacing is {spacing} after the call")
    require(dim == [1, 0], f"dim is {dim} after the call")


def check_same_call_same_numbers(gradient: Gradient, xp: Any) -> None:
    """The same call gives the same numbers again, to the last bit."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    first, second = (numbers(only(gradient, f, spacing=[x])) for _ in range(2))
    require(first == second, f"{first} and then {second}")


def check_device_kept(gradient: Gradient, xp: Any) -> None:
    """The result is on the device of the samples, where that is not the default."""
    device = _abilities.other_device(xp, array(xp, SAMPLES))
    f, x = (
        xp.asarray([float(k) for k in values], dtype=xp.float32, device=device)
        for values in (SAMPLES, COORDINATES)
    )
    for spacing in (0.5, [x]):
        found = only(gradient, f, spacing=spacing).device
        require(found == f.device, f"{found} where {f.device} was wanted")


def check_no_values_are_needed(gradient: Gradient, xp: Any) -> None:
    """Arrays that have a shape and a dtype and no values give others of the kind."""
    f, x = (
        _abilities.without_values(array(xp, values))
        for values in (SAMPLES, COORDINATES)
    )
    for spacing in (0.5, [x]):
        result = only(gradient, f, spacing=spacing)
        require(result.device == f.device, f"the result is on {result.device}")
        require(result.shape == f.shape, f"the result has shape {result.shape}")


def check_lazy_arrays_stay_lazy(gradient: Gradient, xp: Any) -> None:
    """A call on lazy samples computes nothing."""
    f = array(xp, SAMPLES)
    with _abilities.forbidden_computation(f):
        found = only(gradient, f, spacing=0.5)
    require(type(found) is type(f), f"{type(found).__qualname__} is not lazy")


def check_lazy_coordinates_stay_lazy(gradient: Gradient, xp: Any) -> None:
    """A call on lazy coordinates computes nothing."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    with _abilities.forbidden_computation(f):
        found = only(gradient, f, spacing=[x])
    require(type(found) is type(f), f"{type(found).__qualname__} is not lazy")


def check_chunks_kept(gradient: Gradient, xp: Any) -> None:
    """The result has the chunks of the samples."""
    f = _abilities.in_chunks(array(xp, SAMPLES), (3, 4))
    found = only(gradient, f).chunks
    require(found == f.chunks, f"chunks {found} where {f.chunks} were wanted")


def check_chunks_do_not_matter(gradient: Gradient, xp: Any) -> None:
    """The numbers do not depend on the chunks."""
    f = _abilities.in_chunks(array(xp, SAMPLES), (3, 4))
    require_numbers(only(gradient, f), exact(_oracle.steps(0, 1)))


def check_small_chunks_do_not_matter(gradient: Gradient, xp: Any) -> None:
    """The numbers do not depend on the chunks where these have one point only."""
    for chunks in ((1, 6), (6, 1), (1,) * 7):
        f = _abilities.in_chunks(array(xp, SAMPLES), chunks)
        require_numbers(only(gradient, f), exact(_oracle.steps(0, 1)))


def check_chunks_do_not_matter_on_coordinates(gradient: Gradient, xp: Any) -> None:
    """On coordinates, the numbers do not depend on the chunks either."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    for chunks in ((3, 4), (1,) * 7):
        pieces = _abilities.in_chunks(f, chunks)
        result = only(gradient, pieces, spacing=[x])
        require_numbers(result, exact(_oracle.along(0, COORDINATES)))


def check_samples_can_be_traced(gradient: Gradient, xp: Any) -> None:
    """A compiled function may give the samples."""
    f = array(xp, SAMPLES)
    call = _abilities.compiled(lambda f: only(gradient, f, spacing=0.5), f)
    inside(call(f), exact(_oracle.steps(0, 0.5)))


def check_steps_can_be_traced(gradient: Gradient, xp: Any) -> None:
    """A compiled function may give the step."""
    f = array(xp, SAMPLES)
    call = _abilities.compiled(lambda f, h: only(gradient, f, spacing=h), f)
    inside(call(f, array(xp, 0.5)), exact(_oracle.steps(0, 0.5)))


def check_coordinates_can_be_traced(gradient: Gradient, xp: Any) -> None:
    """A compiled function may give the coordinates."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    call = _abilities.compiled(lambda f, x: only(gradient, f, spacing=[x]), f)
    inside(call(f, x), exact(_oracle.along(0, COORDINATES)))


def check_mapped_over_lines(gradient: Gradient, xp: Any) -> None:
    """Mapped over the lines of an array, a call gives the derivatives of each."""
    f = array(xp, [SAMPLES, SAMPLES[::-1]])
    result = _abilities.mapped(lambda row: only(gradient, row), f)(f)
    for row, samples in enumerate((SAMPLES, SAMPLES[::-1])):
        inside(result[row, :], exact(_oracle.steps(0, 1), samples=samples))


def check_differentiable_in_the_samples(gradient: Gradient, xp: Any) -> None:
    """The result can be differentiated in the samples."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    units = [[int(j == k) for k in range(7)] for j in range(7)]
    for spacing, coordinate in (
        (0.5, _oracle.steps(0, 0.5)),
        ([x], _oracle.along(0, COORDINATES)),
    ):

        def call(f: Any, spacing: Any = spacing) -> Any:
            return added_up(xp, only(gradient, f, spacing=spacing))

        found = _abilities.derivative(call, f)
        wanted = [exactly_added_up(exact(coordinate, samples=unit)) for unit in units]
        require_numbers(found, wanted)


def check_differentiable_in_steps(gradient: Gradient, xp: Any) -> None:
    """The result can be differentiated in a step, once and twice."""
    f, h = array(xp, SAMPLES), array(xp, 0.5)
    slope = exactly_added_up(exact(_oracle.steps(0, 1)))

    def call(h: Any) -> Any:  # slope / h
        return added_up(xp, only(gradient, f, spacing=h))

    once, twice = (_abilities.derivative(call, h, times) for times in (1, 2))
    require_numbers(once, slope * -4, tolerance=1e-5)
    require_numbers(twice, slope * 16, tolerance=1e-5)


def check_differentiable_in_coordinates(gradient: Gradient, xp: Any) -> None:
    """The result can be differentiated in the coordinates."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    found = _abilities.derivative(
        lambda x: added_up(xp, only(gradient, f, spacing=[x])), x
    )
    # A central difference in exact arithmetic: its error is far below a rounding.
    h = Fraction(1, 10**12)
    wanted = [(_moved(k, h) - _moved(k, -h)) / (2 * h) for k in range(7)]
    tolerance = 1e-12 if real(xp) == "float64" else 1e-5
    require_numbers(found, wanted, tolerance=tolerance)


def _moved(place: int, distance: Fraction) -> Any:
    """Return the sum of the derivatives where one coordinate is moved."""
    x = [Fraction(a) for a in COORDINATES]
    x[place] += distance
    return exactly_added_up(exact(_oracle.along(0, x)))
